"""What is told apart while points are written."""

from __future__ import annotations

from array import array
from math import inf, isnan, nan
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from dovetail.values.measure import MetricColumns
from dovetail_sql import writing

if TYPE_CHECKING:
    from typing import TypeAlias

    Logged: TypeAlias = "tuple[int, int, float]"

few = st.integers(-2, 2)
points = st.tuples(few, few, st.sampled_from([nan, inf, -inf, 0.5, -1.0]))


def lateness(point: Logged) -> tuple[int, int, bool, float]:
    step, timestamp, value = point
    return step, timestamp, not isnan(value), 0.0 if isnan(value) else value


@given(st.lists(points, min_size=1, max_size=20))
def test_the_latest_point_of_a_column_is_that_of_the_points(logged: list[Logged]) -> None:
    steps, timestamps, values = zip(*logged, strict=True)
    columns = MetricColumns("loss", array("q", timestamps), array("q", steps), array("d", values))
    step, timestamp, value = max(logged, key=lateness)
    assert writing.latest_of(7, 9, columns) == (7, 9, None if isnan(value) else value, timestamp, step)
