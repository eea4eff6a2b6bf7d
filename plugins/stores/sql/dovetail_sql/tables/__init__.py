"""The tables, in SQLAlchemy Core, for every engine; one module a noun."""

from __future__ import annotations

from dovetail_sql.tables.columns import INDEXED, metadata
from dovetail_sql.tables.datasets import datasets, input_tags, run_inputs
from dovetail_sql.tables.experiments import experiment_tags, experiments, journal_writers, keys, schema_version
from dovetail_sql.tables.histories import metric_blocks, metric_points
from dovetail_sql.tables.leases import leases
from dovetail_sql.tables.logged_models import logged_models, model_metric, model_param, model_tag, run_models
from dovetail_sql.tables.registry import (
    deleted_models,
    model_version_tags,
    model_versions,
    registered_model_tags,
    registered_models,
    registry_aliases,
    registry_moves,
)
from dovetail_sql.tables.runs import latest_metric, param, runs, tag

__all__ = [
    "INDEXED",
    "datasets",
    "deleted_models",
    "experiment_tags",
    "experiments",
    "input_tags",
    "journal_writers",
    "keys",
    "latest_metric",
    "leases",
    "logged_models",
    "metadata",
    "metric_blocks",
    "metric_points",
    "model_metric",
    "model_param",
    "model_tag",
    "model_version_tags",
    "model_versions",
    "param",
    "registered_model_tags",
    "registered_models",
    "registry_aliases",
    "registry_moves",
    "run_inputs",
    "run_models",
    "runs",
    "schema_version",
    "tag",
]
