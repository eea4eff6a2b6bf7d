"""Stories about processes: opening a store again, sharing it, dying in the middle."""

from __future__ import annotations

import random
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, ClassVar

from dovetail import plugins, uris
from dovetail.testing.tracking_store.base import SIZE, Stories, batch_of, history, plain, point, snapshot, started
from dovetail.testing.writer_process import WriterProcess
from dovetail.values import JournalMark, Tag

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from dovetail.tracking.store import TrackingStore

__all__ = ["ProcessStories", "ReopenStories"]

WRITER = "dovetail.testing.tracking_store.writer"


class ReopenStories(Stories):
    """What a store holds is there when it is opened again."""

    def test_closing_twice_does_nothing(self, store: TrackingStore) -> None:
        """A store may be closed again."""
        started(store)
        store.close()
        store.close()

    def test_everything_is_there_after_opening_again(
        self, store: TrackingStore, reopen: Callable[[TrackingStore], TrackingStore]
    ) -> None:
        """Experiments, runs, all they logged and all marks are there in another instance, and ids count on."""
        experiment_id = store.create_experiment("wine", tags=[Tag("a", "1")])
        run_id, gone = started(store, experiment_id, run_name="fox"), started(store, experiment_id)
        values = batch_of(point(float("nan")), point(0.5, step=-1), params={"lr": "1"}, tags={"é": "🎉"})
        store.log_batch(run_id, values, mark=JournalMark("w", 3))
        store.update_run(run_id, status="FINISHED", end_time=5000)
        store.delete_run(gone)
        experiments = list(store.search_experiments())
        runs = [snapshot(store.get_run(each)) for each in (run_id, gone)]
        points = plain(store.get_metric_history(run_id, "loss"))
        store.close()

        with closing(reopen(store)) as again:
            assert again.uri == store.uri
            assert list(again.search_experiments()) == experiments
            assert [snapshot(again.get_run(each)) for each in (run_id, gone)] == runs
            assert plain(again.get_metric_history(run_id, "loss")) == points
            assert again.applied("w") == 3
            assert int(again.create_experiment("next")) > int(experiment_id)

    def test_what_went_along_comes_back_after_opening_again(
        self, store: TrackingStore, reopen: Callable[[TrackingStore], TrackingStore]
    ) -> None:
        """Which runs went into the bin with their experiment is known to another instance too."""
        experiment_id = store.create_experiment("wine")
        earlier, along = started(store, experiment_id), started(store, experiment_id)
        store.delete_run(earlier)
        store.delete_experiment(experiment_id)
        store.close()
        with closing(reopen(store)) as again:
            again.restore_experiment(experiment_id)
            assert again.get_run(earlier).info.lifecycle_stage == "deleted"
            assert again.get_run(along).info.lifecycle_stage == "active"

    def test_a_deleted_default_experiment_stays_deleted(
        self, store: TrackingStore, reopen: Callable[[TrackingStore], TrackingStore]
    ) -> None:
        """Opening a store again makes no second default experiment."""
        store.delete_experiment("0")
        store.close()
        with closing(reopen(store)) as again:
            assert list(again.search_experiments()) == []
            assert again.get_experiment("0").lifecycle_stage == "deleted"


class ProcessStories(Stories):
    """Several processes use one store, its very first use included.

    Attributes:
        processes: How many touch a fresh store at once.
        kills: How many writers are killed in the middle of writing.
    """

    processes: ClassVar[int] = 8
    kills: ClassVar[int] = 5

    def test_processes_that_touch_a_fresh_store_together_lose_nothing(self, uri: str, tmp_path: Path) -> None:
        """Processes that open a store at once where none was all succeed, and every point of each is there."""
        numbers = [str(number) for number in range(self.processes)]
        with ExitStack() as stack:
            writers = [
                stack.enter_context(WriterProcess(WRITER, [uri, "touch", "shared", each, "10"], tmp_path))
                for each in numbers
            ]
            for writer in writers:
                writer.go()
            ends = [writer.end() for writer in writers]
        assert [code for code, _ in ends] == [0] * self.processes
        assert [lines for _, lines in ends] == [[str(each) for each in range(1, 11)]] * self.processes
        with closing(_opened(uri)) as store:
            for number in numbers:
                _require_whole(store, "shared", number, 10)
            names = [each.name for each in store.search_experiments()]
            assert sorted(name.partition("-")[0] for name in names) == ["Default", "shared", "won"]

    def test_a_killed_writer_loses_no_acknowledged_batch(self, uri: str, tmp_path: Path) -> None:
        """After kill -9 every batch whose call returned is there, and none is there in part; the store goes on."""
        with closing(_opened(uri)) as store:
            run_id = started(store)
        chance = random.Random(7)  # noqa: S311 - any moments will do
        for number in range(self.kills):
            writer_name = f"w{number}"
            with WriterProcess(WRITER, [uri, "write", run_id, writer_name], tmp_path) as writer:
                writer.go()
                acknowledged = writer.kill_after(chance.randint(1, 30), chance.random())
            with closing(_opened(uri)) as store:
                stored = store.applied(writer_name)
                assert stored in (acknowledged, acknowledged + 1)
                _require_whole(store, run_id, writer_name, stored)
                store.log_batch(run_id, batch_of(tags={"after": writer_name}))

    def test_processes_that_make_models_at_once_lose_nothing(self, uri: str, tmp_path: Path) -> None:
        """Models of several processes, and what one run of all of them used and made, are all there, each once."""
        numbers = [str(number) for number in range(self.processes)]
        with ExitStack() as stack:
            writers = [
                stack.enter_context(WriterProcess(WRITER, [uri, "models", "shared", each, "5"], tmp_path))
                for each in numbers
            ]
            for writer in writers:
                writer.go()
            ends = [writer.end() for writer in writers]
        assert [code for code, _ in ends] == [0] * self.processes
        ids = {model_id for _, lines in ends for model_id in lines}
        assert len(ids) == 5 * self.processes
        with closing(_opened(uri)) as store:
            run = store.get_run("shared")
            assert {each.model_id for each in run.outputs.model_outputs} == ids
            assert sorted(each.dataset.name for each in run.inputs.dataset_inputs) == sorted([*numbers, "shared"])
            models = store.search_logged_models(["0"], "status = 'READY'")
            assert {model.model_id for model in models} == ids
            assert {len(model.metrics) for model in models} == {1}

    def test_two_instances_see_each_others_writes(self, uri: str) -> None:
        """A read that starts after a write of another instance returned sees it."""
        with closing(_opened(uri)) as one, closing(_opened(uri)) as other:
            run_id = started(one)
            other.log_batch(run_id, batch_of(point(0.5), tags={"a": "1"}))
            assert one.get_run(run_id).data.metrics == {"loss": 0.5}
            other.delete_run(run_id)
            assert list(one.search_runs(["0"])) == []

    def test_the_uri_of_a_store_opens_it_from_anywhere(self, uri: str, tmp_path: Path) -> None:
        """``store.uri`` opens the same store in another process with another working folder."""
        with closing(_opened(uri)) as store:
            started(store, run_id="shared")
            elsewhere = tmp_path / "elsewhere"
            elsewhere.mkdir()
            with WriterProcess(WRITER, [store.uri, "touch", "shared", "w", "1"], elsewhere) as writer:
                writer.go()
                assert writer.end() == (0, ["1"])
            _require_whole(store, "shared", "w", 1)


def _opened(uri: str) -> TrackingStore:
    store: TrackingStore = plugins.find("tracking_stores", uris.scheme_of(uri))(uri)
    return store


def _require_whole(store: TrackingStore, run_id: str, writer: str, batches: int) -> None:
    """See to it that exactly these batches of a writer are stored, each of them whole."""
    data = store.get_run(run_id).data
    names = {f"{writer}-{sequence}" for sequence in range(1, batches + 1)}
    wanted = [float(sequence) for sequence in range(1, batches + 1) for _ in range(SIZE)]
    assert history(store, run_id, writer) == wanted
    assert {key for key in data.params if key.startswith(f"{writer}-")} == names
    assert {key for key in data.tags if key.startswith(f"{writer}-")} == names
