"""What searches can ask of each entity, as columns and tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Text, bindparam, cast, func, literal, select, true

from dovetail_sql import tables as t
from dovetail_sql.statements.logged_models import LOGGED_MODEL_COLUMNS
from dovetail_sql.statements.runs import RUN_COLUMNS
from dovetail_sql.vocabulary import Held, Part, Vocabulary

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, FromClause, Table
    from sqlalchemy.sql.selectable import ScalarSelect

__all__ = ["ENTITIES"]

_INT, _TEXT = (int,), (str,)
_NO_INT, _NO_TEXT = (int, type(None)), (str, type(None))
_CONTEXT = "mlflow.data.context"


def _interned(rows: FromClause, key: str) -> ColumnElement[bool]:
    number: ScalarSelect[int] = select(t.keys.c.id).where(t.keys.c.name == bindparam(key)).scalar_subquery()
    condition: ColumnElement[bool] = rows.c.key == number
    return condition


def _spelled(rows: FromClause, key: str) -> ColumnElement[bool]:
    condition: ColumnElement[bool] = rows.c.name == bindparam(key)
    return condition


def _anything(rows: FromClause, key: str) -> ColumnElement[bool]:
    del rows, key
    return true()


def _in_context(rows: FromClause, key: str) -> ColumnElement[bool]:
    del rows, key
    condition: ColumnElement[bool] = t.input_tags.c.name == literal(_CONTEXT)
    return condition


def _texts(table: Table, owner: str, named: Any = _interned) -> Held:
    return Held(table, table.c[owner], table.c.value, named, texts=True)


_r, _e, _m, _v, _l = t.runs.c, t.experiments.c, t.registered_models.c, t.model_versions.c, t.logged_models.c
_used = t.run_inputs.join(t.datasets, t.datasets.c.id == t.run_inputs.c.dataset)
_tagged = t.run_inputs.join(t.input_tags, t.input_tags.c.input == t.run_inputs.c.id)


def _place(own: ColumnElement[Any], experiment: ColumnElement[Any], *ends: Any) -> ColumnElement[Any]:
    """A location as ``reading`` puts it together where none is stored; ``root`` ends without a slash."""
    place: Any = bindparam("root", type_=Text()) + "/" + cast(experiment, Text)
    for end in ends:
        place = place + end
    return func.coalesce(own, place)


RUNS = Vocabulary(
    table=t.runs,
    columns=RUN_COLUMNS,
    attributes={
        "run_id": (_r.run_id, _TEXT),
        "run_name": (_r.name, _TEXT),
        "user_id": (_r.user_id, _TEXT),
        "status": (_r.status, _TEXT),
        "artifact_uri": (_place(_r.artifact_uri, _r.experiment, "/", _r.run_id, "/artifacts"), _TEXT),
        "start_time": (_r.start_time, _INT),
        "end_time": (_r.end_time, _NO_INT),
    },
    ties=(Part(_r.start_time, False, _INT), Part(_r.run_id, True, _TEXT)),
    held={
        "metric": Held(t.latest_metric, t.latest_metric.c.run, t.latest_metric.c.value, _interned),
        "param": _texts(t.param, "run"),
        "tag": _texts(t.tag, "run"),
    },
    fields={
        ("dataset", "name"): Held(_used, t.run_inputs.c.run, t.datasets.c.name, _anything, several=True),
        ("dataset", "digest"): Held(_used, t.run_inputs.c.run, t.datasets.c.digest, _anything, several=True),
        ("dataset", "context"): Held(_tagged, t.run_inputs.c.run, t.input_tags.c.value, _in_context, several=True),
    },
    optional=frozenset({"end_time"}),
    indexed=frozenset({"run_id", "start_time"}),
    stage=_r.stage,
    experiment=_r.experiment,
    listed="start_time",
)

EXPERIMENTS = Vocabulary(
    table=t.experiments,
    columns=tuple(t.experiments.c),
    attributes={
        "name": (_e.name, _TEXT),
        "experiment_id": (cast(_e.id, Text), _TEXT),
        "creation_time": (_e.creation_time, _INT),
        "last_update_time": (_e.last_update_time, _INT),
    },
    ties=(Part(_e.creation_time, False, _INT), Part(_e.id, False, _INT)),
    # Tags of experiments have no index for searches: nothing is gained by asking for short and long ones apart.
    held={"tag": Held(t.experiment_tags, t.experiment_tags.c.experiment, t.experiment_tags.c.value, _spelled)},
    indexed=frozenset({"name"}),
    stage=_e.stage,
)

REGISTERED_MODELS = Vocabulary(
    table=t.registered_models,
    columns=tuple(t.registered_models.c),
    attributes={
        "name": (_m.name, _TEXT),
        "creation_timestamp": (_m.creation_time, _INT),
        "last_updated_timestamp": (_m.last_update_time, _INT),
    },
    ties=(Part(_m.name, True, _TEXT),),
    held={"tag": _texts(t.registered_model_tags, "model", _spelled)},
    indexed=frozenset({"name"}),
)

MODEL_VERSIONS = Vocabulary(
    table=t.model_versions,
    columns=tuple(t.model_versions.c),
    attributes={
        "name": (_v.name, _TEXT),
        "version_number": (_v.version, _INT),
        "run_id": (_v.run_id, _NO_TEXT),
        "source_path": (_v.source, _TEXT),
        "model_id": (_v.model_id, _NO_TEXT),
        "current_stage": (_v.stage, _TEXT),
        "status": (_v.status, _TEXT),
        "creation_timestamp": (_v.creation_time, _INT),
        "last_updated_timestamp": (_v.last_update_time, _INT),
    },
    ties=(Part(_v.last_update_time, False, _INT), Part(_v.name, True, _TEXT), Part(_v.version, False, _INT)),
    held={"tag": _texts(t.model_version_tags, "version", _spelled)},
    optional=frozenset({"run_id", "model_id"}),
    indexed=frozenset({"name", "run_id", "model_id"}),
)

LOGGED_MODELS = Vocabulary(
    table=t.logged_models,
    columns=LOGGED_MODEL_COLUMNS,
    attributes={
        "name": (_l.name, _TEXT),
        "model_id": (_l.model_id, _TEXT),
        "model_type": (_l.model_type, _NO_TEXT),
        "status": (_l.status, _TEXT),
        "status_message": (_l.status_message, _NO_TEXT),
        "source_run_id": (_l.source_run_id, _NO_TEXT),
        "experiment_id": (cast(_l.experiment, Text), _TEXT),
        "artifact_location": (
            _place(_l.artifact_location, _l.experiment, "/models/", _l.model_id, "/artifacts"),
            _TEXT,
        ),
        "creation_timestamp": (_l.creation_time, _INT),
        "last_updated_timestamp": (_l.last_update_time, _INT),
    },
    ties=(Part(_l.creation_time, False, _INT), Part(_l.model_id, True, _TEXT)),
    held={
        "metric": Held(
            t.model_metric,
            t.model_metric.c.model,
            t.model_metric.c.value,
            _interned,
            several=True,
            dataset=t.model_metric.c.dataset,
        ),
        "param": _texts(t.model_param, "model"),
        "tag": _texts(t.model_tag, "model"),
    },
    optional=frozenset({"model_type", "status_message", "source_run_id"}),
    indexed=frozenset({"model_id", "source_run_id", "creation_timestamp"}),
    stage=_l.stage,
    experiment=_l.experiment,
    listed="creation_timestamp",
)

ENTITIES = {
    "runs": RUNS,
    "experiments": EXPERIMENTS,
    "registered_models": REGISTERED_MODELS,
    "model_versions": MODEL_VERSIONS,
    "logged_models": LOGGED_MODELS,
}
