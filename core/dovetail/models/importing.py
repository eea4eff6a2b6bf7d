"""``import dovetail.sklearn``: the façades of flavors, found by import statements too.

The package puts a finder at the end of ``sys.meta_path`` that comes here when no module of dovetail has the name.
"""

from __future__ import annotations

from importlib.abc import Loader
from importlib.machinery import ModuleSpec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import ModuleType

__all__ = ["spec_of"]

_PREFIX = "dovetail."


def spec_of(fullname: str) -> ModuleSpec | None:
    """What makes ``dovetail.<flavor>``, None for any other module and for flavors that are not installed.

    One that is blocked has a spec too, so that the import can say who keeps it out.
    """
    key = fullname[len(_PREFIX) :]
    if not fullname.startswith(_PREFIX) or "." in key:
        return None
    from dovetail import plugins

    group = plugins.KINDS["flavors"].group
    known = any(point.group == group and point.name == key for point in plugins.installed())
    return ModuleSpec(fullname, _FacadeLoader(key)) if known else None


class _FacadeLoader(Loader):
    def __init__(self, key: str) -> None:
        self._key = key

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        from dovetail.errors import PluginBlocked
        from dovetail.models.facade import flavor_facade

        try:
            return flavor_facade(self._key)
        except PluginBlocked as error:
            # What asks with `except ImportError` whether there is a flavor gets its answer.
            raise ModuleNotFoundError(f"No module named {spec.name!r}: {error}", name=spec.name) from error

    def exec_module(self, module: ModuleType) -> None:
        """Nothing: the façade looks into its plugin when it is used."""
