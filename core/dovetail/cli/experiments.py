"""``dovetail experiments``."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - typer reads it
from typing import TYPE_CHECKING, Annotated

import typer

from dovetail.cli import output, selection
from dovetail.cli.group import GroupApp
from dovetail.errors import InvalidInput

if TYPE_CHECKING:
    from dovetail.values import Experiment

__all__ = ["app"]

app = GroupApp("List, create, rename, delete, restore and export experiments.")


@app.command()
def search(
    view: Annotated[str, selection.VIEW] = "active_only",
    max_results: Annotated[int | None, typer.Option(min=1, help="At most this many; by default all.")] = None,
    json: Annotated[bool, output.JSON] = False,
) -> None:
    """List experiments, newest first."""
    from dovetail.tracking.experiments import search_experiments

    found = search_experiments(selection.view_type(view), max_results)
    if json:
        output.json_out([each.__dict__ for each in found])
        return
    output.table(["Id", "Name", "Stage", "Artifacts"], [_row(each) for each in found], empty="No experiments.")


app.command("list", help="The same as search.")(search)


def _row(experiment: Experiment) -> list[str]:
    from dovetail import uris

    location = uris.masked(experiment.artifact_location)
    return [experiment.experiment_id, experiment.name, experiment.lifecycle_stage, location]


@app.command()
def get(
    experiment_id: Annotated[str | None, selection.EXPERIMENT_ID] = None,
    experiment_name: Annotated[str | None, selection.EXPERIMENT_NAME] = None,
    form: Annotated[str, typer.Option("--output", help="table or json.")] = "table",
    json: Annotated[bool, output.JSON] = False,
) -> None:
    """Show one experiment."""
    if form not in {"table", "json"}:
        raise InvalidInput(f"--output {form!r} is no form of output.", hint="Use table or json.")
    experiment = selection.experiment_of(experiment_id, experiment_name)
    if json or form == "json":
        output.json_out(experiment.__dict__)
    else:
        _show(experiment)


def _show(experiment: Experiment) -> None:
    from dovetail import uris

    output.fact("experiment", f"{experiment.experiment_id} ({experiment.name})")
    output.fact("artifacts", uris.masked(experiment.artifact_location))
    output.fact("stage", experiment.lifecycle_stage)
    output.fact("created", output.ago(experiment.creation_time))
    output.fact("updated", output.ago(experiment.last_update_time))
    for key, value in sorted(experiment.tags.items()):
        output.fact("tag", f"{key}: {uris.masked(value)}")


@app.command()
def create(
    name: Annotated[str, typer.Option("-n", "--experiment-name", help="Its name.")],
    artifact_location: Annotated[
        str | None, typer.Option("-l", "--artifact-location", help="Where its artifacts go.")
    ] = None,
    json: Annotated[bool, output.JSON] = False,
) -> None:
    """Create an experiment."""
    from dovetail.tracking.experiments import create_experiment

    made = create_experiment(name, artifact_location)
    _say(made, f"Created experiment {name!r} with id {made}.", json=json)


@app.command()
def rename(
    new_name: Annotated[str, typer.Option("--new-name", help="Its new name.")],
    experiment_id: Annotated[str | None, selection.EXPERIMENT_ID] = None,
    experiment_name: Annotated[str | None, selection.EXPERIMENT_NAME] = None,
    json: Annotated[bool, output.JSON] = False,
) -> None:
    """Give an experiment another name."""
    from dovetail.tracking.client import Client

    found = selection.experiment_of(experiment_id, experiment_name).experiment_id
    Client().rename_experiment(found, new_name)
    _say(found, f"Experiment {found} is now called {new_name!r}.", json=json)


@app.command()
def delete(
    experiment_id: Annotated[str | None, selection.EXPERIMENT_ID] = None,
    experiment_name: Annotated[str | None, selection.EXPERIMENT_NAME] = None,
    json: Annotated[bool, output.JSON] = False,
) -> None:
    """Put an experiment and its runs in the bin."""
    from dovetail.tracking.experiments import delete_experiment

    found = selection.experiment_of(experiment_id, experiment_name).experiment_id
    delete_experiment(found)
    restoring = f"`dovetail experiments restore -x {found}` brings it back"
    _say(found, f"Experiment {found} is in the bin; {restoring}.", json=json)


@app.command()
def restore(
    experiment_id: Annotated[str | None, selection.EXPERIMENT_ID] = None,
    experiment_name: Annotated[str | None, selection.EXPERIMENT_NAME] = None,
    json: Annotated[bool, output.JSON] = False,
) -> None:
    """Take an experiment and its runs out of the bin."""
    from dovetail.tracking.experiments import restore_experiment

    found = selection.experiment_of(experiment_id, experiment_name).experiment_id
    restore_experiment(found)
    _say(found, f"Experiment {found} is back.", json=json)


def _say(experiment_id: str, message: str, *, json: bool) -> None:
    from dovetail.tracking.experiments import get_experiment

    if json:
        output.json_out(get_experiment(experiment_id).__dict__)
    else:
        typer.echo(message)


@app.command()
def csv(
    experiment_id: Annotated[str | None, selection.EXPERIMENT_ID] = None,
    experiment_name: Annotated[str | None, selection.EXPERIMENT_NAME] = None,
    filename: Annotated[Path | None, typer.Option("-o", "--filename", help="A file; by default printed.")] = None,
) -> None:
    """Export an experiment's runs as CSV, newest first.

    Values stand there as they were logged: open those of people you do not trust as text, since a spreadsheet takes
    what begins with "=" for a formula.
    """
    from dovetail.cli.exporting.runs import Wanted, exported

    found = selection.experiment_of(experiment_id, experiment_name).experiment_id
    count = exported(Wanted([found], "", (), selection.view_type("active_only")), "csv", filename)
    if filename is not None:
        typer.echo(f"Wrote {count} {'run' if count == 1 else 'runs'} of experiment {found} to {filename}.")
