"""Some columns of runs instead of all they hold: as runs, or as plain rows."""

from __future__ import annotations

from functools import cache
from math import nan
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, select

from dovetail.tracking.filters import Column, parse_columns
from dovetail.values import Run, RunData
from dovetail_sql import tables as t
from dovetail_sql.functions import Within
from dovetail_sql.links import NOTHING_MADE, NOTHING_USED
from dovetail_sql.reading import info_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy import Select

    from dovetail_sql.database import Row, Transaction
    from dovetail_sql.reading import Point, RunRow

__all__ = ["Projection"]

_HELD = {"metric": t.latest_metric, "param": t.param, "tag": t.tag}


class Projection:
    """The columns that are wanted of runs.

    Args:
        columns: Their names, as ``parse_columns`` reads them.
        root: The artifact root of runs that have stored none.
        single: Whether each has to be one column.

    Raises:
        InvalidFilter: One of them is no column of a run.
    """

    def __init__(self, columns: Sequence[str], root: str, *, single: bool = False) -> None:
        self._columns, self._root = parse_columns(columns, single=single), root

    def rows(self, transaction: Transaction, runs: Sequence[RunRow]) -> list[tuple[Any, ...]]:
        """The values of the columns for each run, None where it has none."""
        numbers = [run.id for run in runs]
        held = {kind: self._by_key(transaction, kind, numbers) for kind in _HELD}
        if not self._columns:
            return [() for _ in runs]
        return list(zip(*(self._values(column, runs, held) for column in self._columns), strict=True))

    def runs(self, transaction: Transaction, runs: Sequence[RunRow]) -> list[Run]:
        """The runs with their metadata, and of what they hold what is among the columns."""
        numbers = [run.id for run in runs]
        latest: dict[int, list[Point]] = {number: [] for number in numbers}
        for name, row in self._found(transaction, "metric", numbers):
            latest[row[0]].append((name, nan if row[2] is None else row[2], row[3], row[4]))
        params, tags = (self._by_run(transaction, kind, numbers) for kind in ("param", "tag"))
        return [self._run(run, latest[run.id], params[run.id], tags[run.id]) for run in runs]

    # --- steps -----------------------------------------------------------------------------------------------

    def _run(self, run: RunRow, latest: list[Point], params: dict[str, str], tags: dict[str, str]) -> Run:
        data = RunData.read(latest, params, tags)
        return Run.stored(info=info_of(run, self._root), data=data, inputs=NOTHING_USED, outputs=NOTHING_MADE)

    def _values(
        self, column: Column, runs: Sequence[RunRow], held: Mapping[str, Mapping[str, Mapping[int, Any]]]
    ) -> Iterable[Any]:
        key = str(column.key)
        if column.kind != "attribute":
            values = held[column.kind].get(key, {})
            return [values.get(run.id) for run in runs]
        if key == "experiment_id":
            return [str(run.experiment) for run in runs]
        if key == "artifact_uri":
            return [info_of(run, self._root).artifact_uri for run in runs]
        # Named on the left as in a run's metadata, on the right as in the table.
        name = {"run_name": "name", "lifecycle_stage": "stage"}.get(key, key)
        return [getattr(run, name) for run in runs]

    def _by_key(self, transaction: Transaction, kind: str, runs: Sequence[int]) -> dict[str, dict[int, Any]]:
        values: dict[str, dict[int, Any]] = {}
        for name, row in self._found(transaction, kind, runs):
            values.setdefault(name, {})[row[0]] = nan if row[2] is None else row[2]
        return values

    def _by_run(self, transaction: Transaction, kind: str, runs: Sequence[int]) -> dict[int, dict[str, str]]:
        values: dict[int, dict[str, str]] = {run: {} for run in runs}
        for name, row in self._found(transaction, kind, runs):
            values[row[0]][name] = row[2]
        return values

    def _found(self, transaction: Transaction, kind: str, runs: Sequence[int]) -> Iterable[tuple[str, Row]]:
        """The rows of what these runs hold of a kind, as far as it is wanted, each with its key."""
        wanted = {column.key for column in self._columns if column.kind == kind}
        if not wanted or not runs:
            return ()
        among = {"runs": transaction.listed(runs)}
        if None in wanted:
            rows = transaction.rows(_held(kind), among)
            names: Mapping[int, str] = transaction.keys.names(transaction, {row[1] for row in rows})
        else:
            named = {"names": transaction.listed(sorted(map(str, wanted)))}
            names = {number: name for number, name in transaction.rows("key_ids", named)}  # noqa: C416 - rows are lists
            rows = transaction.rows(_held_under(kind), {**among, "keys": transaction.listed(list(names))})
        return ((names[row[1]], row) for row in rows)


@cache
def _held(kind: str) -> Select[Any]:
    table = _HELD[kind]
    return select(table).where(Within(table.c.run, bindparam("runs")))


@cache
def _held_under(kind: str) -> Select[Any]:
    return _held(kind).where(Within(_HELD[kind].c.key, bindparam("keys")))
