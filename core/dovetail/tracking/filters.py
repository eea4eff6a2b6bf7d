"""The search grammar: text such as ``metrics.acc > 0.9 AND NOT tags.draft = 'yes'``.

::

    filter      := all ("OR" all)*
    all         := term ("AND" term)*
    term        := "NOT" term | "(" filter ")" | comparison
    comparison  := identifier operator value | identifier "IS" ["NOT"] "NULL"
                 | identifier ["NOT"] "IN" "(" value ("," value)* [","] ")"
                 | identifier ["NOT"] "BETWEEN" number "AND" number
    identifier  := prefix "." key | attribute
    operator    := "=" | "!=" | "<" | "<=" | ">" | ">=" | "LIKE" | "ILIKE"
    value       := number | text

Keywords have no case; prefixes, keys and attributes do. A key is a run of letters, digits,
``_`` and ``.``, or anything in back-ticks or quotes. Text stands in single or double quotes. A quote
inside quotes of its own kind is written twice. A list holds texts or numbers, not both.

Which identifiers there are and which operators they take is a table per entity,
:data:`dovetail.tracking.filter_vocabulary.ENTITIES`.

Filters come from strangers, so their size is bounded: :data:`MAX_LENGTH` characters (which also
bounds the texts of a list), :data:`MAX_TERMS` comparisons and numbers in lists, :data:`MAX_DEPTH` levels of
parentheses and NOT, :data:`MAX_PATTERNS` characters of LIKE patterns and :data:`MAX_ORDER_KEYS` keys to order by.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dovetail.errors import InvalidFilter
from dovetail.tracking.filter_columns import MAX_COLUMNS, Column, parse_columns
from dovetail.tracking.filter_lexer import MAX_LENGTH, Token
from dovetail.tracking.filter_matching import Subject, like, matches, param_number, sort_subjects
from dovetail.tracking.filter_orders import MAX_DATASETS, MAX_ORDER_KEYS, parse_datasets, parse_order
from dovetail.tracking.filter_reader import Identifier, Reader
from dovetail.tracking.filter_tree import And, Comparison, DatasetChoice, Filter, Kind, Not, Operand, Or, OrderKey
from dovetail.tracking.filter_vocabulary import LISTS, PRESENCE, RANGES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = [
    "MAX_COLUMNS",
    "MAX_DATASETS",
    "MAX_DEPTH",
    "MAX_LENGTH",
    "MAX_ORDER_KEYS",
    "MAX_PATTERNS",
    "MAX_TERMS",
    "And",
    "Column",
    "Comparison",
    "DatasetChoice",
    "Filter",
    "Kind",
    "Not",
    "Or",
    "OrderKey",
    "Subject",
    "like",
    "matches",
    "param_number",
    "parse_columns",
    "parse_datasets",
    "parse_filter",
    "parse_order",
    "sort_subjects",
]

MAX_TERMS = 500
"""The most comparisons in one filter; each number in a list counts as one."""
MAX_DEPTH = 50
"""The most parentheses and NOTs inside each other."""
MAX_PATTERNS = 10_000
"""The most characters in all LIKE and ILIKE patterns of one filter together."""

_COMPARISON = "a comparison such as metrics.acc > 0.9"
_WHOLE = re.compile(r"-?[0-9]{1,18}")
_OPPOSITES = {"=": "!=", "!=": "=", "IN": "NOT IN", "NOT IN": "IN"}


def parse_filter(text: str | None, entity: str = "runs") -> Filter | None:
    """Read a search filter.

    Args:
        text: The filter; None, empty or blank text asks for everything.
        entity: What is searched, a key of :data:`dovetail.tracking.filter_vocabulary.ENTITIES`.

    Returns:
        The filter as a tree, None if it asks for everything.

    Raises:
        InvalidFilter: The text is not a filter on this entity; says where and what was expected.
    """
    if text is not None and not isinstance(text, str):
        raise InvalidFilter(f"the filter is {type(text).__name__}, not text", hint='write "metrics.acc > 0.9"')
    if text is None or not text.strip():
        return None
    return _FilterReader(text, entity).read()


class _FilterReader(Reader):
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

    def _comparison(self) -> Filter:
        self._counted()
        identifier = self.identifier(_COMPARISON)
        operator = self._operator(identifier)
        return _present(identifier, operator, self._operand(identifier, operator))

    def _counted(self) -> None:
        self._count += 1
        if self._count > MAX_TERMS:
            problem = f"more than {MAX_TERMS} comparisons and numbers in lists"
            raise self.problem(problem, "split the search into several")

    def _operator(self, identifier: Identifier) -> str:
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

    def _operand(self, identifier: Identifier, operator: str) -> Operand:
        if operator in PRESENCE:
            return None
        if operator in LISTS:
            return self._list(identifier, operator)
        if operator in RANGES:
            return self._range(identifier, operator)
        return self._value(identifier, operator)

    def _value(self, identifier: Identifier, operator: str) -> str | float:
        if self._at_number(identifier, operator):
            return _number(self.take(), identifier.kind)
        if self._at_text(identifier, operator):
            return self._text(operator)
        raise self._wrong_operand(identifier, operator)

    def _at_number(self, identifier: Identifier, operator: str) -> bool:
        token, field = self.token, identifier.field
        quoted = field.lenient and _is_text(token) and _WHOLE.fullmatch(token.value) is not None
        return operator in field.number and (token.kind == "number" or quoted)

    def _at_text(self, identifier: Identifier, operator: str) -> bool:
        token, field = self.token, identifier.field
        bare = field.lenient and token.kind == "number" and _WHOLE.fullmatch(token.text) is not None
        return operator in field.text and (_is_text(token) or bare)

    def _text(self, operator: str) -> str:
        value = _spelled(self.token)
        self._patterns += len(value) if operator in ("LIKE", "ILIKE") else 0
        if self._patterns > MAX_PATTERNS:
            raise self.problem(f"more than {MAX_PATTERNS} characters of LIKE patterns")
        self.take()
        return value

    def _range(self, identifier: Identifier, operator: str) -> tuple[float, ...]:
        ends: list[float] = []
        for what in (f"after {operator}", "after AND"):
            if not self._at_number(identifier, operator):
                raise self.expected(f"a number {what}", f"write it as {operator} 1 AND 2")
            ends.append(_number(self.take(), identifier.kind))
            if len(ends) == 1 and not self.accept("AND"):
                raise self.expected("AND and the upper end")
        return tuple(ends)

    def _list(self, identifier: Identifier, operator: str) -> tuple[str, ...] | tuple[float, ...]:
        example = "('a', 'b')" if operator in identifier.field.text else "(1, 2)"
        if not self.accept("("):
            raise self.expected(f"a list after {operator}", f"write it as {example}")
        if self._at_number(identifier, operator):
            return tuple(self._numbers(identifier, operator))
        return tuple(self._texts(identifier, operator))

    def _numbers(self, identifier: Identifier, operator: str) -> Iterator[float]:
        while self._at_number(identifier, operator):
            self._counted()
            yield _number(self.take(), identifier.kind)
            if self._at_list_end():
                return
        raise self.expected("a number")

    def _texts(self, identifier: Identifier, operator: str) -> Iterator[str]:
        while self._at_text(identifier, operator):
            yield self._text(operator)
            if self._at_list_end():
                return
        raise self.expected(_wanted(identifier, operator))

    def _at_list_end(self) -> bool:
        """Take what stands behind a value of a list; whether it was the last one."""
        if self.accept(")"):
            return True
        if not self.accept(","):
            raise self.expected("',' or ')'")
        return self.accept(")")

    def _wrong_operand(self, identifier: Identifier, operator: str) -> InvalidFilter:
        advice = self._operand_advice(text=operator in identifier.field.text)
        return self.expected(f"{_wanted(identifier, operator)} after {operator}", advice)

    def _operand_advice(self, *, text: bool) -> str | None:
        token = self.token
        if token.kind == "quoted":
            return "back-ticks are for keys, values stand in quotes" if text else "write the number without quotes"
        if token.kind == "name":
            return "two keys cannot be compared with each other"
        return f"put it in quotes: '{token.text[:40]}'" if text and token.kind in ("word", "number") else None


def _wanted(identifier: Identifier, operator: str) -> str:
    kinds = {"a text in quotes": identifier.field.text, "a number": identifier.field.number}
    return " or ".join(kind for kind, operators in kinds.items() if operator in operators)


def _present(identifier: Identifier, operator: str, value: Operand) -> Filter:
    """The comparison, such that what has no such key meets it if what the key then counts as does."""
    asked = Comparison(identifier.kind, identifier.key, operator, value)
    absent = identifier.family.absent.get(identifier.key)
    if absent is None or operator not in _OPPOSITES:
        return asked
    named = absent in value if isinstance(value, tuple) else absent == value
    if named != (operator in ("=", "IN")):
        return asked
    return Not(Comparison(asked.kind, asked.key, _OPPOSITES[operator], value))


def _is_text(token: Token) -> bool:
    return token.kind == "quoted" and token.text[0] != "`"


def _spelled(token: Token) -> str:
    return token.value if token.kind == "quoted" else token.text


def _number(token: Token, kind: Kind) -> float | int:
    # Metrics and params are doubles on both sides; times are integers as far as databases have them.
    text = _spelled(token)
    return int(text) if kind == "attribute" and _WHOLE.fullmatch(text) else float(text)


def _operator_advice(operator: str, identifier: Identifier) -> str | None:
    name = identifier.token.text[:200]
    if operator in ("==", "<>"):
        return f"write {'=' if operator == '==' else '!='}"
    if operator.startswith("NOT ") and operator[4:] in identifier.field.operators:
        return f"write NOT {name} {operator[4:]} …"
    return None
