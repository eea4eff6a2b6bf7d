"""Which names the server answers to, and which pages may use it."""

from __future__ import annotations

from socket import gethostname
from typing import TYPE_CHECKING

import pytest

from dovetail_server.guard import Forbidden, Guard, is_loopback

if TYPE_CHECKING:
    from conftest import Asking


class TestWithoutOptions:
    guard = Guard()

    @pytest.mark.parametrize(
        "host",
        ["localhost", "LOCALHOST:5000", "127.0.0.1:5000", "[::1]:5000", "10.1.2.3", "192.168.0.7:80", "app.localhost"],
    )
    def test_names_of_this_machine_and_private_addresses_pass(self, host: str) -> None:
        self.guard.check("GET", {"host": host})

    def test_the_name_of_this_machine_passes(self) -> None:
        self.guard.check("GET", {"host": f"{gethostname()}:5000"})

    @pytest.mark.parametrize(
        "host",
        [
            "",
            "evil.example",
            "localhost.evil.example",
            "8.8.8.8",
            "127.0.0.1.evil.example",
            "[::1",
            "[::1]evil.example",
            "[::1].evil",
            "localhost:80@evil.example",
            "localhost:x",
            "localhost@evil.example",
            "evil.example:127.0.0.1",
        ],
    )
    def test_other_names_do_not(self, host: str) -> None:
        """A page may let a name of its own point here: requests of browsers would come with that name."""
        with pytest.raises(Forbidden):
            self.guard.check("GET", {"host": host})

    @pytest.mark.parametrize(
        "origin",
        [
            "https://evil.example",
            "null",
            "http://[",
            "file://",
            "http://127.0.0.1.evil.example",
            "http://evil.example@127.0.0.1",
        ],
    )
    @pytest.mark.parametrize("verb", ["POST", "PUT", "PATCH", "DELETE"])
    def test_pages_of_other_sites_change_nothing(self, verb: str, origin: str) -> None:
        with pytest.raises(Forbidden):
            self.guard.check(verb, {"host": "localhost:5000", "origin": origin})

    @pytest.mark.parametrize("origin", ["http://localhost:3000", "http://127.0.0.1:5000", "http://10.0.0.5:5000"])
    def test_pages_of_this_server_may(self, origin: str) -> None:
        self.guard.check("POST", {"host": "10.0.0.5:5000", "origin": origin})


class TestWithNames:
    guard = Guard(["tracking.example.org", "10.0.0.*", "*.inner.example:5000"], ["https://ui.example.org"])

    @pytest.mark.parametrize(
        "host", ["tracking.example.org", "Tracking.Example.Org:443", "10.0.0.9:5000", "a.inner.example:5000"]
    )
    def test_these_pass(self, host: str) -> None:
        self.guard.check("GET", {"host": host})

    @pytest.mark.parametrize("host", ["localhost", "10.0.1.9", "a.inner.example:80", "xtracking.example.org"])
    def test_others_do_not(self, host: str) -> None:
        with pytest.raises(Forbidden):
            self.guard.check("GET", {"host": host})

    def test_origins_that_are_named_may_change_things(self) -> None:
        self.guard.check("POST", {"host": "tracking.example.org", "origin": "https://UI.example.org"})
        with pytest.raises(Forbidden):
            self.guard.check("POST", {"host": "tracking.example.org", "origin": "https://other.example.org"})


def test_a_star_lets_everything_pass() -> None:
    Guard(["*"], ["*"]).check("POST", {"host": "anything", "origin": "https://any.example"})


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("localhost", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("0.0.0.0", False),
        ("::", False),
        ("10.0.0.1", False),
        ("example.org", False),
        ("", False),
    ],
)
def test_loopback_is_what_nobody_else_reaches(name: str, expected: bool) -> None:
    assert is_loopback(name) is expected


class TestRequests:
    def test_for_another_name_are_refused_before_anything_else(self, ask: Asking) -> None:
        answer = ask("GET", "/health", headers={"host": "evil.example"})
        assert (answer.status, answer.data["error_code"]) == (403, "PERMISSION_DENIED")

    def test_of_foreign_pages_are_refused(self, ask: Asking) -> None:
        answer = ask("POST", "experiments/create", {"name": "a"}, headers={"origin": "https://evil.example"})
        assert answer.status == 403
        assert ask("GET", "experiments/get-by-name", query={"experiment_name": "a"}).status == 404

    def test_of_known_pages_are_told_that_they_may_read(self, opened: object) -> None:
        asking = opened(options={"origins": ("https://ui.example",)})  # type: ignore[operator]
        origin = {"origin": "https://ui.example"}
        assert asking("GET", "/health", headers=origin).headers["access-control-allow-origin"] == origin["origin"]
        asked = {**origin, "access-control-request-method": "POST", "access-control-request-headers": "x-a"}
        preflight = asking("OPTIONS", "experiments/create", headers=asked)
        assert (preflight.status, preflight.headers["access-control-allow-headers"]) == (204, "x-a")
        assert asking("OPTIONS", "experiments/create", headers={**asked, "origin": "https://x.example"}).status == 403
        assert "access-control-allow-origin" not in asking("GET", "/health").headers

    def test_are_answered_with_what_keeps_browsers_from_guessing(self, ask: Asking) -> None:
        for path in ("/health", "/nowhere", "experiments/get"):
            headers = ask("GET", path).headers
            assert (headers["x-content-type-options"], headers["x-frame-options"]) == ("nosniff", "SAMEORIGIN")
