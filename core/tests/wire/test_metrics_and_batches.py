"""Metrics and batches in MLflow's JSON."""

from __future__ import annotations

import copy
import json
import math
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dovetail.errors import InvalidInput, StoreError
from dovetail.values import Batch, Ending, Metric, MetricColumns, Param, Tag
from dovetail.wire.batches import dump_batch, load_batch
from dovetail.wire.fields import load_each
from dovetail.wire.metrics import dump_metric, load_metric, load_metrics, load_point

if TYPE_CHECKING:
    from collections.abc import Callable

RUN = "06a6766dae5447ada9ded0229e820e4f"
MODEL = "m-d3b3260671b34fedaec01762ed416b71"
# As the server of MLflow 3.17.2 answers.
ANSWERED = [
    {"key": "acc", "value": 0.5, "timestamp": 1, "step": 0},
    {"key": "m", "value": 1.0, "timestamp": 5, "step": 3},
    {"key": "n", "value": "NaN", "timestamp": 6, "step": 0},
    {"key": "z", "value": 0.0, "timestamp": 0, "step": 0},
    {"key": "big", "value": 1e300, "timestamp": 9007199254740993, "step": -2},
    {
        "key": "acc", "value": 0.5, "timestamp": 1, "step": 0,
        "dataset_name": "d", "dataset_digest": "x", "model_id": MODEL, "run_id": RUN,
    },
]  # fmt: skip
POINT = {"key": "loss", "value": 0.5, "timestamp": 1700000000000, "step": 3}


keys = st.sampled_from(["loss", "a/b", "../x", "", "x" * 300, None, 5])
wholes = st.sampled_from([0, 3, -1, 2**63 - 1, 2**63, -(2**63), -(2**63) - 1, "7", "x", None, True, 1.0, 1.5])
values = st.sampled_from([0.5, float("inf"), 1, "0.5", "x", None, False])
points_as_usual = st.fixed_dictionaries(
    {"key": keys, "value": st.floats(allow_nan=False), "timestamp": st.integers(0, 2**63), "step": wholes}
)
points_of_all_kinds = st.one_of(
    st.fixed_dictionaries(
        {},
        optional={"key": keys, "value": values, "timestamp": wholes, "step": wholes, "model_id": keys, "extra": keys},
    ),
    st.sampled_from([None, 1, "loss", []]),
)


def outcome(load: Callable[[], tuple[Metric, ...]]) -> object:
    """What it gives or refuses."""
    try:
        return load()
    except InvalidInput as refusal:
        return type(refusal), refusal.message, refusal.hint


class TestAPointThatAServerAnsweredWith:
    @pytest.mark.parametrize("answer", ANSWERED, ids=lambda answer: f"{answer['key']}-{len(answer)}")
    def test_leaves_again_as_it_came(self, answer: dict[str, Any]) -> None:
        assert dump_metric(load_point(answer)) == answer

    def test_may_have_numbers_as_text_and_fields_left_out(self) -> None:
        assert load_point({"key": "a", "timestamp": "5", "step": "-2"}) == Metric("a", 0.0, 5, -2)
        assert load_point({"key": "a", "value": "-Infinity"}) == Metric("a", -math.inf, 0, 0)
        assert load_point({}) == Metric.stored(key="", value=0.0, timestamp=0, step=0)

    def test_may_be_one_that_no_client_may_send(self) -> None:
        assert load_point({"key": "../x", "value": 1, "timestamp": -5}).timestamp == -5

    @pytest.mark.parametrize("answer", [[], "x", None, 5, {"value": []}, {"timestamp": "x"}, {"step": True}], ids=repr)
    def test_that_is_none_is_the_servers_fault(self, answer: object) -> None:
        with pytest.raises(StoreError, match="holds no metric") as caught:
            load_point(answer)
        assert "tracking URI" in str(caught.value)


class TestAPointThatAClientSends:
    @pytest.mark.parametrize("value", [0.5, 0.0, -1e300, math.inf, -math.inf])
    @pytest.mark.parametrize("links", [{}, {"model_id": MODEL}, {"dataset_name": "d", "dataset_digest": "x"}], ids=str)
    def test_comes_back_as_it_left(self, value: float, links: dict[str, str]) -> None:
        metric = Metric("val/größe", value, 1700000000000, -3, **links)
        sent = json.dumps(dump_metric(metric), allow_nan=False)
        assert load_metric(json.loads(sent)) == metric

    def test_may_be_nan(self) -> None:
        assert math.isnan(load_metric({**POINT, "value": "NaN"}).value)

    def test_may_have_whole_numbers_as_text(self) -> None:
        assert load_metric({**POINT, "value": 1, "timestamp": "5", "step": "-2"}) == Metric("loss", 1.0, 5, -2)

    def test_of_mlflows_client_comes_with_the_runs_id_twice(self) -> None:
        assert load_metric({"run_uuid": RUN, "run_id": RUN, **POINT, "new": 1}) == Metric("loss", 0.5, 1700000000000, 3)

    @pytest.mark.parametrize("step", [{}, {"step": None}], ids=["none", "null"])
    def test_without_a_step_is_of_step_0(self, step: dict[str, None]) -> None:
        assert load_metric({"key": "loss", "value": 0.5, "timestamp": 5, **step}).step == 0

    def test_knows_no_model_or_dataset_by_empty_text(self) -> None:
        sent = load_metric({**POINT, "model_id": "", "dataset_name": "", "dataset_digest": ""})
        assert sent == Metric("loss", 0.5, 1700000000000, 3)

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("value", "x"), ("value", "1,5"), ("value", True), ("value", [1]), ("value", None), ("value", 10**400),
            ("timestamp", "x"), ("timestamp", 1.5), ("timestamp", True), ("timestamp", None), ("timestamp", 2**63),
            ("timestamp", -1), ("timestamp", {}), ("step", "x"), ("step", False), ("step", 0.5), ("step", "9" * 30),
            ("step", []), ("key", None), ("key", 5), ("key", ""), ("key", "../x"), ("key", "a\ud800"),
            ("model_id", 5), ("model_id", "nope"), ("dataset_name", "d"), ("dataset_digest", "x"),
        ],
        ids=lambda each: str(each)[:12].encode("ascii", "replace").decode(),
    )  # fmt: skip
    def test_with_a_field_of_another_kind_is_refused_by_the_fields_name(self, field: str, value: object) -> None:
        words = {"model_id": "logged model", "dataset_name": "dataset", "dataset_digest": "dataset"}
        with pytest.raises(InvalidInput, match=words.get(field, field)):
            load_metric({**POINT, field: value})

    @pytest.mark.parametrize("field", ["key", "value", "timestamp"])
    def test_without_a_field_is_refused_by_the_fields_name(self, field: str) -> None:
        with pytest.raises(InvalidInput, match=field):
            load_metric({name: value for name, value in POINT.items() if name != field})


class TestABatchThatAClientSends:
    def test_comes_back_as_it_left(self) -> None:
        metrics = (Metric("loss", 0.5, 5, 1), Metric("acc", 1.0, 6, model_id=MODEL))
        batch = Batch(metrics, (Param("lr", "0.1"), Param("empty", "")), (Tag("team", "blue"),))
        assert load_batch(json.loads(json.dumps(dump_batch(batch)))) == batch

    def test_is_as_small_as_what_is_in_it(self) -> None:
        assert dump_batch(Batch()) == {}
        assert dump_batch(Batch(params=(Param("lr", "0.1"),))) == {"params": [{"key": "lr", "value": "0.1"}]}
        assert load_batch({"run_id": RUN}) == load_batch({"metrics": None, "params": [], "tags": None}) == Batch()

    def test_holds_the_points_of_columns_too(self) -> None:
        batch = Batch((Metric("a", 1.0, 5),), columns=(MetricColumns("b", (6, 7), (1, 2), (0.5, math.nan)),))
        assert dump_batch(batch)["metrics"] == [
            {"key": "a", "value": 1.0, "timestamp": 5, "step": 0},
            {"key": "b", "value": 0.5, "timestamp": 6, "step": 1},
            {"key": "b", "value": "NaN", "timestamp": 7, "step": 2},
        ]

    def test_that_only_ends_a_run_has_nothing_that_mlflows_request_knows(self) -> None:
        assert dump_batch(Batch(end=Ending("FINISHED", 5))) == {}

    @pytest.mark.parametrize("sent", [[], [POINT], "x", 5, None], ids=str)
    def test_that_is_no_object_is_refused(self, sent: object) -> None:
        with pytest.raises(InvalidInput, match="The batch must be a JSON object, not"):
            load_batch(sent)

    @pytest.mark.parametrize("field", ["metrics", "params", "tags"])
    @pytest.mark.parametrize("sent", [{"key": "p"}, "x", 5, False], ids=repr)
    def test_with_a_field_that_is_no_list_is_refused_by_name(self, field: str, sent: object) -> None:
        with pytest.raises(InvalidInput, match=f"'{field}' must be a list, not"):
            load_batch({field: sent})

    @pytest.mark.parametrize(
        ("batch", "told"),
        [
            ({"metrics": [POINT, 5]}, r"metrics\[1\]: The metric must be a JSON object, not 5"),
            ({"metrics": [POINT, POINT, {**POINT, "value": "x"}]}, r"metrics\[2\]: The field 'value' must be a number"),
            ({"metrics": [{"key": "m", "value": 1}]}, r"metrics\[0\]: The field 'timestamp' of a metric is missing"),
            ({"params": [{"key": "p", "value": 5}]}, r"params\[0\]: The value of param 'p' must be text, not int"),
            ({"params": [{"value": "5"}]}, r"params\[0\]: A param key must be non-empty text"),
            ({"tags": [{"key": "k", "value": "\ud800"}]}, r"tags\[0\]: The value of tag 'k' holds a character"),
        ],
    )
    def test_with_one_wrong_member_is_refused_with_its_place(self, batch: dict[str, Any], told: str) -> None:
        with pytest.raises(InvalidInput, match=told):
            load_batch(batch)

    @pytest.mark.parametrize("value", ["1", "2"])
    def test_with_a_param_twice_is_refused(self, value: str) -> None:
        with pytest.raises(InvalidInput, match="The param 'dd' stands in the batch twice"):
            load_batch({"params": [{"key": "dd", "value": "1"}, {"key": "x"}, {"key": "dd", "value": value}]})


class TestPointsThatCameAtOnce:
    @given(st.lists(st.one_of(points_as_usual, points_of_all_kinds), max_size=4))
    def test_are_taken_or_refused_as_they_are_one_by_one(self, sent: list[Any]) -> None:
        assert outcome(lambda: load_metrics(copy.deepcopy(sent))) == outcome(
            lambda: load_each(sent, "metrics", load_metric)
        )

    def test_are_nobody_elses(self) -> None:
        first, second = load_metrics([{**POINT}, {**POINT, "step": 4}])
        assert (first, second) == (Metric("loss", 0.5, 1700000000000, 3), Metric("loss", 0.5, 1700000000000, 4))


class TestTheSizeOfABatch:
    def test_may_be_what_mlflow_takes(self) -> None:
        sent = {"metrics": [POINT] * 800, "params": labels(100), "tags": labels(100)}
        assert len(load_batch(sent)) == 1000
        assert len(load_batch({"metrics": [POINT] * 1000})) == 1000

    @pytest.mark.parametrize(
        ("metrics", "params", "tags", "told"),
        [
            (1001, 0, 0, "holds 1001 metrics; at most 1000"),
            (0, 101, 0, "holds 101 params; at most 100"),
            (0, 0, 101, "holds 101 tags; at most 100"),
            (900, 100, 1, "holds 1001 metrics, params and tags together; at most 1000"),
        ],
    )
    def test_may_not_be_more(self, metrics: int, params: int, tags: int, told: str) -> None:
        with pytest.raises(InvalidInput, match=told) as caught:
            load_batch({"metrics": [POINT] * metrics, "params": labels(params), "tags": labels(tags)})
        assert caught.value.hint == "Send them in several batches."


def labels(count: int) -> list[dict[str, str]]:
    return [{"key": f"k{number}", "value": "v"} for number in range(count)]
