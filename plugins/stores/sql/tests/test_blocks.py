"""Blocks: points that are packed come back to the last bit, and damage is noticed."""

from __future__ import annotations

from math import inf, nan
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dovetail.errors import StoreError
from dovetail_sql.blocks import (
    PART,
    are_ordered,
    defined,
    head_of,
    joined,
    ordered,
    packed,
    packed_columns,
    place,
    points_of,
)
from dovetail_sql.growth import SIZE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dovetail_sql.blocks import Point

whole = st.integers(-(2**63), 2**63 - 1) | st.integers(-300, 300)
numbers = st.none() | st.sampled_from([inf, -inf, 0.0, -0.0, 5e-324]) | st.floats(allow_nan=False)
lists = st.lists(st.tuples(whole, whole, numbers), min_size=1, max_size=60)


def regular(count: int, stride: int = 1, jitter: int = 0) -> list[Point]:
    return [(1000 + 10 * each + each % 7 * jitter, each * stride, each % 100 / 7) for each in range(count)]


def same(points: Sequence[Point], others: Sequence[Point]) -> bool:
    """Whether they are the same to the last bit; -0.0 is not 0.0 here."""
    return list(map(repr, points)) == list(map(repr, others))


class TestPoints:
    @given(lists)
    def test_come_back_as_they_were(self, points: list[Point]) -> None:
        points = ordered(points)
        count, *_, payload = packed(points)
        assert count == len(points)
        assert same(points_of(payload), points)

    @given(st.lists(lists, min_size=1, max_size=4))
    def test_of_several_blocks_come_back_with_numpy_and_without(self, lists: list[list[Point]]) -> None:
        lists = [ordered(points) for points in lists]
        payloads, count = [packed(points)[-1] for points in lists], sum(map(len, lists))
        for library in (None, np):
            series = joined("loss", payloads, count, library)
            columns = series.timestamps.tolist(), series.steps.tolist(), defined(series.values.tolist())
            assert same(list(zip(*columns, strict=True)), [point for points in lists for point in points])

    @given(lists)
    def test_are_ordered_and_each_there_once(self, points: list[Point]) -> None:
        found = ordered([*points, *points[::2]])
        assert list(map(place, found)) == sorted(set(map(place, points)))

    @given(lists)
    def test_that_a_loop_logged_are_packed_as_they_are(self, points: list[Point]) -> None:
        growing = [(each, step, value) for each, (_, step, value) in enumerate(sorted(points, key=lambda it: it[1]))]
        for those in (points, growing, ordered(points)):
            timestamps, steps, values = (list(column) for column in zip(*those, strict=True))
            if are_ordered(timestamps, steps):
                numbers = [nan if value is None else value for value in values]
                assert same(ordered(those), those)
                assert packed_columns(timestamps, steps, numbers) == packed(those)
        assert are_ordered([5, 5, 6], [1, 2, 3])
        assert not are_ordered([5, 5, 6], [1, 2, 2])
        assert not are_ordered([5, 4, 6], [1, 2, 3])

    @pytest.mark.parametrize(
        ("points", "bytes_each"),
        [
            (regular(SIZE), 8),
            (regular(SIZE, stride=-3), 8),
            (regular(SIZE, jitter=1), 9),
            (regular(SIZE, jitter=500), 10),
            ([(0, 7, 0.5)] * SIZE, 8),
            ([(each, each * 2**40, 0.5) for each in range(SIZE)], 8),
            ([(each * 2**33 + each % 2, each, 0.5) for each in range(SIZE)], 16),
        ],
        ids=["regular", "backwards", "jitter", "more jitter", "constant", "long strides", "wild"],
    )
    def test_of_regular_steps_and_times_take_little_more_than_their_values(
        self, points: list[Point], bytes_each: int
    ) -> None:
        payload = packed(points)[-1]
        assert len(payload) <= SIZE * bytes_each + 60
        assert same(points_of(payload), points)


class TestHeads:
    @given(lists)
    def test_say_what_is_in_the_block(self, points: list[Point]) -> None:
        points = ordered(points)
        _, first, last, lowest, highest, data, _ = packed(points)
        assert (first, last) == (points[0][0], points[-1][0])
        assert (lowest, highest) == (min(step for _, step, _ in points), max(step for _, step, _ in points))
        head = head_of(data)
        assert same([head.first, head.last], [points[0], points[-1]])
        assert head.undefined == sum(value is None for *_, value in points)

    @pytest.mark.parametrize("count", [1, PART - 1, PART, PART + 1, SIZE])
    def test_know_the_extremes_of_each_part(self, count: int) -> None:
        points = [(each, each, (each * 7919) % 1009 / 3) for each in range(count)]
        parts = head_of(packed(points)[-2]).parts
        assert len(parts) == -(-count // PART)
        for number, (low, high) in enumerate(parts):
            part = points[number * PART : (number + 1) * PART]
            assert (low, high) == (min(part, key=lambda each: each[2]), max(part, key=lambda each: each[2]))

    def test_take_no_nan_for_an_extreme_but_where_there_is_nothing_else(self) -> None:
        points: list[Point] = [(each, 0, None) for each in range(PART)]
        points += [(PART, 0, None), (PART + 1, 0, inf), (PART + 2, 0, -1.0), (PART + 3, 0, None)]
        head = head_of(packed(points)[-2])
        assert head.parts == [(points[0], points[0]), (points[PART + 2], points[PART + 1])]
        assert head.undefined == PART + 2


class TestDamage:
    @pytest.mark.parametrize("piece", [-1, -2], ids=["payload", "head"])
    @pytest.mark.parametrize("damage", [b"", b"\1", b"x" * 100], ids=["empty", "short", "rubbish"])
    def test_is_noticed(self, piece: int, damage: bytes) -> None:
        data = packed(regular(100))[piece]
        read: Any = points_of if piece == -1 else head_of
        for broken in (damage, data[:-1], data[1:], data + b"\0", data[:50] + bytes([data[50] ^ 1]) + data[51:]):
            with pytest.raises(StoreError, match="damaged"):
                read(broken)

    def test_is_not_what_a_newer_release_wrote(self) -> None:
        import struct
        import zlib

        body = b"\2" + packed(regular(5))[-1][1:-4]
        with pytest.raises(StoreError, match="format 2; this release reads format 1"):
            points_of(body + struct.pack("<I", zlib.crc32(body)))


def test_nan_is_none_and_infinities_are_themselves() -> None:
    assert defined([0.5, nan, inf]) == [0.5, None, inf]
    assert defined([inf, -inf]) == [inf, -inf]
    assert defined([]) == []
