"""Notes: small files of one line, a checksum and JSON."""

from __future__ import annotations

import json
import zlib
from typing import Any

__all__ = ["note_of", "read_note"]


def note_of(content: dict[str, Any]) -> bytes:
    """The line that holds a content."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
    return b"%08x %s\n" % (zlib.crc32(text), text)


def read_note(data: bytes) -> dict[str, Any] | None:
    """The content of a line, None if it is damaged."""
    check, _, text = data.rstrip(b"\n").partition(b" ")
    try:
        if int(check, 16) != zlib.crc32(text):
            return None
        content = json.loads(text.decode("utf-8", "surrogatepass"))
    except ValueError:
        return None
    return content if isinstance(content, dict) else None
