"""What is written to runs, within one transaction."""

from __future__ import annotations

from operator import eq
from typing import TYPE_CHECKING, Any, TypeAlias

from dovetail.values import Run, RunData
from dovetail_sql.links import NOTHING_MADE, NOTHING_USED, known_models, models_of, put_measures, require_models
from dovetail_sql.params import RUN, Owner, put_params
from dovetail_sql.reading import RunRow, info_of, run_artifacts
from dovetail_sql.tags import RUN_NAME, put_first_tags, put_tags

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from dovetail.values import Batch, Metric, MetricColumns, NewRun
    from dovetail_sql.blocks import Point
    from dovetail_sql.database import Row, Transaction
    from dovetail_sql.reading import ExperimentRow

__all__ = ["Lateness", "add_run", "lateness", "latest_of", "names_of", "put_batch", "put_batches"]

Lateness: TypeAlias = "tuple[int, int, bool, float]"

MANY = 512
"""So many points of one key at once go into blocks, not into the tail."""


def add_run(transaction: Transaction, run: NewRun, experiment: ExperimentRow, root: str) -> tuple[int, Run]:
    """Add a run with its tags, and return its number, too.

    Raises:
        Taken: A run of that id exists.
    """
    tags = {tag.key: tag.value for tag in run.tags}
    if run.run_name:
        tags[RUN_NAME] = run.run_name
    fields = _fields(run, experiment, tags.get(RUN_NAME, ""))
    number = transaction.insert("add_run", fields)
    put_first_tags(transaction, number, tags)
    info = info_of(RunRow(id=number, **fields), root)
    data = RunData.stored(metrics={}, params={}, tags=tags, latest=())
    return number, Run.stored(info=info, data=data, inputs=NOTHING_USED, outputs=NOTHING_MADE)


def _fields(run: NewRun, experiment: ExperimentRow, name: str) -> dict[str, Any]:
    own = experiment.artifact_location
    return {
        "run_id": run.run_id,
        "experiment": experiment.id,
        "name": name,
        "user_id": run.user_id,
        "status": run.status,
        "start_time": run.start_time,
        "end_time": None,
        "artifact_uri": None if own is None else run_artifacts(own, run.run_id),
        "stage": experiment.stage,
    }


def put_batch(transaction: Transaction, run: RunRow, batch: Batch) -> int:
    """Store a batch.

    Returns:
        How many points were added to the tail of the run's histories.

    Raises:
        ParamConflict: A param of that key has another value.
        NotFound: There is no logged model that a metric names.
    """
    ids = transaction.keys.ids(transaction, names_of([batch]))
    if batch.params:
        put_params(transaction, Owner(RUN, run.id, run.run_id), batch.params, ids)
    wanted = models_of([batch])
    models = known_models(transaction, wanted)
    require_models(models, wanted)
    return len(put_batches(transaction, [(run, batch)], ids, models))


def names_of(batches: Iterable[Batch]) -> list[str]:
    """The names of all that is in some batches."""
    return [
        each.key
        for batch in batches
        for several in (batch.metrics, batch.params, batch.tags, batch.columns)
        for each in several
    ]


def put_batches(
    transaction: Transaction,
    batches: Sequence[tuple[RunRow, Batch]],
    ids: Mapping[str, int],
    models: Mapping[str, int],
) -> list[Row]:
    """Store the points and tags of batches, those of one run in their order.

    Args:
        transaction: Where to write.
        batches: Each with its run.
        ids: The numbers of all names.
        models: The numbers of the logged models that metrics are about.

    Returns:
        What was added to the tails of histories: rows that begin with the number of the run.
    """
    rows = [row for run, batch in batches for row in _points(run.id, batch.metrics, ids)]
    latest = _latest(rows)
    for run, columns in ((run, columns) for run, batch in batches for columns in batch.columns):
        latest.append(latest_of(run.id, ids[columns.key], columns))
        rows += _put_columns(transaction, run.id, columns, ids)
    if rows:
        transaction.many("add_point", rows)
    if latest:
        transaction.many("put_latest", _latest(latest))
    put_measures(transaction, [(run, batch.metrics) for run, batch in batches if batch.metrics], ids, models)
    if tagged := [(run, batch.tags) for run, batch in batches if batch.tags]:
        put_tags(transaction, tagged)
    return rows


def _put_columns(transaction: Transaction, run: int, columns: MetricColumns, ids: Mapping[str, int]) -> list[Row]:
    """Make blocks of columns; where they are too short for that, the rows that the tail gets."""
    if len(columns.values) < MANY:
        return _points(run, list(columns.points()), ids)
    _add_blocks(transaction, run, ids[columns.key], columns)
    return []


def _points(run: int, metrics: Sequence[Metric], ids: Mapping[str, int]) -> list[Row]:
    return [
        (run, ids[each.key], each.value if each.value == each.value else None, each.timestamp, each.step)
        for each in metrics
    ]


def _latest(rows: Sequence[Row]) -> list[Row]:
    """The latest point of each key of a run among these."""
    latest = {row[:2]: row for row in rows}
    if len(latest) == len(rows):  # nearly always: a step of some metrics
        return list(rows)
    for row in rows:
        if _is_later(row, latest[row[:2]]):
            latest[row[:2]] = row
    return list(latest.values())


def _is_later(row: Row, held: Row) -> bool:
    if row[-1] != held[-1]:  # nearly always
        return bool(row[-1] > held[-1])
    return _row_lateness(row) > _row_lateness(held)


def _row_lateness(row: Row) -> Lateness:
    _, _, value, timestamp, step = row
    return lateness((timestamp, step, value))


def lateness(point: Point) -> Lateness:
    """What the latest point has the most of."""
    timestamp, step, value = point
    return step, timestamp, value is not None, 0.0 if value is None else value


def latest_of(run: int, key: int, columns: MetricColumns) -> Row:
    """The latest point of columns, as a row of ``put_latest``."""
    step = max(columns.steps)
    start = columns.steps.index(step)  # none before it is as late
    timestamps, values = columns.timestamps[start:], columns.values[start:]
    valued = map(eq, values, values)  # NaN is not equal to itself, and comes before all values
    step, timestamp, there, value = max(zip(columns.steps[start:], timestamps, valued, values, strict=True))
    return run, key, value if there else None, timestamp, step


def _add_blocks(transaction: Transaction, run: int, key: int, columns: MetricColumns) -> None:
    # Most processes never come here, and packing takes its time to load.
    from dovetail_sql.blocks import are_ordered, defined
    from dovetail_sql.sealing import add_blocks, add_columns

    timestamps, steps, values = list(columns.timestamps), list(columns.steps), list(columns.values)
    if are_ordered(timestamps, steps):
        add_columns(transaction, run, key, (timestamps, steps, values))
    else:
        points = list(zip(timestamps, steps, defined(values), strict=True))
        add_blocks(transaction, run, {key: points})
