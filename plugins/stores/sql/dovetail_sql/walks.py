"""Finding a page: on a walk in the order asked for, or among the few that can meet the filter.

Walking costs what it takes to come across a page of matches; that is little if many meet the filter. So a search
begins with a stretch of the walk. If that was not enough, it looks whether few can meet the filter, and only walks on
if they are many. A stretch ends at an edge: a value of the order's first key.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from dovetail_sql import shapes
from dovetail_sql.conditions import comparisons
from dovetail_sql.few import FEW, Few
from dovetail_sql.shapes import MISSING, VALUED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dovetail_sql.database import Row, Transaction
    from dovetail_sql.shapes import Shape

__all__ = ["Pace", "Walk"]


class Pace(NamedTuple):
    """What is much, and what is little.

    Args:
        few: So many are looked at one by one sooner than found on a walk.
        stretch: The rows of the first stretch, at least, if there is a filter.
        ahead: The rows of the first stretch for each row that is wanted, at least, if there is a filter.
        long: Before a stretch of more rows than this, more are taken for few.
        still_few: How many then.
        asked: How many may meet a single comparison for that.
        comparisons: The most comparisons for which a stretch comes first.
    """

    few: int = FEW
    stretch: int = 600
    ahead: int = 6
    long: int = 10_000
    still_few: int = 20_000
    asked: int = 50_000
    comparisons: int = 8


class Walk:
    """The way to one page, or to a number.

    Args:
        transaction: Where to look.
        shape: The search.
        passed: Its parameters.
        place: What the last row of the page before is sorted by; None for the first page.
        pace: What is much, and what is little.
    """

    def __init__(
        self,
        transaction: Transaction,
        shape: Shape,
        passed: dict[str, Any],
        place: Sequence[Any] | None = None,
        pace: Pace | None = None,
    ) -> None:
        self._transaction, self._shape, self._place, self._pace = transaction, shape, place, pace or Pace()
        self._passed = passed | {f"p{number}": value for number, value in enumerate(place or ())}
        self._few = Few(transaction, shape, passed)
        self._among: frozenset[int] | None = None

    def rows(self, limit: int) -> list[Row]:
        """The first rows behind the place, at most so many."""
        shape = self._shape
        everything = self._behind(shape)
        if (shape.tree is None and not shape.sections) or self._little():
            return self._page(everything, limit)
        if shape.walked and not self._at_once() and (found := self._walked(limit)) is not None:
            return found
        if self._among is None and not self._are_few(self._pace.few):
            return self._page(everything, limit)
        return self._page(replace(everything, among=True), limit, among=self._listed())

    def count(self) -> int:
        """How many there are."""
        shape, more = self._shape, {}
        if shape.tree is not None and not self._little() and self._are_few(self._pace.few):
            shape, more = replace(shape, among=True), {"among": self._listed()}
        ((number,),) = self._transaction.rows(shapes.count(shape), {**self._passed, **more})
        return int(number)

    # --- steps -----------------------------------------------------------------------------------------------

    def _walked(self, limit: int) -> list[Row] | None:
        """The first rows, section by section; None if few can meet the filter."""
        found: list[Row] = []
        for section in self._sections():
            some = self._along(section, limit - len(found))
            if some is None:
                return None
            found += some
            if len(found) >= limit:
                break
        return found

    def _sections(self) -> Sequence[int | None]:
        """Those from the place on."""
        begin = self._place[0] if self._place else VALUED
        return [section for section in self._shape.sections if section >= begin] or [None]

    def _along(self, section: int | None, limit: int) -> list[Row] | None:
        shape = replace(self._shape, section=section)
        if self._place and section in (None, self._place[0]):
            shape = self._behind(shape)
        if section in (None, VALUED):
            return self._in_stretches(shape, limit)
        return None if section == MISSING and self._are_few(self._pace.few) else self._page(shape, limit)

    def _in_stretches(self, shape: Shape, limit: int) -> list[Row] | None:
        length = limit if shape.tree is None else max(self._pace.stretch, self._pace.ahead * limit)
        while (edge := self._edge(shape, length)) is not None:
            found = self._stretch(shape, edge, limit)
            if len(found) >= limit:
                return found
            length = _longer(length, len(found), limit)
            if self._are_few(self._pace.few) or (length > self._pace.long and self._are_few(self._pace.asked)):
                return None
        return self._page(shape, limit)

    def _stretch(self, shape: Shape, edge: Any, limit: int) -> list[Row]:
        """The first rows of those before the edge."""
        transaction = self._transaction
        if not transaction.lists_first:
            return self._page(replace(shape, bounded=True), limit, edge=edge)
        numbers = transaction.rows(shapes.stretch(shape), self._from_here(shape) | {"edge": edge})
        return self._page(replace(shape, among=True), limit, among=transaction.listed([row[0] for row in numbers]))

    def _edge(self, shape: Shape, length: int) -> Any:
        """What comes a stretch behind the beginning; None if the stretch goes beyond the end."""
        found = self._transaction.rows(shapes.edge(shape), self._from_here(shape) | {"skipped": length})
        return found[0][0] if found else None

    def _from_here(self, shape: Shape) -> dict[str, Any]:
        if shape.after is None:
            return self._passed
        leading = next(number for number, part in enumerate(shapes.parts(shape)) if not part.settled)
        return self._passed | {"begin": self._passed[f"p{leading}"]}

    def _are_few(self, most: int) -> bool:
        if self._among is None:
            found = self._few.of(most)
            self._among = found if found is not None and len(found) <= self._pace.still_few else None
        return self._among is not None

    def _listed(self) -> Any:
        return self._transaction.listed(sorted(self._among or ()))

    def _at_once(self) -> bool:
        """Whether few can meet a filter of so many comparisons that even a stretch would take its time."""
        tree = self._shape.tree
        many = tree is not None and sum(1 for _ in comparisons(tree)) > self._pace.comparisons
        return many and self._are_few(self._pace.few)

    def _little(self) -> bool:
        """Whether there is little to look at in the first place."""
        asked = {**self._passed, "most": self._pace.few + 1}
        return bool(self._transaction.rows(shapes.size(_unfiltered(self._shape)), asked)[0][0] <= self._pace.few)

    def _behind(self, shape: Shape) -> Shape:
        if self._place is None:
            return shape
        return replace(shape, after=tuple(value is not None for value in self._place))

    def _page(self, shape: Shape, limit: int, **more: Any) -> list[Row]:
        return self._transaction.rows(shapes.page(shape), {**self._passed, "limit": limit, **more})


def _unfiltered(shape: Shape) -> Shape:
    """The search for everything there."""
    return replace(shape, tree=None, order=(), chosen=(), leading=())


def _longer(length: int, found: int, limit: int) -> int:
    """How long the next stretch should be, after one that was too short."""
    wanted = length * 3 * limit // (2 * found) if found else 16 * length
    return min(max(wanted, 2 * length), 64 * length)
