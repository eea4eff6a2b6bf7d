"""The fields that requests about registered models and their versions have in common, with the rules for each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dovetail.errors import InvalidInput
from dovetail.values.names import check_key, check_model_id, check_run_id
from dovetail.values.page import check_limit
from dovetail.values.registry import check_alias, check_described, check_registered_name, check_stage, check_version
from dovetail.wire.numbers import load_int
from dovetail_server.routing.fields import Field, objects, text, texts

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "ALIAS",
    "DESCRIPTION",
    "KEY",
    "MODEL_ID",
    "NAME",
    "NEW_NAME",
    "RUN_ID",
    "STAGE",
    "STAGES",
    "TAGS",
    "VALUE",
    "VERSION",
    "searching",
]


def _field(name: str, check: Callable[[object], Any], *, required: bool = False, many: bool = False) -> Field:
    """A field of text with a rule of the registry's."""
    return Field(name, "string", lambda value, what: check(value), required, many)  # noqa: ARG005 - rules know it


def _id(name: str, check: Callable[[object], str]) -> Field:
    """A field with an id; clients send empty ones where there is none."""
    return Field(name, "string", lambda value, what: None if value == "" else check(value))  # noqa: ARG005


NAME = _field("name", check_registered_name, required=True)
NEW_NAME = _field("new_name", check_registered_name, required=True)
VERSION = _field("version", check_version, required=True)
ALIAS = _field("alias", check_alias, required=True)
STAGE = _field("stage", check_stage, required=True)
STAGES = _field("stages", check_stage, many=True)
KEY = _field("key", lambda key: check_key("tag", key), required=True)
VALUE = text("value", default="")
DESCRIPTION = _field("description", check_described)
TAGS = objects("tags")
RUN_ID = _id("run_id", check_run_id)
MODEL_ID = _id("model_id", check_model_id)


def searching(most: int, default: int) -> tuple[Field, ...]:
    """The fields of a search.

    Args:
        most: The most results that a page may have.
        default: How many it has where nobody says.
    """

    def size(value: Any, what: str) -> int:
        return check_limit(load_int(value, what), most)

    return (
        text("filter"),
        Field("max_results", "integer", size, default=default),
        texts("order_by"),
        Field("page_token", "string", _token),
    )


def _token(value: Any, what: str) -> str | None:
    if not isinstance(value, str):
        raise InvalidInput(f"The field {what!r} must be text.")
    return value or None
