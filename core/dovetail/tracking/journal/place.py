"""Which folder the journals of a store lie in."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from dovetail import folders, settings, uris

if TYPE_CHECKING:
    from dovetail.tracking.store import TrackingStore

__all__ = ["folder_of", "folders_elsewhere"]


def folder_of(store: TrackingStore) -> Path:
    """The folder for a store: beside it, so that whoever opens it finds them; for one elsewhere, with the user."""
    if store.journals is not None:
        return store.journals
    # Passwords change, and must not stand in names.
    return _root() / hashlib.sha256(uris.masked(store.uri).encode()).hexdigest()[:24]


def folders_elsewhere() -> list[Path]:
    """The folders with the user in which something may wait."""
    root = _root()
    return sorted(path for path in root.iterdir() if path.is_dir()) if root.is_dir() else []


def _root() -> Path:
    chosen = settings.get("journal_dir")
    return Path(chosen).expanduser().absolute() if chosen else folders.state_folder() / "journals"
