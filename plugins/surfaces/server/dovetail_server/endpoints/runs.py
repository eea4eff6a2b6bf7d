"""Runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dovetail.errors import InvalidInput, InvalidState
from dovetail.tracking.run_names import generated_name
from dovetail.tracking.store import MAX_PAGE
from dovetail.values import NewRun, ViewType
from dovetail.values.measure import now_ms
from dovetail.values.names import MAX_TAG_VALUE, check_experiment_id, check_moment, check_text
from dovetail.values.page import check_limit
from dovetail.wire.labels import load_tags
from dovetail.wire.runs import dump_run, dump_run_info
from dovetail.wire.states import load_status, load_view_type
from dovetail_server.routing.answer import listed
from dovetail_server.routing.fields import integer, objects, state, text, texts
from dovetail_server.routing.route import Routes, Way

if TYPE_CHECKING:
    from dovetail.values import Run, Tag
    from dovetail_server.routing.asked import Asked
    from dovetail_server.site import Site

__all__ = ["ROUTES"]

ROUTES = Routes("/api/2.0/mlflow/", "/ajax-api/2.0/mlflow/")

_RUN = (text("run_id"), text("run_uuid"))
_ID = text("run_id", required=True)
_NAME = "mlflow.runName"


@ROUTES.add(
    "POST",
    "runs/create",
    "update",
    "experiment",
    text("experiment_id", required=True),
    text("user_id", default=""),
    text("run_name", default=""),
    integer("start_time"),
    objects("tags"),
)
def create(asked: Asked) -> dict[str, Any]:
    """Create a run."""
    tags = load_tags(asked["tags"])
    start_time = asked["start_time"]
    run = NewRun(
        asked["experiment_id"],
        run_name=_name(asked["run_name"], tags),
        user_id=asked["user_id"],
        start_time=now_ms() if start_time is None else start_time,
        tags=tuple({each.key: each for each in tags}.values()),
    )
    return {"run": _shown(asked.site, [asked.site.tracking.create_run(run)])[0]}


@ROUTES.add("GET", "runs/get", "read", "run", *_RUN, way=Way.BRIEF)
def get(asked: Asked) -> dict[str, Any]:
    """A run with the latest points of its metrics, its params and tags, and what it used and made."""
    return {"run": _shown(asked.site, [asked.site.tracking.get_run(asked.run_id)])[0]}


@ROUTES.add(
    "POST",
    "runs/update",
    "update",
    "run",
    *_RUN,
    state("status", load_status),
    integer("end_time"),
    text("run_name"),
)
def update(asked: Asked) -> dict[str, Any]:
    """Change a run's status, end time or name."""
    end_time, name = asked["end_time"], asked["run_name"] or None
    info = asked.site.tracking.update_run(
        asked.run_id,
        status=asked["status"],
        end_time=None if end_time is None else check_moment("end time", end_time),
        name=None if name is None else check_text("run name", name, MAX_TAG_VALUE),
    )
    return {"run_info": {**dump_run_info(info), "artifact_uri": asked.site.shown(info.artifact_uri)}}


@ROUTES.add("POST", "runs/delete", "delete", "run", _ID)
def delete(asked: Asked) -> dict[str, Any]:
    """Put a run in the bin."""
    asked.site.tracking.delete_run(asked.run_id)
    return {}


@ROUTES.add("POST", "runs/restore", "delete", "run", _ID)
def restore(asked: Asked) -> dict[str, Any]:
    """Take a run out of the bin."""
    try:
        asked.site.tracking.restore_run(asked.run_id)
    except InvalidState as error:  # what MLflow's clients would try again and again, by its status
        raise InvalidInput(error.message, hint=error.hint) from error
    return {}


@ROUTES.add("POST", "runs/delete-tag", "update", "run", _ID, text("key", required=True))
def delete_tag(asked: Asked) -> dict[str, Any]:
    """Remove a tag of a run."""
    asked.site.tracking.delete_tag(asked.run_id, asked["key"])
    return {}


@ROUTES.add(
    "POST",
    "runs/search",
    "read",
    "experiment",
    texts("experiment_ids"),
    text("filter"),
    state("run_view_type", load_view_type, default=ViewType.ACTIVE_ONLY),
    integer("max_results", default=1000),
    texts("order_by"),
    text("page_token"),
)
def search(asked: Asked) -> dict[str, Any]:
    """A page of runs."""
    page = asked.site.tracking.search_runs(
        [check_experiment_id(each) for each in asked["experiment_ids"]],
        asked["filter"] or None,
        asked["order_by"],
        asked["run_view_type"],
        check_limit(asked["max_results"], MAX_PAGE),
        asked["page_token"] or None,
    )
    return listed("runs", _shown(asked.site, page), page.token)


def _name(given: str, tags: tuple[Tag, ...]) -> str:
    """What a new run is called.

    Raises:
        InvalidInput: The name and the tag for it differ.
    """
    tagged = next((each.value for each in reversed(tags) if each.key == _NAME), "")
    if given and tagged and given != tagged:
        raise InvalidInput(f"The run is called {given!r}, and {tagged!r} by its tag {_NAME}.", hint="Give one of them.")
    return given or tagged or generated_name()


def _shown(site: Site, runs: list[Run]) -> list[dict[str, Any]]:
    """Runs in JSON; of their artifacts as clients reach them."""
    places: dict[str, str] = {}
    return [_with_place(site, dump_run(each), places) for each in runs]


def _with_place(site: Site, data: dict[str, Any], places: dict[str, str]) -> dict[str, Any]:
    info = data["info"]
    place, slash, rest = info["artifact_uri"].rpartition(f"/{info['run_id']}/")
    if not slash:
        info["artifact_uri"] = site.shown(info["artifact_uri"])
        return data
    if place not in places:  # the same for most runs of an experiment, and it takes longer than all else
        places[place] = site.shown(place)
    info["artifact_uri"] = f"{places[place]}/{info['run_id']}/{rest}"
    return data
