"""Who may do what: nobody may do anything that nothing allows."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Any

import pytest

from dovetail import hookimpl, plugins
from dovetail_server.access import user_of
from dovetail_server.table import all_routes

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Asking


@pytest.fixture
def guarded(opened: Callable[..., Asking]) -> Asking:
    """A server that asks for a token."""
    return opened(options={"access": "token", "token": "s3cret"})


def basic(user: str, password: str) -> dict[str, str]:
    return {"authorization": f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}"}


class TestAServerWithAToken:
    @pytest.mark.parametrize(
        "headers",
        [
            {},
            {"authorization": "Bearer wrong"},
            {"authorization": "Basic !!"},
            {"authorization": "s3cret"},
            basic("s3cret", ""),
            {"authorization": "Bearer \xff"},
        ],
    )
    def test_answers_nothing_to_whoever_does_not_have_it(self, guarded: Asking, headers: dict[str, str]) -> None:
        for route in all_routes():
            path = route.path.replace("{path*}", "a").replace("{", "").replace("}", "")
            answer = guarded(route.verb, path, headers=headers)
            assert (answer.status, answer.data["error_code"]) == (401, "UNAUTHENTICATED"), route
        assert "basic" in answer.headers["www-authenticate"].lower()

    @pytest.mark.parametrize("headers", [{"authorization": "Bearer s3cret"}, basic("anybody", "s3cret")])
    def test_answers_to_whoever_has_it(self, guarded: Asking, headers: dict[str, str]) -> None:
        assert guarded("GET", "experiments/get", query={"experiment_id": "0"}, headers=headers).status == 200


class Accounts:
    """A plugin that knows one user, who may read, and log to one run."""

    @hookimpl
    def dovetail_authenticate(self, request: Any) -> str | None:
        return "ada" if request.get("authorization") == "Bearer ada" else None

    @hookimpl
    def dovetail_authorize(self, principal: Any, action: str, resource: str) -> bool | None:
        return True if action == "read" else resource == "run/" + "a" * 32


class TestAServerWithAPlugin:
    @pytest.fixture
    def asking(self, opened: Callable[..., Asking], monkeypatch: pytest.MonkeyPatch) -> Asking:
        known = plugins.Plugins(())
        known.register(Accounts())
        monkeypatch.setattr("dovetail_server.access.plugins.ask", known.ask)
        return opened(options={"access": "plugins"})

    def test_wants_to_know_who_asks(self, asking: Asking) -> None:
        assert asking("GET", "/health").status == 401

    def test_lets_do_what_the_plugin_allows_and_nothing_else(self, asking: Asking) -> None:
        ada = {"authorization": "Bearer ada"}
        assert asking("GET", "experiments/get", query={"experiment_id": "0"}, headers=ada).status == 200
        denied = asking("POST", "experiments/create", {"name": "a"}, headers=ada)
        assert (denied.status, denied.data["error_code"]) == (403, "PERMISSION_DENIED")
        assert asking("POST", "runs/set-tag", {"run_id": "b" * 32, "key": "k", "value": "v"}, headers=ada).status == 403
        allowed = asking("POST", "runs/set-tag", {"run_uuid": "a" * 32, "key": "k", "value": "v"}, headers=ada)
        assert allowed.status == 404, "there is no such run, but it may be asked for"


class Person:
    """Whom a plugin may say that somebody is."""

    def __init__(self, name: Any) -> None:
        self.name = name


class TestTheNameOfWhoAsks:
    @pytest.mark.parametrize("principal", [None, "token"])
    def test_is_what_they_call_themselves_where_nobody_asks(self, principal: str | None) -> None:
        assert user_of(principal, basic("adä", "s3cret")) == "adä"
        for headers in ({}, {"authorization": "Bearer s3cret"}, {"authorization": "Basic !!"}):
            assert user_of(principal, headers) == ""

    @pytest.mark.parametrize(("principal", "name"), [("ada", "ada"), (Person("ada"), "ada"), (Person(3), ""), (3, "")])
    def test_is_what_a_plugin_says(self, principal: Any, name: str) -> None:
        assert user_of(principal, basic("eve", "")) == name

    def test_can_be_read(self) -> None:
        assert user_of(None, basic("a\x00d\u202ea\n", "")) == "ada"
        assert user_of(None, basic("a" * 5000, "")) == "a" * 255
