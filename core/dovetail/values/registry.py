"""The model registry's values: registered models, their versions, and who moved what where."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum
from operator import index
from typing import TYPE_CHECKING, Any

from dovetail.documents import shown
from dovetail.errors import InvalidInput, InvalidName
from dovetail.values.measure import now_ms
from dovetail.values.names import MAX_INT, check_key, check_model_id, check_moment, check_run_id, check_text
from dovetail.values.value import Value

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "STAGES",
    "ModelVersion",
    "ModelVersionStatus",
    "NewModelVersion",
    "RegisteredModel",
    "RegistryMove",
    "RegistryTag",
    "check_alias",
    "check_registered_name",
    "check_stage",
    "check_version",
]

MAX_NAME = 256
MAX_ALIAS = 255
MAX_DESCRIPTION = 5000
MAX_SOURCE = 4096
MAX_REGISTRY_TAG_VALUE = 100_000

STAGES = ("None", "Staging", "Production", "Archived")
"""The stages there are; a version is in one of them, ``None`` at first."""

# Control characters, separators of lines, and what turns the direction of text around: such names show as others.
_UNREADABLE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_ALIAS = re.compile(r"[\w\-]+\Z")
_VERSION_LIKE = re.compile(r"v\d+\Z", re.IGNORECASE)


def check_registered_name(name: object) -> str:
    """Return the name of a registered model if it is text of 1 to 256 characters without ``/`` and ``:``.

    Nor may it hold control characters or marks that turn the direction of text around, or be ``.`` or ``..``.

    Raises:
        InvalidName: It is not.
    """
    if not isinstance(name, str) or not name.strip():
        raise InvalidName(f"The name of a registered model must be non-empty text, not {shown(name)}.")
    if "/" in name or ":" in name:
        raise InvalidName(
            f"The name {name[:80]!r} of a registered model holds a slash or colon.",
            hint="Names are parts of models:/<name>/<version> URIs: use - or _ instead.",
        )
    if name in (".", ".."):
        raise InvalidName(f"A registered model cannot be called {name!r}: in paths that means a folder.")
    if found := _UNREADABLE.search(name):
        raise InvalidName(f"The name {name[:80]!r} of a registered model holds {found[0]!r}, which cannot be read.")
    if len(name) > MAX_NAME:
        raise InvalidName(
            f"The name {name[:40]!r}… of a registered model has {len(name)} characters; at most {MAX_NAME} are allowed."
        )
    return check_text("name of a registered model", name, MAX_NAME)


def check_alias(alias: object) -> str:
    """Return the alias if it is letters, digits, ``_`` and ``-``, at most 255, and nothing else is called that.

    Raises:
        InvalidName: It is not, or reads like a version (``v1``) or is ``latest``, which mean something in URIs.
    """
    if not isinstance(alias, str) or not _ALIAS.match(alias) or len(alias) > MAX_ALIAS:
        raise InvalidName(
            f"{shown(alias)} is no alias of a model version.",
            hint=f"Aliases are letters, digits, underscores and dashes, at most {MAX_ALIAS}.",
        )
    if alias.lower() == "latest" or _VERSION_LIKE.match(alias):
        raise InvalidName(
            f"{alias!r} cannot be an alias: it means the latest version, or reads like a version.",
            hint="Use another word, such as champion.",
        )
    return alias


def check_version(version: object) -> int:
    """Return the number of a version, given as a whole number of any kind or as its digits.

    Raises:
        InvalidInput: It is no whole number from 1 on.
    """
    number = _whole(version)
    if not 1 <= number <= MAX_INT:
        # Python does not write numbers of thousands of digits.
        told = "A number of that size" if abs(number) > MAX_INT else shown(version)
        raise InvalidInput(f"{told} is no model version.", hint="Versions are whole numbers from 1 on.")
    return number


def _whole(version: Any) -> int:
    """The number that is meant; 0 for what is none."""
    if isinstance(version, str):
        digits = version.isascii() and version.isdigit() and len(version) <= len(str(MAX_INT))
        return int(version) if digits else 0
    try:
        return 0 if isinstance(version, bool) else index(version)
    except TypeError:
        return 0


def check_stage(stage: object) -> str:
    """Return the stage in its one spelling; case does not count.

    Raises:
        InvalidInput: There is no such stage.
    """
    found = {each.lower(): each for each in STAGES}.get(stage.lower()) if isinstance(stage, str) else None
    if found is None:
        message = f"The stage {shown(stage)} is unknown."
        raise InvalidInput(message, hint=f"Use one of {', '.join(STAGES)}, or an alias.")
    return found


@dataclass(frozen=True, repr=False)
class RegistryTag(Value):
    """A label of a registered model or of a version.

    Args:
        key: The tag's name.
        value: Its value as text, at most 100 000 characters.
    """

    key: str
    value: str

    def __post_init__(self) -> None:
        check_key("tag", self.key)
        check_text(f"value of tag {self.key!r}", self.value, MAX_REGISTRY_TAG_VALUE)


class ModelVersionStatus(str, Enum):
    """How far a version is; its members are texts.

    Attributes:
        PENDING_REGISTRATION: It is being registered.
        FAILED_REGISTRATION: Registering it failed.
        READY: It can be used.
    """

    PENDING_REGISTRATION = "PENDING_REGISTRATION"
    FAILED_REGISTRATION = "FAILED_REGISTRATION"
    READY = "READY"

    __str__ = str.__str__

    # MLflow counts the states and turns numbers into words and back; here the words are all there is.
    @classmethod
    def from_string(cls, status: object) -> ModelVersionStatus:
        """The status of that name.

        Raises:
            InvalidInput: There is none.
        """
        found = next((each for each in cls if each.value == status), None)
        if found is None:
            raise InvalidInput(f"The status {shown(status)} of a model version is unknown.")
        return found

    @classmethod
    def to_string(cls, status: object) -> str:
        """The name of a status. Raises ``InvalidInput`` for what is none."""
        return cls.from_string(status).value


@dataclass(frozen=True, repr=False)
class NewModelVersion(Value):
    """What a registry needs to create a version; its number is the registry's to give.

    Args:
        name: The registered model's.
        source: Where the model's files lie, as a URI that does not change its meaning: a place in an artifact store,
            ``runs:/<run id>/<path>`` or ``models:/<model id>``; at most 4 096 characters.
        run_id: The run that made it.
        model_id: The logged model it is.
        run_link: A page about the run, elsewhere.
        description: For people; at most 5 000 characters.
        user_id: Who registers it.
        creation_timestamp: Milliseconds since 1970, UTC.
        tags: Labels it starts with.

    Raises:
        InvalidInput: A field is not of its kind, too long, or cannot be stored.
    """

    name: str
    source: str
    run_id: str | None = None
    model_id: str | None = None
    run_link: str | None = None
    description: str | None = None
    user_id: str | None = None
    creation_timestamp: int = field(default_factory=now_ms)
    tags: tuple[RegistryTag, ...] = ()

    def __post_init__(self) -> None:
        check_registered_name(self.name)
        if not check_text("source of a model version", self.source, MAX_SOURCE).strip():
            raise InvalidInput("The source of a model version is empty.", hint="Give the URI of the model's files.")
        if self.run_id is not None:
            check_run_id(self.run_id)
        if self.model_id is not None:
            check_model_id(self.model_id)
        check_described(self.description)
        for what, text in (("run link", self.run_link), ("user id", self.user_id)):
            if text is not None:
                check_text(what, text, MAX_SOURCE)
        check_moment("creation time", self.creation_timestamp)
        self.__dict__["tags"] = _tags(self.tags)


def check_described(description: object) -> str | None:
    """Return the description, or None, if every registry can keep it.

    Raises:
        InvalidInput: It is not text, or longer than 5 000 characters.
    """
    return None if description is None else check_text("description", description, MAX_DESCRIPTION)


def _tags(tags: object) -> tuple[RegistryTag, ...]:
    found = (tags,) if isinstance(tags, RegistryTag) or not isinstance(tags, Iterable) else tuple(tags)
    if not all(isinstance(tag, RegistryTag) for tag in found):
        raise InvalidInput("The tags of a model version must be RegistryTag values.")
    return found


@dataclass(frozen=True, repr=False)
class ModelVersion(Value):
    """One version of a registered model.

    Args:
        name: The registered model's.
        version: Its number, counting up from 1; numbers of deleted versions are not given again.
        creation_timestamp: Milliseconds since 1970, UTC.
        last_updated_timestamp: Milliseconds since 1970, UTC.
        description: For people.
        user_id: Who registered it.
        current_stage: One of ``STAGES``.
        source: Where its files lie, as it was registered.
        run_id: The run that made it.
        status: How far it is.
        status_message: Why it failed.
        tags: Labels by key.
        run_link: A page about the run, elsewhere.
        aliases: The aliases that point at it, sorted.
        model_id: The logged model it is.
    """

    name: str
    version: int
    creation_timestamp: int
    last_updated_timestamp: int
    description: str | None = None
    user_id: str | None = None
    current_stage: str = "None"
    source: str = ""
    run_id: str | None = None
    status: ModelVersionStatus = ModelVersionStatus.READY
    status_message: str | None = None
    tags: dict[str, str] = field(default_factory=dict)
    run_link: str | None = None
    aliases: list[str] = field(default_factory=list)
    model_id: str | None = None

    def to_dictionary(self) -> dict[str, Any]:
        """Everything as plain nested dicts."""
        return {**self.__dict__, "status": self.status.value, "tags": dict(self.tags), "aliases": list(self.aliases)}

    def _facts(self) -> Mapping[str, object]:
        return {
            "name": self.name,
            "version": self.version,
            "current_stage": None if self.current_stage == "None" else self.current_stage,
            "aliases": self.aliases or None,
            "source": self.source,
            "run_id": self.run_id,
            "model_id": self.model_id,
            "tags": self.tags or None,
        }


@dataclass(frozen=True, repr=False)
class RegisteredModel(Value):
    """A name in the registry that versions are kept under.

    Args:
        name: Unique in its registry.
        creation_timestamp: Milliseconds since 1970, UTC.
        last_updated_timestamp: When it, its tags, aliases or versions were last changed; milliseconds since 1970, UTC.
        description: For people.
        latest_versions: The version with the highest number in each stage that has any, by number.
        tags: Labels by key.
        aliases: The number of the version that each alias points at.
    """

    name: str
    creation_timestamp: int
    last_updated_timestamp: int
    description: str | None = None
    latest_versions: list[ModelVersion] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)
    aliases: dict[str, int] = field(default_factory=dict)

    def to_dictionary(self) -> dict[str, Any]:
        """Everything as plain nested dicts."""
        latest = [version.to_dictionary() for version in self.latest_versions]
        return {**self.__dict__, "latest_versions": latest, "tags": dict(self.tags), "aliases": dict(self.aliases)}

    def _facts(self) -> Mapping[str, object]:
        return {
            "name": self.name,
            "description": self.description or None,
            "aliases": self.aliases or None,
            "latest_versions": [version.version for version in self.latest_versions] or None,
            "tags": self.tags or None,
        }


@dataclass(frozen=True, repr=False)
class RegistryMove(Value):
    """One entry of a registered model's history: what was moved, from where to where, by whom and why.

    Args:
        name: The registered model's, as it was called then.
        kind: ``alias`` or ``stage``.
        what: The alias that was moved; for stages, the number of the version as text.
        before: Where it was: the version's number as text, or the stage; None if the alias was not there.
        after: Where it is since then; None if the alias was removed.
        timestamp: Milliseconds since 1970, UTC.
        user_id: Who did it; empty if unknown.
        reason: Why, in words; empty if nobody said.
        number: Counts up within a registry: of two moves the one with the higher number came later.
    """

    name: str
    kind: str
    what: str
    before: str | None
    after: str | None
    timestamp: int
    user_id: str = ""
    reason: str = ""
    number: int = 0
