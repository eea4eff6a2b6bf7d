"""The search grammar: text such as ``metrics.acc > 0.9 AND NOT tags.draft = 'yes'``.

::

    filter      := all ("OR" all)*
    all         := term ("AND" term)*
    term        := "NOT" term | "(" filter ")" | comparison
    comparison  := identifier operator value | identifier "IS" ["NOT"] "NULL"
    identifier  := prefix "." key | attribute
    operator    := "=" "!=" "<" "<=" ">" ">=" "LIKE" "ILIKE" "IN" "NOT IN"
    value       := number | text | "(" text ("," text)* [","] ")"

Keywords have no case; prefixes, keys and attributes do. A key is a run of letters, digits,
``_`` and ``.``, or anything in back-ticks or quotes. Text stands in single or double quotes. A quote
inside quotes of its own kind is written twice. Which identifiers there are and which operators
they take is a table per entity, :data:`dovetail.tracking.filter_vocabulary.ENTITIES`.

Filters come from strangers, so their size is bounded: :data:`MAX_LENGTH` characters (which also
bounds the values of a list), :data:`MAX_TERMS` comparisons, :data:`MAX_DEPTH` levels of
parentheses and NOT, :data:`MAX_PATTERNS` characters of LIKE patterns and :data:`MAX_ORDER_KEYS` keys to order by.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dovetail.errors import InvalidFilter
from dovetail.tracking.filter_lexer import MAX_LENGTH, Token, refusal, scan
from dovetail.tracking.filter_matching import Subject, like, matches, param_number, sort_subjects
from dovetail.tracking.filter_tree import And, Comparison, Filter, Kind, Not, Operand, Or, OrderKey
from dovetail.tracking.filter_vocabulary import ENTITIES, LISTS, PRESENCE, Family, Field

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

__all__ = [
    "MAX_DEPTH",
    "MAX_LENGTH",
    "MAX_ORDER_KEYS",
    "MAX_PATTERNS",
    "MAX_TERMS",
    "And",
    "Comparison",
    "Filter",
    "Kind",
    "Not",
    "Or",
    "OrderKey",
    "Subject",
    "like",
    "matches",
    "param_number",
    "parse_filter",
    "parse_order",
    "sort_subjects",
]

MAX_TERMS = 500
"""The most comparisons in one filter."""
MAX_DEPTH = 50
"""The most parentheses and NOTs inside each other."""
MAX_PATTERNS = 10_000
"""The most characters in all LIKE and ILIKE patterns of one filter together."""
MAX_ORDER_KEYS = 20
"""The most keys to order by."""

_KEYWORDS = frozenset({"AND", "OR", "NOT", "IN", "IS", "NULL", "LIKE", "ILIKE", "BETWEEN"})
_COMPARISON = "a comparison such as metrics.acc > 0.9"
_WHOLE = re.compile(r"-?[0-9]{1,18}")


def parse_filter(text: str | None, entity: str = "runs") -> Filter | None:
    """Read a search filter.

    Args:
        text: The filter; None, empty or blank text asks for everything.
        entity: What is searched: ``runs`` or ``experiments``.

    Returns:
        The filter as a tree, None if it asks for everything.

    Raises:
        InvalidFilter: The text is not a filter on this entity; says where and what was expected.
    """
    if text is None or not text.strip():
        return None
    return _FilterReader(text, entity).read()


def parse_order(clauses: Sequence[str] | None, entity: str = "runs") -> tuple[OrderKey, ...]:
    """Read what results are to be ordered by.

    Args:
        clauses: Identifiers, each with an optional ``ASC`` (the default) or ``DESC``, the most
            important one first.
        entity: What is searched: ``runs`` or ``experiments``.

    Raises:
        InvalidFilter: A clause is not one on this entity, or there are too many.
    """
    if isinstance(clauses, str):
        raise InvalidFilter("the order is one text, not a list of clauses", hint=f"write [{clauses[:200]!r}]")
    if len(clauses or ()) > MAX_ORDER_KEYS:
        raise InvalidFilter(f"{len(clauses or ())} keys to order by, the most is {MAX_ORDER_KEYS}")
    return tuple(_Reader(clause, entity).order_key() for clause in clauses or ())


@dataclass(frozen=True)
class _Identifier:
    kind: Kind
    key: str
    field: Field
    token: Token


class _Reader:
    """The tokens of one text, one at a time, and what may be named in it."""

    def __init__(self, text: str, entity: str) -> None:
        if entity not in ENTITIES:
            raise InvalidFilter(f"{entity!r} cannot be searched", hint=f"one of: {', '.join(ENTITIES)}")
        self.text, self.entity, self.families = text, entity, ENTITIES[entity]
        self._tokens = scan(text)
        self.token = next(self._tokens)

    def order_key(self) -> OrderKey:
        identifier = self.identifier("a key to order by, such as metrics.acc")
        if not identifier.field.sortable:
            raise self.problem(f"{self.entity} cannot be ordered by {identifier.token.text}", at=identifier.token)
        ascending = not self.accept("DESC")
        if ascending:
            self.accept("ASC")
        self.require_end("ASC, DESC or the end")
        return OrderKey(identifier.kind, identifier.key, ascending)

    def take(self) -> Token:
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
        if self.token.kind != "end":
            raise self.expected(what)

    def expected(self, what: str, hint: str | None = None) -> InvalidFilter:
        return self.problem(f"expected {what}, found {self.token}", hint)

    def problem(self, problem: str, hint: str | None = None, at: Token | None = None) -> InvalidFilter:
        return refusal(self.text, (at or self.token).start, problem, hint)

    def identifier(self, what: str) -> _Identifier:
        token = self.token
        if token.kind == "name":
            return self._prefixed(self.take())
        if token.kind == "word" and token.text.upper() not in _KEYWORDS:
            return self._attribute(self.take(), token.text)
        if token.kind == "quoted" and token.text[0] != "'":
            return self._attribute(self.take(), token.value)
        raise self.expected(what)

    def _prefixed(self, token: Token) -> _Identifier:
        for family in self.families:
            if token.prefix in family.prefixes:
                return self._member(family, token, token.value)
        prefixes = [prefix for family in self.families for prefix in family.prefixes]
        listed = ", ".join(family.prefixes[0] for family in self.families)
        problem = f"{self.entity} have no {token.prefix[:40]!r}, only {listed}"
        raise self.problem(problem, _nearest(token.prefix, prefixes), at=token)

    def _attribute(self, token: Token, key: str) -> _Identifier:
        family = next(family for family in self.families if family.bare)
        return self._member(family, token, key)

    def _member(self, family: Family, token: Token, key: str) -> _Identifier:
        if not key:
            raise self.problem(f"the key in {token.text} is empty", at=token)
        found = family.find(key)
        if found is None:
            problem = f"{self.entity} have no {family.kind} {key[:40]!r}, only {', '.join(family.keys)}"
            raise self.problem(problem, self._advice(family, token, key), at=token)
        return _Identifier(family.kind, found[0], found[1], token)

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


class _FilterReader(_Reader):
    """A filter, read by recursive descent."""

    def __init__(self, text: str, entity: str) -> None:
        super().__init__(text, entity)
        self._count = self._patterns = 0

    def read(self) -> Filter:
        tree = self._any(0)
        self.require_end("AND, OR or the end")
        return tree

    def _any(self, depth: int) -> Filter:
        terms = self._chain("OR", lambda: self._all(depth))
        return Or(terms) if len(terms) > 1 else terms[0]

    def _all(self, depth: int) -> Filter:
        terms = self._chain("AND", lambda: self._term(depth))
        return And(terms) if len(terms) > 1 else terms[0]

    def _chain(self, joint: str, read: Callable[[], Filter]) -> tuple[Filter, ...]:
        terms = [read()]
        while self.accept(joint):
            terms.append(read())
        return tuple(terms)

    def _term(self, depth: int) -> Filter:
        if depth > MAX_DEPTH:
            raise self.problem(f"more than {MAX_DEPTH} parentheses and NOTs inside each other")
        if self.accept("NOT"):
            return Not(self._term(depth + 1))
        if self.accept("("):
            inner = self._any(depth + 1)
            if not self.accept(")"):
                raise self.expected("AND, OR or ')'")
            return inner
        return self._comparison()

    def _comparison(self) -> Comparison:
        self._count += 1
        if self._count > MAX_TERMS:
            raise self.problem(f"more than {MAX_TERMS} comparisons", "split the search into several")
        identifier = self.identifier(_COMPARISON)
        operator = self._operator(identifier)
        return Comparison(identifier.kind, identifier.key, operator, self._operand(identifier, operator))

    def _operator(self, identifier: _Identifier) -> str:
        start = self.token
        operator = self._spelled_operator()
        if operator in identifier.field.operators:
            return operator
        problem = f"{identifier.token} takes {', '.join(identifier.field.operators)}"
        if operator:
            problem += f", not {operator}"
        else:
            problem = f"expected an operator, found {start}: {problem}"
        raise self.problem(problem, _operator_advice(operator, identifier), at=start)

    def _spelled_operator(self) -> str:
        """The operator that stands here, in capitals; empty if there is none."""
        if self.accept("IS"):
            negated = self.accept("NOT")
            if not self.accept("NULL"):
                raise self.expected("NULL" if negated else "NULL or NOT NULL")
            return "IS NOT NULL" if negated else "IS NULL"
        if self.accept("NOT"):
            return f"NOT {self._word_operator()}" if self._at_word_operator() else ""
        if self._at_word_operator():
            return self._word_operator()
        if self.token.kind == "sign" and self.token.text not in ("(", ")", ","):
            return self.take().text
        return ""

    def _at_word_operator(self) -> bool:
        return self.token.kind == "word" and self.token.text.upper() in ("IN", "LIKE", "ILIKE", "BETWEEN")

    def _word_operator(self) -> str:
        return self.take().text.upper()

    def _operand(self, identifier: _Identifier, operator: str) -> Operand:
        if operator in PRESENCE:
            return None
        if operator in LISTS:
            return self._list(operator)
        if self.token.kind == "number" and operator in identifier.field.number:
            return _number(self.take().text, identifier.kind)
        if self._at_text() and operator in identifier.field.text:
            return self._text(operator)
        raise self._wrong_operand(identifier, operator)

    def _text(self, operator: str) -> str:
        self._patterns += len(self.token.value) if operator in ("LIKE", "ILIKE") else 0
        if self._patterns > MAX_PATTERNS:
            raise self.problem(f"more than {MAX_PATTERNS} characters of LIKE patterns")
        return self.take().value

    def _at_text(self) -> bool:
        return self.token.kind == "quoted" and self.token.text[0] != "`"

    def _list(self, operator: str) -> tuple[str, ...]:
        if not self.accept("("):
            raise self.expected(f"a list after {operator}", "write it as ('a', 'b')")
        values: list[str] = []
        while not values or not self.accept(")"):
            if not self._at_text():
                raise self.expected("a text in quotes")
            values.append(self.take().value)
            if not self.accept(",") and self.token.text != ")":
                raise self.expected("',' or ')'")
        return tuple(values)

    def _wrong_operand(self, identifier: _Identifier, operator: str) -> InvalidFilter:
        text, number = operator in identifier.field.text, operator in identifier.field.number
        wanted = "a text in quotes or a number" if text and number else "a text in quotes" if text else "a number"
        return self.expected(f"{wanted} after {operator}", self._operand_advice(text=text))

    def _operand_advice(self, *, text: bool) -> str | None:
        token = self.token
        if token.kind == "quoted":
            return "back-ticks are for keys, values stand in quotes" if text else "write the number without quotes"
        if token.kind == "name":
            return "two keys cannot be compared with each other"
        return f"put it in quotes: '{token.text[:40]}'" if text and token.kind in ("word", "number") else None


def _number(text: str, kind: Kind) -> float | int:
    # Metrics and params are doubles on both sides; times are integers as far as databases have them.
    return int(text) if kind == "attribute" and _WHOLE.fullmatch(text) else float(text)


def _operator_advice(operator: str, identifier: _Identifier) -> str | None:
    name = identifier.token.text[:200]
    if operator in ("==", "<>"):
        return f"write {'=' if operator == '==' else '!='}"
    if operator.endswith("BETWEEN"):
        return f"write {name} >= … AND {name} <= …"
    if operator.startswith("NOT ") and operator[4:] in identifier.field.operators:
        return f"write NOT {name} {operator[4:]} …"
    if operator == "IN" and "=" in identifier.field.operators:
        return f"write ({name} = … OR {name} = …)"
    return None


def _nearest(word: str, known: Iterable[str]) -> str | None:
    import difflib

    # Compared without case: METRICS is the likeliest slip of all.
    spellings = {name.lower(): name for name in known}
    near = difflib.get_close_matches(word[:40].lower(), spellings, n=1)
    return f"did you mean {spellings[near[0]]}?" if near else None
