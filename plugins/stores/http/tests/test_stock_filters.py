"""Which part of a search a server of MLflow's is asked to do."""

from __future__ import annotations

import pytest

from dovetail.tracking.filters import parse_filter, parse_order
from dovetail_http.stock.filters import LOGGED_MODELS, NAMED, RUNS, asked_of, order_for


class TestAFilter:
    @pytest.mark.parametrize(
        ("text", "asked"),
        [
            ("metrics.acc > 0.9", "metrics.`acc` > 0.9"),
            ("metrics.acc >= -3 AND params.lr = '0.1'", "metrics.`acc` >= -3.0 AND params.`lr` = '0.1'"),
            ("metrics.acc BETWEEN 1 AND 2", "metrics.`acc` >= 1.0 AND metrics.`acc` <= 2.0"),
            ("tags.`a b` LIKE '%x_'", "tags.`a b` LIKE '%x_'"),
            ("run_id IN ('a', 'b')", "attributes.run_id IN ('a', 'b')"),
            ("run name = 'x'", None),
            ("attributes.start_time < 5 AND run_name = 'x'", "attributes.start_time < 5 AND attributes.run_name = 'x'"),
        ],
    )
    def test_that_mlflow_understands_is_asked_as_it_is(self, text: str, asked: str | None) -> None:
        if asked is None:
            text, asked = text.replace("run name", "`run name`"), "attributes.run_name = 'x'"
        assert asked_of(parse_filter(text), RUNS) == asked

    @pytest.mark.parametrize(
        "text",
        [
            "metrics.acc > 1 OR metrics.acc < 0",
            "NOT tags.a = 'x'",
            "params.lr > 0.1",  # MLflow compares params as texts
            "metrics.acc != 1",  # not every release says that NaN is none
            "metrics.acc > 1e300",
            "metrics.acc IN (1, 2)",
            "tags.a = 'it''s'",
            'tags.a = "x; y"',
            "tags.a = ''",
            "tags.größe = 'x'",
            "tags.a ILIKE 'x'",
            "tags.a IS NULL",
            "datasets.name = 'train'",
        ],
    )
    def test_that_it_does_not_is_left_to_us(self, text: str) -> None:
        assert asked_of(parse_filter(text), RUNS) is None
        assert asked_of(parse_filter(f"({text}) AND tags.b = 'y'"), RUNS) == "tags.`b` = 'y'"

    def test_for_what_crashed_asks_for_what_failed(self) -> None:
        assert asked_of(parse_filter("status = 'CRASHED'"), RUNS) == "attributes.status = 'FAILED'"

    def test_of_other_things_stands_without_prefix(self) -> None:
        tree = parse_filter("name = 'wine' AND creation_time > 5", "experiments")
        assert asked_of(tree, NAMED, bare=True) == "name = 'wine'"
        models = parse_filter("params.a = '1' AND metrics.acc > 0", "logged_models")
        assert asked_of(models, LOGGED_MODELS, bare=True) == "params.`a` = '1'"

    def test_that_asks_for_everything_asks_for_nothing(self) -> None:
        assert asked_of(None, RUNS) is None


class TestAnOrder:
    def test_is_written_in_mlflows_words(self) -> None:
        keys = parse_order(["metrics.acc DESC", "tags.`a b`", "start_time"])
        assert order_for(keys) == ["metrics.`acc` DESC", "tags.`a b` ASC", "attributes.start_time ASC"]

    def test_by_an_odd_key_is_left_to_us(self) -> None:
        assert order_for(parse_order(["metrics.acc", "tags.größe"])) is None
