"""Registered models: their names, descriptions, tags and aliases, and the latest version of each stage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dovetail.registry.finding import aliased_version
from dovetail.registry.store import MAX_MODELS
from dovetail.values import RegistryTag
from dovetail.values.registry import STAGES as ALL_STAGES
from dovetail.wire.labels import load_registry_tags
from dovetail.wire.registered_models import dump_registered_model
from dovetail_server.endpoints.model_versions import told_version
from dovetail_server.registry_fields import (
    ALIAS,
    DESCRIPTION,
    KEY,
    NAME,
    NEW_NAME,
    STAGES,
    TAGS,
    VALUE,
    VERSION,
    searching,
)
from dovetail_server.routing.fields import text
from dovetail_server.routing.route import Routes

if TYPE_CHECKING:
    from dovetail.values import RegisteredModel
    from dovetail_server.routing.asked import Asked

__all__ = ["ROUTES"]

ROUTES = Routes("/api/2.0/mlflow/registered-models/", "/ajax-api/2.0/mlflow/registered-models/")

_PAGE = 100


@ROUTES.add("POST", "create", "create", "registered_model", NAME, DESCRIPTION, TAGS)
def create(asked: Asked) -> dict[str, Any]:
    """Create a registered model, without versions."""
    tags = load_registry_tags(asked["tags"])
    model = asked.site.registry.create_registered_model(asked["name"], asked["description"], tags)
    return {"registered_model": _told(asked, model)}


@ROUTES.add("GET", "get", "read", "registered_model", NAME)
def get(asked: Asked) -> dict[str, Any]:
    """A registered model, with the latest version of each stage."""
    return {"registered_model": _told(asked, asked.site.registry.get_registered_model(asked["name"]))}


@ROUTES.add("POST", "rename", "update", "registered_model", NAME, NEW_NAME)
def rename(asked: Asked) -> dict[str, Any]:
    """Give a registered model another name; versions, aliases and history go along."""
    model = asked.site.registry.update_registered_model(asked["name"], new_name=asked["new_name"])
    return {"registered_model": _told(asked, model)}


@ROUTES.add("PATCH", "update", "update", "registered_model", NAME, DESCRIPTION)
def update(asked: Asked) -> dict[str, Any]:
    """Give a registered model another description; none takes it away."""
    model = asked.site.registry.update_registered_model(asked["name"], description=asked["description"] or "")
    return {"registered_model": _told(asked, model)}


@ROUTES.add("DELETE", "delete", "delete", "registered_model", NAME)
def delete(asked: Asked) -> dict[str, Any]:
    """Remove a registered model with its versions, tags and aliases."""
    asked.site.registry.delete_registered_model(asked["name"])
    return {}


@ROUTES.add("GET", "search", "read", "registered_model", *searching(MAX_MODELS, _PAGE))
def search(asked: Asked) -> dict[str, Any]:
    """A page of registered models."""
    page = asked.site.registry.search_registered_models(
        asked["filter"], asked["order_by"], asked["max_results"], asked["page_token"]
    )
    data: dict[str, Any] = {"registered_models": [_told(asked, model) for model in page]} if page else {}
    return data if page.token is None else {**data, "next_page_token": page.token}


@ROUTES.add("GET", "get-latest-versions", "read", "registered_model", NAME, STAGES)
@ROUTES.add("POST", "get-latest-versions", "read", "registered_model", NAME, STAGES)
def get_latest_versions(asked: Asked) -> dict[str, Any]:
    """The version with the highest number in each stage, or in some."""
    wanted = asked["stages"] or ALL_STAGES
    latest = asked.site.registry.get_registered_model(asked["name"]).latest_versions
    found = [told_version(asked, version) for version in latest if version.current_stage in wanted]
    return {"model_versions": found} if found else {}


# --- tags ----------------------------------------------------------------------------------------------------


@ROUTES.add("POST", "set-tag", "update", "registered_model", NAME, KEY, VALUE)
def set_tag(asked: Asked) -> dict[str, Any]:
    """Set a tag of a registered model."""
    asked.site.registry.set_registered_model_tags(asked["name"], (RegistryTag(asked["key"], asked["value"]),))
    return {}


@ROUTES.add("DELETE", "delete-tag", "update", "registered_model", NAME, KEY)
def delete_tag(asked: Asked) -> dict[str, Any]:
    """Remove a tag of a registered model; one that is not there is none to remove."""
    asked.site.registry.delete_registered_model_tag(asked["name"], asked["key"])
    return {}


# --- aliases -------------------------------------------------------------------------------------------------


@ROUTES.add("POST", "alias", "update", "registered_model", NAME, ALIAS, VERSION)
def set_alias(asked: Asked) -> dict[str, Any]:
    """Point an alias at a version."""
    asked.site.registry.move_alias(asked["name"], asked["alias"], asked["version"], user_id=asked.user)
    return {}


@ROUTES.add("DELETE", "alias", "update", "registered_model", NAME, ALIAS)
def delete_alias(asked: Asked) -> dict[str, Any]:
    """Remove an alias; one that is not there is none to remove."""
    asked.site.registry.move_alias(asked["name"], asked["alias"], None, user_id=asked.user)
    return {}


@ROUTES.add("GET", "alias", "read", "registered_model", NAME, text("alias", required=True))
def get_version_by_alias(asked: Asked) -> dict[str, Any]:
    """The version that an alias points at; ``latest`` is the one with the highest number."""
    version = aliased_version(asked.site.registry, asked["name"], asked["alias"])
    return {"model_version": told_version(asked, version)}


def _told(asked: Asked, model: RegisteredModel) -> dict[str, Any]:
    data = dump_registered_model(model)
    if model.latest_versions:
        data["latest_versions"] = [told_version(asked, version) for version in model.latest_versions]
    return data
