"""Which identifiers each searchable entity has, and which operators each of them takes.

This is data: a further entity is a further row of :data:`ENTITIES`, and the reader, the
evaluator and the error messages follow it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dovetail.tracking.filter_tree import Kind

__all__ = ["ENTITIES", "LISTS", "ORDERINGS", "PRESENCE", "TEXT", "Family", "Field"]

ORDERINGS = ("=", "!=", "<", "<=", ">", ">=")
TEXT = ("=", "!=", "LIKE", "ILIKE")
LISTS = ("IN", "NOT IN")
PRESENCE = ("IS NULL", "IS NOT NULL")


@dataclass(frozen=True)
class Field:
    """What may be asked of one identifier.

    Attributes:
        text: Operators that take quoted text; IN and NOT IN take a list of it.
        number: Operators that take an unquoted number.
        presence: Operators that take nothing: IS NULL and IS NOT NULL, or none.
        sortable: Whether results can be ordered by it.
    """

    text: tuple[str, ...] = ()
    number: tuple[str, ...] = ()
    presence: tuple[str, ...] = ()
    sortable: bool = True

    @property
    def operators(self) -> tuple[str, ...]:
        """Every operator the identifier takes, each once."""
        return tuple(dict.fromkeys((*self.text, *self.number, *self.presence)))


@dataclass(frozen=True)
class Family:
    """The identifiers of one kind on one entity.

    Attributes:
        kind: The kind its comparisons get.
        prefixes: What may stand before the dot; the first is the spelling that messages use.
        keys: The keys there are, where they are fixed.
        any_key: What may be asked of any other key, where users choose them.
        aliases: Further spellings of fixed keys, to the canonical one.
        bare: Whether its keys may stand without a prefix.
    """

    kind: Kind
    prefixes: tuple[str, ...]
    keys: Mapping[str, Field] = field(default_factory=dict)
    any_key: Field | None = None
    aliases: Mapping[str, str] = field(default_factory=dict)
    bare: bool = False

    def find(self, key: str) -> tuple[str, Field] | None:
        """The canonical key and what may be asked of it; None if there is no such key."""
        name = self.aliases.get(key, key)
        found = self.keys.get(name, self.any_key)
        return (name, found) if found else None


_NUMBER = Field(number=ORDERINGS)
_LISTED_TEXT = Field(text=(*TEXT, *LISTS))
_DATASET = Field(text=(*TEXT, *LISTS), sortable=False)

_RUNS = (
    Family("metric", ("metrics", "metric"), any_key=_NUMBER),
    Family(
        "param",
        ("params", "param", "parameters", "parameter"),
        any_key=Field(text=TEXT, number=ORDERINGS, presence=PRESENCE),
    ),
    Family("tag", ("tags", "tag"), any_key=Field(text=TEXT, presence=PRESENCE)),
    Family(
        "attribute",
        ("attributes", "attribute", "attr", "run"),
        keys={
            "run_id": _LISTED_TEXT,
            "run_name": _LISTED_TEXT,
            "user_id": _LISTED_TEXT,
            "status": _LISTED_TEXT,
            "artifact_uri": _LISTED_TEXT,
            "start_time": _NUMBER,
            "end_time": _NUMBER,
        },
        aliases={
            "run name": "run_name",
            "Run name": "run_name",
            "Run Name": "run_name",
            "created": "start_time",
            "Created": "start_time",
        },
        bare=True,
    ),
    Family(
        "dataset",
        ("datasets", "dataset"),
        keys={"name": _DATASET, "digest": _DATASET, "context": _DATASET},
    ),
)

_EXPERIMENTS = (
    Family("tag", ("tags", "tag"), any_key=Field(text=TEXT, presence=PRESENCE, sortable=False)),
    Family(
        "attribute",
        ("attributes", "attribute"),
        keys={
            "name": Field(text=TEXT),
            "experiment_id": Field(text=("=", "!=", *LISTS)),
            "creation_time": _NUMBER,
            "last_update_time": _NUMBER,
        },
        bare=True,
    ),
)

ENTITIES: Mapping[str, tuple[Family, ...]] = {"runs": _RUNS, "experiments": _EXPERIMENTS}
"""The families of each entity that can be searched, by the entity's name."""
