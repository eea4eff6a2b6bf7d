"""The files that this process writes: one in the folder of each run that it logs to."""

from __future__ import annotations

import os
import uuid
from collections import OrderedDict
from contextlib import suppress
from typing import TYPE_CHECKING

from dovetail.tracking.journal.records import sealed
from dovetail_file.failures import reported
from dovetail_file.folder import BINARY

if TYPE_CHECKING:
    from pathlib import Path

    from dovetail_file.folder import Folder

__all__ = ["SUFFIX", "Writers"]

SUFFIX = ".log"
_OPEN = 100
"""How many files are kept open."""


class Writers:
    """The files that this process writes, under a name that no other process has.

    Args:
        folder: The store's folder.
    """

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._open: OrderedDict[Path, int] = OrderedDict()
        self._begin_anew()

    @property
    def name(self) -> str:
        """What this process's file is called in each run's folder."""
        return self._name

    def append(self, place: Path, body: bytes) -> tuple[str, int, int]:
        """Add a record to this process's file in a run's folder.

        Returns:
            The file's name, and its size before and after.

        Raises:
            StoreError: It cannot be written, and is not there.
        """
        name = self._name
        with reported(self._folder.root):
            file = self._file(place)
            return name, *self._write(file, sealed(body))

    def let_go(self, place: Path) -> None:
        """Close the file of a run that is over, or gone."""
        file = self._open.pop(place, None)
        if file is not None:
            os.close(file)

    def close(self) -> None:
        """Close all files."""
        for place in list(self._open):
            self.let_go(place)

    def begin_anew(self) -> None:
        """Write to other files from now on: those of now are another process's, or end in the midst of a record."""
        self.close()
        self._begin_anew()

    # --- steps -----------------------------------------------------------------------------------------------

    def _begin_anew(self) -> None:
        self._name = f"{uuid.uuid4().hex[:16]}{SUFFIX}"

    def _file(self, place: Path) -> int:
        file = self._open.get(place)
        if file is None:
            file = os.open(place / self._name, os.O_WRONLY | os.O_CREAT | os.O_APPEND | BINARY, 0o666)
            self._open[place] = file
            self._folder.save(place)
            while len(self._open) > _OPEN:
                os.close(self._open.popitem(last=False)[1])
        else:
            self._open.move_to_end(place)
        return file

    def _write(self, file: int, data: bytes) -> tuple[int, int]:
        before = os.fstat(file).st_size
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[os.write(file, rest) :]
            if self._folder.power:
                os.fsync(file)
        except BaseException:
            self._take_back(file, before)
            raise
        return before, before + len(data)

    def _take_back(self, file: int, size: int) -> None:
        """Remove what was written in part; nobody would read what stands behind it."""
        try:
            os.ftruncate(file, size)
        except OSError:
            # What is there in part is there for good, so this file is not written to any more.
            with suppress(OSError):
                self.begin_anew()
