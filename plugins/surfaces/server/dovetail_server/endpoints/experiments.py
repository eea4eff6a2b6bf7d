"""Experiments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dovetail.errors import InvalidInput, NotFound
from dovetail.tracking.store import MAX_PAGE
from dovetail.values import LifecycleStage, ViewType
from dovetail.values.names import check_experiment_id, check_experiment_name
from dovetail.values.page import check_limit
from dovetail.wire.experiments import dump_experiment
from dovetail.wire.labels import load_tag, load_tags
from dovetail.wire.states import load_view_type
from dovetail_server.placing import place_of
from dovetail_server.routing.answer import listed
from dovetail_server.routing.fields import integer, objects, state, text, texts
from dovetail_server.routing.route import Routes, Way

if TYPE_CHECKING:
    from dovetail.values import Experiment
    from dovetail_server.routing.asked import Asked

__all__ = ["ROUTES"]

ROUTES = Routes("/api/2.0/mlflow/", "/ajax-api/2.0/mlflow/")

_ID = text("experiment_id", required=True)
_KEY = text("key", required=True)
_SEARCH = (
    integer("max_results", default=1000),
    text("page_token"),
    text("filter"),
    texts("order_by"),
    state("view_type", load_view_type, default=ViewType.ACTIVE_ONLY),
)


@ROUTES.add(
    "POST",
    "experiments/create",
    "create",
    "experiment",
    text("name", required=True),
    text("artifact_location"),
    objects("tags"),
)
def create(asked: Asked) -> dict[str, Any]:
    """Create an experiment."""
    name, tags = check_experiment_name(asked["name"]), load_tags(asked["tags"])
    location = asked["artifact_location"]
    place = place_of(asked.site, location) if location else None
    return {"experiment_id": asked.site.tracking.create_experiment(name, place, tags)}


@ROUTES.add("GET", "experiments/get", "read", "experiment", _ID, way=Way.BRIEF)
def get(asked: Asked) -> dict[str, Any]:
    """An experiment by its id, deleted ones too."""
    return {"experiment": _shown(asked, asked.site.tracking.get_experiment(_id(asked)))}


@ROUTES.add(
    "GET", "experiments/get-by-name", "read", "experiment", text("experiment_name", required=True), way=Way.BRIEF
)
def get_by_name(asked: Asked) -> dict[str, Any]:
    """An experiment by its name, deleted ones too."""
    found = asked.site.tracking.get_experiment_by_name(asked["experiment_name"])
    if found is None:
        raise NotFound(f"There is no experiment named {asked['experiment_name']!r}.")
    return {"experiment": _shown(asked, found)}


@ROUTES.add("GET", "experiments/search", "read", "experiment", *_SEARCH)
@ROUTES.add("POST", "experiments/search", "read", "experiment", *_SEARCH)
def search(asked: Asked) -> dict[str, Any]:
    """A page of experiments."""
    page = asked.site.tracking.search_experiments(
        asked["filter"] or None,
        asked["order_by"],
        asked["view_type"],
        check_limit(asked["max_results"], MAX_PAGE),
        asked["page_token"] or None,
    )
    return listed("experiments", [_shown(asked, each) for each in page], page.token)


@ROUTES.add("POST", "experiments/update", "update", "experiment", _ID, text("new_name", required=True))
def update(asked: Asked) -> dict[str, Any]:
    """Rename an experiment."""
    asked.site.tracking.rename_experiment(_id(asked), check_experiment_name(asked["new_name"]))
    return {}


@ROUTES.add("POST", "experiments/delete", "delete", "experiment", _ID)
def delete(asked: Asked) -> dict[str, Any]:
    """Put an experiment and its runs in the bin."""
    asked.site.tracking.delete_experiment(_id(asked))
    return {}


@ROUTES.add("POST", "experiments/restore", "delete", "experiment", _ID)
def restore(asked: Asked) -> dict[str, Any]:
    """Take an experiment, and the runs that went with it, out of the bin."""
    asked.site.tracking.restore_experiment(_id(asked))
    return {}


@ROUTES.add("POST", "experiments/set-experiment-tag", "update", "experiment", _ID, _KEY, text("value", default=""))
def set_tag(asked: Asked) -> dict[str, Any]:
    """Set a tag of an experiment."""
    asked.site.tracking.set_experiment_tags(_id(asked), (load_tag(asked.fields),))
    return {}


@ROUTES.add("POST", "experiments/delete-experiment-tag", "update", "experiment", _ID, _KEY)
def delete_tag(asked: Asked) -> dict[str, Any]:
    """Remove a tag of an experiment."""
    store, experiment_id = asked.site.tracking, _id(asked)
    if store.get_experiment(experiment_id).lifecycle_stage == LifecycleStage.DELETED:
        raise InvalidInput(f"Experiment {experiment_id} is deleted.", hint="Restore it first.")
    store.delete_experiment_tag(experiment_id, asked["key"])
    return {}


def _id(asked: Asked) -> str:
    return check_experiment_id(asked["experiment_id"])


def _shown(asked: Asked, experiment: Experiment) -> dict[str, Any]:
    data = dump_experiment(experiment)
    data["artifact_location"] = asked.site.shown(experiment.artifact_location)
    return data
