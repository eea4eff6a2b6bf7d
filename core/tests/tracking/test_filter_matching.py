from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dovetail.errors import InvalidFilter
from dovetail.tracking.filters import (
    Column,
    DatasetChoice,
    Kind,
    OrderKey,
    like,
    param_number,
    parse_columns,
    parse_datasets,
    parse_order,
    sort_subjects,
)


@dataclass
class Measured:
    """A subject with one metric, ``a``."""

    name: str
    a: float = 1.0

    def lookup(self, kind: Kind, key: str, dataset: DatasetChoice | None = None) -> float | None:
        return self.a if (kind, key) == ("metric", "a") else None

    def lookup_all(self, kind: Kind, key: str) -> tuple[str, ...]:
        return ()


class TestLike:
    @pytest.mark.parametrize(
        ("text", "pattern", "fits"),
        [
            ("", "", True),
            ("", "%", True),
            ("", "_", False),
            ("a", "", False),
            ("abc", "abc", True),
            ("abc", "ab", False),
            ("abc", "bc", False),
            ("abc", "a%c", True),
            ("ac", "a%c", True),
            ("abcd", "a%c", False),
            ("aba", "ab%ba", False),
            ("abba", "ab%ba", True),
            ("abcabc", "%abc", True),
            ("axbxc", "a%b%c", True),
            ("axcxb", "a%b%c", False),
            ("aab", "%_b", True),
            ("b", "%_b", False),
            ("a%c", "a%%c", True),
            ("a.c", "a_c", True),
            ("abc", "a.c", False),
            ("a\nc", "a_c", True),
            ("a\n", "a", False),
            ("\n", "%", True),
            ("[x]*", "[x]*", True),
            ("Abc", "abc", False),
        ],
    )
    def test_a_pattern_fits_the_whole_text(self, text: str, pattern: str, *, fits: bool) -> None:
        assert like(text, pattern) is fits

    def test_folding_disregards_case_in_all_alphabets(self) -> None:
        assert like("ÉCOLE Привет", "école привет", fold=True)
        assert like("ABC", "a_%", fold=True)
        assert not like("ABC", "a__d", fold=True)

    @given(st.text("ab%_", max_size=8), st.text("ab%_", max_size=6))
    def test_it_agrees_with_the_plain_regular_expression(self, text: str, pattern: str) -> None:
        expression = "".join({"%": ".*", "_": "."}.get(character, re.escape(character)) for character in pattern)
        assert like(text, pattern) == bool(re.fullmatch(expression, text, re.DOTALL))

    def test_a_hostile_pattern_is_matched_without_backtracking(self) -> None:
        started = time.process_time()
        assert not like("ab" * 4000, "%a" * 500 + "%c%")
        assert not like("a" * 8000, "%_a" * 500 + "%c")
        assert time.process_time() - started < 2


class TestParamNumbers:
    @pytest.mark.parametrize(
        ("text", "number"),
        [("1", 1.0), ("+1.", 1.0), ("-.5e-1", -0.05), (" 7\n", 7.0), ("1E3", 1000.0), ("1e999", float("inf"))],
    )
    def test_what_is_one(self, text: str, number: float) -> None:
        assert param_number(text) == number

    @pytest.mark.parametrize(
        "text", ["", " ", ".", "1_0", "0x1", "nan", "inf", "1e", "1 2", "--1", "\u0663", "1,5", "\u00a01", "True"]
    )
    def test_what_is_none(self, text: str) -> None:
        assert param_number(text) is None


class TestSorting:
    def test_equals_keep_their_order_in_both_directions(self) -> None:
        subjects = [Measured(name) for name in "xyz"]
        for clause in ("metrics.a", "metrics.a DESC"):
            assert [each.name for each in sort_subjects(subjects, parse_order([clause]))] == ["x", "y", "z"]

    def test_no_keys_keep_the_order(self) -> None:
        subjects = [Measured(name) for name in "xyz"]
        assert sort_subjects(subjects, ()) == subjects

    def test_clauses_come_out_as_keys(self) -> None:
        keys = parse_order(["metrics.`a b` desc", " created ", 'params."x" ASC'])
        assert keys == (
            OrderKey("metric", "a b", ascending=False),
            OrderKey("attribute", "start_time"),
            OrderKey("param", "x"),
        )
        assert [str(key) for key in keys] == ["metrics.`a b` DESC", "start_time ASC", "params.x ASC"]
        assert parse_order([str(key) for key in keys]) == keys
        assert parse_order(None) == ()

    def test_dicts_of_logged_models_come_out_as_keys(self) -> None:
        keys = parse_order(
            [
                {"field_name": "metrics.val/acc 1", "ascending": False, "dataset_name": "d"},
                {"field_name": "creation_time", "dataset_name": None},
                "name DESC",
            ],
            "logged_models",
        )
        assert keys == (
            OrderKey("metric", "val/acc 1", ascending=False, dataset=DatasetChoice("d")),
            OrderKey("attribute", "creation_timestamp"),
            OrderKey("attribute", "name", ascending=False),
        )
        assert len({str(key) for key in keys}) == 3

    def test_orders_on_different_datasets_have_different_texts(self) -> None:
        choices = [{}, {"dataset_name": "d"}, {"dataset_digest": "d"}, {"dataset_name": "d", "dataset_digest": "1"}]
        keys = parse_order([{"field_name": "metrics.acc", **choice} for choice in choices], "logged_models")
        assert len({str(key) for key in keys}) == len(choices)


class TestDatasets:
    def test_a_digest_is_only_looked_at_if_given(self) -> None:
        loose, strict = parse_datasets([{"dataset_name": "d"}, {"dataset_name": "d", "dataset_digest": "1"}])
        assert loose.admits("d", "2")
        assert not strict.admits("d", "2")
        assert not loose.admits(None, None)
        assert DatasetChoice().admits(None, None)

    def test_none_are_none(self) -> None:
        assert parse_datasets(None) == parse_datasets([]) == ()


class TestColumns:
    def test_columns_come_out_by_kind_and_key(self) -> None:
        read = parse_columns(["run_id", "Created", "metrics.val loss", "param.`a.b`", "tags.*", "lifecycle_stage"])
        assert read == (
            Column("attribute", "run_id"),
            Column("attribute", "start_time"),
            Column("metric", "val loss"),
            Column("param", "a.b"),
            Column("tag", None),
            Column("attribute", "lifecycle_stage"),
        )

    @pytest.mark.parametrize("text", ["", "acc", "metrics", "metrics.", "datasets.name", "attributes.*", "run_id x", 5])
    def test_what_is_no_column_is_refused(self, text: Any) -> None:
        with pytest.raises(InvalidFilter):
            parse_columns([text])

    def test_where_one_column_is_wanted_all_of_a_kind_are_refused(self) -> None:
        with pytest.raises(InvalidFilter, match="no single column"):
            parse_columns(["metrics.*"], single=True)

    def test_there_is_a_bound(self) -> None:
        with pytest.raises(InvalidFilter, match="the most is 1000"):
            parse_columns(["run_id"] * 1001)
        with pytest.raises(InvalidFilter, match="not a list"):
            parse_columns("run_id")
