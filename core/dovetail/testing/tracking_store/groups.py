"""Stories about entries of many runs that are stored together."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dovetail.errors import NotFound, ParamConflict, RunEnded
from dovetail.testing.concurrency import THREADS, together
from dovetail.testing.tracking_store.base import RUN_NAME, Stories, batch_of, history, point, snapshot, started
from dovetail.testing.tracking_store.texts import IMPOSSIBLE
from dovetail.values import (
    Batch,
    Ending,
    JournalMark,
    Lease,
    LogEntry,
    Metric,
    MetricColumns,
    NewLoggedModel,
    Tag,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dovetail.errors import DovetailError
    from dovetail.tracking.store import TrackingStore

__all__ = ["GroupMarkStories", "GroupOrderStories", "GroupStories", "GroupThreadStories"]

LONG = Lease("here", 600)
END = Ending("FAILED", 7_000_000_000_000, "here")


def outcomes(answers: Sequence[DovetailError | None]) -> list[type[DovetailError] | None]:
    """What became of each entry: the kind of its refusal, None where it was stored."""
    return [None if answer is None else type(answer) for answer in answers]


def logged(store: TrackingStore, *entries: LogEntry) -> list[type[DovetailError] | None]:
    """Log a group, and say what became of each entry."""
    return outcomes(store.log_batches(entries))


class GroupStories(Stories):
    """Each entry is stored, or refused for itself alone."""

    def test_all_entries_of_a_group_are_there_when_the_call_returns(self, store: TrackingStore) -> None:
        """Of many runs, and several of one run: metrics, params and tags, each where it belongs."""
        runs = [started(store, store.create_experiment(f"e{number}")) for number in range(3)]
        entries = [
            LogEntry(
                run_id, batch_of(point(float(step), step=step), params={f"p{step}": run_id}, tags={"t": f"{step}"})
            )
            for step in range(5)
            for run_id in runs
        ]
        assert logged(store, *entries) == [None] * 15
        for run_id in runs:
            data = store.get_run(run_id).data
            assert (data.metrics, data.params) == ({"loss": 4.0}, {f"p{step}": run_id for step in range(5)})
            assert (data.tags, history(store, run_id)) == ({"t": "4"}, [0.0, 1.0, 2.0, 3.0, 4.0])

    def test_an_empty_group_changes_nothing(self, store: TrackingStore) -> None:
        """There is nothing to store and nothing to refuse; empty batches are stored like others."""
        run_id = started(store)
        before = snapshot(store.get_run(run_id))
        assert store.log_batches([]) == []
        assert logged(store, LogEntry(run_id, Batch()), LogEntry("nobody", Batch())) == [None, NotFound]
        assert snapshot(store.get_run(run_id)) == before

    def test_a_refused_entry_keeps_no_other_one_out(self, store: TrackingStore) -> None:
        """Each of them is told what ``log_batch`` would have raised, in its place, and changes nothing."""
        run_id, deleted, ended = started(store), started(store), started(store)
        store.log_batch(run_id, batch_of(params={"lr": "1"}))
        store.delete_run(deleted)
        store.update_run(ended, status="FINISHED", end_time=5000)
        before = [snapshot(store.get_run(each)) for each in (deleted, ended)]
        refused = batch_of(point(9.0, step=9), params={"lr": "2"}, tags={"refused": "yes"})
        unknown_model = replace(refused, metrics=(Metric("acc", 1.0, model_id=f"m-{0:032}"),), params=())
        entries = [LogEntry(each, refused) for each in (run_id, "nobody", deleted, ended)]
        entries.append(LogEntry(run_id, unknown_model))
        stored = [LogEntry(run_id, batch_of(point(float(step), step=step))) for step in range(5)]
        mixed = [each for pair in zip(stored, entries, strict=True) for each in pair]
        kinds = [ParamConflict, NotFound, RunEnded, RunEnded, NotFound]
        assert logged(store, *mixed) == [each for kind in kinds for each in (None, kind)]
        run = store.get_run(run_id)
        assert (run.data.metrics, run.data.params, run.data.tags) == ({"loss": 4.0}, {"lr": "1"}, {})
        assert history(store, run_id) == [0.0, 1.0, 2.0, 3.0, 4.0]
        assert [snapshot(store.get_run(each)) for each in (deleted, ended)] == before

    def test_a_group_of_nothing_but_refusals_changes_nothing(self, store: TrackingStore) -> None:
        """However many there are."""
        run_id = started(store)
        store.log_batch(run_id, batch_of(params={"lr": "1"}))
        before = snapshot(store.get_run(run_id))
        refused = LogEntry(run_id, batch_of(point(0.5), params={"lr": "2", "p": "1"}, tags={"a": "1"}))
        assert logged(store, *[refused] * 200) == [ParamConflict] * 200
        assert (snapshot(store.get_run(run_id)), history(store, run_id)) == (before, [])

    def test_ids_that_cannot_be_stored_are_refused_alone(self, store: TrackingStore) -> None:
        """There is no run of such an id, and that is all."""
        run_id, batch = started(store), batch_of(point(0.5))
        entries = [LogEntry(text, batch) for text in IMPOSSIBLE]
        assert logged(store, *entries, LogEntry(run_id, batch), *entries) == [
            *[NotFound] * len(IMPOSSIBLE),
            None,
            *[NotFound] * len(IMPOSSIBLE),
        ]
        assert history(store, run_id) == [0.5]

    def test_a_group_may_measure_models_on_datasets(self, store: TrackingStore) -> None:
        """Runs of several experiments: each point is its model's, and its dataset that of its experiment."""
        places = ["0", store.create_experiment("wine")]
        runs = [started(store, place) for place in places]
        models = [store.create_logged_model(NewLoggedModel(place)).model_id for place in places]
        known = {"dataset_name": "rows", "dataset_digest": "d1"}
        entries = [
            LogEntry(run_id, batch_of(Metric("acc", float(step), timestamp=1, step=step, model_id=model_id, **known)))
            for step in range(2)
            for run_id, model_id in zip(runs, models, strict=True)
        ]
        assert logged(store, *entries) == [None] * 4
        for run_id, model_id in zip(runs, models, strict=True):
            points = store.get_logged_model(model_id).metrics
            assert [(each.value, each.run_id, each.dataset_name) for each in points] == [
                (0.0, run_id, "rows"),
                (1.0, run_id, "rows"),
            ]

    def test_a_group_may_be_large(self, store: TrackingStore) -> None:
        """Thousands of points in many entries, single ones and columns of them, are all there, each once."""
        run_id, other = started(store), started(store)
        steps = list(range(1000))
        columns = MetricColumns("loss", steps, steps, [float(step) for step in steps])
        singles = [LogEntry(other, batch_of(point(float(step), step=step % 7, timestamp=step))) for step in steps]
        wide = [LogEntry(run_id, Batch(columns=(columns,)), ended=True)] * 2
        assert logged(store, *singles, *wide) == [None] * 1002
        assert history(store, run_id) == history(store, other) == columns.values
        assert [store.get_run(each).data.metrics for each in (run_id, other)] == [{"loss": 999.0}, {"loss": 993.0}]


class GroupOrderStories(Stories):
    """Entries of one run find it as those before them left it."""

    def test_a_param_of_a_group_is_written_once(self, store: TrackingStore) -> None:
        """An entry with another value is refused as a whole; what it brought along binds nobody."""
        run_id, other = started(store), started(store)
        answers = logged(
            store,
            LogEntry(run_id, batch_of(params={"lr": "1"})),
            LogEntry(run_id, batch_of(point(0.5), params={"depth": "3", "lr": "2"}, tags={"a": "1"})),
            LogEntry(other, batch_of(params={"lr": "2"})),
            LogEntry(run_id, batch_of(params={"depth": "4", "lr": "1"})),
        )
        assert answers == [None, ParamConflict, None, None]
        data = store.get_run(run_id).data
        assert (data.params, data.tags, data.metrics) == ({"lr": "1", "depth": "4"}, {}, {})
        assert store.get_run(other).data.params == {"lr": "2"}

    def test_the_latest_point_of_a_group_is_the_latest_of_all(self, store: TrackingStore) -> None:
        """By step, timestamp and value, whatever the order of entries; identical points are one."""
        run_id, other = started(store), started(store)
        store.log_batch(other, batch_of(point(0.9, step=5)))
        points = [point(0.1, step=2), point(0.3, step=3), point(float("nan"), step=3), point(0.2, step=3), point(0.1)]
        answers = logged(
            store, *[LogEntry(each, batch_of(one)) for one in [*points, *points] for each in (run_id, other)]
        )
        assert answers == [None] * 20
        assert (store.get_run(run_id).data.metrics, store.get_run(other).data.metrics) == ({"loss": 0.3}, {"loss": 0.9})
        assert len(history(store, run_id)) == 5

    def test_the_last_tag_of_a_group_holds(self, store: TrackingStore) -> None:
        """Also the name; but one that was set in the past takes no newer one's place."""
        run_id = started(store, run_name="fox")
        late = [Tag("late", "newer", set_at=2000), Tag("late", "older", set_at=1000), Tag("kept", "old", set_at=1000)]
        answers = logged(
            store,
            LogEntry(run_id, batch_of(tags={"a": "1", "kept": "now", RUN_NAME: "hare"})),
            *[LogEntry(run_id, Batch(tags=(tag,))) for tag in late],
            LogEntry(run_id, batch_of(tags={"a": "2"})),
            LogEntry(run_id, Batch(tags=(Tag("a", "0", set_at=1000), Tag(RUN_NAME, "wolf", set_at=1000)))),
            LogEntry(run_id, Batch(tags=(Tag("kept", "future", set_at=2**52),))),
        )
        run = store.get_run(run_id)
        assert answers == [None] * 7
        assert run.data.tags == {"a": "2", "kept": "future", "late": "newer", RUN_NAME: "hare"}
        assert run.info.run_name == "hare"

    def test_a_late_name_of_a_group_is_that_of_the_tag(self, store: TrackingStore) -> None:
        """Each run is called as the tag says that holds in the end."""
        fox, hare = started(store), started(store, run_name="hare")
        tags = (Tag(RUN_NAME, "late", set_at=1000),)
        assert logged(store, LogEntry(fox, Batch(tags=tags)), LogEntry(hare, Batch(tags=tags))) == [None, None]
        assert [store.get_run(each).info.run_name for each in (fox, hare)] == ["late", "hare"]

    def test_what_follows_an_end_in_a_group_comes_too_late(self, store: TrackingStore) -> None:
        """But tags are taken, and so is what may come late; other runs go on."""
        run_id, other = started(store, lease=LONG), started(store)
        more = batch_of(point(0.6, step=1))
        answers = logged(
            store,
            LogEntry(run_id, replace(batch_of(point(0.5)), end=END)),
            LogEntry(run_id, more),
            LogEntry(other, more),
            LogEntry(run_id, batch_of(tags={"a": "1"})),
            LogEntry(run_id, batch_of(point(0.7, step=2)), ended=True),
            LogEntry(run_id, batch_of(point(0.8, step=3)), JournalMark("w", 1)),
        )
        run = store.get_run(run_id)
        assert answers == [None, RunEnded, None, None, None, None]
        assert (run.info.status, run.info.end_time) == ("FAILED", END.end_time)
        assert (run.data.tags, history(store, run_id)) == ({"a": "1"}, [0.5, 0.7, 0.8])
        assert store.get_run(other).info.status == "RUNNING"
        assert list(store.reap_runs("here")) == []

    def test_an_end_in_a_group_is_somebodys(self, store: TrackingStore) -> None:
        """A run that somebody else sees to goes on, and takes what follows; so does one whose last entry is refused."""
        elsewhere, refused = started(store, lease=Lease("there", 600)), started(store, lease=LONG)
        store.log_batch(refused, batch_of(params={"lr": "1"}))
        answers = logged(
            store,
            LogEntry(elsewhere, replace(batch_of(point(0.5)), end=END)),
            LogEntry(elsewhere, batch_of(point(0.6, step=1))),
            LogEntry(refused, replace(batch_of(params={"lr": "2"}), end=END)),
            LogEntry(refused, batch_of(point(0.7, step=1))),
        )
        assert answers == [None, None, ParamConflict, None]
        assert [store.get_run(each).info.status for each in (elsewhere, refused)] == ["RUNNING", "RUNNING"]
        assert (history(store, elsewhere), history(store, refused)) == ([0.5, 0.6], [0.7])

    def test_the_later_end_of_a_group_holds(self, store: TrackingStore) -> None:
        """Unless it comes late itself."""
        run_id = started(store, lease=LONG)
        ends = [END, replace(END, status="KILLED"), replace(END, status="FINISHED", late=True)]
        assert logged(store, *[LogEntry(run_id, Batch(end=end)) for end in ends]) == [None] * 3
        assert store.get_run(run_id).info.status == "KILLED"


class GroupMarkStories(Stories):
    """Records of journals that arrive in groups are stored once."""

    def test_marks_rise_within_a_group(self, store: TrackingStore) -> None:
        """Of one writer's records those behind a later one were stored before; each writer counts for itself."""
        run_id, other = started(store), started(store)
        order = [("w", 1), ("v", 5), ("w", 3), ("w", 2), ("w", 3), ("v", 4), ("W", 1), ("w", 4)]
        entries = [
            LogEntry(run_id if number % 2 else other, batch_of(point(1.0, step=number)), JournalMark(*mark))
            for number, mark in enumerate(order)
        ]
        assert logged(store, *entries) == [None] * 8
        steps = [each.step for run in (run_id, other) for each in store.get_metric_history(run, "loss")]
        assert sorted(steps) == [0, 1, 2, 6, 7]
        assert [store.applied(writer) for writer in ("w", "v", "W")] == [4, 5, 1]

    def test_a_group_that_comes_again_changes_nothing(self, store: TrackingStore) -> None:
        """Whatever became of its runs; what is new in it is stored."""
        run_id, deleted = started(store), started(store)
        entries = [
            LogEntry(run_id, batch_of(params={"lr": "1"}, tags={"a": "1"}), JournalMark("w", 1)),
            LogEntry(deleted, batch_of(point(0.5)), JournalMark("w", 2)),
            LogEntry(run_id, replace(batch_of(point(0.5)), end=replace(END, holder=None)), JournalMark("v", 1)),
        ]
        assert logged(store, *entries) == [None] * 3
        store.log_batch(run_id, batch_of(tags={"a": "2"}))
        store.update_run(run_id, status="RUNNING")
        store.delete_run(deleted)
        new = LogEntry(run_id, batch_of(point(0.6, step=1)), JournalMark("v", 2))
        assert logged(store, *entries, new, new) == [None] * 5
        run = store.get_run(run_id)
        assert (run.info.status, run.data.tags, history(store, run_id)) == ("RUNNING", {"a": "2"}, [0.5, 0.6])
        assert (store.applied("w"), store.applied("v")) == (2, 2)

    def test_a_refused_record_of_a_group_is_not_marked(self, store: TrackingStore) -> None:
        """Neither one of a writer that is new, nor one whose others are stored."""
        run_id = started(store)
        store.log_batch(run_id, batch_of(params={"lr": "1"}))
        refused = batch_of(point(9.0, step=9), params={"lr": "2"})
        answers = logged(
            store,
            LogEntry(run_id, refused, JournalMark("new", 1)),
            LogEntry(run_id, batch_of(point(0.1, step=1)), JournalMark("w", 1)),
            LogEntry("nobody", refused, JournalMark("w", 7)),
            LogEntry(run_id, batch_of(point(0.2, step=2)), JournalMark("w", 2)),
            LogEntry(run_id, refused, JournalMark("w", 3)),
        )
        assert answers == [ParamConflict, None, NotFound, None, ParamConflict]
        assert (store.applied("new"), store.applied("w"), history(store, run_id)) == (0, 2, [0.1, 0.2])
        assert logged(store, LogEntry(run_id, batch_of(point(0.3, step=3)), JournalMark("new", 1))) == [None]
        assert (store.applied("new"), history(store, run_id)) == (1, [0.1, 0.2, 0.3])

    def test_records_of_ended_runs_are_taken_in_groups(self, store: TrackingStore) -> None:
        """They come late because they were on their way; an empty one is marked, too."""
        run_id = started(store)
        ended = store.update_run(run_id, status="FINISHED", end_time=5000)
        late = LogEntry(run_id, batch_of(point(0.5), params={"a": "1"}), JournalMark("w", 1))
        answers = logged(store, late, LogEntry(run_id, Batch(), JournalMark("v", 3)), LogEntry(run_id, late.batch))
        assert answers == [None, None, RunEnded]
        assert (store.get_run(run_id).info, store.get_run(run_id).data.params) == (ended, {"a": "1"})
        assert (store.applied("w"), store.applied("v")) == (1, 3)


class GroupThreadStories(Stories):
    """Any number of threads may log groups to the same runs."""

    def test_groups_of_several_threads_lose_nothing(self, store: TrackingStore) -> None:
        """In whatever order each of them names the runs: all points, params and tags are there."""
        runs = [started(store) for _ in range(6)]

        def work(number: int) -> None:
            for step in range(5):
                turned = runs[number % 6 :] + runs[: number % 6]
                mine = f"{number}-{step}"
                batch = batch_of(point(float(number), step=step, key=mine), params={mine: "1"}, tags={mine: "1"})
                same = batch_of(point(float(number * 10 + step), step=number * 10 + step))
                group = [LogEntry(each, one) for one in (batch, same) for each in turned]
                assert logged(store, *group) == [None] * 12

        together(work)
        keys = {f"{number}-{step}" for number in range(THREADS) for step in range(5)}
        for run_id in runs:
            data = store.get_run(run_id).data
            assert (set(data.params), set(data.tags), set(data.metrics)) == (keys, keys, keys | {"loss"})
            assert data.metrics["loss"] == float((THREADS - 1) * 10 + 4)
            assert len(history(store, run_id)) == THREADS * 5

    def test_records_that_several_threads_bring_in_groups_are_stored_once(self, store: TrackingStore) -> None:
        """A journal that several read at the same time is applied by one of them, record by record."""
        runs = [started(store) for _ in range(3)]

        def work(number: int) -> None:
            for first in (1, 4, 7):
                group = [
                    LogEntry(
                        runs[sequence % 3],
                        batch_of(point(float(number), step=sequence)),
                        JournalMark(f"w{sequence % 2}", sequence),
                    )
                    for sequence in range(first, first + 3)
                ]
                assert logged(store, *group) == [None] * 3

        together(work)
        steps = [each.step for run_id in runs for each in store.get_metric_history(run_id, "loss")]
        assert sorted(steps) == list(range(1, 10))
        assert (store.applied("w0"), store.applied("w1")) == (8, 9)

    def test_one_of_several_groups_writes_a_param(self, store: TrackingStore) -> None:
        """Of threads whose groups hold other values of a param, one succeeds; of the others the rest is stored."""
        run_id = started(store)

        def work(number: int) -> bool:
            mine = batch_of(point(float(number), step=number), params={"lr": str(number)})
            rest = batch_of(tags={f"t{number}": "1"})
            answers = logged(store, LogEntry(run_id, mine), LogEntry(run_id, rest))
            assert answers in ([None, None], [ParamConflict, None])
            return answers[0] is None

        winners = [number for number, won in enumerate(together(work)) if won]
        data = store.get_run(run_id).data
        assert len(winners) == 1
        assert (data.params, history(store, run_id)) == ({"lr": str(winners[0])}, [float(winners[0])])
        assert set(data.tags) == {f"t{number}" for number in range(THREADS)}
