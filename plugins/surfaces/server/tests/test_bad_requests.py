"""Requests to the endpoints for tracking that cannot be right: one clear answer each, none is the server's fault."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from dovetail.values import NewRun
from dovetail_server.endpoints import datasets, experiments, histories, logged_models, logging, runs

if TYPE_CHECKING:
    from conftest import Answered, Asking
    from dovetail_server.routing.fields import Field
    from dovetail_server.routing.route import Route

MODULES = (experiments, runs, logging, histories, datasets, logged_models)
ROUTES = [route for each in MODULES for route in each.ROUTES if route.path.startswith("/api/")]
WITH_BODY = [route for route in ROUTES if route.verb not in ("GET", "DELETE")]
BROKEN = (
    b"{",
    b"[1]",
    b"5",
    b"nonsense",
    b'"text"',
    b'"[1]"',
    b"true",
    b'{"run_id": "\xff"}',
    b"[" * 100_000,
    b'{"run_id": ' * 50_000,
)
STATES = ("status", "view_type", "run_view_type")  # of which unknown ones count as not given

VALID: dict[str, Any] = {
    "artifact_location": "s3://bucket",
    "datasets": [{"dataset": {"name": "d", "digest": "g", "source_type": "local", "source": "{}"}}],
    "experiment_id": "0",
    "experiment_ids": ["0"],
    "experiment_name": "Default",
    "model_json": '{"run_id": "r", "artifact_path": "m", "utc_time_created": "t", "flavors": {}}',
    "models": [],
    "name": "fresh",
    "new_name": "other",
    "status": "FINISHED",
    "value": "1",
}
"""A value that passes for fields of text whose value matters; others are made by their kind."""
WRONG: dict[str, list[Any]] = {
    "string": [5, 1.5, True, ["a"], {"a": 1}],
    "integer": ["x", 1.5, True, [1], {"a": 1}, 2**63, -(2**64), 10**400, "9" * 30, "NaN", "1e5"],
    "number": ["x", True, [1], {"a": 1}, 10**400, "nan", ""],
    "boolean": ["x", 5],
    "object": [5, "x", ["a"]],
}
QUERIED: dict[str, list[Any]] = {"integer": ["x", "1.5", "9" * 30, "", "NaN"], "boolean": ["x", "1", ""]}


@pytest.fixture
def run(ask: Asking) -> str:
    """The id of a run."""
    return ask.site.tracking.create_run(NewRun("0")).info.run_id


@pytest.fixture
def model(ask: Asking) -> str:
    """The id of a model."""
    return str(ask("POST", "logged-models", {"experiment_id": "0"}).data["model"]["info"]["model_id"])


def valid(field: Field, run: str) -> Any:
    """A value that the field takes."""
    if field.name in ("run_id", "run_uuid", "run_ids"):
        return [run] if field.many else run
    if field.name in VALID and (field.name, field.kind) != ("value", "number"):
        return VALID[field.name]
    if field.many:
        return []
    return {"string": "a", "integer": 1, "number": 0.5, "boolean": True, "object": {}}[field.kind]


def body(route: Route, run: str) -> dict[str, Any]:
    """The least that the route takes."""
    needed = ("run_id", "experiment_ids")
    return {each.name: valid(each, run) for each in route.fields if each.required or each.name in needed}


def path(route: Route, model: str) -> str:
    return route.path.replace("{model_id}", model).replace("{tag_key*}", "t")


def name(route: Route) -> str:
    return f"{route.verb} {route.path.removeprefix('/api/2.0/mlflow/')}"


@pytest.mark.parametrize("route", WITH_BODY, ids=name)
class TestABodyThatCannotBeRead:
    def test_is_refused(self, ask: Asking, model: str, route: Route) -> None:
        for sent in BROKEN:
            answer = ask(route.verb, path(route, model), sent)
            assert (answer.status, answer.data["error_code"]) == (400, "INVALID_PARAMETER_VALUE"), sent[:20]
            assert "body" in answer.data["message"], sent[:20]

    def test_is_refused_by_its_type(self, ask: Asking, model: str, route: Route) -> None:
        answer = ask(route.verb, path(route, model), b"{}", headers={"content-type": "text/plain"})
        assert (answer.status, answer.data["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
        assert "application/json" in answer.data["message"]


@pytest.mark.parametrize("route", ROUTES, ids=name)
class TestAField:
    def test_is_named_where_it_is_missing(self, ask: Asking, run: str, model: str, route: Route) -> None:
        for field in route.fields:
            if field.required:
                sent = body(route, run)
                del sent[field.name]
                refused(send(ask, route, model, sent), field.name)

    def test_is_named_where_it_is_of_another_kind(self, ask: Asking, run: str, model: str, route: Route) -> None:
        for field in route.fields:
            for wrong in wrongs(route, field):
                refused(send(ask, route, model, {**body(route, run), field.name: wrong}), field.name, wrong)

    def test_passes_where_it_is_right(self, ask: Asking, run: str, model: str, route: Route) -> None:
        """So the requests above are refused for that field alone."""
        answer = send(ask, route, model, body(route, run))
        assert answer.status in (200, 404), answer.data  # what is to be removed or restored need not be there


def send(ask: Asking, route: Route, model: str, fields: dict[str, Any]) -> Answered:
    """Send fields as the route takes them: in the body, or in the query."""
    kind = "query" if route.verb == "GET" else "body"
    return ask(route.verb, path(route, model), **{kind: fields})


def refused(answer: Answered, name: str, sent: Any = None) -> None:
    assert (answer.status, answer.data["error_code"]) == (400, "INVALID_PARAMETER_VALUE"), (name, sent)
    assert name in answer.data["message"], sent


def wrongs(route: Route, field: Field) -> list[Any]:
    """Values that the field does not take."""
    if field.name in STATES:
        return []
    if route.verb == "GET":
        return QUERIED.get(field.kind, [])
    wrong = WRONG[field.kind]
    return [*([each] for each in wrong), "x", {"a": 1}] if field.many else wrong
