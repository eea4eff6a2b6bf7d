"""How PostgreSQL spells what SQL has no common word for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, Integer, SmallInteger
from sqlalchemy.dialects.postgresql import psycopg
from sqlalchemy.ext.compiler import compiles

from dovetail_sql.functions import Clock, FitsPattern, FitsPatternFolded, ParamNumber

if TYPE_CHECKING:
    from sqlalchemy.engine import Dialect
    from sqlalchemy.sql.compiler import SQLCompiler
    from sqlalchemy.sql.functions import FunctionElement

__all__ = ["dialect"]

dialect: Dialect = psycopg.dialect()  # type: ignore[no-untyped-call,unused-ignore]
# The driver says what kind of number each is; a cast to the kind of the column would round what is compared with it.
dialect.colspecs = {**dialect.colspecs, BigInteger: BigInteger, Integer: Integer, SmallInteger: SmallInteger}

_SPACE = r"[ \t\n\r\f\v]*"
_NUMBER = rf"^{_SPACE}[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?{_SPACE}$"
# A cast to a double fails beyond its range, so numbers take the way over NUMERIC, and the longest exponents none.
# Most numbers are short and plain, and need no such way; those of digits alone are told without an expression.
_DIGITS = "length({text}) <= 15 AND translate({text}, '0123456789', '') IN ('', '.') AND {text} NOT IN ('', '.')"
_SHORT = r"^-?[0-9]{{1,15}}(\.[0-9]{{1,17}})?([eE][-+]?[0-9]{{1,2}})?$"
_CASES = (
    (_DIGITS, "({text})::float8"),
    ("{text} ~ '" + _SHORT + "'", "({text})::float8"),
    ("{text} !~ '" + _NUMBER + "'", "NULL"),
    ("{text} !~ '^[^eE]*[1-9]'", "0"),
    ("{text} ~ '[eE][+]?0*[1-9][0-9]{{3}}'", "{sign} * 'Infinity'::float8"),
    ("{text} ~ '[eE]-0*[1-9][0-9]{{3}}'", "0"),
    ("abs({number}) >= 1.7976931348623158e308", "{sign} * 'Infinity'::float8"),
    ("abs({number}) < 2.4703282292062328e-324", "0"),
)


def _clock(element: FunctionElement[int], compiler: SQLCompiler, **options: Any) -> str:
    # Not that of the transaction: it may have waited for a lock.
    del element, compiler, options
    return "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)"


def _pattern(element: FunctionElement[bool], compiler: SQLCompiler, **options: Any) -> str:
    text, pattern = (compiler.process(clause, **options) for clause in element.clauses)
    return f"({text} LIKE {pattern} ESCAPE '')"


def _folded(element: FunctionElement[bool], compiler: SQLCompiler, **options: Any) -> str:
    text, pattern = (compiler.process(clause, **options) for clause in element.clauses)
    plain = " AND ".join(f"octet_length({each}) = length({each})" for each in (text, pattern))
    folded = f"{_without_case(text)} LIKE {_without_case(pattern)} ESCAPE ''"
    # Texts compare by code point here, whose rules fold ASCII alone; but that they do much faster.
    return f"(CASE WHEN {plain} THEN {text} ILIKE {pattern} ESCAPE '' ELSE {folded} END)"


def _without_case(text: str) -> str:
    # By Unicode's rules, whatever the database's own locale is; the C locale folds nothing but ASCII. There and back,
    # since some letters have two small or two capital forms.
    return f'upper(lower(({text})::text COLLATE "und-x-icu"))'


def _number(element: FunctionElement[float], compiler: SQLCompiler, **options: Any) -> str:
    (text,) = (compiler.process(clause, **options) for clause in element.clauses)
    number = f"btrim({text}, E' \\t\\n\\r\\f\\v')::numeric"
    sign = f"(CASE WHEN {text} LIKE '%%-%%' AND {text} ~ '^{_SPACE}-' THEN -1 ELSE 1 END)"
    cases = " ".join(
        f"WHEN {condition} THEN {value}".format(text=text, number=number, sign=sign) for condition, value in _CASES
    )
    return f"(CASE {cases} ELSE ({number})::float8 END)"


compiles(Clock, "postgresql")(_clock)
compiles(FitsPattern, "postgresql")(_pattern)
compiles(FitsPatternFolded, "postgresql")(_folded)
compiles(ParamNumber, "postgresql")(_number)
