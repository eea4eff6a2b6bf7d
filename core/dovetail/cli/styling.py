"""Colours where they are seen, and text that can do nothing to a terminal."""

from __future__ import annotations

import os
import sys
from typing import Any

import typer

__all__ = ["STATUS_COLOURS", "coloured", "drawable", "one_line", "styled"]

STATUS_COLOURS = {
    "FINISHED": "green",
    "RUNNING": "cyan",
    "SCHEDULED": "blue",
    "FAILED": "red",
    "KILLED": "yellow",
    "CRASHED": "red",
}


def coloured(stream: Any = None) -> bool:
    """Whether colours are seen: in a terminal, unless NO_COLOR is set; with FORCE_COLOR also elsewhere.

    Args:
        stream: Where to; by default standard output.
    """
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return (sys.stdout if stream is None else stream).isatty() and os.environ.get("TERM") != "dumb"


def styled(text: str, **style: Any) -> str:
    """Text with a style, as ``typer.style`` takes it; plain where the variable NO_COLOR is set.

    What is printed by ``typer.echo`` loses its style again where no terminal is.
    """
    return text if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb" else typer.style(text, **style)


def drawable(text: str) -> bool:
    """Whether standard output can take the characters."""
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except (LookupError, UnicodeEncodeError):
        return False
    return True


def one_line(text: str) -> str:
    """Text that can do nothing to a terminal or a table: control characters are shown, not sent."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
