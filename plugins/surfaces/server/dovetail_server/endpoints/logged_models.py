"""Logged models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dovetail.errors import NotFound
from dovetail.tracking.run_names import generated_name
from dovetail.tracking.store import MAX_PAGE
from dovetail.values.names import check_experiment_id
from dovetail.values.page import check_limit
from dovetail.wire.datasets import load_model_output
from dovetail.wire.fields import load_each
from dovetail.wire.labels import load_params, load_tags
from dovetail.wire.logged_models import dump_logged_model, load_new_logged_model
from dovetail.wire.states import load_model_status
from dovetail_server.routing.answer import listed
from dovetail_server.routing.fields import flag, integer, objects, state, text, texts
from dovetail_server.routing.route import Routes

if TYPE_CHECKING:
    from dovetail.values import LoggedModel
    from dovetail_server.routing.asked import Asked

__all__ = ["ROUTES"]

ROUTES = Routes("/api/2.0/mlflow/", "/ajax-api/2.0/mlflow/")


@ROUTES.add(
    "POST",
    "logged-models",
    "update",
    "experiment",
    text("experiment_id", required=True),
    text("name"),
    text("model_type"),
    text("source_run_id"),
    objects("params"),
    objects("tags"),
)
def create(asked: Asked) -> dict[str, Any]:
    """Create a logged model, whose files are to come."""
    model = load_new_logged_model({**asked.fields, "name": asked["name"] or generated_name()})
    return _shown(asked, asked.site.tracking.create_logged_model(model))


@ROUTES.add(
    "POST",
    "logged-models/search",
    "read",
    "experiment",
    texts("experiment_ids", required=True),
    text("filter"),
    objects("datasets"),
    integer("max_results", default=50),
    objects("order_by"),
    text("page_token"),
)
def search(asked: Asked) -> dict[str, Any]:
    """A page of logged models."""
    page = asked.site.tracking.search_logged_models(
        [check_experiment_id(each) for each in asked["experiment_ids"]],
        asked["filter"] or None,
        asked["datasets"],
        asked["order_by"],
        check_limit(asked["max_results"], MAX_PAGE),
        asked["page_token"] or None,
    )
    return listed("models", [_shown(asked, each)["model"] for each in page], page.token)


@ROUTES.add("GET", "logged-models/{model_id}", "read", "logged_model", flag("allow_deleted", default=False))
def get(asked: Asked) -> dict[str, Any]:
    """A logged model with its params, tags and metrics."""
    model = asked.site.tracking.get_logged_model(asked["model_id"], allow_deleted=asked["allow_deleted"])
    return _shown(asked, model)


@ROUTES.add(
    "PATCH", "logged-models/{model_id}", "update", "logged_model", state("status", load_model_status, required=True)
)
def finalize(asked: Asked) -> dict[str, Any]:
    """Say how far a logged model is."""
    return _shown(asked, asked.site.tracking.update_logged_model(asked["model_id"], status=asked["status"]))


@ROUTES.add("DELETE", "logged-models/{model_id}", "delete", "logged_model")
def delete(asked: Asked) -> dict[str, Any]:
    """Put a logged model in the bin; doing it twice is no error."""
    store = asked.site.tracking
    try:
        store.delete_logged_model(asked["model_id"])
    except NotFound:
        store.get_logged_model(asked["model_id"], allow_deleted=True)
    return {}


@ROUTES.add("POST", "logged-models/{model_id}/params", "update", "logged_model", objects("params"))
def log_params(asked: Asked) -> dict[str, Any]:
    """Add params to a logged model."""
    asked.site.tracking.update_logged_model(asked["model_id"], params=load_params(asked["params"]))
    return {}


@ROUTES.add("PATCH", "logged-models/{model_id}/tags", "update", "logged_model", objects("tags"))
def set_tags(asked: Asked) -> dict[str, Any]:
    """Set tags of a logged model."""
    model = asked.site.tracking.update_logged_model(asked["model_id"], tags=load_tags(asked["tags"]))
    return _shown(asked, model)


@ROUTES.add("DELETE", "logged-models/{model_id}/tags/{tag_key*}", "update", "logged_model")
def delete_tag(asked: Asked) -> dict[str, Any]:
    """Remove a tag of a logged model."""
    asked.site.tracking.delete_logged_model_tag(asked["model_id"], asked["tag_key"])
    return {}


@ROUTES.add("POST", "runs/outputs", "update", "run", text("run_id", required=True), objects("models", required=True))
def log_outputs(asked: Asked) -> dict[str, Any]:
    """Note which logged models a run made."""
    models = load_each(asked["models"], "models", load_model_output)
    asked.site.tracking.log_outputs(asked.run_id, models)
    return {}


def _shown(asked: Asked, model: LoggedModel) -> dict[str, Any]:
    """A logged model in JSON; of its files as clients reach them."""
    data = dump_logged_model(model)
    data["info"]["artifact_uri"] = asked.site.shown(model.artifact_location)
    return {"model": data}
