"""``dovetail models``."""

from __future__ import annotations

import re
from enum import Enum
from pathlib import Path  # noqa: TC003 - typer reads it
from typing import Annotated

import typer

from dovetail import uris
from dovetail.cli import completion, output
from dovetail.cli.group import GroupApp
from dovetail.errors import InvalidInput

__all__ = ["app"]

app = GroupApp("Use saved models.")

MODEL = typer.Option(
    "-m", "--model-uri", help="runs:/RUN_ID/path, models:/NAME/VERSION, a folder, or another location."
)


MANAGER = typer.Option(
    help="uv, virtualenv, local …; by default uv if installed.", autocompletion=completion.env_managers
)
PYTHON = typer.Option(metavar="VERSION", help="The Python to take instead of the model's, such as 3.11.")
INSTALL = typer.Option("--install-python", help="Install the Python that is asked for, if it is not on this machine.")
OVERRIDE = typer.Option(
    "-r", "--pip-requirements-override", help="A requirement that wins over the model's own, or several with commas."
)
TRUST = typer.Option(help="own or all: which locations may bring code to run.")


class Operation(str, Enum):
    """What ``update-pip-requirements`` does."""

    add = "add"
    remove = "remove"


@app.command()
def predict(
    model_uri: Annotated[str, MODEL],
    input_path: Annotated[
        Path | None, typer.Option("-i", "-I", "--input-path", help="CSV or JSON; by default standard input.")
    ] = None,
    output_path: Annotated[
        Path | None,
        typer.Option("-o", "-O", "--output-path", help="Where the answer goes; by default it is printed."),
    ] = None,
    content_type: Annotated[
        str | None,
        typer.Option("-t", "--content-type", help="csv or json; by default by the file's ending, else json."),
    ] = None,
    env_manager: Annotated[str | None, MANAGER] = None,
    python: Annotated[str | None, PYTHON] = None,
    install_python: Annotated[bool | None, INSTALL] = None,
    pip_requirements_override: Annotated[list[str] | None, OVERRIDE] = None,
    env: Annotated[
        list[str] | None, typer.Option("--env", help="A variable for the model's process, KEY=VALUE.")
    ] = None,
    trust: Annotated[str, TRUST] = "own",
) -> None:
    """Predict with a model in its own environment."""
    import sys

    from dovetail.models.scoring import predict as predict_with

    data = None if input_path is not None else sys.stdin.read()
    answer = predict_with(
        model_uri,
        data,
        input_path,
        content_type,
        output_path,
        env_manager,
        _requirements(pip_requirements_override or []),
        _variables(env or []),
        python=python,
        install_python=install_python,
        trust=trust,
        progress=output.progress,
    )
    typer.echo(answer if output_path is None else f"Wrote {output_path}.")


def _variables(given: list[str]) -> dict[str, str]:
    pairs = [each.partition("=") for each in given]
    for name, equals, value in pairs:
        if not name or not equals:
            raise InvalidInput(f"--env {name}{value} is no variable.", hint="Write --env KEY=VALUE.")
    return {name: value for name, _, value in pairs}


def _requirements(given: list[str]) -> list[str]:
    """One requirement each: a comma is between two of them where a name follows it, outside of brackets."""
    parts = [part for each in given for part in re.split(r",(?=\s*[A-Za-z0-9])(?![^\[]*\])", each)]
    return [part.strip() for part in parts]


@app.command("prepare-env")
def prepare_env(
    model_uri: Annotated[str, MODEL],
    env_manager: Annotated[str | None, MANAGER] = None,
    python: Annotated[str | None, PYTHON] = None,
    install_python: Annotated[bool | None, INSTALL] = None,
    pip_requirements_override: Annotated[list[str] | None, OVERRIDE] = None,
    trust: Annotated[str, TRUST] = "own",
    json: Annotated[bool, output.JSON] = False,
) -> None:
    """Prepare the environment that `predict` uses for a model, so that predicting starts at once.

    With --env-manager local there is nothing to prepare. Exit codes: 0 it is ready, 8 it could not be prepared, the
    others as for `predict`.
    """
    from dovetail.models.scoring import prepare_env as prepared

    environment = prepared(
        model_uri,
        env_manager,
        _requirements(pip_requirements_override or []),
        python=python,
        install_python=install_python,
        trust=trust,
        progress=output.progress,
    )
    if json:
        output.json_out({"name": environment.name, "python": environment.python})
        return
    output.fact("ready", environment.name)
    output.fact("python", environment.python)
    output.next_steps((f"models predict -m {model_uri} -i FILE", "predict in it"))


@app.command("update-pip-requirements")
def update_pip_requirements(
    model_uri: Annotated[str, MODEL],
    operation: Annotated[Operation, typer.Argument(metavar="add|remove", help="What to do.")],
    requirements: Annotated[list[str], typer.Argument(metavar="REQUIREMENT...", help='Such as "numpy>=1.26,<3".')],
    json: Annotated[bool, output.JSON] = False,
) -> None:
    """Add requirements to a saved model, or remove some, in all of its files that say them.

    One that is added takes the place of those for the same distribution; to remove, the name is enough. Order and
    comments stay. Options of pip's and paths are refused, and so are models of a registry (models:/), which do not
    change. Exit codes: 0 done, or nothing to do; 2 a requirement or the place is none; 7 it cannot be written.
    """
    from dovetail.models.amending import update_model_requirements

    change = update_model_requirements(model_uri, operation.value, requirements)
    if json:
        output.json_out({"model_uri": uris.masked(model_uri), **change.__dict__})
        return
    for sign, lines, others in (("-", change.before, change.after), ("+", change.after, change.before)):
        for line in lines:
            if line not in others:
                typer.echo(output.one_line(f"{sign} {uris.masked(line)}"))
    for name in change.absent:
        typer.echo(f"The model does not require {name}; nothing to remove.")
    typer.echo(f"Changed {' and '.join(change.files)}." if change.files else "Nothing was changed.")


@app.command()
def show(model_uri: Annotated[str, MODEL], json: Annotated[bool, output.JSON] = False) -> None:
    """Show what a model is, without loading it."""
    from dovetail.models.loading import get_model_info

    info = get_model_info(model_uri)
    signature = info.signature.to_dict() if info.signature else None
    if json:
        output.json_out({**info.__dict__, "signature": signature})
        return
    output.fact("model", info.model_uri)
    output.fact("id", info.model_uuid)
    output.fact("created", info.utc_time_created)
    output.fact("flavors", ", ".join(sorted(info.flavors)))
    if info.run_id:
        output.fact("run", info.run_id)
    if info.signature:
        for number, line in enumerate(str(info.signature).splitlines()):
            output.fact("" if number else "signature", line)
