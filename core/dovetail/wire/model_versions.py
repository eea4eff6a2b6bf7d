"""Versions of registered models in MLflow's JSON."""

from __future__ import annotations

from typing import Any

from dovetail.values.registry import ModelVersion, NewModelVersion
from dovetail.wire.answers import answer
from dovetail.wire.fields import load_object, load_text
from dovetail.wire.labels import dump_labels, load_labels, load_registry_tags
from dovetail.wire.numbers import load_int
from dovetail.wire.states import load_version_status

__all__ = ["dump_model_version", "dump_new_model_version", "load_model_version", "load_new_model_version"]

_NEW = ("run_id", "model_id", "run_link", "description")
_ALWAYS = ("description", "run_id", "run_link")  # MLflow's servers know no None here, and scripts rely on text
_MAYBE = ("user_id", "status_message", "model_id")


def dump_new_model_version(version: NewModelVersion) -> dict[str, Any]:
    """The request that creates a version, as MLflow's servers take it: they know the user and the time themselves."""
    data: dict[str, Any] = {"name": version.name, "source": version.source}
    data |= {name: text for name in _NEW if (text := getattr(version, name)) is not None}
    if version.tags:
        data["tags"] = dump_labels(version.tags)
    return data


def load_new_model_version(data: object) -> NewModelVersion:
    """The version that a client wants created.

    Raises:
        InvalidInput: The name or the source is missing, or a field is not of its kind.
    """
    fields = load_object(data, "new model version")
    return NewModelVersion(
        name=load_text(fields, "name"),
        source=load_text(fields, "source"),
        run_id=load_text(fields, "run_id") or None,
        model_id=load_text(fields, "model_id") or None,
        run_link=load_text(fields, "run_link") or None,
        description=None if fields.get("description") is None else load_text(fields, "description"),
        tags=load_registry_tags(fields.get("tags")),
    )


def dump_model_version(version: ModelVersion) -> dict[str, Any]:
    """A version as MLflow gives it, its number as text; what is not known of it is left out."""
    data: dict[str, Any] = {
        "name": version.name,
        "version": str(version.version),
        "creation_timestamp": version.creation_timestamp,
        "last_updated_timestamp": version.last_updated_timestamp,
        "current_stage": version.current_stage,
        "source": version.source,
        "status": version.status.value,
    }
    data |= {name: getattr(version, name) or "" for name in _ALWAYS}
    data |= {name: text for name in _MAYBE if (text := getattr(version, name)) is not None}
    if version.tags:
        data["tags"] = dump_labels(version.tags)
    if version.aliases:
        data["aliases"] = list(version.aliases)
    return data


@answer("model version")
def load_model_version(data: Any) -> ModelVersion:
    """A version as a server answered with it; of texts that are empty nothing is known.

    Raises:
        StoreError: That is none.
    """
    return ModelVersion.stored(
        name=data.get("name", ""),
        version=load_int(data["version"], "version"),
        creation_timestamp=load_int(data.get("creation_timestamp", 0), "creation_timestamp"),
        last_updated_timestamp=load_int(data.get("last_updated_timestamp", 0), "last_updated_timestamp"),
        current_stage=data.get("current_stage") or "None",
        source=data.get("source", ""),
        status=load_version_status(data.get("status")),
        tags=load_labels(data.get("tags")),
        aliases=list(data.get("aliases") or ()),
        **{name: data.get(name) or None for name in (*_ALWAYS, *_MAYBE)},
    )
