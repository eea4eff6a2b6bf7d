"""The reference registry: everything in this process's memory, nothing left out."""

# ruff: noqa: D102 - the docstrings of these methods stand in the interface

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from dovetail.hookspecs import hookimpl
from dovetail.registry.refusals import alias_moved, name_taken, no_model, no_version, stage_moved
from dovetail.registry.store import ANYWHERE, Anywhere, RegistryStore
from dovetail.testing.memory_uris import name_in_memory
from dovetail.testing.registry_shelf import Shelf
from dovetail.tracking.filters import matches, parse_filter, parse_order, sort_subjects
from dovetail.tracking.pages import page_of
from dovetail.tracking.subjects import ModelVersionSubject, RegisteredModelSubject
from dovetail.values import ModelVersion, NewModelVersion, Page, RegisteredModel, RegistryMove, RegistryTag
from dovetail.values.measure import now_ms

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TypeAlias

    Occasion: TypeAlias = tuple[int, str, str]
    """When something is moved, by whom and why."""

__all__ = ["MemoryRegistryStore", "open_memory_registry"]


class MemoryRegistryStore(RegistryStore):
    """Keeps registered models in memory, for as long as the process lives.

    It is the reference other registries are compared with, and what tests use where any registry would do.

    Args:
        uri: ``memory://<name>``.
    """

    shelf: ClassVar[type[Shelf]] = Shelf

    def __init__(self, uri: str = "memory://") -> None:
        self.uri = uri
        self._lock = threading.RLock()
        self._shelves: dict[str, Shelf] = {}
        self._gone: dict[str, Shelf] = {}
        self._moves = 0

    # --- registered models -----------------------------------------------------------------------------------

    def create_registered_model(
        self, name: str, description: str | None = None, tags: Sequence[RegistryTag] = ()
    ) -> RegisteredModel:
        with self._lock:
            self._require_free(name)
            now = now_ms()
            labels = {tag.key: tag.value for tag in tags}
            self._shelves[name] = self.shelf(RegisteredModel(name, now, now, description, tags=labels))
            self._gone.pop(name, None)
            return self._shelves[name].shown()

    def get_registered_model(self, name: str) -> RegisteredModel:
        with self._lock:
            return self._shelf(name).shown()

    def update_registered_model(
        self, name: str, *, new_name: str | None = None, description: str | None = None
    ) -> RegisteredModel:
        with self._lock:
            shelf = self._shelf(name)
            if new_name is not None and new_name != name:
                self._require_free(new_name)
                shelf.rename(new_name)
                self._shelves[new_name] = self._shelves.pop(name)
                self._gone.pop(new_name, None)
            if description is not None:
                shelf.model = replace(shelf.model, description=description)
            shelf.touch(now_ms())
            return shelf.shown()

    def delete_registered_model(self, name: str) -> None:
        with self._lock:
            shelf = self._shelf(name)
            for alias in sorted(shelf.model.aliases):
                self._point(shelf, alias, None, (now_ms(), "", ""))
            shelf.versions.clear()
            self._gone[name] = self._shelves.pop(name)

    def set_registered_model_tags(self, name: str, tags: Sequence[RegistryTag]) -> None:
        with self._lock:
            shelf = self._shelf(name)
            shelf.model = replace(shelf.model, tags={**shelf.model.tags, **{tag.key: tag.value for tag in tags}})
            shelf.touch(now_ms())

    def delete_registered_model_tag(self, name: str, key: str) -> None:
        with self._lock:
            shelf = self._shelf(name)
            if key in shelf.model.tags:
                shelf.model = replace(shelf.model, tags=_without(shelf.model.tags, key))
                shelf.touch(now_ms())

    def search_registered_models(
        self,
        filter_string: str | None = None,
        order_by: Sequence[str] = (),
        max_results: int = 100,
        page_token: str | None = None,
    ) -> Page[RegisteredModel]:
        tree, order = parse_filter(filter_string, "registered_models"), parse_order(order_by, "registered_models")
        with self._lock:
            shown = [self._shelves[name].shown() for name in sorted(self._shelves)]
        found = [subject for subject in map(RegisteredModelSubject, shown) if matches(tree, subject)]
        ordered = [subject.model for subject in sort_subjects(found, order)]
        return page_of(ordered, max_results, page_token, ("registered_models", str(tree), *map(str, order)))

    # --- versions --------------------------------------------------------------------------------------------

    def create_model_version(self, version: NewModelVersion) -> ModelVersion:
        with self._lock:
            shelf = self._shelf(version.name)
            number = shelf.add(version)
            shelf.touch(now_ms())
            return shelf.shown_version(number)

    def get_model_version(self, name: str, version: int) -> ModelVersion:
        with self._lock:
            return self._shelf(name, version).shown_version(version)

    def update_model_version(self, name: str, version: int, description: str) -> ModelVersion:
        with self._lock:
            shelf = self._shelf(name, version)
            shelf.versions[version] = replace(shelf.versions[version], description=description)
            shelf.touch(now_ms(), version)
            return shelf.shown_version(version)

    def delete_model_version(self, name: str, version: int, *, user_id: str = "", reason: str = "") -> None:
        with self._lock:
            shelf = self._shelf(name, version)
            now = now_ms()
            for alias in shelf.shown_version(version).aliases:
                self._point(shelf, alias, None, (now, user_id, reason))
            del shelf.versions[version]
            shelf.touch(now)

    def set_model_version_tags(self, name: str, version: int, tags: Sequence[RegistryTag]) -> None:
        with self._lock:
            shelf = self._shelf(name, version)
            held = shelf.versions[version]
            shelf.versions[version] = replace(held, tags={**held.tags, **{tag.key: tag.value for tag in tags}})
            shelf.touch(now_ms(), version)

    def delete_model_version_tag(self, name: str, version: int, key: str) -> None:
        with self._lock:
            shelf = self._shelf(name, version)
            held = shelf.versions[version]
            if key in held.tags:
                shelf.versions[version] = replace(held, tags=_without(held.tags, key))
                shelf.touch(now_ms(), version)

    def search_model_versions(
        self,
        filter_string: str | None = None,
        order_by: Sequence[str] = (),
        max_results: int = 10_000,
        page_token: str | None = None,
    ) -> Page[ModelVersion]:
        tree, order = parse_filter(filter_string, "model_versions"), parse_order(order_by, "model_versions")
        shown = self._all_versions()
        shown.sort(key=lambda each: (-each.last_updated_timestamp, each.name, -each.version))
        found = [subject for subject in map(ModelVersionSubject, shown) if matches(tree, subject)]
        ordered = [subject.version for subject in sort_subjects(found, order)]
        return page_of(ordered, max_results, page_token, ("model_versions", str(tree), *map(str, order)))

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
            shelf = self._shelf(name, version)
            here = shelf.model.aliases.get(alias)
            if not isinstance(expected, Anywhere) and here != expected:
                raise alias_moved(name, alias, here, expected)
            return None if here == version else self._point(shelf, alias, version, (now_ms(), user_id, reason))

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
        with self._lock:
            shelf, occasion = self._shelf(name, version), (now_ms(), user_id, reason)
            here = shelf.versions[version].current_stage
            if not isinstance(expected, Anywhere) and here != expected:
                raise stage_moved(name, version, here, expected)
            if archive_existing:
                for number in sorted(shelf.versions):
                    if number != version and shelf.versions[number].current_stage == stage:
                        self._stage(shelf, number, "Archived", occasion)
            self._stage(shelf, version, stage, occasion)
            return shelf.shown_version(version)

    def get_history(
        self, name: str, what: str | None = None, max_results: int = 100, page_token: str | None = None
    ) -> Page[RegistryMove]:
        with self._lock:
            shelf = self._shelves.get(name) or self._gone.get(name)
            moves = [] if shelf is None else [move for move in shelf.moves if what in (None, move.what)]
        return page_of(moves[::-1], max_results, page_token, ("moves", name, str(what)))

    # --- steps -----------------------------------------------------------------------------------------------

    def _shelf(self, name: str, version: int | None = None) -> Shelf:
        """What is kept of a model, which has that version, if one is asked for."""
        shelf = self._shelves.get(name)
        if shelf is None:
            raise no_model(self.uri, name)
        if version is not None and version not in shelf.versions:
            raise no_version(name, version)
        return shelf

    def _require_free(self, name: str) -> None:
        if name in self._shelves:
            raise name_taken(name)

    def _all_versions(self) -> list[ModelVersion]:
        with self._lock:
            return [shelf.shown_version(number) for shelf in self._shelves.values() for number in shelf.versions]

    def _point(self, shelf: Shelf, alias: str, version: int | None, occasion: Occasion) -> RegistryMove:
        here = shelf.model.aliases.get(alias)
        aliases = {kept: at for kept, at in shelf.model.aliases.items() if kept != alias}
        shelf.model = replace(shelf.model, aliases=aliases if version is None else {**aliases, alias: version})
        shelf.touch(occasion[0], here, version)
        before, after = (None if each is None else str(each) for each in (here, version))
        return self._note(shelf, ("alias", alias, before, after), occasion)

    def _stage(self, shelf: Shelf, version: int, stage: str, occasion: Occasion) -> None:
        before = shelf.versions[version]
        if before.current_stage != stage:
            shelf.versions[version] = replace(before, current_stage=stage)
            shelf.touch(occasion[0], version)
            self._note(shelf, ("stage", str(version), before.current_stage, stage), occasion)

    def _note(self, shelf: Shelf, moved: tuple[str, str, str | None, str | None], occasion: Occasion) -> RegistryMove:
        """Add to the history what was moved (kind, what, before, after), and when, by whom and why."""
        self._moves += 1
        shelf.moves.append(RegistryMove(shelf.model.name, *moved, *occasion, number=self._moves))
        return shelf.moves[-1]


def _without(tags: dict[str, str], key: str) -> dict[str, str]:
    return {kept: value for kept, value in tags.items() if kept != key}


_opened: dict[str, MemoryRegistryStore] = {}
_opening = threading.Lock()


def open_memory_registry(uri: str) -> MemoryRegistryStore:
    """The one registry of this name in this process, made at its first use.

    Args:
        uri: ``memory://<name>``; ``memory://`` is a name like others.

    Raises:
        InvalidUri: It has another form.
    """
    name = name_in_memory(uri)
    with _opening:
        if name not in _opened:
            _opened[name] = MemoryRegistryStore(f"memory://{name}")
        return _opened[name]


@hookimpl
def dovetail_registry_stores() -> dict[str, Callable[[str], RegistryStore]]:
    """The scheme ``memory``."""
    return {"memory": open_memory_registry}
