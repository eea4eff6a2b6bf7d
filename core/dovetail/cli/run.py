"""``dovetail run``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dovetail.cli import completion, output
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
        str | None,
        typer.Option(
            help="Experiment the run goes into; created if absent.", autocompletion=completion.experiment_names
        ),
    ] = None,
    experiment_id: Annotated[
        str | None, typer.Option(help="The same by id.", autocompletion=completion.experiment_ids)
    ] = None,
    backend: Annotated[
        str, typer.Option("-b", "--backend", help="Where it is executed.", autocompletion=completion.backends)
    ] = "local",
    backend_config: Annotated[
        str | None, typer.Option("-c", "--backend-config", help="The backend's options: JSON or a file.")
    ] = None,
    env_manager: Annotated[
        str | None,
        typer.Option(
            help="uv, virtualenv, local …; by default uv if installed.", autocompletion=completion.env_managers
        ),
    ] = None,
    python: Annotated[
        str | None, typer.Option(metavar="VERSION", help="The Python to take instead of the project's, such as 3.11.")
    ] = None,
    install_python: Annotated[
        bool | None,
        typer.Option("--install-python", help="Install the Python that is asked for, if it is not on this machine."),
    ] = None,
    storage_dir: Annotated[Path | None, typer.Option(help="Where remote path parameters are downloaded to.")] = None,
    run_id: Annotated[
        str | None, typer.Option(help="Use this run instead of creating one.", autocompletion=completion.run_ids)
    ] = None,
    run_name: Annotated[str | None, typer.Option(help="The run's name.")] = None,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Keep the run's output to the log.")] = False,
    json: Annotated[
        bool, typer.Option("--json", help="Print the run as JSON at its end; its output goes to standard error.")
    ] = False,
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
        python=python,
        install_python=install_python,
        progress=output.progress,
        echo=None if quiet else _echo_to_stderr if json else echo_to_stdout,
        check=False,
    )
    if json:
        _report_to_machines(submitted)
    else:
        _report(submitted, quiet=quiet)


def _echo_to_stderr(chunk: bytes) -> None:
    """Write output of the run at once, beside the JSON."""
    sys.stderr.write(chunk.decode("utf-8", errors="replace"))
    sys.stderr.flush()


def _report_to_machines(submitted: SubmittedRun) -> None:
    from dovetail.tracking.client import Client
    from dovetail.values import RunStatus

    run = Client().get_run(submitted.run_id)
    output.json_out({**run.to_dictionary(), "exit_code": submitted.exit_code})
    if run.info.status != RunStatus.FINISHED:
        raise typer.Exit(1)


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
    from dovetail.tracking.client import Client
    from dovetail.values import RunStatus

    client, run_id, log = Client(), submitted.run_id, submitted.log_artifact
    run = client.get_run(run_id)
    well = run.info.status == RunStatus.FINISHED
    if quiet and not well:
        _show_end(Path(client.download_artifacts(run_id, log)))
    typer.echo()
    output.fact("status", run.info.status)
    if not well and submitted.exit_code is not None:
        output.fact("exit code", str(submitted.exit_code))
    output.fact("run", f"{run_id} ({run.info.run_name})")
    output.fact("duration", output.duration(run.info.start_time, run.info.end_time))
    typer.echo()
    output.next_steps(
        *([] if well else [(f"artifacts download -r {run_id} -a {log}", "where its output lies")]),
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
            return [(f"models predict -m runs:/{run_id}/{folder} -i FILE", "use its model on a CSV or JSON file")]
    return []
