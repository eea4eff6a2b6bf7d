"""Names of files that are still being written."""

from __future__ import annotations

import re
import secrets

from dovetail import uris
from dovetail.errors import InvalidInput

__all__ = ["checked_path", "is_staging", "staging_name"]

_STAGING = re.compile(r"\.dovetail-[0-9a-f]{32}\.part")


def staging_name() -> str:
    """A new name for a file that nobody sees until it is complete."""
    return f".dovetail-{secrets.token_hex(16)}.part"


def is_staging(name: str) -> bool:
    """Whether a file of this name is unfinished: being written, or left by a writer that was killed."""
    return _STAGING.fullmatch(name) is not None


def checked_path(path: str) -> str:
    """An artifact path that does not name an unfinished file.

    Raises:
        InvalidUri: It leads outside of the store.
        InvalidInput: A part of it is kept for unfinished files.
    """
    path = uris.artifact_path(path)
    if any(is_staging(name) for name in path.split("/")):
        raise InvalidInput(f"{path!r} is a name for unfinished files.", hint="Use another name for the file.")
    return path
