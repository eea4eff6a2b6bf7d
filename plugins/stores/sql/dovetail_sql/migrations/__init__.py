"""Steps from one schema version to the next, one module each: ``m0002_<what it does>.py`` and so on.

Version 1 is the first schema there was, so the first step leads to version 2. A module holds one function::

    def apply(transaction: Transaction) -> None:
        transaction.execute("ALTER TABLE runs ADD COLUMN …")

Steps only go forward, and a step that was released is never edited: databases exist that went through it. A new
database is made at the newest version at once, from ``tables``, and goes through none of them.
"""

from __future__ import annotations

import re
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from dovetail_sql.database import Transaction

__all__ = ["Migration", "found_in", "released"]

_MODULE = re.compile(r"m(\d{4})_\w+")


class Migration(NamedTuple):
    """A step to a schema version.

    Args:
        version: The version it leads to.
        apply: What makes the version before it this one.
        summary: What it does, in a few words.
    """

    version: int
    apply: Callable[[Transaction], None]
    summary: str = ""

    def __str__(self) -> str:
        return f"schema version {self.version}{f': {self.summary}' if self.summary else ''}"


def released() -> tuple[Migration, ...]:
    """All steps there are, in order."""
    import dovetail_sql.migrations as here

    return found_in(here)


def found_in(package: ModuleType) -> tuple[Migration, ...]:
    """The steps that a package's modules are, in order of their numbers.

    Raises:
        ValueError: The numbers do not count up from 2 one by one.
    """
    names = sorted(info.name for info in iter_modules(package.__path__) if _MODULE.fullmatch(info.name))
    steps = tuple(_step(f"{package.__name__}.{name}", int(name[1:5])) for name in names)
    if [step.version for step in steps] != list(range(2, len(steps) + 2)):
        raise ValueError(f"The migrations {names} are not numbered from 2, one by one.")
    return steps


def _step(module: str, version: int) -> Migration:
    def apply(transaction: Transaction) -> None:
        # Imported where it runs: nearly every start finds nothing to do.
        import_module(module).apply(transaction)

    return Migration(version, apply, module.rpartition(".")[2][6:].replace("_", " "))
