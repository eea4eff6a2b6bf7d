"""Series: columns of points, cut and thinned out."""

from __future__ import annotations

import gc
import subprocess
import sys
from array import array
from math import inf, isnan, nan
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dovetail.errors import InvalidInput
from dovetail.tracking import thinning
from dovetail.tracking.series import METHODS, Series, numpy_for, thinned
from dovetail.values import Metric

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ODD = [nan, inf, -inf, 0.0, -0.0, 1.7976931348623157e308, -1.7976931348623157e308, 5e-324]
values = st.lists(st.sampled_from(ODD) | st.floats(-10, 10) | st.floats(), min_size=5, max_size=200)


def series_of(numbers: Sequence[float], first_step: int = 0) -> Series:
    return Series.of(
        [Metric("loss", each, timestamp=place, step=first_step + place) for place, each in enumerate(numbers)]
    )


def steps(series: Series) -> list[int]:
    kept: list[int] = series.steps.tolist()
    return kept


class TestColumns:
    def test_are_the_points_they_were_made_of(self) -> None:
        points = [Metric("loss", 0.5, timestamp=7, step=-1), Metric("loss", inf, timestamp=8, step=2**63 - 1)]
        series = Series.of(points)
        assert list(series) == points
        assert (len(series), series.key, repr(series)) == (2, "loss", "Series('loss', 2 points)")
        assert (series.steps, series.values) == (array("q", [-1, 2**63 - 1]), array("d", [0.5, inf]))

    def test_of_very_many_points_leave_the_garbage_collector_as_it_was(self) -> None:
        column = np.arange(30_000)
        series = Series("loss", column, column, column / 2)
        for collecting in (True, False):
            (gc.enable if collecting else gc.disable)()
            points = series.to_metrics()
            assert gc.isenabled() is collecting
            assert points[-1] == Metric("loss", 29_999 / 2, timestamp=29_999, step=29_999)
            assert len(points) == 30_000
        gc.enable()

    def test_of_nothing_are_empty(self) -> None:
        empty = Series.of([], "loss")
        assert (len(empty), list(empty), empty.key) == (0, [], "loss")
        assert [len(column) for column in empty.to_numpy()] == [0, 0, 0]
        assert len(thinned(empty, 10)) == len(empty.between(1, 2)) == 0

    def test_come_as_numpy_arrays(self) -> None:
        arrays = series_of([0.5, nan, 2.0]).to_numpy()
        assert arrays.steps.tolist() == arrays.timestamps.tolist() == [0, 1, 2]
        assert [arrays.steps.dtype, arrays.timestamps.dtype, arrays.values.dtype] == [np.int64, np.int64, np.float64]
        np.testing.assert_array_equal(arrays.values, [0.5, nan, 2.0])

    def test_may_be_numpy_arrays(self) -> None:
        whole = Series("loss", *series_of([float(each) for each in range(100)]).to_numpy())
        assert steps(whole.between(3, 5)) == [3, 4, 5]
        assert len(thinned(whole, 10)) == 10
        assert len(whole.at([])) == 0
        assert [type(point.step) for point in whole.at([7])] == [int]

    @pytest.mark.parametrize(
        ("start", "end", "expected"),
        [(None, None, 10), (3, None, 7), (None, 3, 4), (3, 5, 3), (5, 3, 0), (20, None, 0)],
    )
    def test_are_cut_by_step_with_both_ends(self, start: int | None, end: int | None, expected: int) -> None:
        assert len(series_of([0.5] * 10).between(start, end)) == expected


class TestThinning:
    @pytest.mark.parametrize("method", METHODS)
    @given(numbers=values, points=st.integers(4, 40))
    def test_keeps_ends_order_and_number(self, method: str, numbers: list[float], points: int) -> None:
        series = series_of(numbers)
        kept = steps(thinned(series, points, method))
        assert (kept[0], kept[-1]) == (0, len(numbers) - 1)
        assert kept == sorted(set(kept))
        assert len(kept) <= points
        assert method != "lttb" or len(kept) == min(points, len(numbers))

    @given(numbers=values, points=st.integers(4, 40))
    def test_by_minmax_keeps_lowest_and_highest(self, numbers: list[float], points: int) -> None:
        kept = thinned(series_of(numbers), points).values.tolist()
        given = [each for each in numbers if not isnan(each)]
        left = [each for each in kept if not isnan(each)]
        assert (min(left, default=0), max(left, default=0)) == (min(given, default=0), max(given, default=0))

    @given(numbers=values, points=st.integers(4, 40))
    def test_by_minmax_keeps_lowest_and_highest_of_each_part(self, numbers: list[float], points: int) -> None:
        if len(numbers) <= points:
            return
        kept = set(thinning.minmax(numbers, points))
        parts, inner = (points - 2) // 2, len(numbers) - 2
        for part in range(parts):
            places = range(1 + part * inner // parts, 1 + (part + 1) * inner // parts)
            real = [place for place in places if not isnan(numbers[place])]
            wanted = {min(real, key=numbers.__getitem__), max(real, key=numbers.__getitem__)} if real else {places[0]}
            assert kept & set(places) == wanted

    @pytest.mark.parametrize(
        ("plain", "by_numpy"),
        [(thinning.minmax, thinning.minmax_by_numpy), (thinning.triangles, thinning.triangles_by_numpy)],
        ids=METHODS,
    )
    @settings(max_examples=300)
    @given(numbers=values, points=st.integers(4, 40))
    def test_is_the_same_with_numpy(
        self, plain: Callable[..., Any], by_numpy: Callable[..., Any], numbers: list[float], points: int
    ) -> None:
        if len(numbers) > points:
            assert plain(numbers, points) == by_numpy(np.array(numbers), points)

    def test_by_triangles_keeps_a_lone_peak(self) -> None:
        numbers = [0.0] * 1000
        numbers[501] = 5.0
        assert 501 in steps(thinned(series_of(numbers), 20, "lttb"))

    @pytest.mark.parametrize("method", METHODS)
    def test_shows_a_gap(self, method: str) -> None:
        kept = thinned(series_of([1.0] * 100 + [nan] * 100 + [2.0] * 100), 20, method).values.tolist()
        assert any(map(isnan, kept))

    @pytest.mark.parametrize("points", [None, 10, 11])
    def test_leaves_a_short_series_alone(self, points: int | None) -> None:
        series = series_of([0.5] * 10)
        assert thinned(series, points) is series

    @pytest.mark.parametrize("points", [3, 0, -1, 2.5, True])
    def test_needs_room_for_what_it_promises(self, points: Any) -> None:
        with pytest.raises(InvalidInput, match="from 4 on"):
            thinned(series_of([]), points)

    def test_by_an_unknown_method_is_refused(self) -> None:
        with pytest.raises(InvalidInput, match="no way to thin out") as refused:
            thinned(series_of([]), None, "mean")
        assert refused.value.hint == "Use minmax or lttb."

    @pytest.mark.parametrize("method", METHODS)
    def test_of_very_many_points_goes_by_numpy_and_is_the_same(self, method: str) -> None:
        numbers = np.random.default_rng(7).normal(size=30_000)
        series = Series("loss", np.arange(30_000), np.arange(30_000), numbers)
        plain = thinning.minmax if method == "minmax" else thinning.triangles
        assert numpy_for(30_000) is np
        assert steps(thinned(series, 100, method)) == plain(numbers.tolist(), 100)


def test_numpy_is_not_loaded_for_what_plain_python_does_as_well() -> None:
    script = (
        "import sys\n"
        "from dovetail.tracking.series import Series, thinned\n"
        "from array import array\n"
        "column = array('q', range(50_000))\n"
        "thinned(Series('loss', column, column, array('d', column)), 100)\n"
        "print('numpy' in sys.modules)\n"
    )
    told = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout
    assert told.strip() == "False"
