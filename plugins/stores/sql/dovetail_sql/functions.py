"""What searches ask of an engine that SQL has no common word for.

Each has a plain form, a call of a function the engine's store brings along; an engine that knows better
overrides it with ``sqlalchemy.ext.compiler.compiles``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Double
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import NullType

if TYPE_CHECKING:
    from sqlalchemy.sql.compiler import SQLCompiler

__all__ = ["FitsPattern", "FitsPatternFolded", "ParamNumber", "Within"]

# Typed as truth values they would be rendered as ``… = 1``, which keeps engines from using an index.
_TRUTH: Any = NullType()


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

    type = Double()
    name = "dovetail_number"
    inherit_cache = True


class Within(FunctionElement[bool]):
    """Whether a value is in a list that is passed as one parameter (``Transaction.listed``)."""

    type = _TRUTH
    name = "within"
    inherit_cache = True


def _call(element: FunctionElement[Any], compiler: SQLCompiler, **options: Any) -> str:
    arguments = ", ".join(compiler.process(clause, **options) for clause in element.clauses)
    return f"{element.name}({arguments})"


for _element in (FitsPattern, FitsPatternFolded, ParamNumber):
    compiles(_element)(_call)


@compiles(Within)  # type: ignore[no-untyped-call,untyped-decorator,unused-ignore]
def _within_array(element: Within, compiler: SQLCompiler, **options: Any) -> str:
    value, values = (compiler.process(clause, **options) for clause in element.clauses)
    return f"{value} = ANY ({values})"


@compiles(Within, "sqlite")  # type: ignore[no-untyped-call,untyped-decorator,unused-ignore]
def _within_json(element: Within, compiler: SQLCompiler, **options: Any) -> str:
    value, values = (compiler.process(clause, **options) for clause in element.clauses)
    return f"{value} IN (SELECT value FROM json_each({values}))"  # noqa: S608 - made of SQLAlchemy's own pieces
