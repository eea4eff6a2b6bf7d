"""Doubles as whole numbers."""

from __future__ import annotations

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dovetail_sql.floats import decoded, encoded

numbers = st.floats(allow_nan=False)


@given(numbers)
def test_each_comes_back(number: float) -> None:
    assert decoded(encoded(number)) == number


@given(numbers, numbers)
def test_they_sort_as_they_did(one: float, other: float) -> None:
    assert (encoded(one) < encoded(other)) == (one < other)
    assert (encoded(one) == encoded(other)) == (one == other)


@pytest.mark.parametrize("number", [inf, -inf, 1.7976931348623157e308, 5e-324, -5e-324, 0.0])
def test_the_ends_are_whole_numbers_of_64_bits(number: float) -> None:
    assert -(2**63) <= encoded(number) < 2**63
    assert decoded(encoded(number)) == number


def test_both_zeros_are_one() -> None:
    assert encoded(-0.0) == encoded(0.0) == 0
