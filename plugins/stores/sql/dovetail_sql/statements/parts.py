"""What statements are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from sqlalchemy import bindparam, case

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import ColumnElement, Table
    from sqlalchemy.dialects.sqlite import Insert
    from sqlalchemy.sql.expression import Executable

    Put: TypeAlias = Callable[[Table], Insert]

__all__ = ["nan", "now", "replacing", "row"]


def now() -> Any:
    """The parameter that holds the present time."""
    return bindparam("now")


def nan(value: ColumnElement[Any]) -> ColumnElement[int]:
    """1 for NaN, 0 for numbers."""
    return case((value.is_(None), 1), else_=0)


def row(statement: Any, columns: tuple[str, ...]) -> Any:
    """An insert of one value a column, each a parameter of its name."""
    return statement.values({column: bindparam(column) for column in columns})


def replacing(statement: Insert, columns: tuple[str, ...], key: tuple[str, ...]) -> Executable:
    """An insert that takes the place of the value of a row of the same key."""
    new: Insert = row(statement, columns)
    return new.on_conflict_do_update(index_elements=list(key), set_={"value": new.excluded.value})
