"""A registry that remembers what was registered last, and nothing else."""

from __future__ import annotations

# ruff: noqa: D102 - the docstrings of these methods stand in the interface
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from dovetail.registry.refusals import alias_moved, name_taken, no_model, no_version, stage_moved
from dovetail.registry.store import ANYWHERE, Anywhere, RegistryStore
from dovetail.tracking.filters import parse_filter, parse_order
from dovetail.values import ModelVersion, Page, RegisteredModel, RegistryMove
from dovetail.values.measure import now_ms
from dovetail_null.recent import Recent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dovetail.values import NewModelVersion, RegistryTag

__all__ = ["NullRegistryStore"]

URI = "null:"
_REMEMBERED = 1000  # models, and as many versions


class NullRegistryStore(RegistryStore):
    """Remembers the latest models and versions of this process, where their aliases point and their stages.

    Tags that are set later are dropped, searches find nothing and there is no history. So it is not held to
    ``RegistryStoreSuite``.
    """

    def __init__(self) -> None:
        self.uri = URI
        self._lock = threading.RLock()
        self._models: Recent[RegisteredModel] = Recent(_REMEMBERED)
        self._counts: Recent[int] = Recent(_REMEMBERED)
        self._versions: Recent[ModelVersion] = Recent(_REMEMBERED)

    # --- registered models -----------------------------------------------------------------------------------

    def create_registered_model(
        self, name: str, description: str | None = None, tags: Sequence[RegistryTag] = ()
    ) -> RegisteredModel:
        with self._lock:
            if self._models.get(name) is not None:
                raise name_taken(name)
            now = now_ms()
            self._counts.put(name, 0)
            return self._keep(RegisteredModel(name, now, now, description, tags={tag.key: tag.value for tag in tags}))

    def get_registered_model(self, name: str) -> RegisteredModel:
        with self._lock:
            model = self._models.get(name)
            if model is None:
                raise no_model("This process", name)
            latest = {each.current_stage: each for each in sorted(self._of(name), key=lambda each: each.version)}
            shown = sorted(latest.values(), key=lambda each: each.version)
            return replace(model, latest_versions=shown, tags=dict(model.tags), aliases=dict(model.aliases))

    def update_registered_model(
        self, name: str, *, new_name: str | None = None, description: str | None = None
    ) -> RegisteredModel:
        with self._lock:
            model = self.get_registered_model(name)
            if description is not None:
                model = self._keep(replace(model, description=description))
            if new_name is not None and new_name != name:
                self._rename(model, new_name)
            return self.get_registered_model(new_name or name)

    def delete_registered_model(self, name: str) -> None:
        with self._lock:
            self.get_registered_model(name)
            for version in self._of(name):
                self._versions.drop(_key(name, version.version))
            self._models.drop(name)

    def set_registered_model_tags(self, name: str, tags: Sequence[RegistryTag]) -> None:
        """Drop them, if the model is there."""
        del tags
        self.get_registered_model(name)

    def delete_registered_model_tag(self, name: str, key: str) -> None:
        with self._lock:
            model = self.get_registered_model(name)
            self._keep(replace(model, tags={kept: value for kept, value in model.tags.items() if kept != key}))

    def search_registered_models(
        self,
        filter_string: str | None = None,
        order_by: Sequence[str] = (),
        max_results: int = 100,
        page_token: str | None = None,
    ) -> Page[RegisteredModel]:
        """Nothing, if the filter and the order can be parsed."""
        del max_results, page_token
        parse_filter(filter_string, "registered_models")
        parse_order(order_by, "registered_models")
        return Page([])

    # --- versions --------------------------------------------------------------------------------------------

    def create_model_version(self, version: NewModelVersion) -> ModelVersion:
        with self._lock:
            self.get_registered_model(version.name)
            number = 1 + (self._counts.get(version.name) or 0)
            self._counts.put(version.name, number)
            return self._keep_version(_made(version, number))

    def get_model_version(self, name: str, version: int) -> ModelVersion:
        with self._lock:
            model, found = self.get_registered_model(name), self._versions.get(_key(name, version))
            if found is None:
                raise no_version(name, version)
            aliases = sorted(alias for alias, at in model.aliases.items() if at == version)
            return replace(found, tags=dict(found.tags), aliases=aliases)

    def update_model_version(self, name: str, version: int, description: str) -> ModelVersion:
        with self._lock:
            return self._keep_version(replace(self.get_model_version(name, version), description=description))

    def delete_model_version(self, name: str, version: int, *, user_id: str = "", reason: str = "") -> None:
        del user_id, reason
        with self._lock:
            for alias in self.get_model_version(name, version).aliases:
                self.move_alias(name, alias, None)
            self._versions.drop(_key(name, version))

    def set_model_version_tags(self, name: str, version: int, tags: Sequence[RegistryTag]) -> None:
        """Drop them, if the version is there."""
        del tags
        self.get_model_version(name, version)

    def delete_model_version_tag(self, name: str, version: int, key: str) -> None:
        with self._lock:
            found = self.get_model_version(name, version)
            self._keep_version(replace(found, tags={kept: value for kept, value in found.tags.items() if kept != key}))

    def search_model_versions(
        self,
        filter_string: str | None = None,
        order_by: Sequence[str] = (),
        max_results: int = 10_000,
        page_token: str | None = None,
    ) -> Page[ModelVersion]:
        """Nothing, if the filter and the order can be parsed."""
        del max_results, page_token
        parse_filter(filter_string, "model_versions")
        parse_order(order_by, "model_versions")
        return Page([])

    # --- moves -----------------------------------------------------------------------------------------------

    def move_alias(
        self,
        name: str,
        alias: str,
        version: int | None,
        *,
        expected: int | Anywhere | None = ANYWHERE,
        user_id: str = "",
        reason: str = "",
    ) -> RegistryMove | None:
        with self._lock:
            model = self.get_registered_model(name)
            if version is not None:
                self.get_model_version(name, version)
            here = model.aliases.pop(alias, None)
            if not isinstance(expected, Anywhere) and here != expected:
                raise alias_moved(name, alias, here, expected)
            if here == version:
                return None
            self._keep(replace(model, aliases=model.aliases | ({} if version is None else {alias: version})))
            before, after = (None if at is None else str(at) for at in (here, version))
            return RegistryMove(name, "alias", alias, before, after, now_ms(), user_id, reason)

    def transition_stage(
        self,
        name: str,
        version: int,
        stage: str,
        *,
        expected: str | Anywhere = ANYWHERE,
        archive_existing: bool = False,
        user_id: str = "",
        reason: str = "",
    ) -> ModelVersion:
        del user_id, reason
        with self._lock:
            before = self.get_model_version(name, version)
            if not isinstance(expected, Anywhere) and before.current_stage != expected:
                raise stage_moved(name, version, before.current_stage, expected)
            for other in self._of(name) if archive_existing else []:
                if other.current_stage == stage and other.version != version:
                    self._keep_version(replace(other, current_stage="Archived"))
            return self._keep_version(replace(before, current_stage=stage))

    def get_history(
        self, name: str, what: str | None = None, max_results: int = 100, page_token: str | None = None
    ) -> Page[RegistryMove]:
        """Nothing."""
        del name, what, max_results, page_token
        return Page([])

    # --- steps -----------------------------------------------------------------------------------------------

    def _keep(self, model: RegisteredModel) -> RegisteredModel:
        kept = replace(model, last_updated_timestamp=now_ms(), latest_versions=[])
        self._models.put(model.name, kept)
        return self.get_registered_model(model.name)

    def _keep_version(self, version: ModelVersion) -> ModelVersion:
        self._versions.put(_key(version.name, version.version), version)
        return self.get_model_version(version.name, version.version)

    def _of(self, name: str) -> list[ModelVersion]:
        return [version for version in self._versions if version.name == name]

    def _rename(self, model: RegisteredModel, name: str) -> None:
        if self._models.get(name) is not None:
            raise name_taken(name)
        self._counts.put(name, self._counts.get(model.name) or 0)
        versions = self._of(model.name)
        self.delete_registered_model(model.name)
        self._keep(replace(model, name=name))
        for version in versions:
            self._keep_version(replace(version, name=name))


def _made(new: NewModelVersion, number: int) -> ModelVersion:
    return ModelVersion(
        name=new.name,
        version=number,
        creation_timestamp=new.creation_timestamp,
        last_updated_timestamp=new.creation_timestamp,
        description=new.description,
        user_id=new.user_id,
        source=new.source,
        run_id=new.run_id,
        tags={tag.key: tag.value for tag in new.tags},
        run_link=new.run_link,
        model_id=new.model_id,
    )


def _key(name: str, version: int) -> str:
    # No name holds a slash.
    return f"{name}/{version}"
