"""Stories about who sees to runs."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from dovetail.errors import NotFound, RunEnded
from dovetail.testing.tracking_store.base import Stories, batch_of, point, started
from dovetail.values import Lease

if TYPE_CHECKING:
    from dovetail.tracking.store import TrackingStore

__all__ = ["LeaseStories"]

LONG = Lease("here", 600)
SHORT = Lease("here", 0.5)


def run_out() -> None:
    """Wait until a short lease does not hold any more."""
    time.sleep(SHORT.seconds + 0.15)


def status_of(store: TrackingStore, run_id: str) -> str:
    """A run's status."""
    return store.get_run(run_id).info.status


class LeaseStories(Stories):
    """Leases, signs of life, and runs whose process is gone."""

    def test_a_run_whose_process_is_gone_is_ended_as_crashed(self, store: TrackingStore) -> None:
        """Its end is the last sign of life; metrics and params are refused from then on."""
        before = time.time_ns() // 1_000_000
        run_id = started(store, lease=SHORT)
        assert (list(store.reap_runs()), status_of(store, run_id)) == ([], "RUNNING")
        run_out()
        assert list(store.reap_runs()) == [run_id]
        info = store.get_run(run_id).info
        assert info.status == "CRASHED"
        assert info.end_time is not None
        assert before - 2000 <= info.end_time <= before + 2000, "the store's clock may be another one"
        with pytest.raises(RunEnded):
            store.log_batch(run_id, batch_of(point(0.5)))
        assert list(store.reap_runs()) == [], "once is enough"

    def test_runs_without_a_lease_are_left_alone(self, store: TrackingStore) -> None:
        """Nobody ever said that they would give signs of life."""
        run_id = started(store)
        assert list(store.reap_runs()) == []
        assert status_of(store, run_id) == "RUNNING"

    def test_a_sign_of_life_keeps_all_runs_of_its_holder(self, store: TrackingStore) -> None:
        """Those of others run out."""
        mine = [started(store, lease=SHORT) for _ in range(2)]
        other = started(store, lease=Lease("there", 0.2))
        store.beat("here", 600)
        run_out()
        assert list(store.reap_runs()) == [other]
        assert [status_of(store, run_id) for run_id in mine] == ["RUNNING", "RUNNING"]

    def test_a_run_that_was_only_slow_goes_on(self, store: TrackingStore) -> None:
        """A sign of life after the run was taken for crashed makes it RUNNING again."""
        run_id = started(store, lease=SHORT)
        run_out()
        store.reap_runs()
        store.beat("here", 600)
        info = store.get_run(run_id).info
        assert (info.status, info.end_time) == ("RUNNING", None)
        assert list(store.reap_runs()) == []

    def test_a_sign_of_life_wakes_nothing_that_was_ended(self, store: TrackingStore) -> None:
        """Who ends a run gives its lease back."""
        run_id = started(store, lease=LONG)
        store.update_run(run_id, status="FAILED", lease=LONG)
        store.beat("here", 0.01)
        time.sleep(0.1)
        assert list(store.reap_runs()) == []
        assert status_of(store, run_id) == "FAILED"

    def test_a_holder_that_is_known_to_be_gone_is_not_waited_for(self, store: TrackingStore) -> None:
        """All runs of that holder end at once, when it was last there."""
        mine = sorted(started(store, lease=LONG) for _ in range(2))
        other = started(store, lease=Lease("there", 600))
        seen = time.time_ns() // 1_000_000 + 5000
        assert sorted(store.reap_runs("here", seen)) == mine
        assert {store.get_run(run_id).info.end_time for run_id in mine} == {seen}
        assert status_of(store, other) == "RUNNING"
        assert list(store.reap_runs("nobody")) == []

    def test_who_takes_a_run_up_has_its_lease(self, store: TrackingStore) -> None:
        """The one before can neither end the run nor be the reason for its end."""
        run_id = started(store, lease=LONG)
        store.update_run(run_id, status="RUNNING", lease=Lease("there", 600))
        assert store.update_run(run_id, status="FAILED", name="late", lease=LONG).status == "RUNNING"
        info = store.get_run(run_id).info
        assert (info.status, info.end_time, info.run_name == "late") == ("RUNNING", None, False)
        assert list(store.reap_runs("here")) == []
        assert store.update_run(run_id, status="FINISHED", lease=Lease("there", 600)).status == "FINISHED"

    def test_a_lease_that_ran_out_stops_nobody(self, store: TrackingStore) -> None:
        """Whoever still works on a run may end it once the one who took it up is gone."""
        run_id = started(store, lease=LONG)
        store.update_run(run_id, status="RUNNING", lease=Lease("there", 0.2))
        run_out()
        store.reap_runs()
        assert store.update_run(run_id, status="FINISHED", lease=LONG).status == "FINISHED"

    def test_without_a_lease_anybody_ends_a_run(self, store: TrackingStore) -> None:
        """A person who sets a run's status means it; and a run may be ended twice."""
        run_id = started(store, lease=LONG)
        assert store.update_run(run_id, status="KILLED").status == "KILLED"
        assert store.update_run(run_id, status="FINISHED", lease=LONG).status == "FINISHED"
        assert list(store.reap_runs("here")) == []

    def test_a_crashed_run_can_be_taken_up(self, store: TrackingStore) -> None:
        """It is RUNNING again, and takes what is logged to it."""
        run_id = started(store, lease=SHORT)
        run_out()
        store.reap_runs()
        store.update_run(run_id, status="RUNNING", lease=Lease("there", 600))
        store.beat("here", 600)
        store.log_batch(run_id, batch_of(point(0.5)))
        assert list(store.reap_runs("here")) == []
        assert status_of(store, run_id) == "RUNNING"

    def test_runs_with_leases_can_be_deleted_for_good(self, store: TrackingStore) -> None:
        """What is known of a lease goes with its run."""
        run_id = started(store, lease=LONG)
        store.delete_run(run_id)
        (item,) = store.discarded()
        assert store.condemn(item)
        assert store.purge(item)
        store.beat("here", 0.01)
        time.sleep(0.1)
        assert list(store.reap_runs()) == []

    def test_runs_in_the_bin_stay_as_they_are(self, store: TrackingStore) -> None:
        """One that comes back is looked after again."""
        run_id = started(store, lease=SHORT)
        store.delete_run(run_id)
        run_out()
        assert list(store.reap_runs()) == []
        assert status_of(store, run_id) == "RUNNING"
        store.restore_run(run_id)
        assert list(store.reap_runs()) == [run_id]

    def test_unknown_and_deleted_runs_give_no_lease(self, store: TrackingStore) -> None:
        """As for any other change of a run."""
        with pytest.raises(NotFound):
            store.update_run("nobody", status="RUNNING", lease=LONG)
        run_id = started(store)
        store.delete_run(run_id)
        with pytest.raises(RunEnded):
            store.update_run(run_id, status="RUNNING", lease=LONG)
