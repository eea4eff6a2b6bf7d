"""Registered models, versions and moves for people."""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING

import typer

from dovetail import uris
from dovetail.cli import output
from dovetail.errors import DovetailError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dovetail.tracking.client import Client
    from dovetail.values import ModelVersion, RegisteredModel, RegistryMove

__all__ = ["list_models", "list_versions", "show_history", "show_model", "show_version"]

_REGISTER = "Register one with `dovetail registry register MODEL_URI NAME`."


def list_models(models: Iterable[RegisteredModel]) -> None:
    """Print a table of registered models."""
    rows = [[each.name, _highest(each), _aliases(each), output.ago(each.last_updated_timestamp)] for each in models]
    output.table(["Name", ">Latest", "Aliases", "Updated"], rows, empty=f"No registered models. {_REGISTER}")


def _highest(model: RegisteredModel) -> str:
    return str(max((each.version for each in model.latest_versions), default="-"))


def _aliases(model: RegisteredModel) -> str:
    return ", ".join(f"@{alias} {version}" for alias, version in sorted(model.aliases.items())) or "-"


def list_versions(versions: Iterable[ModelVersion], *, named: bool = False) -> None:
    """Print a table of versions, with the names of their models if they are of several."""
    rows = [[*([each.name] if named else []), *_row(each), uris.masked(each.source)] for each in versions]
    columns = [">Version", "Stage", "Aliases", "Created", "By", "Source"]
    output.table(["Name", *columns] if named else columns, rows, empty=f"No versions. {_REGISTER}")


def _row(version: ModelVersion) -> list[str]:
    made = output.ago(version.creation_timestamp)
    return [str(version.version), version.current_stage, _names(version), made, version.user_id or "-"]


def _names(version: ModelVersion) -> str:
    return ", ".join(f"@{alias}" for alias in version.aliases) or "-"


def show_model(model: RegisteredModel) -> None:
    """Print a registered model with the latest version of each stage."""
    output.fact("model", model.name)
    if model.description:
        output.fact("description", model.description)
    output.fact("created", output.ago(model.creation_timestamp))
    output.fact("updated", output.ago(model.last_updated_timestamp))
    for alias, version in sorted(model.aliases.items()):
        output.fact("alias", f"@{alias} is version {version}")
    for each in model.latest_versions:
        output.fact("in stage", f"{each.current_stage}: version {each.version}")
    _tags(model.tags)
    typer.echo()
    output.next_steps(
        (f"registry versions {quote(model.name)}", "all versions"),
        (f"registry history {quote(model.name)}", "who moved what"),
    )


def show_version(version: ModelVersion, client: Client) -> None:
    """Print a version, and where its files are."""
    output.fact("version", f"{version.version} of {version.name}")
    if version.description:
        output.fact("description", version.description)
    output.fact("stage", version.current_stage)
    if version.aliases:
        output.fact("aliases", _names(version))
    output.fact("status", version.status.value)
    output.fact("created", f"{output.ago(version.creation_timestamp)} by {version.user_id or 'unknown'}")
    for name, value in (("run", version.run_id), ("model", version.model_id), ("page", version.run_link)):
        if value:
            output.fact(name, uris.masked(value))
    output.fact("source", uris.masked(version.source))
    output.fact("files", _files(version, client))
    _tags(version.tags)
    typer.echo()
    uri = quote(f"models:/{version.name}/{version.version}")
    output.next_steps((f"models predict -m {uri} -i FILE", "predict with it"))


def _files(version: ModelVersion, client: Client) -> str:
    try:
        return uris.masked(client.get_model_version_download_uri(version.name, version.version))
    except DovetailError as error:  # what it was made of is gone; everything else is still worth showing
        return f"cannot be found: {error.message}"


def _tags(tags: Mapping[str, str]) -> None:
    for key, value in sorted(tags.items()):
        output.fact("tag", f"{key}: {uris.masked(value)}")


def show_history(moves: Iterable[RegistryMove]) -> None:
    """Print a table of moves."""
    rows = [[output.ago(move.timestamp), *_words(move)] for move in moves]
    output.table(["When", "What", "From", "To", "By", "Why"], rows, empty="Nothing was moved so far.")


def _words(move: RegistryMove) -> list[str]:
    what = f"@{move.what}" if move.kind == "alias" else f"version {move.what}"
    return [what, *(each or "-" for each in (move.before, move.after, move.user_id, move.reason))]
