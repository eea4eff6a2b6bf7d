"""The registered models of the registry."""

from __future__ import annotations

# ruff: noqa: D102 - the docstrings of these methods stand in the interface
from typing import TYPE_CHECKING

from dovetail.registry.refusals import name_taken
from dovetail.registry.store import RegistryStore
from dovetail.values import Page, RegisteredModel, RegistryTag
from dovetail.values.measure import now_ms
from dovetail_sql.database import Taken
from dovetail_sql.registry.finding import RegistryPart, touch
from dovetail_sql.registry.notes import Occasion, note_removals
from dovetail_sql.registry.rows import ModelRow, registered_models

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dovetail_sql.database import Transaction

__all__ = ["Models"]


class Models(RegistryPart, RegistryStore):
    """Registered models."""

    def create_registered_model(
        self, name: str, description: str | None = None, tags: Sequence[RegistryTag] = ()
    ) -> RegisteredModel:
        with self.database.write() as transaction:
            now = now_ms()
            fields = {"name": name, "description": description, "creation_time": now, "last_update_time": now}
            try:
                number = transaction.insert("add_registered_model", {**fields, "last_version": 0})
            except Taken:
                raise name_taken(name) from None
            transaction.run("unbury_name", {"name": name})
            _put_tags(transaction, number, tags)
            labels = {tag.key: tag.value for tag in tags}
            return RegisteredModel(name, now, now, description, tags=labels)

    def get_registered_model(self, name: str) -> RegisteredModel:
        with self.database.read() as transaction:
            return self._shown_model(transaction, name)

    def update_registered_model(
        self, name: str, *, new_name: str | None = None, description: str | None = None
    ) -> RegisteredModel:
        with self.database.write() as transaction:
            model = self._model(transaction, name)
            wanted = model._replace(
                name=name if new_name is None else new_name,
                description=model.description if description is None else description,
            )
            _update(transaction, model, wanted)
            return self._shown_model(transaction, wanted.name)

    def delete_registered_model(self, name: str) -> None:
        with self.database.write() as transaction:
            model = self._model(transaction, name)
            mine = {"model": model.id}
            held = transaction.rows("registry_aliases", {"ids": transaction.listed([model.id])})
            note_removals(transaction, model, [(alias, version) for _, alias, version in held], Occasion())
            for statement in ("drop_all_version_tags", "drop_all_versions", "drop_all_aliases", "drop_all_model_tags"):
                transaction.run(statement, mine)
            transaction.run("drop_registered_model", {"id": model.id})
            transaction.run("bury_name", {"name": name, "model": model.id})

    def set_registered_model_tags(self, name: str, tags: Sequence[RegistryTag]) -> None:
        with self.database.write() as transaction:
            model = self._model(transaction, name)
            _put_tags(transaction, model.id, tags)
            touch(transaction, model, now_ms())

    def delete_registered_model_tag(self, name: str, key: str) -> None:
        with self.database.write() as transaction:
            model = self._model(transaction, name)
            if transaction.run("delete_registered_model_tag", {"model": model.id, "name": key}):
                touch(transaction, model, now_ms())

    def search_registered_models(
        self,
        filter_string: str | None = None,
        order_by: Sequence[str] = (),
        max_results: int = 100,
        page_token: str | None = None,
    ) -> Page[RegisteredModel]:
        from dovetail_sql.search import registered_model_search

        search = registered_model_search(filter_string, order_by)
        with self.database.read() as transaction:
            found, token = search.page(transaction, max_results, page_token)
            return Page(registered_models(transaction, [ModelRow(*row) for row in found]), token)


def _update(transaction: Transaction, model: ModelRow, wanted: ModelRow) -> None:
    changes = {"id": model.id, "new_name": wanted.name, "description": wanted.description, "now": now_ms()}
    try:
        transaction.run("update_registered_model", changes)
    except Taken:
        raise name_taken(wanted.name) from None
    if wanted.name != model.name:
        transaction.run("rename_model_versions", {"model": model.id, "new_name": wanted.name})
        transaction.run("unbury_name", {"name": wanted.name})


def _put_tags(transaction: Transaction, model: int, tags: Sequence[RegistryTag]) -> None:
    wanted = {tag.key: tag.value for tag in tags}
    if wanted:
        transaction.many("put_registered_model_tag", [(model, key, value) for key, value in wanted.items()])
