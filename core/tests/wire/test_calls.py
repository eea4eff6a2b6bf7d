"""The table of calls is what the interfaces are."""

from __future__ import annotations

import inspect
import json
from typing import Any

import pytest

from dovetail.errors import InvalidFilter, InvalidInput, NotFound, StoreError
from dovetail.registry.store import ANYWHERE, RegistryStore
from dovetail.testing.memory import MemoryTrackingStore
from dovetail.testing.memory_registry import MemoryRegistryStore
from dovetail.tracking.store import TrackingStore
from dovetail.values import Batch, LogEntry, Metric, NewModelVersion, NewRun, Param, ViewType
from dovetail.wire.calls import LOCAL, REGISTRY, TRACKING, Call
from dovetail.wire.codec import codec_of

CALLS = [*TRACKING.values(), *REGISTRY.values()]


def carried(call: Call, store: Any, *args: Any, **options: Any) -> Any:
    """What a call answers that goes to a store and back as JSON."""
    asked = json.loads(json.dumps(call.dump_arguments(*args, **options), allow_nan=False))
    answer = getattr(store, call.name)(**call.load_arguments(asked))
    return call.read_answer(json.loads(json.dumps(call.dump_answer(answer), allow_nan=False)))


class TestTheTable:
    @pytest.mark.parametrize(("interface", "table"), [(TrackingStore, TRACKING), (RegistryStore, REGISTRY)])
    def test_holds_every_method_of_the_interface(self, interface: type, table: dict[str, Call]) -> None:
        methods = {name for name, _ in inspect.getmembers(interface, inspect.isfunction) if not name.startswith("_")}
        assert methods - set(LOCAL) == set(table)
        assert {each.interface for each in table.values()} == {interface}

    @pytest.mark.parametrize("call", CALLS, ids=lambda call: call.name)
    def test_knows_how_every_argument_and_answer_travels(self, call: Call) -> None:
        assert call.hints.keys() == {*call.parameters, "return"}
        for hint in call.hints.values():
            assert codec_of(hint)

    @pytest.mark.parametrize("call", CALLS, ids=lambda call: call.name)
    def test_says_what_each_does_to_what(self, call: Call) -> None:
        kinds = {"experiment", "run", "logged_model", "registered_model", "model_version", "server"}
        assert call.action in {"read", "create", "update", "delete"}
        assert call.resource in kinds
        assert call.again or call.action != "read", "reading twice does no harm"
        if call.about:
            assert call.about.partition(".")[0] in call.parameters
        assert call.summary.endswith(".")

    @pytest.mark.parametrize(
        "name",
        ["create_experiment", "delete_tag", "drop_points", "create_model_version", "move_alias", "transition_stage"],
    )
    def test_knows_what_must_not_be_done_twice(self, name: str) -> None:
        assert not {**TRACKING, **REGISTRY}[name].again

    def test_has_paths_that_tell_seams_apart(self) -> None:
        assert TRACKING["get_run"].path == "/api/dovetail/1/tracking/get_run"
        assert REGISTRY["get_history"].path == "/api/dovetail/1/registry/get_history"
        assert len({call.path for call in CALLS}) == len(CALLS)


class TestACall:
    def test_leaves_out_arguments_at_their_default(self) -> None:
        assert TRACKING["search_runs"].dump_arguments(["1"]) == {"experiment_ids": ["1"]}
        assert TRACKING["search_runs"].dump_arguments(["1"], None, (), ViewType.ALL) == {
            "experiment_ids": ["1"],
            "view_type": 3,
        }
        assert REGISTRY["move_alias"].dump_arguments("wine", "best", 3, expected=ANYWHERE) == {
            "name": "wine", "alias": "best", "version": 3,
        }  # fmt: skip

    def test_tells_none_from_what_is_not_given(self) -> None:
        move = REGISTRY["move_alias"]
        sent = move.dump_arguments("wine", "best", None, expected=None)
        assert sent == {"name": "wine", "alias": "best", "version": None, "expected": None}
        assert move.load_arguments(sent)["expected"] is None
        assert "expected" not in move.load_arguments(move.dump_arguments("wine", "best", 1))

    @pytest.mark.parametrize(
        ("args", "options"),
        [((), {}), (("a", "b"), {}), (("a",), {"run_id": "a"}), (("a",), {"colour": "red"}), ((), {"colour": "red"})],
    )
    def test_takes_the_arguments_of_the_method_as_python_does(self, args: tuple[Any, ...], options: Any) -> None:
        with pytest.raises(TypeError):
            TRACKING["get_run"].dump_arguments(*args, **options)
        with pytest.raises(TypeError):
            TRACKING["beat"].dump_arguments("holder")
        with pytest.raises(TypeError):
            TRACKING["update_run"].dump_arguments("a", "FINISHED")

    @pytest.mark.parametrize(
        ("data", "said"),
        [
            ({}, "get_run needs the argument 'run_id'"),
            ({"run_id": "a", "colour": 1}, "get_run has no argument 'colour'"),
            ({"run_id": 1}, "The argument run_id must be text"),
        ],
    )
    def test_with_other_arguments_is_refused_by_the_server(self, data: dict[str, Any], said: str) -> None:
        with pytest.raises(InvalidInput, match=said):
            TRACKING["get_run"].load_arguments(data)

    @pytest.mark.parametrize("name", ["filter_string", "order_by", "page_token", "columns"])
    def test_of_a_search_that_is_none_is_refused_as_one(self, name: str) -> None:
        with pytest.raises(InvalidFilter):
            TRACKING["search_runs"].load_arguments({"experiment_ids": [], name: 5})

    def test_with_an_answer_that_is_none_is_trouble_with_the_server(self) -> None:
        for answer in ({"answer": "one"}, {}, "page", None):
            with pytest.raises(StoreError, match="The server's answer must be a whole number"):
                TRACKING["applied"].read_answer(answer)

    def test_knows_what_it_is_about(self) -> None:
        entries = [LogEntry("a", Batch()), LogEntry("b", Batch()), LogEntry("a", Batch())]
        assert TRACKING["log_batches"].subjects({"entries": entries}) == ["a", "b", "a"]
        assert TRACKING["create_run"].subjects({"run": NewRun("7")}) == ["7"]
        assert TRACKING["get_run"].subjects({"run_id": "a"}) == ["a"]
        assert TRACKING["search_runs"].subjects({"experiment_ids": ["1", "2"]}) == ["1", "2"]
        assert REGISTRY["create_model_version"].subjects({"version": NewModelVersion("wine", "s3://b")}) == ["wine"]
        assert TRACKING["discarded"].subjects({"before": None}) == []


class TestAStoreThatIsCalledByJson:
    def test_does_what_it_does_otherwise(self) -> None:
        store = MemoryTrackingStore()
        run = carried(TRACKING["create_run"], store, NewRun("0", start_time=0))
        assert run == store.get_run(run.info.run_id)
        batch = Batch((Metric("loss", 0.5, 1, 2),), (Param("lr", "0.1"),))
        assert carried(TRACKING["log_batch"], store, run.info.run_id, batch) is None
        (found,) = carried(TRACKING["search_runs"], store, ["0"], "metrics.loss < 1")
        assert found == store.get_run(run.info.run_id)
        rows = carried(TRACKING["search_run_rows"], store, ["0"], ["metrics.loss", "params.lr", "end_time"])
        assert (list(rows), rows.token) == ([(0.5, "0.1", None)], None)
        series = carried(TRACKING["get_metric_series"], store, [run.info.run_id], "loss")
        assert series[run.info.run_id].to_metrics() == list(batch.metrics)

    def test_refuses_what_it_refuses_otherwise(self) -> None:
        with pytest.raises(NotFound):
            carried(TRACKING["get_run"], MemoryTrackingStore(), "nobody")

    def test_moves_aliases_from_where_they_are_expected(self) -> None:
        registry = MemoryRegistryStore()
        carried(REGISTRY["create_registered_model"], registry, "wine")
        version = carried(REGISTRY["create_model_version"], registry, NewModelVersion("wine", "s3://b/wine"))
        assert version == registry.get_model_version("wine", 1)
        moved = carried(REGISTRY["move_alias"], registry, "wine", "best", 1, expected=None)
        assert (moved.before, moved.after) == (None, "1")
        assert carried(REGISTRY["move_alias"], registry, "wine", "best", 1) is None
        assert carried(REGISTRY["get_registered_model"], registry, "wine").aliases == {"best": 1}
