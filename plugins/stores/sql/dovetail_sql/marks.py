"""Marks of several journals, within one transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dovetail.values import JournalMark
    from dovetail_sql.database import Transaction

__all__ = ["Marks"]


class Marks:
    """The highest sequences of some writers, as they rise; nobody else changes them until the transaction ends.

    Args:
        transaction: Where they are read.
        writers: The writers.
    """

    def __init__(self, transaction: Transaction, writers: Sequence[str]) -> None:
        stored = _stored(transaction, writers) if writers else {}
        if new := sorted(set(writers) - stored.keys()):
            # What is not there cannot be locked, and somebody else may be about to add it.
            transaction.many("add_mark", [(writer, 0) for writer in new])
            stored = _stored(transaction, writers)
        self._stored, self._risen = stored, dict(stored)

    def passed(self, mark: JournalMark) -> bool:
        """Whether that record, or a later one, was stored before."""
        return mark.sequence <= self._risen[mark.writer]

    def note(self, mark: JournalMark) -> None:
        """That record is stored with the transaction."""
        self._risen[mark.writer] = mark.sequence

    def write(self, transaction: Transaction) -> None:
        """Store the marks, and leave no trace of writers of which nothing was."""
        risen = [(writer, sequence) for writer, sequence in self._risen.items() if sequence > self._stored[writer]]
        if risen:
            transaction.many("set_mark", risen)
        if unused := [writer for writer, sequence in self._risen.items() if not sequence]:
            transaction.run("drop_marks", {"writers": transaction.listed(unused)})


def _stored(transaction: Transaction, writers: Sequence[str]) -> dict[str, int]:
    rows: list[Any] = transaction.rows("marks", {"writers": transaction.listed(writers)})
    return dict(rows)
