"""``dovetail models``."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - typer reads it
from typing import Annotated

import typer

from dovetail.cli import output
from dovetail.cli.group import GroupApp
from dovetail.errors import InvalidInput

__all__ = ["app"]

app = GroupApp("Use saved models.")

MODEL = typer.Option("-m", "--model-uri", help="runs:/RUN_ID/path, a folder, or another location.")


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
    env_manager: Annotated[str | None, typer.Option(help="uv, local …; by default uv if installed.")] = None,
    pip_requirements_override: Annotated[
        list[str] | None,
        typer.Option("-r", "--pip-requirements-override", help="A requirement that wins over the model's own."),
    ] = None,
    env: Annotated[
        list[str] | None, typer.Option("--env", help="A variable for the model's process, KEY=VALUE.")
    ] = None,
    trust: Annotated[str, typer.Option(help="own or all: which locations may bring code to run.")] = "own",
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
        pip_requirements_override,
        _variables(env or []),
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
