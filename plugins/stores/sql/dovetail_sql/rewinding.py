"""Taking away the points of a run from a step on.

However long a history is, one block of it is held at a time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dovetail_sql.blocks import points_of
from dovetail_sql.sealing import add_blocks
from dovetail_sql.writing import lateness

if TYPE_CHECKING:
    from dovetail_sql.blocks import Point
    from dovetail_sql.database import Row, Transaction
    from dovetail_sql.reading import RunRow

__all__ = ["rewind"]


def rewind(transaction: Transaction, run: RunRow, from_step: int) -> None:
    """Take away the points of a step and of later ones, but for those of the machine's metrics.

    Args:
        transaction: It has locked the run.
        run: The run.
        from_step: The step that training goes on from.
    """
    these = {"run": run.id, "from_step": from_step}
    keys = [key for (key,) in transaction.rows("latest_behind", these)]
    transaction.run("drop_points", these)
    transaction.run("drop_blocks_from", these)
    for number, key in transaction.rows("blocks_across", these):
        _cut(transaction, (run.id, key), number, from_step)
    transaction.run("drop_latest", these)
    if keys and (latest := _latest(transaction, run.id, keys)):
        transaction.many("put_latest", latest)


def _cut(transaction: Transaction, owner: tuple[int, int], number: int, from_step: int) -> None:
    """Cut the end off a block of a run and key."""
    run, key = owner
    kept = [point for point in _points_of(transaction, number) if point[1] < from_step]
    transaction.run("drop_blocks", {"ids": transaction.listed([number])})
    add_blocks(transaction, run, {key: kept})


def _latest(transaction: Transaction, run: int, keys: list[int]) -> list[Row]:
    """The latest point of each key that has one, as rows of ``put_latest``."""
    these = {"run": run, "keys": transaction.listed(keys)}
    found: dict[int, Point] = {}
    for key, *point in transaction.rows("tail_peaks", these):
        _note(found, key, tuple(point))
    for key, number, step, timestamp in transaction.rows("block_peaks", these):
        # The blocks that reach farthest come first: most others have nothing that is as late.
        if key not in found or (step, timestamp) >= lateness(found[key])[:2]:
            _note(found, key, *_points_of(transaction, number))
    return [(run, key, value, timestamp, step) for key, (timestamp, step, value) in found.items()]


def _note(found: dict[int, Point], key: int, *points: Any) -> None:
    held = [found[key]] if key in found else []
    found[key] = max([*held, *points], key=lateness)


def _points_of(transaction: Transaction, number: int) -> list[Point]:
    [(_, payload)] = transaction.rows("payloads", {"ids": transaction.listed([number])})
    return points_of(payload)
