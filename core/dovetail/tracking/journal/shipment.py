"""A journal of this process on its way to the store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dovetail.errors import StoreError
from dovetail.tracking.journal.memory import Memory
from dovetail.tracking.journal.reader import JournalReader

if TYPE_CHECKING:
    from collections.abc import Callable

    from dovetail.tracking.journal.delivery import Delivery
    from dovetail.tracking.journal.writer import JournalWriter

__all__ = ["Shipment"]


class Shipment:
    """Reads a journal behind its writer and brings to the store what stands there.

    Args:
        writer: The journal's.

    Raises:
        OSError: The journal cannot be opened for reading.
        StoreError: What is read there is no journal.

    Attributes:
        writer: The journal's.
        delivered: Where in the journal the first byte stands that is not in the store yet.
        over: Whether nobody brings more of it.
        memory: What need not be read from it.
    """

    __slots__ = ("_file", "_reader", "delivered", "memory", "over", "writer")

    def __init__(self, writer: JournalWriter) -> None:
        self.writer, self.over = writer, False
        self.memory = Memory()
        self._file = writer.path.open("rb", buffering=0)
        try:
            self._reader = JournalReader(self._file, self.memory)
        except BaseException:
            self._file.close()
            raise
        self.delivered = self._reader.place

    @property
    def waiting(self) -> int:
        """Bytes that are not in the store yet."""
        return self.writer.end - self.delivered

    def ship(self, delivery: Delivery, moved: Callable[[Shipment], None], *, at_once: bool = False) -> None:
        """Bring to the store all that is written by now.

        Args:
            delivery: The way there.
            moved: Told of each piece that arrived.
            at_once: Whether the store is to raise rather than wait for others.

        Raises:
            StoreError: The store cannot take it now, or a record cannot be read; what arrived until then is not brought
                again, and the rest stays in the journal.
        """
        end = self.writer.end
        while self._reader.place < end and not self.over:
            if not delivery.ship(self._reader, end, trusted=True, at_once=at_once):
                raise self._unreadable()
            self.delivered = self._reader.place
            self.memory.forget(self.delivered)
            moved(self)

    def _unreadable(self) -> StoreError:
        return StoreError(
            f"The journal {self.writer.path} cannot be read from byte {self._reader.place} on.",
            hint="Its disk may be failing. What stands there is not in the store; the file is kept.",
        )

    def end(self) -> None:
        """Close the journal, which is removed if all of it has arrived, and bring no more of it."""
        self.over = True
        self.writer.close(delivered=self.delivered)

    def let_go(self) -> None:
        """Close the file that is read, when nobody is reading it any more. Doing so twice does nothing."""
        self._file.close()

    def abandon(self) -> None:
        """Let go of it in a forked child: the journal is the parent's."""
        self.over = True
        self.writer.abandon()
        self._file.close()
