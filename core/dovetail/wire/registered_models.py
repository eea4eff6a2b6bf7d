"""Registered models in MLflow's JSON."""

from __future__ import annotations

from typing import Any

from dovetail.values.registry import RegisteredModel
from dovetail.wire.answers import answer
from dovetail.wire.labels import dump_labels, load_labels
from dovetail.wire.model_versions import dump_model_version, load_model_version
from dovetail.wire.numbers import load_int

__all__ = ["dump_registered_model", "load_registered_model"]


def dump_registered_model(model: RegisteredModel) -> dict[str, Any]:
    """A registered model as MLflow gives it; what there is none of is left out."""
    data: dict[str, Any] = {
        "name": model.name,
        "creation_timestamp": model.creation_timestamp,
        "last_updated_timestamp": model.last_updated_timestamp,
    }
    if model.description is not None:
        data["description"] = model.description
    if model.latest_versions:
        data["latest_versions"] = [dump_model_version(version) for version in model.latest_versions]
    if model.tags:
        data["tags"] = dump_labels(model.tags)
    if model.aliases:
        data["aliases"] = [{"alias": alias, "version": str(number)} for alias, number in model.aliases.items()]
    return data


@answer("registered model")
def load_registered_model(data: Any) -> RegisteredModel:
    """A registered model as a server answered with it.

    Raises:
        StoreError: That is none.
    """
    return RegisteredModel.stored(
        name=data.get("name", ""),
        creation_timestamp=load_int(data.get("creation_timestamp", 0), "creation_timestamp"),
        last_updated_timestamp=load_int(data.get("last_updated_timestamp", 0), "last_updated_timestamp"),
        description=data.get("description"),
        latest_versions=[load_model_version(version) for version in data.get("latest_versions") or ()],
        tags=load_labels(data.get("tags")),
        aliases={each["alias"]: load_int(each["version"], "version") for each in data.get("aliases") or ()},
    )
