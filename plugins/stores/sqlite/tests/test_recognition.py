"""Files that are not dovetail's are recognised, named for what they are, and left as they are."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from dovetail.errors import ForeignLayout, SchemaTooNew, StoreError
from dovetail.values import NewRun
from dovetail_sql.schema import VERSION
from dovetail_sqlite import open_sqlite

if TYPE_CHECKING:
    from pathlib import Path

# The layout of MLflow's database, as far as it matters here.
MLFLOW = """
CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY);
CREATE TABLE experiments (experiment_id INTEGER NOT NULL PRIMARY KEY, name VARCHAR(256) NOT NULL UNIQUE,
    artifact_location VARCHAR(256), lifecycle_stage VARCHAR(32));
CREATE TABLE runs (run_uuid VARCHAR(32) NOT NULL PRIMARY KEY, name VARCHAR(250), experiment_id INTEGER);
CREATE TABLE latest_metrics (key VARCHAR(250) NOT NULL, value FLOAT NOT NULL, run_uuid VARCHAR(32) NOT NULL);
INSERT INTO alembic_version VALUES ('0584bdc529eb');
INSERT INTO experiments VALUES (0, 'Default', './mlruns/0', 'active');
"""


def made(path: Path, script: str, *, mode: str = "delete") -> Path:
    with closing(sqlite3.connect(path)) as raw:
        raw.execute(f"PRAGMA journal_mode = {mode}")
        raw.executescript(script)
    return path


def refusal(path: Path, kind: type[StoreError]) -> StoreError:
    """The error that reading and writing end in; the file must come out of both as it went in."""
    before = path.read_bytes()
    with closing(open_sqlite(f"sqlite:///{path}")) as store:
        with pytest.raises(kind) as reading:
            store.get_experiment("0")
        with pytest.raises(kind) as writing:
            store.create_run(NewRun("0"))
    assert str(reading.value) == str(writing.value)
    assert path.read_bytes() == before
    return reading.value


class TestMlflowsDatabase:
    @pytest.mark.parametrize("mode", ["delete", "wal"])
    def test_is_refused_and_not_altered(self, tmp_path: Path, mode: str) -> None:
        error = refusal(made(tmp_path / "mlflow.db", MLFLOW, mode=mode), ForeignLayout)
        assert "mlflow.db" in error.message
        assert "MLflow" in error.message
        assert "sqlite:///dovetail.db" in str(error.hint)

    def test_is_not_altered_while_its_log_holds_changes(self, tmp_path: Path) -> None:
        path = made(tmp_path / "mlflow.db", MLFLOW, mode="wal")
        with closing(sqlite3.connect(path)) as raw:
            raw.execute("INSERT INTO experiments VALUES (1, 'mine', NULL, 'active')")
            raw.commit()
            log = path.with_name("mlflow.db-wal").read_bytes()
            refusal(path, ForeignLayout)
            assert path.with_name("mlflow.db-wal").read_bytes() == log


class TestOtherFiles:
    def test_a_database_of_something_else_is_refused(self, tmp_path: Path) -> None:
        error = refusal(made(tmp_path / "music.db", "CREATE TABLE albums (title TEXT)"), ForeignLayout)
        assert "albums" in error.message

    @pytest.mark.parametrize(
        ("script", "named"),
        [
            ("CREATE VIEW today AS SELECT date()", "today"),
            ("PRAGMA application_id = 252006673", "application_id 252006673"),
            ("PRAGMA user_version = 5", "user_version 5"),
            (
                "CREATE TABLE a (i INTEGER PRIMARY KEY AUTOINCREMENT); INSERT INTO a VALUES (1); DROP TABLE a",
                "sqlite_sequence",
            ),
        ],
    )
    def test_one_without_tables_that_is_somebodys_is_refused(self, tmp_path: Path, script: str, named: str) -> None:
        assert named in refusal(made(tmp_path / "other.db", script), ForeignLayout).message

    def test_a_file_that_is_no_database_is_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "notes.db"
        path.write_text("Remember to label the samples.\n" * 100)
        assert "not a sqlite database" in refusal(path, StoreError).message

    def test_a_folder_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(StoreError, match="is a folder"):
            open_sqlite(f"sqlite:///{tmp_path}").get_experiment("0")

    def test_a_file_below_a_file_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "runs").write_text("")
        with pytest.raises(StoreError, match="runs"):
            open_sqlite(f"sqlite:///{tmp_path}/runs/dovetail.db").get_experiment("0")

    def test_a_damaged_database_is_named_so(self, tmp_path: Path) -> None:
        path = tmp_path / "dovetail.db"
        with closing(open_sqlite(f"sqlite:///{path}")) as store:
            store.create_run(NewRun("0"))
        content = bytearray(path.read_bytes())
        content[100:4096] = b"\xff" * 3996
        path.write_bytes(content)
        with pytest.raises(StoreError, match="damaged"):
            open_sqlite(f"sqlite:///{path}").get_experiment("0")

    def test_an_empty_file_becomes_a_store(self, tmp_path: Path) -> None:
        path = tmp_path / "dovetail.db"
        path.touch()
        with closing(open_sqlite(f"sqlite:///{path}")) as store:
            assert store.get_experiment("0").name == "Default"


class TestNewerSchema:
    def test_is_refused_by_both_versions_and_what_to_upgrade(self, tmp_path: Path) -> None:
        path = tmp_path / "dovetail.db"
        with closing(open_sqlite(f"sqlite:///{path}")) as store:
            store.create_run(NewRun("0"))
        made(path, f"UPDATE schema_version SET version = {VERSION + 1}")
        error = refusal(path, SchemaTooNew)
        assert f"has schema version {VERSION + 1};" in error.message
        assert error.message.endswith(f"up to {VERSION}.")
        assert "upgrade dovetail-sqlite" in str(error.hint)

    def test_without_its_version_it_is_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "dovetail.db"
        with closing(open_sqlite(f"sqlite:///{path}")) as store:
            store.create_run(NewRun("0"))
        made(path, "DELETE FROM schema_version")
        assert "lost its schema version" in refusal(path, StoreError).message

    @pytest.mark.parametrize("version", ["'1'||'b'", "x'01'", "1.5", "0", "-3"])
    def test_with_something_else_in_its_place_it_is_refused(self, tmp_path: Path, version: str) -> None:
        path = self._with(tmp_path, f"UPDATE schema_version SET version = {version}")
        assert "no version" in refusal(path, StoreError).message
        assert [each.name for each in tmp_path.iterdir()] == ["dovetail.db"]

    def test_with_no_number_in_its_place_it_is_refused(self, tmp_path: Path) -> None:
        script = "DROP TABLE schema_version; CREATE TABLE schema_version (version INTEGER);"
        path = self._with(tmp_path, script + "INSERT INTO schema_version VALUES (NULL)")
        assert "has None in its table schema_version" in refusal(path, StoreError).message
        assert [each.name for each in tmp_path.iterdir()] == ["dovetail.db"]

    def _with(self, folder: Path, script: str) -> Path:
        path = folder / "dovetail.db"
        with closing(open_sqlite(f"sqlite:///{path}")) as store:
            store.create_run(NewRun("0"))
        return made(path, script)
