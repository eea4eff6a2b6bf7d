"""Runs and logged models that registered models still refer to."""

from __future__ import annotations

import time
from bisect import bisect_left
from functools import partial
from typing import TYPE_CHECKING

from dovetail import uris
from dovetail.errors import PluginMissing, StoreError
from dovetail.registry.store import MAX_VERSIONS
from dovetail.tracking import places
from dovetail.tracking.own_folder import place_of
from dovetail.tracking.walking import every

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dovetail.registry.store import RegistryStore
    from dovetail.tracking.bin import Discarded
    from dovetail.values import ModelVersion

__all__ = ["Registered", "registries_beside"]

_NEW_ENOUGH = 5.0  # seconds
_NAMED = 3


def registries_beside(tracking_uri: str) -> list[RegistryStore]:
    """The registries whose versions may refer to runs of a tracking store: the one in force, and the one beside it.

    Raises:
        PluginMissing: One is chosen or set, and nothing answers for its scheme.
    """
    chosen = places.registry_uri_beside(tracking_uri)
    found = [places.open_registry(chosen)] if chosen != tracking_uri else []
    try:
        return [*found, places.open_registry(tracking_uri)]
    except PluginMissing:  # nobody can have registered anything there
        return found


class Registered:
    """Which runs and logged models the versions of registered models refer to.

    Removing takes long where there is much, and meanwhile people register: what is known is read anew every now and
    then, at most a tenth of the time.

    Args:
        registries: Where models are registered.
    """

    def __init__(self, registries: list[RegistryStore]) -> None:
        self._registries = registries
        self._failure: StoreError | None = None
        self._read_again_at = 0.0
        self._read()

    def reason(self, item: Discarded) -> str | None:
        """Why a run or logged model is still wanted, None if no version refers to it.

        Raises:
            StoreError: A registry cannot be asked, or could not be a moment ago: each failure may have taken long, and
                is not waited for again for every thing.
        """
        began = time.monotonic()
        if self._failure is not None and began < self._read_again_at:
            raise self._failure
        try:
            return self._reason(item)
        except StoreError as error:
            ended = time.monotonic()
            self._failure, self._read_again_at = error.with_traceback(None), ended + 10 * (ended - began)
            raise

    def _reason(self, item: Discarded) -> str | None:
        if time.monotonic() >= self._read_again_at:
            self._read()
        versions = self._by_id.get((item.kind, item.id), []) + self._inside(item) + self._above(item)
        versions = versions or self._just_now(item)
        return f"{_all_of(versions)} {'refers' if len(versions) == 1 else 'refer'} to it" if versions else None

    def _read(self) -> None:
        began = time.monotonic()
        self._by_id: dict[tuple[str, str], list[ModelVersion]] = {}
        self._by_place: list[tuple[str, int, ModelVersion]] = []
        for number, version in enumerate(self._versions()):
            for key in _referred(version):
                self._by_id.setdefault(key, []).append(version)
            if uris.scheme_of(version.source or ".") not in ("runs", "models"):
                self._by_place.append((place_of(version.source), number, version))
        self._at_place: dict[str, list[ModelVersion]] = {}
        for place, _, version in self._by_place:
            self._at_place.setdefault(place, []).append(version)
        self._by_place.sort(key=lambda entry: entry[:2])
        ended = time.monotonic()
        self._failure, self._read_again_at = None, ended + max(_NEW_ENOUGH, 10 * (ended - began))

    def _versions(self) -> Iterator[ModelVersion]:
        for registry in self._registries:
            search = partial(registry.search_model_versions, None, (), MAX_VERSIONS)
            yield from every(search)

    def _inside(self, item: Discarded) -> list[ModelVersion]:
        """The versions whose files lie in the thing's folder and that do not name it otherwise."""
        folder, found = place_of(item.artifact_uri), []
        known = self._by_id.get((item.kind, item.id), [])
        for _, _, version in self._by_place[bisect_left(self._by_place, folder, key=lambda entry: entry[0]) :]:
            place = place_of(version.source)
            if not place.startswith(folder):
                break
            if (place == folder or place.startswith(f"{folder}/")) and version not in known:
                found.append(version)
        return found

    def _above(self, item: Discarded) -> list[ModelVersion]:
        """The versions whose files are a folder that the thing's folder lies in."""
        found, folder = [], place_of(item.artifact_uri)
        known = self._by_id.get((item.kind, item.id), [])
        while "/" in folder:
            folder = folder.rpartition("/")[0]
            found += [version for version in self._at_place.get(folder, []) if version not in known]
        return found

    def _just_now(self, item: Discarded) -> list[ModelVersion]:
        """The versions that name the thing and were registered since everything was read."""
        field = {"run": "run_id", "logged_model": "model_id"}[item.kind]
        asked = f"{field} = '{item.id}'"
        return [version for each in self._registries for version in each.search_model_versions(asked, (), _NAMED)]


def _referred(version: ModelVersion) -> set[tuple[str, str]]:
    """The runs and logged models that a version names by their ids."""
    found = {("run", version.run_id or ""), ("logged_model", version.model_id or "")}
    scheme, _, rest = version.source.partition(":")
    first = rest.lstrip("/").partition("/")[0]
    if scheme.lower() in ("runs", "models"):
        found.add(("run" if scheme.lower() == "runs" else "logged_model", first))
    return {(kind, identity) for kind, identity in found if identity}


def _all_of(versions: list[ModelVersion]) -> str:
    """Versions by name and number, those with aliases or a stage first."""
    shown = [_named(each) for each in sorted(versions, key=lambda each: not _marks(each))]
    more = len(shown) - _NAMED
    return ", ".join(shown[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def _named(version: ModelVersion) -> str:
    marks = _marks(version)
    return f"{version.name} version {version.version}" + (f" ({', '.join(marks)})" if marks else "")


def _marks(version: ModelVersion) -> list[str]:
    stage = [] if version.current_stage == "None" else [version.current_stage]
    return [*(f"@{alias}" for alias in version.aliases), *stage]
