"""The words, names, texts, numbers and signs that search filters are made of."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from dovetail.errors import InvalidFilter

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["MAX_LENGTH", "UNSTORABLE", "Token", "refusal", "scan"]

MAX_LENGTH = 100_000
"""The longest filter or order clause that is read, in characters."""
UNSTORABLE = re.compile("[\0\ud800-\udfff]")
"""Characters that databases refuse with errors of their own, which would look like an outage."""

_WORD = r"[^\W\d]\w*"
_TICKED = r"`[^`]*(?:``[^`]*)*`"
_TEXT = r"""'[^']*(?:''[^']*)*'|"[^"]*(?:""[^"]*)*\""""

_SHOWN = 40  # characters of a token or of the text around it that a message repeats

# Each alternative is written so that it fails in linear time: filters come from strangers.
_TOKEN = re.compile(
    rf"""
      (?P<number> -? (?: [0-9]+ (?: \.[0-9]* )? | \.[0-9]+ ) (?: [eE][+-]?[0-9]+ )? ) (?![\w.])
    | (?P<prefix> {_WORD} | {_TICKED} ) \. (?: (?P<key> \w+ (?: \.\w+ )* ) | (?P<quoted_key> {_TICKED} | {_TEXT} ) )
    | (?P<quoted> {_TICKED} | {_TEXT} )
    | (?P<word> {_WORD} )
    | (?P<sign> <= | >= | != | == | <> | [=<>(),] )
    """,
    re.VERBOSE,
)
_SPACE = re.compile(r"\s*")
_GLUED = re.compile(r"""[^\s=<>!(),'"`]+""")
_ADVICE = {
    ";": "give one filter; join conditions with AND or OR",
    "+": "write a positive number without a sign",
    "-": "write a negative number without a space after the sign; there are no comments",
    "/": "there are no comments in a filter",
    "%": "put a pattern in quotes, such as 'a%'",
}

TokenKind: TypeAlias = Literal["word", "name", "quoted", "number", "sign", "end"]


@dataclass(frozen=True)
class Token:
    """One piece of a filter.

    Attributes:
        kind: ``word`` (a keyword or a bare attribute), ``name`` (prefix and key), ``quoted``
            (in any of the three quotes), ``number``, ``sign`` or ``end``.
        text: The piece as it is written; empty at the end.
        start: Where it begins, counted from 0.
        value: What stands inside the quotes; the key of a name.
        prefix: What stands before the first dot of a name.
    """

    kind: TokenKind
    text: str
    start: int
    value: str = ""
    prefix: str = ""

    def __str__(self) -> str:
        if self.kind == "end":
            return "the end"
        return repr(self.text if len(self.text) <= _SHOWN else f"{self.text[:_SHOWN]}…")


def scan(text: str) -> Iterator[Token]:
    """Cut a filter into tokens, ending with one of kind ``end``.

    A quote inside quotes of its own kind is written twice; a backslash is an ordinary character.

    Raises:
        InvalidFilter: The text is too long, cannot be stored as UTF-8, or holds a character
            that no token begins with.
    """
    _check(text)
    position = _after_space(text, 0)
    while position < len(text):
        found = _TOKEN.match(text, position)
        if found is None:
            raise _unreadable(text, position)
        _check_edge(text, found)
        yield _token(found)
        position = _after_space(text, found.end())
    yield Token("end", "", len(text))


def refusal(text: str, position: int, problem: str, hint: str | None = None) -> InvalidFilter:
    """The error for something wrong at a position (from 0) of a filter or order clause."""
    start, stop = max(0, position - _SHOWN), position + _SHOWN
    excerpt = f"{'…' if start else ''}{text[start:stop]}{'…' if stop < len(text) else ''}"
    return InvalidFilter(f"{problem}, at character {position + 1} of {excerpt!r}", hint=hint)


def _check(text: str) -> None:
    if len(text) > MAX_LENGTH:
        message = f"the search text has {len(text)} characters, the most is {MAX_LENGTH}"
        raise InvalidFilter(message, hint="split the search into several")
    if bad := UNSTORABLE.search(text):
        raise refusal(text, bad.start(), "no stored text holds this character")


def _after_space(text: str, position: int) -> int:
    found = _SPACE.match(text, position)
    return found.end() if found else position


def _token(found: re.Match[str]) -> Token:
    kind, text, start = found.lastgroup, found.group(), found.start()
    if kind in ("key", "quoted_key"):
        return Token("name", text, start, _bare(found[kind]), _bare(found["prefix"]))
    if kind == "quoted":
        return Token("quoted", text, start, _bare(text))
    return Token("number" if kind == "number" else "word" if kind == "word" else "sign", text, start)


def _bare(text: str) -> str:
    mark = text[0]
    return text[1:-1].replace(mark * 2, mark) if mark in "'\"`" else text


def _check_edge(text: str, found: re.Match[str]) -> None:
    """Refuse ``params.a-b``, which would otherwise be read as a shorter key and rubbish."""
    glued = _GLUED.match(text, found.end())
    if glued is None or found.lastgroup not in ("key", "word"):
        return
    if found.lastgroup == "word" and glued.group() == ".":
        raise refusal(text, glued.end(), f"expected a key after {found.group() + '.'!r}")
    prefix = f"{found['prefix']}." if found["prefix"] else ""
    key = (found["key"] or found["word"]) + glued.group()
    hint = f"put it in back-ticks: {prefix}`{key[:200]}`"
    raise refusal(text, glued.start(), f"{key[:_SHOWN]!r} cannot stand without quotes", hint)


def _unreadable(text: str, position: int) -> InvalidFilter:
    character = text[position]
    if character in "'\"`":
        return refusal(text, position, f"the quote {character} is never closed")
    if character.isdigit():
        return refusal(text, position, "expected a number such as 3, -0.5 or 1e-3")
    return refusal(text, position, f"unexpected {character!r}", _ADVICE.get(character))
