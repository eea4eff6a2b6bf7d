"""Registries with one fault each; ``test_registry_store_suite.py`` sees to it that the suite finds every one."""

from __future__ import annotations

import time
from contextlib import nullcontext, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import pytest

from dovetail.errors import AliasMoved, InvalidFilter, StageMoved
from dovetail.registry.store import ANYWHERE
from dovetail.testing.memory_registry import MemoryRegistryStore
from dovetail.testing.registry_shelf import Shelf
from dovetail.testing.registry_store import RegistryStoreSuite

if TYPE_CHECKING:
    import threading
    from collections.abc import Sequence

    from dovetail.values import ModelVersion, NewModelVersion, Page, RegisteredModel, RegistryMove, RegistryTag


class _Broken(RegistryStoreSuite):
    kind: type[MemoryRegistryStore]

    @pytest.fixture
    def store(self) -> MemoryRegistryStore:
        return self.kind()


# --- models and versions -------------------------------------------------------------------------------------


class CaselessNames(MemoryRegistryStore):
    """Takes names that differ by case for one."""

    def create_registered_model(self, name: str, *args: Any, **options: Any) -> RegisteredModel:
        return super().create_registered_model(name.lower(), *args, **options)

    def get_registered_model(self, name: str) -> RegisteredModel:
        return super().get_registered_model(name.lower())


class EncodedNames(MemoryRegistryStore):
    """Lets out what its driver makes of a name that is no text."""

    def get_registered_model(self, name: str) -> RegisteredModel:
        return super().get_registered_model(name.encode().decode())


class LentDicts(MemoryRegistryStore):
    """Hands out the dicts that it keeps."""

    class shelf(Shelf):  # noqa: N801 - takes the place of an attribute
        def shown(self) -> RegisteredModel:
            return replace(super().shown(), tags=self.model.tags, aliases=self.model.aliases)


class ForgottenTags(MemoryRegistryStore):
    """Replaces all tags where some are set."""

    def set_registered_model_tags(self, name: str, tags: Sequence[RegistryTag]) -> None:
        for key in self.get_registered_model(name).tags:
            self.delete_registered_model_tag(name, key)
        super().set_registered_model_tags(name, tags)


class HalfRenamed(MemoryRegistryStore):
    """Leaves versions behind under the old name."""

    class shelf(Shelf):  # noqa: N801 - takes the place of an attribute
        def rename(self, name: str) -> None:
            self.model = replace(self.model, name=name)


class RenamedTooEarly(MemoryRegistryStore):
    """Changes the description before it looks whether the new name is free."""

    def update_registered_model(
        self, name: str, *, new_name: str | None = None, description: str | None = None
    ) -> RegisteredModel:
        super().update_registered_model(name, description=description)
        return super().update_registered_model(name, new_name=new_name)


class ReusedNumbers(MemoryRegistryStore):
    """Numbers a version after the highest one that is there."""

    class shelf(Shelf):  # noqa: N801 - takes the place of an attribute
        def add(self, new: NewModelVersion) -> int:
            self.last_version = max(self.versions, default=0)
            return super().add(new)


class CountedNumbers(MemoryRegistryStore):
    """Numbers a version by how many there are."""

    class shelf(Shelf):  # noqa: N801 - takes the place of an attribute
        def add(self, new: NewModelVersion) -> int:
            self.last_version = len(self.versions)
            return super().add(new)


class LatestByTime(MemoryRegistryStore):
    """Shows all versions of a model, not the latest of each stage."""

    class shelf(Shelf):  # noqa: N801 - takes the place of an attribute
        def shown(self) -> RegisteredModel:
            return replace(super().shown(), latest_versions=[self.shown_version(each) for each in self.versions])


class StillTimes(MemoryRegistryStore):
    """Does not say when something was changed."""

    class shelf(Shelf):  # noqa: N801 - takes the place of an attribute
        def touch(self, now: int, *versions: int | None) -> None:
            del now, versions


class ModelTimesAlone(MemoryRegistryStore):
    """Says of models when they were changed, and not of versions."""

    class shelf(Shelf):  # noqa: N801 - takes the place of an attribute
        def touch(self, now: int, *versions: int | None) -> None:
            del versions
            super().touch(now)


# --- aliases and stages --------------------------------------------------------------------------------------


class UnexpectedMoves(MemoryRegistryStore):
    """Moves an alias wherever it is."""

    def move_alias(self, name: str, alias: str, version: int | None, **options: Any) -> RegistryMove | None:
        options.pop("expected", None)
        return super().move_alias(name, alias, version, **options)


class SwallowedRefusals(MemoryRegistryStore):
    """Says nothing where an alias is not where it was expected."""

    def move_alias(self, name: str, alias: str, version: int | None, **options: Any) -> RegistryMove | None:
        with suppress(AliasMoved):
            return super().move_alias(name, alias, version, **options)
        return None


class UnexpectedTransitions(MemoryRegistryStore):
    """Puts a version into a stage whichever it is in."""

    def transition_stage(self, name: str, version: int, stage: str, **options: Any) -> ModelVersion:
        options.pop("expected", None)
        return super().transition_stage(name, version, stage, **options)


class ArchivedTooEarly(MemoryRegistryStore):
    """Archives the others before it looks where the version is."""

    def transition_stage(self, name: str, version: int, stage: str, **options: Any) -> ModelVersion:
        for other in self.search_model_versions(f"name = '{name}'") if options.pop("archive_existing", False) else []:
            if other.version != version and other.current_stage == stage:
                super().transition_stage(name, other.version, "Archived")
        return super().transition_stage(name, version, stage, **options)


class DanglingAliases(MemoryRegistryStore):
    """Leaves aliases pointing at versions that are deleted."""

    def delete_model_version(self, name: str, version: int, *, user_id: str = "", reason: str = "") -> None:
        del user_id, reason
        self.get_model_version(name, version)
        with self._lock:
            self._shelves[name].versions.pop(version)


class QuietRemovals(MemoryRegistryStore):
    """Removes the aliases of a deleted version, and does not note it."""

    def delete_model_version(self, name: str, version: int, *, user_id: str = "", reason: str = "") -> None:
        with self._lock:
            moves = list(self._shelf(name).moves)
            super().delete_model_version(name, version, user_id=user_id, reason=reason)
            self._shelf(name).moves = moves


class ArchivedTooMuch(MemoryRegistryStore):
    """Archives whatever is in another stage."""

    def transition_stage(self, name: str, version: int, stage: str, **options: Any) -> ModelVersion:
        if options.get("archive_existing"):
            with self._lock:
                for number, held in self._shelf(name, version).versions.items():
                    if number != version and held.current_stage != "None":
                        super().transition_stage(name, number, "Archived")
        return super().transition_stage(name, version, stage, **options)


class ArchivedAfterwards(MemoryRegistryStore):
    """Archives the others in a second step, while readers look."""

    def transition_stage(self, name: str, version: int, stage: str, **options: Any) -> ModelVersion:
        archive = options.pop("archive_existing", False)
        moved = super().transition_stage(name, version, stage, **options)
        time.sleep(0.001)
        for other in self.search_model_versions() if archive else []:
            if other.version != version and other.name == name and other.current_stage == stage:
                super().transition_stage(name, other.version, "Archived", **options)
        return moved


# --- history -------------------------------------------------------------------------------------------------


class BareHistory(MemoryRegistryStore):
    """Does not keep who moved something, and why."""

    def _note(self, shelf: Shelf, moved: Any, occasion: Any) -> RegistryMove:
        return super()._note(shelf, moved, (occasion[0], "", ""))


class LostHistory(MemoryRegistryStore):
    """Forgets the history with the model."""

    def delete_registered_model(self, name: str) -> None:
        super().delete_registered_model(name)
        self._gone.clear()


class InheritedHistory(MemoryRegistryStore):
    """Gives a new model the history of the one that had its name."""

    def create_registered_model(self, name: str, *args: Any, **options: Any) -> RegisteredModel:
        before = self._gone.get(name)
        made = super().create_registered_model(name, *args, **options)
        self._shelves[name].moves = before.moves if before else []
        return made


class HistoryLeftBehind(MemoryRegistryStore):
    """Begins a new history with a new name."""

    class shelf(Shelf):  # noqa: N801 - takes the place of an attribute
        def rename(self, name: str) -> None:
            super().rename(name)
            self.moves = []


class RewrittenHistory(MemoryRegistryStore):
    """Has the new name in what was noted under the old one."""

    class shelf(Shelf):  # noqa: N801 - takes the place of an attribute
        def rename(self, name: str) -> None:
            super().rename(name)
            self.moves = [replace(move, name=name) for move in self.moves]


class OldestFirst(MemoryRegistryStore):
    """Tells the history from its beginning."""

    def get_history(
        self, name: str, what: str | None = None, max_results: int = 100, page_token: str | None = None
    ) -> Page[RegistryMove]:
        page = super().get_history(name, what, max_results, page_token)
        page.reverse()
        return page


class NumberedByModel(MemoryRegistryStore):
    """Numbers the moves of each model for itself."""

    def _note(self, shelf: Shelf, moved: Any, occasion: Any) -> RegistryMove:
        self._moves = len(shelf.moves)
        return super()._note(shelf, moved, occasion)


# --- searches ------------------------------------------------------------------------------------------------


class PromptsAmongModels(MemoryRegistryStore):
    """Finds no model without the tag where prompts are to be left out."""

    def search_registered_models(self, filter_string: str | None = None, *args: Any, **options: Any) -> Page[Any]:
        found = super().search_registered_models(filter_string, *args, **options)
        if "is_prompt" in (filter_string or "") and "!=" in str(filter_string):
            found[:] = [model for model in found if "mlflow.prompt.is_prompt" in model.tags]
        return found


class BareFindings(MemoryRegistryStore):
    """Finds models without their aliases and versions."""

    def search_registered_models(self, *args: Any, **options: Any) -> Page[RegisteredModel]:
        found = super().search_registered_models(*args, **options)
        found[:] = [replace(model, latest_versions=[], aliases={}) for model in found]
        return found


class ForgetfulTokens(MemoryRegistryStore):
    """Takes the token of any search, and rubbish for the first page."""

    def search_model_versions(self, *args: Any, **options: Any) -> Page[ModelVersion]:
        try:
            return super().search_model_versions(*args, **options)
        except InvalidFilter:
            return super().search_model_versions(*args[:3])


class OldestUpdateFirst(MemoryRegistryStore):
    """Leaves versions in the order of their numbers."""

    def _all_versions(self) -> list[ModelVersion]:
        return [replace(each, last_updated_timestamp=each.version) for each in super()._all_versions()]


# --- threads -------------------------------------------------------------------------------------------------


class LateTurns(MemoryRegistryStore):
    """Looks where an alias is, and moves it a moment later."""

    def move_alias(self, name: str, alias: str, version: int | None, **options: Any) -> RegistryMove | None:
        if "expected" in options:
            here = self.get_registered_model(name).aliases.get(alias)
            if here != options.pop("expected"):
                raise AliasMoved(f"{alias} of {name} is at {here}.")
            time.sleep(0.001)
        return super().move_alias(name, alias, version, **options)


class LateTransitions(MemoryRegistryStore):
    """Looks which stage a version is in, and moves it a moment later."""

    def transition_stage(self, name: str, version: int, stage: str, **options: Any) -> ModelVersion:
        if "expected" in options:
            here = self.get_model_version(name, version).current_stage
            if options.pop("expected") not in (here, ANYWHERE):
                raise StageMoved(f"Version {version} of {name} is in {here}.")
            time.sleep(0.001)
        return super().transition_stage(name, version, stage, **options)


class Unlocked(MemoryRegistryStore):
    """Lets threads number versions all at once."""

    class shelf(Shelf):  # noqa: N801 - takes the place of an attribute
        def add(self, new: NewModelVersion) -> int:
            number = self.last_version
            time.sleep(0.0001)
            self.last_version = number
            return super().add(new)

    def __init__(self) -> None:
        super().__init__()
        self._lock = cast("threading.RLock", nullcontext())


for _fault in MemoryRegistryStore.__subclasses__():
    globals()[f"Test{_fault.__name__}"] = type(f"Test{_fault.__name__}", (_Broken,), {"kind": _fault})
