"""SQL for sqlite, written by ``python -m dovetail_sql.compiling`` from the tables and statements there."""

# ruff: noqa: E501 - lines are as long as SQLAlchemy writes them

from __future__ import annotations

__all__ = ["DEFINITIONS", "FIXED"]

DEFINITIONS = (
    "CREATE TABLE experiments ( id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, name VARCHAR(500) NOT NULL, artifact_location TEXT, stage VARCHAR(8) NOT NULL, creation_time BIGINT NOT NULL, last_update_time BIGINT NOT NULL, CONSTRAINT uq_experiments_name UNIQUE (name) )",
    "CREATE TABLE keys ( id INTEGER NOT NULL, name VARCHAR(250) NOT NULL, PRIMARY KEY (id), CONSTRAINT uq_keys_name UNIQUE (name) )",
    "CREATE TABLE journal_writers ( writer VARCHAR(256) NOT NULL, sequence BIGINT NOT NULL, PRIMARY KEY (writer) ) WITHOUT ROWID",
    "CREATE TABLE schema_version ( version INTEGER NOT NULL )",
    "CREATE TABLE experiment_tags ( experiment INTEGER NOT NULL, name VARCHAR(250) NOT NULL, value TEXT NOT NULL, PRIMARY KEY (experiment, name), FOREIGN KEY(experiment) REFERENCES experiments (id) ) WITHOUT ROWID",
    "CREATE TABLE runs ( id INTEGER NOT NULL, run_id VARCHAR(256) NOT NULL, experiment INTEGER NOT NULL, name TEXT NOT NULL, user_id TEXT NOT NULL, status VARCHAR(16) NOT NULL, start_time BIGINT NOT NULL, end_time BIGINT, artifact_uri TEXT, stage VARCHAR(8) NOT NULL, binned_with_experiment SMALLINT NOT NULL, PRIMARY KEY (id), CONSTRAINT uq_runs_run_id UNIQUE (run_id), FOREIGN KEY(experiment) REFERENCES experiments (id) )",
    "CREATE INDEX ix_runs_listing ON runs (experiment, stage, start_time DESC, run_id)",
    """CREATE TABLE metric_points ( id INTEGER NOT NULL, run INTEGER NOT NULL, "key" INTEGER NOT NULL, value DOUBLE, timestamp BIGINT NOT NULL, step BIGINT NOT NULL, PRIMARY KEY (id), FOREIGN KEY(run) REFERENCES runs (id), FOREIGN KEY("key") REFERENCES keys (id) )""",
    "CREATE INDEX ix_metric_points_run ON metric_points (run)",
    """CREATE TABLE latest_metric ( run INTEGER NOT NULL, "key" INTEGER NOT NULL, value DOUBLE, timestamp BIGINT NOT NULL, step BIGINT NOT NULL, PRIMARY KEY (run, "key"), FOREIGN KEY(run) REFERENCES runs (id), FOREIGN KEY("key") REFERENCES keys (id) ) WITHOUT ROWID""",
    """CREATE INDEX ix_latest_metric_search ON latest_metric ("key", value, run)""",
    """CREATE TABLE param ( run INTEGER NOT NULL, "key" INTEGER NOT NULL, value TEXT NOT NULL, PRIMARY KEY (run, "key"), FOREIGN KEY(run) REFERENCES runs (id), FOREIGN KEY("key") REFERENCES keys (id) ) WITHOUT ROWID""",
    """CREATE INDEX ix_param_search ON param ("key", substr(value, 1, 128), run)""",
    """CREATE TABLE tag ( run INTEGER NOT NULL, "key" INTEGER NOT NULL, value TEXT NOT NULL, PRIMARY KEY (run, "key"), FOREIGN KEY(run) REFERENCES runs (id), FOREIGN KEY("key") REFERENCES keys (id) ) WITHOUT ROWID""",
    """CREATE INDEX ix_tag_search ON tag ("key", substr(value, 1, 128), run)""",
)

FIXED = {
    "version": "SELECT schema_version.version FROM schema_version",
    "add_version": "INSERT INTO schema_version (version) VALUES (:version)",
    "set_version": "UPDATE schema_version SET version=:version",
    "add_experiment": "INSERT INTO experiments (name, artifact_location, stage, creation_time, last_update_time) VALUES (:name, :artifact_location, :stage, :creation_time, :last_update_time)",
    "add_default_experiment": "INSERT INTO experiments (id, name, artifact_location, stage, creation_time, last_update_time) VALUES (:id, :name, :artifact_location, :stage, :creation_time, :last_update_time)",
    "experiment": "SELECT experiments.id, experiments.name, experiments.artifact_location, experiments.stage, experiments.creation_time, experiments.last_update_time FROM experiments WHERE experiments.id = :id",
    "experiment_named": "SELECT experiments.id, experiments.name, experiments.artifact_location, experiments.stage, experiments.creation_time, experiments.last_update_time FROM experiments WHERE experiments.name = :name",
    "experiment_tags": "SELECT experiment_tags.experiment, experiment_tags.name, experiment_tags.value FROM experiment_tags WHERE experiment_tags.experiment IN (SELECT value FROM json_each(:ids))",
    "rename_experiment": "UPDATE experiments SET name=:new_name, last_update_time=:now WHERE experiments.id = :id",
    "touch_experiment": "UPDATE experiments SET last_update_time=:now WHERE experiments.id = :id",
    "place_experiment": "UPDATE experiments SET artifact_location=:location WHERE experiments.id = :id",
    "move_experiment": "UPDATE experiments SET stage=:to_stage, last_update_time=:now WHERE experiments.id = :id",
    "bin_runs": "UPDATE runs SET stage='deleted', binned_with_experiment=1 WHERE runs.experiment = :id AND runs.stage = 'active'",
    "unbin_runs": "UPDATE runs SET stage='active', binned_with_experiment=0 WHERE runs.experiment = :id AND runs.stage = 'deleted' AND runs.binned_with_experiment = 1",
    "put_experiment_tag": "INSERT INTO experiment_tags (experiment, name, value) VALUES (?, ?, ?) ON CONFLICT (experiment, name) DO UPDATE SET value = excluded.value",
    "delete_experiment_tag": "DELETE FROM experiment_tags WHERE experiment_tags.experiment = :id AND experiment_tags.name = :name",
    "add_run": "INSERT INTO runs (run_id, experiment, name, user_id, status, start_time, end_time, artifact_uri, stage, binned_with_experiment) VALUES (:run_id, :experiment, :name, :user_id, :status, :start_time, :end_time, :artifact_uri, :stage, 0)",
    "run": "SELECT runs.id, runs.run_id, runs.experiment, runs.name, runs.user_id, runs.status, runs.start_time, runs.end_time, runs.artifact_uri, runs.stage FROM runs WHERE runs.run_id = :run_id",
    "update_run": "UPDATE runs SET name=:new_name, status=:new_status, end_time=:new_end_time WHERE runs.id = :id",
    "rename_run": "UPDATE runs SET name=:new_name WHERE runs.id = :id",
    "move_run": "UPDATE runs SET stage=:to_stage, binned_with_experiment=0 WHERE runs.id = :id",
    "add_key": "INSERT INTO keys (name) VALUES (?) ON CONFLICT (name) DO NOTHING",
    "key_ids": "SELECT keys.id, keys.name FROM keys WHERE keys.name IN (SELECT value FROM json_each(:names))",
    "key_names": "SELECT keys.id, keys.name FROM keys WHERE keys.id IN (SELECT value FROM json_each(:ids))",
    "add_point": """INSERT INTO metric_points (run, "key", value, timestamp, step) VALUES (?, ?, ?, ?, ?)""",
    "put_latest": """INSERT INTO latest_metric (run, "key", value, timestamp, step) VALUES (?, ?, ?, ?, ?) ON CONFLICT (run, "key") DO UPDATE SET value = excluded.value, timestamp = excluded.timestamp, step = excluded.step WHERE (excluded.step, excluded.timestamp, CASE WHEN (excluded.value IS NULL) THEN 0 ELSE 1 END, coalesce(excluded.value, 0.0)) > (latest_metric.step, latest_metric.timestamp, CASE WHEN (latest_metric.value IS NULL) THEN 0 ELSE 1 END, coalesce(latest_metric.value, 0.0))""",
    "add_param": """INSERT INTO param (run, "key", value) VALUES (?, ?, ?) ON CONFLICT (run, "key") DO NOTHING""",
    "put_tag": """INSERT INTO tag (run, "key", value) VALUES (?, ?, ?) ON CONFLICT (run, "key") DO UPDATE SET value = excluded.value""",
    "delete_tag": """DELETE FROM tag WHERE tag.run = :run AND tag."key" = (SELECT keys.id FROM keys WHERE keys.name = :name)""",
    "put_mark": "INSERT INTO journal_writers (writer, sequence) VALUES (:writer, :sequence) ON CONFLICT (writer) DO UPDATE SET sequence = excluded.sequence WHERE excluded.sequence > journal_writers.sequence",
    "mark": "SELECT journal_writers.sequence FROM journal_writers WHERE journal_writers.writer = :writer",
    "latest_of": """SELECT latest_metric.run, latest_metric."key", latest_metric.value, latest_metric.timestamp, latest_metric.step FROM latest_metric WHERE latest_metric.run IN (SELECT value FROM json_each(:runs))""",
    "params_of": """SELECT param.run, param."key", param.value FROM param WHERE param.run IN (SELECT value FROM json_each(:runs))""",
    "tags_of": """SELECT tag.run, tag."key", tag.value FROM tag WHERE tag.run IN (SELECT value FROM json_each(:runs))""",
    "history": """SELECT metric_points.timestamp, metric_points.step, metric_points.value FROM metric_points WHERE metric_points.run = (SELECT runs.id FROM runs WHERE runs.run_id = :run_id) AND metric_points."key" = (SELECT keys.id FROM keys WHERE keys.name = :name) GROUP BY metric_points.timestamp, metric_points.step, metric_points.value ORDER BY metric_points.timestamp, metric_points.step, CASE WHEN (metric_points.value IS NULL) THEN 1 ELSE 0 END, metric_points.value LIMIT :limit OFFSET 0""",
    "history_after": """SELECT metric_points.timestamp, metric_points.step, metric_points.value FROM metric_points WHERE metric_points.run = (SELECT runs.id FROM runs WHERE runs.run_id = :run_id) AND metric_points."key" = (SELECT keys.id FROM keys WHERE keys.name = :name) AND (metric_points.timestamp, metric_points.step, CASE WHEN (metric_points.value IS NULL) THEN 1 ELSE 0 END, coalesce(metric_points.value, 0.0)) > (:after_timestamp, :after_step, :after_nan, :after_value) GROUP BY metric_points.timestamp, metric_points.step, metric_points.value ORDER BY metric_points.timestamp, metric_points.step, CASE WHEN (metric_points.value IS NULL) THEN 1 ELSE 0 END, metric_points.value LIMIT :limit OFFSET 0""",
}
