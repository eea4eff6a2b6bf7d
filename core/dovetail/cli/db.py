"""``dovetail db``."""

from __future__ import annotations

from typing import Annotated

import typer

from dovetail import uris
from dovetail.cli import output
from dovetail.cli.group import GroupApp
from dovetail.errors import InvalidInput, NotFound
from dovetail.tracking import places
from dovetail.tracking.schema import SchemaKeeper, SchemaReport

__all__ = ["app"]

app = GroupApp("Check and upgrade the database that runs are kept in.")

URL = typer.Argument(metavar="URL", help="Such as sqlite:///dovetail.db; by default the tracking URI in force.")


@app.callback()
def group() -> None:
    """Check and upgrade the database that runs are kept in.

    A database in a file is also upgraded by the first command or script of a newer dovetail that uses it, after a copy
    was made beside it; upgrading beforehand chooses the moment. One on a server is upgraded by this command alone.
    """


@app.command()
def check(
    url: Annotated[str | None, URL] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Leave out what reads everything in the database.")] = False,
    json: Annotated[bool, output.JSON] = False,
) -> None:
    """Say whether a database is up to date and sound; nothing is changed.

    Exit codes: 0 all is well, 1 an upgrade is pending or the data is damaged, 3 there is no database yet, 7 it cannot
    be read, a newer dovetail wrote it, or it belongs to another program such as MLflow.
    """
    keeper, name = _keeper(url)
    report = keeper.check_schema(quick=quick)
    if report.version == 0:
        raise NotFound(f"There is no database at {name} yet.", hint="It is made at its first use, or by `db upgrade`.")
    if json:
        output.json_out({"uri": name, **report.__dict__, "ok": _is_well(report)})
    else:
        _show(report, name)
    if not _is_well(report):
        raise typer.Exit(1)


@app.command()
def upgrade(url: Annotated[str | None, URL] = None, json: Annotated[bool, output.JSON] = False) -> None:
    """Bring a database up to date, after a copy was made beside it if it is a file; make it if there is none.

    Nobody can write to it meanwhile. If this is interrupted or killed, the database stays as it was; calling it again,
    or from two places at once, does no harm.
    """
    keeper, name = _keeper(url)
    done = keeper.upgrade_schema(output.progress)
    if json:
        output.json_out({"uri": name, **done.__dict__})
    elif done.before == done.after:
        typer.echo(f"Nothing to do: {name} is at schema version {done.after}, the newest this installation knows.")
    elif done.before == 0:
        typer.echo(f"There was no database at {name}; made one with schema version {done.after}.")
    else:
        typer.echo(f"Upgraded {name} from schema version {done.before} to {done.after}.")
        typer.echo(
            f"As it was before: {done.backup}" if done.backup else "No copy was made: its engine leaves that to you."
        )


def _keeper(url: str | None) -> tuple[SchemaKeeper, str]:
    """The store, and its URI as it may be shown."""
    uri = places.resolved(url) if url else places.get_tracking_uri()
    store = places.open_store(uri)
    if not isinstance(store, SchemaKeeper):
        raise InvalidInput(
            f"{uris.masked(uri)} is no database with a schema that could be checked or upgraded from here.",
            hint="Name the database itself; one behind a server is upgraded on the server's machine.",
        )
    return store, uris.masked(uri)


def _is_well(report: SchemaReport) -> bool:
    return report.version == report.newest and not report.faults


def _show(report: SchemaReport, name: str) -> None:
    output.fact("database", name)
    state = "the newest" if report.version == report.newest else f"{report.newest} is the newest"
    output.fact("schema", f"version {report.version} ({state})")
    for step in report.pending:
        output.fact("pending", step)
    for fault in report.faults or ("sound",):
        output.fact("data", fault)
    if report.faults:
        typer.echo("Work on a copy of the file, and restore what is damaged from a backup.")
    if report.pending:
        output.next_steps((f"db upgrade {name}", "bring it up to date"))
