"""The index is used, and does not matter."""

from __future__ import annotations

import os
import re
import shutil
import zlib
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from dovetail.values import Batch, Metric, NewLoggedModel, NewRun, Param, Tag
from dovetail_file import open_dir

if TYPE_CHECKING:
    from pathlib import Path

    from dovetail.tracking.store import TrackingStore
    from dovetail.values import Run

COUNT = 130


def opened(folder: Path) -> closing[TrackingStore]:
    return closing(open_dir(f"dir://{folder}"))


def seen(folder: Path) -> list[str]:
    with opened(folder) as store:
        return [repr((run.info, run.data.to_dictionary(), run.inputs)) for run in store.search_runs(["0"])]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A store with many runs and an index."""
    folder = tmp_path / "runs"
    with opened(folder) as store:
        model_id = store.create_logged_model(NewLoggedModel("0", model_id="m-a")).model_id
        for number in range(COUNT):
            run_id = store.create_run(NewRun("0", run_id=f"run{number}", start_time=number)).info.run_id
            points = Metric("loss", float("nan") if number % 2 else 0.5, 1, 1), Metric("acc", 1.0, 1, 1, model_id)
            store.log_batch(run_id, Batch(points, (Param("lr", str(number)),), (Tag("team", "a"),)))
            store.update_run(run_id, status="FINISHED", end_time=number)
        store.delete_run("run7")
        assert len(store.search_runs(["0"])) == COUNT - 1
    assert (folder / "index.jsonl").exists()
    return folder


def first_log(folder: Path) -> Path:
    return next((folder / "runs" / "run0").glob("*.log"))


class TestIndex:
    def test_it_spares_reading_the_files(self, folder: Path) -> None:
        log = first_log(folder)
        log.write_bytes(bytes(log.stat().st_size))  # of this size they are known
        with opened(folder) as store:
            assert [run.info.run_id for run in store.search_runs(["0"], "params.lr = '0'")] == ["run0"]
        (folder / "index.jsonl").unlink()
        with opened(folder) as store:
            assert list(store.search_runs(["0"], "params.lr = '0'")) == []

    @pytest.mark.parametrize("damage", ["missing", "empty", "cut", "flipped", "rubbish", "older", "lines", "folder"])
    def test_whatever_becomes_of_it_the_runs_are_the_same(self, folder: Path, damage: str) -> None:
        before, index = seen(folder), folder / "index.jsonl"
        content = bytearray(index.read_bytes())
        if damage == "missing":
            index.unlink()
        elif damage == "folder":
            index.unlink()
            index.mkdir()
        else:
            index.write_bytes(damaged(content, damage))
        assert seen(folder) == before
        with opened(folder) as store:
            assert store.get_run("run7").info.lifecycle_stage == "deleted"
            assert len(store.get_logged_model("m-a").metrics) == COUNT

    @pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
    def test_a_pipe_in_its_place_is_not_waited_for(self, folder: Path) -> None:
        before = seen(folder)
        (folder / "index.jsonl").unlink()
        os.mkfifo(folder / "index.jsonl")
        assert seen(folder) == before

    def test_what_came_after_it_is_seen(self, folder: Path) -> None:
        (folder / "index.jsonl").rename(folder / "kept")
        with opened(folder) as store:
            store.log_batch("run1", Batch((Metric("loss", 9.0, 2, 2),)), ended=True)
            store.update_run("run2", name="fox")
            store.restore_run("run7")
            store.delete_run("run3")
        (folder / "kept").rename(folder / "index.jsonl")
        with opened(folder) as store:
            found = {run.info.run_id: run for run in store.search_runs(["0"])}
            assert found["run1"].data.metrics["loss"] == 9.0
            assert found["run2"].info.run_name == "fox"
            assert "run7" in found
            assert "run3" not in found

    def test_one_that_is_younger_than_the_files_is_not_believed(self, folder: Path, tmp_path: Path) -> None:
        """A copy made run by run, with the index last."""
        shutil.copytree(folder, tmp_path / "copy")
        with opened(folder) as store:
            store.log_batch("run1", Batch((Metric("loss", 9.0, 2, 2),)), ended=True)
            store.delete_run("run3")
            log_more(store)
        shutil.copy(folder / "index.jsonl", tmp_path / "copy")
        with opened(tmp_path / "copy") as store:
            found: dict[str, Run] = {run.info.run_id: run for run in store.search_runs(["0"])}
            assert "loss" in found["run1"].data.metrics
            assert found["run1"].data.metrics["loss"] != 9.0
            assert "run3" in found
            assert len(found) == COUNT - 1

    def test_runs_it_names_and_that_are_gone_are_not_found(self, folder: Path) -> None:
        shutil.rmtree(folder / "runs" / "run5")
        with opened(folder) as store:
            assert "run5" not in {run.info.run_id for run in store.search_runs(["0"])}


def log_more(store: TrackingStore) -> None:
    """Log so much that the index is written anew."""
    for number in range(COUNT + 10):
        store.create_run(NewRun("0", run_id=f"more{number}"))
    store.search_runs(["0"])


def of_another_release(line: bytes) -> bytes:
    text = re.sub(rb'"format":[0-9]+', b'"format":0', line.partition(b" ")[2])
    return b"%08x %s\n" % (zlib.crc32(text), text)


def damaged(content: bytearray, damage: str) -> bytes:
    lines = bytes(content).split(b"\n")
    if damage == "empty":
        return b""
    if damage == "cut":
        return bytes(content[: len(content) * 2 // 3])
    if damage == "flipped":
        for place in range(50, len(content), 997):
            content[place] ^= 1
        return bytes(content)
    if damage == "older":
        return b"".join(map(of_another_release, lines))
    if damage == "lines":
        return b"\n".join([*lines[::3], b"0 ", b"00000000 {}\t{}", b"zz x"])
    return bytes(range(256)) * 100
