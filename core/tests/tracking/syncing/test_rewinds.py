"""Stories of runs that training went back in, and of runs that were named in two places, on their way elsewhere."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import dovetail
from dovetail.tracking import places
from dovetail.tracking.rewinds import REWOUND, rewind_of
from dovetail.tracking.run_names import generated_name, is_generated
from dovetail.tracking.series import Series
from dovetail.tracking.syncing_points import lacking
from dovetail.values import Batch, Tag

if TYPE_CHECKING:
    from collections.abc import Callable

    from dovetail.tracking.store import TrackingStore

    Contents = Callable[[TrackingStore], dict[str, Any]]


def train(steps: range, value: float, **start: Any) -> str:
    with dovetail.start_run(key="a", **start) as run:
        for step in steps:
            dovetail.log_metric("loss", value, step=step)
            dovetail.log_metric("system/cpu", 0.5, step=step)
    return run.info.run_id


def steps_of(uri: str, run_id: str, key: str = "loss") -> list[tuple[int, float]]:
    return sorted((each.step, each.value) for each in places.open_store(uri).get_metric_history(run_id, key))


class TestARunThatWentBack:
    @pytest.fixture(params=["memory", "sqlite", "dir"])
    def pair(self, request: pytest.FixtureRequest, place: Callable[[str], str]) -> tuple[str, str]:
        """Two stores, the second one of each kind; the first one is in force."""
        pair = place("memory"), place(request.param)
        dovetail.set_tracking_uri(pair[0])
        return pair

    def test_points_that_were_taken_away_here_go_there(self, pair: tuple[str, str], contents: Contents) -> None:
        run_id = train(range(10), 1.0)
        dovetail.sync(*pair)
        train(range(6, 8), 2.0, from_step=6)
        would = dovetail.sync(*pair, dry_run=True)
        report = dovetail.sync(*pair)
        assert steps_of(pair[1], run_id) == [*((step, 1.0) for step in range(6)), (6, 2.0), (7, 2.0)]
        assert len(steps_of(pair[1], run_id, "system/cpu")) == 12
        assert (report.runs_updated, report.points) == (would.runs_updated, would.points) == (1, 4)
        assert not dovetail.sync(*pair).changed
        assert contents(places.open_store(pair[1])) == contents(places.open_store(pair[0]))

    def test_going_back_twice_in_between_reaches_the_lower_step(self, pair: tuple[str, str]) -> None:
        run_id = train(range(10), 1.0)
        dovetail.sync(*pair)
        train(range(3, 6), 2.0, from_step=3)
        train(range(5, 6), 3.0, from_step=5)
        dovetail.sync(*pair)
        assert steps_of(pair[1], run_id) == steps_of(pair[0], run_id)

    def test_from_a_place_that_had_not_seen_the_run_it_goes_back_too(
        self, pair: tuple[str, str], place: Callable[[str], str]
    ) -> None:
        """A checkpoint was carried to another machine, which is offline; the other place has all that came later."""
        run_id = train(range(10), 1.0)
        dovetail.sync(*pair)
        dovetail.set_tracking_uri(elsewhere := place("memory"))
        assert train(range(6, 8), 2.0, from_step=6) == run_id
        dovetail.sync(elsewhere, pair[1])
        assert steps_of(pair[1], run_id) == [*((step, 1.0) for step in range(6)), (6, 2.0), (7, 2.0)]

    def test_what_was_not_sent_before_is_sent_as_it_is(self, pair: tuple[str, str]) -> None:
        run_id = train(range(4), 1.0)
        train(range(2, 3), 2.0, from_step=2)
        dovetail.sync(*pair)
        assert steps_of(pair[1], run_id) == [(0, 1.0), (1, 1.0), (2, 2.0)]

    def test_one_that_went_back_there_keeps_what_it_has(self, pair: tuple[str, str]) -> None:
        run_id = train(range(4), 1.0)
        dovetail.sync(*pair)
        dovetail.set_tracking_uri(pair[1])
        train(range(2, 3), 2.0, from_step=2)
        dovetail.sync(*pair)
        assert (2, 2.0) in steps_of(pair[1], run_id)
        assert rewind_of(dovetail.get_run(run_id).data.tags).step == 2

    @pytest.mark.parametrize("tag", ["", "6", "six@now", f"6@{10**30}", f"{10**30}@6"])
    def test_a_tag_that_means_nothing_removes_nothing(self, tag: str, pair: tuple[str, str]) -> None:
        run_id = train(range(4), 1.0)
        dovetail.sync(*pair)
        places.open_store(pair[0]).log_batch(run_id, Batch(tags=(Tag(REWOUND, tag),)), ended=True)
        assert not dovetail.sync(*pair).changed
        assert len(steps_of(pair[1], run_id)) == 4


class TestNames:
    @pytest.mark.parametrize(
        ("first", "second", "held"),
        [(None, None, "first"), ("mine", None, "first"), (None, "theirs", "second"), ("mine", "theirs", "second")],
    )
    def test_of_a_run_that_was_started_by_its_key_in_two_places(
        self, first: str | None, second: str | None, held: str, pair: tuple[str, str]
    ) -> None:
        names = {}
        for uri, place, name in zip(reversed(pair), ("first", "second"), (first, second), strict=True):
            dovetail.set_tracking_uri(uri)
            with dovetail.start_run(key="a", run_name=name) as run:
                names[place] = run.info.run_name
            places.open_store(uri).update_run(run.info.run_id, end_time=2**40 + (place == "second"))
        dovetail.sync(*pair)
        assert places.open_store(pair[1]).get_run(run.info.run_id).info.run_name == names[held]

    def test_generated_ones_are_known(self) -> None:
        assert all(is_generated(generated_name()) for _ in range(200))
        assert not any(map(is_generated, ("", "brisk-tenon", "brisk-tenon-4170", "brisk-tenon-x", "my-run-1")))


POINTS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.sampled_from([0.5, 1.0, float("nan")])))


class TestWhatAHistoryLacks:
    @given(POINTS, POINTS)
    def test_together_they_are_both(self, ours: list[Any], theirs: list[Any]) -> None:
        one, other = _series(ours), _series(theirs)
        brought = _told(lacking(one, other))
        assert set(brought) | set(_told(other)) == set(_told(one)) | set(_told(other))
        assert set(brought) <= set(_told(one))

    @given(POINTS, POINTS)
    def test_a_history_that_went_on_lacks_what_came_then(self, known: list[Any], more: list[Any]) -> None:
        assert _told(lacking(_series(known + more), _series(known))) == _told(_series(more))

    def test_a_late_point_in_a_long_history_goes_alone(self) -> None:
        known = [(step, step, 0.5) for step in range(50_000)]
        late = (7, 30_000, 0.25)
        assert _told(lacking(_series(sorted([*known, late])), _series(known))) == _told(_series([late]))


def _series(points: list[Any]) -> Series:
    steps, times, values = ([each[place] for each in points] for place in range(3))
    return Series("loss", array("q", steps), array("q", times), array("d", values))


def _told(series: Series) -> list[tuple[int, int, str]]:
    return [(each.step, each.timestamp, repr(each.value)) for each in series]
