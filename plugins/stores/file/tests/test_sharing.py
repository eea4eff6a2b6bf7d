"""Several processes, several machines, copies: who sees what, and who wins."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import subprocess
import time
from contextlib import ExitStack, closing, contextmanager
from typing import TYPE_CHECKING

import pytest

from dovetail.errors import NotFound, ParamConflict
from dovetail.testing.writer_process import WriterProcess
from dovetail.values import (
    Batch,
    Dataset,
    DatasetInput,
    InputTag,
    JournalMark,
    Metric,
    NewLoggedModel,
    NewRun,
    Param,
    Tag,
)
from dovetail_file import open_dir
from dovetail_file.folder import Folder
from dovetail_file.ledger import Ledger

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dovetail.tracking.store import TrackingStore

WRITER = "dovetail.testing.tracking_store.writer"
SIZE = 20


def opened(folder: Path) -> closing[TrackingStore]:
    return closing(open_dir(f"dir://{folder}"))


def require_whole(store: TrackingStore, run_id: str, writer: str) -> int:
    """See to it that what a writer stored is whole batches from the first one on; how many these are."""
    data, batches = store.get_run(run_id).data, store.applied(writer)
    names = {f"{writer}-{sequence}" for sequence in range(1, batches + 1)}
    values = [each.value for each in store.get_metric_history(run_id, writer)]
    assert values == [float(sequence) for sequence in range(1, batches + 1) for _ in range(SIZE)]
    assert {key for key in data.params if key.startswith(f"{writer}-")} == names
    assert {key for key in data.tags if key.startswith(f"{writer}-")} == names
    return batches


@contextmanager
def paused(writer: WriterProcess) -> Iterator[None]:
    """Hold the writer up: what it would write while a busy machine looks at a copy has no end."""
    writer._process.send_signal(signal.SIGSTOP)
    yield
    writer._process.send_signal(signal.SIGCONT)


class TestTwoProcesses:
    def test_two_runs_are_logged_to_side_by_side(self, tmp_path: Path) -> None:
        with opened(tmp_path / "runs") as store:
            runs = [store.create_run(NewRun("0")).info.run_id for _ in range(2)]
        with ExitStack() as stack:
            for number, run_id in enumerate(runs):
                arguments = [f"dir://{tmp_path}/runs", "write", run_id, f"w{number}"]
                writer = stack.enter_context(WriterProcess(WRITER, arguments, tmp_path))
                writer.go()
            time.sleep(2)
        with opened(tmp_path / "runs") as store:
            assert min(require_whole(store, run_id, f"w{number}") for number, run_id in enumerate(runs)) > 10
        assert [len(list((tmp_path / "runs/runs" / run_id).glob("*.log"))) for run_id in runs] == [1, 1]

    def test_each_process_has_a_file_of_its_own_in_one_run(self, tmp_path: Path) -> None:
        with opened(tmp_path) as one, opened(tmp_path) as other:
            run_id = one.create_run(NewRun("0")).info.run_id
            for step, store in enumerate((one, other, one, other)):
                store.log_batch(run_id, Batch((Metric("loss", step / 2, step, step),), tags=(Tag("last", str(step)),)))
            for store in (one, other):
                assert [each.step for each in store.get_metric_history(run_id, "loss")] == [0, 1, 2, 3]
                assert store.get_run(run_id).data.tags["last"] == "3"
        assert len(list((tmp_path / "runs" / run_id).glob("*.log"))) == 2

    def test_the_first_value_of_a_param_holds_for_everybody(self, tmp_path: Path) -> None:
        with opened(tmp_path) as one, opened(tmp_path) as other:
            run_id = one.create_run(NewRun("0")).info.run_id
            one.log_batch(run_id, Batch(params=(Param("lr", "1"),)))
            with pytest.raises(ParamConflict):
                other.log_batch(run_id, Batch((Metric("loss", 0.5),), (Param("lr", "2"),)))
            assert other.get_run(run_id).data.params == {"lr": "1"}
            assert other.get_run(run_id).data.metrics == {}

    def test_who_wrote_at_the_same_time_agrees_afterwards(self, tmp_path: Path) -> None:
        """Two copies that are merged: each machine logged what the other one could not see."""
        wine = Dataset("wine", "1", "local", "{}")
        with opened(tmp_path / "one") as store:
            run_id = store.create_run(NewRun("0")).info.run_id
        shutil.copytree(tmp_path / "one", tmp_path / "other")
        for name in ("one", "other"):
            with opened(tmp_path / name) as store:
                store.log_batch(run_id, Batch((Metric(name, 0.5),), (Param("lr", name),), (Tag("by", name),)))
                store.log_inputs(run_id, [DatasetInput(wine, (InputTag(name, "yes"),))])
        for source, target in (("one", "other"), ("other", "one")):
            shutil.copytree(tmp_path / source / "runs", tmp_path / target / "runs", dirs_exist_ok=True)
        found = []
        for name in ("one", "other"):
            with opened(tmp_path / name) as store:
                found.append(store.get_run(run_id))
        assert found[0].data.params == found[1].data.params == {"lr": "one"}
        assert found[0].data.tags["by"] == "other"
        assert [run.inputs.dataset_inputs for run in found] == [(DatasetInput(wine, (InputTag("one", "yes"),)),)] * 2
        assert set(found[0].data.metrics) == {"one", "other"}

    def test_a_clock_that_is_behind_does_not_matter(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        with opened(tmp_path) as one, opened(tmp_path) as other:
            run_id = one.create_run(NewRun("0")).info.run_id
            one.log_batch(run_id, Batch(tags=(Tag("a", "first"),)))
            an_hour_ago = time.time_ns() - 3600 * 10**9
            monkeypatch.setattr(time, "time_ns", lambda: an_hour_ago)
            other.log_batch(run_id, Batch(tags=(Tag("a", "second"),)))
            assert one.get_run(run_id).data.tags["a"] == "second"

    def test_a_run_that_took_the_place_of_another_is_another(self, tmp_path: Path) -> None:
        with opened(tmp_path) as one, opened(tmp_path) as other:
            for store in (one, other):
                if store is one:
                    store.create_run(NewRun("0", run_id="same"))
                store.log_batch("same", Batch((Metric("loss", 0.5),), (Param("lr", "1"),)))
            one.delete_run("same")
            (item,) = one.discarded()
            one.condemn(item)
            one.purge(item)
            with pytest.raises(NotFound):
                other.get_run("same")
            one.create_run(NewRun("0", run_id="same"))
            other.log_batch("same", Batch(params=(Param("lr", "2"),)))
            for store in (one, other):
                assert (store.get_run("same").data.params, store.get_run("same").data.metrics) == ({"lr": "2"}, {})

    def test_what_is_taken_away_by_another_process_does_not_come_back_in_part(self, tmp_path: Path) -> None:
        """A process that knows a run or model as it was writes nothing into what is no more there."""
        with opened(tmp_path) as store:
            store.create_run(NewRun("0", run_id="same"))
            store.create_logged_model(NewLoggedModel("0", model_id="m-same"))
            assert len(store.search_runs(["0"])) == len(store.search_logged_models(["0"])) == 1
            for kind, name in (("runs", "same"), ("models", "m-same")):
                place = Folder(tmp_path)
                shutil.rmtree(tmp_path / kind / name)
                for ledger in (Ledger(place, tmp_path / kind / name, "bin."), Ledger(place, tmp_path / kind / name)):
                    assert not ledger.append({"op": "stage"})
            store.create_run(NewRun("0", run_id="same"))
            store.create_logged_model(NewLoggedModel("0", model_id="m-same"))

    def test_a_model_that_took_the_place_of_another_is_another(self, tmp_path: Path) -> None:
        with opened(tmp_path) as one, opened(tmp_path) as other:
            for name in ("before", "after"):
                one.create_logged_model(NewLoggedModel("0", name, "m-same"))
                assert other.get_logged_model("m-same").name == name
                other.update_logged_model("m-same", params=[Param("p", name)])
                assert one.get_logged_model("m-same").params == {"p": name}
                one.delete_logged_model("m-same")
                (item,) = one.discarded()
                one.condemn(item)
                one.purge(item)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows forks nothing")
class TestForks:
    def test_a_forked_child_writes_to_a_file_of_its_own(self, tmp_path: Path) -> None:
        with opened(tmp_path) as store:
            run_id = store.create_run(NewRun("0")).info.run_id
            store.log_batch(run_id, Batch((Metric("loss", 0.0, 0, 0),)))

            def child(step: int) -> None:
                store.log_batch(run_id, Batch((Metric("loss", float(step), step, step),)))

            context = multiprocessing.get_context("fork")
            children = [context.Process(target=child, args=(step,)) for step in range(1, 4)]
            for each in children:
                each.start()
            store.log_batch(run_id, Batch((Metric("loss", 4.0, 4, 4),)))
            for each in children:
                each.join(20)
            assert [each.exitcode for each in children] == [0, 0, 0]
            assert [each.value for each in store.get_metric_history(run_id, "loss")] == [0.0, 1.0, 2.0, 3.0, 4.0]
        assert len(list((tmp_path / "runs" / run_id).glob("*.log"))) == 4


@pytest.mark.skipif(shutil.which("rsync") is None, reason="needs rsync")
class TestCopies:
    def test_a_copy_made_while_it_is_written_to_is_a_slightly_older_state(self, tmp_path: Path) -> None:
        source, copy = tmp_path / "runs", tmp_path / "copy"
        with opened(source) as store:
            run_id = store.create_run(NewRun("0")).info.run_id
        counts = []
        with WriterProcess(WRITER, [f"dir://{source}", "write", run_id, "w"], tmp_path) as writer:
            writer.go()
            for _ in range(8):
                time.sleep(0.1)
                # Once more into the same copy, and without removing anything there. 24: a file vanished meanwhile.
                done = subprocess.run(["rsync", "-a", f"{source}/", f"{copy}/"], check=False)
                assert done.returncode in (0, 24)
                with paused(writer), opened(copy) as store:
                    counts.append(require_whole(store, run_id, "w"))
                    assert len(store.search_runs(["0"], "tags.`w-1` = 'w-1'")) == min(1, counts[-1])
        assert counts == sorted(counts)
        assert counts[-1] > 0
        with opened(copy) as store:
            store.log_batch(run_id, Batch(tags=(Tag("in", "copy"),)), mark=JournalMark("here", 1))
            assert require_whole(store, run_id, "w") == counts[-1]
        # A later copy brings what was written since then, and leaves what was written there.
        subprocess.run(["rsync", "-a", f"{source}/", f"{copy}/"], check=True)
        with opened(copy) as store, opened(source) as original:
            assert require_whole(store, run_id, "w") == original.applied("w")
            assert store.get_run(run_id).data.tags["in"] == "copy"

    def test_one_run_may_be_copied_into_another_folder(self, tmp_path: Path) -> None:
        for name in ("laptop", "cluster"):
            with opened(tmp_path / name) as store:
                store.create_run(NewRun("0", run_id=f"on-{name}"))
                store.log_batch(f"on-{name}", Batch((Metric("loss", 0.5),)))
        shutil.copytree(tmp_path / "cluster/runs/on-cluster", tmp_path / "laptop/runs/on-cluster")
        with opened(tmp_path / "laptop") as store:
            assert {run.info.run_id for run in store.search_runs(["0"])} == {"on-laptop", "on-cluster"}
            assert store.get_run("on-cluster").data.metrics == {"loss": 0.5}
