"""Fluent verbs for experiments, and which experiment new runs go into."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dovetail import settings
from dovetail.errors import AlreadyExists, InvalidInput, InvalidState, NotFound
from dovetail.tracking import places
from dovetail.tracking.casting import as_tags
from dovetail.tracking.client import Client
from dovetail.tracking.walking import walk
from dovetail.values import DEFAULT_EXPERIMENT_ID, LifecycleStage, ViewType
from dovetail.values.names import check_experiment_name

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

    from dovetail.values import Experiment

__all__ = [
    "active_experiment_id",
    "create_experiment",
    "delete_experiment",
    "delete_experiment_tag",
    "forget_experiment",
    "get_experiment",
    "get_experiment_by_name",
    "named_experiment",
    "restore_experiment",
    "search_experiments",
    "set_experiment",
    "set_experiment_tag",
    "set_experiment_tags",
]

_chosen: tuple[str, Experiment] | None = None  # with the tracking URI it was chosen at


def set_experiment(experiment_name: str | None = None, experiment_id: str | None = None) -> Experiment:
    """Choose the experiment that new runs of this process go into; it is created if its name is new.

    If the tracking URI is changed afterwards, runs go into the experiment of the same name there.

    Args:
        experiment_name: Its name.
        experiment_id: Its id, instead of the name.

    Returns:
        The experiment.

    Raises:
        NotFound: There is no experiment of that id.
        InvalidState: The experiment is deleted.
    """
    global _chosen  # noqa: PLW0603 - the one place that holds this process's choice
    if (experiment_name is None) == (experiment_id is None):
        raise InvalidInput("set_experiment takes either a name or an experiment_id.")
    found = named_experiment(experiment_name) if experiment_name is not None else get_experiment(str(experiment_id))
    if found.lifecycle_stage == LifecycleStage.DELETED:
        raise InvalidState(
            f"Experiment {found.name!r} ({found.experiment_id}) is deleted.",
            hint=f"Restore it with `dovetail experiments restore -x {found.experiment_id}`, or use another name.",
        )
    _chosen = places.get_tracking_uri(), found
    return found


def active_experiment_id() -> str:
    """The experiment new runs go into: chosen, set by a setting, or the default one."""
    if _chosen is not None:
        return _chosen_here(*_chosen)
    experiment_id, name = settings.get("experiment_id"), settings.get("experiment_name")
    # A name in the environment wins over an id in a file; where both are equally near, the id says it exactly.
    if experiment_id and settings.strength("experiment_id") >= settings.strength("experiment_name"):
        return str(experiment_id)
    return named_experiment(name).experiment_id if name else DEFAULT_EXPERIMENT_ID


def _chosen_here(uri: str, experiment: Experiment) -> str:
    """The id of the chosen experiment; in another store than it was chosen in, ids mean nothing and names do."""
    same = uri == places.get_tracking_uri()
    return experiment.experiment_id if same else named_experiment(experiment.name).experiment_id


def forget_experiment() -> None:
    """Forget the choice that ``set_experiment`` made."""
    global _chosen  # noqa: PLW0603 - see set_experiment
    _chosen = None


def named_experiment(name: str) -> Experiment:
    """The experiment of that name; it is created if there is none, and whoever is first makes it."""
    client = Client()
    found = client.get_experiment_by_name(check_experiment_name(name))
    if found is None:
        try:
            return client.get_experiment(client.create_experiment(name))
        except AlreadyExists:  # another process was first: theirs is ours
            found = client.get_experiment_by_name(name)
    if found is None:
        raise NotFound(f"Experiment {name!r} vanished while it was being opened.")
    return found


def create_experiment(
    name: str, artifact_location: str | os.PathLike[str] | None = None, tags: Mapping[str, Any] | None = None
) -> str:
    """Create an experiment; new runs do not go into it until ``set_experiment`` chooses it.

    Args:
        name: Unique in the store, deleted experiments included.
        artifact_location: URI or path that its runs' artifacts lie under; by default below the store's root.
        tags: Labels.

    Returns:
        Its id.

    Raises:
        AlreadyExists: The name is taken, also by a deleted experiment.
        InvalidInput: The name, the location or a tag breaks the rules.
    """
    return Client().create_experiment(name, artifact_location, tags)


def get_experiment(experiment_id: str) -> Experiment:
    """The experiment of that id, also one that is deleted.

    Args:
        experiment_id: Its id.

    Raises:
        NotFound: There is none.
    """
    return Client().get_experiment(experiment_id)


def get_experiment_by_name(name: str) -> Experiment | None:
    """The experiment of that name, also one that is deleted; None if there is none.

    Args:
        name: Its name, to the letter.
    """
    return Client().get_experiment_by_name(name)


def search_experiments(
    view_type: int = ViewType.ACTIVE_ONLY,
    max_results: int | None = None,
    filter_string: str | None = None,
    order_by: Sequence[str] | None = None,
) -> list[Experiment]:
    """Experiments that fit.

    Args:
        view_type: Active ones by default; see ``ViewType``.
        max_results: At most this many; by default all.
        filter_string: Such as ``name LIKE 'wine%' AND tags.team = 'a'``.
        order_by: Such as ``["name ASC"]``; newest first by default.

    Raises:
        InvalidFilter: The filter or the order cannot be read.
        InvalidInput: Another argument is wrong.
    """
    client = Client()
    return walk(
        lambda size, token: client.search_experiments(view_type, size, filter_string, order_by, token), max_results
    )


def delete_experiment(experiment_id: str) -> None:
    """Put an experiment and its runs in the bin.

    Args:
        experiment_id: Its id.

    Raises:
        NotFound: There is none, or it is in the bin already.
    """
    Client().delete_experiment(experiment_id)


def restore_experiment(experiment_id: str) -> None:
    """Take an experiment, and the runs that went with it, out of the bin.

    Args:
        experiment_id: Its id.

    Raises:
        NotFound: There is none in the bin.
    """
    Client().restore_experiment(experiment_id)


def set_experiment_tag(key: str, value: Any) -> None:
    """Set a tag on the experiment that new runs go into.

    Args:
        key: Its name.
        value: Kept as text.

    Raises:
        InvalidInput: The key or the value breaks the rules, or the experiment is deleted.
    """
    Client().set_experiment_tag(active_experiment_id(), key, value)


def set_experiment_tags(tags: Mapping[str, Any]) -> None:
    """Set several tags on the experiment that new runs go into: all of them or, on an error, none.

    Args:
        tags: Values by key; they are kept as text. Tags that are not named stay as they are.

    Raises:
        InvalidInput: A key or a value breaks the rules, or the experiment is deleted.
    """
    places.tracking_store().set_experiment_tags(active_experiment_id(), as_tags(tags))


def delete_experiment_tag(key: str) -> None:
    """Remove a tag of the experiment that new runs go into.

    Args:
        key: Its name.

    Raises:
        NotFound: The experiment has no such tag.
    """
    Client().delete_experiment_tag(active_experiment_id(), key)
