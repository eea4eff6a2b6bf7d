"""What is written to runs, within one transaction."""

from __future__ import annotations

from operator import eq
from typing import TYPE_CHECKING, Any, TypeAlias

from dovetail.values import Run, RunData, Tag
from dovetail.values.measure import now_ms
from dovetail_sql.links import NOTHING_MADE, NOTHING_USED, put_measures
from dovetail_sql.params import RUN, Owner, put_params
from dovetail_sql.reading import RunRow, info_of, run_artifacts

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dovetail.values import Batch, Metric, MetricColumns, NewRun
    from dovetail_sql.blocks import Point
    from dovetail_sql.database import Row, Transaction
    from dovetail_sql.reading import ExperimentRow

__all__ = ["RUN_NAME", "Lateness", "add_run", "lateness", "latest_of", "put_batch", "put_tags"]

Lateness: TypeAlias = "tuple[int, int, bool, float]"

RUN_NAME = "mlflow.runName"
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
    _put_tags(transaction, number, [Tag.stored(key=key, value=value) for key, value in tags.items()])
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
    ids = transaction.keys.ids(transaction, _names(batch))
    if batch.params:
        put_params(transaction, Owner(RUN, run.id, run.run_id), batch.params, ids)
    rows = _points(run.id, batch.metrics, ids)
    latest = _latest(rows)
    for columns in batch.columns:
        latest.append(latest_of(run.id, ids[columns.key], columns))
        if len(columns.values) < MANY:
            rows += _points(run.id, list(columns.points()), ids)
        else:
            _add_blocks(transaction, run.id, ids[columns.key], columns)
    if rows:
        transaction.many("add_point", rows)
    if latest:
        transaction.many("put_latest", latest)
    if batch.metrics:
        put_measures(transaction, run, batch.metrics, ids)
    if batch.tags:
        put_tags(transaction, run, batch.tags)
    return len(rows)


def put_tags(transaction: Transaction, run: RunRow, tags: Iterable[Tag]) -> None:
    """Set tags of a run; the one that carries its name renames it. One set in the past takes no newer one's place."""
    wanted = {tag.key: tag for tag in tags}
    _put_tags(transaction, run.id, [tag for tag in wanted.values() if tag.set_at is None])
    late = [tag for tag in wanted.values() if tag.set_at is not None]
    _put_tags(transaction, run.id, late, "put_late_tag")
    if RUN_NAME in wanted:
        named = wanted[RUN_NAME]
        name = named.value if named.set_at is None else _name_of(transaction, run)
        if name != run.name:
            transaction.run("rename_run", {"id": run.id, "new_name": name})


def _names(batch: Batch) -> list[str]:
    members = (batch.metrics, batch.params, batch.tags, batch.columns)
    return [each.key for several in members for each in several]


def _put_tags(transaction: Transaction, run: int, tags: Sequence[Tag], statement: str = "put_tag") -> None:
    if tags:
        ids, now = transaction.keys.ids(transaction, [tag.key for tag in tags]), now_ms()
        rows = [(run, ids[tag.key], tag.value, now if tag.set_at is None else tag.set_at) for tag in tags]
        transaction.many(statement, rows)


def _name_of(transaction: Transaction, run: RunRow) -> str:
    """What the tag of the name says now."""
    key = transaction.keys.ids(transaction, [RUN_NAME])[RUN_NAME]
    held = {found: value for _, found, value in transaction.rows("tags_of", {"runs": transaction.listed([run.id])})}
    return str(held[key])


def _points(run: int, metrics: Sequence[Metric], ids: dict[str, int]) -> list[Row]:
    return [
        (run, ids[each.key], each.value if each.value == each.value else None, each.timestamp, each.step)
        for each in metrics
    ]


def _latest(rows: Sequence[Row]) -> list[Row]:
    """The latest point of each key among these."""
    if len({row[1] for row in rows}) == len(rows):
        return list(rows)
    latest: dict[int, tuple[Lateness, Row]] = {}
    for row in rows:
        _, key, value, timestamp, step = row
        late, held = lateness((timestamp, step, value)), latest.get(key)
        if held is None or late > held[0]:
            latest[key] = late, row
    return [row for _, row in latest.values()]


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
