"""How what can be searched lies in the tables: as columns, and as rows of other tables."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias

from sqlalchemy import and_, bindparam, func, literal_column, or_, select, union_all

from dovetail_sql import tables as t

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sqlalchemy import CTE, ColumnElement, CompoundSelect, FromClause, Select, Table

__all__ = ["Chosen", "Held", "Part", "Vocabulary"]

Chosen: TypeAlias = "tuple[tuple[bool, bool], ...]"
"""Which of name and digest each of some choices of datasets says; the texts themselves are parameters."""


@dataclass(frozen=True)
class Part:
    """One of the things results are sorted by, in turn.

    Args:
        column: What is compared.
        ascending: Smallest first.
        kinds: The types its values have.
        settled: Whether it is the same in all rows, so that nothing needs comparing.
    """

    column: ColumnElement[Any]
    ascending: bool
    kinds: tuple[type, ...]
    settled: bool = False


@dataclass(frozen=True)
class Held:
    """Rows that each say one thing an entity has under a key.

    Args:
        rows: The table, or several joined.
        owner: The number of what has it.
        value: What it has.
        named: The condition that a row is about the key of that parameter.
        texts: Whether its values are texts of any length, of which short and long ones have an index each.
        several: Whether an entity may have more than one of them under one key.
        dataset: The number of the dataset that a value was measured on.
    """

    rows: FromClause
    owner: ColumnElement[int]
    value: ColumnElement[Any]
    named: Callable[[FromClause, str], ColumnElement[bool]]
    texts: bool = False
    several: bool = False
    dataset: ColumnElement[Any] | None = None

    def about(self, key: str) -> ColumnElement[bool]:
        """The condition that a row is about the key of that parameter."""
        return self.named(self.rows, key)

    def alias(self, number: int) -> Held:
        """The same under a name of its own, for an order key."""
        rows = self.rows.alias(f"by{number}")
        owner, value = rows.c[str(self.owner.key)], rows.c[str(self.value.key)]
        dataset = None if self.dataset is None else rows.c[str(self.dataset.key)]
        return replace(self, rows=rows, owner=owner, value=value, dataset=dataset)

    def on(self, chosen: Chosen, prefix: str) -> list[ColumnElement[bool]]:
        """The condition that a row was measured on one of some datasets; none if none were chosen.

        Args:
            chosen: What the choices say.
            prefix: How the names of the parameters begin that hold names and digests.
        """
        if not chosen or self.dataset is None:
            return []
        return [self.dataset.in_(select(_numbers(chosen, prefix).c.id))]

    def owners(
        self, key: str, met: Sequence[ColumnElement[bool]], most: str = "most"
    ) -> Select[Any] | CompoundSelect[Any]:
        """The numbers of what has a value under a key that meets conditions, the way that an index has them.

        Args:
            key: The parameter that names the key.
            met: The conditions.
            most: The parameter that says how many are enough.
        """
        found = select(self.owner).select_from(self.rows).where(self.about(key), *met)
        if not self.texts:
            return found.limit(bindparam(most))
        # Each half has an index, which is only looked at if the condition is spelled as there.
        bound: Any = literal_column(str(t.INDEXED))
        length = func.length(self.value)
        return union_all(found.where(length <= bound), found.where(length > bound)).limit(bindparam(most))


@lru_cache(maxsize=256)
def _numbers(chosen: Chosen, prefix: str) -> CTE:
    """The numbers of chosen datasets: named once in a statement, however many conditions ask for them."""
    # One object for equal choices: two of one name would be two to SQLAlchemy.
    data = t.datasets.c
    named = [
        and_(
            *([data.name == bindparam(f"{prefix}n{number}")] if name else []),
            *([data.digest == bindparam(f"{prefix}d{number}")] if digest else []),
        )
        for number, (name, digest) in enumerate(chosen)
    ]
    return select(data.id).where(or_(*named)).cte(f"chosen_{prefix}")


@dataclass(frozen=True)
class Vocabulary:
    """How one searchable entity lies in the tables.

    Args:
        table: Where it lies itself.
        columns: What a search answers with.
        attributes: Its attributes by name, and their types.
        ties: What decides last in sorting.
        held: What it holds, by kind of key.
        fields: What holds values of kinds whose keys are fixed, by kind and key.
        optional: Attributes that may be NULL.
        indexed: Attributes that an index finds.
        stage: The column that says whether it is in the bin, where there is one.
        experiment: The column that says which experiment it lies in, if it lies in one.
        listed: The attribute in whose order an index lists what lies in an experiment.
    """

    table: Table
    columns: tuple[ColumnElement[Any], ...]
    attributes: Mapping[str, tuple[ColumnElement[Any], tuple[type, ...]]]
    ties: tuple[Part, ...]
    held: Mapping[str, Held] = field(default_factory=dict)
    fields: Mapping[tuple[str, str], Held] = field(default_factory=dict)
    optional: frozenset[str] = frozenset()
    indexed: frozenset[str] = frozenset()
    stage: ColumnElement[Any] | None = None
    experiment: ColumnElement[Any] | None = None
    listed: str | None = None

    def holding(self, kind: str, key: str) -> Held:
        """What holds values of a kind; of a key, where keys are fixed."""
        return self.held[kind] if kind in self.held else self.fields[kind, key]
