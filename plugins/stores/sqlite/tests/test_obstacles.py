"""Full disks, locks, and files that may only be read."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
from contextlib import closing, contextmanager
from io import FileIO
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dovetail.errors import DovetailError, StoreError, StoreFull, StoreUnavailable
from dovetail.values import Batch, Metric, NewRun, Tag
from dovetail_sqlite import open_sqlite

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dovetail.tracking.store import TrackingStore

NOBODY = 65534
posix = pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows has other rights")


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that other users may enter, unlike pytest's own."""
    path = Path(tempfile.mkdtemp(prefix="dovetail-"))
    path.chmod(0o755)
    yield path
    path.chmod(0o755)
    shutil.rmtree(path)


def as_the_same_user(action: Callable[[], str]) -> str:
    """What an action answers in a forked child."""
    return as_a_user(action, os.getuid())


def as_a_user(action: Callable[[], str], user: int = NOBODY) -> str:
    """What an action answers when someone without special rights does it; an error answers by name and message."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        if os.getuid() == 0 and user != os.getuid():
            os.setuid(user)
        try:
            answer = action()
        except DovetailError as error:
            answer = f"{type(error).__name__}: {error}"
        except BaseException as error:  # noqa: BLE001 - whatever it is, the parent has to see it
            answer = repr(error)
        os.write(writer, answer.encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, encoding="utf-8") as stream:
        answer = stream.read()
    os.waitpid(child, 0)
    return answer


def with_a_run(path: Path) -> str:
    with closing(open_sqlite(f"sqlite:///{path}")) as store:
        run_id = store.create_run(NewRun("0", run_name="kept")).info.run_id
        store.log_batch(run_id, Batch((Metric("loss", 0.5),)))
    return run_id


def reading(path: Path, run_id: str) -> Callable[[], str]:
    return lambda: open_sqlite(f"sqlite:///{path}").get_run(run_id).info.run_name


def writing(path: Path, run_id: str) -> Callable[[], str]:
    def write() -> str:
        open_sqlite(f"sqlite:///{path}").log_batch(run_id, Batch(tags=(Tag("a", "b"),)))
        return "written"

    return write


@posix
class TestReadOnly:
    @pytest.mark.parametrize(("file_mode", "folder_mode"), [(0o444, 0o755), (0o444, 0o777), (0o666, 0o755)])
    def test_a_store_is_read_but_not_written(self, folder: Path, file_mode: int, folder_mode: int) -> None:
        path = folder / "dovetail.db"
        run_id = with_a_run(path)
        path.chmod(file_mode)
        folder.chmod(folder_mode)
        assert as_a_user(reading(path, run_id)) == "kept"
        assert as_a_user(writing(path, run_id)).startswith(f"StoreReadOnly: {path}")

    def test_readers_see_what_others_write_meanwhile(self, folder: Path) -> None:
        path = folder / "dovetail.db"
        run_id = with_a_run(path)
        path.chmod(0o444)
        folder.chmod(0o555)

        def read_write_read() -> str:
            store = open_sqlite(f"sqlite:///{path}")
            before = store.get_run(run_id).info.run_name
            go_on.write(b"1")
            done.read(1)
            return f"{before} {store.get_run(run_id).info.run_name}"

        with _pipe() as (asked, go_on), _pipe() as (done, answer):

            def rename_when_asked() -> None:
                asked.read(1)
                _renamed(path, run_id)
                answer.write(b"1")

            thread = threading.Thread(target=rename_when_asked)
            thread.start()
            seen = as_a_user(read_write_read)
            thread.join()
        assert seen == "kept renamed"

    def test_a_log_left_behind_is_not_passed_over_in_silence(self, folder: Path) -> None:
        path = folder / "dovetail.db"
        left = (
            "import os, sys; from dovetail.values import NewRun; from dovetail_sqlite import open_sqlite;"
            "store = open_sqlite(sys.argv[1]); store.create_run(NewRun('0', run_id='r1')); os._exit(9)"
        )
        subprocess.run([sys.executable, "-c", left, f"sqlite:///{path}"], check=False)
        path.with_name("dovetail.db-shm").unlink()
        path.chmod(0o444)
        folder.chmod(0o555)
        answer = as_a_user(reading(path, "r1"))
        assert answer.startswith("StoreUnavailable")
        assert "Copy both files" in answer

    def test_none_can_be_made_in_a_folder_one_may_not_write_to(self, folder: Path) -> None:
        folder.chmod(0o555)
        answer = as_a_user(lambda: open_sqlite(f"sqlite:///{folder}/dovetail.db").get_experiment("0").name)
        assert answer.startswith("StoreReadOnly")
        answer = as_a_user(lambda: open_sqlite(f"sqlite:///{folder}/runs/dovetail.db").get_experiment("0").name)
        assert answer.startswith("StoreReadOnly")

    def test_a_file_one_may_not_read_is_named(self, folder: Path) -> None:
        path = folder / "dovetail.db"
        run_id = with_a_run(path)
        path.chmod(0o000)
        answer = as_a_user(reading(path, run_id))
        assert answer.startswith("Store")
        assert str(path) in answer


@contextmanager
def _pipe() -> Iterator[tuple[FileIO, FileIO]]:
    reader, writer = os.pipe()
    with FileIO(reader, "rb") as asked, FileIO(writer, "wb") as told:
        yield asked, told


def _renamed(path: Path, run_id: str) -> None:
    path.chmod(0o644)
    path.parent.chmod(0o755)
    with closing(open_sqlite(f"sqlite:///{path}")) as store:
        store.update_run(run_id, name="renamed")
    path.parent.chmod(0o555)
    path.chmod(0o444)


class TestFullDisk:
    def test_says_so_and_half_stores_nothing(self, tmp_path: Path) -> None:
        path = tmp_path / "dovetail.db"
        with closing(open_sqlite(f"sqlite:///{path}")) as store:
            run_id = store.create_run(NewRun("0")).info.run_id
            store.log_batch(run_id, Batch((Metric("loss", 0.5),)))
            # sqlite behaves at this limit of pages as it does when the disk has no more.
            with store.database.read() as transaction:
                transaction.execute("PRAGMA max_page_count = 1")
            with pytest.raises(StoreFull, match=r"disk .* is full"):
                store.log_batch(run_id, Batch(tuple(Metric(f"m{n}", 0.5) for n in range(5000))))
            with store.database.read() as transaction:
                transaction.execute("PRAGMA max_page_count = 1073741823")
            assert store.get_run(run_id).data.metrics == {"loss": 0.5}
            # The names of that batch were rolled back as well, and are not taken for known.
            store.log_batch(run_id, Batch(tuple(Metric(f"m{n}", 0.5) for n in range(5000))))
            assert len(store.get_run(run_id).data.metrics) == 5001

    @pytest.mark.skipif(sys.platform != "linux" or os.getuid() != 0, reason="mounting needs rights")
    def test_a_disk_that_really_is_full(self, tmp_path: Path) -> None:
        mounted = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(tmp_path)]
        if subprocess.run(mounted, check=False, capture_output=True).returncode:
            pytest.skip("no tmpfs may be mounted here")
        try:
            _fill(tmp_path)
        finally:
            subprocess.run(["umount", str(tmp_path)], check=True)


def _fill(folder: Path) -> None:
    with closing(open_sqlite(f"sqlite:///{folder}/dovetail.db")) as store:
        run_id = store.create_run(NewRun("0")).info.run_id
        stored = 0

        def log_without_end() -> None:
            nonlocal stored
            while True:
                store.log_batch(run_id, Batch(tuple(Metric("loss", 0.5, step=stored + n) for n in range(100))))
                stored += 100

        with pytest.raises(StoreFull):
            log_without_end()
        assert len(store.get_metric_history(run_id, "loss")) == stored
    with closing(open_sqlite(f"sqlite:///{folder}/dovetail.db")) as store:
        assert len(store.get_metric_history(run_id, "loss")) == stored


class TestLocks:
    def test_a_lock_is_waited_for(self, tmp_path: Path) -> None:
        path = tmp_path / "dovetail.db"
        run_id = with_a_run(path)
        with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other:
            other.execute("BEGIN IMMEDIATE")
            threading.Timer(0.5, other.rollback).start()
            with closing(open_sqlite(f"sqlite:///{path}")) as store:
                store.log_batch(run_id, Batch((Metric("late", 1.0),)))
                assert store.get_run(run_id).data.metrics == {"loss": 0.5, "late": 1.0}

    def test_one_that_stays_is_given_up(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DOVETAIL_BUSY_TIMEOUT", "0.3")
        path = tmp_path / "dovetail.db"
        run_id = with_a_run(path)
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with closing(open_sqlite(f"sqlite:///{path}")) as store:
                with pytest.raises(StoreUnavailable, match=r"another process for 0\.3 s"):
                    store.log_batch(run_id, Batch((Metric("late", 1.0),)))
                # Readers are not held up.
                assert store.get_run(run_id).data.metrics == {"loss": 0.5}

    def test_a_lock_on_a_file_not_made_yet_is_given_up(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DOVETAIL_BUSY_TIMEOUT", "0.3")
        path = tmp_path / "dovetail.db"
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            with pytest.raises(StoreUnavailable):
                open_sqlite(f"sqlite:///{path}").get_experiment("0")

    def test_threads_of_one_process_take_turns(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DOVETAIL_BUSY_TIMEOUT", "0.2")
        path = tmp_path / "dovetail.db"
        with_a_run(path)
        with closing(open_sqlite(f"sqlite:///{path}")) as store, store.database.write():
            problems: list[StoreError] = []

            def write() -> None:
                try:
                    store.create_run(NewRun("0"))
                except StoreError as error:
                    problems.append(error)

            thread = threading.Thread(target=write)
            thread.start()
            thread.join()
            assert [type(problem) for problem in problems] == [StoreUnavailable]
            assert "another thread" in problems[0].message


@posix
class TestFork:
    def test_a_child_uses_connections_of_its_own(self, tmp_path: Path) -> None:
        with closing(open_sqlite(f"sqlite:///{tmp_path}/dovetail.db")) as store:
            run_id = store.create_run(NewRun("0")).info.run_id
            store.log_batch(run_id, Batch((Metric("loss", 0.0, step=0),)))
            children = [_forked(lambda n=n: _log(store, run_id, n)) for n in range(1, 9)]  # type: ignore[misc]
            _log(store, run_id, 9)
            assert [os.waitpid(child, 0)[1] for child in children] == [0] * 8
            assert len(store.get_metric_history(run_id, "loss")) == 1 + 9 * 20
        with closing(sqlite3.connect(tmp_path / "dovetail.db")) as raw:
            assert raw.execute("PRAGMA integrity_check").fetchone() == ("ok",)

    def test_a_fork_in_the_middle_of_a_write_does_not_hold_up_the_child(self, tmp_path: Path) -> None:
        with closing(open_sqlite(f"sqlite:///{tmp_path}/dovetail.db")) as store:
            run_id = store.create_run(NewRun("0")).info.run_id
            with store.database.write() as transaction:
                transaction.run("rename_run", {"id": 1, "new_name": "parent's"})
                child = _forked(lambda: store.get_run(run_id))
                assert os.waitpid(child, 0)[1] == 0
            assert store.get_run(run_id).info.run_name == "parent's"

    def test_children_forked_while_a_thread_writes_and_one_reads_can_write(self, tmp_path: Path) -> None:
        with closing(open_sqlite(f"sqlite:///{tmp_path}/dovetail.db")) as store:
            run_id = store.create_run(NewRun("0")).info.run_id
            with _all_along(lambda: _log(store, run_id, 0)), _all_along(lambda: store.get_run(run_id)):
                children = [_forked(lambda n=n: _log(store, run_id, n)) for n in range(1, 21)]  # type: ignore[misc]
                assert [os.waitpid(child, 0)[1] for child in children] == [0] * 20
            points = store.get_metric_history(run_id, "loss")
            assert len([point for point in points if point.step >= 100]) == 20 * 20

    def test_a_child_keeps_writing_what_others_see_after_its_parent_closed(self, tmp_path: Path) -> None:
        uri = f"sqlite:///{tmp_path}/dovetail.db"
        store = open_sqlite(uri)
        run_id = store.create_run(NewRun("0")).info.run_id
        with _pipe() as (ready, is_ready), _pipe() as (closed, is_closed):

            def write_before_and_after() -> None:
                _log(store, run_id, 1)
                is_ready.write(b"1")
                closed.read(1)
                _log(store, run_id, 2)

            child = _forked(write_before_and_after)
            ready.read(1)
            store.close()
            is_closed.write(b"1")
            assert os.waitpid(child, 0)[1] == 0
        with closing(open_sqlite(uri)) as again:
            assert len(again.get_metric_history(run_id, "loss")) == 40

    def test_a_child_forked_in_its_own_transaction_says_at_once_that_it_cannot_write(self, tmp_path: Path) -> None:
        uri = f"sqlite:///{tmp_path}/dovetail.db"
        with closing(open_sqlite(uri)) as store:
            run_id = store.create_run(NewRun("0")).info.run_id
            with store.database.write():
                answers = [as_the_same_user(writing(tmp_path / "dovetail.db", run_id)) for _ in range(2)]
            assert all(answer.startswith("StoreError") and "middle of a transaction" in answer for answer in answers)
            _log(store, run_id, 1)
            assert len(store.get_metric_history(run_id, "loss")) == 20

    def test_a_child_that_leaves_its_parents_transaction_does_not_end_it(self, tmp_path: Path) -> None:
        with closing(open_sqlite(f"sqlite:///{tmp_path}/dovetail.db")) as store:
            store.create_run(NewRun("0", run_id="r1"))
            with store.database.write() as transaction:
                transaction.run("rename_run", {"id": 1, "new_name": "parent's"})
                reader, writer = os.pipe()
                child = os.fork()
                if child == 0:
                    try:
                        transaction.execute("COMMIT")
                    except StoreError:
                        os.write(writer, b"refused")
                    os._exit(0)
                os.waitpid(child, 0)
                assert os.read(reader, 20) == b"refused"
                os.close(reader)
                os.close(writer)
            assert store.get_run("r1").info.run_name == "parent's"

    def test_memory_is_not_shared_with_a_child_and_says_so(self) -> None:
        with closing(open_sqlite("sqlite://")) as store:
            store.create_run(NewRun("0"))
            answer = as_a_user(lambda: store.get_experiment("0").name)
        assert answer.startswith("StoreError")
        assert "sqlite:///dovetail.db" in answer


@contextmanager
def _all_along(action: Callable[[], object]) -> Iterator[None]:
    """Do something again and again, in a thread, until the block ends."""
    over = threading.Event()

    def repeat() -> None:
        while not over.is_set():
            action()

    thread = threading.Thread(target=repeat)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _forked(action: Callable[[], object]) -> int:
    child = os.fork()
    if child:
        return child
    try:
        action()
    except BaseException:  # noqa: BLE001 - the parent sees the exit code
        os._exit(1)
    os._exit(0)


def _log(store: TrackingStore, run_id: str, number: int) -> None:
    for step in range(20):
        store.log_batch(run_id, Batch((Metric("loss", 1.0, step=100 * number + step),)))
