"""``dovetail runs``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from dovetail import uris
from dovetail.cli import output
from dovetail.cli.group import GroupApp
from dovetail.values import ViewType

if TYPE_CHECKING:
    from dovetail.values import Run

__all__ = ["app"]

app = GroupApp("List, show, delete and restore runs.")

VIEWS = {"active_only": ViewType.ACTIVE_ONLY, "deleted_only": ViewType.DELETED_ONLY, "all": ViewType.ALL}
# More columns than this do not fit beside one another; `runs show` has them all.
SHOWN_METRICS = 4


@app.command("list")
def list_runs(
    experiment_id: Annotated[
        str | None, typer.Option("-x", "--experiment-id", help="Only this experiment; by default all.")
    ] = None,
    filter_string: Annotated[str, typer.Option("-f", "--filter", help='Such as "metrics.acc > 0.9".')] = "",
    order_by: Annotated[list[str] | None, typer.Option("-o", "--order-by", help='Such as "metrics.acc DESC".')] = None,
    max_results: Annotated[int, typer.Option("-n", "--max-results", min=1, max=50_000, help="At most this many.")] = 20,
    view: Annotated[str, typer.Option("-v", "--view", help="active_only, deleted_only or all.")] = "active_only",
    json: Annotated[bool, output.JSON] = False,
) -> None:
    """List runs, newest first."""
    from dovetail.tracking.search import search_runs

    runs = search_runs(
        [experiment_id] if experiment_id else None,
        filter_string,
        view_type(view),
        max_results,
        order_by,
        output_format="list",
        search_all_experiments=experiment_id is None,
    )
    if json:
        output.json_out([run.to_dictionary() for run in runs])
        return
    _list(runs)


def view_type(view: str) -> ViewType:
    """The view of that name."""
    if view.lower() not in VIEWS:
        raise typer.BadParameter(f"--view {view!r} is none of {', '.join(VIEWS)}.")
    return VIEWS[view.lower()]


def _list(runs: list[Run]) -> None:
    keys = list(dict.fromkeys(key for run in runs for key in sorted(run.data.metrics)))[:SHOWN_METRICS]
    output.table(
        ["Run", "Name", "Status", "Started", "Took", *(f">{key}" for key in keys), "Experiment"],
        [_row(run, keys) for run in runs],
        empty="No runs. Start one with `dovetail run FOLDER`, or log from a script.",
    )


def _row(run: Run, keys: list[str]) -> list[str]:
    info = run.info
    metrics = [output.number(run.data.metrics[key]) if key in run.data.metrics else "-" for key in keys]
    took = output.duration(info.start_time, info.end_time)
    return [info.run_id, info.run_name, info.status, output.ago(info.start_time), took, *metrics, info.experiment_id]


@app.command()
def show(
    run_id: Annotated[str, typer.Argument(metavar="RUN_ID", help="The run's id, or the beginning of it.")],
    json: Annotated[bool, output.JSON] = False,
) -> None:
    """Show one run: what it is and what it logged."""
    from dovetail.cli.run_ids import find_run

    run = find_run(run_id)
    if json:
        output.json_out(run.to_dictionary())
        return
    _facts(run)
    metrics = [(key, output.number(value)) for key, value in sorted(run.data.metrics.items())]
    tags = [(key, value) for key, value in sorted(run.data.tags.items()) if not key.startswith("mlflow.")]
    for title, rows in (("Params", sorted(run.data.params.items())), ("Metrics", metrics), ("Tags", tags)):
        if rows:
            typer.echo(output.styled(f"\n{title}", bold=True))
            _pairs(rows)
    typer.echo()
    output.next_steps((f"artifacts list -r {run.info.run_id}", "its files"))


@app.command()
def describe(run_id: Annotated[str, typer.Option("--run-id", help="The run.")]) -> None:
    """Print everything about a run as JSON; the same as `show --json`."""
    show(run_id, json=True)


def _facts(run: Run) -> None:
    info = run.info
    output.fact("run", f"{info.run_id} ({info.run_name})")
    output.fact("status", info.status)
    output.fact("experiment", info.experiment_id)
    output.fact("started", f"{output.ago(info.start_time)} by {info.user_id or 'unknown'}")
    output.fact("took", output.duration(info.start_time, info.end_time))
    if info.lifecycle_stage != "active":
        output.fact("stage", info.lifecycle_stage)
    for name, key in (
        ("source", "mlflow.source.name"),
        ("commit", "mlflow.source.git.commit"),
        ("note", "mlflow.note.content"),
    ):
        if value := run.data.tags.get(key):
            output.fact(name, uris.masked(value))
    output.fact("artifacts", uris.masked(info.artifact_uri))


def _pairs(rows: list[tuple[str, str]]) -> None:
    width = max(len(key) for key, _ in rows)
    for key, value in rows:
        typer.echo(f"  {key:<{width}}  {output.one_line(value)}")


@app.command()
def delete(run_id: Annotated[str, typer.Option("--run-id", help="The run.")]) -> None:
    """Put a run in the bin."""
    from dovetail.tracking.client import Client

    Client().delete_run(run_id)
    typer.echo(f"Run {run_id} is in the bin; `dovetail runs restore --run-id {run_id}` brings it back.")


@app.command()
def restore(run_id: Annotated[str, typer.Option("--run-id", help="The run.")]) -> None:
    """Take a run out of the bin."""
    from dovetail.tracking.client import Client

    Client().restore_run(run_id)
    typer.echo(f"Run {run_id} is back.")
