"""Turns the tables and fixed statements into the text of a module, so that a store need not do so at each start.

``python -m dovetail_sql.compiling plugins/stores/sqlite/dovetail_sqlite/compiled.py`` writes that module; a
test of the plugin says when it is out of date.
"""

from __future__ import annotations

import re
import sys
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_mock_engine
from sqlalchemy.dialects import sqlite

from dovetail_sql.statements import MANY, fixed
from dovetail_sql.tables import metadata

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.engine import Dialect
    from sqlalchemy.sql.expression import Executable

__all__ = ["definitions", "main", "module_text", "named", "positional", "statement"]

_HEAD = '''"""SQL for sqlite, written by ``python -m dovetail_sql.compiling`` from the tables and statements there."""

# ruff: noqa: E501 - lines are as long as SQLAlchemy writes them

from __future__ import annotations

__all__ = ["DEFINITIONS", "FIXED"]
'''


def definitions(engine: str) -> list[str]:
    """The statements that create all tables and indexes.

    Args:
        engine: A SQLAlchemy URL whose dialect counts, such as ``sqlite://``.
    """
    found: list[str] = []

    def note(element: Any, *_: Any, **__: Any) -> None:
        found.append(_tidy(str(element.compile(dialect=mock.dialect))))

    mock = create_mock_engine(engine, note)
    metadata.create_all(mock, checkfirst=False)
    # A table's indexes come in any order.
    return [text for indexes, texts in groupby(found, _is_index) for text in (sorted(texts) if indexes else texts)]


def statement(construct: Executable, dialect: Dialect) -> tuple[str, Mapping[str, Any]]:
    """A statement's text with ``:name`` parameters, and the values of those that the construct itself holds."""
    compiled = construct.compile(dialect=dialect)  # type: ignore[attr-defined]
    required = {bind.key for bind in compiled.binds.values() if bind.required}
    return str(compiled), {name: value for name, value in compiled.params.items() if name not in required}


def named(construct: Executable) -> str:
    """A fixed statement for sqlite, with its own constants written out."""
    text, constants = statement(construct, sqlite.dialect(paramstyle="named"))
    for name, value in constants.items():
        text = re.sub(rf":{name}\b", _literal(value), text)
    return _tidy(text)


def positional(construct: Executable, order: tuple[str, ...]) -> str:
    """The same with ``?`` for the values of a row in the order given."""
    text = named(construct)
    if tuple(re.findall(r":(\w+)", text)) != order:
        raise ValueError(f"The values of {text!r} do not stand in the order {order}.")
    return re.sub(r":\w+", "?", text)


def module_text() -> str:
    """The text of ``dovetail_sqlite.compiled``."""
    lines = [_HEAD, "DEFINITIONS = ("]
    lines += [f"    {_quoted(text)}," for text in definitions("sqlite://")]
    lines += [")", "", "FIXED = {"]
    for name, construct in fixed().items():
        text = positional(construct, MANY[name]) if name in MANY else named(construct)
        lines.append(f'    "{name}": {_quoted(text)},')
    return "\n".join([*lines, "}", ""])


def main(path: str) -> None:
    """Write the module."""
    Path(path).write_text(module_text(), encoding="utf-8")


def _literal(value: Any) -> str:
    return f"'{value}'" if isinstance(value, str) else repr(value)


def _is_index(text: str) -> bool:
    return text.startswith(("CREATE INDEX", "CREATE UNIQUE INDEX"))


def _tidy(text: str) -> str:
    return " ".join(text.split())


def _quoted(text: str) -> str:
    if text.endswith('"'):
        return repr(text)
    return f'"""{text}"""' if '"' in text else f'"{text}"'


if __name__ == "__main__":
    main(sys.argv[1])
