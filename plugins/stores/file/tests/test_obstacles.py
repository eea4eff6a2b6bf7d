"""Folders that are somebody else's, may only be read, or lie on full disks; files that were cut short."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dovetail.errors import DovetailError, ForeignLayout, InvalidUri, SchemaTooNew, StoreError, StoreFull
from dovetail.tracking.journal.records import sealed
from dovetail.values import Batch, Ending, JournalMark, Lease, Metric, NewRun, Param, Tag
from dovetail_file import open_dir
from dovetail_file.notes import note_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dovetail.tracking.store import TrackingStore

NOBODY = 65534


def opened(folder: Path) -> closing[TrackingStore]:
    return closing(open_dir(f"dir://{folder}"))


def with_a_run(folder: Path) -> str:
    with opened(folder) as store:
        run_id = store.create_run(NewRun("0", run_name="kept")).info.run_id
        store.log_batch(run_id, Batch((Metric("loss", 0.5, 1, 1),)))
    return run_id


def content_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


class TestStrangers:
    @pytest.mark.parametrize("name", ["notes.txt", "0/meta.yaml", "dovetail.db", "runs/abc/data", ".git/config"])
    def test_a_folder_with_something_else_is_left_alone(self, tmp_path: Path, name: str) -> None:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("mine")
        before = content_of(tmp_path)
        with pytest.raises(ForeignLayout, match="left as it is"):
            open_dir(f"dir://{tmp_path}")
        assert content_of(tmp_path) == before

    def test_runs_of_mlflow_are_called_by_their_name(self, tmp_path: Path) -> None:
        (tmp_path / "0").mkdir()
        (tmp_path / "0" / "meta.yaml").write_text("name: Default")
        with pytest.raises(ForeignLayout, match="MLflow"):
            open_dir(f"dir://{tmp_path}")

    def test_a_file_is_no_folder(self, tmp_path: Path) -> None:
        (tmp_path / "runs").write_text("mine")
        with pytest.raises(InvalidUri, match="no folder"):
            open_dir(f"dir://{tmp_path}/runs")
        with pytest.raises(DovetailError):
            open_dir(f"dir://{tmp_path}/runs/below")
        assert (tmp_path / "runs").read_text() == "mine"

    def test_an_empty_folder_is_welcome(self, tmp_path: Path) -> None:
        with_a_run(tmp_path)
        assert (tmp_path / "dovetail.json").exists()

    def test_a_newer_format_is_left_alone(self, tmp_path: Path) -> None:
        with_a_run(tmp_path)
        (tmp_path / "dovetail.json").write_bytes(note_of({"format": 2}))
        before = content_of(tmp_path)
        with pytest.raises(SchemaTooNew):
            open_dir(f"dir://{tmp_path}")
        assert content_of(tmp_path) == before

    def test_a_damaged_mark_is_said(self, tmp_path: Path) -> None:
        with_a_run(tmp_path)
        (tmp_path / "dovetail.json").write_bytes(b"00000000 {}")
        with pytest.raises(StoreError, match="damaged"):
            open_dir(f"dir://{tmp_path}")

    def test_files_of_others_among_the_runs_do_not_matter(self, tmp_path: Path) -> None:
        run_id = with_a_run(tmp_path)
        (tmp_path / "runs" / ".DS_Store").write_bytes(b"x")
        (tmp_path / "runs" / "empty").mkdir()
        (tmp_path / "runs" / run_id / "notes.txt").write_text("x")
        (tmp_path / "models").mkdir()
        (tmp_path / "models" / ".DS_Store").write_bytes(b"x")
        (tmp_path / "experiments" / "x.json").write_text("x")
        with opened(tmp_path) as store:
            assert [run.info.run_id for run in store.search_runs(["0"])] == [run_id]
            assert list(store.search_logged_models(["0"])) == []


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that other users may enter, unlike pytest's own."""
    path = Path(tempfile.mkdtemp(prefix="dovetail-"))
    path.chmod(0o755)
    yield path
    for each in (path, *path.rglob("*")):
        each.chmod(0o755)
    shutil.rmtree(path)


def as_nobody(action: Callable[[], str]) -> str:
    """What an action answers when someone without special rights does it; an error answers by its name."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        if os.getuid() == 0:
            os.setuid(NOBODY)
        try:
            answer = action()
        except BaseException as error:  # noqa: BLE001 - whatever it is, the parent has to see it
            answer = type(error).__name__
        os.write(writer, answer.encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, encoding="utf-8") as stream:
        answer = stream.read()
    os.waitpid(child, 0)
    return answer


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows has other rights")
class TestReadOnly:
    @pytest.fixture
    def runs(self, folder: Path) -> tuple[Path, str]:
        run_id = with_a_run(folder / "runs")
        with opened(folder / "runs") as store:
            store.update_run(run_id, lease=Lease("here", 0.001))
        for each in (folder / "runs", *(folder / "runs").rglob("*")):
            each.chmod(0o555 if each.is_dir() else 0o444)
        return folder / "runs", run_id

    def test_what_may_only_be_read_is_read(self, runs: tuple[Path, str]) -> None:
        path, run_id = runs

        def read() -> str:
            with opened(path) as store:
                found = store.search_runs(["0"], "metrics.loss = 0.5")
                points = store.get_metric_history(run_id, "loss")
                return f"{[run.info.run_name for run in found]} {len(points)} {store.search_experiments()[0].name}"

        before = content_of(path)
        assert as_nobody(read) == "['kept'] 1 Default"
        assert content_of(path) == before

    @pytest.mark.parametrize("number", range(9))
    def test_writing_there_says_what_is_wrong(self, runs: tuple[Path, str], number: int) -> None:
        path, run_id = runs
        calls: list[Callable[[TrackingStore], object]] = [
            lambda store: store.log_batch(run_id, Batch(tags=(Tag("a", "1"),))),
            lambda store: store.create_run(NewRun("0")),
            lambda store: store.create_experiment("wine"),
            lambda store: store.delete_run(run_id),
            lambda store: store.update_run(run_id, status="FINISHED"),
            lambda store: store.update_run(run_id, status="RUNNING", lease=Lease("there", 60)),
            lambda store: store.beat("here", 60),
            lambda store: store.reap_runs(),
            lambda store: store.drop_points(run_id, 0),
        ]

        def write() -> str:
            with opened(path) as store:
                calls[number](store)
            return "done"

        assert as_nobody(write) == "StoreReadOnly"

    def test_a_folder_that_cannot_be_made_says_so(self, folder: Path) -> None:
        folder.chmod(0o555)
        assert as_nobody(lambda: open_dir(f"dir://{folder}/new").uri) == "StoreReadOnly"

    def test_a_folder_that_may_not_be_entered_says_so(self, folder: Path) -> None:
        with_a_run(folder / "runs")
        (folder / "runs").chmod(0o000)
        assert as_nobody(lambda: open_dir(f"dir://{folder}/runs").uri) == "StoreReadOnly"


class TestFullDisk:
    def test_a_file_that_may_grow_no_more_keeps_what_it_had(self, tmp_path: Path) -> None:
        resource = pytest.importorskip("resource")
        with opened(tmp_path) as store:
            run_id = store.create_run(NewRun("0")).info.run_id
            store.log_batch(run_id, Batch((Metric("loss", 0.5, 1, 1),)))
            held = resource.getrlimit(resource.RLIMIT_FSIZE)
            handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (1000, held[1]))
            try:
                with pytest.raises(StoreFull):
                    store.log_batch(run_id, Batch(tuple(Metric("loss", 0.1, step, step) for step in range(5000))))
            finally:
                resource.setrlimit(resource.RLIMIT_FSIZE, held)
                signal.signal(signal.SIGXFSZ, handler)
            assert len(store.get_metric_history(run_id, "loss")) == 1
            store.log_batch(run_id, Batch((Metric("loss", 0.4, 2, 2),)))
        with opened(tmp_path) as store:
            assert [each.value for each in store.get_metric_history(run_id, "loss")] == [0.5, 0.4]

    @pytest.mark.skipif(sys.platform != "linux" or os.getuid() != 0, reason="mounting needs rights")
    def test_a_disk_that_really_is_full(self, tmp_path: Path) -> None:
        mounted = ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(tmp_path)]
        if subprocess.run(mounted, check=False, capture_output=True).returncode:
            pytest.skip("no tmpfs may be mounted here")
        try:
            fill(tmp_path)
        finally:
            subprocess.run(["umount", str(tmp_path)], check=True)


def fill(folder: Path) -> None:
    with opened(folder / "runs") as store:
        run_id = store.create_run(NewRun("0")).info.run_id
        stored = 0

        def log_without_end() -> None:
            nonlocal stored
            while True:
                store.log_batch(run_id, Batch(tuple(Metric("loss", 0.5, stored + n, 1) for n in range(100))))
                stored += 100

        with pytest.raises(StoreFull):
            log_without_end()
        for attempt in (lambda: store.create_run(NewRun("0")), lambda: store.create_experiment("x" * 500)):
            with pytest.raises(StoreFull):
                repeated(attempt)
        assert len(store.get_metric_history(run_id, "loss")) == stored
    with opened(folder / "runs") as store:
        assert len(store.get_metric_history(run_id, "loss")) == stored
        assert all(run.info.status == "RUNNING" for run in store.search_runs(["0"]))


def repeated(attempt: Callable[[], object]) -> None:
    for _ in range(100):
        attempt()


class TestTornFiles:
    def test_a_file_that_was_cut_short_anywhere_gives_whole_batches(self, tmp_path: Path) -> None:
        with opened(tmp_path) as store:
            run_id = store.create_run(NewRun("0")).info.run_id
            for number in range(1, 5):
                store.log_batch(run_id, batch(number), mark=JournalMark("w", number))
        (log,) = (tmp_path / "runs" / run_id).glob("*.log")
        content = log.read_bytes()
        for cut in range(0, len(content), 7):
            log.write_bytes(content[:cut])
            with opened(tmp_path) as store:
                stored = store.applied("w")
                require_whole(store, run_id, stored)
                store.log_batch(run_id, batch(stored + 1), mark=JournalMark("w", stored + 1))
                require_whole(store, run_id, stored + 1)
            for other in log.parent.glob("*.log"):
                if other != log:
                    other.unlink()

    @pytest.mark.parametrize("body", [b"c{}", b"c[1]", b"b", b"b" + bytes(8), b"c{", b"z", b'c{"at":"x"}'])
    def test_a_record_that_nobody_wrote_is_said(self, tmp_path: Path, body: bytes) -> None:
        run_id = with_a_run(tmp_path)
        (tmp_path / "runs" / run_id / "other.log").write_bytes(sealed(body))
        with opened(tmp_path) as store, pytest.raises(StoreError, match=r"other\.log"):
            store.get_run(run_id)

    def test_a_note_that_nobody_wrote_is_said(self, tmp_path: Path) -> None:
        with_a_run(tmp_path)
        (tmp_path / "experiments" / "00000002.json").write_bytes(note_of({"x": 1}))
        with opened(tmp_path) as store, pytest.raises(StoreError, match="experiments"):
            store.search_experiments()

    def test_a_note_that_is_damaged_is_passed_over(self, tmp_path: Path) -> None:
        with opened(tmp_path) as store:
            first = store.create_experiment("first")
            store.create_experiment("second")
        (tmp_path / "experiments" / "00000002.json").write_bytes(b"")
        with opened(tmp_path) as store:
            assert {each.name for each in store.search_experiments()} == {"Default", "second"}
            assert int(store.create_experiment("third")) > int(first)


def batch(number: int) -> Batch:
    points = tuple(Metric("loss", float(number), number, step) for step in range(3))
    return Batch(points, (Param(f"p{number}", "1"),), (Tag("last", str(number)),))


def require_whole(store: TrackingStore, run_id: str, batches: int) -> None:
    data = store.get_run(run_id).data
    assert set(data.params) == {f"p{number}" for number in range(1, batches + 1)}
    assert data.tags.get("last") == (str(batches) if batches else None)
    assert len(store.get_metric_history(run_id, "loss")) == 3 * batches


class TestPower:
    def test_what_survives_a_power_cut_is_stored_the_same(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("DOVETAIL_DURABILITY", "power")
        run_id = with_a_run(tmp_path / "runs")
        with opened(tmp_path / "runs") as store:
            store.create_experiment("wine")
            assert store.get_run(run_id).data.metrics == {"loss": 0.5}

    def test_what_killed_processes_left_half_made_is_swept_away(self, tmp_path: Path) -> None:
        run_id = with_a_run(tmp_path)
        left = tmp_path / "new" / "left"
        (left / "below").mkdir(parents=True)
        (left / "below" / "file").write_bytes(b"x" * 1000)
        with opened(tmp_path) as store:
            store.log_batch(run_id, batch(1), mark=JournalMark("w", 1))
            assert store.compact() == 0  # somebody may be making it at this moment
            os.utime(left, (0, 0))
            assert store.compact() == 1000
            assert not left.exists()
            assert store.applied("w") == 1
            store.delete_run(run_id)
            (item,) = store.discarded()
            store.condemn(item)
            store.purge(item)
            store.compact()
            assert not any(path.is_file() for path in (tmp_path / "writers").rglob("*"))


@pytest.mark.parametrize("mark", [None, JournalMark("w", 1)])
@pytest.mark.parametrize("step", ["log", "change"])
def test_a_batch_that_ends_a_run_and_is_broken_off_is_done_again(
    tmp_path: Path, mark: JournalMark | None, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its two records are not written at once; whichever fails, the same call brings in both."""
    run_id = with_a_run(tmp_path / "store")
    batch = Batch((Metric("loss", 0.25, 2, 2),), end=Ending("FAILED", 5))
    with opened(tmp_path / "store") as store:

        def full(*_: object, **__: object) -> None:
            raise StoreFull("The disk is full.")

        with monkeypatch.context() as patched, pytest.raises(StoreFull):  # noqa: PT012 - both are undone
            patched.setattr(store._catalogue, step, full)  # type: ignore[attr-defined]
            store.log_batch(run_id, batch, mark=mark)
        store.log_batch(run_id, batch, mark=mark)
        assert store.get_run(run_id).info.status == "FAILED"
        assert [each.value for each in store.get_metric_history(run_id, "loss")] == [0.5, 0.25]
