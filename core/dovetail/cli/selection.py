"""Options that several commands share: which experiment, deleted ones or not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from dovetail.cli import completion
from dovetail.errors import NotFound

if TYPE_CHECKING:
    from dovetail.values import Experiment, ViewType

__all__ = [
    "DESTINATION",
    "EXPERIMENTS",
    "EXPERIMENT_ID",
    "EXPERIMENT_NAME",
    "NEW_EXPERIMENT_NAME",
    "PARENT",
    "VIEW",
    "VIEWS",
    "experiment_of",
    "experiments_of",
    "place_of",
    "view_type",
]

EXPERIMENT_ID = typer.Option(
    "-x", "--experiment-id", help="The experiment by its id.", autocompletion=completion.experiment_ids
)
EXPERIMENT_NAME = typer.Option(
    "-n", "--experiment-name", help="The experiment by its name.", autocompletion=completion.experiment_names
)
NEW_EXPERIMENT_NAME = typer.Option(
    "-n",
    "--experiment-name",
    help="The experiment by its name; created if absent.",
    autocompletion=completion.experiment_names,
)
DESTINATION = typer.Argument(metavar="DST", help="URI of the store to write; by default the one in force.")
EXPERIMENTS = typer.Option("-e", "--experiment", help="Only this one, by id or name; may be repeated.")
PARENT = typer.Option(
    help="The run it is a child of, by its id or the beginning of it.", autocompletion=completion.run_ids
)
VIEWS = ("active_only", "deleted_only", "all")
VIEW = typer.Option("-v", "--view", help="active_only, deleted_only or all.", autocompletion=lambda: VIEWS)


def experiment_of(experiment_id: str | None, experiment_name: str | None) -> Experiment:
    """The experiment of that id or name, deleted ones included.

    Raises:
        BadParameter: Both are given, or none.
        NotFound: There is no such experiment.
    """
    from dovetail.tracking.client import Client

    if (experiment_id is None) == (experiment_name is None):
        raise typer.BadParameter("Give the experiment either as -x ID or as -n NAME.")
    if experiment_name is None:
        return Client().get_experiment(str(experiment_id))
    found = Client().get_experiment_by_name(experiment_name)
    if found is None:
        raise NotFound(
            f"There is no experiment named {experiment_name!r}.", hint="See `dovetail experiments search -v all`."
        )
    return found


def experiments_of(experiment_id: str | None, experiment_name: str | None) -> list[Experiment]:
    """The experiment of that id or name; without either, all of them, deleted ones included."""
    from dovetail.tracking.experiments import search_experiments

    if experiment_id is None and experiment_name is None:
        return search_experiments(view_type("all"))
    return [experiment_of(experiment_id, experiment_name)]


def view_type(view: str) -> ViewType:
    """The view of that name."""
    from dovetail.values import ViewType

    if view.lower() not in VIEWS:
        raise typer.BadParameter(f"--view {view!r} is none of {', '.join(VIEWS)}.")
    return ViewType[view.upper()]


def place_of(experiment_id: str | None, experiment_name: str | None) -> str:
    """The id of the experiment that something new goes into: given, or else the one in force; a new name makes one.

    Raises:
        BadParameter: Both are given.
        NotFound: There is no experiment of that id.
    """
    from dovetail.tracking.experiments import active_experiment_id, named_experiment

    if experiment_id is not None and experiment_name is not None:
        raise typer.BadParameter("Give the experiment either as -x ID or as -n NAME.")
    if experiment_name is not None:
        return named_experiment(experiment_name).experiment_id
    return active_experiment_id() if experiment_id is None else experiment_id
