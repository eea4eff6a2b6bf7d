"""How command groups are made: help without rich, which alone would take longer than most commands."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperCommand, TyperGroup

from dovetail.cli import output

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Command", "Group", "GroupApp"]

_HEADING = re.compile(r"^(Usage|Arguments|Options|Commands):", re.MULTILINE)
# What stands in the first column of a list: options, which may fill their line, and names with two spaces behind them.
_TERM = re.compile(r"^  (--?[^\n]*?(?=  |$)|\S+(?=  ))", re.MULTILINE)


class Command(TyperCommand):
    """A command with coloured help."""

    def get_help(self, ctx: Any) -> str:
        """The help; colours are dropped where nobody would see them."""
        return _coloured(super().get_help(ctx))


class Group(TyperGroup):
    """A group of commands with coloured help and suggestions for misspelt names."""

    def get_help(self, ctx: Any) -> str:
        """The help; colours are dropped where nobody would see them."""
        return _coloured(super().get_help(ctx))


class GroupApp(typer.Typer):
    """The commands of a group.

    Args:
        text: What the group is for.
    """

    def __init__(self, text: str | None = None) -> None:
        super().__init__(
            cls=Group,
            help=text,
            no_args_is_help=True,
            add_completion=False,
            pretty_exceptions_enable=False,
            rich_markup_mode=None,
        )

    def command(self, name: str | None = None, **options: Any) -> Callable[..., Any]:
        """Add a command; see ``typer.Typer.command``."""
        return super().command(name, **{"cls": Command, **options})


def _coloured(text: str) -> str:
    text = _HEADING.sub(lambda found: output.styled(found[0], bold=True), text)
    return _TERM.sub(lambda found: f"  {output.styled(found[1], fg='cyan')}", text)
