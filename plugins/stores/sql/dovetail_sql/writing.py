"""What is written to runs, within one transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dovetail.values import Run, RunData
from dovetail_sql.links import NOTHING_MADE, NOTHING_USED, put_measures
from dovetail_sql.params import RUN, Owner, put_params
from dovetail_sql.reading import RunRow, info_of, run_artifacts

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dovetail.values import Batch, Metric, NewRun, Tag
    from dovetail_sql.database import Row, Transaction
    from dovetail_sql.reading import ExperimentRow

__all__ = ["RUN_NAME", "add_run", "put_batch", "put_tags"]

RUN_NAME = "mlflow.runName"


def add_run(transaction: Transaction, run: NewRun, experiment: ExperimentRow, root: str) -> Run:
    """Add a run with its tags.

    Raises:
        Taken: A run of that id exists.
    """
    tags = {tag.key: tag.value for tag in run.tags}
    if run.run_name:
        tags[RUN_NAME] = run.run_name
    fields = _fields(run, experiment, tags.get(RUN_NAME, ""))
    number = transaction.insert("add_run", fields)
    _put_texts(transaction, "put_tag", number, tags)
    info = info_of(RunRow(id=number, **fields), root)
    data = RunData.stored(metrics={}, params={}, tags=tags, latest=())
    return Run.stored(info=info, data=data, inputs=NOTHING_USED, outputs=NOTHING_MADE)


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


def put_batch(transaction: Transaction, run: RunRow, batch: Batch) -> None:
    """Store a batch.

    Raises:
        ParamConflict: A param of that key has another value.
        NotFound: There is no logged model that a metric names.
    """
    ids = transaction.keys.ids(transaction, _names(batch))
    if batch.params:
        put_params(transaction, Owner(RUN, run.id, run.run_id), batch.params, ids)
    if batch.metrics:
        rows = _points(run.id, batch.metrics, ids)
        transaction.many("add_point", rows)
        transaction.many("put_latest", _latest(rows))
        put_measures(transaction, run, batch.metrics, ids)
    if batch.tags:
        put_tags(transaction, run, batch.tags)


def put_tags(transaction: Transaction, run: RunRow, tags: Iterable[Tag]) -> None:
    """Set tags of a run; the one that carries its name renames it."""
    wanted = {tag.key: tag.value for tag in tags}
    _put_texts(transaction, "put_tag", run.id, wanted)
    if wanted.get(RUN_NAME, run.name) != run.name:
        transaction.run("rename_run", {"id": run.id, "new_name": wanted[RUN_NAME]})


def _names(batch: Batch) -> list[str]:
    return [each.key for members in (batch.metrics, batch.params, batch.tags) for each in members]


def _put_texts(transaction: Transaction, statement: str, run: int, texts: dict[str, str]) -> None:
    if texts:
        ids = transaction.keys.ids(transaction, texts)
        transaction.many(statement, [(run, ids[key], value) for key, value in texts.items()])


def _points(run: int, metrics: Sequence[Metric], ids: dict[str, int]) -> list[Row]:
    return [
        (run, ids[each.key], each.value if each.value == each.value else None, each.timestamp, each.step)
        for each in metrics
    ]


def _latest(rows: Sequence[Row]) -> list[Row]:
    """The latest point of each key among these."""
    latest: dict[int, tuple[tuple[int, int, bool, float], Row]] = {}
    for row in rows:
        _, key, value, timestamp, step = row
        lateness = step, timestamp, value is not None, 0.0 if value is None else value
        held = latest.get(key)
        if held is None or lateness > held[0]:
            latest[key] = lateness, row
    return [row for _, row in latest.values()]
