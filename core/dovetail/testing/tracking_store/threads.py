"""Stories about threads that share one store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dovetail.errors import AlreadyExists, ParamConflict, RunEnded
from dovetail.testing.concurrency import THREADS, attempted, together
from dovetail.testing.tracking_store.base import Stories, batch_of, history, point, started
from dovetail.values import JournalMark, NewRun

if TYPE_CHECKING:
    from dovetail.tracking.store import TrackingStore

__all__ = ["ThreadStories"]


class ThreadStories(Stories):
    """Any number of threads may share one instance."""

    def test_threads_that_log_to_one_run_lose_nothing(self, store: TrackingStore) -> None:
        """All points, params and tags of all threads are there, and the latest point is the latest of all."""
        run_id = started(store)

        def work(number: int) -> None:
            for step in range(20):
                key = f"{number}-{step}"
                value = float(number * 100 + step)
                store.log_batch(run_id, batch_of(point(value, step=int(value)), params={key: key}, tags={key: key}))

        together(work)
        data = store.get_run(run_id).data
        keys = {f"{number}-{step}" for number in range(THREADS) for step in range(20)}
        assert set(history(store, run_id)) == {float(n * 100 + step) for n in range(THREADS) for step in range(20)}
        assert (set(data.params), set(data.tags)) == (keys, keys)
        assert data.metrics == {"loss": float((THREADS - 1) * 100 + 19)}

    def test_threads_that_log_the_same_points_store_each_once(self, store: TrackingStore) -> None:
        """Identical points from several threads at once are one point."""
        run_id = started(store)
        together(lambda _: store.log_batch(run_id, batch_of(*(point(0.5, step=step) for step in range(20)))))
        assert history(store, run_id) == [0.5] * 20

    def test_one_of_several_threads_creates_an_experiment(self, store: TrackingStore) -> None:
        """Of threads that create one name at once exactly one succeeds; the others get AlreadyExists."""
        for attempt in range(5):
            name = f"wine-{attempt}"
            ids = together(lambda _, name=name: attempted(lambda: store.create_experiment(name), AlreadyExists))  # type: ignore[misc]
            found = store.get_experiment_by_name(name)
            assert found is not None
            assert [each for each in ids if each is not None] == [found.experiment_id]

    def test_threads_that_create_experiments_get_ids_of_their_own(self, store: TrackingStore) -> None:
        """Experiments of different names that are created at once all exist, each with its own id."""
        ids = together(lambda number: [store.create_experiment(f"e{number}-{each}") for each in range(5)])
        names = {store.get_experiment(each).name for of_thread in ids for each in of_thread}
        assert names == {f"e{number}-{each}" for number in range(THREADS) for each in range(5)}
        assert len({each for of_thread in ids for each in of_thread}) == THREADS * 5

    def test_one_of_several_threads_creates_a_run(self, store: TrackingStore) -> None:
        """Of threads that create one run id at once exactly one succeeds."""
        new = NewRun("0")
        runs = together(lambda _: attempted(lambda: store.create_run(new), AlreadyExists))
        assert sum(run is not None for run in runs) == 1

    def test_one_of_several_values_of_a_param_wins(self, store: TrackingStore) -> None:
        """Of threads that log one param with different values one succeeds; nothing of the others is stored."""
        for _ in range(5):
            run_id = started(store)

            def work(number: int, run_id: str = run_id) -> int | None:
                mine = batch_of(point(float(number)), params={"lr": str(number)}, tags={f"t{number}": "1"})
                return attempted(lambda: store.log_batch(run_id, mine) or number, ParamConflict)

            winners = [number for number in together(work) if number is not None]
            data = store.get_run(run_id).data
            assert len(winners) == 1
            assert data.params == {"lr": str(winners[0])}
            assert (data.tags, history(store, run_id)) == ({f"t{winners[0]}": "1"}, [float(winners[0])])

    def test_a_record_that_several_threads_bring_is_stored_once(self, store: TrackingStore) -> None:
        """A journal record that arrives from several threads at once is applied by one of them."""
        run_id = started(store)

        def work(number: int) -> None:
            for sequence in range(1, 11):
                mine = point(float(number), step=sequence)
                store.log_batch(run_id, batch_of(mine), mark=JournalMark("w", sequence))

        together(work)
        points = store.get_metric_history(run_id, "loss")
        assert sorted(each.step for each in points) == list(range(1, 11))
        assert store.applied("w") == 10

    def test_a_run_that_is_ended_meanwhile_is_ended(self, store: TrackingStore) -> None:
        """Where one thread ends a run that others log to, each batch is stored whole or refused, and the run ends."""
        run_id = started(store)

        def work(number: int) -> int | None:
            if number == 0:
                return store.update_run(run_id, status="FINISHED", end_time=5000).end_time
            mine = batch_of(point(float(number), step=number), params={f"p{number}": "1"})
            return attempted(lambda: store.log_batch(run_id, mine) or number, RunEnded)

        stored = {number for number in together(work)[1:] if number is not None}
        run = store.get_run(run_id)
        assert (run.info.status, run.info.end_time) == ("FINISHED", 5000)
        assert set(run.data.params) == {f"p{number}" for number in stored}
        assert set(history(store, run_id)) == {float(number) for number in stored}

    def test_readers_see_batches_whole(self, store: TrackingStore) -> None:
        """While a thread writes, every reader sees all of a batch or none of it."""
        run_id = started(store)

        def work(number: int) -> list[tuple[str | None, str | None]]:
            if number == 0:
                for step in range(30):
                    store.log_batch(run_id, batch_of(point(0.5, step=step), tags={"a": str(step), "z": str(step)}))
                return []
            seen = (store.get_run(run_id).data.tags for _ in range(30))
            return [(tags.get("a"), tags.get("z")) for tags in seen]

        torn = [pair for seen in together(work) for pair in seen if pair[0] != pair[1]]
        assert torn == []
