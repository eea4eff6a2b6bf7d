"""Digests of tables of Spark, made where the rows are.

Spark hashes every row by itself and adds the hashes up, so that one number of 32 digits leaves the cluster. Sums know
no order: the rows of such a table have none either. All of it is SQL that Spark 3.5 and later know, also on far servers
that have no Python.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dovetail.datasets.digest import Content
from dovetail.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["digest_and_rows"]

# Type -> what tells its cells, as text without a semicolon. What JVMs write differently is told by its bits.
_WRITTEN = "cast({cell} as string)"
_HASHED = "sha1(cast({cell} as binary))"
_BITS = "if({cell} is null, null, cast(xxhash64({cell}) as string))"
_PLAIN = {
    **dict.fromkeys(("Boolean", "Byte", "Short", "Integer", "Long", "Decimal", "Date", "TimestampNTZ"), _WRITTEN),
    **dict.fromkeys(("Time", "DayTimeInterval", "YearMonthInterval", "CalendarInterval", "Null"), _WRITTEN),
    **dict.fromkeys(("String", "Char", "Varchar", "Binary"), _HASHED),
    **dict.fromkeys(("Float", "Double", "UserDefined"), _BITS),
    "Timestamp": "cast(unix_micros({cell}) as string)",
    "Variant": "sha1(cast(to_json({cell}) as binary))",
}
_DIGITS = 15  # hexadecimal digits of a hash that are added up at a time: sums of them are exact


def digest_and_rows(df: Any) -> tuple[str, int]:
    """The digest of a table and the number of its rows, in one pass over it.

    Raises:
        InvalidInput: A column is of a type whose content cannot be told.
    """
    fields = list(df.schema.fields)
    cells = [_told(f"c{place}", field.dataType, 0) for place, field in enumerate(fields)]
    numbered = df.toDF(*(f"c{place}" for place in range(len(fields))))  # names may occur twice
    hashed = numbered.selectExpr(f"sha1(concat({', '.join(cells)})) AS h")
    rows, *sums = hashed.selectExpr("count(1)", _sum(1), _sum(1 + _DIGITS)).collect()[0]

    content = Content("spark table")
    content.word(f"{rows} rows {len(fields)} columns")
    for field in fields:
        content.cell([field.name, field.dataType.simpleString()])
    for each in sums:
        content.word(each)
    return content.hexdigest(), int(rows)


def _sum(start: int) -> str:
    return f"sum(cast(conv(substring(h, {start}, {_DIGITS}), 16, 10) as decimal(28, 0)))"


def _told(cell: str, kind: Any, depth: int) -> str:
    """SQL for one cell: text that ends with the only semicolon in it."""
    return f"concat(coalesce({_text(cell, kind, depth)}, '-'), ';')"


def _text(cell: str, kind: Any, depth: int) -> str:
    names = [each.__name__.removesuffix("Type") for each in type(kind).__mro__]
    for name in names:
        if name in _PLAIN:
            return _PLAIN[name].format(cell=cell)
        if name in _NESTED:
            return f"if({cell} is null, null, sha1({_NESTED[name](cell, kind, depth + 1)}))"
    raise InvalidInput(
        f"A column holds {kind.simpleString()}, and what is in it cannot be told.",
        hint="Leave the column out, or give the digest yourself.",
    )


def _struct(cell: str, kind: Any, depth: int) -> str:
    fields = ((field.name.replace("`", "``"), field.dataType) for field in kind.fields)
    return f"concat({', '.join(_told(f'{cell}.`{name}`', inner, depth) for name, inner in fields)})"


def _array(cell: str, kind: Any, depth: int) -> str:
    item = f"x{depth}"
    return f"array_join(transform({cell}, {item} -> {_told(item, kind.elementType, depth)}), '')"


def _map(cell: str, kind: Any, depth: int) -> str:
    entry = f"x{depth}"
    key, value = _told(f"{entry}.key", kind.keyType, depth), _told(f"{entry}.value", kind.valueType, depth)
    return f"array_join(array_sort(transform(map_entries({cell}), {entry} -> concat({key}, {value}))), '')"


_NESTED: dict[str, Callable[[str, Any, int], str]] = {"Struct": _struct, "Array": _array, "Map": _map}
