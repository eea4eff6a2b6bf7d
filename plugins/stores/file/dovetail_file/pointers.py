"""Which runs a journal's writer wrote to: an empty file each, made before the first record is stored.

What was stored of a journal stands in the runs it went to; this says where to look.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from dovetail_file.failures import reported
from dovetail_file.names import digest

if TYPE_CHECKING:
    from pathlib import Path

    from dovetail_file.folder import Folder

__all__ = ["Pointers"]


class Pointers:
    """Which runs journals' writers wrote to.

    Args:
        folder: The store's folder.
    """

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._noted: set[tuple[str, str]] = set()

    def note(self, writer: str, run: str) -> None:
        """Note that a writer writes to a run, by the name of its folder."""
        if (writer, run) in self._noted:
            return
        shelf, name = self._shelf(writer)
        with reported(self._folder.root):
            shelf.mkdir(parents=True, exist_ok=True)
            (shelf / f"{name}.{run}").touch()
        self._noted.add((writer, run))

    def runs_of(self, writer: str) -> list[str]:
        """The runs, by the names of their folders, that a writer wrote to, or wanted to."""
        shelf, name = self._shelf(writer)
        with reported(self._folder.root):
            try:
                names = os.listdir(shelf)  # noqa: PTH208 - done for every journal record
            except FileNotFoundError:
                return []
        return [each.partition(".")[2] for each in names if each.startswith(f"{name}.")]

    def sweep(self) -> None:
        """Remove what points at runs that were taken away."""
        with reported(self._folder.root):
            for each in list(self._folder.writers.glob("*/*")):
                if not (self._folder.runs / each.name.partition(".")[2]).exists():
                    each.unlink(missing_ok=True)

    # --- steps -----------------------------------------------------------------------------------------------

    def _shelf(self, writer: str) -> tuple[Path, str]:
        name = digest(writer)
        return self._folder.writers / name[:2], name
