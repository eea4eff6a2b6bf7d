"""Runs as this process knows them, and how they are brought up to date with their folders."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

from dovetail.errors import StoreError
from dovetail_file.failures import understood
from dovetail_file.ledger import numbered
from dovetail_file.notes import read_note
from dovetail_file.packing import packed, unpacked
from dovetail_file.records import BATCH, CHANGE, change_in, logged_in, tail
from dovetail_file.state import RunState
from dovetail_file.writers import SUFFIX

if TYPE_CHECKING:
    from pathlib import Path

    from dovetail.values import Run

__all__ = ["ACTIVE", "BIN", "CONDEMNED", "DELETED", "Entry"]

ACTIVE, DELETED, CONDEMNED = "active", "deleted", "condemned"
BIN = "bin."
_BORN = "run."
_RACY = 2_000_000_000
"""Nanoseconds for which a change of a folder may hide another one: clocks of file systems are coarse."""


class Entry:
    """A run as this process knows it.

    Args:
        place: Its folder.
    """

    __slots__ = (
        "_packed", "_state", "bins", "born", "experiment_id", "listed", "logs", "place", "run", "stage",
        "stage_time", "unsettled",
    )  # fmt: skip

    def __init__(self, place: Path) -> None:
        self.place = place
        self.forget()

    def forget(self) -> None:
        """Know nothing of it any more."""
        self.born = ""
        self.listed = 0
        """When its folder had changed last when it was listed; 0 if it has to be listed again."""
        self.logs: dict[str, tuple[int, int]] = {}
        """Size and how much of it is known, of each file that it was logged to."""
        self.bins = 0
        """How often it was put in or out of the bin."""
        self.stage, self.stage_time = ACTIVE, 0
        self.experiment_id = ""
        self.unsettled = False
        """Whether its latest points are to be read anew, since points were taken away."""
        self.run: Run | None = None
        """How callers see it; None if that has to be made anew."""
        self._state: RunState | None = None
        self._packed: bytes | None = None

    # --- its state -------------------------------------------------------------------------------------------

    @property
    def state(self) -> RunState:
        """What it is and holds. Who changes it says ``changed`` afterwards."""
        if self._state is None:
            assert self._packed is not None  # noqa: S101 - one of both is there in every entry that was refreshed
            self._state = unpacked(self._packed)
        return self._state

    def to_read(self) -> RunState:
        """Its state for those who only read it, and do not keep it."""
        if self._state is not None or self._packed is None:
            return self.state
        return unpacked(self._packed, to_read=True)

    def changed(self) -> None:
        """Its state is another one now."""
        self.experiment_id = self.state.experiment_id
        self._packed, self.run = None, None

    def packed(self) -> bytes:
        """Its state as text; from now on it is kept like that alone."""
        if self._packed is None:
            self._packed = packed(self.state)
        self._state = None
        return self._packed

    def recall(self, text: bytes, experiment_id: str) -> None:
        """Take over what the index knows of its state."""
        self._packed, self._state, self.experiment_id = text, None, experiment_id

    def change(self, change: dict[str, Any]) -> None:
        """Take in a change; see ``RunState.change``."""
        if "rewind" in change:
            self.unsettled |= self.state.has_points_from(change["rewind"])
        self.state.change(change)

    def log(self, name: str, before: int, size: int) -> bool:
        """A record was appended to a file by this process; whether everything before it was known."""
        known = self.logs.get(name, (0, 0))[1]
        if known == before:
            self.logs[name] = (size, size)
        return known == before

    # --- its folder ------------------------------------------------------------------------------------------

    def refresh(self, own: str = "") -> bool | None:
        """Bring it up to date.

        Args:
            own: A file that nobody else writes and of which everything is known.

        Returns:
            Whether anything was read; None if there is no such run.
        """
        try:
            found = os.stat(self.place)  # noqa: PTH116 - done for every run in every search
        except (FileNotFoundError, NotADirectoryError):
            return None
        read = found.st_mtime_ns != self.listed and self._list(found.st_mtime_ns)
        if not self.born:
            return None
        grown = self._grown(own)
        if grown is None:
            # The index of a copy may be younger than its files.
            self.forget()
            return self.refresh()
        if read or grown or self.unsettled:
            try:
                for name in grown:
                    self._read(name)
                if self.unsettled:
                    self._settle()
            finally:
                self.changed()
        return read or bool(grown)

    def _grown(self, own: str) -> list[str] | None:
        """The files that are larger than they were; None if one is smaller than what is known of it."""
        grown = []
        for name, (size, known) in self.logs.items():
            found = size if size and name == own else os.stat(f"{self.place}/{name}").st_size  # noqa: PTH116
            if found < known:
                return None
            if found != size:
                grown.append(name)
        return grown

    def _list(self, moment: int) -> bool:
        """Look which files there are; whether something was read."""
        names = os.listdir(self.place)  # noqa: PTH208
        born = min((name for name in names if name.startswith(_BORN)), default="")
        numbers = sorted(numbered(names, BIN))
        # What is missing was there for the index of another copy.
        missing = not self.logs.keys() <= set(names) or len(numbers) < self.bins
        read = (born != self.born or missing) and self._be_born(born)
        for name in names:
            if name.endswith(SUFFIX):
                self.logs.setdefault(name, (0, 0))
        for number in numbers:
            if number > self.bins:
                self._take_stage(number)
                read = True
        self.listed = moment if time.time_ns() - moment > _RACY else 0
        return read

    def _be_born(self, name: str) -> bool:
        note = read_note((self.place / name).read_bytes()) if name else None
        self.forget()
        if note is None:
            return False
        with understood(self.place / name):
            self._state = RunState.of(note)
        self.born = name
        return True

    def _take_stage(self, number: int) -> None:
        note = read_note((self.place / f"{BIN}{number:08}.json").read_bytes())
        self.bins = number
        if note is not None:
            with understood(self.place):
                self.stage, self.stage_time = note["stage"], note["time"]

    def _read(self, name: str) -> None:
        path = self.place / name
        size, known = path.stat().st_size, self.logs[name][1]
        for end, body in tail(path, known):
            with understood(path):
                self._take(name, body)
            known = end
        self.logs[name] = (size, known)

    def _settle(self) -> None:
        """Read its latest points anew: those that are left after points were taken away."""
        self.state.latest = {}
        for name, (_, known) in self.logs.items():
            for end, body in tail(self.place / name):
                if end > known:
                    break
                if body[0] == BATCH:
                    self._take(name, body)
        self.unsettled = False

    def _take(self, name: str, body: bytes) -> None:
        if body[0] == BATCH:
            self.state.log(logged_in(body, self.state.rewinds))
        elif body[0] == CHANGE:
            self.change(change_in(body))
        else:
            raise StoreError(
                f"{self.place / name} holds records of kind {chr(body[0])!r}, which this release does not know.",
                hint="A newer dovetail wrote it: upgrade this one.",
            )
