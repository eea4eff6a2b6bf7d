"""Points that follow one another in a journal come back as columns, whoever logs them in which order."""

from __future__ import annotations

from collections import defaultdict
from math import inf
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dovetail.tracking.journal.columns import columns_of, points_at
from dovetail.tracking.journal.records import KEY, POINT, POINT_BODY, WHOLE_POINT, named, sealed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TypeAlias

    Logged: TypeAlias = "tuple[int, int, int, int, float]"

number = st.integers(1, 3) | st.integers(0, 2**32 - 1)
whole = st.integers(-(2**63), 2**63 - 1)
value = st.floats(allow_nan=False) | st.sampled_from([inf, -inf, -0.0])
points = st.lists(st.tuples(number, number, whole, whole, value), max_size=60)


def journal_of(logged: Sequence[Logged]) -> bytes:
    return b"".join(sealed(POINT_BODY.pack(POINT, *each)) for each in logged)


def held(logged: Sequence[Logged]) -> dict[tuple[int, int], list[tuple[int, int, float]]]:
    found = defaultdict(list)
    for run, key, *point in logged:
        found[run, key].append(tuple(point))
    return found


def read(data: bytes, count: int) -> dict[tuple[int, int], list[tuple[int, int, float]]]:
    return {(run, key): list(zip(*columns, strict=True)) for run, key, columns in columns_of(data, 0, count)}


def loop(*keys: int, steps: int = 500) -> list[Logged]:
    return [(1, key, 1000 + step, step, key / (step + 1)) for step in range(steps) for key in keys]


class TestPoints:
    @given(points)
    def test_come_back_by_run_and_key_in_the_order_in_which_they_were_logged(self, logged: list[Logged]) -> None:
        data = journal_of(logged)
        assert points_at(data, 0, trusted=True) == points_at(data, 0, trusted=False) == len(logged)
        if logged:
            assert repr(read(data, len(logged))) == repr(dict(held(logged)))

    @pytest.mark.parametrize(
        "logged",
        [
            loop(2),
            loop(2, 3, 4),
            loop(2, 3, 2),  # one of them twice in a round
            [*loop(2, 3), *loop(3, 2)],
            [*loop(2), *loop(3, steps=1), *loop(2)],
            loop(2, 3)[:-1],  # it ends within a round
        ],
    )
    def test_of_loops_do(self, logged: list[Logged]) -> None:
        assert read(journal_of(logged), len(logged)) == held(logged)


class TestTheEnd:
    @given(points, st.binary(max_size=100))
    def test_is_where_something_else_stands(self, logged: list[Logged], rest: bytes) -> None:
        data = journal_of(logged)
        name = sealed(named(KEY, 9, "loss"))
        for behind in (b"", bytes(200), name, name + journal_of(loop(2)), rest[: WHOLE_POINT.size - 1]):
            for trusted in (True, False):
                assert points_at(data + behind, 0, trusted=trusted) == len(logged)

    @pytest.mark.parametrize("damaged", [0, 1, 15, 16, 17, 143, 144, 499])
    @pytest.mark.parametrize("byte", range(WHOLE_POINT.size))
    def test_is_where_a_checksum_does_not_fit(self, damaged: int, byte: int) -> None:
        data = bytearray(journal_of(loop(2)))
        data[damaged * WHOLE_POINT.size + byte] ^= 1
        assert points_at(bytes(data), 0, trusted=False) == damaged
