"""Logged models: what is written to them within one transaction, and the values that callers get of them."""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING, Any, NamedTuple

from dovetail import uris
from dovetail.values import LoggedModel, LoggedModelStatus, Metric
from dovetail_sql.params import LOGGED_MODEL, Owner
from dovetail_sql.params import put_params as add_params
from dovetail_sql.reading import texts_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dovetail.values import NewLoggedModel, Param, Tag
    from dovetail_sql.database import Row, Transaction
    from dovetail_sql.reading import ExperimentRow

__all__ = ["LoggedModelRow", "add_model", "logged_models", "put_params", "put_tags"]


class LoggedModelRow(NamedTuple):
    """A row of the table ``logged_models``, without the columns that only statements look at."""

    id: int
    model_id: str
    experiment: int
    name: str
    model_type: str | None
    source_run_id: str | None
    status: str
    status_message: str | None
    artifact_location: str | None
    creation_time: int
    last_update_time: int
    stage: str


def add_model(transaction: Transaction, model: NewLoggedModel, experiment: ExperimentRow) -> LoggedModelRow:
    """Add a model with its params and tags.

    Raises:
        Taken: A model of that id exists.
        ParamConflict: Two of its params have one key and different values.
    """
    own = experiment.artifact_location
    fields: dict[str, Any] = {
        "model_id": model.model_id,
        "experiment": experiment.id,
        "name": model.name,
        "model_type": model.model_type,
        "source_run_id": model.source_run_id,
        "status": model.status.value,
        "status_message": None,
        "artifact_location": None if own is None else _artifacts(own, model.model_id),
        "creation_time": model.creation_timestamp,
        "last_update_time": model.creation_timestamp,
        "stage": experiment.stage,
    }
    row = LoggedModelRow(id=transaction.insert("add_logged_model", fields), **fields)
    put_params(transaction, row, model.params)
    put_tags(transaction, row, model.tags)
    return row


def put_params(transaction: Transaction, row: LoggedModelRow, params: Sequence[Param]) -> None:
    """Add params to a model; the same value again is fine.

    Raises:
        ParamConflict: One of them has another value.
    """
    if params:
        ids = transaction.keys.ids(transaction, [param.key for param in params])
        add_params(transaction, Owner(LOGGED_MODEL, row.id, row.model_id), params, ids)


def put_tags(transaction: Transaction, row: LoggedModelRow, tags: Sequence[Tag]) -> None:
    """Set tags of a model; of two with one key the last one holds."""
    wanted = {tag.key: tag.value for tag in tags}
    if wanted:
        ids = transaction.keys.ids(transaction, wanted)
        transaction.many("put_model_tag", [(row.id, ids[key], value) for key, value in wanted.items()])


def logged_models(transaction: Transaction, rows: Sequence[LoggedModelRow], root: str) -> list[LoggedModel]:
    """The models of these rows, with params, tags and points: three queries, however many models."""
    if not rows:
        return []
    ids = [row.id for row in rows]
    among = {"models": transaction.listed(ids)}
    params = texts_of(transaction, "model_params_of", ids, among)
    tags = texts_of(transaction, "model_tags_of", ids, among)
    points = _points(transaction, rows, among)
    return [_model(row, params[row.id], tags[row.id], points[row.id], root) for row in rows]


def _model(
    row: LoggedModelRow, params: dict[str, str], tags: dict[str, str], points: Sequence[Metric], root: str
) -> LoggedModel:
    location = row.artifact_location or _artifacts(uris.join(root, str(row.experiment)), row.model_id)
    return LoggedModel.stored(
        experiment_id=str(row.experiment),
        model_id=row.model_id,
        name=row.name,
        artifact_location=location,
        creation_timestamp=row.creation_time,
        last_updated_timestamp=row.last_update_time,
        model_type=row.model_type,
        source_run_id=row.source_run_id,
        status=LoggedModelStatus(row.status),
        status_message=row.status_message,
        tags=tags,
        params=params,
        metrics=tuple(points),
    )


def _artifacts(location: str, model_id: str) -> str:
    """Where a model's files lie below its experiment's location."""
    return uris.join(location, "models", model_id, "artifacts")


def _points(transaction: Transaction, rows: Sequence[LoggedModelRow], among: dict[str, Any]) -> dict[int, list[Metric]]:
    found = transaction.rows("model_points_of", among)
    names = transaction.keys.names(transaction, {point[1] for point in found})
    ids = {row.id: row.model_id for row in rows}
    held: dict[int, list[Metric]] = {row.id: [] for row in rows}
    for point in sorted(found, key=lambda each: _place(each, names[each[1]])):
        held[point[0]].append(_metric(point, names[point[1]], ids[point[0]]))
    return held


def _place(point: Row, name: str) -> tuple[object, ...]:
    """Where a point stands among those of its model."""
    _, _, value, timestamp, step, dataset, digest, run_id = point
    return timestamp, step, name, value is None, 0.0 if value is None else value, dataset or "", digest or "", run_id


def _metric(point: Row, name: str, model_id: str) -> Metric:
    _, _, value, timestamp, step, dataset, digest, run_id = point
    return Metric.stored(
        key=name,
        value=nan if value is None else value,
        timestamp=timestamp,
        step=step,
        model_id=model_id,
        dataset_name=dataset,
        dataset_digest=digest,
        run_id=run_id,
    )
