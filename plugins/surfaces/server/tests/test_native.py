"""Dovetail's own calls, as anybody may send them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from dovetail import __version__
from dovetail.wire.calls import REGISTRY, TRACKING
from dovetail_server.table import all_routes

if TYPE_CHECKING:
    from conftest import Answered, Asking

BASE = "/api/dovetail/1"
PATHS = [call.path for call in (*TRACKING.values(), *REGISTRY.values())]


def tracking(ask: Asking, call: str, **arguments: Any) -> Answered:
    return ask("POST", f"{BASE}/tracking/{call}", arguments)


class TestTheRoutes:
    def test_are_all_calls_there_are(self) -> None:
        seams = (f"{BASE}/tracking/", f"{BASE}/registry/")
        routes = {route.path: route for route in all_routes() if route.path.startswith(seams)}
        assert list(routes) == PATHS
        assert {route.verb for route in routes.values()} == {"POST"}
        for call in (*TRACKING.values(), *REGISTRY.values()):
            route = routes[call.path]
            assert (route.action, route.resource, route.summary) == (call.action, call.resource, call.summary)
            assert [field.name for field in route.fields] == list(call.parameters)

    def test_say_whose_server_this_is(self, ask: Asking) -> None:
        assert ask("GET", BASE).data == {"name": "dovetail", "version": __version__, "gzip": False}

    def test_are_described(self, ask: Asking) -> None:
        paths = ask("GET", "/openapi.json").data["paths"]
        body = paths[f"{BASE}/tracking/search_runs"]["post"]["requestBody"]["content"]["application/json"]["schema"]
        assert body["required"] == ["experiment_ids"]
        assert body["properties"]["experiment_ids"]["type"] == "array"
        assert body["properties"]["filter_string"]["type"] == "string"


class TestACall:
    def test_answers_what_the_method_does(self, ask: Asking) -> None:
        made = tracking(ask, "create_run", run={"experiment_id": "0", "run_id": "a", "run_name": "fox"})
        assert made.data["answer"]["info"]["run_name"] == "fox"
        point = ["loss", "NaN", 1, 2]
        assert tracking(ask, "log_batch", run_id="a", batch={"metrics": [point]}).data == {}
        assert tracking(ask, "get_run", run_id="a").data["answer"]["data"]["points"] == [point]
        assert tracking(ask, "get_metric_history", run_id="a", key="loss").data == {"answer": {"items": [point]}}
        assert tracking(ask, "get_experiment_by_name", name="nothing").data == {}
        assert tracking(ask, "count_runs", experiment_ids=["0"]).data == {"answer": 1}

    def test_of_many_entries_answers_for_each(self, ask: Asking) -> None:
        tracking(ask, "create_run", run={"experiment_id": "0", "run_id": "a"})
        batch = {"params": [{"key": "lr", "value": "1"}]}
        other = {"params": [{"key": "lr", "value": "2"}]}
        entries = [{"run_id": "a", "batch": batch}, {"run_id": "b", "batch": batch}, {"run_id": "a", "batch": other}]
        first, second, third = tracking(ask, "log_batches", entries=entries).data["answer"]
        assert (first, second["error_type"], third["error_type"]) == (None, "NotFound", "ParamConflict")
        assert tracking(ask, "log_batches", entries=[]).data == {"answer": []}
        assert tracking(ask, "get_run", run_id="a").data["answer"]["data"]["params"] == {"lr": "1"}

    def test_of_many_entries_names_no_place_of_the_server(self, ask: Asking, database: str) -> None:
        entry = {"run_id": "gone", "batch": {"tags": [{"key": "a", "value": "b"}]}}
        (refused,) = tracking(ask, "log_batches", entries=[entry]).data["answer"]
        assert refused["message"] == tracking(ask, "get_run", run_id="gone").data["message"]
        assert "this server" in refused["message"]
        assert database.removeprefix("sqlite:///") not in str(refused)

    @pytest.mark.parametrize(
        ("call", "arguments", "said"),
        [
            ("get_run", {}, "get_run needs the argument 'run_id'"),
            ("get_run", {"run_id": None}, "must be text, not null"),
            ("get_run", {"run_id": "a", "__class__": "b"}, "no argument '__class__'"),
            ("get_run", {"run_id": ["a"]}, "The argument run_id must be text, not a list"),
            ("create_run", {"run": {"experiment_id": "0", "run_id": "../a"}}, "'../a' is not a run id"),
            ("create_run", {"run": {"experiment_id": "0", "tags": [{}]}}, "run.tags[0] lacks the field 'key'"),
            ("log_batch", {"run_id": "a", "batch": {"metrics": [["a", 1, 2]]}}, "batch.metrics[0] must be a list of"),
            ("log_batches", {"entries": [{"run_id": "a"}]}, "entries[0] lacks the field 'batch'"),
            ("search_runs", {"experiment_ids": ["0"], "max_results": 10**9}, "max_results is 1000000000"),
            ("search_runs", {"experiment_ids": ["0"], "view_type": 9}, "view_type must be one of 1, 2, 3"),
            ("condemn", {"item": {"kind": "run"}}, "The argument item lacks the field"),
        ],
    )
    def test_with_wrong_arguments_is_refused(self, ask: Asking, call: str, arguments: Any, said: str) -> None:
        answer = tracking(ask, call, **arguments)
        assert (answer.status, answer.data["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
        assert said in answer.data["message"]

    @pytest.mark.parametrize("path", PATHS)
    @pytest.mark.parametrize("body", [b"[]", b"{", b"5", b'{"run_id": {"a": [[[[]]]]}, "name": 1, "item": 0}'])
    def test_is_never_the_end_of_the_server(self, ask: Asking, path: str, body: bytes) -> None:
        answer = ask("POST", path, body)
        # One takes no arguments.
        assert answer.status == 400 or (answer.status == 200 and path.endswith("/compact"))

    def test_that_there_is_not_is_not_found(self, ask: Asking) -> None:
        for name in ("close", "at_once", "catch_up", "_refusal", "uri", "__class__"):
            assert tracking(ask, name).status == 404
        assert ask("GET", f"{BASE}/tracking/get_run", query={"run_id": "a"}).status == 405
