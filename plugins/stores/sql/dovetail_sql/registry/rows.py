"""From rows of the registry to the values that callers get: a few statements, however many rows."""

from __future__ import annotations

from collections import defaultdict
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from dovetail.values import ModelVersion, ModelVersionStatus, RegisteredModel, RegistryMove

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dovetail_sql.database import Row, Transaction

__all__ = ["ModelRow", "VersionRow", "model_versions", "move_of", "registered_models", "version_of"]


class ModelRow(NamedTuple):
    """A row of the table ``registered_models``."""

    id: int
    name: str
    description: str | None
    creation_time: int
    last_update_time: int
    last_version: int


class VersionRow(NamedTuple):
    """A row of the table ``model_versions``."""

    id: int
    model: int
    name: str
    version: int
    creation_time: int
    last_update_time: int
    description: str | None
    user_id: str | None
    stage: str
    source: str
    run_id: str | None
    run_link: str | None
    model_id: str | None
    status: str
    status_message: str | None = None


def registered_models(transaction: Transaction, rows: Sequence[ModelRow]) -> list[RegisteredModel]:
    """The models of these rows, with tags, aliases and latest versions: three queries."""
    if not rows:
        return []
    among = {"ids": transaction.listed([row.id for row in rows])}
    tags = _texts(transaction.rows("registered_model_tags", among))
    aliases = _aliases(transaction, {row.id for row in rows})
    latest = _latest(transaction.rows("latest_versions", among), aliases)
    return [_model(row, tags[row.id], aliases[row.id], latest[row.id]) for row in rows]


def model_versions(transaction: Transaction, rows: Sequence[VersionRow]) -> list[ModelVersion]:
    """The versions of these rows, with tags and aliases: two queries."""
    if not rows:
        return []
    tags = _texts(transaction.rows("model_version_tags", {"ids": transaction.listed([row.id for row in rows])}))
    named = _by_version(_aliases(transaction, {row.model for row in rows}))
    return [version_of(row, tags[row.id], named[row.model, row.version]) for row in rows]


def move_of(row: Row) -> RegistryMove:
    """A move as the statements ``moves`` give it."""
    number, name, kind, what, before, after, timestamp, user_id, reason = row
    return RegistryMove.stored(
        name=name,
        kind=kind,
        what=what,
        before=before,
        after=after,
        timestamp=timestamp,
        user_id=user_id,
        reason=reason,
        number=number,
    )


def _texts(rows: Iterable[Row]) -> dict[int, dict[str, str]]:
    held: dict[int, dict[str, str]] = defaultdict(dict)
    for owner, name, value in rows:
        held[owner][name] = value
    return held


def _aliases(transaction: Transaction, models: set[int]) -> dict[int, dict[str, int]]:
    held: dict[int, dict[str, int]] = defaultdict(dict)
    for model, alias, version in transaction.rows("registry_aliases", {"ids": transaction.listed(sorted(models))}):
        held[model][alias] = version
    return held


def _by_version(aliases: dict[int, dict[str, int]]) -> dict[tuple[int, int], list[str]]:
    named: dict[tuple[int, int], list[str]] = defaultdict(list)
    for model, held in aliases.items():
        for alias, version in held.items():
            named[model, version].append(alias)
    return named


def _latest(rows: Iterable[Row], aliases: dict[int, dict[str, int]]) -> dict[int, list[ModelVersion]]:
    """The latest versions of models, from a row for each of their tags."""
    named, width = _by_version(aliases), len(VersionRow._fields)
    found: dict[int, list[ModelVersion]] = defaultdict(list)
    ordered = sorted(rows, key=lambda row: (row[1], row[3]))
    for fields, of_version in groupby(ordered, key=lambda row: tuple(row[:width])):
        row = VersionRow(*fields)
        tags = {name: value for *_, name, value in of_version if name is not None}
        found[row.model].append(version_of(row, tags, named[row.model, row.version]))
    return found


def _model(row: ModelRow, tags: dict[str, str], aliases: dict[str, int], latest: list[ModelVersion]) -> RegisteredModel:
    return RegisteredModel.stored(
        name=row.name,
        creation_timestamp=row.creation_time,
        last_updated_timestamp=row.last_update_time,
        description=row.description,
        latest_versions=latest,
        tags=tags,
        aliases=aliases,
    )


def version_of(row: VersionRow, tags: dict[str, str], aliases: list[str]) -> ModelVersion:
    """The version of a row, given what it holds."""
    return ModelVersion.stored(
        name=row.name,
        version=row.version,
        creation_timestamp=row.creation_time,
        last_updated_timestamp=row.last_update_time,
        description=row.description,
        user_id=row.user_id,
        current_stage=row.stage,
        source=row.source,
        run_id=row.run_id,
        status=ModelVersionStatus(row.status),
        status_message=row.status_message,
        tags=tags,
        run_link=row.run_link,
        aliases=aliases,
        model_id=row.model_id,
    )
