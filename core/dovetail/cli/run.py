"""``dovetail run``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dovetail.cli import output
from dovetail.cli.group import GroupApp
from dovetail.errors import InvalidInput

if TYPE_CHECKING:
    from dovetail.projects.submitted import SubmittedRun
    from dovetail.tracking.client import Client

__all__ = ["app"]

app = GroupApp()


@app.command()
def run(
    uri: Annotated[
        str,
        typer.Argument(metavar="URI", help="The project: a folder, or what a plugin fetches; #folder for a subfolder."),
    ],
    entry_point: Annotated[
        str, typer.Option("-e", "--entry-point", help="Entry point, or a .py or .sh file.")
    ] = "main",
    version: Annotated[
        str | None, typer.Option("-v", "--version", help="Commit or branch of a fetched project.")
    ] = None,
    param: Annotated[
        list[str] | None, typer.Option("-P", "--param-list", metavar="NAME=VALUE", help="A parameter; may be repeated.")
    ] = None,
    experiment_name: Annotated[
        str | None, typer.Option(help="Experiment the run goes into; created if absent.")
    ] = None,
    experiment_id: Annotated[str | None, typer.Option(help="The same by id.")] = None,
    backend: Annotated[str, typer.Option("-b", "--backend", help="Where it is executed.")] = "local",
    backend_config: Annotated[
        str | None, typer.Option("-c", "--backend-config", help="The backend's options: JSON or a file.")
    ] = None,
    env_manager: Annotated[str | None, typer.Option(help="uv, local …; by default uv if installed.")] = None,
    storage_dir: Annotated[Path | None, typer.Option(help="Where remote path parameters are downloaded to.")] = None,
    run_id: Annotated[str | None, typer.Option(help="Use this run instead of creating one.")] = None,
    run_name: Annotated[str | None, typer.Option(help="The run's name.")] = None,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Keep the run's output to the log.")] = False,
) -> None:
    """Run a project in its own environment, tracked.

    The output is shown and kept with the run. Exits 1 if the run fails.
    """
    from dovetail.projects import launch
    from dovetail.projects.submitted import echo_to_stdout

    submitted = launch.run(
        uri,
        entry_point,
        version,
        _parameters(param or []),
        experiment_name,
        experiment_id,
        backend,
        backend_config,
        storage_dir,
        run_id=run_id,
        run_name=run_name,
        env_manager=env_manager,
        progress=output.progress,
        echo=None if quiet else echo_to_stdout,
        check=False,
    )
    _report(submitted, quiet=quiet)


def _parameters(given: list[str]) -> dict[str, str]:
    parameters: dict[str, str] = {}
    for each in given:
        name, equals, value = each.partition("=")
        if not equals or not name:
            raise InvalidInput(f"-P {each} is no parameter.", hint="Write -P NAME=VALUE.")
        if name in parameters:
            raise InvalidInput(f"Parameter {name!r} is given twice.", hint="Keep one of the two.")
        parameters[name] = value
    return parameters


def _report(submitted: SubmittedRun, *, quiet: bool) -> None:
    from dovetail.projects.submitted import LOG_ARTIFACT
    from dovetail.tracking.client import Client
    from dovetail.values import RunStatus

    client, run_id = Client(), submitted.run_id
    run = client.get_run(run_id)
    well = run.info.status == RunStatus.FINISHED
    if quiet and not well:
        _show_end(Path(client.download_artifacts(run_id, LOG_ARTIFACT)))
    typer.echo()
    output.fact("status", run.info.status)
    if not well and submitted.exit_code is not None:
        output.fact("exit code", str(submitted.exit_code))
    output.fact("run", f"{run_id} ({run.info.run_name})")
    output.fact("duration", output.duration(run.info.start_time, run.info.end_time))
    typer.echo()
    output.next_steps(
        *([] if well else [(f"artifacts download -r {run_id} -a {LOG_ARTIFACT}", "where its output lies")]),
        (f"runs show {run_id}", "params, metrics, tags"),
        (f"artifacts list -r {run_id}", "its files"),
        *_model_step(client, run_id),
    )
    if not well:
        raise typer.Exit(1)


def _show_end(log: Path) -> None:
    """The last lines of a run's output."""
    for line in log.read_bytes()[-8192:].decode("utf-8", errors="replace").splitlines()[-15:]:
        typer.echo(f"  {output.one_line(line)}")


def _model_step(client: Client, run_id: str) -> list[tuple[str, str]]:
    """How to use the run's model, if it logged one at its root."""
    for folder in [entry.path for entry in client.list_artifacts(run_id) if entry.is_dir]:
        if any(entry.path == f"{folder}/MLmodel" for entry in client.list_artifacts(run_id, folder)):
            return [(f"models predict -m runs:/{run_id}/{folder} -i rows.csv", "use its model")]
    return []
