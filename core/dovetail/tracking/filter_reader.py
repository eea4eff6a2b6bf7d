"""What filters and orders have in common when they are read: tokens, and what may be named in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dovetail.errors import InvalidFilter
from dovetail.tracking.filter_lexer import Token, refusal, scan
from dovetail.tracking.filter_vocabulary import ENTITIES, Family, Field

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dovetail.tracking.filter_tree import Kind

__all__ = ["KEYWORDS", "Identifier", "Reader", "in_ticks"]

KEYWORDS = frozenset({"AND", "OR", "NOT", "IN", "IS", "NULL", "LIKE", "ILIKE", "BETWEEN"})


@dataclass(frozen=True)
class Identifier:
    """Something named in a filter or an order.

    Attributes:
        family: The identifiers it is one of.
        key: The canonical key.
        field: What may be asked of it.
        token: How and where it is written.
    """

    family: Family
    key: str
    field: Field
    token: Token

    @property
    def kind(self) -> Kind:
        """What the key names."""
        return self.family.kind


class Reader:
    """The tokens of one text, one at a time, and what may be named in it.

    Args:
        text: A filter or an order clause.
        entity: What is searched, a key of ``ENTITIES``.

    Raises:
        InvalidFilter: That entity cannot be searched, or the text does not begin with a token.
    """

    def __init__(self, text: str, entity: str) -> None:
        if entity not in ENTITIES:
            raise InvalidFilter(f"{entity!r} cannot be searched", hint=f"one of: {', '.join(ENTITIES)}")
        self.text, self.families = text, ENTITIES[entity]
        self.noun = entity.replace("_", " ")
        self._tokens = scan(text)
        self.token = next(self._tokens)

    def take(self) -> Token:
        """The next token, which is read with that."""
        taken = self.token
        self.token = next(self._tokens, taken)
        return taken

    def accept(self, *spellings: str) -> bool:
        """Take the next token if it is one of these words or signs."""
        if self.token.kind not in ("word", "sign") or self.token.text.upper() not in spellings:
            return False
        self.take()
        return True

    def require_end(self, what: str) -> None:
        """Refuse anything more; ``what`` says what could have stood here."""
        if self.token.kind != "end":
            raise self.expected(what)

    def expected(self, what: str, hint: str | None = None) -> InvalidFilter:
        """The error that something else stands here."""
        return self.problem(f"expected {what}, found {self.token}", hint)

    def problem(self, problem: str, hint: str | None = None, at: Token | None = None) -> InvalidFilter:
        """The error for something wrong at a token, by default the next one."""
        return refusal(self.text, (at or self.token).start, problem, hint)

    def identifier(self, what: str) -> Identifier:
        """Read an identifier; ``what`` says in errors what was expected."""
        token = self.token
        if token.kind == "name":
            return self._prefixed(self.take())
        if token.kind == "word" and token.text.upper() not in KEYWORDS:
            return self._attribute(self.take(), token.text)
        if token.kind == "quoted" and token.text[0] != "'":
            return self._attribute(self.take(), token.value)
        raise self.expected(what)

    def _prefixed(self, token: Token) -> Identifier:
        for family in self.families:
            if token.prefix in family.prefixes:
                return self._member(family, token, token.value)
        prefixes = [prefix for family in self.families for prefix in family.prefixes]
        listed = ", ".join(family.prefixes[0] for family in self.families)
        problem = f"{self.noun} have no {token.prefix[:40]!r}, only {listed}"
        raise self.problem(problem, _nearest(token.prefix, prefixes), at=token)

    def _attribute(self, token: Token, key: str) -> Identifier:
        family = next(family for family in self.families if family.bare)
        return self._member(family, token, key)

    def _member(self, family: Family, token: Token, key: str) -> Identifier:
        if not key:
            raise self.problem(f"the key in {token.text} is empty", at=token)
        found = family.find(key)
        if found is None:
            problem = f"{self.noun} have no {family.kind} {key[:40]!r}, only {', '.join(family.keys)}"
            raise self.problem(problem, self._advice(family, token, key), at=token)
        return Identifier(family, found[0], found[1], token)

    def _advice(self, family: Family, token: Token, key: str) -> str | None:
        if (spaced := f"{key} {self.token.text}") in family.aliases:
            return f"put it in back-ticks: `{spaced}`"
        near = _nearest(key, [*family.keys, *family.aliases])
        if near or token.kind == "name":
            return near
        if "." in key:
            prefix, _, rest = key.partition(".")
            return f"quote only the key: {prefix[:40]}.`{rest[:200]}`"
        prefixed = (f"{other.prefixes[0]}.{key[:40]}" for other in self.families if other.any_key)
        return f"put what it is before it: {' or '.join(prefixed)}"


def in_ticks(name: str) -> str:
    """An identifier that stands alone, with its key in back-ticks if it is not in quotes: it may hold anything."""
    prefix, dot, key = name.partition(".")
    return name if not key or key[0] in "`'\"" else f"{prefix}{dot}`{key.replace('`', '``')}`"


def _nearest(word: str, known: Iterable[str]) -> str | None:
    import difflib

    # Compared without case: METRICS is the likeliest slip of all.
    spellings = {name.lower(): name for name in known}
    near = difflib.get_close_matches(word[:40].lower(), spellings, n=1)
    return f"did you mean {spellings[near[0]]}?" if near else None
