"""``dovetail import``."""

from __future__ import annotations

from typing import Annotated

import typer

from dovetail.cli import output, selection
from dovetail.cli.group import GroupApp
from dovetail.cli.sync import show_report
from dovetail.errors import InvalidInput

__all__ = ["app"]

app = GroupApp("Bring in what other tools kept, such as MLflow.")


@app.callback()
def group() -> None:
    """Bring in what other tools kept, such as MLflow."""


@app.command("mlflow")
def mlflow(
    source: Annotated[
        str,
        typer.Argument(
            metavar="SRC", help="MLflow's directory (mlruns), SQLite database (mlflow.db) or server (http://host:5000)."
        ),
    ],
    destination: Annotated[str | None, selection.DESTINATION] = None,
    *,
    experiment: Annotated[list[str] | None, selection.EXPERIMENTS] = None,
    artifacts: Annotated[
        bool | None,
        typer.Option("--artifacts/--no-artifacts", help="Copy the files of runs and models, or leave them out."),
    ] = None,
    artifacts_from: Annotated[
        str | None,
        typer.Option(metavar="PATH", help="Where a tracking server of MLflow's kept artifacts, such as ./mlartifacts."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be brought.")] = False,
    json: Annotated[bool, output.JSON] = False,
) -> None:
    """Bring in experiments, runs, logged models and registered models from MLflow's files or server, never changed.

    Ids, times, histories and version numbers are kept. Artifacts stay where they are and are referred to, unless
    --artifacts copies them. It may be interrupted and called again: what is there is not written again.

    Exit codes: 0 all is there, 1 some of it was refused, 3 there is nothing at SRC, 7 it is not MLflow's, or the
    destination cannot be reached.
    """
    from dovetail.cli.counting import Counter
    from dovetail.tracking.importing import import_mlflow

    if artifacts is False and artifacts_from is not None:
        raise InvalidInput("--artifacts-from says where artifacts are that --no-artifacts leaves out.")
    with Counter("runs done") as counter:
        report = import_mlflow(
            source,
            destination,
            artifacts={None: "keep", True: "copy", False: "none"}[artifacts],
            artifacts_from=artifacts_from,
            experiments=experiment or (),
            dry_run=dry_run,
            progress=counter.add,
        )
    show_report(report, json=json)
