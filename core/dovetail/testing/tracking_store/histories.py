"""Stories about long histories: thousands of points, in pages, as columns, thinned out, while runs end and go on."""

from __future__ import annotations

import random
from contextlib import ExitStack, closing
from itertools import pairwise
from math import inf, nan
from typing import TYPE_CHECKING, ClassVar

import pytest

from dovetail import plugins, uris
from dovetail.errors import InvalidInput
from dovetail.testing.concurrency import THREADS, together
from dovetail.testing.tracking_store.base import Stories, batch_of, point, started
from dovetail.testing.tracking_store.metrics import rank
from dovetail.testing.writer_process import WriterProcess
from dovetail.tracking.series import METHODS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from dovetail.tracking.series import Series
    from dovetail.tracking.store import TrackingStore
    from dovetail.values import Metric

__all__ = ["HistoryProcessStories", "HistoryStories", "HistoryThreadStories", "SeriesStories", "chunk"]

CHUNK = 1000
"""How many points these stories log at once."""
LONG = 21_000
"""More points than any store should keep one by one."""

INTERVALS = ((None, None), (None, 0), (3333, None), (None, 7777), (2047, 2049), (-5, 10**6), (10_499, None))
"""First and last steps, of which some points are in each."""

Rank = tuple[int, int, bool, float]


def messy(count: int, seed: int = 7, key: str = "loss") -> list[Metric]:
    """Points as long runs leave them: mostly in order, some late, some twice, some that are no number."""
    chance = random.Random(seed)  # noqa: S311 - any points will do
    points: list[Metric] = []
    for number in range(count):
        value = chance.choice((nan, inf, -inf, 0.0)) if chance.random() < 0.01 else round(chance.gauss(0, 1), 3)
        late = chance.choice((0, 0, 0, 1, 5, 3000))
        points.append(point(value, step=number // 2, timestamp=10_000 + number - late, key=key))
        if chance.random() < 0.05:
            points[-1] = chance.choice(points)
    return points


def log(store: TrackingStore, run_id: str, points: Sequence[Metric], *, ended: bool = False) -> None:
    """Log points, many at once."""
    for start in range(0, len(points), CHUNK):
        store.log_batch(run_id, batch_of(*points[start : start + CHUNK]), ended=ended)


def chunk(writer: int, sequence: int) -> list[Metric]:
    """A batch that no other writer has, in the midst of those of all."""
    first = sequence * CHUNK
    return [point(float(writer), step=first + number, timestamp=first + number) for number in range(CHUNK)]


def ordered(points: Iterable[Metric]) -> list[Rank]:
    """What the history of these points has to be."""
    return sorted({rank(each) for each in points})


def read(store: TrackingStore, run_id: str, key: str = "loss") -> list[Rank]:
    """A history as it is."""
    return [rank(each) for each in store.get_metric_history(run_id, key)]


def in_pages(store: TrackingStore, run_id: str, size: int) -> list[list[Rank]]:
    """A history in pages."""
    page = store.get_metric_history(run_id, "loss", size)
    pages = [page]
    while page.token is not None:
        assert len(pages) < 1000, "the pages never end"
        page = store.get_metric_history(run_id, "loss", size, page.token)
        pages.append(page)
    return [[rank(each) for each in page] for page in pages]


def columns(series: Series) -> list[Rank]:
    """The points of a series."""
    assert len(series.steps) == len(series.timestamps) == len(series.values) == len(series)
    return [rank(each) for each in series]


class HistoryStories(Stories):
    """A history is the same however long it is, however it is read, and whatever became of its run."""

    def test_a_long_history_is_what_was_logged(self, store: TrackingStore) -> None:
        """Thousands of points, late ones and repeated ones among them, are there once each, in order."""
        run_id, points = started(store), messy(LONG)
        log(store, run_id, points)
        assert read(store, run_id) == ordered(points)

    def test_a_long_history_survives_the_end_of_its_run_and_what_comes_later(self, store: TrackingStore) -> None:
        """Ending a run, taking it up again and ending it once more loses and doubles no point."""
        run_id, points = started(store), messy(3 * LONG // 2)
        half = LONG // 2
        for place in range(0, len(points), half):
            store.update_run(run_id, status="RUNNING")
            # What was logged before the end is logged again: it was there.
            log(store, run_id, points[max(0, place - 500) : place + half])
            assert read(store, run_id) == ordered(points[: place + half])
            store.update_run(run_id, status="FINISHED")
            assert read(store, run_id) == ordered(points[: place + half])

    def test_points_that_come_late_find_their_place(self, store: TrackingStore) -> None:
        """Points that arrive when the run has ended stand where their time puts them, and none stands twice."""
        run_id, points = started(store), messy(9000)
        log(store, run_id, points)
        store.update_run(run_id, status="FINISHED")
        late = [point(0.5, step=number, timestamp=number * 1500) for number in range(15)]
        store.log_batch(run_id, batch_of(*late, *points[:50], *points[-50:]), ended=True)
        assert read(store, run_id) == ordered([*points, *late])
        assert [rank for page in in_pages(store, run_id, 1234) for rank in page] == ordered([*points, *late])
        store.update_run(run_id, status="KILLED")
        assert read(store, run_id) == ordered([*points, *late])

    def test_many_short_histories_of_one_run_are_kept_apart(self, store: TrackingStore) -> None:
        """Hundreds of metrics that are logged in turn each have their own points, before and after the end."""
        run_id, keys = started(store), {f"m{number}": float(number) for number in range(200)}
        points = [point(value, step, 1000 + step, key) for step in range(150) for key, value in keys.items()]
        log(store, run_id, points[: len(points) // 2])
        store.update_run(run_id, status="FINISHED")
        log(store, run_id, points[len(points) // 2 :], ended=True)
        store.update_run(run_id, status="FINISHED")
        expected = {key: [(1000 + step, step, False, value) for step in range(150)] for key, value in keys.items()}
        assert [key for key in keys if read(store, run_id, key) != expected[key]] == []

    @pytest.mark.parametrize("ended", [False, True], ids=["going on", "ended"])
    def test_pages_of_a_long_history_make_the_whole(self, store: TrackingStore, ended: bool) -> None:
        """Pages of any size follow each other without gap or overlap; all but the last one are full."""
        run_id, points = started(store), messy(LONG)
        log(store, run_id, points)
        if ended:
            store.update_run(run_id, status="FINISHED")
            store.log_batch(run_id, batch_of(*points[:5000:50], point(7.0, timestamp=12_345)), ended=True)
            points.append(point(7.0, timestamp=12_345))
        for size in (997, 4096, 4097, LONG - 1, 2 * LONG):
            pages = in_pages(store, run_id, size)
            assert [rank for page in pages for rank in page] == ordered(points)
            assert {len(page) for page in pages[:-1]} <= {size}

    def test_pages_of_points_of_one_moment_make_the_whole(self, store: TrackingStore) -> None:
        """The same where all points have one timestamp, and steps come in any order."""
        run_id = started(store)
        points = [point(float(number % 5), step=number * 7919 % LONG, timestamp=1) for number in range(LONG)]
        log(store, run_id, points)
        store.update_run(run_id, status="FINISHED")
        assert [rank for page in in_pages(store, run_id, 2999) for rank in page] == ordered(points)
        assert columns(store.get_metric_series([run_id], "loss")[run_id]) == ordered(points)

    def test_a_page_goes_on_behind_what_came_meanwhile(self, store: TrackingStore) -> None:
        """A token holds while points are added and the run ends: what was given is not given again."""
        run_id, points = started(store), messy(9000)
        log(store, run_id, points)
        page = store.get_metric_history(run_id, "loss", 4000)
        store.update_run(run_id, status="FINISHED")
        later = [point(1.0, timestamp=10**9 + number) for number in range(10)]
        store.log_batch(run_id, batch_of(*later), ended=True)
        rest = store.get_metric_history(run_id, "loss", page_token=page.token)
        assert [rank(each) for each in (*page, *rest)] == ordered([*points, *later])


class SeriesStories(Stories):
    """The same points as columns of numbers."""

    def test_a_series_is_the_history(self, store: TrackingStore) -> None:
        """Columns hold the points of the history in its order, for each run that has some, in the order asked for."""
        long, short, empty = started(store), started(store), started(store)
        points = messy(LONG)
        log(store, long, points)
        store.log_batch(short, batch_of(point(nan), point(0.5, step=-1)))
        store.log_batch(empty, batch_of(point(0.5, key="acc")))
        found = store.get_metric_series([short, "nobody", long, empty, short], "loss")
        assert list(found) == [short, long]
        assert columns(found[long]) == ordered(points)
        assert columns(found[short]) == ordered([point(nan), point(0.5, step=-1)])
        assert {series.key for series in found.values()} == {"loss"}
        store.update_run(long, status="FINISHED")
        assert columns(store.get_metric_series([long], "loss")[long]) == ordered(points)

    def test_a_series_of_nothing_is_left_out(self, store: TrackingStore) -> None:
        """No runs, unknown runs and keys, and empty intervals have no series."""
        run_id = started(store)
        store.log_batch(run_id, batch_of(point(0.5, step=3)))
        assert store.get_metric_series([], "loss") == {}
        assert store.get_metric_series(["nobody"], "loss") == {}
        assert store.get_metric_series([run_id], "acc") == {}
        assert store.get_metric_series([run_id], "loss", start_step=4) == {}
        assert store.get_metric_series([run_id], "loss", start_step=3, end_step=2) == {}

    def test_a_series_may_be_an_interval_of_steps(self, store: TrackingStore) -> None:
        """Both ends belong to the interval; thinning it out keeps its own first and last point."""
        run_id, points = started(store), messy(LONG)
        log(store, run_id, points)
        store.update_run(run_id, status="FINISHED")
        for start, end in INTERVALS:
            low, high = -(10**9) if start is None else start, 10**9 if end is None else end
            expected = ordered(each for each in points if low <= each.step <= high)
            series = store.get_metric_series([run_id], "loss", start_step=start, end_step=end)[run_id]
            assert columns(series) == expected
            thin = store.get_metric_series([run_id], "loss", start_step=start, end_step=end, points=8)[run_id]
            assert_thinned(columns(thin), expected, 8, "minmax")

    @pytest.mark.parametrize("method", METHODS)
    def test_a_series_may_be_thinned_out(self, store: TrackingStore, method: str) -> None:
        """At most so many of its points are left, in order: the ends always, with minmax lowest and highest too."""
        run_id, points = started(store), messy(LONG)
        log(store, run_id, points)
        whole = ordered(points)
        for status in ("RUNNING", "FINISHED"):
            store.update_run(run_id, status=status)
            for most in (4, 5, 10, 61, 1000):
                thin = store.get_metric_series([run_id], "loss", points=most, method=method)[run_id]
                assert_thinned(columns(thin), whole, most, method)

    def test_a_series_of_few_points_stays_as_it_is(self, store: TrackingStore) -> None:
        """What has no more points than are asked for is given whole, by either method."""
        run_id, points = started(store), messy(500)
        log(store, run_id, points)
        for method in METHODS:
            series = store.get_metric_series([run_id], "loss", points=500, method=method)[run_id]
            assert columns(series) == ordered(points)

    @pytest.mark.parametrize("asked", [{"points": 3}, {"points": 0}, {"points": 10, "method": "mean"}], ids=str)
    def test_an_impossible_thinning_is_refused(self, store: TrackingStore, asked: dict[str, int]) -> None:
        """An unknown method, or no room for the points that have to be kept, is the caller's mistake."""
        run_id = started(store)
        store.log_batch(run_id, batch_of(point(0.5)))
        for runs in ([run_id], []):
            with pytest.raises(InvalidInput):
                store.get_metric_series(runs, "loss", **asked)  # type: ignore[arg-type]


def assert_thinned(kept: list[Rank], whole: list[Rank], most: int, method: str) -> None:
    """See to it that points are what thinning out promises."""
    assert len(kept) <= most
    assert all(one < other for one, other in pairwise(kept))
    assert set(kept) <= set(whole)
    assert (kept[0], kept[-1]) == (whole[0], whole[-1])
    if method == "minmax":
        assert spread(kept) == spread(whole)


def spread(points: Iterable[Rank]) -> tuple[float, float]:
    """Lowest and highest value."""
    values = [value for *_, undefined, value in points if not undefined]
    return min(values, default=0), max(values, default=0)


class HistoryThreadStories(Stories):
    """Threads that write long histories, read them, and end their runs."""

    def test_a_run_that_ends_and_goes_on_while_threads_log_loses_nothing(self, store: TrackingStore) -> None:
        """Every reader sees all points of batches that are there, once each; in the end all points are."""
        run_id, batches = started(store), 6

        def work(number: int) -> None:
            if number == 0:
                for _ in range(batches):
                    store.update_run(run_id, status="FINISHED")
                    store.update_run(run_id, status="RUNNING")
            elif number <= 2:
                watch(store, run_id, batches)
            else:
                for sequence in range(batches):
                    store.log_batch(run_id, batch_of(*chunk(number, sequence)), ended=True)

        together(work)
        store.update_run(run_id, status="FINISHED")
        logged = [chunk(number, sequence) for number in range(3, THREADS) for sequence in range(batches)]
        assert read(store, run_id) == ordered(each for batch in logged for each in batch)


def watch(store: TrackingStore, run_id: str, times: int) -> None:
    """Read a history that grows: what was there once stays, and batches are there as a whole."""
    before: set[Rank] = set()
    for turn in range(times):
        if turn % 2:
            points = read(store, run_id)
        else:
            series = store.get_metric_series([run_id], "loss").get(run_id)
            points = [] if series is None else columns(series)
        assert all(one < other for one, other in pairwise(points))
        assert len(points) % CHUNK == 0
        assert before <= set(points)
        before = set(points)


class HistoryProcessStories(Stories):
    """Processes that write long histories together, and are killed while they do.

    Attributes:
        killed_sealers: How many processes are killed in the middle of writing and ending a run.
    """

    killed_sealers: ClassVar[int] = 4

    def test_processes_that_log_to_one_run_and_end_it_lose_nothing(self, uri: str, tmp_path: Path) -> None:
        """Points of several processes that also end the run in turn are all there, once each."""
        writers = range(3)
        with closing(_opened(uri)) as store:
            run_id = started(store)
        with ExitStack() as stack:
            processes = [
                stack.enter_context(WriterProcess(_WRITER, [uri, "history", run_id, str(number), "12"], tmp_path))
                for number in writers
            ]
            for process in processes:
                process.go()
            assert [process.end()[0] for process in processes] == [0, 0, 0]
        logged = [each for number in writers for sequence in range(12) for each in chunk(number, sequence)]
        with closing(_opened(uri)) as store:
            assert read(store, run_id) == ordered(logged)

    def test_a_process_killed_in_the_midst_of_a_long_history_loses_no_point(self, uri: str, tmp_path: Path) -> None:
        """After kill -9 all points of acknowledged batches are there, once each, however far their storing had got."""
        chance = random.Random(11)  # noqa: S311 - any moments will do
        with closing(_opened(uri)) as store:
            run_id = started(store)
            logged: list[Metric] = []
            for number in range(self.killed_sealers):
                with WriterProcess(_WRITER, [uri, "history", run_id, str(number), "1000"], tmp_path) as process:
                    process.go()
                    acknowledged = process.kill_after(chance.randint(4, 24), chance.random())
                logged += [each for sequence in range(acknowledged) for each in chunk(number, sequence)]
                points, last = read(store, run_id), chunk(number, acknowledged)
                # The batch it died in may have been stored without anybody hearing of it.
                logged += last if rank(last[0]) in points else []
                assert points == ordered(logged)
                store.update_run(run_id, status="FINISHED")
                assert read(store, run_id) == ordered(logged)


_WRITER = "dovetail.testing.tracking_store.writer"


def _opened(uri: str) -> TrackingStore:
    store: TrackingStore = plugins.find("tracking_stores", uris.scheme_of(uri))(uri)
    return store
