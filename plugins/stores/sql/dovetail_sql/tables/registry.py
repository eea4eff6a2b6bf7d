"""The model registry: registered models, versions, aliases, and the history of their moves."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, String, Table, UniqueConstraint

from dovetail_sql.tables.columns import Id, metadata, name, named_texts, of, value

__all__ = [
    "deleted_models",
    "model_version_tags",
    "model_versions",
    "registered_model_tags",
    "registered_models",
    "registry_aliases",
    "registry_moves",
]

registered_models = Table(
    "registered_models",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", name(256), nullable=False, unique=True),
    Column("description", value()),
    Column("creation_time", BigInteger, nullable=False),
    Column("last_update_time", BigInteger, nullable=False),
    # The highest number that a version ever had.
    Column("last_version", BigInteger, nullable=False),
    # Numbers are not given twice: the history refers to models by them when they are gone.
    sqlite_autoincrement=True,
)
Index("ix_registered_models_update", registered_models.c.last_update_time, registered_models.c.name)
Index("ix_registered_models_creation", registered_models.c.creation_time, registered_models.c.name)

registered_model_tags = named_texts("registered_model_tags", registered_models)

model_versions = Table(
    "model_versions",
    metadata,
    Column("id", Id, primary_key=True),
    of(registered_models),
    # The model's name again: versions of all models are searched and sorted by it.
    Column("name", name(256), nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("creation_time", BigInteger, nullable=False),
    Column("last_update_time", BigInteger, nullable=False),
    Column("description", value()),
    Column("user_id", value()),
    Column("stage", String(16), nullable=False),
    Column("source", value(), nullable=False),
    Column("run_id", name(256), index=True),
    Column("run_link", value()),
    Column("model_id", name(256), index=True),
    Column("status", String(24), nullable=False),
    Column("status_message", value()),
    UniqueConstraint("model", "version"),
)
# Finds the latest version of a stage at once, however many versions there are.
Index("ix_model_versions_stage", model_versions.c.model, model_versions.c.stage, model_versions.c.version)
Index(
    "ix_model_versions_listing",
    model_versions.c.last_update_time.desc(),
    model_versions.c.name,
    model_versions.c.version.desc(),
)
Index("ix_model_versions_creation", model_versions.c.creation_time)
Index("ix_model_versions_name", model_versions.c.name, model_versions.c.version)

model_version_tags = named_texts("model_version_tags", model_versions)

registry_aliases = Table(
    "registry_aliases",
    metadata,
    of(registered_models, primary_key=True),
    Column("alias", name(255), primary_key=True),
    Column("version", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

registry_moves = Table(
    "registry_moves",
    metadata,
    Column("id", Id, primary_key=True),
    # No reference: the history outlives the model.
    Column("model", Id, nullable=False, autoincrement=False),
    Column("name", name(256), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("what", name(255), nullable=False),
    Column("before", name(255)),
    Column("after", name(255)),
    Column("timestamp", BigInteger, nullable=False),
    Column("user_id", value(), nullable=False),
    Column("reason", value(), nullable=False),
)
Index("ix_registry_moves_model", registry_moves.c.model, registry_moves.c.id)

# Whose history a name stands for, when the model is gone and no other has its name.
deleted_models = Table(
    "deleted_models",
    metadata,
    Column("name", name(256), primary_key=True),
    Column("model", Id, nullable=False, autoincrement=False),
    sqlite_with_rowid=False,
)
