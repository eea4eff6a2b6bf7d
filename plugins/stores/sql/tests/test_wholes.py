"""Comparisons with whole numbers mean what comparisons with any numbers meant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from dovetail.tracking.filters import Comparison, DatasetChoice, Kind, matches
from dovetail_sql.wholes import whole

if TYPE_CHECKING:
    from collections.abc import Iterable

LEAST, MOST = -(2**63), 2**63 - 1
# Whole numbers beyond 2**53 are compared with floats as Python does, exactly.
numbers: st.SearchStrategy[Any] = (
    st.integers(-3, 3)
    | st.sampled_from((-1.5, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0**70, -(2.0**70), 1e300, float("inf"), float("-inf")))
    | st.integers(LEAST, MOST)
)
lists = st.lists(numbers, min_size=1, max_size=4).map(tuple)
asked = (
    st.builds(
        Comparison, st.just("attribute"), st.just("x"), st.sampled_from(("=", "!=", "<", "<=", ">", ">=")), numbers
    )
    | st.builds(Comparison, st.just("attribute"), st.just("x"), st.sampled_from(("IN", "NOT IN")), lists)
    | st.builds(
        Comparison,
        st.just("attribute"),
        st.just("x"),
        st.sampled_from(("BETWEEN", "NOT BETWEEN")),
        st.tuples(numbers, numbers),
    )
)


class Numbered:
    """A subject with one whole number, or none."""

    def __init__(self, x: int | None) -> None:
        self.x = x

    def lookup(self, kind: Kind, key: str, dataset: DatasetChoice | None = None) -> int | None:
        return self.x

    def lookup_all(self, kind: Kind, key: str) -> Iterable[int]:
        return () if self.x is None else (self.x,)


@given(asked, st.integers(-4, 4) | st.integers(LEAST, MOST) | st.sampled_from((LEAST, MOST)) | st.none())
def test_the_answer_is_the_same(comparison: Comparison, x: int | None) -> None:
    rewritten = whole(comparison)
    assert matches(rewritten, Numbered(x)) is matches(comparison, Numbered(x))
    values = rewritten.value if isinstance(rewritten.value, tuple) else (rewritten.value,)
    assert all(type(value) is int and LEAST <= value <= MOST for value in values)


def test_what_is_not_about_numbers_stays() -> None:
    for comparison in (Comparison("attribute", "x", "=", "1"), Comparison("attribute", "x", "IS NULL", None)):
        assert whole(comparison) is comparison
