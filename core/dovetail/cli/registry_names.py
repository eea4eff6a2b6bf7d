"""How registered models and versions are named on the command line."""

from __future__ import annotations

import typer

from dovetail.cli import completion

__all__ = ["MODEL", "OF_ALIAS", "OF_VERSION", "REASON", "VERSION"]

MODEL = typer.Argument(
    metavar="NAME", help="The registered model's name.", autocompletion=completion.model_names, show_default=False
)
VERSION = typer.Argument(metavar="VERSION", help="The number of the version.")
OF_VERSION = typer.Option("--version", metavar="NUMBER", help="This version of it, instead of the model.")
OF_ALIAS = typer.Option(
    "--alias", metavar="ALIAS", help="The version this alias points at; latest is that of the highest number."
)
REASON = typer.Option("-r", "--reason", help="Why; the history keeps it.")
