"""Processes that do anything to anything at once, and copies that are made meanwhile."""

from __future__ import annotations

import multiprocessing
import os
import random
import shutil
import subprocess
import threading
import time
from contextlib import closing, suppress
from typing import TYPE_CHECKING

import pytest

from dovetail.errors import DovetailError, StoreError
from dovetail.values import Batch, Lease, LoggedModelOutput, Metric, NewLoggedModel, NewRun, Param, Tag, ViewType
from dovetail_file import open_dir
from dovetail_file.folder import Folder

if TYPE_CHECKING:
    from pathlib import Path

    from dovetail.tracking.store import TrackingStore

SECONDS = 4.0
WORKERS = 3


def experiments(store: TrackingStore) -> list[str]:
    return [each.experiment_id for each in store.search_experiments(view_type=ViewType.ALL)]


def turn(store: TrackingStore, chance: random.Random, number: int) -> None:
    """Do one thing to whatever is there."""
    experiment, run_id = chance.choice(experiments(store)), f"r{chance.randrange(20)}"
    points = (Metric("loss", chance.random(), number, number),)
    match chance.randrange(10):
        case 0:
            store.create_experiment(f"e{chance.randrange(5)}")
        case 1 | 2:
            store.create_run(NewRun(experiment, run_id=run_id))
        case 3 | 4:
            store.log_batch(run_id, Batch(points, (Param("lr", "1"),), (Tag("t", str(number)),)), ended=True)
        case 5:
            chance.choice((store.delete_run, store.restore_run))(run_id)
        case 6:
            chance.choice((store.delete_experiment, store.restore_experiment))(experiment)
        case 7:
            model_id = store.create_logged_model(NewLoggedModel(experiment)).model_id
            store.log_batch(run_id, Batch((Metric("acc", 0.5, number, number, model_id),)), ended=True)
            store.log_outputs(run_id, [LoggedModelOutput(model_id)])
        case 8:
            models = store.search_logged_models([experiment], view_type=ViewType.ALL)
            model_id = chance.choice([each.model_id for each in models] or ["none"])
            chance.choice((store.delete_logged_model, store.restore_logged_model))(model_id)
        case _:
            for item in store.discarded():
                if item.id == "0":
                    continue  # there is always something to log to
                store.condemn(item)
                store.purge(item)


def see_to(store: TrackingStore, chance: random.Random, number: int) -> None:
    """Take the lease of a run, give it back, look for what lapsed, or go back to an earlier step."""
    experiment, run_id = chance.choice(experiments(store)), f"r{chance.randrange(20)}"
    lease = Lease(chance.choice("ab"), chance.choice((0.01, 0.02)))
    match chance.randrange(5):
        case 0:
            store.create_run(NewRun(experiment, run_id=run_id, lease=lease))
        case 1:
            store.update_run(run_id, status=chance.choice((None, "RUNNING", "FINISHED")), lease=lease)
        case 2:
            store.beat(lease.holder, lease.seconds)
        case 3:
            store.drop_points(run_id, chance.randrange(number))
        case _:
            store.reap_runs()


def work(folder: Path, seed: int) -> None:
    chance, end, number = random.Random(seed), time.monotonic() + SECONDS, 0
    with closing(open_dir(f"dir://{folder}")) as store:
        while time.monotonic() < end:
            number += 1
            try:
                chance.choice((turn, turn, see_to))(store, chance, number)
            except StoreError:
                raise
            except DovetailError:
                continue  # somebody else deleted it, or made it, or it was never there


def seen(folder: Path) -> list[object]:
    """Everything there is, read by a process that knows nothing."""
    with closing(open_dir(f"dir://{folder}")) as store:
        runs = store.search_runs(experiments(store), view_type=ViewType.ALL)
        for run in runs:
            store.get_metric_history(run.info.run_id, "loss")
        models = store.search_logged_models(experiments(store))
        return [(run.info, run.data.to_dictionary()) for run in runs] + [model.to_dictionary() for model in models]


@pytest.mark.skipif(not hasattr(os, "fork") or shutil.which("rsync") is None, reason="needs fork and rsync")
class TestTurmoil:
    def test_nothing_breaks_and_every_copy_opens(self, tmp_path: Path) -> None:
        source, copy = tmp_path / "runs", tmp_path / "copy"
        open_dir(f"dir://{source}").close()
        context = multiprocessing.get_context("fork")
        workers = [context.Process(target=work, args=(source, seed)) for seed in range(WORKERS)]
        for worker in workers:
            worker.start()
        while any(worker.is_alive() for worker in workers):
            subprocess.run(["rsync", "-a", "--delete", f"{source}/", f"{copy}/"], check=False, capture_output=True)
            seen(copy)
        assert [worker.exitcode for worker in workers] == [0] * WORKERS
        assert seen(source) == seen(source)
        with suppress(FileNotFoundError):
            assert list((source / "new").iterdir()) == []
        born = [any(path.glob("run.*.json")) for path in (source / "runs").iterdir()]
        assert all(born), "something was written into a run that was taken away"


class TestFirstUse:
    @pytest.mark.parametrize("kind", ["file", "folder"])
    def test_one_of_those_who_make_the_first_thing_of_its_kind_is_first(self, tmp_path: Path, kind: str) -> None:
        """Its folder is not there yet, and all of them make that, too."""
        first: list[int] = []
        barrier, folder = threading.Barrier(4), Folder(tmp_path)

        def make() -> None:
            for number in range(60):
                target = tmp_path / f"shelf{number}" / "thing"
                barrier.wait(30)
                if folder.put_file(target, b"x") if kind == "file" else folder.put_folder(target, {"a": b"x"}):
                    first.append(number)

        threads = [threading.Thread(target=make) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert sorted(first) == list(range(60))
