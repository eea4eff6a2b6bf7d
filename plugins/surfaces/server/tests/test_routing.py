"""Routes: what cannot be registered, and how requests find theirs."""

from __future__ import annotations

import pytest

from dovetail_server.routing.route import ACTIONS, RESOURCES, Route, Routes
from dovetail_server.routing.router import NoRoute, Router, WrongVerb
from dovetail_server.table import NOUNS, all_routes


def answer(asked: object) -> dict[str, str]:
    """Answer."""
    del asked
    return {}


def route(verb: str = "GET", path: str = "/a", action: str = "read", resource: str = "run") -> Route:
    return Route(verb, path, action, resource, answer)


class TestARouteThatSaysToLittle:
    @pytest.mark.parametrize(("action", "resource"), [("", "run"), ("read", ""), ("look", "run"), ("read", "house")])
    def test_cannot_be_made(self, action: str, resource: str) -> None:
        """Nothing can be reached without somebody being asked whether it may be."""
        with pytest.raises(ValueError, match="does"):
            route(action=action, resource=resource)

    def test_cannot_go_without_an_explanation(self) -> None:
        with pytest.raises(ValueError, match="explains"):
            Route("GET", "/a", "read", "run", lambda asked: asked)

    def test_cannot_stand_twice(self) -> None:
        with pytest.raises(ValueError, match="two routes"):
            Router([route(), route()])


class TestTheTable:
    def test_has_an_action_and_a_kind_of_thing_for_every_route(self) -> None:
        routes = all_routes()
        assert len(routes) > 100
        assert all(each.action in ACTIONS and each.resource in RESOURCES for each in routes)

    def test_reads_by_get_and_changes_by_nothing_that_browsers_send_unasked(self) -> None:
        changing = [each.path for each in all_routes() if each.verb == "GET" and each.action != "read"]
        assert changing == []

    def test_has_every_module_of_endpoints(self) -> None:
        from pathlib import Path

        import dovetail_server.endpoints as package

        files = {each.stem for each in Path(package.__path__[0]).glob("[a-z]*.py")}
        assert files == set(NOUNS)

    def test_has_everything_of_mlflow_below_ajax_too(self) -> None:
        paths = {(each.verb, each.path) for each in all_routes()}
        missing = {
            (verb, path)
            for verb, path in paths
            if path.startswith("/api/2.0/mlflow/") and (verb, "/ajax-" + path[1:]) not in paths
        }
        assert missing == set()


class TestTheRouter:
    router = Router([route(), route("POST", "/a", "update"), route(path="/b/{id}/c"), route(path="/files/{path*}")])

    def test_finds_by_verb_and_path(self) -> None:
        assert self.router.find("GET", "/a")[0].action == "read"
        assert self.router.find("POST", "/a")[0].action == "update"
        assert self.router.find("HEAD", "/a")[0].verb == "GET"

    def test_gives_the_open_pieces_of_the_path(self) -> None:
        assert self.router.find("GET", "/b/1 2/c")[1] == {"id": "1 2"}
        assert self.router.find("GET", "/files/a/b\nc.txt")[1] == {"path": "a/b\nc.txt"}
        assert self.router.find("GET", "/files/")[1] == {"path": ""}

    @pytest.mark.parametrize("path", ["/", "/a/", "/b//c", "/b/1/c/d", "/A", "a", "", "/files"])
    def test_finds_nothing_elsewhere(self, path: str) -> None:
        with pytest.raises(NoRoute):
            self.router.find("GET", path)

    def test_says_which_verbs_there_are(self) -> None:
        with pytest.raises(WrongVerb) as told:
            self.router.find("DELETE", "/a")
        assert told.value.verbs == ("GET", "POST")
        with pytest.raises(WrongVerb):
            self.router.find("PUT", "/b/1/c")

    def test_below_a_prefix_finds_the_same(self) -> None:
        router = Router([route(), route(path="/health", resource="server")], "/tracking")
        assert router.find("GET", "/tracking/a")[0].path == "/a"
        assert router.find("GET", "/health")[0].path == "/health"
        for path in ("/a", "/trackinga", "/tracking"):
            with pytest.raises(NoRoute):
                router.find("GET", path)


class TestRoutesOfAModule:
    def test_stand_below_every_base(self) -> None:
        routes = Routes("/x/", "/y/")
        routes.add("GET", "a", "read", "run")(answer)
        assert [each.path for each in routes] == ["/x/a", "/y/a"]

    def test_call_a_place_by_one_name(self) -> None:
        about = route(resource="artifact").subject
        assert {about({"path": path}) for path in ("0/a", "./0//a/", "0/b/../a")} == {"artifact/0/a"}

    @pytest.mark.parametrize(
        ("fields", "subject"),
        [
            ({"run_id": "r1"}, "run/r1"),
            ({"run_id": None, "run_uuid": "r2"}, "run/r2"),
            ({"run_id": ""}, "run"),
            ({"run_id": ["r1"]}, "run"),
            ({}, "run"),
        ],
    )
    def test_say_what_a_request_is_about(self, fields: dict[str, object], subject: str) -> None:
        assert route().subject(fields) == subject
