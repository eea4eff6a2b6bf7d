"""``dovetail doctor``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from dovetail.cli import marks, output
from dovetail.cli.group import Command, GroupApp

if TYPE_CHECKING:
    from dovetail.diagnosis import Diagnosis, Distributed, InForce

__all__ = ["app"]

app = GroupApp()

TITLES = {"tracking_uri": "tracking", "registry_uri": "registry", "artifact_root": "artifacts"}


@app.command(cls=Command)
def doctor(
    mask_envs: Annotated[
        bool, typer.Option("--mask-envs", help="Hide the values of all DOVETAIL_* and MLFLOW_* variables.")
    ] = False,
    json: Annotated[bool, output.JSON] = False,
) -> None:
    """Say how things are here, and what is wrong: versions, places, settings, the tracking store, plugins.

    Plugins are loaded, which runs their code; nothing is made or changed. Passwords are never shown, but look at the
    rest before you send it to others.

    Exit codes: 0 nothing is wrong, 1 something is.
    """
    from dovetail.cli.app import COMMANDS
    from dovetail.diagnosis import gather

    found = gather(mask_envs=mask_envs, taken={"commands": COMMANDS})
    if json:
        output.json_out(found.to_dict())
    else:
        _show(found)
    if found.problems:
        raise typer.Exit(1)


def _show(found: Diagnosis) -> None:
    for name, value in found.versions.items():
        output.fact(name, value)
    for place in found.places:
        output.fact(TITLES.get(place.name, place.name), _said(place))
    output.fact("store", f"{found.store.state}{f': {found.store.detail}' if found.store.detail else ''}")
    output.section("Settings", sorted((each.name, _said(each)) for each in found.settings))
    output.section("Variables", sorted(found.variables.items()))
    _plugins(found.distributions)
    output.section("Libraries", sorted(found.libraries.items()))
    typer.echo()
    if found.problems:
        _wrong(found)
    else:
        typer.echo(f"{marks.good()} Nothing is wrong.")
        _upgrade(found)


def _said(each: InForce) -> str:
    return f"{each.value}  ({each.origin})" if not each.problem else "cannot be told; see below"


def _plugins(distributions: tuple[Distributed, ...]) -> None:
    output.section("Distributions", sorted((each.name, _described(each)) for each in distributions))


def _described(each: Distributed) -> str:
    state = "blocked" if each.blocked else "broken" if each.problems else ""
    return "  ".join(filter(None, [each.version, state, ", ".join(each.offers)]))


def _wrong(found: Diagnosis) -> None:
    for problem in found.problems:
        typer.echo(f"{marks.bad()} {output.one_line(problem)}")
    broken = [each.name for each in found.distributions if each.problems]
    steps = [(f"plugins check {' '.join(broken)}", "what is wrong with the plugins")] if broken else []
    if found.store.state == "broken":
        steps.append(("db check", "what is wrong with the database"))
    if steps:
        output.next_steps(*steps)


def _upgrade(found: Diagnosis) -> None:
    if found.store.state == "will be upgraded":
        output.next_steps(("db upgrade", "upgrade the database now"))
