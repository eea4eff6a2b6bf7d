"""The versions of the registry's models."""

from __future__ import annotations

# ruff: noqa: D102 - the docstrings of these methods stand in the interface
from typing import TYPE_CHECKING, Any

from dovetail.registry.store import RegistryStore
from dovetail.values import ModelVersionStatus, Page
from dovetail.values.measure import now_ms
from dovetail_sql.registry.finding import RegistryPart, touch
from dovetail_sql.registry.notes import Occasion, note_removals
from dovetail_sql.registry.rows import VersionRow, model_versions, version_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dovetail.values import ModelVersion, NewModelVersion, RegistryTag
    from dovetail_sql.database import Transaction

__all__ = ["Versions"]


class Versions(RegistryPart, RegistryStore):
    """Versions."""

    def create_model_version(self, version: NewModelVersion) -> ModelVersion:
        with self.database.write() as transaction:
            model = self._model(transaction, version.name)
            number = model.last_version + 1
            transaction.run("count_version", {"id": model.id, "last_version": number, "now": now_ms()})
            fields = _fields(version, model.id, number)
            row = transaction.insert("add_model_version", fields)
            _put_tags(transaction, row, version.tags)
            return version_of(VersionRow(id=row, **fields), {tag.key: tag.value for tag in version.tags}, [])

    def get_model_version(self, name: str, version: int) -> ModelVersion:
        with self.database.read() as transaction:
            return self._shown_version(transaction, self._model(transaction, name), version)

    def update_model_version(self, name: str, version: int, description: str) -> ModelVersion:
        with self.database.write() as transaction:
            model = self._model(transaction, name)
            row, now = self._version(transaction, model, version), now_ms()
            transaction.run("describe_model_version", {"id": row.id, "description": description, "now": now})
            touch(transaction, model, now)
            changed = row._replace(description=description, last_update_time=now)
            return model_versions(transaction, [changed])[0]

    def delete_model_version(self, name: str, version: int, *, user_id: str = "", reason: str = "") -> None:
        with self.database.write() as transaction:
            model = self._model(transaction, name)
            row = self._version(transaction, model, version)
            held = transaction.rows("registry_aliases", {"ids": transaction.listed([model.id])})
            pointing = [(alias, at) for _, alias, at in held if at == version]
            occasion = Occasion(user_id, reason)
            note_removals(transaction, model, pointing, occasion)
            for alias, _ in pointing:
                transaction.run("delete_registry_alias", {"model": model.id, "alias": alias})
            transaction.run("drop_model_version_tags", {"id": row.id})
            transaction.run("drop_model_version", {"id": row.id})
            touch(transaction, model, occasion.timestamp)

    def set_model_version_tags(self, name: str, version: int, tags: Sequence[RegistryTag]) -> None:
        with self.database.write() as transaction:
            model = self._model(transaction, name)
            row = self._version(transaction, model, version)
            _put_tags(transaction, row.id, tags)
            touch(transaction, model, now_ms(), row)

    def delete_model_version_tag(self, name: str, version: int, key: str) -> None:
        with self.database.write() as transaction:
            model = self._model(transaction, name)
            row = self._version(transaction, model, version)
            if transaction.run("delete_model_version_tag", {"version": row.id, "name": key}):
                touch(transaction, model, now_ms(), row)

    def search_model_versions(
        self,
        filter_string: str | None = None,
        order_by: Sequence[str] = (),
        max_results: int = 10_000,
        page_token: str | None = None,
    ) -> Page[ModelVersion]:
        from dovetail_sql.search import model_version_search

        search = model_version_search(filter_string, order_by)
        with self.database.read() as transaction:
            found, token = search.page(transaction, max_results, page_token)
            return Page(model_versions(transaction, [VersionRow(*row) for row in found]), token)


def _fields(version: NewModelVersion, model: int, number: int) -> dict[str, Any]:
    return {
        "model": model,
        "name": version.name,
        "version": number,
        "creation_time": version.creation_timestamp,
        "last_update_time": version.creation_timestamp,
        "description": version.description,
        "user_id": version.user_id,
        "stage": "None",
        "source": version.source,
        "run_id": version.run_id,
        "run_link": version.run_link,
        "model_id": version.model_id,
        "status": ModelVersionStatus.READY.value,
        "status_message": None,
    }


def _put_tags(transaction: Transaction, version: int, tags: Sequence[RegistryTag]) -> None:
    wanted = {tag.key: tag.value for tag in tags}
    if wanted:
        transaction.many("put_model_version_tag", [(version, key, value) for key, value in wanted.items()])
