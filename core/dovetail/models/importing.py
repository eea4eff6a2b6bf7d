"""``import dovetail.sklearn``: the façades of flavors, found by import statements too."""

from __future__ import annotations

import sys
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

__all__ = ["FacadeFinder", "install", "spec_of"]

_PREFIX = "dovetail."


def spec_of(fullname: str) -> ModuleSpec | None:
    """What makes ``dovetail.<flavor>``, None for any other module and for flavors that are not installed."""
    key = fullname[len(_PREFIX) :]
    if not fullname.startswith(_PREFIX) or "." in key:
        return None
    from dovetail import plugins

    return ModuleSpec(fullname, _FacadeLoader(key)) if key in plugins.offers("flavors") else None


class FacadeFinder(MetaPathFinder):
    """Finds ``dovetail.<flavor>`` for flavors that are installed; asked when no module of dovetail has the name."""

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: Any = None) -> ModuleSpec | None:
        """As ``spec_of``."""
        del path, target
        return spec_of(fullname)


class _FacadeLoader(Loader):
    def __init__(self, key: str) -> None:
        self._key = key

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        from dovetail.models.facade import flavor_facade

        del spec
        return flavor_facade(self._key)

    def exec_module(self, module: ModuleType) -> None:
        """Nothing: the façade looks into its plugin when it is used."""


def install() -> None:
    """Let import statements find façades; doing it twice is doing it once."""
    if not any(isinstance(finder, FacadeFinder) for finder in sys.meta_path):
        sys.meta_path.append(FacadeFinder())
