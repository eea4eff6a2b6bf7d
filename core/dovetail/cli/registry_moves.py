"""The commands of ``dovetail registry`` that say which version is in use: aliases, stages, their history."""

from __future__ import annotations

from typing import Annotated

import typer

from dovetail.cli import output
from dovetail.cli.clients import open_client
from dovetail.cli.group import GroupApp
from dovetail.cli.registry_names import MODEL, REASON, VERSION

__all__ = ["add_to"]

alias = GroupApp("Point aliases at versions, or remove them.")

ALIAS = typer.Argument(metavar="ALIAS", help="Letters, digits, _ and -.")
EXPECTED = typer.Option(
    "--expected", metavar="NUMBER|none", help="Only if it points at this version now, or at none; else nothing is done."
)


@alias.command("set")
def set_alias(
    name: Annotated[str, MODEL],
    alias: Annotated[str, ALIAS],
    version: Annotated[str, VERSION],
    expected: Annotated[str | None, EXPECTED] = None,
    reason: Annotated[str, REASON] = "",
    json: Annotated[bool, output.JSON] = False,
) -> None:
    """Point an alias at a version."""
    client = open_client()
    client.set_registered_model_alias(name, alias, version, reason=reason, **_expected(expected))
    output.told(client.get_registered_model(name).to_dictionary(), f"{name}@{alias} is version {version}.", json=json)


@alias.command("delete")
def delete_alias(
    name: Annotated[str, MODEL],
    alias: Annotated[str, ALIAS],
    expected: Annotated[str | None, EXPECTED] = None,
    reason: Annotated[str, REASON] = "",
    json: Annotated[bool, output.JSON] = False,
) -> None:
    """Remove an alias; the version stays."""
    client = open_client()
    client.delete_registered_model_alias(name, alias, reason=reason, **_expected(expected))
    output.told(client.get_registered_model(name).to_dictionary(), f"{name}@{alias} is no more.", json=json)


def _expected(given: str | None) -> dict[str, str | None]:
    if given is None:
        return {}
    return {"expected": None if given.lower() == "none" else given}


def stage(
    name: Annotated[str, MODEL],
    version: Annotated[str, VERSION],
    stage: Annotated[str, typer.Argument(metavar="STAGE", help="None, Staging, Production or Archived.")],
    archive_existing: Annotated[
        bool, typer.Option("--archive-existing", help="Archive the other versions that are in that stage.")
    ] = False,
    reason: Annotated[str, REASON] = "",
    json: Annotated[bool, output.JSON] = False,
) -> None:
    """Put a version into a stage."""
    changed = open_client().transition_model_version_stage(name, version, stage, archive_existing, reason=reason)
    message = f"Version {changed.version} of {name!r} is in stage {changed.current_stage}."
    output.told(changed.to_dictionary(), message, json=json)


def history(
    name: Annotated[str, MODEL],
    what: Annotated[
        str | None, typer.Argument(metavar="ALIAS|VERSION", help="Only the moves of this alias or version.")
    ] = None,
    max_results: Annotated[int, typer.Option("-m", "--max-results", min=1, max=1000, help="At most this many.")] = 20,
    json: Annotated[bool, output.JSON] = False,
) -> None:
    """Show who moved which alias or stage where, when and why, the latest first."""
    client = open_client()
    moves = client.get_registered_model_history(name, what, max_results)
    if not moves:
        client.get_registered_model(name)
    if json:
        output.json_out([move.__dict__ for move in moves])
        return
    from dovetail.cli.registry_view import show_history

    show_history(moves)


def rollback(
    name: Annotated[str, MODEL],
    alias: Annotated[str | None, typer.Argument(metavar="ALIAS", help="The alias.")] = None,
    version: Annotated[
        str | None, typer.Option("--version", metavar="NUMBER", help="The stage of this version, instead of an alias.")
    ] = None,
    reason: Annotated[str, REASON] = "",
    json: Annotated[bool, output.JSON] = False,
) -> None:
    """Point an alias back at where it was before, or put a version back into its stage before.

    Rolling back once more goes further back.
    """
    if (alias is None) == (version is None):
        raise typer.BadParameter("Give either ALIAS or --version NUMBER.")
    client = open_client()
    if alias is not None:
        found = client.rollback_registered_model_alias(name, alias, reason=reason)
        message = f"{name}@{alias} is version {found.version} again."
    else:
        found = client.rollback_model_version_stage(name, str(version), reason=reason)
        message = f"Version {found.version} of {name!r} is in stage {found.current_stage} again."
    output.told(found.to_dictionary(), message, json=json)


def add_to(app: GroupApp) -> None:
    """Add these commands to the group."""
    app.add_typer(alias, name="alias")
    for command in (stage, history, rollback):
        app.command()(command)
