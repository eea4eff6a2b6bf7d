"""Points of blocks and of the tail put together, in the order of histories, each once."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from math import nan
from typing import TYPE_CHECKING, Any, NamedTuple

from dovetail.tracking.series import Series, numpy_for
from dovetail_sql.blocks import defined, joined, ordered, place

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from dovetail_sql.blocks import Head, Point

__all__ = ["Block", "end_of", "groups", "series_of", "start_of", "together"]

Place = tuple[int, int, int, float]


class Block(NamedTuple):
    """A block as far as it was read.

    Args:
        id: Its number.
        points: How many points it has.
        head: Its head.
    """

    id: int
    points: int
    head: Head


def start_of(block: Block) -> Place:
    """Where a block begins; what blocks are sorted by."""
    return place(block.head.first)


def end_of(group: Sequence[Block]) -> Place:
    """Where the last of some blocks ends."""
    return max(place(block.head.last) for block in group)


def groups(blocks: Iterable[Block]) -> Iterator[list[Block]]:
    """Blocks in order, those that reach into each other together.

    Args:
        blocks: Sorted by ``start_of``.
    """
    group: list[Block] = []
    for block in blocks:
        if group and start_of(block) > end_of(group):
            yield group
            group = []
        group.append(block)
    if group:
        yield group


def together(key: str, blocks: Sequence[Block], tail: Sequence[Point], payloads: Mapping[int, bytes]) -> Series:
    """Points of blocks and of the tail as one series.

    Args:
        key: The metric.
        blocks: Sorted by ``start_of``.
        tail: As ``ordered`` gives it.
        payloads: Those of the blocks, by number.
    """
    source = _Source(key, payloads, numpy_for(len(tail) + sum(block.points for block in blocks)))
    pieces = [piece for piece in _pieces(source, blocks, tail) if len(piece)]
    return pieces[0] if len(pieces) == 1 else _strung(key, pieces, source.np)


def series_of(key: str, points: Sequence[Point]) -> Series:
    """Points as a series."""
    timestamps = array("q", [timestamp for timestamp, _, _ in points])
    steps = array("q", [step for _, step, _ in points])
    return Series(key, steps, timestamps, array("d", [nan if value is None else value for _, _, value in points]))


class _Source(NamedTuple):
    """Where points come from, and whether numpy puts them together."""

    key: str
    payloads: Mapping[int, bytes]
    np: Any | None

    def joined(self, blocks: Sequence[Block]) -> Series:
        """The points of blocks that follow each other."""
        payloads, count = [self.payloads[block.id] for block in blocks], sum(block.points for block in blocks)
        return joined(self.key, payloads, count, self.np)

    def merged(self, blocks: Sequence[Block], tail: Sequence[Point]) -> Series:
        """The points of blocks and of the tail that reach into each other, sorted anew."""
        series = _strung(self.key, [self.joined(blocks), series_of(self.key, tail)], self.np)
        if self.np is not None:
            return _sorted_by_numpy(self.np, series)
        columns = series.timestamps.tolist(), series.steps.tolist(), defined(series.values.tolist())
        return series_of(self.key, ordered(list(zip(*columns, strict=True))))


def _pieces(source: _Source, blocks: Sequence[Block], tail: Sequence[Point]) -> Iterator[Series]:
    """Series that follow each other."""
    alone: list[Block] = []  # blocks in a row that nothing reaches into: they are only strung together
    done = 0
    for group in groups(blocks):
        start = bisect_left(tail, start_of(group[0]), done, key=place)
        end = bisect_right(tail, end_of(group), start, key=place)
        apart = len(group) == 1 and start == end
        if start > done or not apart:
            yield from (source.joined(alone), series_of(source.key, tail[done:start]))
            alone = []
        if apart:
            alone += group
        else:
            yield source.merged(group, tail[start:end])
        done = end
    yield from (source.joined(alone), series_of(source.key, tail[done:]))


def _strung(key: str, pieces: Sequence[Series], np: Any | None) -> Series:
    """Series one after the other."""
    columns = list(zip(*((piece.steps, piece.timestamps, piece.values) for piece in pieces), strict=True))
    if np is not None:
        return Series(key, *(np.concatenate(column) for column in columns))
    whole: list[array[Any]] = [array("q"), array("q"), array("d")]
    for target, column in zip(whole, columns, strict=True):
        for part in column:
            target.extend(part)
    return Series(key, *whole)


def _sorted_by_numpy(np: Any, series: Series) -> Series:
    steps, timestamps, values = series.to_numpy()
    undefined = np.isnan(values)
    values = np.where(undefined, 0.0, values)
    order = np.lexsort((values, undefined, steps, timestamps))
    sort_columns = [column[order] for column in (timestamps, steps, undefined, values)]
    new = np.ones(len(order), bool)
    new[1:] = np.logical_or.reduce([column[1:] != column[:-1] for column in sort_columns])
    return series.at(order[new])
