"""Sealing: points of the tail become blocks, and small blocks become whole ones.

While a run goes on, a process looks at its tail when it has added some thousand points. Keys with rows enough for
whole blocks are sealed. Where that leaves a long tail, as with hundreds of keys in turn, all that have ``SHORT`` rows
are, in small blocks. Small blocks of a key are put together as soon as they make a whole one. At the end of the run
everything is sealed that is not too short for a block, and put together where it lies scattered.

A step is one transaction. It locks the run as all who write points do, such that nobody adds to the history or seals it
meanwhile; it reads rows and blocks, adds blocks, and deletes exactly what it read. A process that is killed on the way
has done nothing, and one that comes second for the same rows finds them gone.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from dovetail_sql.blocks import ordered, packed, packed_columns, points_of
from dovetail_sql.growth import SHORT, SIZE, TAIL, scattered, small_blocks, tails

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dovetail_sql.blocks import Point
    from dovetail_sql.database import Row, Transaction

__all__ = ["MOST", "Outcome", "add_blocks", "add_columns", "step"]

MOST = 4 * SIZE
"""About how many points one transaction seals; others wait for it, for some 100 ms."""


class Outcome(NamedTuple):
    """What a step did.

    Args:
        left: How many points the tail still has.
        more: Whether another step would go on.
    """

    left: int
    more: bool


class _Portion(NamedTuple):
    """The oldest so many rows of the tail of these keys."""

    keys: list[int]
    limit: int


def step(transaction: Transaction, run: int, *, ended: bool) -> Outcome:
    """Seal as much of a run's history as one transaction should.

    Args:
        transaction: It has locked the run.
        run: The run's number.
        ended: Whether no more points are expected, so that also what fills no whole block is sealed.
    """
    tail = tails(transaction, run)
    lengths = _sealable_at_end(transaction, run, tail) if ended else _long_enough(tail)
    portions, sealed = _portions(lengths, ended=ended), 0
    for portion in portions:
        if sealed < MOST:
            sealed += _seal(transaction, run, portion._replace(limit=min(portion.limit, MOST)))
    scattered_left = _put_together(transaction, run, ended=ended)
    planned = sum(portion.limit for portion in portions)
    return Outcome(sum(tail.values()) - sealed, 0 < sealed < planned or scattered_left)


def _long_enough(tail: Mapping[int, int]) -> dict[int, int]:
    """The lengths of the tails that are long enough for a block."""
    return {key: length for key, length in tail.items() if length >= SHORT}


def _sealable_at_end(transaction: Transaction, run: int, tail: Mapping[int, int]) -> dict[int, int]:
    """The same, and those of tails that have blocks to go into."""
    begun = {key for (key,) in transaction.rows("keys_of_blocks", {"run": run})}
    return {key: length for key, length in tail.items() if length >= SHORT or key in begun}


def _portions(lengths: dict[int, int], *, ended: bool) -> list[_Portion]:
    whole = [] if ended else [_Portion([key], length // SIZE * SIZE) for key, length in lengths.items()]
    rest = lengths if ended else {key: length % SIZE for key, length in lengths.items() if length % SIZE >= SHORT}
    scattered = _together(rest) if ended or sum(rest.values()) > TAIL else []
    return [portion for portion in [*whole, *scattered] if portion.limit]


def _together(lengths: dict[int, int]) -> list[_Portion]:
    """Keys in portions of about ``MOST`` points: one read and one deletion for many keys."""
    portions: list[_Portion] = []
    for key, length in lengths.items():
        if portions and portions[-1].limit + length <= MOST:
            portions[-1] = _Portion([*portions[-1].keys, key], portions[-1].limit + length)
        else:
            portions.append(_Portion([key], length))
    return portions


def _seal(transaction: Transaction, run: int, portion: _Portion) -> int:
    """Seal a portion; how many points that were."""
    these = {"run": run, "keys": transaction.listed(portion.keys)}
    rows = transaction.rows("tail_rows", {**these, "limit": portion.limit})
    if not rows:
        return 0
    found: defaultdict[int, list[Point]] = defaultdict(list)
    for _, key, timestamp, moment, value in rows:
        found[key].append((timestamp, moment, value))
    add_blocks(transaction, run, found)
    transaction.run("drop_tail", {**these, "last": rows[-1][0]})
    return len(rows)


def _put_together(transaction: Transaction, run: int, *, ended: bool) -> bool:
    """Make whole blocks of small ones; whether some were left for another transaction."""
    small = small_blocks(transaction, run)
    wanted = [key for key, blocks in small.items() if sum(blocks.values()) >= SIZE or (ended and scattered(blocks))]
    owners: dict[int, int] = {}
    points, blocks = 0, [(key, number, length) for key in wanted for number, length in small[key].items()]
    for key, number, length in blocks:
        if points < MOST:
            owners[number] = key
            points += length
    if owners:
        _replace(transaction, run, owners)
    return len(owners) < len(blocks)


def _replace(transaction: Transaction, run: int, owners: Mapping[int, int]) -> None:
    """Put blocks together, those of each key.

    Args:
        transaction: It has locked the run.
        run: The run's number.
        owners: The key of each block, by the block's number.
    """
    ids = {"ids": transaction.listed(list(owners))}
    found: defaultdict[int, list[Point]] = defaultdict(list)
    for number, payload in transaction.rows("payloads", ids):
        found[owners[number]] += points_of(payload)
    transaction.run("drop_blocks", ids)
    add_blocks(transaction, run, found)


def add_blocks(transaction: Transaction, run: int, found: Mapping[int, Sequence[Point]]) -> None:
    """Add points of a run as blocks, by key."""
    blocks: list[Row] = []
    for key, points in found.items():
        whole = ordered(points)
        blocks += [(run, key, *packed(whole[start : start + SIZE])) for start in range(0, len(whole), SIZE)]
    if blocks:
        transaction.many("add_block", blocks)


def add_columns(
    transaction: Transaction, run: int, key: int, columns: tuple[list[int], list[int], list[float]]
) -> None:
    """Add points of one key as blocks: timestamps, steps and values, in the order of histories already."""
    timestamps, steps, values = columns
    parts = [slice(start, start + SIZE) for start in range(0, len(values), SIZE)]
    blocks = [(run, key, *packed_columns(timestamps[part], steps[part], values[part])) for part in parts]
    transaction.many("add_block", blocks)
