"""Simplified filters mean what they meant, and no parser runs out of room by them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from dovetail.tracking.filters import (
    MAX_DEPTH,
    And,
    Comparison,
    DatasetChoice,
    Filter,
    Kind,
    Not,
    Or,
    matches,
    parse_filter,
)
from dovetail_sql.simplifying import nesting, simplified

if TYPE_CHECKING:
    from collections.abc import Iterable

terms: st.SearchStrategy[Filter] = st.builds(
    Comparison,
    st.sampled_from(("tag", "dataset")),
    st.sampled_from("ab"),
    st.sampled_from(("=", "=", "!=", "LIKE")),
    st.sampled_from("xyz"),
)
trees: st.SearchStrategy[Filter] = st.recursive(
    terms,
    lambda inner: (
        st.lists(inner, min_size=2, max_size=4).map(lambda found: And(tuple(found)))
        | st.lists(inner, min_size=2, max_size=4).map(lambda found: Or(tuple(found)))
        | inner.map(Not)
    ),
    max_leaves=10,
)


class Tagged:
    """A subject with tags of one value, and datasets of several."""

    def __init__(self, **values: str) -> None:
        self.values = values

    def lookup(self, kind: Kind, key: str, dataset: DatasetChoice | None = None) -> str | None:
        return self.values.get(key, "")[:1] or None

    def lookup_all(self, kind: Kind, key: str) -> Iterable[str]:
        return self.values.get(key, "")[: 1 if kind == "tag" else None]


SUBJECTS = [Tagged(), Tagged(a="x"), Tagged(a="xy", b="z"), Tagged(b="zyx")]


@given(trees)
def test_the_meaning_stays(tree: Filter) -> None:
    assert [matches(simplified(tree), each) for each in SUBJECTS] == [matches(tree, each) for each in SUBJECTS]


@given(trees)
def test_not_stands_before_comparisons_only(tree: Filter) -> None:
    def check(tree: Filter) -> None:
        match tree:
            case Not(term):
                assert isinstance(term, Comparison)
            case And(inner) | Or(inner):
                assert not any(type(term) is type(tree) for term in inner)
                for term in inner:
                    check(term)

    check(simplified(tree))


def test_values_of_one_key_become_a_list() -> None:
    tree = parse_filter(" OR ".join(f"tags.a = '{value}'" for value in "xyz") + " OR tags.b = 'x' OR params.a = 1")
    assert tree is not None
    assert str(simplified(tree)) == "tags.a IN ('x', 'y', 'z') OR tags.b = 'x' OR params.a = 1.0"


def test_the_deepest_filters_leave_parsers_room() -> None:
    deep = "tags.a = 'x'"
    for number in range(MAX_DEPTH):
        deep = f"tags.b = 'x' {('AND', 'OR')[number % 2]} ({deep})"
    bushy = "tags.a = 'x'"
    for number in range(8):
        bushy = f"({bushy} {('AND', 'OR')[number % 2]} {bushy.replace('.a', '.b')})"
    for text in (deep, bushy, "NOT " * MAX_DEPTH + "tags.a = 'x'"):
        tree = parse_filter(text)
        assert tree is not None
        assert nesting(simplified(tree)) < 60  # sqlite has room for a hundred
