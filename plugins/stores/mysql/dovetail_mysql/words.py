"""How MySQL and MariaDB spell what SQL has no common word for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pymysql
from pymysql.converters import escape_item
from sqlalchemy import Double, case, null
from sqlalchemy.dialects.mysql import DOUBLE, Insert
from sqlalchemy.dialects.mysql import pymysql as engine
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from dovetail_sql.functions import Clock, FitsPattern, FitsPatternFolded, ParamNumber, Within
from dovetail_sql.texts import Text, Texts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import ColumnElement
    from sqlalchemy.engine import Dialect
    from sqlalchemy.sql.compiler import SQLCompiler

__all__ = ["MysqlTexts", "Putting", "dialect"]


class _AsDouble(FunctionElement[float]):
    """A number as what it is; a plain one may be rounded beside a column of whole numbers."""

    type: Any = DOUBLE()
    inherit_cache = True


class _Double(DOUBLE):
    """Parameters that are to be compared as doubles."""

    def bind_expression(self, bindvalue: Any) -> Any:
        """The parameter in the text of a statement."""
        return _AsDouble(bindvalue)


dialect: Dialect = engine.dialect(dbapi=pymysql)
dialect.colspecs = {**dialect.colspecs, Double: _Double}
# Newer servers have another word for the row that was to be inserted; all of them know this one.
dialect._requires_alias_for_on_duplicate_key = False  # type: ignore[attr-defined]  # noqa: SLF001

_SPACE = r"[ \\t\\n\\r\\f\\v]*"
_NUMBER = rf"^{_SPACE}[+-]?([0-9]+([.][0-9]*)?|[.][0-9]+)([eE][+-]?[0-9]+)?{_SPACE}$"


class Putting(Insert):
    """An insertion with the clauses for conflicts that sqlite and PostgreSQL have, in MySQL's words.

    MySQL assigns columns one after the other, and what was assigned counts in what follows. So a condition on
    several columns stands only if they are set from the least to the most significant one.
    """

    inherit_cache = False
    single: Putting | None = None
    """The same for one row: it fails, the column being NOT NULL, where the condition does not hold.

    The number of rows that MySQL says it changed is the same for a new row and one left as it was.
    """

    @property
    def excluded(self) -> Any:
        """The row that was to be inserted."""
        return self.inserted

    def on_conflict_do_nothing(self, index_elements: Sequence[str] | None = None) -> Putting:
        """Leave a row of the same key as it is."""
        del index_elements
        return self.prefix_with("IGNORE")

    def on_conflict_do_update(
        self,
        index_elements: Sequence[str],
        set_: Mapping[str, Any],
        where: ColumnElement[bool] | None = None,
    ) -> Putting:
        """Change the row of the same key, where it meets the condition."""
        del index_elements
        if where is None:
            return self.on_duplicate_key_update(list(set_.items()))
        columns: Any = self.table.c
        kept = [(name, case((where, value), else_=columns[name])) for name, value in set_.items()]
        statement = self.on_duplicate_key_update(kept)
        name = next(iter(set_))
        if not columns[name].nullable:
            refusing = [(name, case((where, set_[name]), else_=null())), *kept[1:]]
            statement.single = self.on_duplicate_key_update(refusing)
        return statement


class MysqlTexts(Texts):
    """Statements in MySQL's words."""

    def _text(self, construct: Any, *, many: bool = False) -> Text:
        if not many and isinstance(construct, Putting) and construct.single is not None:
            return super()._text(construct.single)._replace(construct=construct)
        text = super()._text(construct, many=many)
        return _written_out(text) if many else text


def _as_double(element: _AsDouble, compiler: SQLCompiler, **options: Any) -> str:
    (number,) = (compiler.process(clause, **options) for clause in element.clauses)
    return f"CAST({number} AS DOUBLE)"


def _written_out(text: Text) -> Text:
    """The statement with its constants in the text: behind the rows the driver takes no parameters."""
    whole = text.text
    for name, value in text.constants.items():
        whole = whole.replace(f"%({name})s", escape_item(value, "utf8mb4").replace("%", "%%"))
    return text._replace(text=whole, constants={})


def _clock(element: FunctionElement[int], compiler: SQLCompiler, **options: Any) -> str:
    del element, compiler, options
    # In UTC: the hour that summer time gives back is there twice.
    return "(TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(3)) DIV 1000)"


def _within(element: Within, compiler: SQLCompiler, **options: Any) -> str:
    # The driver writes lists out.
    value, values = (compiler.process(clause, **options) for clause in element.clauses)
    return f"{value} IN {values}"


def _pattern(element: FunctionElement[bool], compiler: SQLCompiler, **options: Any) -> str:
    text, pattern = (compiler.process(clause, **options) for clause in element.clauses)
    return _like(text, pattern)


def _folded(element: FunctionElement[bool], compiler: SQLCompiler, **options: Any) -> str:
    # There and back, since some letters have two small or two capital forms.
    text, pattern = (f"UPPER(LOWER({compiler.process(clause, **options)}))" for clause in element.clauses)
    return _like(text, pattern)


def _like(text: str, pattern: str) -> str:
    # Something has to be the character that escapes others: one that escapes itself wherever it stands does nothing.
    return f"({text} LIKE REPLACE({pattern}, '|', '||') ESCAPE '|')"


def _number(element: FunctionElement[float], compiler: SQLCompiler, **options: Any) -> str:
    (text,) = (compiler.process(clause, **options) for clause in element.clauses)
    trimmed = f"TRIM(REGEXP_REPLACE({text}, '[\\\\t\\\\n\\\\r\\\\f\\\\v]', ' '))"
    return f"(CASE WHEN {text} REGEXP '{_NUMBER}' THEN {trimmed} + 0e0 END)"


for _name in ("mysql", "mariadb"):
    compiles(_AsDouble, _name)(_as_double)
    compiles(Clock, _name)(_clock)
    compiles(Within, _name)(_within)
    compiles(FitsPattern, _name)(_pattern)
    compiles(FitsPatternFolded, _name)(_folded)
    compiles(ParamNumber, _name)(_number)
