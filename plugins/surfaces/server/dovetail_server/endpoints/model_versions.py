"""Versions of registered models: what they are made of, their tags and stages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dovetail.errors import InvalidInput
from dovetail.registry.registering import COPIED_FROM
from dovetail.registry.store import MAX_VERSIONS
from dovetail.values import NewModelVersion, RegistryTag
from dovetail.wire.labels import load_registry_tags
from dovetail.wire.model_versions import dump_model_version
from dovetail_server.registry_fields import (
    DESCRIPTION,
    KEY,
    MODEL_ID,
    NAME,
    RUN_ID,
    STAGE,
    TAGS,
    VALUE,
    VERSION,
    searching,
)
from dovetail_server.routing.fields import flag, text
from dovetail_server.routing.route import Routes
from dovetail_server.sources import Sources

if TYPE_CHECKING:
    from dovetail.values import ModelVersion
    from dovetail_server.routing.asked import Asked

__all__ = ["ROUTES", "told_version"]

ROUTES = Routes("/api/2.0/mlflow/model-versions/", "/ajax-api/2.0/mlflow/model-versions/")

SOURCE = text("source", required=True)
RUN_LINK = text("run_link")
ARCHIVE = flag("archive_existing_versions", default=False)


@ROUTES.add("POST", "create", "create", "model_version", NAME, SOURCE, RUN_ID, MODEL_ID, RUN_LINK, DESCRIPTION, TAGS)
def create(asked: Asked) -> dict[str, Any]:
    """Register a version of a registered model."""
    sources = Sources(asked.site)
    original = sources.original(asked["source"], asked.require)
    origin = sources.of(original or asked["source"], asked["run_id"], asked["model_id"], asked.require)
    tags = load_registry_tags(asked["tags"])
    if original is not None:
        tags += (RegistryTag(COPIED_FROM, original),)
    new = NewModelVersion(
        asked["name"],
        **origin.__dict__,
        run_link=asked["run_link"] or None,
        description=asked["description"],
        user_id=asked.user or None,
        tags=tags,
    )
    return {"model_version": told_version(asked, asked.site.registry.create_model_version(new))}


@ROUTES.add("GET", "get", "read", "model_version", NAME, VERSION)
def get(asked: Asked) -> dict[str, Any]:
    """A version of a registered model."""
    return {
        "model_version": told_version(asked, asked.site.registry.get_model_version(asked["name"], asked["version"]))
    }


@ROUTES.add("PATCH", "update", "update", "model_version", NAME, VERSION, DESCRIPTION)
def update(asked: Asked) -> dict[str, Any]:
    """Give a version another description; none takes it away."""
    description = asked["description"] or ""
    version = asked.site.registry.update_model_version(asked["name"], asked["version"], description)
    return {"model_version": told_version(asked, version)}


@ROUTES.add("DELETE", "delete", "delete", "model_version", NAME, VERSION)
def delete(asked: Asked) -> dict[str, Any]:
    """Remove a version, and the aliases that point at it; its files stay."""
    asked.site.registry.delete_model_version(asked["name"], asked["version"], user_id=asked.user)
    return {}


@ROUTES.add("GET", "search", "read", "model_version", *searching(MAX_VERSIONS, MAX_VERSIONS))
def search(asked: Asked) -> dict[str, Any]:
    """A page of versions of all models."""
    page = asked.site.registry.search_model_versions(
        asked["filter"], asked["order_by"], asked["max_results"], asked["page_token"]
    )
    data: dict[str, Any] = {"model_versions": [told_version(asked, version) for version in page]} if page else {}
    return data if page.token is None else {**data, "next_page_token": page.token}


@ROUTES.add("GET", "get-download-uri", "read", "model_version", NAME, VERSION)
def get_download_uri(asked: Asked) -> dict[str, Any]:
    """Where the files of a version are."""
    version = asked.site.registry.get_model_version(asked["name"], asked["version"])
    return {"artifact_uri": asked.site.shown(Sources(asked.site).place(version))}


@ROUTES.add("POST", "transition-stage", "update", "model_version", NAME, VERSION, STAGE, ARCHIVE)
def transition_stage(asked: Asked) -> dict[str, Any]:
    """Put a version into a stage."""
    stage, archive = asked["stage"], asked["archive_existing_versions"]
    if archive and stage not in ("Staging", "Production"):
        raise InvalidInput(
            f"Other versions cannot be archived for stage {stage}.",
            hint="archive_existing_versions is for Staging and Production.",
        )
    version = asked.site.registry.transition_stage(
        asked["name"], asked["version"], stage, archive_existing=archive, user_id=asked.user
    )
    return {"model_version": told_version(asked, version)}


@ROUTES.add("POST", "set-tag", "update", "model_version", NAME, VERSION, KEY, VALUE)
def set_tag(asked: Asked) -> dict[str, Any]:
    """Set a tag of a version."""
    tag = RegistryTag(asked["key"], asked["value"])
    asked.site.registry.set_model_version_tags(asked["name"], asked["version"], (tag,))
    return {}


@ROUTES.add("DELETE", "delete-tag", "update", "model_version", NAME, VERSION, KEY)
def delete_tag(asked: Asked) -> dict[str, Any]:
    """Remove a tag of a version; one that is not there is none to remove."""
    asked.site.registry.delete_model_version_tag(asked["name"], asked["version"], asked["key"])
    return {}


def told_version(asked: Asked, version: ModelVersion) -> dict[str, Any]:
    """What clients are told of a version: places among the artifacts as they reach them."""
    return {**dump_model_version(version), "source": asked.site.shown(version.source)}
