"""Folders that runs are kept in while ``DOVETAIL_MODE`` is ``offline``, one for each place that they belong to."""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from dovetail import folders, posix, uris
from dovetail.errors import StoreError, StoreUnavailable

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["OfflineFolder", "folder_for", "offline_folders"]

_NOTE, _RUNS, _SENT = "destination.json", "runs", "sent.json"


@dataclass(frozen=True)
class OfflineFolder:
    """What was logged for one place while it was not to be reached.

    Args:
        path: The folder with the user.
        destination: The URI of the place, without passwords.
    """

    path: Path
    destination: str

    @property
    def uri(self) -> str:
        """The store in it."""
        return f"dir://{quote((self.path / _RUNS).as_posix())}"

    def sent(self) -> dict[str, str]:
        """For each run that was sent, what it was like then."""
        try:
            found: dict[str, str] = json.loads((self.path / _SENT).read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):  # a file that was cut short says nothing: all is compared anew
            return {}
        return found

    def note_sent(self, runs: dict[str, str]) -> None:
        """Remember what was sent."""
        _write(self.path / _SENT, runs)


def folder_for(uri: str) -> OfflineFolder:
    """The folder for a place, made if there is none yet.

    Args:
        uri: The place's; its passwords are not kept.

    Raises:
        StoreUnavailable: The folder cannot be made.
    """
    masked = uris.masked(uri)
    path = _root() / hashlib.sha256(masked.encode()).hexdigest()[:24]
    try:
        posix.private_folder(path)
        if not (path / _NOTE).exists():
            _write(path / _NOTE, {"destination": masked})
    except OSError as error:
        raise StoreUnavailable(
            f"Nothing can be kept offline in {path}: {error.strerror}.",
            hint="Set DOVETAIL_STATE_DIR to another folder.",
        ) from error
    return OfflineFolder(path, masked)


def offline_folders() -> list[OfflineFolder]:
    """All folders that something was kept in.

    Raises:
        StoreError: One of them does not say what it is for.
    """
    root = _root()
    found = sorted(path for path in root.iterdir() if (path / _NOTE).exists()) if root.is_dir() else []
    return [OfflineFolder(path, _destination(path)) for path in found]


def _destination(path: Path) -> str:
    try:
        return str(json.loads((path / _NOTE).read_text(encoding="utf-8"))["destination"])
    except (ValueError, KeyError, TypeError) as error:
        raise StoreError(
            f"{path / _NOTE} does not say where the runs beside it belong.",
            hint=f"Send them yourself: dovetail sync dir://{quote((path / _RUNS).as_posix())} <destination>",
        ) from error


def _write(path: Path, content: dict[str, str]) -> None:
    partial = path.with_name(f".{os.urandom(6).hex()}.part")
    try:
        partial.write_text(json.dumps(content), encoding="utf-8")
        partial.replace(path)
    except BaseException:
        with suppress(OSError):
            partial.unlink()
        raise


def _root() -> Path:
    return folders.state_folder() / "offline"
