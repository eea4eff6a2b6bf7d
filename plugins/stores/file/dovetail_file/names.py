"""How runs and models are called on the disk."""

from __future__ import annotations

import hashlib
import re

__all__ = ["digest", "file_name"]

# Windows has devices of these names.
_PLAIN = re.compile(r"(?!(?:con|prn|aux|nul|com[0-9]|lpt[0-9])\Z)[0-9a-z][0-9a-z_-]{0,99}")


def file_name(identity: str) -> str:
    """The name of a file or folder for an id, the same on every file system.

    Ids differ by case and may hold letters of any script; names that differ by case alone are one name for some file
    systems, and others take no more than 255 bytes. So only plain ids name their folders; for others a digest does,
    behind a character that no id has.
    """
    return identity if _PLAIN.fullmatch(identity) else f"={digest(identity)}"


def digest(*texts: str) -> str:
    """A short name for texts: 32 hexadecimal digits."""
    # What texts may hold is no NUL, so no two lists of texts are joined to the same.
    return hashlib.sha256("\0".join(texts).encode("utf-8", "surrogatepass")).hexdigest()[:32]
