"""Tags and params in MLflow's JSON: lists of objects with key and value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dovetail.values.dataset import InputTag
from dovetail.values.measure import Param, Tag
from dovetail.values.names import MAX_PARAM_VALUE, MAX_TAG_VALUE
from dovetail.values.registry import RegistryTag
from dovetail.wire.fields import load_each, load_object

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "dump_labels",
    "load_input_tags",
    "load_labels",
    "load_param",
    "load_params",
    "load_registry_tag",
    "load_registry_tags",
    "load_tag",
    "load_tags",
]


def dump_labels(labels: Mapping[str, str] | Iterable[Tag | Param | RegistryTag | InputTag]) -> list[dict[str, str]]:
    """Labels as MLflow lists them.

    Args:
        labels: Values by key, or tags or params.
    """
    if isinstance(labels, Mapping):
        return [{"key": key, "value": value} for key, value in labels.items()]
    return [{"key": label.key, "value": label.value} for label in labels]


def load_labels(data: Any) -> dict[str, str]:
    """Values by key as a server answered with them, unchecked."""
    return {label["key"]: label.get("value", "") for label in data or ()}


def load_tag(data: object) -> Tag:
    """A tag that a client sent; a value that is too long is cut, as MLflow's server does.

    Raises:
        InvalidInput: It is none.
    """
    key, value = _pair(data, "tag", MAX_TAG_VALUE)
    return Tag(key, value)


def load_tags(data: object, name: str = "tags") -> tuple[Tag, ...]:
    """The tags that a client sent.

    Args:
        data: The list; none is an empty one.
        name: The field's name, for messages.

    Raises:
        InvalidInput: It is no list, or a tag is refused.
    """
    return load_each(data, name, load_tag)


def load_param(data: object) -> Param:
    """A param that a client sent; a value that is too long is cut, as MLflow's server does.

    Raises:
        InvalidInput: It is none.
    """
    key, value = _pair(data, "param", MAX_PARAM_VALUE)
    return Param(key, value)


def load_params(data: object, name: str = "params") -> tuple[Param, ...]:
    """The params that a client sent.

    Args:
        data: The list; none is an empty one.
        name: The field's name, for messages.

    Raises:
        InvalidInput: It is no list, or a param is refused.
    """
    return load_each(data, name, load_param)


def load_registry_tag(data: object) -> RegistryTag:
    """A tag of a registered model or version that a client sent.

    Raises:
        InvalidInput: It is none.
    """
    return RegistryTag(*_pair(data, "tag"))


def load_registry_tags(data: object, name: str = "tags") -> tuple[RegistryTag, ...]:
    """The tags of a registered model or version that a client sent.

    Args:
        data: The list; none is an empty one.
        name: The field's name, for messages.

    Raises:
        InvalidInput: It is no list, or a tag is refused.
    """
    return load_each(data, name, load_registry_tag)


def load_input_tags(data: object, name: str = "tags") -> tuple[InputTag, ...]:
    """The tags of a dataset's use that a client sent.

    Args:
        data: The list; none is an empty one.
        name: The field's name, for messages.

    Raises:
        InvalidInput: It is no list, or a tag is refused.
    """
    return load_each(data, name, lambda each: InputTag(*_pair(each, "tag")))


def _pair(data: object, what: str, limit: int | None = None) -> tuple[Any, Any]:
    """Key and value as they were sent, the value cut to the limit; one that was not sent is empty text."""
    fields = load_object(data, what)
    value = fields.get("value")
    if value is None:
        value = ""
    elif limit is not None and type(value) is str and len(value) > limit:
        value = value[:limit]
    return fields.get("key"), value
