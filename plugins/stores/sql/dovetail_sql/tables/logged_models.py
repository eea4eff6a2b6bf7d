"""Logged models with their params, tags and metrics, and which runs used and made them."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, SmallInteger, String, Table, Text, UniqueConstraint

from dovetail_sql.tables.columns import Id, Number, keyed_texts, metadata, name, of, value
from dovetail_sql.tables.datasets import datasets
from dovetail_sql.tables.experiments import experiments, keys
from dovetail_sql.tables.runs import runs

__all__ = ["logged_models", "model_metric", "model_param", "model_tag", "run_models"]

logged_models = Table(
    "logged_models",
    metadata,
    Column("id", Id, primary_key=True),
    Column("model_id", name(256), nullable=False, unique=True),
    of(experiments),
    Column("name", name(256), nullable=False),
    Column("model_type", value()),
    # The run's own id, since a run may be taken away for good before what it made.
    Column("source_run_id", name(256), index=True),
    Column("status", String(16), nullable=False),
    Column("status_message", value()),
    # NULL: below the store's default artifact root, as for experiments.
    Column("artifact_location", Text),
    Column("creation_time", BigInteger, nullable=False),
    Column("last_update_time", BigInteger, nullable=False),
    Column("stage", String(16), nullable=False),
    Column("deletion_time", BigInteger),
)
Index(
    "ix_logged_models_listing",
    logged_models.c.experiment,
    logged_models.c.stage,
    logged_models.c.creation_time.desc(),
    logged_models.c.model_id,
)

model_param = keyed_texts("model_param", logged_models, keys)
model_tag = keyed_texts("model_tag", logged_models, keys)

# Every point measured on a model; a model has few, so there are no blocks.
model_metric = Table(
    "model_metric",
    metadata,
    Column("id", Id, primary_key=True),
    of(logged_models),
    of(keys),
    of(runs, index=True),
    of(datasets, nullable=True, index=True),
    Column("value", Number),
    Column("timestamp", BigInteger, nullable=False),
    Column("step", BigInteger, nullable=False),
)
Index("ix_model_metric_model", model_metric.c.model, model_metric.c.key)
Index("ix_model_metric_search", model_metric.c.key, model_metric.c.value, model_metric.c.model)

run_models = Table(
    "run_models",
    metadata,
    Column("id", Id, primary_key=True),
    of(runs),
    of(logged_models, index=True),
    # 1: the run made it; 0: the run used it.
    Column("made", SmallInteger, nullable=False),
    Column("step", BigInteger, nullable=False),
    UniqueConstraint("run", "model", "made"),
)
