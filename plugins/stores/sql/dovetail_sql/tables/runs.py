"""Runs and what they show: the latest metrics, params and tags.

``latest_metric``, ``param`` and ``tag`` are keyed by (run, key); a second index by (key, value, run) finds runs by
what they logged.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, SmallInteger, String, Table, Text

from dovetail_sql.tables.columns import Id, Number, keyed_texts, metadata, name, of, value
from dovetail_sql.tables.experiments import experiments, keys

__all__ = ["latest_metric", "param", "runs", "tag"]

runs = Table(
    "runs",
    metadata,
    Column("id", Id, primary_key=True),
    Column("run_id", name(256), nullable=False, unique=True),
    of(experiments),
    Column("name", value(), nullable=False),
    Column("user_id", value(), nullable=False),
    Column("status", String(16), nullable=False),
    Column("start_time", BigInteger, nullable=False),
    Column("end_time", BigInteger),
    # NULL: below the store's default artifact root, as for experiments.
    Column("artifact_uri", Text),
    Column("stage", String(16), nullable=False),
    # 1: it went into the bin along with its experiment and comes back with it.
    Column("binned_with_experiment", SmallInteger, nullable=False),
    Column("deletion_time", BigInteger),
    # 1: it has inputs or outputs; most have none, and nobody need look for them.
    Column("linked", SmallInteger, nullable=False, server_default="0"),
)

# Runs of an experiment in the order in which they are listed.
Index("ix_runs_listing", runs.c.experiment, runs.c.stage, runs.c.start_time.desc(), runs.c.run_id)

latest_metric = Table(
    "latest_metric",
    metadata,
    of(runs, primary_key=True),
    of(keys, primary_key=True),
    Column("value", Number),
    Column("timestamp", BigInteger, nullable=False),
    Column("step", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
Index("ix_latest_metric_search", latest_metric.c.key, latest_metric.c.value, latest_metric.c.run)

param = keyed_texts("param", runs, keys)
# When it was set, in milliseconds since 1970: what a journal brings late takes no newer one's place. 0: not noted.
tag = keyed_texts("tag", runs, keys, Column("set_at", BigInteger, nullable=False, server_default="0"))
