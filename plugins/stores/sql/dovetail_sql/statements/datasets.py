"""Statements about datasets and what runs used and made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, bindparam, func, select, update

from dovetail.tracking.subjects import CONTEXT
from dovetail_sql import tables as t
from dovetail_sql.functions import Within
from dovetail_sql.links import NOT_NOTED, NOTED
from dovetail_sql.statements.parts import row

if TYPE_CHECKING:
    from sqlalchemy.sql.expression import Executable

    from dovetail_sql.statements.parts import Put

__all__ = ["MANY", "fixed"]

MANY: dict[str, tuple[str, ...]] = {
    "add_dataset": ("experiment", "name", "digest", "source_type", "source", "schema", "profile"),
    "add_run_input": ("run", "dataset"),
    "add_input_tag": ("input", "name", "value"),
    "put_run_model": ("run", "model", "made", "step"),
}

_d, _inputs, _tags, _models = t.datasets, t.run_inputs, t.input_tags, t.run_models


def fixed(put: Put) -> dict[str, Executable]:
    """All of them by name."""
    return {**_datasets(put), **_links(put), **_held(), **_summaries()}


def _datasets(put: Put) -> dict[str, Executable]:
    lists = Within(_d.c.name, bindparam("names")), Within(_d.c.digest, bindparam("digests"))
    known = _d.c.experiment == bindparam("experiment"), *lists
    added = row(put(_d), MANY["add_dataset"])
    return {
        # What was noted first of a dataset holds.
        "add_dataset": added.on_conflict_do_nothing(index_elements=["experiment", "name", "digest"]),
        "datasets_named": select(_d.c.id, _d.c.name, _d.c.digest, _d.c.source_type).where(*known),
        # What metrics named and nothing else was noted of; if two bring the rest at once, the first one's holds.
        "fill_dataset": update(_d)
        .where(_d.c.id == bindparam("id"), _d.c.source_type == NOT_NOTED)
        .values({name: bindparam(f"new_{name}") for name in NOTED}),
    }


def _links(put: Put) -> dict[str, Executable]:
    used = row(put(_inputs), MANY["add_run_input"])
    label = row(put(_tags), MANY["add_input_tag"])
    linked = row(put(_models), MANY["put_run_model"])
    return {
        "add_run_input": used.on_conflict_do_nothing(index_elements=["run", "dataset"]),
        "run_inputs": select(_inputs.c.id, _inputs.c.dataset).where(_inputs.c.run == bindparam("run")),
        "add_input_tag": label.on_conflict_do_nothing(index_elements=["input", "name"]),
        "put_run_model": linked.on_conflict_do_update(
            index_elements=["run", "model", "made"], set_={"step": linked.excluded.step}
        ),
        "link_run": update(t.runs).where(t.runs.c.id == bindparam("id")).values(linked=1),
    }


def _held() -> dict[str, Executable]:
    """What runs used and made, in the order in which it was logged; ``runs`` is a list of their numbers."""
    among: Any = bindparam("runs")
    fields = (_d.c.name, _d.c.digest, _d.c.source_type, _d.c.source, _d.c.schema, _d.c.profile)
    labels = select(_tags).join(_inputs, _inputs.c.id == _tags.c.input).where(Within(_inputs.c.run, among))
    return {
        "inputs_of": select(_inputs.c.run, _inputs.c.id, *fields)
        .join(_d, _d.c.id == _inputs.c.dataset)
        .where(Within(_inputs.c.run, among))
        .order_by(_inputs.c.id),
        "input_tags_of": labels.order_by(_tags.c.input, _tags.c.name),
        "run_models_of": select(_models.c.run, _models.c.made, _models.c.step, t.logged_models.c.model_id)
        .join(t.logged_models, t.logged_models.c.id == _models.c.model)
        .where(Within(_models.c.run, among))
        .order_by(_models.c.id),
    }


def _summaries() -> dict[str, Executable]:
    """Which datasets the active runs of some experiments used, and what for."""
    context = func.coalesce(_tags.c.value, "").label("context")
    found = (
        select(_d.c.experiment, _d.c.name, _d.c.digest, context)
        .join(_inputs, _inputs.c.dataset == _d.c.id)
        .join(t.runs, t.runs.c.id == _inputs.c.run)
        .outerjoin(_tags, and_(_tags.c.input == _inputs.c.id, _tags.c.name == CONTEXT))
        .where(Within(_d.c.experiment, bindparam("experiments")), t.runs.c.stage == "active")
    )
    order = _d.c.name, _d.c.digest, context, _d.c.experiment
    return {"dataset_summaries": found.distinct().order_by(*order).limit(bindparam("limit"))}
