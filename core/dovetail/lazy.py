"""Packages whose public names are loaded when they are first used."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["attributes", "names"]


def attributes(package: str, homes: Mapping[str, str]) -> Callable[[str], Any]:
    """What a package takes as its ``__getattr__``.

    It loads public names, and modules of the package: ``dovetail.models.signature`` is there without an import
    statement of its own. Type checkers read the import statements that stand beside it for them.

    Args:
        package: The package's own name.
        homes: Public name -> the module of the package that defines it.
    """

    def load(name: str) -> Any:
        known = name in homes
        value = getattr(import_module(f"{package}.{homes[name]}"), name) if known else _submodule(package, name)
        setattr(sys.modules[package], name, value)
        return value

    return load


def names(package: str, homes: Mapping[str, str]) -> Callable[[], list[str]]:
    """What a package takes as its ``__dir__``, beside ``attributes``: what is not loaded yet is listed, too.

    Args:
        package: The package's own name.
        homes: Public name -> the module of the package that defines it.
    """
    return lambda: sorted({*vars(sys.modules[package]), *homes})


def _submodule(package: str, name: str) -> Any:
    from importlib.util import find_spec

    full = f"{package}.{name}"
    # What nobody would import is asked for all the time: by copy, pickle, inspect, notebooks.
    if name.startswith("_") or not name.isidentifier() or find_spec(full) is None:
        raise AttributeError(f"module {package!r} has no attribute {name!r}")
    return import_module(full)
