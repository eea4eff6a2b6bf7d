"""Which identifiers each searchable entity has, and which operators each of them takes.

This is data: a further entity is a further row of :data:`ENTITIES`, and the reader, the
evaluator and the error messages follow it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dovetail.tracking.filter_tree import Kind

__all__ = ["ENTITIES", "LISTS", "ORDERINGS", "PRESENCE", "RANGES", "TEXT", "Family", "Field"]

ORDERINGS = ("=", "!=", "<", "<=", ">", ">=")
TEXT = ("=", "!=", "LIKE", "ILIKE")
LISTS = ("IN", "NOT IN")
RANGES = ("BETWEEN", "NOT BETWEEN")
PRESENCE = ("IS NULL", "IS NOT NULL")


@dataclass(frozen=True)
class Field:
    """What may be asked of one identifier.

    Attributes:
        text: Operators that take quoted text; IN and NOT IN take a list of it.
        number: Operators that take an unquoted number; IN and NOT IN take a list, BETWEEN two.
        presence: Operators that take nothing: IS NULL and IS NOT NULL, or none.
        sortable: Whether results can be ordered by it.
        lenient: Whether a number may stand in quotes, or a whole number for text without them.
    """

    text: tuple[str, ...] = ()
    number: tuple[str, ...] = ()
    presence: tuple[str, ...] = ()
    sortable: bool = True
    lenient: bool = False

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
        absent: What keys count as where they are absent; other keys then have no value.
    """

    kind: Kind
    prefixes: tuple[str, ...]
    keys: Mapping[str, Field] = field(default_factory=dict)
    any_key: Field | None = None
    aliases: Mapping[str, str] = field(default_factory=dict)
    bare: bool = False
    absent: Mapping[str, str] = field(default_factory=dict)

    def find(self, key: str) -> tuple[str, Field] | None:
        """The canonical key and what may be asked of it; None if there is no such key."""
        name = self.aliases.get(key, key)
        found = self.keys.get(name, self.any_key)
        return (name, found) if found else None


_NUMBER = Field(number=(*ORDERINGS, *LISTS, *RANGES))
_NUMBER_OR_NONE = replace(_NUMBER, presence=PRESENCE)
_TEXT = Field(text=(*TEXT, *LISTS))
_TEXT_OR_NONE = replace(_TEXT, presence=PRESENCE)
_DATASET = replace(_TEXT, sortable=False)

_METRICS = Family("metric", ("metrics", "metric"), any_key=_NUMBER_OR_NONE)
_PARAMS = Family(
    "param",
    ("params", "param", "parameters", "parameter"),
    any_key=replace(_TEXT_OR_NONE, number=_NUMBER.number),
)
_TAGS = Family("tag", ("tags", "tag"), any_key=_TEXT_OR_NONE)
_UNSORTED_TAGS = replace(_TAGS, any_key=replace(_TEXT_OR_NONE, sortable=False))
# Clients that know prompts ask for what is none of them by this tag; what was made without it is a model.
_REGISTRY_TAGS = replace(_UNSORTED_TAGS, absent={"mlflow.prompt.is_prompt": "false"})

_RUNS = (
    _METRICS,
    _PARAMS,
    _TAGS,
    Family(
        "attribute",
        ("attributes", "attribute", "attr", "run"),
        keys={
            "run_id": _TEXT,
            "run_name": _TEXT,
            "user_id": _TEXT,
            "status": _TEXT,
            "artifact_uri": _TEXT,
            "start_time": _NUMBER,
            "end_time": _NUMBER_OR_NONE,
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
    _UNSORTED_TAGS,
    Family(
        "attribute",
        ("attributes", "attribute"),
        keys={
            "name": _TEXT,
            "experiment_id": Field(text=("=", "!=", *LISTS)),
            "creation_time": _NUMBER,
            "last_update_time": _NUMBER,
        },
        bare=True,
    ),
)

_REGISTERED_MODELS = (
    _REGISTRY_TAGS,
    Family(
        "attribute",
        ("attributes", "attribute"),
        keys={"name": _TEXT, "creation_timestamp": _NUMBER, "last_updated_timestamp": _NUMBER},
        aliases={"timestamp": "last_updated_timestamp"},
        bare=True,
    ),
)

_MODEL_VERSIONS = (
    _REGISTRY_TAGS,
    Family(
        "attribute",
        ("attributes", "attribute"),
        keys={
            "name": _TEXT,
            "version_number": replace(_NUMBER, lenient=True),
            "run_id": _TEXT_OR_NONE,
            "source_path": _TEXT,
            "model_id": _TEXT_OR_NONE,
            "current_stage": _TEXT,
            "status": _TEXT,
            "creation_timestamp": _NUMBER,
            "last_updated_timestamp": _NUMBER,
        },
        aliases={"version": "version_number", "source": "source_path"},
        bare=True,
    ),
)

_LOGGED_MODELS = (
    _METRICS,
    _PARAMS,
    _TAGS,
    Family(
        "attribute",
        ("attributes", "attribute"),
        keys={
            "name": _TEXT,
            "model_id": _TEXT,
            "model_type": _TEXT_OR_NONE,
            "status": _TEXT,
            "status_message": _TEXT_OR_NONE,
            "source_run_id": _TEXT_OR_NONE,
            "experiment_id": replace(_TEXT, lenient=True),
            "artifact_location": _TEXT,
            "creation_timestamp": _NUMBER,
            "last_updated_timestamp": _NUMBER,
        },
        aliases={
            "creation_time": "creation_timestamp",
            "creation_timestamp_ms": "creation_timestamp",
            "last_updated_time": "last_updated_timestamp",
            "last_updated_timestamp_ms": "last_updated_timestamp",
        },
        bare=True,
    ),
)

ENTITIES: Mapping[str, tuple[Family, ...]] = {
    "runs": _RUNS,
    "experiments": _EXPERIMENTS,
    "registered_models": _REGISTERED_MODELS,
    "model_versions": _MODEL_VERSIONS,
    "logged_models": _LOGGED_MODELS,
}
"""The families of each entity that can be searched, by the entity's name."""
