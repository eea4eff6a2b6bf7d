"""Any text at all, and any tree, of every entity that can be searched."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dovetail.errors import InvalidFilter
from dovetail.tracking.filter_vocabulary import ENTITIES, LISTS, RANGES
from dovetail.tracking.filters import (
    And,
    Comparison,
    DatasetChoice,
    Filter,
    Kind,
    Not,
    Or,
    matches,
    parse_columns,
    parse_filter,
    parse_order,
    sort_subjects,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dovetail.tracking.filter_vocabulary import Family, Field


@dataclass
class Example:
    """A subject that has the same few values under every key of a kind."""

    values: dict[str, list[float | str]] = field(default_factory=dict)

    def lookup(self, kind: Kind, key: str, dataset: DatasetChoice | None = None) -> float | str | None:
        found = list(self.lookup_all(kind, key))
        return found[0] if found else None

    def lookup_all(self, kind: Kind, key: str) -> Iterable[float | str]:
        numeric = kind == "metric" or key.endswith(("time", "timestamp", "number"))
        return self.values["number" if numeric else "text"]


SUBJECTS = [
    Example({"number": [], "text": []}),
    Example({"number": [0.5], "text": ["7"]}),
    Example({"number": [float("nan")], "text": ["x"]}),
    Example({"number": [1.0, 2.0], "text": ["a", "B"]}),
]

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
FLOATS = st.floats(allow_nan=False)
INTEGERS = st.integers(-(10**18) + 1, 10**18 - 1)
NONE = st.none()


def numbers(kind: Kind) -> st.SearchStrategy[float]:
    return FLOATS | INTEGERS if kind == "attribute" else FLOATS


def operands(kind: Kind, field: Field, operator: str) -> st.SearchStrategy[object]:
    choices: list[st.SearchStrategy[object]] = [NONE] if operator in field.presence else []
    kinds = ([TEXTS] if operator in field.text else []) + ([numbers(kind)] if operator in field.number else [])
    for one in kinds:
        if operator in LISTS:
            choices.append(st.lists(one, min_size=1, max_size=3).map(tuple))
        else:
            choices.append(st.tuples(one, one) if operator in RANGES else one)
    return st.one_of(choices)


def comparisons(entity: str) -> st.SearchStrategy[Filter]:
    choices = [
        st.builds(Comparison, st.just(family.kind), keys, st.just(operator), operands(family.kind, field, operator))
        for family in ENTITIES[entity]
        for field, keys in fields(family)
        for operator in field.operators
    ]
    return st.one_of(choices)


def fields(family: Family) -> Iterator[tuple[Field, st.SearchStrategy[str]]]:
    for key, asked in family.keys.items():
        yield asked, st.just(key)
    if family.any_key:
        yield family.any_key, TEXTS.filter(bool) | st.sampled_from([*family.absent, "a"])


def several(terms: st.SearchStrategy[Filter]) -> st.SearchStrategy[tuple[Filter, ...]]:
    return st.lists(terms, min_size=2, max_size=3).map(tuple)


# Made once each: a strategy that is made anew for each example is slow.
TREES = {
    entity: st.recursive(
        comparisons(entity),
        lambda terms: several(terms).map(And) | several(terms).map(Or) | terms.map(Not),
        max_leaves=8,
    )
    for entity in ENTITIES
}
PIECES = st.sampled_from(
    [
        *"()'\"`,.=<>%-+; \n\0\ud800é٣",
        *("metrics", "params.lr", "tags.`a b`", "status", "run_id", "version", "name", "'x'", "1e5", "-3", "!=", ">="),
        *("NOT", "AND", "OR", "IN", "IS", "NULL", "LIKE", "BETWEEN", "(1, 2)", "('x')", "BETWEEN 1 AND 2"),
    ]
)
ANY = st.text(max_size=60) | st.lists(PIECES, max_size=25).map("".join) | st.lists(PIECES, max_size=25).map(" ".join)


@pytest.mark.parametrize("entity", ENTITIES)
@given(data=st.data())
def test_what_a_tree_writes_reads_as_that_tree(entity: str, data: st.DataObject) -> None:
    tree = data.draw(TREES[entity])
    read = parse_filter(str(tree), entity)
    assert parse_filter(str(read), entity) == read
    if "is_prompt" not in str(tree):  # which is read as what it means for what has no such tag
        assert read == tree


@pytest.mark.parametrize("entity", ENTITIES)
@given(data=st.data())
def test_not_is_plain_negation(entity: str, data: st.DataObject) -> None:
    tree = data.draw(TREES[entity])
    assert all(matches(Not(tree), each) is not matches(tree, each) for each in SUBJECTS)


@given(ANY)
def test_text_is_read_or_refused_and_nothing_else(text: str) -> None:
    for entity in ENTITIES:
        try:
            tree = parse_filter(text, entity)
        except InvalidFilter as error:
            str(error).encode()
            continue
        assert parse_filter("" if tree is None else str(tree), entity) == tree
        assert all(matches(tree, each) in (True, False) for each in SUBJECTS)


@given(st.text(max_size=40) | st.lists(PIECES | st.just("DESC"), max_size=8).map(" ".join))
def test_order_clauses_too(text: str) -> None:
    for entity in ENTITIES:
        try:
            keys = parse_order([text], entity)
        except InvalidFilter:
            continue
        assert parse_order([str(key) for key in keys], entity) == keys
        assert len(sort_subjects(SUBJECTS, keys)) == len(SUBJECTS)


@given(st.text(max_size=40) | st.lists(PIECES, max_size=8).map("".join))
def test_field_names_and_columns_too(text: str) -> None:
    with contextlib.suppress(InvalidFilter):
        assert len(parse_order([{"field_name": text, "dataset_name": text}], "logged_models")) == 1
    with contextlib.suppress(InvalidFilter):
        assert len(parse_columns([text])) == 1


@given(TEXTS.filter(lambda key: bool(key) and key[0] not in "`'\""))
def test_any_key_can_be_a_column_or_a_field_name(key: str) -> None:
    (column,) = parse_columns([f"metrics.{key}"])
    assert (column.kind, column.key) == ("metric", None if key == "*" else key)
    (order,) = parse_order([{"field_name": f"metrics.{key}"}], "logged_models")
    assert order.key == key
