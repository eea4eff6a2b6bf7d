"""Who may do what: nobody may do anything that nothing allows."""

from __future__ import annotations

import json
from base64 import b64encode
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from dovetail import hookimpl, plugins
from dovetail_server.access import user_of
from dovetail_server.table import all_routes

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

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


class TestThePluginOfThePage:
    """What ``docs/how-to/decide-who-may-do-what.md`` writes, and says of when it is asked for what."""

    @pytest.fixture
    def asked(self) -> list[tuple[str, str]]:
        return []

    @pytest.fixture
    def asking(
        self,
        opened: Callable[..., Asking],
        asked: list[tuple[str, str]],
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> Asking:
        known = plugins.Plugins(())
        known.register(_plugin_of_the_page(tmp_path))

        def ask(hook: str, **arguments: Any) -> Any:
            if hook == "dovetail_authorize":
                asked.append((arguments["action"], arguments["resource"]))
            return known.ask(hook, **arguments)

        members = [{"name": name, "token": name * 2, "writes": name == "ada"} for name in ("ada", "bob")]
        (tmp_path / "team.json").write_text(json.dumps(members))
        monkeypatch.setenv("TEAM_FILE", str(tmp_path / "team.json"))
        monkeypatch.setattr("dovetail_server.access.plugins.ask", ask)
        return opened(options={"access": "plugins"})

    def test_knows_the_members_and_what_each_may(self, asking: Asking) -> None:
        ada, bob = {"authorization": "Bearer adaada"}, {"authorization": "Bearer bobbob"}
        start = {"experiment_id": "0"}
        assert asking("POST", "runs/create", start).status == 401
        assert asking("POST", "runs/create", start, headers=basic("ada", "adaada")).status == 401
        assert asking("POST", "runs/create", start, headers=bob).status == 403
        info = asking("POST", "runs/create", start, headers=ada).data["run"]["info"]
        assert asking("GET", "runs/get", query={"run_id": info["run_id"]}, headers=bob).status == 200
        assert asking("POST", "runs/delete", {"run_id": info["run_id"]}, headers=ada).status == 403

    @pytest.mark.parametrize(
        ("verb", "path", "body", "about"),
        [
            ("POST", "runs/create", {"experiment_id": "0"}, ("update", "experiment/0")),
            ("POST", "experiments/create", {"name": "a"}, ("create", "experiment/a")),
            ("POST", "runs/search", {"experiment_ids": ["0", "1"]}, ("read", "experiment")),
            ("POST", "runs/restore", {"run_id": "a" * 32}, ("delete", "run/" + "a" * 32)),
            ("GET", "/health", None, ("read", "server")),
            ("GET", "/api/2.0/mlflow-artifacts/artifacts/0/a", None, ("read", "artifact/0/a")),
        ],
    )
    def test_is_asked_for_what_the_page_says(
        self, asking: Asking, asked: list[tuple[str, str]], verb: str, path: str, body: Any, about: tuple[str, str]
    ) -> None:
        asking(verb, path, body, headers={"authorization": "Bearer adaada"})
        assert asked == [about]

    def test_that_fails_lets_nobody_in(self, asking: Asking, tmp_path: Path) -> None:
        (tmp_path / "team.json").unlink()
        answer = asking("GET", "experiments/get", query={"experiment_id": "0"}, headers={"authorization": "Bearer a"})
        assert answer.status == 500


def _plugin_of_the_page(folder: Path) -> ModuleType:
    page = Path(__file__).parents[4] / "docs" / "how-to" / "decide-who-may-do-what.md"
    file = folder / "dovetail_team.py"
    file.write_text(page.read_text(encoding="utf-8").partition("```python\n")[2].partition("```")[0], encoding="utf-8")
    spec = spec_from_file_location("dovetail_team", file)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


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
