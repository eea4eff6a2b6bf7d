"""Fills MLflow's own tables with runs like one that it logged itself: logging as many would take it hours."""

from __future__ import annotations

import sqlite3
import uuid
from contextlib import closing
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Row = dict[str, Any]
HELD = {"metrics": "metrics", "latest_metrics": "metrics", "params": "params", "tags": "tags"}
"""Tables whose rows belong to a run, and where a batch has what they hold."""
NAME = "mlflow.runName"
AT_ONCE = 1000


def copy(path: str, run_id: str, batches: Iterable[tuple[str, dict[str, list[Any]]]]) -> None:
    """Add a run for each name and batch; all they do not say is as in the run there.

    Args:
        path: The sqlite database.
        run_id: A finished run that logged a batch of the same keys.
        batches: What to add, as `Client.log_batch` takes it.
    """
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.row_factory = sqlite3.Row
        database.execute("PRAGMA synchronous = OFF")
        database.execute("PRAGMA cache_size = -1000000")
        (run,) = _rows(database, "runs", run_id)
        held = {table: {row["key"]: row for row in _rows(database, table, run_id)} for table in HELD}
        database.execute("BEGIN")
        for some in _packs(_run(run, held, name, batch) for name, batch in batches):
            for table in ("runs", *HELD):
                _add(database, table, [row for rows in some for row in rows[table]])
        database.execute("COMMIT")


def _rows(database: sqlite3.Connection, table: str, run_id: str) -> list[Row]:
    return [dict(row) for row in database.execute(f"SELECT * FROM {table} WHERE run_uuid = ?", (run_id,))]


def _run(run: Row, held: dict[str, dict[str, Row]], name: str, batch: dict[str, list[Any]]) -> dict[str, list[Row]]:
    """The rows of one run, by table."""
    new = uuid.uuid4().hex
    location = run["artifact_uri"].replace(run["run_uuid"], new)
    rows = {"runs": [{**run, "run_uuid": new, "name": name, "artifact_uri": location}]}
    for table, part in HELD.items():
        rows[table] = [{**held[table][each.key], "value": each.value, "run_uuid": new} for each in batch[part]]
    rows["tags"].append({**held["tags"][NAME], "value": name, "run_uuid": new})
    return rows


def _packs(runs: Iterable[dict[str, list[Row]]]) -> Iterator[list[dict[str, list[Row]]]]:
    pack = []
    for run in runs:
        pack.append(run)
        if len(pack) == AT_ONCE:
            yield pack
            pack = []
    yield pack


def _add(database: sqlite3.Connection, table: str, rows: list[Row]) -> None:
    if rows:
        columns = list(rows[0])
        values = ", ".join(f":{column}" for column in columns)
        database.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({values})", rows)
