"""The folder of a store: what lies where, whose it is, and how things appear in it whole and once.

``dovetail.json`` says that the folder is ours. ``runs`` and ``models`` have a folder each, ``experiments`` numbered
notes, ``datasets`` a note each by experiment, ``writers`` an empty file for each journal and run, ``leases`` a file for
each run that somebody sees to, ``artifacts`` the artifacts of experiments without a location of their own, ``journals``
what processes have not stored yet. In ``new`` things are made and taken apart. ``index.jsonl`` may be deleted at any
time.
"""

from __future__ import annotations

import errno
import os
import shutil
import time
import uuid
from contextlib import suppress
from typing import TYPE_CHECKING

from dovetail.errors import ForeignLayout, InvalidUri, SchemaTooNew, StoreError
from dovetail_file.failures import reported
from dovetail_file.notes import note_of, read_note

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["BINARY", "Folder"]

BINARY: int = getattr(os, "O_BINARY", 0)
"""Windows changes line ends in files that are opened by number unless told not to."""
FORMAT = 1
MARK = "dovetail.json"
_BORN = ".dovetail-new-"
_LEFT = 3600.0
"""Seconds after which what lies in ``new`` was left behind by somebody who was killed."""


class Folder:
    """The folder of a store.

    Args:
        root: Its path; it is made if it is not there.
        power: Whether what is put there survives a power cut.

    Raises:
        ForeignLayout: It holds something else.
        SchemaTooNew: Its format is newer than this release.
        StoreError: It cannot be made or read.
    """

    def __init__(self, root: Path, *, power: bool = False) -> None:
        self.root, self.power = root, power
        self.runs, self.models, self.experiments = root / "runs", root / "models", root / "experiments"
        self.datasets, self.writers, self.artifacts = root / "datasets", root / "writers", root / "artifacts"
        self.leases = root / "leases"
        self.index, self._new = root / "index.jsonl", root / "new"
        with reported(root):
            self._recognise()

    # --- what appears whole ----------------------------------------------------------------------------------

    def put_file(self, target: Path, data: bytes, *, make: bool = True) -> bool:
        """Make a file appear with its content; whether nobody was first.

        Args:
            target: Where.
            data: What.
            make: Make its folder if that is missing; without, a missing folder was taken away by somebody.
        """
        with reported(self.root):
            made = self._made(data)
            try:
                return self._linked(made, target, make=make)
            finally:
                made.unlink()

    def replace_file(self, target: Path, data: bytes) -> None:
        """Make a file appear with its content, instead of the one of that name if there is one."""
        with reported(self.root):
            self._made(data).replace(target)

    def put_folder(self, target: Path, files: Mapping[str, bytes]) -> bool:
        """Make a folder appear with files in it, at least one; whether nobody was first."""
        with reported(self.root):
            made = self._nameless()
            self._make(made)
            for name, data in files.items():
                self._write(made / name, data)
            self.save(made)
            return self._renamed(made, target)

    def take_away(self, path: Path) -> bool:
        """Make a folder disappear at once, and then delete it; whether it was there."""
        with reported(self.root):
            gone = self._nameless()
            try:
                self._make(gone.parent)
                path.rename(gone)
            except FileNotFoundError:
                return False
            # Whoever adds to it at this moment makes this fail; what is left is swept away later.
            shutil.rmtree(gone, ignore_errors=True)
            return True

    def sweep(self) -> int:
        """Delete what killed processes left behind; how many bytes that were."""
        freed, now = 0, time.time()
        with reported(self.root), suppress(FileNotFoundError):
            for each in self._new.iterdir():
                if now - each.stat().st_mtime > _LEFT:
                    freed += sum(file.stat().st_size for file in (each, *each.rglob("*")) if file.is_file())
                    shutil.rmtree(each) if each.is_dir() else each.unlink()
        return freed

    def now(self) -> int:
        """The present moment by the file system's own clock, in nanoseconds since 1970.

        Machines that share it have clocks of their own, which may say anything.
        """
        with reported(self.root):
            made = self._made(b"")
            try:
                os.utime(made)
                return made.stat().st_mtime_ns
            finally:
                made.unlink()

    def save(self, path: Path) -> None:
        """See to it that a folder's names survive a power cut, if that is wanted."""
        if self.power:
            descriptor = os.open(path, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    # --- steps -----------------------------------------------------------------------------------------------

    def _recognise(self) -> None:
        if not self._is_ours():
            self._require_room()
            self._make(self.root)
            self._mark()

    def _is_ours(self) -> bool:
        try:
            content = read_note((self.root / MARK).read_bytes())
        except (FileNotFoundError, NotADirectoryError):
            return False
        found = (content or {}).get("format")
        if type(found) is not int:
            raise StoreError(
                f"{self.root / MARK} is damaged.",
                hint="Write it anew from a copy; it is the same in every such folder.",
            )
        if found > FORMAT:
            raise SchemaTooNew(
                f"{self.root} has format {found}; this release knows {FORMAT}.", hint="Upgrade dovetail."
            )
        return True

    def _require_room(self) -> None:
        """See to it that nothing of anybody else's is there; who else makes the store at this moment is welcome."""
        if self.root.exists() and not self.root.is_dir():
            raise InvalidUri(f"{self.root} is no folder.", hint="Name another place; the file is left as it is.")
        try:
            others = [name for name in os.listdir(self.root) if not name.startswith(_BORN)]  # noqa: PTH208
        except FileNotFoundError:
            return
        if not others or self._is_ours():
            return
        whose = "runs in MLflow's own layout" if any(self.root.glob("*/meta.yaml")) else f"something else ({others[0]})"
        raise ForeignLayout(
            f"{self.root} holds {whose}; it is left as it is.", hint="Track in a folder that is new or empty."
        )

    def _mark(self) -> None:
        born = self.root / f"{_BORN}{uuid.uuid4().hex}"
        self._write(born, note_of({"format": FORMAT, "what": "experiments and runs tracked by dovetail"}))
        try:
            self._linked(born, self.root / MARK, make=False)
        finally:
            born.unlink()

    def _nameless(self) -> Path:
        return self._new / uuid.uuid4().hex

    def _made(self, data: bytes) -> Path:
        made = self._nameless()
        try:
            self._write(made, data)
        except FileNotFoundError:
            self._make(self._new)
            self._write(made, data)
        return made

    def _write(self, path: Path, data: bytes) -> None:
        try:
            with path.open("xb", buffering=0) as file:
                file.write(data)
                if self.power:
                    os.fsync(file.fileno())
        except OSError as error:
            if error.errno != errno.ENOENT:
                path.unlink(missing_ok=True)
            raise

    def _linked(self, made: Path, target: Path, *, make: bool) -> bool:
        try:
            os.link(made, target)
        except FileExistsError:
            # A network may have lost the answer to a call that succeeded.
            return made.stat().st_nlink == 2  # noqa: PLR2004 - the two names of it
        except FileNotFoundError:
            if not make:
                return False
            self._make(target.parent)
            return self._linked(made, target, make=False)  # somebody else may do the same at this moment
        except OSError as error:
            if error.errno in (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK):
                raise StoreError(
                    f"The file system of {self.root} has no hard links, which tracking in a folder needs.",
                    hint="Use another disk, or track in a database.",
                ) from error
            raise
        self.save(target.parent)
        return True

    def _renamed(self, made: Path, target: Path) -> bool:
        try:
            made.rename(target)
        except FileNotFoundError:
            # A network may have lost the answer to a call that succeeded; else there is nowhere to put it yet.
            if made.exists():
                self._make(target.parent)
                return self._renamed(made, target)
        except OSError as error:
            if error.errno not in (errno.EEXIST, errno.ENOTEMPTY):
                raise
            shutil.rmtree(made)
            return False
        self.save(target.parent)
        return True

    def _make(self, path: Path) -> None:
        path.mkdir(parents=True, exist_ok=True)
