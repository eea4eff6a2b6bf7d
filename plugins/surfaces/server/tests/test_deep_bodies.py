"""Requests that nest as deep as JSON may: refused like anything else that is of another kind."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from dovetail.values import NewRun
from dovetail_server.table import all_routes

if TYPE_CHECKING:
    from conftest import Asking
    from dovetail_server.routing.fields import Field
    from dovetail_server.routing.route import Route

ROUTES = [route for route in all_routes() if route.verb not in ("GET", "DELETE") and route.fields]
DEPTH = 1010  # what reads JSON takes 1024
LISTS = "[" * DEPTH + "1" + "]" * DEPTH
OBJECTS = '{"a":' * DEPTH + "1" + "}" * DEPTH
MEMBERS = ("key", "value", "timestamp", "step", "model_id", "dataset", "tags", "part_number", "run_id", "name")
"""What members of lists are asked for."""


def name(route: Route) -> str:
    return f"{route.verb} {route.path}"


def sent(route: Route, run: str, deep: Field, value: str) -> bytes:
    """A body with a deep value in one of its fields, and something in the others."""
    others = {each.name: other(each, run) for each in route.fields if each.name != deep.name}
    return json.dumps({**others, deep.name: "?"}).replace('"?"', value, 1).encode()


def other(field: Field, run: str) -> Any:
    if field.name == "run_id":
        return run
    kinds = {"string": "a", "integer": 1, "number": 0.5, "boolean": True, "object": {}}
    return [] if field.many else kinds.get(field.kind)


def deep_values(field: Field) -> list[str]:
    """Deep lists and objects as the value of a field, in a list, and in each of the members of one."""
    found = [LISTS, OBJECTS, f"[{LISTS}]", f"[{OBJECTS}]", '"a",' + f'"unknown": {LISTS}']
    if field.many and field.kind == "object":
        found += [f'[{{"{member}": {LISTS}}}]' for member in MEMBERS]
    return found


@pytest.mark.parametrize("route", ROUTES, ids=name)
class TestABodyThatNestsDeep:
    def test_is_not_the_servers_fault(self, ask: Asking, route: Route) -> None:
        run = ask.site.tracking.create_run(NewRun("0")).info.run_id
        path = route.path.replace("{", "").replace("}", "").replace("*", "")
        for field in route.fields:
            for value in deep_values(field):
                answer = ask(route.verb, path, sent(route, run, field, value))
                assert answer.status < 500 or answer.status == 501, (field.name, value[:20], answer.data)


class TestAModelThatNestsDeep:
    """As it is noted by clients of MLflow 2: as JSON within JSON, kept in a tag."""

    MODEL = '{"run_id": "r", "artifact_path": "m", "utc_time_created": "t", "flavors": %s}'

    @pytest.mark.parametrize("depth", [100, *range(950, 1010), 3000, 100_000])
    def test_is_noted_or_refused(self, ask: Asking, depth: int) -> None:
        run = ask.site.tracking.create_run(NewRun("0")).info.run_id
        model = self.MODEL % ("[" * depth + "]" * depth)
        answer = ask("POST", "runs/log-model", {"run_id": run, "model_json": model})
        assert answer.status in (200, 400), answer.data

    def test_beside_others_noted_before(self, ask: Asking) -> None:
        run = ask.site.tracking.create_run(NewRun("0")).info.run_id
        history = {"run_id": run, "key": "mlflow.log-model.history", "value": "[" * 4000 + "]" * 4000}
        assert ask("POST", "runs/set-tag", history).status == 200
        answer = ask("POST", "runs/log-model", {"run_id": run, "model_json": self.MODEL % "{}"})
        assert answer.status == 200, answer.data
