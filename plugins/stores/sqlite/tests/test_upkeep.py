"""``dovetail db`` on files: whole and damaged, old and new, ours and others', locked, and with a kill in the middle."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from dovetail.errors import ForeignLayout, SchemaTooNew, StoreError, StoreReadOnly, StoreUnavailable
from dovetail.tracking.schema import SchemaKeeper, SchemaReport, SchemaUpgrade
from dovetail.values import Batch, Metric, NewRun
from dovetail_sql.migrations import Migration
from dovetail_sql.schema import VERSION
from dovetail_sql.upkeep import looked_at, upgraded
from dovetail_sqlite import open_sqlite
from dovetail_sqlite.integrity import faults_of
from dovetail_sqlite.opening import open_database

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dovetail_sql.database import Transaction

# The versions of the release below.
NEXT, LATER = VERSION + 1, VERSION + 2
MAIN = "from dovetail.cli.main import main; main()"
# A newer release, in a process of its own: two steps further on, the second of which takes its time.
NEWER = """
import sys, time
from dovetail import hookimpl, plugins
from dovetail.cli.main import main
from dovetail_sql.migrations import Migration
from dovetail_sql.schema import VERSION
from dovetail_sql.store import SqlTrackingStore
from dovetail_sql.upkeep import looked_at, upgraded
from dovetail_sqlite.location import location
from dovetail_sqlite.opening import open_database

def note(transaction):
    transaction.execute("ALTER TABLE runs ADD COLUMN note TEXT")

def slow(transaction):
    transaction.execute("UPDATE runs SET note = 'old'")
    print("half", flush=True)
    time.sleep({pause})
    transaction.execute("ALTER TABLE runs ADD COLUMN more TEXT")

NEXT, LATER = VERSION + 1, VERSION + 2
STEPS = (Migration(NEXT, note, "notes"), Migration(LATER, slow, "more"))

class Store(SqlTrackingStore):
    def check_schema(self, *, quick=False):
        return looked_at(self.database, LATER, STEPS, quick=quick)
    def upgrade_schema(self, progress):
        return upgraded(self.database, progress, LATER, STEPS)

class Plugin:
    @hookimpl
    def dovetail_tracking_stores(self):
        return {{"newer": lambda uri: Store(open_database(location("sqlite" + uri[5:])))}}

plugins.register(Plugin(), "tracking_stores", "newer")
main()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return with_a_run(tmp_path / "dovetail.db")


def with_a_run(path: Path) -> Path:
    with closing(open_sqlite(f"sqlite:///{path}")) as store:
        store.create_run(NewRun("0", run_id="r1"))
        store.log_batch("r1", Batch((Metric("loss", 0.5),)))
    return path


def keeper(path: Path) -> SchemaKeeper:
    return open_sqlite(f"sqlite:///{path}")


def query(path: Path, text: str) -> list[Any]:
    with closing(sqlite3.connect(path)) as raw, raw:
        raw.execute("PRAGMA foreign_keys = OFF")
        return raw.execute(text).fetchall()


def started(program: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", program, "db", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def newer(path: Path, command: str, pause: float = 0.0) -> subprocess.Popen[str]:
    """What ``dovetail db <command>`` of a newer release does with a file."""
    return started(NEWER.format(pause=pause), command, f"newer:///{path}")


def add_note(transaction: Transaction) -> None:
    transaction.execute("ALTER TABLE runs ADD COLUMN note TEXT")


class TestLooking:
    def test_at_a_file_that_is_well(self, path: Path) -> None:
        before = path.read_bytes()
        assert keeper(path).check_schema() == SchemaReport(VERSION, VERSION)
        assert path.read_bytes() == before
        assert [each.name for each in path.parent.iterdir()] == ["dovetail.db"]

    def test_while_it_is_open_leaves_its_log(self, path: Path) -> None:
        with closing(sqlite3.connect(path)) as raw:
            raw.execute("SELECT * FROM runs").fetchall()
            assert keeper(path).check_schema() == SchemaReport(VERSION, VERSION)
            raw.execute("UPDATE runs SET name = 'x'")
            raw.commit()
        assert query(path, "SELECT name FROM runs") == [("x",)]

    def test_at_none_makes_none(self, tmp_path: Path) -> None:
        assert keeper(tmp_path / "deep" / "new.db").check_schema().version == 0
        assert list(tmp_path.iterdir()) == []

    def test_at_an_empty_one(self, tmp_path: Path) -> None:
        (tmp_path / "new.db").touch()
        assert keeper(tmp_path / "new.db").check_schema().version == 0
        assert (tmp_path / "new.db").read_bytes() == b""

    def test_at_one_in_memory(self) -> None:
        with closing(open_sqlite("sqlite://")) as store:
            assert store.check_schema().version == 0
            assert store.upgrade_schema(print) == SchemaUpgrade(0, VERSION)
            assert store.check_schema() == SchemaReport(VERSION, VERSION)

    def test_at_one_that_falls_behind_names_the_steps(self, path: Path) -> None:
        steps = (Migration(NEXT, add_note, "notes"), Migration(LATER, add_note))
        report = looked_at(open_database(path), LATER, steps)
        assert (report.version, report.newest) == (VERSION, LATER)
        assert report.pending == (f"schema version {NEXT}: notes", f"schema version {LATER}")

    def test_while_somebody_writes(self, path: Path) -> None:
        with closing(sqlite3.connect(path)) as raw:
            raw.execute("BEGIN IMMEDIATE")
            raw.execute("UPDATE runs SET name = 'x'")
            assert keeper(path).check_schema() == SchemaReport(VERSION, VERSION)

    def test_at_one_that_is_locked_gives_up(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        query(path, "PRAGMA journal_mode = DELETE")
        monkeypatch.setenv("DOVETAIL_BUSY_TIMEOUT", "0.2")
        with closing(sqlite3.connect(path)) as raw:
            raw.execute("BEGIN EXCLUSIVE")
            for act in (lambda: keeper(path).check_schema(), lambda: keeper(path).upgrade_schema(print)):
                with pytest.raises(StoreUnavailable, match=r"stayed locked by another process for 0\.2 s"):
                    act()


class TestFaults:
    def test_rows_that_point_nowhere(self, path: Path) -> None:
        query(path, "DELETE FROM runs")
        assert keeper(path).check_schema().faults == (
            "1 row of latest_metric points to no row of runs",
            "1 row of metric_points points to no row of runs",
        )

    def test_a_table_that_is_gone(self, path: Path) -> None:
        query(path, "DROP TABLE tag")
        assert "the table tag is missing" in keeper(path).check_schema().faults

    def test_an_index_that_does_not_agree_is_found_unless_it_is_to_be_quick(self, path: Path) -> None:
        with closing(sqlite3.connect(path)) as raw, raw:
            raw.execute("PRAGMA writable_schema = ON")
            raw.execute("UPDATE sqlite_master SET sql = 'CREATE INDEX ix_metric_points_run ON metric_points (step)' "
                        "WHERE name = 'ix_metric_points_run'")  # fmt: skip
        assert any("ix_metric_points_run" in fault for fault in keeper(path).check_schema().faults)
        assert keeper(path).check_schema(quick=True).faults == ()

    def test_pages_that_are_overwritten(self, path: Path) -> None:
        self._spoil_last_page(path)
        before = path.read_bytes()
        try:
            faults = keeper(path).check_schema().faults
        except StoreError as error:  # some releases of sqlite stop at once
            faults = (error.message,)
        assert faults
        assert path.read_bytes() == before

    def test_end_in_an_exit_code(self, path: Path) -> None:
        query(path, "DELETE FROM runs")
        process = started(MAIN, "check", f"sqlite:///{path}")
        out, _ = process.communicate(timeout=60)
        assert (process.returncode, "points to no row of runs" in out) == (1, True)

    def test_a_head_that_is_overwritten(self, path: Path) -> None:
        content = bytearray(path.read_bytes())
        content[100:4096] = b"\xff" * 3996
        path.write_bytes(content)
        for act in (lambda: keeper(path).check_schema(), lambda: keeper(path).upgrade_schema(print)):
            with pytest.raises(StoreError, match="damaged"):
                act()
        assert path.read_bytes() == bytes(content)

    @pytest.mark.skipif(sys.platform == "win32", reason="signals come by other ways there")
    def test_a_long_search_ends_at_ctrl_c(self) -> None:
        forever = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
        with closing(sqlite3.connect(":memory:", check_same_thread=False)) as raw:
            raw.execute(f"CREATE VIEW forever AS {forever}")
            raw.create_function("loop", 0, lambda: None)
            timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
            from dovetail_sqlite import integrity

            timer.start()
            with pytest.raises(KeyboardInterrupt):
                integrity._rows(raw, forever)
            timer.join()
            assert faults_of(raw) == []

    def _spoil_last_page(self, path: Path) -> None:
        content = bytearray(path.read_bytes())
        content[4096 * 2 : 4096 * 3] = b"\xff" * 4096
        path.write_bytes(content)


class TestOthers:
    @pytest.mark.parametrize("act", ["check_schema", "upgrade_schema"])
    def test_a_database_of_mlflows_is_left_as_it_is(self, tmp_path: Path, act: str) -> None:
        path = tmp_path / "mlflow.db"
        with closing(sqlite3.connect(path)) as raw:
            raw.executescript(
                "CREATE TABLE alembic_version (v TEXT); CREATE TABLE experiments (e TEXT); CREATE TABLE runs (r TEXT)"
            )
        before = path.read_bytes()
        with pytest.raises(ForeignLayout, match="MLflow"):
            getattr(keeper(path), act)(*([] if act == "check_schema" else [print]))
        assert path.read_bytes() == before
        assert [each.name for each in tmp_path.iterdir()] == ["mlflow.db"]

    @pytest.mark.parametrize("command", ["check", "upgrade"])
    def test_a_newer_one_is_refused_with_a_line(self, path: Path, command: str) -> None:
        query(path, f"UPDATE schema_version SET version = {LATER}")
        before = path.read_bytes()
        process = started(MAIN, command, f"sqlite:///{path}")
        _, told = process.communicate(timeout=60)
        assert process.returncode == SchemaTooNew.exit_code
        assert told.splitlines() == [
            f"Error: {path} has schema version {LATER}; this dovetail-sqlite works with versions up to {VERSION}.",
            "  A newer dovetail wrote it: upgrade dovetail-sqlite from where you installed it.",
        ]
        assert path.read_bytes() == before


class TestUpgrading:
    def test_says_what_it_does_and_where_the_copy_lies(self, path: Path) -> None:
        process = newer(path, "upgrade")
        out, told = process.communicate(timeout=60)
        copy = f"{path}.v{VERSION}-backup"
        assert process.returncode == 0, told
        assert f"Upgraded newer:///{path} from schema version {VERSION} to {LATER}.\nAs it was before: {copy}\n" in out
        assert told.splitlines() == [
            f"· copying {path}",
            f"· upgrading to schema version {NEXT}: notes",
            f"· upgrading to schema version {LATER}: more",
        ]
        with closing(sqlite3.connect(copy)) as raw:
            assert raw.execute("SELECT version FROM schema_version").fetchall() == [(VERSION,)]

    def test_two_at_once_do_it_once(self, path: Path) -> None:
        processes = [newer(path, "upgrade", 0.3) for _ in range(3)]
        outs = [process.communicate(timeout=60) for process in processes]
        assert [process.returncode for process in processes] == [0, 0, 0], outs
        assert sorted("Nothing to do" in out for out, _ in outs) == [False, True, True]
        assert [each.name for each in path.parent.glob("*backup*")] == [f"dovetail.db.v{VERSION}-backup"]

    @pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="Windows knows no SIGKILL")
    def test_a_kill_in_the_middle_leaves_the_old_one_and_the_next_upgrade_goes_through(self, path: Path) -> None:
        process = newer(path, "upgrade", 60)
        assert process.stdout is not None
        assert process.stdout.readline() == "half\n"
        process.kill()
        process.communicate()
        with closing(open_sqlite(f"sqlite:///{path}")) as store:
            assert store.check_schema() == SchemaReport(VERSION, VERSION)
            assert store.get_run("r1").data.metrics == {"loss": 0.5}
        again = newer(path, "upgrade")
        out, told = again.communicate(timeout=60)
        assert again.returncode == 0, told
        assert f"from schema version {VERSION} to {LATER}" in out
        assert query(path, "SELECT run_id, note FROM runs") == [("r1", "old")]
        assert [each.name for each in path.parent.glob("*backup*")] == [f"dovetail.db.v{VERSION}-backup"]

    @pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="Windows knows no SIGKILL")
    @pytest.mark.parametrize("moment", [0.25, 0.4, 0.6])
    def test_a_kill_at_any_moment_leaves_the_old_or_the_new(self, path: Path, moment: float) -> None:
        process = newer(path, "upgrade", 0.05)
        time.sleep(moment)
        process.kill()
        process.communicate()
        (version,) = query(path, "SELECT version FROM schema_version")[0]
        columns = {row[1] for row in query(path, "PRAGMA table_info(runs)")}
        assert (version, {"note", "more"} & columns) in [(VERSION, set()), (LATER, {"note", "more"})]
        assert query(path, "PRAGMA integrity_check") == [("ok",)]

    @pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="signals come by other ways there")
    def test_ctrl_c_leaves_the_old_one_and_no_copy(self, path: Path) -> None:
        process = newer(path, "upgrade", 60)
        assert process.stdout is not None
        assert process.stdout.readline() == "half\n"
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=60)
        assert (process.returncode, told.splitlines()[-1]) == (130, "Error: Interrupted.")
        assert query(path, "SELECT version FROM schema_version") == [(VERSION,)]
        assert list(path.parent.glob("*backup*")) == []

    def test_of_none_makes_one(self, tmp_path: Path) -> None:
        told: list[str] = []
        assert keeper(tmp_path / "deep" / "new.db").upgrade_schema(told.append) == SchemaUpgrade(0, VERSION)
        assert (told, (tmp_path / "deep" / "new.db").is_file()) == ([], True)

    def test_with_nothing_to_do_changes_nothing(self, path: Path) -> None:
        before = path.read_bytes()
        assert keeper(path).upgrade_schema(print) == SchemaUpgrade(VERSION, VERSION)
        assert path.read_bytes() == before


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows has other rights")
class TestReadOnly:
    @pytest.fixture
    def folder(self) -> Iterator[Path]:
        """A folder that other users may enter, unlike pytest's own."""
        path = Path(tempfile.mkdtemp(prefix="dovetail-"))
        path.chmod(0o755)
        yield path
        path.chmod(0o755)
        shutil.rmtree(path)

    def test_a_folder_that_may_only_be_read_can_be_looked_at(self, folder: Path) -> None:
        path = with_a_run(folder / "dovetail.db")
        folder.chmod(0o555)
        assert as_nobody(lambda: str(keeper(path).check_schema())) == str(SchemaReport(VERSION, VERSION))
        assert sorted(each.name for each in folder.iterdir()) == ["dovetail.db"]

    def test_but_not_upgraded(self, folder: Path) -> None:
        path = with_a_run(folder / "dovetail.db")
        folder.chmod(0o555)
        steps = (Migration(NEXT, add_note),)
        told = as_nobody(lambda: str(upgraded(open_database(path), print, NEXT, steps)))
        assert told.startswith(f"{StoreReadOnly.__name__}: {path}")


def as_nobody(action: Callable[[], str]) -> str:
    """What an action answers when someone without special rights does it; an error answers by name and message."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        if os.getuid() == 0:
            os.setuid(65534)
        try:
            answer = action()
        except BaseException as error:  # noqa: BLE001 - whatever it is, the parent has to see it
            answer = f"{type(error).__name__}: {error}"
        os.write(writer, answer.encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, encoding="utf-8") as stream:
        answer = stream.read()
    os.waitpid(child, 0)
    return answer
