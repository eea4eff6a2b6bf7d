"""What is noted in the history of a registered model, in the transaction that changes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dovetail.values import RegistryMove
from dovetail.values.measure import now_ms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dovetail_sql.database import Row, Transaction
    from dovetail_sql.registry.rows import ModelRow

__all__ = ["Occasion", "note", "note_all", "note_removals"]


class Occasion:
    """When something is moved, by whom and why.

    Args:
        user_id: Who does it; empty if unknown.
        reason: Why; empty if nobody said.
    """

    def __init__(self, user_id: str = "", reason: str = "") -> None:
        self.timestamp, self.user_id, self.reason = now_ms(), user_id, reason

    def move(self, model: ModelRow, kind: str, what: object, before: object, after: object) -> RegistryMove:
        """What was moved, from where to where; it has no number yet."""
        here, there = (None if place is None else str(place) for place in (before, after))
        return RegistryMove(model.name, kind, str(what), here, there, self.timestamp, self.user_id, self.reason)


def note(transaction: Transaction, model: ModelRow, move: RegistryMove) -> RegistryMove:
    """Note one move; it comes back with its number."""
    fields = {name: value for name, value in move.__dict__.items() if name != "number"}
    number = transaction.insert("add_move", {**fields, "model": model.id})
    return RegistryMove.stored(**fields, number=number)


def note_all(transaction: Transaction, model: ModelRow, moves: Sequence[RegistryMove]) -> None:
    """Note any number of moves at once."""
    if moves:
        transaction.many("add_moves", [_row(model, move) for move in moves])


def _row(model: ModelRow, move: RegistryMove) -> Row:
    moved = move.kind, move.what, move.before, move.after
    return model.id, move.name, *moved, move.timestamp, move.user_id, move.reason


def note_removals(
    transaction: Transaction, model: ModelRow, aliases: Sequence[tuple[str, int]], occasion: Occasion
) -> None:
    """Note that aliases are removed from the versions they point at."""
    note_all(transaction, model, [occasion.move(model, "alias", alias, at, None) for alias, at in aliases])
