"""``dovetail plugins``."""

from __future__ import annotations

from typing import Annotated

from dovetail import plugins
from dovetail.cli import output
from dovetail.cli.group import GroupApp

__all__ = ["app"]

app = GroupApp("What is installed and what it offers.")


@app.callback()
def group() -> None:
    """What is installed and what it offers."""


@app.command("list")
def list_plugins(json: Annotated[bool, output.JSON] = False) -> None:
    """List what plugins offer, from their metadata; nothing is imported."""
    points = sorted(plugins.installed(), key=lambda each: (each.group, each.name))
    if json:
        output.json_out([dict(point.__dict__) for point in points])
        return
    rows = [
        [_kind(point.group), point.name, point.distribution, point.version, "blocked" if plugins.blocked(point) else ""]
        for point in points
    ]
    output.table(["Kind", "Key", "Distribution", "Version", ""], rows, empty="No plugins. Try `pip install dovetail`.")


def _kind(group: str) -> str:
    """What people call the entries of a group."""
    nouns = {kind.group: kind.noun for kind in plugins.KINDS.values()}
    nouns.update({plugins.BROADCAST: "hooks", "dovetail.flavor_packages": "package of a flavor"})
    return nouns.get(group, group)
