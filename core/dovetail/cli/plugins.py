"""``dovetail plugins``."""

from __future__ import annotations

import contextlib
import re
import sys
from difflib import get_close_matches
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dovetail import plugins
from dovetail.cli import marks, output
from dovetail.cli.group import GroupApp
from dovetail.errors import PluginMissing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dovetail.entrypoints import EntryPoint
    from dovetail.inspection import Inspection

__all__ = ["app"]

app = GroupApp("What is installed and what it offers.")

_NONE = "No plugins. Install them from where you installed dovetail."


@app.callback()
def group() -> None:
    """What is installed and what it offers."""


@app.command("list")
def list_plugins(json: Annotated[bool, output.JSON] = False) -> None:
    """List what plugins offer, from their metadata; nothing is imported."""
    points = _sorted(plugins.installed())
    if json:
        output.json_out([dict(point.__dict__) for point in points])
        return
    rows = [
        [_kind(point.group), point.name, point.distribution, point.version, "blocked" if plugins.blocked(point) else ""]
        for point in points
    ]
    output.table(["Kind", "Key", "Distribution", "Version", ""], rows, empty=_NONE)


@app.command()
def info(
    name: Annotated[str, typer.Argument(metavar="KEY|DISTRIBUTION", help="Such as sqlite or dovetail-sqlite.")],
    load: Annotated[bool, typer.Option("--load", help="Also load what it offers, and say what is wrong.")] = False,
    json: Annotated[bool, output.JSON] = False,
) -> None:
    """Show a plugin: what it offers, whose it is, where it lies. Without --load nothing is imported.

    Exit codes: 0 it is installed, 1 with --load if something does not load, 6 no installed plugin is called so.
    """
    distributions = {point.distribution: None for point in _called([name])}
    found = [each for each in _sorted(plugins.installed()) if each.distribution in distributions]
    looked = {each.point: each for each in _inspected(found)} if load else {}
    described = [_described([each for each in found if each.distribution == one], looked) for one in distributions]
    if json:
        output.json_out(described)
    for number, each in enumerate([] if json else described):
        typer.echo("\n" * bool(number), nl=False)
        _show(each, loaded=load)
    if any(each.problems for each in looked.values()):
        raise typer.Exit(1)


@app.command()
def check(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[KEY|DISTRIBUTION]...", help="Which; by default all.")
    ] = None,
    json: Annotated[bool, output.JSON] = False,
) -> None:
    """Load plugins, which runs their code, and say what is wrong with each: imports, hooks, keys, interfaces.

    Exit codes: 0 nothing is wrong with any, 1 something is, 6 no installed plugin is called so. Blocked ones are left
    alone.
    """
    looked = _inspected(_called(names) if names else _sorted(plugins.installed()))
    if json:
        output.json_out([_outcome(each) for each in looked])
    else:
        _report(looked)
    if any(each.problems for each in looked):
        raise typer.Exit(1)


def _kind(group: str) -> str:
    """What people call the entries of a group."""
    nouns = {kind.group: kind.noun for kind in plugins.KINDS.values()}
    nouns.update({plugins.BROADCAST: "hooks", plugins.PACKAGES: "package of a flavor"})
    return nouns.get(group, group)


def _sorted(points: Sequence[EntryPoint]) -> list[EntryPoint]:
    return sorted(points, key=lambda each: (each.group, each.name, each.distribution))


def _called(names: Sequence[str]) -> list[EntryPoint]:
    """The entry points that answer for a key or come from a distribution of one of these names."""
    points = _sorted(plugins.installed())
    known = {each for point in points for each in (point.name, point.distribution)}
    for name in names:
        if not known & _spellings(name):
            close = get_close_matches(_normal(name), sorted(known), n=1)
            meant = f" Did you mean {close[0]!r}?" if close else ""
            raise PluginMissing(
                f"No installed plugin is called {name!r}.{meant}", hint="`dovetail plugins list` shows what is there."
            )
    wanted = {each for name in names for each in _spellings(name)}
    return [point for point in points if wanted & {point.name, point.distribution}]


def _spellings(name: str) -> set[str]:
    """A key as it is, or a distribution as metadata spells it, also without our own prefix."""
    return {name, _normal(name), f"dovetail-{_normal(name)}"}


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _inspected(points: Sequence[EntryPoint]) -> list[Inspection]:
    from dovetail.cli.app import COMMANDS
    from dovetail.inspection import inspected

    # What a plugin prints while it is loaded must not get into what we print for machines.
    with contextlib.redirect_stdout(sys.stderr):
        return inspected(points, plugins.installed(), {"commands": COMMANDS})


# --- info -----------------------------------------------------------------------------------------------------


def _described(points: Sequence[EntryPoint], looked: dict[EntryPoint, Inspection]) -> dict[str, Any]:
    from dovetail.cli.distributions import described

    first = points[0]
    offers = []
    for point in points:
        seen = looked.get(point)
        known = None if seen is None or seen.blocked else not seen.problems
        offers.append(
            {
                "kind": _kind(point.group),
                "key": point.name,
                "group": point.group,
                "module": point.value,
                "blocked": plugins.blocked(point),
                "loads": known,
                "problems": list(seen.problems) if seen else [],
            }
        )
    return {**described(first.distribution, first.location), "location": first.location, "offers": offers}


def _show(described: dict[str, Any], *, loaded: bool) -> None:
    output.fact("plugin", f"{described['distribution']} {described['version']}".strip())
    for name in ("summary", "home page", "location", "source"):
        if value := described.get(name.replace(" ", "_")):
            output.fact(name, value)
    for number, line in enumerate(described["requires"]):
        output.fact("" if number else "requires", line)
    typer.echo()
    rows = [[each["kind"], each["key"], each["module"], _state(each)] for each in described["offers"]]
    output.table(["Kind", "Key", "Module", ""], rows, empty="It offers nothing.")
    for each in described["offers"]:
        for problem in each["problems"]:
            typer.echo(f"{marks.bad()} {each['key']}: {output.one_line(problem)}")
    if not loaded:
        output.next_steps((f"plugins check {described['distribution']}", "load it, and see whether it is well"))


def _state(offer: dict[str, Any]) -> str:
    if offer["blocked"]:
        return "blocked"
    return {None: "", True: "loads", False: "broken"}[offer["loads"]]


# --- check ----------------------------------------------------------------------------------------------------


def _outcome(looked: Inspection) -> dict[str, Any]:
    point = looked.point
    return {
        "kind": _kind(point.group),
        "key": point.name,
        "group": point.group,
        "module": point.value,
        "distribution": point.distribution,
        "version": point.version,
        "ok": None if looked.blocked else not looked.problems,
        "blocked": looked.blocked,
        "problems": list(looked.problems),
        "notes": list(looked.notes),
    }


def _report(looked: Sequence[Inspection]) -> None:
    if not looked:
        typer.echo(_NONE)
        return
    for each in looked:
        typer.echo(_line(each))
        for problem in each.problems:
            typer.echo(f"    {output.one_line(problem)}")
    broken = sum(bool(each.problems) for each in looked)
    blocked = sum(each.blocked for each in looked)
    typer.echo(f"\n{len(looked)} looked at, {broken} broken{f', {blocked} blocked' if blocked else ''}.")
    for name in sorted({each.point.distribution for each in looked if each.problems}):
        typer.echo(f"  Upgrade or remove {name}, or keep it out: DOVETAIL_PLUGINS_BLOCK={name}")


def _line(looked: Inspection) -> str:
    point = looked.point
    mark = "-" if looked.blocked else marks.bad() if looked.problems else marks.good()
    notes = "".join(f"  ({note})" for note in (["blocked"] if looked.blocked else looked.notes))
    return f"{mark} {_kind(point.group)} {output.one_line(point.name)}  {point.origin}{output.styled(notes, dim=True)}"
