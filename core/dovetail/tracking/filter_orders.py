"""What results are to be ordered by: clauses such as ``metrics.acc DESC``, and the dicts that logged models take."""

from __future__ import annotations

from collections.abc import Mapping, Sized
from typing import TYPE_CHECKING

from dovetail.errors import InvalidFilter
from dovetail.tracking.filter_lexer import UNSTORABLE
from dovetail.tracking.filter_reader import Identifier, Reader, in_ticks
from dovetail.tracking.filter_tree import DatasetChoice, OrderKey

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["MAX_DATASETS", "MAX_ORDER_KEYS", "parse_datasets", "parse_order"]

MAX_ORDER_KEYS = 20
"""The most keys to order by."""
MAX_DATASETS = 100
"""The most datasets that a search of logged models may be narrowed to."""

_NAMES = ("field_name", "ascending", "dataset_name", "dataset_digest")
_DATASET_NAMES = ("dataset_name", "dataset_digest")
_EXAMPLE = "a key to order by, such as metrics.acc"


def parse_order(clauses: Sequence[str | Mapping[str, object]] | None, entity: str = "runs") -> tuple[OrderKey, ...]:
    """Read what results are to be ordered by.

    Of a logged model's metric the point with the highest (timestamp, step, value) is what it is ordered by, NaN
    counting as the lowest value; with a dataset, the highest among those measured on it.

    Args:
        clauses: Identifiers, each with an optional ``ASC`` (the default) or ``DESC``, the most
            important one first. Logged models also take dicts: ``field_name``, where keys stand
            without quotes whatever they hold, ``ascending`` (True by default), and for metrics
            ``dataset_name`` and ``dataset_digest``.
        entity: What is searched, a key of :data:`dovetail.tracking.filter_vocabulary.ENTITIES`.

    Raises:
        InvalidFilter: A clause is not one on this entity, or there are too many.
    """
    if isinstance(clauses, str):
        raise InvalidFilter("the order is one text, not a list of clauses", hint=f"write [{clauses[:200]!r}]")
    _require_list("order", clauses, 'write ["metrics.acc DESC"]')
    if len(clauses or ()) > MAX_ORDER_KEYS:
        raise InvalidFilter(f"{len(clauses or ())} keys to order by, the most is {MAX_ORDER_KEYS}")
    return tuple(_order_key(clause, entity) for clause in clauses or ())


def parse_datasets(datasets: Sequence[Mapping[str, object]] | None) -> tuple[DatasetChoice, ...]:
    """Read which datasets a search of logged models is narrowed to.

    Then only models are found that have been measured on one of them, and comparisons with metrics see
    only the points measured on one of them; params, tags and attributes are what they are.

    Args:
        datasets: A dict each, with ``dataset_name`` and, if it matters, ``dataset_digest``. None or
            nothing: every model, every point.

    Raises:
        InvalidFilter: They are no such dicts, or too many.
    """
    _require_list("datasets", datasets, 'write [{"dataset_name": "…"}]')
    if len(datasets or ()) > MAX_DATASETS:
        raise InvalidFilter(f"{len(datasets or ())} datasets to search, the most is {MAX_DATASETS}")
    choices = tuple(_choice(_checked(each, _DATASET_NAMES)) for each in datasets or ())
    if any(choice.name is None for choice in choices):
        raise InvalidFilter("a dataset to search has no dataset_name", hint="a digest alone does not say which")
    return choices


def _require_list(what: str, given: object, hint: str) -> None:
    if given is not None and (isinstance(given, (str, bytes, Mapping)) or not isinstance(given, Sized)):
        raise InvalidFilter(f"the {what} to search by is {type(given).__name__}, not a list", hint=hint)


def _order_key(clause: str | Mapping[str, object], entity: str) -> OrderKey:
    if isinstance(clause, str):
        return _key_of(clause, entity)
    if entity != "logged_models":
        raise InvalidFilter(f"a clause to order {entity.replace('_', ' ')} by is text, not {type(clause).__name__}")
    return _key_of_dict(_checked(clause, _NAMES))


def _key_of(clause: str, entity: str) -> OrderKey:
    reader = Reader(clause, entity)
    identifier = _sortable(reader)
    ascending = not reader.accept("DESC")
    if ascending:
        reader.accept("ASC")
    reader.require_end("ASC, DESC or the end")
    return OrderKey(identifier.kind, identifier.key, ascending)


def _sortable(reader: Reader) -> Identifier:
    identifier = reader.identifier(_EXAMPLE)
    if not identifier.field.sortable:
        raise reader.problem(f"{reader.noun} cannot be ordered by {identifier.token.text}", at=identifier.token)
    return identifier


def _key_of_dict(given: Mapping[str, object]) -> OrderKey:
    name, ascending = given.get("field_name"), given.get("ascending", True)
    if not isinstance(name, str) or not isinstance(ascending, bool):
        found = f"{name!r:.80} and {ascending!r:.80}"
        raise InvalidFilter(f"a key to order by has a field_name that is text and ascending True or False, not {found}")
    reader = Reader(in_ticks(name), "logged_models")
    identifier = _sortable(reader)
    reader.require_end("nothing more")
    choice = _choice(given)
    if choice != DatasetChoice() and identifier.kind != "metric":
        raise InvalidFilter(f"only metrics are measured on datasets, not {name[:80]!r}")
    return OrderKey(identifier.kind, identifier.key, ascending, None if choice == DatasetChoice() else choice)


def _choice(given: Mapping[str, object]) -> DatasetChoice:
    name, digest = (given.get(each) for each in _DATASET_NAMES)
    for each in (name, digest):
        if each is not None and not isinstance(each, str):
            raise InvalidFilter(f"the name and digest of a dataset are texts, not {each!r:.80}")
        if each is not None and (bad := UNSTORABLE.search(each)):
            raise InvalidFilter(f"the dataset {each!r:.80} holds {bad[0]!r}, which nothing that is stored holds")
    return DatasetChoice(name or None, digest or None)  # type: ignore[arg-type]  # checked above


def _checked(given: object, names: tuple[str, ...]) -> Mapping[str, object]:
    if not isinstance(given, Mapping):
        raise InvalidFilter(f"{given!r:.80} is no dict", hint=f"write one with {' and '.join(names)}")
    unknown = [key for key in given if key not in names]
    if unknown:
        raise InvalidFilter(f"{unknown[0]!r:.80} says nothing here", hint=f"one of: {', '.join(names)}")
    return given
