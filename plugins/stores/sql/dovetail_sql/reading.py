"""From rows to the values that callers get."""

from __future__ import annotations

from functools import lru_cache
from math import nan
from typing import TYPE_CHECKING, Any, NamedTuple

from dovetail import uris
from dovetail.values import Experiment, Run, RunData, RunInfo
from dovetail_sql.links import NOTHING_MADE, NOTHING_USED, links_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dovetail.values import RunInputs, RunOutputs
    from dovetail_sql.database import Transaction

__all__ = ["ExperimentRow", "Point", "RunRow", "experiments", "info_of", "run", "run_artifacts", "runs", "texts_of"]


_PARAM = 1  # in the statement ``held_by``, where 0 is a metric
Point = tuple[str, float, int, int]
"""A metric's latest point: key, value, timestamp, step."""


class ExperimentRow(NamedTuple):
    """A row of the table ``experiments``."""

    id: int
    name: str
    artifact_location: str | None
    stage: str
    creation_time: int
    last_update_time: int
    deletion_time: int | None = None

    def location(self, root: str) -> str:
        """Where its artifacts lie, given the root that holds where none is stored."""
        return self.artifact_location or uris.join(root, str(self.id))


class RunRow(NamedTuple):
    """A row of the table ``runs``, without the columns that only statements look at."""

    id: int
    run_id: str
    experiment: int
    name: str
    user_id: str
    status: str
    start_time: int
    end_time: int | None
    artifact_uri: str | None
    stage: str
    linked: int = 0


def experiments(transaction: Transaction, rows: Sequence[ExperimentRow], root: str) -> list[Experiment]:
    """The experiments of these rows, with their tags."""
    tags: dict[int, dict[str, str]] = {row.id: {} for row in rows}
    if rows:
        for number, name, value in transaction.rows("experiment_tags", {"ids": transaction.listed(list(tags))}):
            tags[number][name] = value
    return [_experiment(row, tags[row.id], root) for row in rows]


def _experiment(row: ExperimentRow, tags: dict[str, str], root: str) -> Experiment:
    return Experiment.stored(
        experiment_id=str(row.id),
        name=row.name,
        artifact_location=row.location(root),
        lifecycle_stage=row.stage,
        tags=tags,
        creation_time=row.creation_time,
        last_update_time=row.last_update_time,
    )


def info_of(row: RunRow, root: str) -> RunInfo:
    """A run's metadata."""
    return RunInfo.stored(
        run_id=row.run_id,
        experiment_id=str(row.experiment),
        run_name=row.name,
        user_id=row.user_id,
        status=row.status,
        start_time=row.start_time,
        end_time=row.end_time,
        artifact_uri=row.artifact_uri or _default_artifacts(root, row.experiment, row.run_id),
        lifecycle_stage=row.stage,
    )


def _default_artifacts(root: str, experiment: int, run_id: str) -> str:
    location = _location(root, experiment)
    if run_id.isascii() and run_id.isalnum() and "?" not in location:
        return f"{location}/{run_id}/artifacts"  # as run_artifacts puts it together, which takes its time
    return run_artifacts(location, run_id)


@lru_cache(maxsize=256)
def _location(root: str, experiment: int) -> str:
    return uris.join(root, str(experiment))


def run_artifacts(location: str, run_id: str) -> str:
    """Where a run's artifacts lie below its experiment's location."""
    return uris.join(location, run_id, "artifacts")


def run(transaction: Transaction, row: RunRow, root: str) -> Run:
    """The run of this row with all it holds: one query, or four where it used or made something."""
    held = transaction.rows("held_by", {"run": row.id})
    names = transaction.keys.names(transaction, {each[1] for each in held})
    latest: list[Point] = []
    params: dict[str, str] = {}
    tags: dict[str, str] = {}
    for kind, key, number, text, timestamp, step in held:
        if kind:
            (params if kind == _PARAM else tags)[names[key]] = text
        else:
            latest.append((names[key], nan if number is None else number, timestamp, step))
    links = links_of(transaction, [row]) if row.linked else {}
    return _run(row, root, RunData.read(latest, params, tags), links.get(row.id, (NOTHING_USED, NOTHING_MADE)))


def runs(transaction: Transaction, rows: Sequence[RunRow], root: str) -> list[Run]:
    """The runs of these rows with all they hold: three queries, or six where runs used or made something."""
    if not rows:
        return []
    ids = [row.id for row in rows]
    among = {"runs": transaction.listed(ids)}
    latest = _latest(transaction, rows, among)
    params = texts_of(transaction, "params_of", ids, among)
    tags = texts_of(transaction, "tags_of", ids, among)
    links, nothing = links_of(transaction, rows), (NOTHING_USED, NOTHING_MADE)
    return [
        _run(row, root, RunData.read(latest[row.id], params[row.id], tags[row.id]), links.get(row.id, nothing))
        for row in rows
    ]


def _run(row: RunRow, root: str, data: RunData, links: tuple[RunInputs, RunOutputs]) -> Run:
    inputs, outputs = links
    return Run.stored(info=info_of(row, root), data=data, inputs=inputs, outputs=outputs)


def _latest(transaction: Transaction, rows: Sequence[RunRow], among: dict[str, Any]) -> dict[int, list[Point]]:
    found = transaction.rows("latest_of", among)
    names = transaction.keys.names(transaction, {point[1] for point in found})
    held: dict[int, list[Point]] = {row.id: [] for row in rows}
    for run, key, value, timestamp, step in found:
        held[run].append((names[key], nan if value is None else value, timestamp, step))
    return held


def texts_of(
    transaction: Transaction, statement: str, owners: Sequence[int], among: dict[str, Any]
) -> dict[int, dict[str, str]]:
    """Params or tags, by owner and key.

    Args:
        transaction: Where to read.
        statement: What reads them: of each the owner, the key's number and the value.
        owners: The numbers of those whose they are.
        among: The parameter of the statement that lists these.
    """
    found = transaction.rows(statement, among)
    names = transaction.keys.names(transaction, {text[1] for text in found})
    held: dict[int, dict[str, str]] = {owner: {} for owner in owners}
    for owner, key, value in found:
        held[owner][names[key]] = value
    return held
