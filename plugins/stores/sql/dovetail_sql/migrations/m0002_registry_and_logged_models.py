"""To version 2: the registry, logged models, datasets, blocks of histories, and when things were deleted."""

# ruff: noqa: E501 - lines are as long as the definitions were

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dovetail_sql.database import Transaction

__all__ = ["apply"]

# Only sqlite has databases of version 1, so the text is sqlite's.
_STEPS = (
    "ALTER TABLE experiments ADD COLUMN deletion_time BIGINT",
    "ALTER TABLE runs ADD COLUMN deletion_time BIGINT",
    "ALTER TABLE runs ADD COLUMN linked SMALLINT DEFAULT '0' NOT NULL",
    "DROP INDEX ix_param_search",
    "DROP INDEX ix_tag_search",
    """CREATE INDEX ix_param_search ON param ("key", value, run) WHERE length(value) <= 128""",
    """CREATE INDEX ix_tag_search ON tag ("key", value, run) WHERE length(value) <= 128""",
    "CREATE TABLE registered_models ( id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, name VARCHAR(256) NOT NULL, description TEXT, creation_time BIGINT NOT NULL, last_update_time BIGINT NOT NULL, last_version BIGINT NOT NULL, CONSTRAINT uq_registered_models_name UNIQUE (name) )",
    "CREATE INDEX ix_registered_models_creation ON registered_models (creation_time, name)",
    "CREATE INDEX ix_registered_models_update ON registered_models (last_update_time, name)",
    """CREATE TABLE registry_moves ( id INTEGER NOT NULL, model INTEGER NOT NULL, name VARCHAR(256) NOT NULL, kind VARCHAR(16) NOT NULL, what VARCHAR(255) NOT NULL, "before" VARCHAR(255), "after" VARCHAR(255), timestamp BIGINT NOT NULL, user_id TEXT NOT NULL, reason TEXT NOT NULL, PRIMARY KEY (id) )""",
    "CREATE INDEX ix_registry_moves_model ON registry_moves (model, id)",
    "CREATE TABLE deleted_models ( name VARCHAR(256) NOT NULL, model INTEGER NOT NULL, PRIMARY KEY (name) ) WITHOUT ROWID",
    "CREATE TABLE datasets ( id INTEGER NOT NULL, experiment INTEGER NOT NULL, name VARCHAR(500) NOT NULL, digest VARCHAR(36) NOT NULL, source_type VARCHAR(36) NOT NULL, source TEXT NOT NULL, schema TEXT, profile TEXT, PRIMARY KEY (id), CONSTRAINT uq_datasets_experiment_name_digest UNIQUE (experiment, name, digest), FOREIGN KEY(experiment) REFERENCES experiments (id) )",
    "CREATE INDEX ix_datasets_digest ON datasets (digest)",
    "CREATE INDEX ix_datasets_name ON datasets (name)",
    "CREATE TABLE logged_models ( id INTEGER NOT NULL, model_id VARCHAR(256) NOT NULL, experiment INTEGER NOT NULL, name VARCHAR(256) NOT NULL, model_type TEXT, source_run_id VARCHAR(256), status VARCHAR(16) NOT NULL, status_message TEXT, artifact_location TEXT, creation_time BIGINT NOT NULL, last_update_time BIGINT NOT NULL, stage VARCHAR(16) NOT NULL, deletion_time BIGINT, PRIMARY KEY (id), CONSTRAINT uq_logged_models_model_id UNIQUE (model_id), FOREIGN KEY(experiment) REFERENCES experiments (id) )",
    "CREATE INDEX ix_logged_models_listing ON logged_models (experiment, stage, creation_time DESC, model_id)",
    "CREATE INDEX ix_logged_models_source_run_id ON logged_models (source_run_id)",
    "CREATE TABLE registered_model_tags ( model INTEGER NOT NULL, name VARCHAR(250) NOT NULL, value TEXT NOT NULL, PRIMARY KEY (model, name), FOREIGN KEY(model) REFERENCES registered_models (id) ) WITHOUT ROWID",
    "CREATE INDEX ix_registered_model_tags_long ON registered_model_tags (name, model) WHERE length(value) > 128",
    "CREATE INDEX ix_registered_model_tags_search ON registered_model_tags (name, value, model) WHERE length(value) <= 128",
    "CREATE TABLE model_versions ( id INTEGER NOT NULL, model INTEGER NOT NULL, name VARCHAR(256) NOT NULL, version BIGINT NOT NULL, creation_time BIGINT NOT NULL, last_update_time BIGINT NOT NULL, description TEXT, user_id TEXT, stage VARCHAR(16) NOT NULL, source TEXT NOT NULL, run_id VARCHAR(256), run_link TEXT, model_id VARCHAR(256), status VARCHAR(24) NOT NULL, status_message TEXT, PRIMARY KEY (id), CONSTRAINT uq_model_versions_model_version UNIQUE (model, version), FOREIGN KEY(model) REFERENCES registered_models (id) )",
    "CREATE INDEX ix_model_versions_creation ON model_versions (creation_time)",
    "CREATE INDEX ix_model_versions_listing ON model_versions (last_update_time DESC, name, version DESC)",
    "CREATE INDEX ix_model_versions_model_id ON model_versions (model_id)",
    "CREATE INDEX ix_model_versions_name ON model_versions (name, version)",
    "CREATE INDEX ix_model_versions_run_id ON model_versions (run_id)",
    "CREATE INDEX ix_model_versions_stage ON model_versions (model, stage, version)",
    "CREATE TABLE registry_aliases ( model INTEGER NOT NULL, alias VARCHAR(255) NOT NULL, version BIGINT NOT NULL, PRIMARY KEY (model, alias), FOREIGN KEY(model) REFERENCES registered_models (id) ) WITHOUT ROWID",
    """CREATE INDEX ix_param_long ON param ("key", run) WHERE length(value) > 128""",
    """CREATE INDEX ix_tag_long ON tag ("key", run) WHERE length(value) > 128""",
    "CREATE TABLE run_inputs ( id INTEGER NOT NULL, run INTEGER NOT NULL, dataset INTEGER NOT NULL, PRIMARY KEY (id), CONSTRAINT uq_run_inputs_run_dataset UNIQUE (run, dataset), FOREIGN KEY(run) REFERENCES runs (id), FOREIGN KEY(dataset) REFERENCES datasets (id) )",
    "CREATE INDEX ix_run_inputs_dataset ON run_inputs (dataset)",
    """CREATE TABLE metric_blocks ( id INTEGER NOT NULL, run INTEGER NOT NULL, "key" INTEGER NOT NULL, points INTEGER NOT NULL, first_timestamp BIGINT NOT NULL, last_timestamp BIGINT NOT NULL, min_step BIGINT NOT NULL, max_step BIGINT NOT NULL, head BLOB NOT NULL, payload BLOB NOT NULL, PRIMARY KEY (id), FOREIGN KEY(run) REFERENCES runs (id), FOREIGN KEY("key") REFERENCES keys (id) )""",
    """CREATE INDEX ix_metric_blocks_order ON metric_blocks (run, "key", first_timestamp, last_timestamp, points)""",
    """CREATE TABLE model_param ( model INTEGER NOT NULL, "key" INTEGER NOT NULL, value TEXT NOT NULL, PRIMARY KEY (model, "key"), FOREIGN KEY(model) REFERENCES logged_models (id), FOREIGN KEY("key") REFERENCES keys (id) ) WITHOUT ROWID""",
    """CREATE INDEX ix_model_param_long ON model_param ("key", model) WHERE length(value) > 128""",
    """CREATE INDEX ix_model_param_search ON model_param ("key", value, model) WHERE length(value) <= 128""",
    """CREATE TABLE model_tag ( model INTEGER NOT NULL, "key" INTEGER NOT NULL, value TEXT NOT NULL, PRIMARY KEY (model, "key"), FOREIGN KEY(model) REFERENCES logged_models (id), FOREIGN KEY("key") REFERENCES keys (id) ) WITHOUT ROWID""",
    """CREATE INDEX ix_model_tag_long ON model_tag ("key", model) WHERE length(value) > 128""",
    """CREATE INDEX ix_model_tag_search ON model_tag ("key", value, model) WHERE length(value) <= 128""",
    """CREATE TABLE model_metric ( id INTEGER NOT NULL, model INTEGER NOT NULL, "key" INTEGER NOT NULL, run INTEGER NOT NULL, dataset INTEGER, value DOUBLE, timestamp BIGINT NOT NULL, step BIGINT NOT NULL, PRIMARY KEY (id), FOREIGN KEY(model) REFERENCES logged_models (id), FOREIGN KEY("key") REFERENCES keys (id), FOREIGN KEY(run) REFERENCES runs (id), FOREIGN KEY(dataset) REFERENCES datasets (id) )""",
    "CREATE INDEX ix_model_metric_dataset ON model_metric (dataset)",
    """CREATE INDEX ix_model_metric_model ON model_metric (model, "key")""",
    "CREATE INDEX ix_model_metric_run ON model_metric (run)",
    """CREATE INDEX ix_model_metric_search ON model_metric ("key", value, model)""",
    "CREATE TABLE run_models ( id INTEGER NOT NULL, run INTEGER NOT NULL, model INTEGER NOT NULL, made SMALLINT NOT NULL, step BIGINT NOT NULL, PRIMARY KEY (id), CONSTRAINT uq_run_models_run_model_made UNIQUE (run, model, made), FOREIGN KEY(run) REFERENCES runs (id), FOREIGN KEY(model) REFERENCES logged_models (id) )",
    "CREATE INDEX ix_run_models_model ON run_models (model)",
    "CREATE TABLE model_version_tags ( version INTEGER NOT NULL, name VARCHAR(250) NOT NULL, value TEXT NOT NULL, PRIMARY KEY (version, name), FOREIGN KEY(version) REFERENCES model_versions (id) ) WITHOUT ROWID",
    "CREATE INDEX ix_model_version_tags_long ON model_version_tags (name, version) WHERE length(value) > 128",
    "CREATE INDEX ix_model_version_tags_search ON model_version_tags (name, value, version) WHERE length(value) <= 128",
    "CREATE TABLE input_tags ( input INTEGER NOT NULL, name VARCHAR(255) NOT NULL, value VARCHAR(500) NOT NULL, PRIMARY KEY (input, name), FOREIGN KEY(input) REFERENCES run_inputs (id) ) WITHOUT ROWID",
    "CREATE INDEX ix_input_tags_search ON input_tags (value, input)",
)


def apply(transaction: Transaction) -> None:
    """Take the step."""
    for text in _STEPS:
        transaction.execute(text)
