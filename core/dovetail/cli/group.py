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

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """The arguments; those that need no conversion are not converted."""
        _ease(self.get_params(ctx))
        return super().parse_args(ctx, args)


class Group(TyperGroup):
    """A group of commands with coloured help and suggestions for misspelt names."""

    def get_help(self, ctx: Any) -> str:
        """The help; colours are dropped where nobody would see them."""
        return _coloured(super().get_help(ctx))

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """The arguments; those that need no conversion are not converted."""
        _ease(self.get_params(ctx))
        return super().parse_args(ctx, args)


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


def _ease(parameters: list[Any]) -> None:
    """Keep values that are already what they shall be from being converted.

    Newer versions of typer convert every value with pydantic, text to text and None to None as well; importing that
    takes longer than most commands. Versions without it have nothing to ease.
    """
    for parameter in parameters:
        descriptor = getattr(parameter, "type_descriptor", None)
        if descriptor is not None and "process_value" not in vars(parameter):
            parameter.process_value = _eased(parameter, descriptor)


def _eased(parameter: Any, descriptor: Any) -> Callable[[Any, Any], Any]:
    convert = parameter.process_value
    several = parameter.multiple or parameter.nargs != 1
    parser = descriptor.parameter_info.parser

    def process(context: Any, value: Any) -> Any:
        missing = value is None and parameter.required and not context.resilient_parsing
        if missing or parser is not None or not _is_converted(value, descriptor.annotation, parameter.default):
            return convert(context, value)
        value = () if value is None and several else value
        return value if parameter.callback is None else parameter.callback(context, parameter, value)

    return process


def _is_converted(value: Any, kind: Any, default: Any) -> bool:
    if value is None:
        return True
    if kind == list[str]:
        return bool(value) and all(type(each) is str for each in value)
    # A number may still be out of its range, unless it is the default.
    return type(value) is kind and (kind in {str, bool} or value == default)
