"""Which columns of runs a search is to give."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dovetail.errors import InvalidFilter
from dovetail.tracking.filter_reader import Reader, in_ticks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dovetail.tracking.filter_tree import Kind

__all__ = ["MAX_COLUMNS", "Column", "parse_columns"]

MAX_COLUMNS = 1000
"""The most columns that can be asked for."""

# What runs are not searched by, but have.
_METADATA = ("experiment_id", "lifecycle_stage")


@dataclass(frozen=True)
class Column:
    """One column of runs, such as ``metrics.acc``, or all of a kind, such as ``params.*``.

    Attributes:
        kind: What the key names.
        key: The key without prefix and quotes; attributes by their one canonical name. None for all keys.
    """

    kind: Kind
    key: str | None


def parse_columns(columns: Sequence[str], *, single: bool = False) -> tuple[Column, ...]:
    """Read which columns of runs are asked for.

    Args:
        columns: Identifiers as in filters, such as ``run_id``, ``metrics.acc`` or ``tags.team``, but keys may stand
            without quotes whatever they hold; also ``experiment_id`` and ``lifecycle_stage``, and ``metrics.*``,
            ``params.*`` and ``tags.*`` for all keys.
        single: Whether each has to be one column, so that ``.*`` is none.

    Raises:
        InvalidFilter: One is no column of runs, or there are too many.
    """
    if isinstance(columns, str):
        raise InvalidFilter("the columns are one text, not a list", hint=f"write [{columns[:200]!r}]")
    if len(columns) > MAX_COLUMNS:
        raise InvalidFilter(f"{len(columns)} columns, the most is {MAX_COLUMNS}")
    return tuple(_column(text, single=single) for text in columns)


def _column(text: str, *, single: bool) -> Column:
    if not isinstance(text, str):
        raise InvalidFilter(f"a column is named by text, not {text!r:.80}")
    if text in _METADATA:
        return Column("attribute", text)
    every = text.partition(".")[2] == "*"
    reader = Reader(in_ticks(text), "runs")
    identifier = reader.identifier("a column such as metrics.acc")
    reader.require_end("nothing more")
    if identifier.kind == "dataset" or (every and (single or identifier.kind == "attribute")):
        raise InvalidFilter(f"{text[:80]!r} is no {'single ' * single}column of runs")
    return Column(identifier.kind, None if every else identifier.key)
