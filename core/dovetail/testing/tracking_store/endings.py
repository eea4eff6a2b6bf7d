"""Stories about batches that end their runs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from dovetail.errors import RunEnded
from dovetail.testing.tracking_store.base import Stories, batch_of, history, point, started
from dovetail.values import Batch, Ending, JournalMark, Lease

if TYPE_CHECKING:
    from dovetail.tracking.store import TrackingStore

__all__ = ["EndingStories"]

LONG = Lease("here", 600)
END = Ending("FAILED", 7_000_000_000_000, "here")
LAST = replace(batch_of(point(0.5), params={"lr": "0.1"}, tags={"a": "b"}), end=END)


def fate(store: TrackingStore, run_id: str) -> tuple[str, int | None]:
    """A run's status and end time."""
    info = store.get_run(run_id).info
    return info.status, info.end_time


class EndingStories(Stories):
    """The last that a run logs, and its end, stored together."""

    def test_a_batch_can_end_its_run(self, store: TrackingStore) -> None:
        """It is there with all that is in it, and nobody has the run's lease then."""
        run_id = started(store, lease=LONG)
        store.log_batch(run_id, LAST, mark=JournalMark("w", 1))
        run = store.get_run(run_id)
        assert (fate(store, run_id), history(store, run_id)) == (("FAILED", END.end_time), [0.5])
        assert (run.data.params, run.data.tags["a"]) == ({"lr": "0.1"}, "b")
        assert list(store.reap_runs("here")) == []
        with pytest.raises(RunEnded):
            store.log_batch(run_id, batch_of(point(0.6, step=1)))

    def test_a_batch_of_nothing_else_ends_a_run(self, store: TrackingStore) -> None:
        """Also one that nobody has the lease of, and one that was given a name at the same time."""
        first, second = started(store), started(store)
        store.log_batch(first, Batch(end=END))
        store.log_batch(second, replace(batch_of(tags={"mlflow.runName": "last word"}), end=END))
        assert (fate(store, first)[0], fate(store, second)[0]) == ("FAILED", "FAILED")
        assert store.get_run(second).info.run_name == "last word"

    def test_a_batch_ends_no_run_that_somebody_else_sees_to(self, store: TrackingStore) -> None:
        """What is in it is stored all the same."""
        run_id = started(store, lease=LONG)
        store.update_run(run_id, status="RUNNING", lease=Lease("there", 600))
        store.log_batch(run_id, LAST, mark=JournalMark("w", 1))
        assert (fate(store, run_id), history(store, run_id)) == (("RUNNING", None), [0.5])
        store.log_batch(run_id, Batch(end=replace(END, holder=None)))
        assert fate(store, run_id)[0] == "FAILED", "a word that always counts"

    def test_the_later_end_holds(self, store: TrackingStore) -> None:
        """Whoever saw to the run may correct what somebody else set meanwhile."""
        run_id = started(store, lease=LONG)
        store.update_run(run_id, status="KILLED")
        store.log_batch(run_id, Batch(end=END))
        assert fate(store, run_id) == ("FAILED", END.end_time)

    def test_but_not_one_that_comes_late(self, store: TrackingStore) -> None:
        """A run that ended otherwise stays so, and has what it logged before."""
        run_id = started(store, lease=LONG)
        store.update_run(run_id, status="KILLED", end_time=8_000_000_000_000)
        store.log_batch(run_id, replace(LAST, end=replace(END, late=True)), mark=JournalMark("w", 1))
        assert (fate(store, run_id), history(store, run_id)) == (("KILLED", 8_000_000_000_000), [0.5])

    def test_a_late_end_is_better_than_a_crash(self, store: TrackingStore) -> None:
        """That was a guess; and a run that goes on is ended by it, too."""
        crashed, going = started(store, lease=LONG), started(store)
        store.reap_runs("here")
        for number, run_id in enumerate((crashed, going)):
            store.log_batch(run_id, replace(LAST, end=replace(END, late=True)), mark=JournalMark(f"w{number}", 1))
            assert fate(store, run_id) == ("FAILED", END.end_time)

    def test_an_end_that_is_stored_does_not_come_again(self, store: TrackingStore) -> None:
        """A journal that is read twice ends no run that was taken up in between."""
        run_id = started(store, lease=LONG)
        store.log_batch(run_id, LAST, mark=JournalMark("w", 1))
        store.update_run(run_id, status="RUNNING", lease=LONG)
        store.log_batch(run_id, LAST, mark=JournalMark("w", 1))
        assert fate(store, run_id) == ("RUNNING", None)

    def test_a_deleted_run_is_not_ended(self, store: TrackingStore) -> None:
        """Nor is anything of the batch stored."""
        run_id = started(store, lease=LONG)
        store.delete_run(run_id)
        with pytest.raises(RunEnded):
            store.log_batch(run_id, LAST, mark=JournalMark("w", 1))
        assert (fate(store, run_id)[0], store.applied("w")) == ("RUNNING", 0)
