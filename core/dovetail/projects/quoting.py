"""Putting values into an author's shell text so that they arrive as they are.

What the shell reads once more is no place for a value that needs quotes: quotes, backticks, comments, here-documents,
arithmetic, ``[[ … ]]``, ``${…}``, subscripts, and the commands ``eval`` and ``let``. These are recognised by the
text before a field. What a program makes of its arguments cannot be: authors must not hand a value to ``bash -c``,
``test -v``, ``declare`` or an ``eval`` that a variable or an alias hides.
"""

from __future__ import annotations

import re
import shlex
from string import Formatter
from typing import TYPE_CHECKING, NamedTuple

from dovetail.errors import InvalidProject

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["fields", "substituted"]

_HERE_DOCUMENT = re.compile(r"<<(?!<)-?\s*['\"\\\w]")
# Formats of text: fill, alignment, width, precision. Wider ones would only fill memory.
_FORM = re.compile(r"(?:[^{}]?[<>^])?0?\d{0,4}(?:\.\d{1,4})?s?", re.DOTALL)
_TEST = re.compile(r"\[\[(?=\s|$)")
# A command that reads its arguments as shell text, as far as its line goes.
_READS_AGAIN = re.compile(
    r"(?:^|[\n;&|(){!]|\b(?:then|do|else|if|while|until|command|builtin)\s)\s*(?:eval|let)\s[^;&|\n]*\Z"
)


def fields(command: str) -> set[str]:
    """The names between braces in a command.

    Raises:
        ValueError: The braces do not match, or a format behind a name is none for text.
    """
    return {part.name for part in _parts(command) if part.name is not None}


def substituted(command: str, values: Mapping[str, str]) -> str:
    """The command with each ``{name}`` made a value, quoted for the shell.

    Where the author put quotes around a field, quoting once more would end them. There only values that need no
    quotes are taken.

    Args:
        command: Text as ``fields`` accepts it.
        values: A value for each field.

    Raises:
        InvalidProject: A value that needs quotes would stand where the shell reads text once more.
    """
    done: list[str] = []
    before = ""
    for part in _parts(command):
        before += part.literal
        done.append(part.literal)
        if part.name is not None:
            done.append(_quoted(part.name, part.formatted(values[part.name]), before))
            before += "_"  # a value is there, and no space
    return "".join(done)


class _Part(NamedTuple):
    """A piece of a command: text of the author's, and the field behind it."""

    literal: str
    name: str | None
    form: str
    conversion: str | None

    def formatted(self, value: str) -> str:
        """A value as the field's conversion and format make it, before it is quoted."""
        return format(Formatter().convert_field(value, self.conversion), self.form)


def _parts(command: str) -> Iterator[_Part]:
    for literal, name, form, conversion in Formatter().parse(command):
        if not _FORM.fullmatch(form or "") or conversion not in (None, "s", "r", "a"):
            raise ValueError(f"a format behind {name!r} that is none for text, or wider than 9999")
        yield _Part(literal, name, form or "", conversion)


def _quoted(name: str, text: str, before: str) -> str:
    quoted = shlex.quote(text)
    place = _Place(before).name
    if not place or quoted == text:
        return quoted
    if not text:
        return text if place == "quotes" else quoted
    raise InvalidProject(
        f"The value {text!r} of parameter {name!r} cannot be put in safely: {{{name}}} stands within {place}.",
        hint=f"Take the quotes around {{{name}}} out of the command; values are quoted where they are put in."
        if place == "quotes"
        else f"Set a variable before it (`name={{{name}}}`) and check that there, or give a plain word or number.",
    )


class _Place:
    """Where a piece of shell text ends.

    Args:
        text: The author's text before a field.

    Attributes:
        name: What is open at the end and takes plain values only: ``quotes``, ``arithmetic`` …, or nothing.
    """

    def __init__(self, text: str) -> None:
        self.name = ""
        self._text = text
        self._quote = ""  # a quote, a backtick, or a line end for a comment
        self._open: list[str] = []  # what closes arithmetic, and groups in it, subscripts and ${…}
        self._in_test = False
        at = 0
        while at < len(text) and not self.name:
            at = self._step(at)
        self.name = self.name or self._left_open()

    def _left_open(self) -> str:
        if self._quote:
            return "quotes"
        if self._in_test:
            return "[[ ]]"
        if self._open:
            return "arithmetic or an expansion"
        return "an eval" if _READS_AGAIN.search(self._text) else ""

    def _step(self, at: int) -> int:
        """Take in what stands at this place; return where the next begins."""
        text, char = self._text, self._text[at]
        previous = text[at - 1] if at else "\n"
        if char == "\\" and self._quote in ("", '"', "`"):
            return at + 2
        if begun := self._arithmetic_begins(at):
            self._open += [")", ")"]
            return at + begun
        if ")" in self._open and char in "()":
            self._group(char)
        elif char == "<" and previous != "<" and _HERE_DOCUMENT.match(text, at) and ")" not in self._open:
            self.name = "quotes"  # as good as: where it ends is not looked for
        elif self._quote:
            self._quote = "" if char == self._quote else self._quote
        else:
            self._unquoted(at, char, previous)
        return at + 1

    def _arithmetic_begins(self, at: int) -> int:
        """How many characters open arithmetic here; 0 if none."""
        if self._quote in ("", '"') and self._text.startswith("$((", at):
            return 3
        is_command = not self._quote and not self._in_test and ")" not in self._open
        return 2 if is_command and self._text.startswith("((", at) else 0

    def _group(self, char: str) -> None:
        if char == "(":
            self._open.append(")")
        elif self._open[-1] == ")":
            self._open.pop()

    def _unquoted(self, at: int, char: str, previous: str) -> None:
        if char == "'" and previous == "$":
            self.name = "quotes"  # $'…' has rules of its own
        elif char in "'\"`":
            self._quote = char
        elif char == "#" and (previous.isspace() or previous in ";&|()"):
            self._quote = "\n"
        elif self._in_test:
            self._in_test = not (self._text.startswith("]]", at) and previous.isspace())
        elif _TEST.match(self._text, at) and (previous.isspace() or previous in ";&|(!"):
            self._in_test = True
        elif self._open and char == self._open[-1]:
            self._open.pop()
        elif (char == "{" and previous == "$") or (char == "[" and (previous.isalnum() or previous in "_$")):
            self._open.append("}" if char == "{" else "]")
