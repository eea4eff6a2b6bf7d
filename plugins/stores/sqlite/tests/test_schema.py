"""The schema: written beforehand, checked, and upgraded in one go with a copy made first."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import dovetail_sqlite
from dovetail.errors import ForeignLayout, SchemaTooNew, StoreError, StoreUnavailable
from dovetail.values import Batch, Metric, NewRun
from dovetail_sql.compiling import module_text
from dovetail_sql.migrations import Migration
from dovetail_sql.schema import VERSION, SchemaState, check, upgrade
from dovetail_sqlite import open_sqlite
from dovetail_sqlite.backup import copy_of, fill
from dovetail_sqlite.opening import open_database

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dovetail_sql.database import Transaction


def add_note(transaction: Transaction) -> None:
    transaction.execute("ALTER TABLE runs ADD COLUMN note TEXT")


def rebuild_keys(transaction: Transaction) -> None:
    """What sqlite asks for where it cannot alter a table: a new one in its place, though others refer to it."""
    transaction.execute("CREATE TABLE keys_new (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, seen INTEGER)")
    transaction.execute("INSERT INTO keys_new SELECT id, name, 0 FROM keys")
    transaction.execute("DROP TABLE keys")
    transaction.execute("ALTER TABLE keys_new RENAME TO keys")


def lose_keys(transaction: Transaction) -> None:
    transaction.execute("DELETE FROM keys")


def fail(transaction: Transaction) -> None:
    transaction.execute("ALTER TABLE runs ADD COLUMN half TEXT")
    transaction.execute("CREATE TABLE")


# Releases to come, with a step each.
NEXT, LATER = VERSION + 1, VERSION + 2
STEPS = (Migration(NEXT, add_note), Migration(LATER, rebuild_keys))
COPY = f"dovetail.db.v{VERSION}-backup"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "dovetail.db"
    with closing(open_sqlite(f"sqlite:///{path}")) as store:
        run_id = store.create_run(NewRun("0", run_id="r1")).info.run_id
        store.log_batch(run_id, Batch((Metric("loss", 0.5),)))
    return path


def query(path: Path, text: str) -> list[Any]:
    with closing(sqlite3.connect(path)) as raw:
        return raw.execute(text).fetchall()


def columns(path: Path, table: str) -> list[str]:
    return [row[1] for row in query(path, f"PRAGMA table_info({table})")]


class TestCompiled:
    def test_is_what_tables_and_statements_say(self) -> None:
        written = Path(dovetail_sqlite.__file__).with_name("compiled.py").read_text(encoding="utf-8")
        assert written == module_text(), "run: python -m dovetail_sql.compiling <this file>"


class TestCheck:
    def test_of_a_store_that_is_up_to_date(self, path: Path) -> None:
        assert check(open_database(path)) == SchemaState(VERSION, VERSION)
        assert check(open_database(path)).current

    def test_of_one_that_was_never_made_makes_nothing(self, tmp_path: Path) -> None:
        assert check(open_database(tmp_path / "runs" / "new.db")) == SchemaState(0, VERSION)
        assert list(tmp_path.iterdir()) == []

    def test_of_one_that_falls_behind(self, path: Path) -> None:
        assert not check(open_database(path), wanted=LATER).current
        assert check(open_database(path), wanted=LATER).version == VERSION

    def test_in_memory(self) -> None:
        with closing(open_database(None)) as database:
            assert check(database) == SchemaState(0, VERSION)
            assert upgrade(database) == SchemaState(VERSION, VERSION, before=0)
            assert check(database) == SchemaState(VERSION, VERSION)


class TestUpgrade:
    def test_of_a_store_that_is_up_to_date_changes_nothing(self, path: Path) -> None:
        before = path.read_bytes()
        assert upgrade(open_database(path)) == SchemaState(VERSION, VERSION)
        assert path.read_bytes() == before
        assert [each.name for each in path.parent.iterdir()] == ["dovetail.db"]

    def test_goes_all_steps_and_keeps_what_was_there(self, path: Path) -> None:
        state = upgrade(open_database(path), LATER, STEPS)
        assert (state.version, state.wanted) == (LATER, LATER)
        assert "note" in columns(path, "runs")
        assert "seen" in columns(path, "keys")
        assert query(path, "SELECT version FROM schema_version") == [(LATER,)]
        assert query(path, "SELECT name FROM keys") == [("loss",)]
        assert query(path, "PRAGMA foreign_key_check") == []

    def test_leaves_a_copy_that_is_a_whole_store(self, path: Path) -> None:
        state = upgrade(open_database(path), LATER, STEPS)
        assert state.backup == str(path.with_name(COPY))
        assert sorted(each.name for each in path.parent.iterdir()) == ["dovetail.db", COPY]
        Path(state.backup).rename(path.with_name("old.db"))
        with closing(open_sqlite(f"sqlite:///{path.with_name('old.db')}")) as old:
            assert old.get_run("r1").data.metrics == {"loss": 0.5}

    def test_never_overwrites_an_older_copy(self, path: Path) -> None:
        path.with_name(COPY).write_text("precious")
        state = upgrade(open_database(path), NEXT, STEPS)
        assert state.backup == str(path.with_name(f"{COPY}-1"))
        assert path.with_name(COPY).read_text() == "precious"

    @pytest.mark.parametrize(("step", "why"), [(fail, "could not be used"), (lose_keys, "was not changed")])
    def test_that_fails_leaves_everything_as_it_was(self, path: Path, step: Any, why: str) -> None:
        with pytest.raises(StoreError, match=why):
            upgrade(open_database(path), LATER, (Migration(NEXT, add_note), Migration(LATER, step)))
        assert query(path, "SELECT version FROM schema_version") == [(VERSION,)]
        assert "note" not in columns(path, "runs")
        assert [each.name for each in path.parent.iterdir()] == ["dovetail.db"]
        with closing(open_sqlite(f"sqlite:///{path}")) as store:
            assert store.get_run("r1").data.metrics == {"loss": 0.5}

    def test_without_a_way_there_is_refused(self, path: Path) -> None:
        with pytest.raises(StoreError, match=f"no way from schema version {VERSION} to {LATER}"):
            upgrade(open_database(path), LATER, (Migration(NEXT, add_note),))
        assert [each.name for each in path.parent.iterdir()] == ["dovetail.db"]

    def test_that_fails_spares_the_copies_of_others(self, path: Path) -> None:
        path.with_name(COPY).write_text("precious")
        with pytest.raises(StoreError):
            upgrade(open_database(path), NEXT, (Migration(NEXT, fail),))
        assert path.with_name(COPY).read_text() == "precious"
        assert len(list(path.parent.iterdir())) == 2

    def test_again_after_a_kill_makes_no_second_copy(self, path: Path) -> None:
        with open_database(path).write() as transaction:
            copy = copy_of(path, VERSION, 5.0)  # and was killed before anything changed
            assert transaction.first("version", {}) == (VERSION,)
        state = upgrade(open_database(path), NEXT, STEPS)
        assert state.backup == str(copy.path)
        assert sorted(each.name for each in path.parent.iterdir()) == ["dovetail.db", COPY]

    def test_that_fails_spares_an_equal_copy_from_before(self, path: Path) -> None:
        with open_database(path).write():
            copy_of(path, VERSION, 5.0)
        with pytest.raises(StoreError):
            upgrade(open_database(path), NEXT, (Migration(NEXT, fail),))
        assert path.with_name(COPY).is_file()

    def test_sweeps_up_what_killed_upgrades_left(self, path: Path) -> None:
        for name in (f"{COPY}.4711", f"{COPY}.4711-journal", f"{COPY}-1.12", "dovetail.db.v1-backup.9"):
            path.with_name(name).write_text("half a copy")
        others = {f"{COPY}.old", "other.db.v1-backup.9", "dovetail.db.v1-backup.9.txt"}
        for name in others:
            path.with_name(name).write_text("precious")
        upgrade(open_database(path), NEXT, STEPS)
        assert {each.name for each in path.parent.iterdir()} == {"dovetail.db", COPY} | others

    def test_by_many_at_once_is_done_once(self, path: Path) -> None:
        ran: list[int] = []

        def counted(transaction: Transaction) -> None:
            ran.append(1)
            add_note(transaction)

        threads = [
            threading.Thread(target=upgrade, args=(open_database(path), NEXT, (Migration(NEXT, counted),)))
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert ran == [1]
        assert len(list(path.parent.glob("*backup*"))) == 1

    def test_of_a_foreign_database_is_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "music.db"
        with closing(sqlite3.connect(path)) as raw:
            raw.execute("CREATE TABLE albums (title TEXT)")
        before = path.read_bytes()
        with pytest.raises(ForeignLayout):
            upgrade(open_database(path))
        assert path.read_bytes() == before

    def test_of_a_newer_one_is_refused(self, path: Path) -> None:
        upgrade(open_database(path), NEXT, STEPS)
        with pytest.raises(SchemaTooNew):
            upgrade(open_database(path))

    def test_does_not_wait_for_readers(self, path: Path) -> None:
        read = (
            "import sys; from dovetail_sqlite import open_sqlite;"
            "print(open_sqlite(sys.argv[1]).get_run('r1').info.status)"
        )
        with open_database(path).exclusive():
            argv = [sys.executable, "-c", read, f"sqlite:///{path}"]
            done = subprocess.run(argv, check=True, capture_output=True, text=True, timeout=30)
        assert done.stdout == "RUNNING\n"


class TestBackup:
    def test_copies_more_than_one_portion(self, tmp_path: Path) -> None:
        with closing(sqlite3.connect(tmp_path / "a.db")) as source, closing(sqlite3.connect(":memory:")) as copy:
            source.execute("CREATE TABLE big (content BLOB)")
            source.executemany("INSERT INTO big VALUES (zeroblob(?))", [(3 << 20,)] * 4)
            source.commit()
            fill(copy, source, 5.0)
            assert copy.execute("SELECT sum(length(content)) FROM big").fetchone() == (12 << 20,)

    def test_of_a_file_that_stays_locked_is_given_up(self, tmp_path: Path) -> None:
        with _kept_from(tmp_path / "a.db") as source, closing(sqlite3.connect(":memory:")) as copy:
            before = time.monotonic()
            with pytest.raises(StoreUnavailable, match=r"stayed locked for 0\.3 s"):
                fill(copy, source, 0.3)
            assert time.monotonic() - before < 5

    @pytest.mark.skipif(sys.platform == "win32", reason="signals come by other ways there")
    def test_of_a_file_that_stays_locked_ends_at_ctrl_c(self, tmp_path: Path) -> None:
        timer = threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT))
        with _kept_from(tmp_path / "a.db") as source, closing(sqlite3.connect(":memory:")) as copy:
            timer.start()
            with pytest.raises(KeyboardInterrupt):
                fill(copy, source, 30.0)
        timer.join()


@contextmanager
def _kept_from(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection to a file that another one keeps locked."""
    with closing(sqlite3.connect(path, timeout=60)) as source, closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE notes (note TEXT)")
        other.execute("BEGIN EXCLUSIVE")
        yield source
