"""The names of metrics, params and tags, and the numbers that stand for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from dovetail_sql.database import Transaction

__all__ = ["Keys", "SharedKeys"]

_MOST = 50_000


class Keys:
    """What one connection knows of the table ``keys``.

    Only what is committed is remembered across transactions: a number from a transaction that was rolled back may
    later stand for another name. One instance belongs to one connection, never to two, since two connections
    may, after a file was replaced, look at two databases.
    """

    def __init__(self) -> None:
        self._ids: dict[str, int] = {}
        self._names: dict[int, str] = {}
        self._uncertain: dict[str, int] = {}

    def ids(self, transaction: Transaction, names: Iterable[str]) -> dict[str, int]:
        """The numbers of these names, which are added, in this order, where they are new."""
        wanted = dict.fromkeys(names)
        known = {name: self._ids[name] for name in wanted if name in self._ids}
        missing = [name for name in wanted if name not in known]
        if not missing:
            return known
        transaction.many("add_key", [(name,) for name in missing])
        found = {name: number for number, name in transaction.rows("key_ids", {"names": transaction.listed(missing)})}
        self._uncertain |= found
        return known | found

    def names(self, transaction: Transaction, numbers: Iterable[int]) -> dict[int, str]:
        """The names that these numbers stand for."""
        missing = [number for number in set(numbers) if number not in self._names]
        if not missing:
            return self._names
        rows = transaction.rows("key_names", {"ids": transaction.listed(missing)})
        found = {row[0]: row[1] for row in rows}
        self._uncertain |= {name: number for number, name in found.items()}
        return self._names | found

    def settle(self, *, committed: bool) -> None:
        """Keep or forget what the transaction that ends here learned."""
        if committed and self._uncertain:
            if len(self._ids) > _MOST:
                self._ids, self._names = {}, {}
            self._ids.update(self._uncertain)
            self._names.update((number, name) for name, number in self._uncertain.items())
        self._uncertain = {}


class SharedKeys(Keys):
    """The same, where others may drop the tables and make them anew under a connection that is at work.

    Args:
        tables: Tells the tables that are there now from any that were there before or will be.

    Attributes:
        outdated: Whether the tables turned out to be others than those that were known.
    """

    def __init__(self, tables: Callable[[], object]) -> None:
        super().__init__()
        self.outdated = False
        self._tables = tables
        self._learned_from: object = None
        self._compared = False

    def ids(self, transaction: Transaction, names: Iterable[str]) -> dict[str, int]:
        """The numbers of these names, which are added, in this order, where they are new."""
        self._compare()
        return super().ids(transaction, names)

    def names(self, transaction: Transaction, numbers: Iterable[int]) -> dict[int, str]:
        """The names that these numbers stand for."""
        self._compare()
        return super().names(transaction, numbers)

    def settle(self, *, committed: bool) -> None:
        """Keep or forget what the transaction that ends here learned."""
        super().settle(committed=committed)
        self._compared = False

    def _compare(self) -> None:
        """Forget what was learned from other tables; once a transaction, which keeps others from dropping these."""
        if self._compared:
            return
        self._compared = True
        tables = self._tables()
        if tables != self._learned_from:
            self.outdated = self._learned_from is not None
            self._learned_from, self._ids, self._names = tables, {}, {}
