"""Which rows a writing transaction locks as it reads them, on engines where several write at the same time.

sqlite's writers take turns, so that nothing changes between what a store method reads and what it writes. Elsewhere
the same holds for what these statements read, until the transaction ends: of two methods that change one run, say,
one waits for the other. A method reads the run, experiment or model that it is about before anything below it, and
so nothing below needs locks of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["LOCKS"]


def _own(query: Any) -> Any:
    """Nobody else changes the row, or locks it in turn; rows may be added that refer to it."""
    return query.with_for_update(key_share=True)


def _shared(query: Any) -> Any:
    """Nobody changes the row; others may rely on it as well."""
    return query.with_for_update(read=True)


LOCKS: dict[str, Callable[[Any], Any]] = {
    "marks": _own,
    "run": _own,
    "runs_named": _own,
    "experiment": _own,
    "experiment_kept": _shared,
    "logged_model": _own,
    "registered_model": _own,
}
"""What makes a query lock the rows that it reads, by the name of the statement."""
