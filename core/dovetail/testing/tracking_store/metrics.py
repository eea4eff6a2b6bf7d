"""Stories about metrics: their points, their latest values, their histories."""

from __future__ import annotations

from math import inf, isnan, nan
from typing import TYPE_CHECKING

import pytest

from dovetail.errors import InvalidInput
from dovetail.testing.tracking_store.base import Stories, batch_of, history, plain, point, started

if TYPE_CHECKING:
    from dovetail.tracking.store import TrackingStore
    from dovetail.values import Metric

__all__ = ["MetricStories"]

LAST = 2**63 - 1


def rank(metric: Metric) -> tuple[int, int, bool, float]:
    """What tells a point of a metric from others, in the order of its history; -0.0 and 0.0 are one number."""
    undefined = isnan(metric.value)
    return metric.timestamp, metric.step, undefined, 0.0 if undefined else metric.value + 0.0


class MetricStories(Stories):
    """Points go in and come out: unchanged, once, in order."""

    @pytest.mark.parametrize(
        "value", [0.0, 1.5, -1e-300, 5e-324, 1.7976931348623157e308, 0.1 + 0.2, 2.0**53 + 2, nan, inf, -inf], ids=repr
    )
    def test_values_come_back_as_they_are(self, store: TrackingStore, value: float) -> None:
        """Every float is kept to the last bit, NaN and the infinities too: in the run, its history and searches."""
        run_id = started(store)
        logged = point(value, step=3)
        store.log_batch(run_id, batch_of(logged))
        run = store.get_run(run_id)
        assert repr(run.data.metrics) == repr({"loss": value})
        assert plain(run.data.latest) == plain([logged])
        assert plain(store.get_metric_history(run_id, "loss")) == plain([logged])
        assert repr(store.search_runs(["0"])[0].data.metrics) == repr({"loss": value})

    @pytest.mark.parametrize(("step", "timestamp"), [(0, 0), (-1, 1), (-LAST - 1, LAST), (LAST, LAST)])
    def test_steps_and_times_come_back_as_they_are(self, store: TrackingStore, step: int, timestamp: int) -> None:
        """Steps are whole numbers of 64 bits with a sign, timestamps such numbers from 0 on."""
        run_id = started(store)
        store.log_batch(run_id, batch_of(point(0.5, step, timestamp)))
        assert plain(store.get_metric_history(run_id, "loss")) == [("loss", "0.5", timestamp, step)]
        assert plain(store.get_run(run_id).data.latest) == [("loss", "0.5", timestamp, step)]

    @pytest.mark.parametrize("value", [0.5, nan, inf, -inf], ids=repr)
    def test_identical_points_are_one_point(self, store: TrackingStore, value: float) -> None:
        """Points of one key, step, timestamp and value are one, in one batch, in later ones and with a mark or not."""
        run_id = started(store)
        store.log_batch(run_id, batch_of(point(value), point(value), point(value, step=1)))
        store.log_batch(run_id, batch_of(point(value), point(value, step=2)))
        points = store.get_metric_history(run_id, "loss")
        assert plain(points) == plain([point(value, step=step) for step in (0, 1, 2)])

    def test_points_that_differ_in_one_thing_are_all_kept(self, store: TrackingStore) -> None:
        """Points that differ in step, timestamp or value alone are points of their own, and so are other runs'."""
        run_id, other = started(store), started(store)
        points = [point(0.5), point(0.5, step=1), point(0.5, timestamp=1001), point(0.6), point(0.5, key="acc")]
        store.log_batch(run_id, batch_of(*points))
        store.log_batch(other, batch_of(point(0.5)))
        assert len(store.get_metric_history(run_id, "loss")) == 4
        assert [history(store, run_id, "acc"), history(store, other)] == [[0.5], [0.5]]

    @pytest.mark.parametrize("together", [True, False], ids=["in one batch", "one by one"])
    @pytest.mark.parametrize(
        "points",
        [
            [point(0.1, step=1), point(0.9, step=2)],
            [point(0.9, step=1), point(0.1, step=2)],
            [point(0.9, step=1, timestamp=2000), point(0.1, step=2, timestamp=1000)],
            [point(0.9, step=1, timestamp=1000), point(0.1, step=1, timestamp=2000)],
            [point(0.1), point(0.9)],
            [point(-inf), point(-1e308)],
            [point(0.9), point(inf)],
            [point(nan), point(-inf)],
            [point(0.9, step=1), point(nan, step=2)],
            [point(0.9, step=-5), point(0.1, step=-4)],
        ],
        ids=lambda points: " then ".join(f"{each.value}@{each.step}/{each.timestamp}" for each in points),
    )
    def test_the_latest_point_has_the_highest_step_then_timestamp_then_value(
        self, store: TrackingStore, points: list[Metric], together: bool
    ) -> None:
        """The latest point goes by (step, timestamp, value) with NaN the lowest value, in whatever order they came."""
        for arrival in (points, points[::-1]):
            run_id = started(store)
            for batch in [arrival] if together else [[each] for each in arrival]:
                store.log_batch(run_id, batch_of(*batch))
            data = store.get_run(run_id).data
            assert plain(data.latest) == plain([points[-1]])
            assert repr(data.metrics) == repr({"loss": points[-1].value})
            found = next(run for run in store.search_runs(["0"]) if run.info.run_id == run_id)
            assert repr(found.data.metrics) == repr({"loss": points[-1].value})

    def test_history_goes_by_timestamp_then_step_then_value(self, store: TrackingStore) -> None:
        """A history is in order of timestamp, step and value, NaN last, in whatever order points came."""
        ordered = [
            point(0.9, step=7, timestamp=1000),
            point(-inf, step=1, timestamp=2000),
            point(0.1, step=1, timestamp=2000),
            point(0.2, step=1, timestamp=2000),
            point(inf, step=1, timestamp=2000),
            point(nan, step=1, timestamp=2000),
            point(0.0, step=2, timestamp=2000),
            point(0.0, step=0, timestamp=3000),
        ]
        run_id = started(store)
        for each in (ordered[3], ordered[5], ordered[7], ordered[1]):
            store.log_batch(run_id, batch_of(each))
        store.log_batch(run_id, batch_of(*ordered[::-1]))
        assert plain(store.get_metric_history(run_id, "loss")) == plain(ordered)

    def test_history_of_what_is_not_there_is_empty(self, store: TrackingStore) -> None:
        """Unknown runs and keys have an empty history and no token."""
        run_id = started(store)
        store.log_batch(run_id, batch_of(point(0.5), params={"lr": "1"}))
        for page in (store.get_metric_history("nobody", "loss"), store.get_metric_history(run_id, "lr")):
            assert (list(page), page.token) == ([], None)

    def test_a_page_of_a_history_may_be_larger_than_any(self, store: TrackingStore) -> None:
        """Whoever wants all of it may ask for the largest page there is."""
        run_id = started(store)
        store.log_batch(run_id, batch_of(point(0.5)))
        page = store.get_metric_history(run_id, "loss", 2**63 - 1)
        assert ([each.value for each in page], page.token) == ([0.5], None)

    @pytest.mark.parametrize("size", [1, 3, 5, 10, 100])
    def test_history_comes_in_pages(self, store: TrackingStore, size: int) -> None:
        """Pages of a history follow each other without gap or overlap; the last one has no token."""
        run_id = started(store)
        store.log_batch(
            run_id, batch_of(*(point(float(step % 3), step=step, timestamp=step // 4) for step in range(10)))
        )
        page = store.get_metric_history(run_id, "loss", max_results=size)
        pages = [page]
        while page.token is not None and len(pages) < 20:
            page = store.get_metric_history(run_id, "loss", max_results=size, page_token=page.token)
            pages.append(page)
        assert [len(each) for each in pages] == [size] * (10 // size) + [10 % size] * bool(10 % size)
        assert plain([each for page in pages for each in page]) == plain(store.get_metric_history(run_id, "loss"))

    @pytest.mark.parametrize("token", ["rubbish", "é", "LTE=", "W10="])
    def test_a_malformed_token_of_a_history_is_refused(self, store: TrackingStore, token: str) -> None:
        """A page token that no history handed out is the caller's mistake, and said to be."""
        run_id = started(store)
        store.log_batch(run_id, batch_of(point(0.5)))
        with pytest.raises(InvalidInput):
            store.get_metric_history(run_id, "loss", max_results=1, page_token=token)

    def test_any_points_in_any_batches_make_the_history_they_should(self, store: TrackingStore) -> None:
        """Whatever points are logged in whatever batches: the history is those points, once each, in order."""
        from hypothesis import given, settings
        from hypothesis import strategies as st

        values = st.sampled_from([nan, inf, -inf, 0.0, 0.5, -1.0]) | st.floats(width=64)
        points = st.builds(point, values, step=st.integers(-3, 3), timestamp=st.integers(0, 3))

        @settings(max_examples=40, deadline=None, database=None, derandomize=True)
        @given(st.lists(st.lists(points, max_size=6), max_size=5))
        def holds(batches: list[list[Metric]]) -> None:
            run_id = started(store)
            for each in batches:
                store.log_batch(run_id, batch_of(*each))
            logged = {rank(metric) for each in batches for metric in each}
            assert [rank(metric) for metric in store.get_metric_history(run_id, "loss")] == sorted(logged)

        holds()
