"""A story about groups of anything: they are what one entry after the other would be."""

from __future__ import annotations

from math import inf, nan
from typing import TYPE_CHECKING, Any

from dovetail.errors import DovetailError
from dovetail.testing.tracking_store.base import RUN_NAME, Stories, plain, point, snapshot
from dovetail.values import Batch, Ending, JournalMark, Lease, LogEntry, Metric, NewLoggedModel, NewRun, Param, Tag
from dovetail.values.run import new_run_id

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hypothesis.strategies import SearchStrategy

    from dovetail.tracking.store import TrackingStore

__all__ = ["RandomGroupStories"]

RUNS = ("going", "other", "ended", "deleted")
"""Runs that are there; there is none that is called ``nobody``."""
MODEL, NO_MODEL = f"m-{1:032}", f"m-{2:032}"
WRITERS = ("w", "v")


class RandomGroupStories(Stories):
    """Groups of anything."""

    def test_a_group_does_what_its_entries_do_one_by_one(self, store: TrackingStore) -> None:
        """The same entries are refused, and all runs, histories, models and marks are the same in the end."""
        from hypothesis import given, settings
        from hypothesis import strategies as st

        @settings(max_examples=25, deadline=None, database=None, derandomize=True)
        @given(st.lists(st.lists(_entries(), max_size=10), min_size=1, max_size=2))
        def holds(groups: list[list[LogEntry]]) -> None:
            together, singly = _prepared(store), _prepared(store)
            for group in groups:
                answers = store.log_batches([_renamed(entry, together) for entry in group])
                expected = [_refusal(store, _renamed(entry, singly)) for entry in group]
                assert [type(answer) for answer in answers] == [type(answer) for answer in expected]
            assert _state(store, together) == _state(store, singly)

        holds()


def _entries() -> SearchStrategy[LogEntry]:
    from hypothesis import strategies as st

    few = st.integers(0, 2)
    models = st.sampled_from([None] * 8 + [MODEL] * 3 + [NO_MODEL])
    values = st.sampled_from([nan, inf, -inf, 0.5, -1.0])
    metrics = st.builds(
        lambda value, step, timestamp, key, model: Metric(key, value, timestamp, step, model_id=model),
        values, few, few, st.sampled_from(["loss", "acc"]), models,
    )  # fmt: skip
    params = st.builds(Param, st.sampled_from(["p", "q"]), st.sampled_from(["1", "2"]))
    tags = st.builds(Tag, st.sampled_from(["a", "b", RUN_NAME]), st.sampled_from("xyz"), _moments())
    ends = st.builds(Ending, st.sampled_from(["FAILED", "KILLED"]), few, _holders(), st.booleans())
    batches = st.builds(
        Batch,
        metrics=st.lists(metrics, max_size=3),
        params=st.lists(params, max_size=2, unique_by=lambda param: param.key),
        tags=st.lists(tags, max_size=2, unique_by=lambda tag: tag.key),
        end=st.sampled_from([None] * 5) | ends,
    )
    marks = st.none() | st.builds(JournalMark, st.sampled_from(WRITERS), st.integers(1, 6))
    run_ids = st.sampled_from([*["going"] * 3, *["other"] * 3, "ended", "deleted", "nobody"])
    return st.builds(LogEntry, run_ids, batches, marks, st.sampled_from([False, False, True]))


def _moments() -> SearchStrategy[int | None]:
    from hypothesis import strategies as st

    return st.sampled_from([None, None, 1000, 2000, 2**52])


def _holders() -> SearchStrategy[str | None]:
    from hypothesis import strategies as st

    return st.sampled_from([None, "here", "there"])


def _prepared(store: TrackingStore) -> str:
    """Make runs and a model of their own, and return what the ids of all of them end with."""
    mark = new_run_id()
    for name in RUNS:
        lease = Lease("here", 600) if name == "going" else None
        store.create_run(NewRun("0", run_id=f"{name}-{mark}", start_time=1000, run_name="fox", lease=lease))
    store.create_logged_model(NewLoggedModel("0", model_id=f"{MODEL}{mark}"))
    store.log_batch(f"ended-{mark}", Batch((point(0.5),), (Param("p", "1"),)))
    store.update_run(f"ended-{mark}", status="FINISHED", end_time=5000)
    store.delete_run(f"deleted-{mark}")
    return mark


def _renamed(entry: LogEntry, mark: str) -> LogEntry:
    """The same about runs, models and writers whose ids end so."""
    metrics = [_about(each, mark) for each in entry.batch.metrics]
    batch = Batch(metrics, entry.batch.params, entry.batch.tags, end=entry.batch.end)  # type: ignore[arg-type]
    own = entry.mark and JournalMark(f"{entry.mark.writer}-{mark}", entry.mark.sequence)
    return LogEntry(f"{entry.run_id}-{mark}", batch, own, entry.ended)


def _about(metric: Metric, mark: str) -> Metric:
    model_id = metric.model_id and f"{metric.model_id}{mark}"
    return Metric(metric.key, metric.value, metric.timestamp, metric.step, model_id=model_id)


def _refusal(store: TrackingStore, entry: LogEntry) -> DovetailError | None:
    try:
        store.log_batch(entry.run_id, entry.batch, mark=entry.mark, ended=entry.ended)
    except DovetailError as refusal:
        return refusal
    return None


def _state(store: TrackingStore, mark: str) -> Sequence[Any]:
    """All that groups may have changed."""
    found: list[Any] = [store.applied(f"{writer}-{mark}") for writer in WRITERS]
    for run_id in (f"{name}-{mark}" for name in RUNS):
        info, *logged = snapshot(store.get_run(run_id))
        found += [info.run_name, info.status, info.end_time, *logged]  # type: ignore[attr-defined]
        found += [plain(store.get_metric_history(run_id, key)) for key in ("loss", "acc")]
    points = store.get_logged_model(f"{MODEL}{mark}").metrics
    owners = [RUNS.index(str(each.run_id).partition("-")[0]) for each in points]
    return [*found, sorted(zip(plain(points), owners, strict=True))]
