"""Whether a sqlite file is sound."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import sqlite3

__all__ = ["faults_of"]

_LISTED = 20


def faults_of(raw: sqlite3.Connection, *, quick: bool = False) -> list[str]:
    """What is wrong with a file, one line each; Ctrl-C ends the search.

    Args:
        raw: A connection to it, which nobody else uses meanwhile.
        quick: Leave out whether each index agrees with its table, which takes as long as reading everything does.
    """
    pragma = "quick_check" if quick else "integrity_check"
    said = [str(row[0]) for row in _rows(raw, f"PRAGMA {pragma}({_LISTED})")]
    return [f"sqlite says: {text}" for text in said if text != "ok"] + _dangling(raw)


def _dangling(raw: sqlite3.Connection) -> list[str]:
    pairs = Counter((str(row[0]), str(row[2])) for row in _rows(raw, "PRAGMA foreign_key_check"))
    return [
        f"{count} row{'s' * (count > 1)} of {table} point{'s' * (count == 1)} to no row of {parent}"
        for (table, parent), count in sorted(pairs.items())
    ]


def _rows(raw: sqlite3.Connection, text: str) -> list[Any]:
    # In another thread, since sqlite lets no signals in before it is done.
    with ThreadPoolExecutor(1) as pool:
        search = pool.submit(lambda: raw.execute(text).fetchall())
        try:
            return search.result()
        except BaseException:
            raw.interrupt()
            raise
