"""What only searches need: SQLAlchemy's compiler, and the functions that sqlite has not."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from sqlalchemy.dialects import sqlite

from dovetail.tracking.filters import like, param_number
from dovetail_sql.compiling import statement

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

    from sqlalchemy.sql.expression import Executable

__all__ = ["make_ready", "text_of"]

_dialect = sqlite.dialect(paramstyle="named")
# A search's statement is made once a shape and kept there; its text goes when it goes.
_texts: WeakKeyDictionary[Any, tuple[str, Mapping[str, Any]]] = WeakKeyDictionary()
_ROOM = 65_536  # KiB of the file that a roomy connection keeps at most; others keep the 2 MB that sqlite does
_GLOBS = {"%": "*", "_": "?", "*": "[*]", "?": "[?]", "[": "[[]"}
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")


def text_of(construct: Executable) -> tuple[str, Mapping[str, Any]]:
    """A statement as text, and the parameters that it holds itself."""
    if construct not in _texts:
        _texts[construct] = statement(construct, _dialect)
    return _texts[construct]


def make_ready(raw: sqlite3.Connection, *, roomy: bool) -> None:
    """Teach a connection the functions of ``dovetail_sql.functions``.

    Args:
        raw: The connection.
        roomy: Whether it may keep in memory what searches read, which saves about a tenth of their time.
    """
    if roomy:
        raw.execute(f"PRAGMA cache_size = -{_ROOM}")
    raw.create_function("dovetail_ilike", 2, _ilike, deterministic=True)
    raw.create_function("dovetail_number", 1, param_number, deterministic=True)
    # Of parameters alone, so sqlite calls them once a statement.
    raw.create_function("dovetail_glob", 1, _glob, deterministic=True)
    raw.create_function("dovetail_loose", 1, _loose, deterministic=True)


def _ilike(text: str, pattern: str) -> bool:
    return like(text, pattern, fold=True)


def _glob(pattern: str) -> str:
    """The GLOB pattern that a LIKE pattern is."""
    return "".join(_GLOBS.get(character, character) for character in pattern)


def _loose(pattern: str) -> str:
    """The pattern with anything for what is not ASCII."""
    return _NOT_ASCII.sub("%", pattern)
