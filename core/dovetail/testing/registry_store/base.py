"""What the stories about registries share: the fixtures to override, and short ways to write and read."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, ClassVar, TypeVar

import pytest

from dovetail.values import NewModelVersion, RegistryTag
from dovetail.values.measure import now_ms

if TYPE_CHECKING:
    from collections.abc import Callable

    from dovetail.registry.store import RegistryStore
    from dovetail.values import Page, RegistryMove

__all__ = ["TAGS", "Stories", "added", "everything", "labels", "moments_later", "moves", "registered", "triple", "walk"]

Item = TypeVar("Item")

TAGS = tuple(RegistryTag(f"t{number}", str(number)) for number in range(20))
"""The tags of what writing processes register; they are there together or not at all."""


class Stories:
    """The part of the suite that a plugin's author fills in.

    Attributes:
        survives_reopen: Whether a registry that was closed can be opened again; override the fixture ``reopen`` then.
        shared_between_processes: Whether several processes can use one registry; override the fixture ``uri`` then.
    """

    survives_reopen: ClassVar[bool] = False
    shared_between_processes: ClassVar[bool] = False

    @pytest.fixture
    def store(self) -> RegistryStore:
        """A fresh, empty registry."""
        raise NotImplementedError(f"{type(self).__name__} overrides the fixture `store` with a fresh, empty registry.")

    @pytest.fixture
    def reopen(self) -> Callable[[RegistryStore], RegistryStore]:
        """What opens a registry again that the test has closed: another instance of the same place."""
        if self.survives_reopen:
            raise NotImplementedError(f"{type(self).__name__} overrides the fixture `reopen`.")
        pytest.skip("survives_reopen is false: the registry ends with its instance")

    @pytest.fixture
    def uri(self) -> str:
        """The URI of a place for a registry that nobody has opened yet; any process may open it by that."""
        if self.shared_between_processes:
            raise NotImplementedError(f"{type(self).__name__} overrides the fixture `uri`.")
        pytest.skip("shared_between_processes is false: the registry belongs to one process")


def labels(**tags: str) -> tuple[RegistryTag, ...]:
    """Tags from keywords."""
    return tuple(RegistryTag(key, value) for key, value in tags.items())


def added(store: RegistryStore, name: str = "wine", **fields: object) -> int:
    """Register a version and return its number."""
    new = NewModelVersion(name, str(fields.pop("source", "s3://models/wine")), **fields)  # type: ignore[arg-type]
    return store.create_model_version(new).version


def registered(store: RegistryStore, name: str = "wine", versions: int = 0) -> str:
    """Create a registered model with so many versions and return its name."""
    store.create_registered_model(name)
    for _ in range(versions):
        added(store, name)
    return name


def triple(move: RegistryMove) -> tuple[str, str | None, str | None]:
    """What was moved, from where and to where."""
    return move.what, move.before, move.after


def moves(
    store: RegistryStore, name: str = "wine", what: str | None = None
) -> list[tuple[str, str | None, str | None]]:
    """The history of a model as triples, the latest first."""
    return [triple(move) for move in store.get_history(name, what)]


def everything(store: RegistryStore) -> tuple[object, ...]:
    """All models, versions and moves of a registry, as something that compares."""
    models = list(store.search_registered_models(max_results=1000))
    return models, list(store.search_model_versions()), [list(store.get_history(model.name)) for model in models]


def moments_later() -> None:
    """Wait until the clock shows another millisecond."""
    began = now_ms()
    while now_ms() <= began:
        time.sleep(0.001)


def walk(search: Callable[[str | None], Page[Item]]) -> list[Page[Item]]:
    """All pages of a search, by their tokens."""
    pages = [search(None)]
    while pages[-1].token is not None:
        assert len(pages) < 1000, "the pages never end"
        pages.append(search(pages[-1].token))
    return pages
