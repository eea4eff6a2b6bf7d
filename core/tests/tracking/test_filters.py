from __future__ import annotations

import contextlib
import pickle
import re
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dovetail.errors import InvalidFilter
from dovetail.testing import search_corpus
from dovetail.tracking.filter_vocabulary import ENTITIES
from dovetail.tracking.filters import (
    MAX_DEPTH,
    MAX_LENGTH,
    MAX_ORDER_KEYS,
    MAX_PATTERNS,
    MAX_TERMS,
    And,
    Comparison,
    Filter,
    Kind,
    Not,
    Or,
    OrderKey,
    matches,
    parse_filter,
    parse_order,
    sort_subjects,
)

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass
class Example:
    """A subject made of plain dictionaries."""

    name: str
    metric: dict[str, float] = field(default_factory=dict)
    param: dict[str, str] = field(default_factory=dict)
    tag: dict[str, str] = field(default_factory=dict)
    attribute: dict[str, str | int] = field(default_factory=dict)
    datasets: list[dict[str, str]] = field(default_factory=list)

    def lookup(self, kind: Kind, key: str) -> float | int | str | None:
        values: dict[str, float | int | str] = getattr(self, kind)
        return values.get(key)

    def lookup_all(self, kind: Kind, key: str) -> Iterable[str]:
        assert kind == "dataset"
        return [dataset[key] for dataset in self.datasets]


def as_subject(run: search_corpus.ExampleRun) -> Example:
    attributes = {**run["attributes"], "run_name": run["name"]}
    datasets = [{**dataset} for dataset in run["datasets"]]
    return Example(run["name"], run["metrics"], run["params"], run["tags"], attributes, datasets)  # type: ignore[arg-type]


SEARCHES = [*search_corpus.SEARCHES, *search_corpus.DATASET_SEARCHES]
RUNS = [as_subject(run) for run in search_corpus.RUNS]


def one(text: str, entity: str = "runs") -> Comparison:
    tree = parse_filter(text, entity)
    assert isinstance(tree, Comparison)
    return tree


def refused(text: str, entity: str = "runs") -> str:
    with pytest.raises(InvalidFilter) as caught:
        parse_filter(text, entity)
    return str(caught.value)


class TestTheCorpus:
    @pytest.mark.parametrize(("text", "names"), SEARCHES)
    def test_a_search_finds_the_runs_worked_out_by_hand(self, text: str, names: frozenset[str]) -> None:
        tree = parse_filter(text)
        assert {run.name for run in RUNS if matches(tree, run)} == names

    @pytest.mark.parametrize(("text", "names"), SEARCHES)
    def test_a_filter_written_back_means_the_same(self, text: str, names: frozenset[str]) -> None:
        tree = parse_filter(text)
        assert parse_filter("" if tree is None else str(tree)) == tree

    @pytest.mark.parametrize(("clauses", "names"), search_corpus.ORDERS)
    def test_an_order_sorts_as_worked_out_by_hand(self, clauses: tuple[str, ...], names: list[str]) -> None:
        newest_first = sorted(RUNS, key=lambda run: -int(run.attribute["start_time"]))
        assert [run.name for run in sort_subjects(newest_first, parse_order(clauses))] == names

    @pytest.mark.parametrize("text", search_corpus.REFUSED_FILTERS)
    def test_a_bad_filter_is_refused_with_its_place(self, text: str) -> None:
        assert re.search(r"at character \d+ of", refused(text))

    @pytest.mark.parametrize("clauses", search_corpus.REFUSED_ORDERS)
    def test_a_bad_order_is_refused(self, clauses: tuple[str, ...]) -> None:
        with pytest.raises(InvalidFilter, match=r"at character \d+ of"):
            parse_order(clauses)

    def test_names_and_cases_are_unique_and_known(self) -> None:
        names = {run.name for run in RUNS}
        assert len(names) == len(RUNS)
        assert all(found <= names for _, found in SEARCHES)
        assert all(sorted(order) == sorted(names) for _, order in search_corpus.ORDERS)
        assert len(set(search_corpus.REFUSED_FILTERS)) == len(search_corpus.REFUSED_FILTERS)


class TestReading:
    @pytest.mark.parametrize("text", [None, "", "   ", "\n\t"])
    def test_nothing_asks_for_everything(self, text: str | None) -> None:
        assert parse_filter(text) is None

    def test_and_or_not_bind_as_in_sql(self) -> None:
        a, b, c = (Comparison("metric", key, ">", 1.0) for key in "abc")
        text = "metrics.a > 1 {} metrics.b > 1 {} metrics.c > 1"
        assert parse_filter(text.format("and", "And")) == And((a, b, c))
        assert parse_filter(text.format("OR", "AND")) == Or((a, And((b, c))))
        assert parse_filter("NOT metrics.a > 1 AND (metrics.b > 1 OR metrics.c > 1)") == And((Not(a), Or((b, c))))

    @pytest.mark.parametrize("prefix", ["params", "param", "parameters", "parameter", "`params`"])
    def test_prefixes_have_several_spellings(self, prefix: str) -> None:
        assert one(f"{prefix}.lr = '1'") == Comparison("param", "lr", "=", "1")

    @pytest.mark.parametrize("name", ["`run name`", '"Run name"', "`Run Name`", "attr.`run name`", "run.run_name"])
    def test_attributes_come_out_by_one_name(self, name: str) -> None:
        assert one(f"{name} = 'x'").key == "run_name"

    @pytest.mark.parametrize(
        ("written", "key"),
        [
            ("a.b.c", "a.b.c"),
            ("1a", "1a"),
            ("and", "and"),
            ("is", "is"),
            ("`a b`", "a b"),
            ('"a-b"', "a-b"),
            ("'a/b'", "a/b"),
            ("`a``b`", "a`b"),
            ('`it\'s "x"`', 'it\'s "x"'),
            ("größe", "größe"),
        ],
    )
    def test_keys_stand_bare_or_in_any_quotes(self, written: str, key: str) -> None:
        assert one(f"tags.{written} = 'v'").key == key

    def test_operators_come_out_in_capitals(self) -> None:
        assert one("run_id not\n in ('a', 'b',)") == Comparison("attribute", "run_id", "NOT IN", ("a", "b"))
        assert one("tags.a iLike 'x'").operator == "ILIKE"
        assert one("tags.a is Not null") == Comparison("tag", "a", "IS NOT NULL", None)

    def test_times_are_integers_and_metrics_are_floats(self) -> None:
        assert (type(one("start_time > 5").value), type(one("metrics.a > 5").value)) == (int, float)
        assert one("start_time > 5.5").value == 5.5

    @pytest.mark.parametrize("digits", ["9" * 19, "9" * 100, "0" * 5000 + "1", "9" * 5000])
    def test_an_integer_that_no_database_holds_becomes_a_float(self, digits: str) -> None:
        assert type(one(f"start_time > {digits}").value) is float

    def test_a_backslash_is_an_ordinary_character(self) -> None:
        assert one(r"tags.dir = 'C:\'").value == "C:\\"

    def test_experiments_have_names_of_their_own(self) -> None:
        assert one("attributes.name LIKE 'a%'", "experiments") == Comparison("attribute", "name", "LIKE", "a%")
        assert one("creation_time > 5", "experiments").value == 5
        assert one("experiment_id NOT IN ('0')", "experiments").value == ("0",)
        assert parse_order(["name DESC"], "experiments") == (OrderKey("attribute", "name", ascending=False),)

    @pytest.mark.parametrize(
        "text",
        ["metrics.a > 1", "params.a = '1'", "status = 'x'", "name IN ('a')", "name IS NULL", "lifecycle_stage = 'x'"],
    )
    def test_experiments_have_not_what_runs_have(self, text: str) -> None:
        refused(text, "experiments")

    def test_experiments_are_not_ordered_by_tags(self) -> None:
        with pytest.raises(InvalidFilter, match=r"cannot be ordered by tags\.a"):
            parse_order(["tags.a"], "experiments")

    def test_an_unknown_entity_is_refused_with_those_there_are(self) -> None:
        assert "runs, experiments" in refused("name = 'x'", "elephants")

    def test_trees_can_be_kept_and_sent(self) -> None:
        tree = parse_filter("NOT (metrics.a > 1 OR run_id IN ('a'))")
        assert pickle.loads(pickle.dumps(tree)) == tree
        assert hash(tree) == hash(parse_filter(str(tree)))


class TestHelpfulRefusals:
    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("metrics.acc = ", "expected a number after =, found the end, at character 15 of"),
            ("METRICS.acc > 1", "did you mean metrics?"),
            ("param.lr > 1 and metic.acc > 1", "did you mean metric?"),
            ("statsu = 'x'", "did you mean status?"),
            ("acc > 1", "metrics.acc or params.acc or tags.acc"),
            ("params.learning-rate = '1'", "put it in back-ticks: params.`learning-rate`"),
            ("start-time > 1", "`start-time`"),
            ("run name = 'x'", "put it in back-ticks: `run name`"),
            ("metrics. acc > 1", "expected a key after 'metrics.'"),
            ("tags.`` = 'x'", "is empty"),
            ("metrics.acc == 1", "write ="),
            ("tags.a <> 'x'", "write !="),
            ("tags.a NOT LIKE 'x'", "write NOT tags.a LIKE"),
            ("metrics.a BETWEEN 1 AND 2", "write metrics.a >= … AND metrics.a <= …"),
            ("params.a IN ('x')", "(params.a = … OR params.a = …)"),
            ("`metrics.acc` > 1", "quote only the key: metrics.`acc`"),
            ("status = FINISHED", "put it in quotes: 'FINISHED'"),
            ("tags.a = 5", "put it in quotes: '5'"),
            ("params.a > '5'", "write the number without quotes"),
            ("tags.a = `x`", "back-ticks are for keys"),
            ("metrics.a = metrics.b", "cannot be compared with each other"),
            ("run_id IN 'a'", "write it as ('a', 'b')"),
            ("tags.a = 'x", "the quote ' is never closed, at character 10"),
            ("metrics.a > 1;", "give one filter"),
            ("metrics.a > 1 AND AND", "found 'AND', at character 19"),
            ("metrics.a > 1 metrics.b > 1", "expected AND, OR or the end"),
            ("tags.a = '\ud800'", "no stored text holds this character"),
        ],
    )
    def test_the_message_says_what_to_do(self, text: str, words: str) -> None:
        assert words in refused(text)

    def test_a_message_repeats_only_the_neighbourhood(self) -> None:
        assert len(refused(" AND ".join(["metrics.a > 1"] * 400) + " AND x" + "y" * 9000 + " = 1")) < 600

    def test_one_text_is_no_list_of_clauses(self) -> None:
        with pytest.raises(InvalidFilter, match="not a list of clauses"):
            parse_order("metrics.acc DESC")


class TestLimits:
    def test_length(self) -> None:
        assert parse_filter("metrics.a > 1".ljust(MAX_LENGTH))
        assert "100000" in refused("metrics.a > 1".ljust(MAX_LENGTH + 1))

    def test_number_of_comparisons(self) -> None:
        terms = ["metrics.a > 1"] * MAX_TERMS
        assert parse_filter(" OR ".join(terms))
        assert "more than 500 comparisons" in refused(" OR ".join([*terms, "metrics.a > 1"]))

    @pytest.mark.parametrize(("before", "after"), [("(", ")"), ("NOT ", "")])
    def test_depth(self, before: str, after: str) -> None:
        assert parse_filter(before * MAX_DEPTH + "metrics.a > 1" + after * MAX_DEPTH)
        depth = MAX_DEPTH + 1
        assert "more than 50 parentheses" in refused(before * depth + "metrics.a > 1" + after * depth)
        refused(before * 20_000)

    def test_patterns(self) -> None:
        assert parse_filter(f"tags.a LIKE '{'%' * MAX_PATTERNS}' AND tags.a = '%'")
        problem = refused(f"tags.a LIKE '{'%' * MAX_PATTERNS}' OR tags.a ILIKE '%'")
        assert "more than 10000 characters of LIKE patterns" in problem

    def test_order_keys(self) -> None:
        assert len(parse_order(["metrics.a"] * MAX_ORDER_KEYS)) == MAX_ORDER_KEYS
        with pytest.raises(InvalidFilter, match="the most is 20"):
            parse_order(["metrics.a"] * (MAX_ORDER_KEYS + 1))

    @pytest.mark.parametrize(
        "text",
        [
            "metrics.a > " + "1" * 99_000 + "x",
            "tags.a = " + "'" * 99_001,
            "`" * 99_999,
            "a" * 99_999,
            "params." + "a." * 49_000,
            "tags.a = 'x" + "''" * 49_000,
            "run_id IN (" + "'a'," * 24_000 + ")",
        ],
    )
    def test_hostile_text_is_read_in_linear_time(self, text: str) -> None:
        started = time.process_time()
        with contextlib.suppress(InvalidFilter):
            parse_filter(text)
        assert time.process_time() - started < 2


TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
FLOATS = st.floats(allow_nan=False)
INTEGERS = st.integers(-(10**18) + 1, 10**18 - 1)


@st.composite
def comparisons(draw: st.DrawFn) -> Comparison:
    family = draw(st.sampled_from(ENTITIES["runs"]))
    key = draw(st.sampled_from(sorted(family.keys)) if family.keys else TEXTS.filter(bool))
    found = family.find(key)
    assert found is not None
    operator = draw(st.sampled_from(found[1].operators))
    if operator in found[1].presence:
        return Comparison(family.kind, key, operator, None)
    if operator in ("IN", "NOT IN"):
        return Comparison(family.kind, key, operator, tuple(draw(st.lists(TEXTS, min_size=1, max_size=3))))
    choices: list[st.SearchStrategy[str | float | int]] = []
    if operator in found[1].text:
        choices.append(TEXTS)
    if operator in found[1].number:
        choices.append(FLOATS | INTEGERS if family.kind == "attribute" else FLOATS)
    return Comparison(family.kind, key, operator, draw(st.one_of(choices)))


def several(terms: st.SearchStrategy[Filter]) -> st.SearchStrategy[tuple[Filter, ...]]:
    return st.lists(terms, min_size=2, max_size=3).map(tuple)


TREES: st.SearchStrategy[Filter] = st.recursive(
    comparisons(),
    lambda terms: several(terms).map(And) | several(terms).map(Or) | terms.map(Not),
    max_leaves=12,
)
PIECES = st.sampled_from(
    [
        *"()'\"`,.=<>%-+; \n\0\ud800é٣",
        *("metrics", "params.lr", "tags.`a b`", "status", "run_id", "'x'", "1e5", "-3", "!=", ">="),
        *("NOT", "AND", "OR", "IN", "IS", "NULL", "LIKE", "BETWEEN"),
    ]
)


class TestAnyText:
    @given(TREES)
    def test_what_a_tree_writes_reads_as_that_tree(self, tree: Filter) -> None:
        assert parse_filter(str(tree)) == tree

    @given(TREES)
    def test_not_is_plain_negation(self, tree: Filter) -> None:
        assert all(matches(Not(tree), run) is not matches(tree, run) for run in RUNS)

    @given(
        st.text(max_size=60) | st.lists(PIECES, max_size=25).map("".join) | st.lists(PIECES, max_size=25).map(" ".join)
    )
    def test_text_is_read_or_refused_and_nothing_else(self, text: str) -> None:
        for entity in ENTITIES:
            try:
                tree = parse_filter(text, entity)
            except InvalidFilter as error:
                str(error).encode()
                continue
            assert parse_filter("" if tree is None else str(tree), entity) == tree
            assert all(matches(tree, run) in (True, False) for run in RUNS)

    @given(st.text(max_size=40) | st.lists(PIECES | st.just("DESC"), max_size=8).map(" ".join))
    def test_order_clauses_too(self, text: str) -> None:
        try:
            keys = parse_order([text])
        except InvalidFilter:
            return
        assert parse_order([str(key) for key in keys]) == keys
        assert len(sort_subjects(RUNS, keys)) == len(RUNS)
