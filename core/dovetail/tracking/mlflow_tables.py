"""A SQLite file of MLflow's: opened so that nothing in it or beside it changes, and known by its tables."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from dovetail.errors import ForeignLayout, StoreError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Tables", "marks"]

_NEEDED = {
    "alembic_version": {"version_num"},
    "experiments": {"experiment_id", "name", "artifact_location", "lifecycle_stage"},
    "experiment_tags": {"key", "value", "experiment_id"},
    "runs": {
        *("run_uuid", "name", "user_id", "status", "start_time", "end_time"),
        *("lifecycle_stage", "artifact_uri", "experiment_id"),
    },
    "metrics": {"key", "value", "timestamp", "run_uuid", "step", "is_nan"},
    "latest_metrics": {"key", "value", "timestamp", "run_uuid", "step", "is_nan"},
    "params": {"key", "value", "run_uuid"},
    "tags": {"key", "value", "run_uuid"},
}
"""What every release of MLflow since 1.15 has; what came later is read where it is."""


class Tables:
    """What a file holds, by table and column.

    Args:
        path: The file.

    Raises:
        ForeignLayout: It is no database, not one of MLflow's, or one of a release whose tables are not known.

    Attributes:
        columns: The names of each table's columns.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._copy: str | None = None
        self.columns: dict[str, set[str]] = {}
        self._connection = self._connected(path)
        try:
            self.columns = self._known()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the file, and remove the copy if one was read."""
        self._connection.close()
        if self._copy is not None:
            shutil.rmtree(self._copy, ignore_errors=True)

    def workspaces(self) -> list[str]:
        """The workspaces that are not the default one."""
        if "workspace" not in self.columns["experiments"]:
            return []
        rows = self.rows("SELECT DISTINCT workspace FROM experiments WHERE workspace != 'default' ORDER BY 1")
        return [str(row[0]) for row in rows]

    def in_default(self, table: str) -> str:
        """The condition that a row is in the default workspace, for tables that know others."""
        return " AND workspace = 'default'" if "workspace" in self.columns.get(table, ()) else ""

    def where(self, table: str) -> str:
        """The same as the first condition."""
        return self.in_default(table).replace(" AND", "WHERE", 1)

    def texts(self, select: str, column: str = "", ids: Sequence[Any] = ()) -> dict[Any, dict[str, str]]:
        """Keys and values, by the id that they belong to; a value that is missing is empty text."""
        found: dict[Any, dict[str, str]] = defaultdict(dict)
        where = f" WHERE {column} IN ({marks(ids)})" if column else ""
        for owner, key, value in self.rows(select + where, ids):
            found[owner][key] = value or ""
        return found

    def rows(self, select: str, values: Sequence[Any] = ()) -> list[Any]:
        """The answer to a question.

        Raises:
            StoreError: The file cannot be read.
        """
        try:
            return self._connection.execute(select, tuple(values)).fetchall()
        except sqlite3.DatabaseError as error:
            kind = StoreError if self.columns else ForeignLayout
            raise kind(f"{self._path} cannot be read as a database of MLflow's: {error}.") from error

    # --- opening -------------------------------------------------------------------------------------------------

    def _connected(self, path: Path) -> sqlite3.Connection:
        """Open the file so that nothing in it or beside it changes.

        In a file with a write-ahead log, what another process did last lies beside it. SQLite would make files there to
        read it, or bring it in; so a copy of both is opened then, and without such a log the file alone.
        """
        try:
            with path.open("rb") as file:
                logged = file.read(20)[18:19] == b"\x02"
            log = Path(f"{path}-wal")
            if logged and log.exists() and log.stat().st_size:
                return sqlite3.connect(f"file:{quote(str(self._copied(path, log)))}", uri=True)
        except OSError as error:
            raise StoreError(f"{path} cannot be read: {error.strerror}.") from error
        return sqlite3.connect(f"file:{quote(str(path))}?mode=ro{'&immutable=1' * logged}", uri=True, timeout=30)

    def _copied(self, path: Path, log: Path) -> Path:
        self._copy = tempfile.mkdtemp(prefix="dovetail-")
        for each in (log, path):
            shutil.copyfile(each, Path(self._copy, each.name))
        return Path(self._copy, path.name)

    def _known(self) -> dict[str, set[str]]:
        names = [str(row[0]) for row in self.rows("SELECT name FROM sqlite_master WHERE type = 'table'")]
        found = {
            name: {str(row[0]) for row in self.rows("SELECT name FROM pragma_table_info(?)", (name,))} for name in names
        }
        if missing := sorted(set(_NEEDED) - set(found)):
            raise ForeignLayout(
                f"{self._path} is no database that MLflow keeps runs in: it has no table {missing[0]!r}.",
                hint="Between databases of dovetail's, runs go by `dovetail sync`.",
            )
        for table, columns in _NEEDED.items():
            if lacking := sorted(columns - found[table]):
                version = next(iter(self.rows("SELECT version_num FROM alembic_version")), ("unknown",))[0]
                raise ForeignLayout(
                    f"{self._path} was made by a release of MLflow that is not known here (schema {version}): "
                    f"its table {table!r} has no column {lacking[0]!r}.",
                    hint="Upgrade a copy of it by `mlflow db upgrade`, and import that.",
                )
        return found


def marks(values: Sequence[Any]) -> str:
    """As many question marks as there are values, for ``IN``."""
    return ", ".join("?" * len(values))
