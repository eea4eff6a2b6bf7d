"""Runs as people name them on the command line: by their id or the beginning of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from dovetail.cli import completion
from dovetail.cli.beginnings import runs_beginning_with
from dovetail.errors import InvalidInput, NotFound

if TYPE_CHECKING:
    from dovetail.values import Run

__all__ = ["RUN", "RUN_IDS", "RUN_OPTION", "find_run", "named_run"]

# A run is named by an argument; the option is MLflow's way.
RUN = typer.Argument(
    metavar="RUN_ID",
    help="The run's id, or the beginning of it.",
    autocompletion=completion.run_ids,
    show_default=False,
)
RUN_IDS = typer.Argument(
    metavar="RUN_ID RUN_ID...", help="Ids of runs, or the beginnings of them.", autocompletion=completion.run_ids
)
RUN_OPTION = typer.Option("--run-id", help="The same as an option.", autocompletion=completion.run_ids)

_NAMED = 5


def named_run(argument: str | None, option: str | None) -> Run:
    """The run that is named by an argument or by ``--run-id``.

    Raises:
        BadParameter: Both are given, or none.
        NotFound: There is no such run.
        InvalidInput: Several ids begin like that.
    """
    if (argument is None) == (option is None):
        raise typer.BadParameter("Give the run once, as RUN_ID or as --run-id RUN_ID.")
    return find_run(str(option if argument is None else argument))


def find_run(run_id: str) -> Run:
    """The run of that id, or the only one whose id begins like that, deleted ones included.

    Raises:
        NotFound: There is none.
        InvalidInput: Several ids begin like that.
    """
    from dovetail.tracking.client import Client

    try:
        return Client().get_run(run_id)
    except NotFound as error:
        found = runs_beginning_with(run_id, _NAMED + 1) if run_id else []
        if not found:
            raise NotFound(error.message, hint="See `dovetail runs list`, also with `-v deleted_only`.") from error
    if len(found) > 1:
        shown = [run.info.run_id for run in found[:_NAMED]] + ["…"] * (len(found) > _NAMED)
        raise InvalidInput(f"Several runs begin with {run_id!r}: {', '.join(shown)}.", hint="Give more of the id.")
    return found[0]
