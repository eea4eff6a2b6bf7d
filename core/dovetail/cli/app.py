"""The root of the command line: names and help from tables, modules imported when a command runs."""

from __future__ import annotations

import os
import sys
import warnings
from importlib import import_module
from typing import Any

import typer

from dovetail import plugins
from dovetail.cli import interruption
from dovetail.cli.group import Command, Group

__all__ = ["run_app"]

# Command -> (module that defines ``app``, help). A module is imported when its command runs, never to list it.
COMMANDS = {
    "run": ("dovetail.cli.run", "Run a project in its own environment, tracked."),
    "runs": ("dovetail.cli.runs", "List, show, compare, watch, create, delete, restore, move, reap and export runs."),
    "experiments": ("dovetail.cli.experiments", "List, create, rename, delete, restore and export experiments."),
    "artifacts": ("dovetail.cli.artifacts", "List, upload and download the files of runs."),
    "datasets": ("dovetail.cli.datasets", "List and show the datasets that runs used."),
    "logged-models": ("dovetail.cli.logged_models", "Search, show, tag, delete and restore logged models."),
    "models": ("dovetail.cli.models", "Use saved models."),
    "registry": ("dovetail.cli.registry", "Register models under names, and say which of their versions is in use."),
    "envs": ("dovetail.cli.envs", "List and remove the environments that projects and models run in."),
    "plugins": ("dovetail.cli.plugins", "What is installed and what it offers."),
    "sync": ("dovetail.cli.sync", "Bring experiments, runs and logged models from one store into another."),
    "import": ("dovetail.cli.importing", "Bring in what other tools kept, such as MLflow."),
    "gc": ("dovetail.cli.gc", "Take away for good what was deleted."),
    "db": ("dovetail.cli.db", "Check and upgrade the database that runs are kept in."),
    "doctor": ("dovetail.cli.doctor", "Say how things are here, and what is wrong."),
}


# What MLflow's users call and is not here yet.
ABSENT = {
    "ui": "a UI",
    "deployments": "deployments",
}


class LazyGroup(Group):
    """Lists commands from the table and from plugins' metadata; imports one only to run it."""

    _listing = False

    def list_commands(self, ctx: Any) -> list[str]:
        """Built-in commands in the table's order, then those of plugins."""
        del ctx
        return [*COMMANDS, *sorted(set(plugins.offers("commands")) - set(COMMANDS))]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command; while commands are only listed, nothing but its name and help."""
        if cmd_name not in self.list_commands(ctx):
            return None
        if self._listing:
            return Command(cmd_name, help=_summary(cmd_name))
        known = cmd_name in COMMANDS
        return _loaded(
            import_module(COMMANDS[cmd_name][0]).app if known else plugins.find("commands", cmd_name), cmd_name
        )

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that is meant; a misspelt one is answered with names that are close."""
        names = self.list_commands(ctx)
        if args[0] not in names and not args[0].startswith("-") and not ctx.resilient_parsing:
            from difflib import get_close_matches

            close = get_close_matches(args[0], names, n=1)
            meant = f" Did you mean {close[0]!r}?" if close else ""
            absent = f" This version of dovetail does not have {ABSENT[args[0]]}." if args[0] in ABSENT else ""
            ctx.fail(f"No such command {args[0]!r}.{absent or meant}")
        return super().resolve_command(ctx, args)

    def make_context(self, *arguments: Any, **options: Any) -> Any:
        """The context; what prints asks it whether colours are wanted where no terminal is."""
        if os.environ.get("FORCE_COLOR") and not os.environ.get("NO_COLOR"):
            options["color"] = True
        return super().make_context(*arguments, **options)

    def invoke(self, ctx: Any) -> Any:
        """Run the command. Interruptions and closed pipes go to ``main``, past typer's own way with them."""
        try:
            with interruption.by_exception():
                return super().invoke(ctx)
        except (KeyboardInterrupt, BrokenPipeError) as error:
            raise _Ended(error) from error

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Show the help without importing any command."""
        self._listing = True
        try:
            super().format_help(ctx, formatter)
        finally:
            self._listing = False

    def shell_complete(self, ctx: Any, incomplete: str) -> Any:
        """Complete command names without importing any command."""
        self._listing = True
        try:
            return super().shell_complete(ctx, incomplete)
        finally:
            self._listing = False


class _Ended(BaseException):
    """Carries what typer would turn into something else."""

    def __init__(self, reason: BaseException) -> None:
        self.reason = reason


def _summary(name: str) -> str:
    if name in COMMANDS:
        return COMMANDS[name][1]
    from dovetail.cli.plugin_help import summary

    return summary(plugins.offers("commands")[name])


def _loaded(app: typer.Typer, name: str) -> Any:
    command = typer.main.get_command(app)
    command.name = name
    return command


def _load_env_file(path: str | None) -> None:
    if path is not None:
        from dovetail.cli.env_file import load

        load(path)


EPILOG = """
DOVETAIL_TRACKING_URI says where runs are kept, by default in ./dovetail.db.

\b
Exit codes:
  0  well                        6  a plugin is missing or broken
  1  a run or model failed       7  a store cannot do its work
  2  wrong input or usage        8  an environment cannot be prepared
  3  not found                   9  not trusted
  4  exists already              129, 130, 143  terminal closed,
  5  not in a state for this     interrupted, terminated
"""

app = typer.Typer(
    cls=LazyGroup,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Track runs, run projects, keep and use models.",
    epilog=EPILOG,
)


@app.callback()
def root(
    version: bool = typer.Option(False, "--version", "-V", help="Print the version and exit."),
    env_file: str = typer.Option(  # noqa: ARG001 - its callback has read the file
        None,
        metavar="PATH",
        help="Read variables from a dotenv file first; those that are set already stay.",
        callback=_load_env_file,
        is_eager=True,
        expose_value=False,
    ),
) -> None:
    """Track runs, run projects, keep and use models."""
    if version:
        from dovetail import __version__

        typer.echo(f"dovetail {__version__}")
        raise typer.Exit


def run_app(arguments: list[str]) -> None:
    """Run the command line; wrong usage, ``--help`` and failures exit."""
    warnings.showwarning = _show_warning  # type: ignore[assignment]  # it takes whatever Python passes
    try:
        app(arguments, prog_name="dovetail")
    except _Ended as ended:
        raise ended.reason from None


def _show_warning(message: Warning | str, *details: Any) -> None:
    del details
    sys.stderr.write(f"Warning: {message}\n")
