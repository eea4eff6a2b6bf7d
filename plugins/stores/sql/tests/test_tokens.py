"""Page tokens name a place in one search, and nothing else is taken for one."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dovetail.errors import InvalidFilter
from dovetail_sql import tokens

SEARCH = ("runs", 1, "metrics.acc > 0.5")
KINDS = ((int,), (float, type(None)), (str,))

places = st.tuples(
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False) | st.none(),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00")),
)


@given(place=places)
def test_a_token_gives_back_its_place(place: tuple[int, float | None, str]) -> None:
    assert tuple(tokens.read(tokens.make(SEARCH, place), SEARCH, KINDS)) == place


def test_a_token_of_another_search_is_refused() -> None:
    token = tokens.make(("runs", 1, "metrics.acc > 0.6"), (1, 0.5, "a"))
    with pytest.raises(InvalidFilter, match="no page token of this search"):
        tokens.read(token, SEARCH, KINDS)


@given(token=st.text())
def test_any_other_text_is_refused(token: str) -> None:
    with pytest.raises(InvalidFilter):
        tokens.read(token, SEARCH, KINDS)


@pytest.mark.parametrize(
    "place", [(1, 0.5), (1, 0.5, "a", 1), ("1", 0.5, "a"), (True, 0.5, "a"), (2**64, 0.5, "a"), (1, 0.5, "\ud800")]
)
def test_a_place_that_cannot_be_is_refused(place: tuple[object, ...]) -> None:
    mark = json.loads(base64.urlsafe_b64decode(tokens.make(SEARCH, ())))[0]
    forged = base64.urlsafe_b64encode(json.dumps([mark, *place]).encode()).decode()
    with pytest.raises(InvalidFilter):
        tokens.read(forged, SEARCH, KINDS)
