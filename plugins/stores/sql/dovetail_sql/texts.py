"""Statements as the text and parameters that a driver takes, for engines that compile them when they run."""

from __future__ import annotations

from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias
from weakref import WeakKeyDictionary

from sqlalchemy import BinaryExpression, BindParameter, SelectBase
from sqlalchemy.sql import visitors
from sqlalchemy.types import TypeDecorator

from dovetail_sql.functions import Within
from dovetail_sql.locking import LOCKS
from dovetail_sql.statements import MANY, fixed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sqlalchemy.engine import Dialect
    from sqlalchemy.sql.expression import Executable
    from sqlalchemy.types import TypeEngine

    from dovetail_sql.database import Row

__all__ = ["Text", "Texts"]

_Convert: TypeAlias = "Callable[[Any], Any]"


class Text(NamedTuple):
    """A statement as a driver takes it.

    Args:
        text: With parameters such as ``%(name)s``.
        construct: What it was made of.
        wanted: The names of the parameters that come with each execution.
        constants: Parameters that the statement holds itself.
        inward: What parameters go through before the driver gets them, by name.
        outward: What columns of a result go through, by place.
    """

    text: str
    construct: Any
    wanted: Sequence[str]
    constants: Mapping[str, Any]
    inward: Mapping[str, _Convert]
    outward: tuple[tuple[int, _Convert], ...]

    def passed(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """All parameters as the driver takes them, and none that the statement has no use for."""
        passed = dict(self.constants)
        for name in self.wanted:
            convert = self.inward.get(name)
            passed[name] = params[name] if convert is None else convert(params[name])
        return passed

    def answered(self, rows: Sequence[Row]) -> list[Row]:
        """Rows as the store takes them."""
        if not self.outward:
            return list(rows)
        return [self._answered(list(row)) for row in rows]

    def _answered(self, row: list[Any]) -> Row:
        for place, convert in self.outward:
            row[place] = convert(row[place])
        return row


class Texts:
    """The statements of one engine as text, each made when it is first wanted.

    Args:
        dialect: SQLAlchemy's, with a driver that takes ``%(name)s``.
        put: The engine's ``insert`` with ``on_conflict_do_update`` and ``on_conflict_do_nothing``.
    """

    def __init__(self, dialect: Dialect, put: Callable[..., Any]) -> None:
        self._dialect = dialect
        self._put = put
        self._named: dict[tuple[str, bool], Text] = {}
        # A search's statement is made once a shape and kept there; its text goes when it goes.
        self._made: WeakKeyDictionary[Any, Text] = WeakKeyDictionary()

    @cached_property
    def _fixed(self) -> dict[str, Executable]:
        return fixed(self._put)

    def named(self, name: str, *, locking: bool = False) -> Text:
        """A fixed statement.

        Args:
            name: One of ``statements.fixed``.
            locking: Whether a query is to lock what it reads, as ``locking.LOCKS`` says.
        """
        kept = self._named.get((name, locking))
        if kept is None:
            construct: Any = self._fixed[name]
            if locking and name in LOCKS:
                construct = LOCKS[name](construct)
            kept = self._named[name, locking] = self._text(construct, many=name in MANY)
        return kept

    def of(self, construct: Executable) -> Text:
        """A statement that was made for one search, or one of a migration."""
        kept = self._made.get(construct)
        if kept is None:
            kept = self._made[construct] = self._text(construct)
        return kept

    def _text(self, construct: Any, *, many: bool = False) -> Text:
        compiled = construct.compile(
            dialect=self._dialect, for_executemany=many, compile_kwargs={"render_postcompile": True}
        )
        binds = {name: bind for bind, name in compiled.bind_names.items()}
        inward = {**self._compared(construct), **self._typed(binds)}
        wanted = tuple(name for name, bind in binds.items() if bind.required)
        constants = {name: value for name, value in compiled.params.items() if name not in wanted}
        processed = {name: inward[name](value) if name in inward else value for name, value in constants.items()}
        return Text(str(compiled), construct, wanted, processed, inward, tuple(self._outward(construct)))

    def _typed(self, binds: Mapping[str, BindParameter[Any]]) -> dict[str, _Convert]:
        """What parameters of our own types go through."""
        found = {name: self._inward(bind.type) for name, bind in binds.items()}
        return {name: convert for name, convert in found.items() if convert is not None}

    def _compared(self, construct: Any) -> dict[str, _Convert]:
        """What parameters go through that have no type of their own and are compared with a column of ours."""
        found: dict[str, _Convert] = {}
        for element in visitors.iterate(construct):
            if isinstance(element, Within):
                value, values = element.clauses
            elif isinstance(element, BinaryExpression):
                value, values = element.left, element.right
            else:
                continue
            if (convert := self._inward(value.type)) is not None:
                binds = (each for each in visitors.iterate(values) if isinstance(each, BindParameter))
                found.update({str(bind.key): partial(_each, convert) for bind in binds})
        return found

    def _inward(self, kind: TypeEngine[Any]) -> _Convert | None:
        return own.bind_processor(self._dialect) if (own := self._own(kind)) is not None else None

    def _outward(self, construct: Any) -> list[tuple[int, _Convert]]:
        columns = construct.selected_columns if isinstance(construct, SelectBase) else ()
        kinds = [self._own(column.type) for column in columns]
        found = [(place, kind.result_processor(self._dialect, None)) for place, kind in enumerate(kinds) if kind]
        return [(place, convert) for place, convert in found if convert is not None]

    def _own(self, kind: TypeEngine[Any]) -> TypeDecorator[Any] | None:
        """The type if it is one of ours; what the driver does with all others is right."""
        here = kind.dialect_impl(self._dialect)
        return here if isinstance(here, TypeDecorator) else None


def _each(convert: _Convert, value: Any) -> Any:
    """Convert a number, or those in a list."""
    if isinstance(value, tuple):
        return tuple(map(convert, value))
    return convert(value) if isinstance(value, (int, float)) else value
