"""Runs and logged models that registered models still refer to."""

from __future__ import annotations

import time
from bisect import bisect_left, insort
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from dovetail import uris
from dovetail.errors import PluginMissing, StoreError
from dovetail.registry.store import MAX_VERSIONS
from dovetail.tracking import places
from dovetail.tracking.own_folder import place_of
from dovetail.tracking.walking import every

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from dovetail.registry.store import RegistryStore
    from dovetail.tracking.bin import Discarded
    from dovetail.tracking.store import TrackingStore
    from dovetail.values import ModelVersion

__all__ = ["Registered", "registries_beside"]

_NEW_ENOUGH = 5.0  # seconds
_PAGE = 100
_NAMED = 3
_Placed: TypeAlias = "tuple[str, int, ModelVersion]"
"""A version with the place of its files, and a number that tells versions of one place apart."""


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

    Removing takes long where there is much, and meanwhile people register: the newest versions are looked at for each
    thing, and everything is read anew every now and then, at most a tenth of the time.

    Args:
        store: Where the runs and logged models are.
        registries: Where models are registered.
    """

    def __init__(self, store: TrackingStore, registries: list[RegistryStore]) -> None:
        self._store = store
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
        else:
            self._read_newest()
        versions = self._by_id.get((item.kind, item.id), []) + self._inside(item) + self._above(item)
        versions = versions or self._just_now(item) or self._by_name(item)
        return f"{_all_of(versions)} {'refers' if len(versions) == 1 else 'refer'} to it" if versions else None

    def _read(self) -> None:
        began = time.monotonic()
        self._by_id: dict[tuple[str, str], list[ModelVersion]] = {}
        self._by_place: list[_Placed] = []
        self._at_place: dict[str, list[ModelVersion]] = {}
        self._known: set[tuple[str, str, int]] = set()
        for registry in self._registries:
            for version in every(partial(registry.search_model_versions, None, (), MAX_VERSIONS)):
                self._take(registry, version, self._by_place.append)
        self._by_place.sort(key=_order)
        ended = time.monotonic()
        self._failure, self._read_again_at = None, ended + max(_NEW_ENOUGH, 10 * (ended - began))

    def _read_newest(self) -> None:
        """Take in what was registered since: what changed last comes first, so that the first pages have it."""
        for registry in self._registries:
            pages = partial(registry.search_model_versions, None, (), _PAGE)
            page = pages()
            while self._news_in(registry, page) and page.token:
                page = pages(page.token)

    def _news_in(self, registry: RegistryStore, page: Iterable[ModelVersion]) -> bool:
        return bool([version for version in page if self._take(registry, version, self._insert)])

    def _take(self, registry: RegistryStore, version: ModelVersion, put: Callable[[_Placed], None]) -> bool:
        """Note a version; whether it is new."""
        identity = registry.uri, version.name, version.version
        if identity in self._known:
            return False
        self._known.add(identity)
        for key in _referred(version):
            self._by_id.setdefault(key, []).append(version)
        if uris.scheme_of(version.source or ".") not in ("runs", "models"):
            place = place_of(version.source)
            put((place, len(self._known), version))
            self._at_place.setdefault(place, []).append(version)
        return True

    def _insert(self, placed: _Placed) -> None:
        insort(self._by_place, placed, key=_order)

    def _inside(self, item: Discarded) -> list[ModelVersion]:
        """The versions whose files lie in the thing's folder and that do not name it otherwise."""
        folder, found = place_of(item.artifact_uri), []
        known = self._by_id.get((item.kind, item.id), [])
        for place, _, version in self._by_place[bisect_left(self._by_place, folder, key=lambda entry: entry[0]) :]:
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

    def _by_name(self, item: Discarded) -> list[ModelVersion]:
        """The versions of ``runs:/<run>/<name>`` that are a logged model by its name, made after they were."""
        if item.kind != "logged_model":
            return []
        run_id = self._store.get_logged_model(item.id, allow_deleted=True).source_run_id
        of_run = self._by_id.get(("run", run_id or ""), [])
        return [version for version in of_run if _path_in(version, run_id or "").partition("/")[0] == item.name]


def _order(placed: _Placed) -> tuple[str, int]:
    return placed[:2]


def _path_in(version: ModelVersion, run_id: str) -> str:
    """The path below a run that a version is made of; empty if it is made of something else."""
    scheme, _, rest = version.source.partition(":")
    first, _, path = rest.lstrip("/").partition("/")
    return path if scheme.lower() == "runs" and first == run_id else ""


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
