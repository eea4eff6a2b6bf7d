"""``dovetail envs``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from dovetail.cli import output
from dovetail.cli.consent import require_consent
from dovetail.cli.group import GroupApp
from dovetail.durations import GRAMMAR, seconds_of
from dovetail.errors import EnvironmentFailed, InvalidInput

if TYPE_CHECKING:
    from dovetail.environments.inventory import CachedEnvironment
    from dovetail.environments.pruning import Pruned

__all__ = ["app"]

app = GroupApp("List and remove the environments that projects and models run in.")

_AGE_HELP = "How long an environment must be unused, such as 30d, 12h or 1d2h3m4s."


@app.command("list")
def list_environments(*, json: Annotated[bool, output.JSON] = False) -> None:
    """List the environments that are kept, and how they are."""
    from dovetail.environments.cache import env_place
    from dovetail.environments.inventory import cached_environments

    found = cached_environments()
    if json:
        output.json_out([_as_json(each) for each in found])
        return
    output.table(
        ["Name", "State", "Manager", "Python", ">Size", "Last used", "Created", "Made from"],
        [_row(each) for each in found],
        empty=f"There are no environments in {env_place()}.",
    )
    if found:
        typer.echo(f"{len(found)} in {env_place()}, {output.size(sum(each.size for each in found))}")


@app.command()
def prune(
    *,
    older_than: Annotated[str, typer.Option(metavar="AGE", help=_AGE_HELP)] = "30d",
    every: Annotated[bool, typer.Option("--all", help="Those that are not in use now, however new.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be removed.")] = False,
    yes: Annotated[bool, typer.Option("-y", "--yes", help="Do not ask.")] = False,
    json: Annotated[bool, output.JSON] = False,
) -> None:
    """Remove environments that nobody used for long, broken ones, and what else is left over.

    What a process uses or makes stays.
    """
    from dovetail.environments.pruning import prune as removed

    age = 0.0 if every else _seconds(older_than)
    if not dry_run and not yes:
        _ask(removed(age, dry_run=True), json=json)
    found = removed(age, dry_run=dry_run)
    if json:
        output.json_out([each.__dict__ for each in found])
    else:
        _show(found, dry_run=dry_run)
    if failed := [each for each in found if each.failure]:
        raise EnvironmentFailed(
            f"{failed[0].name} cannot be removed: {failed[0].failure}.", hint="Check who owns it, and try again."
        )


def _seconds(age: str) -> float:
    try:
        return seconds_of(age)
    except ValueError:
        raise InvalidInput(f"--older-than {age[:40]!r} is no age.", hint=f"Write {GRAMMAR}.") from None


def _ask(found: list[Pruned], *, json: bool) -> None:
    if not found:
        return
    require_consent(
        f"Remove {_things(found)}, {output.size(_total(found))}?",
        f"{_things(found)} would be removed",
        json=json,
        hint="Say --yes, or look with --dry-run.",
        show=lambda: _table(found),
    )


def _show(found: list[Pruned], *, dry_run: bool) -> None:
    if not found:
        typer.echo("There is nothing to remove.")
        return
    _table(found)
    gone = [each for each in found if not each.failure]
    typer.echo(f"{'Would remove' if dry_run else 'Removed'} {_things(gone)}, {output.size(_total(gone))}.")


def _table(found: list[Pruned]) -> None:
    output.table(
        ["Name", "Why", ">Size"], [[each.name, each.reason, output.size(each.size)] for each in found], empty=""
    )


def _things(found: list[Pruned]) -> str:
    return f"{len(found)} thing{'' if len(found) == 1 else 's'}"


def _total(found: list[Pruned]) -> int:
    return sum(each.size for each in found)


def _row(each: CachedEnvironment) -> list[str]:
    record = each.record
    state = f"{each.state}, in use" if each.in_use and each.state == "whole" else each.state
    return [
        each.name,
        state,
        record.manager or "-",
        record.python or "-",
        output.size(each.size),
        output.ago(each.used),
        output.ago(record.created),
        _origin(each),
    ]


def _origin(each: CachedEnvironment) -> str:
    count = each.record.requirements
    text = "" if count is None else f"{count} requirement{'' if count == 1 else 's'}"
    source = each.record.source
    return " of ".join(filter(None, [text, source])) or "-"


def _as_json(each: CachedEnvironment) -> dict[str, Any]:
    return {
        "name": each.name,
        "path": str(each.folder),
        "state": each.state,
        "in_use": each.in_use,
        "size": each.size,
        "used": each.used,
        **each.record.__dict__,
    }
