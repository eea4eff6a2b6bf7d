"""The suite that every plugin is held to, whatever its kind."""

from __future__ import annotations

import importlib
import importlib.util
import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import pytest

from dovetail import inspection
from dovetail.plugins import BROADCAST, KINDS, PACKAGES, Plugins

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dovetail.entrypoints import EntryPoint

__all__ = ["PluginSuite"]

# Groups whose entry points answer for no key of their own.
KEYLESS = (BROADCAST, PACKAGES)
# What no plugin may load before it is used, beside its own library.
ALWAYS_HEAVY = ("numpy", "pandas", "sqlalchemy")


class PluginSuite:
    """A plugin is found by its key, fits the hooks, costs nothing until it is used, and is documented and typed.

    ::

        class TestPlugin(PluginSuite):
            module, heavy = "dovetail_s3", ["s3fs", "boto3"]

    Attributes:
        module: The plugin's package.
        heavy: Libraries that importing the package must not load, beside numpy, pandas and sqlalchemy.
        allowed: Those among numpy, pandas and sqlalchemy that it may load after all.
        key: The plugin's word; by default what follows ``dovetail_`` in the name of the package.
    """

    module: ClassVar[str] = ""
    heavy: ClassVar[Sequence[str]] = ()
    allowed: ClassVar[Sequence[str]] = ()
    key: ClassVar[str] = ""

    @pytest.fixture
    def points(self) -> list[EntryPoint]:
        """The plugin's entry points."""
        assert self.module, f"{type(self).__name__} names no module"
        return [point for point in Plugins().installed() if f"{point.value}.".startswith(f"{self.module}.")]

    @pytest.fixture
    def folder(self) -> Path:
        """The folder of the plugin's package."""
        spec = importlib.util.find_spec(self.module)
        assert spec is not None, f"{self.module} cannot be imported"
        assert spec.submodule_search_locations, f"{self.module} is no package, and only packages can carry py.typed"
        return Path(next(iter(spec.submodule_search_locations)))

    @property
    def word(self) -> str:
        """The plugin's key."""
        return self.key or self.module.removeprefix("dovetail_")

    def test_its_distribution_has_entry_points_in_groups_there_are(self, points: list[EntryPoint]) -> None:
        """The installed metadata names the package, in groups that dovetail reads."""
        assert points, f"no installed distribution has an entry point for {self.module}; is the plugin installed?"
        assert list(inspection.unknown_groups(points).values()) == []

    def test_its_key_is_among_them(self, points: list[EntryPoint]) -> None:
        """A plugin that hands out something by key hands out something under its own word."""
        named = {point.name for point in points if point.group not in KEYLESS}
        assert not named or self.word in named, f"none of {sorted(named)} is {self.word!r}; set `key` if that is right"

    def test_every_key_is_handed_out(self, points: list[EntryPoint]) -> None:
        """Each key that the metadata claims is found, and what it stands for has every method of its interface."""
        plugins = Plugins()
        kinds = {kind.group: kind.name for kind in KINDS.values()}
        claims = [(kinds[point.group], point.name) for point in points if point.group in kinds]
        assert [inspection.fit(kind, plugins.find(kind, key)).problems for kind, key in claims] == [()] * len(claims)

    def test_its_hooks_are_ones_there_are(self, points: list[EntryPoint]) -> None:
        """Every hook the plugin implements is specified, with arguments that the specification has."""
        plugins = Plugins(points=())
        for module in sorted({point.value for point in points if point.group != PACKAGES}):
            plugins.register(importlib.import_module(module))

    def test_importing_it_is_light(self, points: list[EntryPoint]) -> None:
        """Importing the plugin loads none of the libraries it stands on: they are imported where they are used."""
        modules = sorted({self.module, *(point.value for point in points)})
        program = f"import sys, {', '.join(modules)}; print(*sys.modules)"
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        done = subprocess.run(  # noqa: S603 - our own program
            [sys.executable, "-c", program], capture_output=True, text=True, check=False, env=environment
        )
        assert done.returncode == 0, done.stderr
        assert self._unwanted() & set(done.stdout.split()) == set()

    def test_it_has_a_readme(self, points: list[EntryPoint], folder: Path) -> None:
        """A README.md stands beside or in the package, or came along as the distribution's description."""
        files = [folder.parent / "README.md", folder / "README.md"]
        described = (_description(point.distribution) for point in points)
        assert any(file.is_file() for file in files) or any(described)

    def test_it_is_typed(self, folder: Path) -> None:
        """The package carries ``py.typed``, so that type checkers read its annotations."""
        assert (folder / "py.typed").is_file()

    def test_its_key_is_no_name_of_the_cores(self, points: list[EntryPoint]) -> None:
        """No key hides a module or verb of dovetail: ``dovetail.<flavor>`` must mean the flavor."""
        flavors = {point.name for point in points if point.group == KINDS["flavors"].group}
        assert inspection.hidden_names({self.word, *flavors}) == set()

    def _unwanted(self) -> set[str]:
        return {*self.heavy, *ALWAYS_HEAVY} - set(self.allowed)


def _description(distribution: str) -> str:
    found = metadata.metadata(distribution).json  # the one form that has the description wherever it stands
    return str(found.get("description", "")).strip()
