"""What searches ask of an engine that SQL has no common word for.

Each has a plain form, a call of a function the engine's store brings along; an engine that knows better
overrides it with ``sqlalchemy.ext.compiler.compiles``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, Double, null
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.elements import Null
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import NullType

from dovetail_sql.floats import Bounded

if TYPE_CHECKING:
    from sqlalchemy.sql.compiler import SQLCompiler

__all__ = ["Clock", "FitsPattern", "FitsPatternFolded", "MayBeNumber", "ParamNumber", "Within"]

# Typed as truth values they would be rendered as ``… = 1``, which keeps engines from using an index.
_TRUTH: Any = NullType()


class Clock(FunctionElement[int]):
    """The engine's clock: milliseconds since 1970, UTC."""

    type: Any = BigInteger()
    name = "clock"
    inherit_cache = True


class FitsPattern(FunctionElement[bool]):
    """Whether a text fits a LIKE pattern, as ``dovetail.tracking.filters.like`` says."""

    type = _TRUTH
    name = "dovetail_like"
    inherit_cache = True


class FitsPatternFolded(FunctionElement[bool]):
    """The same without regard to case (ILIKE)."""

    type = _TRUTH
    name = "dovetail_ilike"
    inherit_cache = True


class ParamNumber(FunctionElement[float]):
    """The number a param's text stands for, NULL if none, as ``dovetail.tracking.filters.param_number`` says."""

    type: Any = Double().with_variant(Bounded(), "mysql", "mariadb")
    name = "dovetail_number"
    inherit_cache = True


class MayBeNumber(FunctionElement[bool]):
    """Whether a param's text can stand for a number between two ends; a cheap look before ``ParamNumber``.

    It is true of every text that does, and of few others. The plain form is true of all texts.

    Args:
        text: The text.
        low: The least number, None for no bound.
        high: The largest number, None for no bound.
    """

    type = _TRUTH
    name = "may_be_number"
    inherit_cache = True

    def __init__(self, text: Any, low: Any, high: Any) -> None:
        super().__init__(text, *(null() if end is None else end for end in (low, high)))


class Within(FunctionElement[bool]):
    """Whether a value is in a list that is passed as one parameter (``Transaction.listed``)."""

    type = _TRUTH
    name = "within"
    inherit_cache = True


def _call(element: FunctionElement[Any], compiler: SQLCompiler, **options: Any) -> str:
    arguments = ", ".join(compiler.process(clause, **options) for clause in element.clauses)
    return f"{element.name}({arguments})"


@compiles(Clock)  # type: ignore[no-untyped-call,untyped-decorator,unused-ignore]
def _standard_clock(element: Clock, compiler: SQLCompiler, **options: Any) -> str:
    del element, compiler, options
    return "CAST(extract(epoch FROM CURRENT_TIMESTAMP) * 1000 AS BIGINT)"


for _element in (FitsPattern, FitsPatternFolded, ParamNumber):
    compiles(_element)(_call)


@compiles(MayBeNumber)  # type: ignore[no-untyped-call,untyped-decorator,unused-ignore]
def _always(element: MayBeNumber, compiler: SQLCompiler, **options: Any) -> str:
    del element, compiler, options
    return "1 = 1"


@compiles(Within)  # type: ignore[no-untyped-call,untyped-decorator,unused-ignore]
def _within_array(element: Within, compiler: SQLCompiler, **options: Any) -> str:
    value, values = (compiler.process(clause, **options) for clause in element.clauses)
    return f"{value} = ANY ({values})"


@compiles(Within, "sqlite")  # type: ignore[no-untyped-call,untyped-decorator,unused-ignore]
def _within_json(element: Within, compiler: SQLCompiler, **options: Any) -> str:
    value, values = (compiler.process(clause, **options) for clause in element.clauses)
    return f"{value} IN (SELECT value FROM json_each({values}))"  # noqa: S608 - made of SQLAlchemy's own pieces


@compiles(Clock, "sqlite")  # type: ignore[no-untyped-call,untyped-decorator,unused-ignore]
def _clock(element: Clock, compiler: SQLCompiler, **options: Any) -> str:
    """From days since noon of a day long ago, which sqlite counts to the millisecond."""
    del element, compiler, options
    return "CAST(round((julianday('now') - 2440587.5) * 86400000) AS INTEGER)"


@compiles(FitsPattern, "sqlite")  # type: ignore[no-untyped-call,untyped-decorator,unused-ignore]
def _glob(element: FitsPattern, compiler: SQLCompiler, **options: Any) -> str:
    """By GLOB, which has an eye to case; LIKE, which has none to that of ASCII, is faster in saying no."""
    text, pattern = (compiler.process(clause, **options) for clause in element.clauses)
    return f"({text} LIKE {pattern} AND {text} GLOB dovetail_glob({pattern}))"


@compiles(FitsPatternFolded, "sqlite")  # type: ignore[no-untyped-call,untyped-decorator,unused-ignore]
def _folded(element: FitsPatternFolded, compiler: SQLCompiler, **options: Any) -> str:
    """By LIKE, which folds ASCII alone; Python is asked where the pattern has other letters.

    ``dovetail_loose`` is the pattern with ``%`` for all that is not ASCII.
    """
    text, pattern = (compiler.process(clause, **options) for clause in element.clauses)
    ascii_only = f"length({pattern}) = length(CAST({pattern} AS BLOB))"
    return f"({text} LIKE dovetail_loose({pattern}) AND ({ascii_only} OR dovetail_ilike({text}, {pattern})))"


@compiles(MayBeNumber, "sqlite")  # type: ignore[no-untyped-call,untyped-decorator,unused-ignore]
def _cast(element: MayBeNumber, compiler: SQLCompiler, **options: Any) -> str:
    """By the letters, and by what sqlite reads, which may be off in the last digits."""
    text, low, high = (compiler.process(clause, **options) for clause in element.clauses)
    ends = [isinstance(clause, Null) for clause in element.clauses][1:]
    letters = "'*[^-+0-9.eE ' || char(9, 10, 11, 12, 13) || ']*'"
    conditions = [f"{text} NOT GLOB {letters}"]
    if not ends[0]:
        conditions.insert(0, f"CAST({text} AS REAL) >= min({low} * 0.999999999, {low} * 1.000000001) - 1e-300")
    if not ends[1]:
        conditions.insert(0, f"CAST({text} AS REAL) <= max({high} * 0.999999999, {high} * 1.000000001) + 1e-300")
    return f"({' AND '.join(conditions)})"
