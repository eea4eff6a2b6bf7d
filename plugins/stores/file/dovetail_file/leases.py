"""Who sees to runs: a small file for each run that goes on.

The files lie in ``leases``. What they are called begins with the name of the run's folder:

* ``<run>.held`` says who has the lease, and for how long a sign of life holds: notes, of which the last whole one
  counts. The file's time is that of the last sign of life. The file system sets it by its own clock, whosever machine
  it is.
* ``<run>.<digest of the holder>.lapsed`` is the same file after the run was taken for crashed.
* ``<run>.<token>.new`` is one that becomes ``.held`` as soon as the run is created or taken up. Of who is killed
  meanwhile it stays, and lapses.

A file becomes another by being renamed, which succeeds once. Runs that ended have none.
"""

from __future__ import annotations

import os
import uuid
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, NamedTuple

from dovetail_file.failures import reported
from dovetail_file.folder import BINARY
from dovetail_file.names import digest
from dovetail_file.notes import note_of, read_note

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dovetail.values import Lease
    from dovetail_file.folder import Folder

__all__ = ["Held", "Leases"]

_HELD, _LAPSED, _NEW = ".held", ".lapsed", ".new"
_SECOND = 1_000_000_000


class Held(NamedTuple):
    """Who has the lease of a run.

    Args:
        holder: The process; empty where nobody can tell any more.
        seconds: How long a sign of life holds.
        beat: The last one, in nanoseconds since 1970 by the file system's clock.
    """

    holder: str
    seconds: float
    beat: int

    def holds(self, now: int) -> bool:
        """Whether it holds at a moment of the file system's clock."""
        return now - self.beat < self.seconds * _SECOND


class Leases:
    """Who sees to a store's runs; these go by the names of their folders.

    Args:
        folder: The store's folder.
    """

    def __init__(self, folder: Folder) -> None:
        self._folder, self._place = folder, folder.leases

    # --- whoever sees to a run -------------------------------------------------------------------------------

    @contextmanager
    def taking(self, run: str, lease: Lease | None) -> Iterator[None]:
        """Take the lease of a run, whoever had it, once what is done meanwhile has succeeded; None for no lease."""
        if lease is None:
            yield
            return
        note = note_of({"holder": lease.holder, "seconds": lease.seconds})
        new = self._place / f"{run}.{uuid.uuid4().hex}{_NEW}"
        self._folder.put_file(new, note)
        try:
            yield
        except BaseException:
            with reported(self._folder.root):
                new.unlink(missing_ok=True)
            raise
        self._take(run, new, note)

    def is_elsewhere(self, run: str, holder: str) -> bool:
        """Whether somebody else's lease of a run holds."""
        with reported(self._folder.root):
            held = _read(self._held(run))
        return held is not None and held.holder != holder and held.holds(self._folder.now())

    def beat(self, holder: str, seconds: float) -> list[str]:
        """A sign of life: all leases of a holder hold for so long from now on; the runs."""
        lapsed = f".{digest(holder)}{_LAPSED}"
        with reported(self._folder.root):
            for name in self._names():
                if name.endswith(lapsed):
                    self._put_back(self._place / name, _run_of(name))
            held = [_run_of(name) for name in self._names() if name.endswith(_HELD)]
            return [run for run in held if _renewed(self._held(run), holder, seconds)]

    def let_go(self, run: str) -> None:
        """Nobody sees to a run any more: it ended, or is gone."""
        with reported(self._folder.root):
            self._held(run).unlink(missing_ok=True)
            self._forget_lapsed(run)

    # --- whoever looks after all of them ---------------------------------------------------------------------

    def gone(self, holder: str | None) -> Iterator[tuple[str, Held]]:
        """The runs that nobody sees to any more, or that a holder has who is known to be gone."""
        names = [name for name in self._names() if name.endswith((_HELD, _NEW))]
        now = self._folder.now() if names and holder is None else 0
        for name in names:
            with reported(self._folder.root):
                held = _read(self._place / name)
                if held is None or (held.holds(now) if holder is None else held.holder != holder):
                    continue
                if name.endswith(_NEW) and not self._put_back(self._place / name, _run_of(name)):
                    continue
            yield _run_of(name), held

    def lapse(self, run: str, held: Held) -> bool:
        """Note that a run was taken for crashed; whether nobody did before, gave a sign of life, or took it up."""
        lapsed = self._place / f"{run}.{digest(held.holder)}{_LAPSED}"
        with reported(self._folder.root):
            try:
                _rename(self._held(run), lapsed)
            except FileNotFoundError:
                return False
            if _read(lapsed) == held:
                return True
            self._put_back(lapsed, run)
            return False

    def forget(self, run: str, held: Held) -> None:
        """Remove a lease that was left behind, unless somebody took the run up meanwhile."""
        if self.lapse(run, held):
            with reported(self._folder.root):
                self._forget_lapsed(run)

    # --- steps -----------------------------------------------------------------------------------------------

    def _held(self, run: str) -> Path:
        return self._place / f"{run}{_HELD}"

    def _names(self) -> list[str]:
        with reported(self._folder.root):
            try:
                return os.listdir(self._place)  # noqa: PTH208 - done with every sign of life
            except FileNotFoundError:
                return []

    def _take(self, run: str, new: Path, note: bytes) -> None:
        with reported(self._folder.root):
            try:
                new.replace(self._held(run))
            except FileNotFoundError:
                # What was done meanwhile took so long that this lapsed.
                self._folder.replace_file(self._held(run), note)
            self._folder.save(self._place)
            self._forget_lapsed(run)

    def _put_back(self, path: Path, run: str) -> bool:
        """Make another file the one that is held; whether nobody has one."""
        try:
            os.link(path, self._held(run))
            alone = True
        except FileExistsError:
            alone = False
        except FileNotFoundError:
            return False
        path.unlink(missing_ok=True)
        return alone

    def _forget_lapsed(self, run: str) -> None:
        for name in self._names():
            if name.endswith(_LAPSED) and _run_of(name) == run:
                (self._place / name).unlink(missing_ok=True)


def _run_of(name: str) -> str:
    return name.partition(".")[0]


def _rename(source: Path, target: Path) -> None:
    """Rename a file, also where both are names of one, of which renaming would leave both."""
    source.replace(target)
    with suppress(FileNotFoundError):
        if source.samefile(target):
            source.unlink()


def _read(path: Path) -> Held | None:
    """What a file says; None if there is none."""
    try:
        # Other machines' files are asked about only after opening them: a network disk remembers how old they were.
        with path.open("rb", buffering=0) as file:
            return _held_in(file.read(), os.fstat(file.fileno()).st_mtime_ns)
    except FileNotFoundError:
        return None


def _held_in(data: bytes, beat: int) -> Held:
    notes = [note for line in data.split(b"\n") if (note := read_note(line)) is not None]
    # What a power cut left of a file says nothing: nobody sees to that run.
    last = notes[-1] if notes else {}
    return Held(str(last.get("holder", "")), float(last.get("seconds", 0)), beat)


def _renewed(path: Path, holder: str, seconds: float) -> bool:
    """Give a sign of life if the lease is that of a holder; whether it is."""
    held = _read(path)
    if held is None or held.holder != holder:
        return False
    try:
        os.utime(path)
        if held.seconds != seconds:
            _add(path, holder, seconds)
    except FileNotFoundError:
        return False
    return True


def _add(path: Path, holder: str, seconds: float) -> None:
    """Say for how long signs of life hold from now on, unless the file is somebody else's by now."""
    file = os.open(path, os.O_RDWR | os.O_APPEND | BINARY)
    with open(file, "r+b", buffering=0) as opened:  # noqa: PTH123 - a descriptor
        if _held_in(opened.read(), 0).holder == holder:
            # Behind a line that a full disk cut short.
            opened.write(b"\n" + note_of({"holder": holder, "seconds": seconds}))
