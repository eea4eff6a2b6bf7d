"""``dovetail runs export``."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - typer reads it
from typing import Annotated

import typer

from dovetail.cli import selection
from dovetail.errors import InvalidInput

__all__ = ["export_runs"]

FORMATS = ("csv", "json", "parquet")


def export_runs(
    experiment_id: Annotated[str | None, selection.EXPERIMENT_ID] = None,
    experiment_name: Annotated[str | None, selection.EXPERIMENT_NAME] = None,
    filter_string: Annotated[str, typer.Option("-f", "--filter", help='Such as "metrics.acc > 0.9".')] = "",
    order_by: Annotated[list[str] | None, typer.Option("--order-by", help='Such as "metrics.acc DESC".')] = None,
    view: Annotated[str, selection.VIEW] = "active_only",
    columns: Annotated[
        str | None,
        typer.Option(
            help='Only these, with commas between them, such as "run_id,metrics.acc,params.*"; by default all.'
        ),
    ] = None,
    form: Annotated[
        str | None,
        typer.Option(
            "--format",
            help="csv, json or parquet; by default what the file's name ends with, or csv.",
            autocompletion=lambda: FORMATS,
        ),
    ] = None,
    path: Annotated[Path | None, typer.Option("-o", "--output", help="A file; by default printed.")] = None,
) -> None:
    """Export runs of one experiment or of all, newest first: as CSV, JSON or Parquet, however many there are.

    A file is complete or not there. Values stand as they were logged: open a CSV file of people you do not trust as
    text, since a spreadsheet takes what begins with "=" for a formula.
    """
    from dovetail.cli.exporting.runs import Wanted, exported

    wanted = Wanted(
        [each.experiment_id for each in selection.experiments_of(experiment_id, experiment_name)],
        filter_string,
        tuple(order_by or ()),
        selection.view_type(view),
        None if columns is None else _names(columns),
    )
    count = exported(wanted, _format(form, path), path)
    if path is not None:
        typer.echo(f"Wrote {count} {'run' if count == 1 else 'runs'} to {path}.")


def _format(form: str | None, path: Path | None) -> str:
    chosen = (form or (path.suffix.lstrip(".") if path else "csv") or "csv").lower()
    if chosen not in FORMATS:
        raise InvalidInput(f"Runs cannot be exported as {chosen[:40]!r}.", hint=f"Say --format {' or '.join(FORMATS)}.")
    if chosen == "parquet" and path is None:
        raise InvalidInput("Parquet goes into a file.", hint="Name it with -o FILE.")
    return chosen


def _names(columns: str) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(each.strip() for each in columns.split(",") if each.strip()))
    if not found:
        raise InvalidInput(
            f"--columns {columns[:80]!r} names no columns.", hint="Write for example run_id,metrics.acc."
        )
    return found
