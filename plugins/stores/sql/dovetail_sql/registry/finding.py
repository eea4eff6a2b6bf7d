"""What the parts of the registry have in common: the database, and how they find what a call is about.

A call that writes reads its registered model first, which keeps all others from changing it, or what is below it,
until the call is over (see ``dovetail_sql.locking``). So numbers, aliases and history of a model change one by one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dovetail.registry.refusals import no_model, no_version
from dovetail_sql.registry.rows import ModelRow, VersionRow, model_versions, registered_models

if TYPE_CHECKING:
    from dovetail.values import ModelVersion, RegisteredModel
    from dovetail_sql.database import Database, Transaction

__all__ = ["RegistryPart", "touch"]


class RegistryPart:
    """The base of the registry's parts.

    Attributes:
        database: Where everything is.
    """

    database: Database

    def _model(self, transaction: Transaction, name: str) -> ModelRow:
        row = transaction.first("registered_model", {"name": name})
        if row is None:
            raise no_model(self.database.name, name)
        return ModelRow(*row)

    def _version(self, transaction: Transaction, model: ModelRow, version: int) -> VersionRow:
        row = transaction.first("model_version", {"model": model.id, "version": version})
        if row is None:
            raise no_version(model.name, version)
        return VersionRow(*row)

    def _shown_model(self, transaction: Transaction, name: str) -> RegisteredModel:
        return registered_models(transaction, [self._model(transaction, name)])[0]

    def _shown_version(self, transaction: Transaction, model: ModelRow, version: int) -> ModelVersion:
        return model_versions(transaction, [self._version(transaction, model, version)])[0]


def touch(transaction: Transaction, model: ModelRow, now: int, version: VersionRow | None = None) -> None:
    """Note that a model, and a version of it, were changed at that time."""
    transaction.run("touch_registered_model", {"id": model.id, "now": now})
    if version is not None:
        transaction.run("touch_model_version", {"id": version.id, "now": now})
