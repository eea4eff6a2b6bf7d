"""Ledgers: numbered notes, of which each is written once, by whoever comes first.

That is how several processes change one thing without a lock: read all there is, see whether the change may be made,
and write it under the next number. If that number is taken, somebody else's change came before: begin anew.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

from dovetail_file.failures import reported
from dovetail_file.folder import BINARY
from dovetail_file.notes import note_of, read_note

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dovetail_file.folder import Folder

__all__ = ["Ledger", "numbered"]

_NUMBERED = re.compile(r"(?P<prefix>(?:[a-z]+\.)?)(?P<number>[0-9]{8})\.json")


class Ledger:
    """Numbered notes of a folder.

    Args:
        folder: The store's folder.
        place: Where the notes lie.
        prefix: What their names begin with.
        make: Make that folder if it is missing; without, a missing one was taken away, and nothing is written.
    """

    def __init__(self, folder: Folder, place: Path, prefix: str = "", *, make: bool = False) -> None:
        self._folder, self._place, self._prefix, self._make = folder, place, prefix, make
        self.last = 0
        """The number of the last note that was read."""
        self._listed = False

    def unread(self) -> Iterator[dict[str, Any]]:
        """The notes that came since the last time; damaged ones are passed over."""
        with reported(self._folder.root):
            if not self._listed:
                # In a copy that was made while notes were written one may be missing, and is there in the next copy.
                yield from self._listed_ones()
                self._listed = True
            while (data := self._read(self.last + 1)) is not None:
                self.last += 1
                yield from filter(None, [read_note(data)])

    def append(self, content: dict[str, Any]) -> bool:
        """Write the next note; whether nobody was first."""
        target = self._place / self._name(self.last + 1)
        if not self._folder.put_file(target, note_of(content), make=self._make):
            return False
        self.last += 1
        return True

    # --- steps -----------------------------------------------------------------------------------------------

    def _listed_ones(self) -> Iterator[dict[str, Any]]:
        try:
            names = os.listdir(self._place)  # noqa: PTH208 - done for every model
        except FileNotFoundError:
            return
        for number in sorted(numbered(names, self._prefix)):
            data = self._read(number)
            self.last = number
            yield from filter(None, [read_note(data or b"")])

    def _read(self, number: int) -> bytes | None:
        try:
            # Done very often, and mostly there is none.
            file = os.open(f"{self._place}/{self._name(number)}", os.O_RDONLY | BINARY)
        except FileNotFoundError:
            return None
        with open(file, "rb", buffering=0) as opened:  # noqa: PTH123 - a descriptor
            return opened.read()

    def _name(self, number: int) -> str:
        return f"{self._prefix}{number:08}.json"


def numbered(names: list[str], prefix: str = "") -> list[int]:
    """The numbers of the notes among these names."""
    found = (_NUMBERED.fullmatch(name) for name in names)
    return [int(match["number"]) for match in found if match and match["prefix"] == prefix]
