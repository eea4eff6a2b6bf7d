"""What only searches need: SQLAlchemy's compiler, and the functions that sqlite has not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from sqlalchemy.dialects import sqlite

from dovetail.tracking.filters import like, param_number
from dovetail_sql.compiling import statement

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

    from sqlalchemy.sql.expression import Executable

__all__ = ["add_functions", "text_of"]

_dialect = sqlite.dialect(paramstyle="named")
# A search's statement is made once a shape and kept there; its text goes when it goes.
_texts: WeakKeyDictionary[Any, tuple[str, Mapping[str, Any]]] = WeakKeyDictionary()


def text_of(construct: Executable) -> tuple[str, Mapping[str, Any]]:
    """A statement as text, and the parameters that it holds itself."""
    if construct not in _texts:
        _texts[construct] = statement(construct, _dialect)
    return _texts[construct]


def add_functions(raw: sqlite3.Connection) -> None:
    """Teach a connection the functions of ``dovetail_sql.functions``."""
    raw.create_function("dovetail_like", 2, like, deterministic=True)
    raw.create_function("dovetail_ilike", 2, _ilike, deterministic=True)
    raw.create_function("dovetail_number", 1, param_number, deterministic=True)


def _ilike(text: str, pattern: str) -> bool:
    return like(text, pattern, fold=True)
