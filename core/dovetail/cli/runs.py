"""``dovetail runs``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from dovetail.cli import completion, output, reaping, selection
from dovetail.cli.export import export_runs
from dovetail.cli.group import GroupApp
from dovetail.cli.run_ids import RUN, RUN_IDS, RUN_OPTION, find_run, named_run

if TYPE_CHECKING:
    from dovetail.values import Run

__all__ = ["app"]

app = GroupApp("List, show, compare, watch, create, delete, restore, move, reap and export runs.")

# More columns than this do not fit beside one another; `runs show` has them all.
SHOWN_METRICS = 4
SYSTEM = "system/"  # metrics of the machine, which would take the place of the training's own
SHOWN_ID = 8
CASCADE = typer.Option("--cascade", help="Its children and all below them, too.")
MOVED = typer.Argument(metavar="RUN_ID...", help=RUN_IDS.help, autocompletion=completion.run_ids)


@app.command("list")
def list_runs(
    experiment_id: Annotated[str | None, selection.EXPERIMENT_ID] = None,
    experiment_name: Annotated[str | None, selection.EXPERIMENT_NAME] = None,
    filter_string: Annotated[str, typer.Option("-f", "--filter", help='Such as "metrics.acc > 0.9".')] = "",
    order_by: Annotated[list[str] | None, typer.Option("-o", "--order-by", help='Such as "metrics.acc DESC".')] = None,
    max_results: Annotated[int, typer.Option("-m", "--max-results", min=1, max=50_000, help="At most this many.")] = 20,
    view: Annotated[str, selection.VIEW] = "active_only",
    json: Annotated[bool, output.JSON] = False,
) -> None:
    """List runs, newest first, of one experiment or of all."""
    from dovetail.tracking.search import search_runs

    view_type = selection.view_type(view)
    experiments = selection.experiments_of(experiment_id, experiment_name)
    reaping.look_after()
    ids = [each.experiment_id for each in experiments]
    runs = search_runs(ids, filter_string, view_type, max_results, order_by, output_format="list")
    if json:
        output.json_out([run.to_dictionary() for run in runs])
        return
    _list(runs, {each.experiment_id: each.name for each in experiments})


def _list(runs: list[Run], names: dict[str, str]) -> None:
    logged = dict.fromkeys(key for run in runs for key in sorted(run.data.metrics))
    keys = [key for key in logged if not key.startswith(SYSTEM)][:SHOWN_METRICS]
    output.table(
        ["Run", "Name", "Status", "Started", "Took", *(f">{key}" for key in keys), "Experiment"],
        [_row(run, keys, names[run.info.experiment_id]) for run in runs],
        empty="No runs. Start one with `dovetail run FOLDER`, or log from a script.",
    )


def _row(run: Run, keys: list[str], experiment: str) -> list[str]:
    info = run.info
    metrics = [output.number(run.data.metrics[key]) if key in run.data.metrics else "-" for key in keys]
    took = output.duration(info.start_time, info.end_time)
    # Every command takes the beginning of an id; in a terminal its length would push the metrics off the screen.
    shown = info.run_id[:SHOWN_ID] if sys.stdout.isatty() else info.run_id
    return [shown, info.run_name, info.status, output.ago(info.start_time), took, *metrics, experiment]


@app.command()
def show(run_id: Annotated[str, RUN], json: Annotated[bool, output.JSON] = False) -> None:
    """Show one run: what it is and what it logged."""
    reaping.look_after()
    run = find_run(run_id)
    if json:
        output.json_out(run.to_dictionary())
        return
    from dovetail.cli.run_view import show_run

    show_run(run)


@app.command()
def describe(run_id: Annotated[str | None, RUN] = None, option: Annotated[str | None, RUN_OPTION] = None) -> None:
    """Print everything about a run as JSON; the same as `show --json`."""
    output.json_out(named_run(run_id, option).to_dictionary())


@app.command()
def compare(
    run_ids: Annotated[list[str], RUN_IDS],
    metric: Annotated[
        list[str] | None, typer.Option("--metric", help="Of the metrics only this one; may be repeated.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Show also what is equal.")] = False,
    json: Annotated[bool, output.JSON] = False,
) -> None:
    """Show where runs differ in params, metrics and tags."""
    from dovetail.cli.comparison import Comparison
    from dovetail.cli.sparkline import Histories
    from dovetail.tracking.client import Client

    if len(run_ids) == 1:
        raise typer.BadParameter("Give two runs or more.")
    comparison = Comparison([find_run(each) for each in run_ids], metric or [], everything=everything)
    if json:
        output.json_out(comparison.to_dictionary())
    else:
        comparison.show(Histories(Client()))


@app.command()
def watch(
    run_id: Annotated[str | None, RUN] = None,
    interval: Annotated[float, typer.Option(min=0.1, max=3600, help="Seconds between two looks.")] = 2.0,
    json: Annotated[bool, typer.Option("--json", help="Print a line of JSON for each change.")] = False,
) -> None:
    """Follow a run, or all that are running, until they have ended.

    Exits 1 if the run that is named fails. Where output is no terminal, a line is printed for each change.
    """
    from dovetail.cli.watching import Watched, watch
    from dovetail.tracking.client import Client
    from dovetail.values import RunStatus

    named = None if run_id is None else find_run(run_id).info.run_id
    ended = watch(Watched(Client(), named), interval=interval, machine=json)
    if not ended and not json:
        typer.echo("No runs are running.")
    if named and ended[0].info.status != RunStatus.FINISHED:
        raise typer.Exit(1)


@app.command()
def create(
    experiment_id: Annotated[str | None, selection.EXPERIMENT_ID] = None,
    experiment_name: Annotated[str | None, selection.NEW_EXPERIMENT_NAME] = None,
    run_name: Annotated[str | None, typer.Option(help="Its name; by default a made-up one.")] = None,
    description: Annotated[str | None, typer.Option(help="What it is, at length.")] = None,
    tags: Annotated[
        list[str] | None, typer.Option("-t", "--tags", metavar="KEY=VALUE", help="A tag; may be repeated.")
    ] = None,
    status: Annotated[str, typer.Option(help="How it ended: finished, failed or killed.")] = "finished",
    parent_run_id: Annotated[str | None, selection.PARENT] = None,
    json: Annotated[bool, typer.Option("--json", help="Print everything about the run.")] = False,
) -> None:
    """Record a run that is over already; print its id as JSON."""
    from dovetail.cli.pairs import pairs
    from dovetail.cli.recording import record

    run = record(
        selection.place_of(experiment_id, experiment_name),
        name=run_name,
        description=description,
        tags=pairs(tags or []),
        status=status,
        parent=None if parent_run_id is None else find_run(parent_run_id).info.run_id,
    )
    info = run.info
    brief = {key: getattr(info, key) for key in ("run_id", "experiment_id", "status", "run_name")}
    output.json_out(run.to_dictionary() if json else brief)


@app.command()
def delete(
    run_id: Annotated[str | None, RUN] = None,
    option: Annotated[str | None, RUN_OPTION] = None,
    cascade: Annotated[bool, CASCADE] = False,
    json: Annotated[bool, output.JSON] = False,
) -> None:
    """Put a run in the bin."""
    from dovetail.tracking.client import Client
    from dovetail.tracking.families import delete_family

    found = named_run(run_id, option).info.run_id
    below: list[str] = []
    if cascade:
        below = delete_family(Client().store, found)
    else:
        Client().delete_run(found)
    restoring = f"`dovetail runs restore {found}{' --cascade' * bool(below)}`"
    are, them = ("are", "them") if below else ("is", "it")
    _say(found, f"Run {found}{_and(below)} {are} in the bin; {restoring} brings {them} back.", json=json)


@app.command()
def restore(
    run_id: Annotated[str | None, RUN] = None,
    option: Annotated[str | None, RUN_OPTION] = None,
    cascade: Annotated[bool, CASCADE] = False,
    json: Annotated[bool, output.JSON] = False,
) -> None:
    """Take a run out of the bin."""
    from dovetail.tracking.client import Client
    from dovetail.tracking.families import restore_family

    found = named_run(run_id, option).info.run_id
    below: list[str] = []
    if cascade:
        below = restore_family(Client().store, found)
    else:
        Client().restore_run(found)
    _say(found, f"Run {found}{_and(below)} {'are' if below else 'is'} back.", json=json)


def _and(below: list[str]) -> str:
    return f" and {len(below)} below it" if below else ""


@app.command()
def move(
    run_ids: Annotated[list[str], MOVED],
    to: Annotated[str, typer.Option(metavar="EXPERIMENT", help="Where they go: an experiment's id or name.")],
    children: Annotated[bool, typer.Option("--children", help="The runs below them go, too.")] = False,
    json: Annotated[bool, output.JSON] = False,
) -> None:
    """Put runs into another experiment, with all they logged; their artifacts stay where they are."""
    from dovetail.tracking.client import Client
    from dovetail.tracking.moving import experiment_meant, move_runs

    experiment = experiment_meant(Client().store, to)
    moved = move_runs([find_run(each).info.run_id for each in run_ids], experiment.experiment_id, children=children)
    if json:
        output.json_out({"experiment_id": experiment.experiment_id, "run_ids": moved})
        return
    place = f"experiment {experiment.experiment_id} ({output.one_line(experiment.name)})"
    typer.echo(f"{len(moved)} {'run is' if len(moved) == 1 else 'runs are'} in {place} now.")


@app.command()
def reap(json: Annotated[bool, output.JSON] = False) -> None:
    """End as CRASHED the runs whose process is gone.

    `runs list` and other processes that track there do so, too. Runs that never gave signs of life are left alone.
    """
    from dovetail.tracking.places import tracking_store

    ended = list(tracking_store().reap_runs())
    if json:
        output.json_out({"run_ids": ended})
        return
    for run_id in ended:
        typer.echo(f"Run {run_id} has CRASHED: nobody sees to it any more.")
    if not ended:
        running = _some_run_is_running()
        typer.echo("No run that is running was left behind." if running else "No run is running.")


def _some_run_is_running() -> bool:
    from dovetail.tracking.search import search_runs

    condition = "attributes.status = 'RUNNING'"
    return bool(search_runs(None, condition, max_results=1, output_format="list", search_all_experiments=True))


app.command("export")(export_runs)


def _say(run_id: str, message: str, *, json: bool) -> None:
    from dovetail.tracking.client import Client

    if json:
        output.json_out(Client().get_run(run_id).info.__dict__)
    else:
        typer.echo(message)
