"""Putting values into an author's shell text so that they arrive as they are."""

from __future__ import annotations

import re
import shlex
from string import Formatter
from typing import TYPE_CHECKING

from dovetail.errors import InvalidProject

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["fields", "substituted"]

_HERE_DOCUMENT = re.compile(r"(?<!<)<<(?!<)-?\s*['\"\\\w]")
_NEVER = "\x00"


def fields(command: str) -> set[str]:
    """The names between braces in a command.

    Raises:
        ValueError: The braces do not match, or a format behind a name is none for text.
    """
    names = set()
    for _, name, form, conversion in Formatter().parse(command):
        if name is not None:
            if "{" in (form or ""):
                raise ValueError(f"braces within the braces of {name!r}")
            format(Formatter().convert_field("", conversion), form or "")
            names.add(name)
    return names


def substituted(command: str, values: Mapping[str, str]) -> str:
    """The command with each ``{name}`` made a value, quoted for the shell.

    Where the author put quotes around a field, quoting once more would end them. There only values that need no
    quotes are taken.

    Args:
        command: Python's format syntax, as ``fields`` accepts it.
        values: A value for each field.

    Raises:
        InvalidProject: A value that needs quotes would stand within quotes, backticks, a comment or a here-document.
    """
    done: list[str] = []
    before = ""
    for literal, name, form, conversion in Formatter().parse(command):
        before += literal
        done.append(literal)
        if name is not None:
            text = format(Formatter().convert_field(values[name], conversion), form or "")
            done.append(_quoted(name, text, before))
    return "".join(done)


def _quoted(name: str, text: str, before: str) -> str:
    quoted = shlex.quote(text)
    if not _open_quote(before):
        return quoted
    if quoted == text or not text:
        return text
    raise InvalidProject(
        f"The value {text!r} of parameter {name!r} cannot be put in safely: {{{name}}} stands within quotes.",
        hint=f"Take the quotes around {{{name}}} out of the command; values are quoted where they are put in.",
    )


def _open_quote(text: str) -> str:
    """What a piece of shell text leaves open at its end: a quote, a backtick, a comment (a line end), or nothing."""
    if _HERE_DOCUMENT.search(text):
        return _NEVER
    quote, escaped, previous = "", False, "\n"
    for char in text:
        if escaped:
            escaped = False
        elif char == "\\" and quote in ("", '"', "`"):
            escaped = True
        elif quote:
            quote = "" if char == quote else quote
        elif char == "'" and previous == "$":
            return _NEVER  # $'…' has rules of its own
        elif char in "'\"`":
            quote = char
        elif char == "#" and (previous.isspace() or previous in ";&|()"):
            quote = "\n"
        previous = char
    return quote
