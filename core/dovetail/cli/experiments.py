"""``dovetail experiments``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from dovetail import uris
from dovetail.cli import output
from dovetail.cli.group import GroupApp
from dovetail.cli.runs import view_type

if TYPE_CHECKING:
    from dovetail.values import Experiment

__all__ = ["app"]

app = GroupApp("List, create, rename, delete and restore experiments.")

ID = typer.Option("-x", "--experiment-id", help="The experiment.")


@app.command()
def search(
    view: Annotated[str, typer.Option("-v", "--view", help="active_only, deleted_only or all.")] = "active_only",
    max_results: Annotated[int | None, typer.Option(min=1, help="At most this many; by default all.")] = None,
    json: Annotated[bool, output.JSON] = False,
) -> None:
    """List experiments, newest first."""
    from dovetail.tracking.experiments import search_experiments

    found = search_experiments(view_type(view), max_results)
    if json:
        output.json_out([dict(each.__dict__) for each in found])
        return
    output.table(["Id", "Name", "Stage", "Artifacts"], [_row(each) for each in found], empty="No experiments.")


def _row(experiment: Experiment) -> list[str]:
    location = uris.masked(experiment.artifact_location)
    return [experiment.experiment_id, experiment.name, experiment.lifecycle_stage, location]


@app.command()
def create(
    name: Annotated[str, typer.Option("-n", "--experiment-name", help="Its name.")],
    artifact_location: Annotated[
        str | None, typer.Option("-l", "--artifact-location", help="Where its artifacts go.")
    ] = None,
) -> None:
    """Create an experiment."""
    from dovetail.tracking.experiments import create_experiment

    typer.echo(f"Created experiment {name!r} with id {create_experiment(name, artifact_location)}.")


@app.command()
def rename(
    experiment_id: Annotated[str, ID], new_name: Annotated[str, typer.Option("--new-name", help="Its new name.")]
) -> None:
    """Give an experiment another name."""
    from dovetail.tracking.client import Client

    Client().rename_experiment(experiment_id, new_name)
    typer.echo(f"Experiment {experiment_id} is now called {new_name!r}.")


@app.command()
def delete(experiment_id: Annotated[str, ID]) -> None:
    """Put an experiment and its runs in the bin."""
    from dovetail.tracking.experiments import delete_experiment

    delete_experiment(experiment_id)
    typer.echo(
        f"Experiment {experiment_id} is in the bin; `dovetail experiments restore -x {experiment_id}` brings it back."
    )


@app.command()
def restore(experiment_id: Annotated[str, ID]) -> None:
    """Take an experiment and its runs out of the bin."""
    from dovetail.tracking.experiments import restore_experiment

    restore_experiment(experiment_id)
    typer.echo(f"Experiment {experiment_id} is back.")
