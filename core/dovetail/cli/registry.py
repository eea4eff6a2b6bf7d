"""``dovetail registry``: registered models and their versions."""

from __future__ import annotations

import sys
from shlex import quote
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dovetail import uris
from dovetail.cli import output, registry_moves
from dovetail.cli.clients import open_client
from dovetail.cli.consent import require_consent
from dovetail.cli.group import GroupApp
from dovetail.cli.registry_names import MODEL, OF_ALIAS, OF_VERSION

if TYPE_CHECKING:
    from dovetail.tracking.client import Client
    from dovetail.values import ModelVersion, RegisteredModel

__all__ = ["app"]

app = GroupApp("Register models under names, and say which of their versions is in use.")

FILTER = typer.Option("-f", "--filter", help="Such as \"name LIKE 'wine%'\".")
ORDER = typer.Option("-o", "--order-by", help='Such as "last_updated_timestamp DESC".')
MOST = typer.Option("-m", "--max-results", min=1, max=1000, help="At most this many.")
VERSION_FILTER = typer.Option("-f", "--filter", help="Such as \"version_number > 3 AND tags.checked = 'yes'\".")
VERSION_ORDER = typer.Option("-o", "--order-by", help='Such as "version_number DESC"; may be repeated.')
MOST_VERSIONS = typer.Option("-m", "--max-results", min=1, max=200_000, help="At most this many.")
DESCRIPTION = typer.Option(help="What it is, at length.")
TAGS = typer.Option("-t", "--tags", metavar="KEY=VALUE", help="A tag; may be repeated.")


@app.command("list")
def list_models(
    filter_string: Annotated[str, FILTER] = "",
    order_by: Annotated[list[str] | None, ORDER] = None,
    max_results: Annotated[int, MOST] = 20,
    json: Annotated[bool, output.JSON] = False,
) -> None:
    """List registered models, by name."""
    found = open_client().search_registered_models(filter_string, max_results, order_by)
    if json:
        output.json_out([model.to_dictionary() for model in found])
        return
    from dovetail.cli.registry_view import list_models

    list_models(found)


@app.command()
def show(
    name: Annotated[str, MODEL],
    version: Annotated[str | None, OF_VERSION] = None,
    alias: Annotated[str | None, OF_ALIAS] = None,
    json: Annotated[bool, output.JSON] = False,
) -> None:
    """Show one registered model, or one version of it."""
    from dovetail.cli import registry_view

    if version is not None and alias is not None:
        raise typer.BadParameter("Give either --version NUMBER or --alias ALIAS.")
    client = open_client()
    found: Any = _found(client, name, version) if alias is None else client.get_model_version_by_alias(name, alias)
    if json:
        output.json_out(found.to_dictionary())
    elif version is None and alias is None:
        registry_view.show_model(found)
    else:
        registry_view.show_version(found, client)


def _found(client: Client, name: str, version: str | None) -> RegisteredModel | ModelVersion:
    return client.get_registered_model(name) if version is None else client.get_model_version(name, version)


@app.command()
def versions(
    name: Annotated[str | None, MODEL] = None,
    filter_string: Annotated[str, VERSION_FILTER] = "",
    order_by: Annotated[list[str] | None, VERSION_ORDER] = None,
    max_results: Annotated[int, MOST_VERSIONS] = 20,
    json: Annotated[bool, output.JSON] = False,
) -> None:
    """List the versions of a registered model, the highest number first; without NAME those of all, last updated first.

    Any other order is up to --order-by.
    """
    client = open_client()
    if name is not None:
        client.get_registered_model(name)
    usual = [] if name is None else ["version_number DESC"]
    found = client.search_model_versions(_within(name, filter_string), max_results, order_by or usual)
    if json:
        output.json_out([each.to_dictionary() for each in found])
        return
    from dovetail.cli.registry_view import list_versions

    list_versions(found, named=name is None)


def _within(name: str | None, filter_string: str) -> str:
    """A filter on versions that lets those of one model through, if one is named."""
    if name is None:
        return filter_string
    from dovetail.tracking.filters import parse_filter

    quoted = name.replace("'", "''")
    # It must be a filter by itself: errors quote what was written, and no parenthesis leads out of the name.
    asked = parse_filter(filter_string, "model_versions")
    return f"name = '{quoted}'" + ("" if asked is None else f" AND ({filter_string})")


@app.command()
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Unique; no slash and no colon.")],
    description: Annotated[str | None, DESCRIPTION] = None,
    tags: Annotated[list[str] | None, TAGS] = None,
    json: Annotated[bool, output.JSON] = False,
) -> None:
    """Create a registered model without versions; `register` creates it, too."""
    from dovetail.cli.pairs import pairs

    made = open_client().create_registered_model(name, pairs(tags or []), description)
    output.told(made.to_dictionary(), f"Created registered model {name!r}.", json=json)


@app.command()
def register(
    model_uri: Annotated[
        str, typer.Argument(help="runs:/RUN_ID/path, models:/NAME/VERSION, a folder, or another location.")
    ],
    name: Annotated[str, MODEL],
    description: Annotated[str | None, DESCRIPTION] = None,
    tags: Annotated[list[str] | None, TAGS] = None,
    run_link: Annotated[str | None, typer.Option(metavar="URL", help="A page about its run, elsewhere.")] = None,
    wait: Annotated[
        float,
        typer.Option(metavar="SECONDS", min=0, help="How long to wait for it at most if it is not ready at once."),
    ] = 300,
    json: Annotated[bool, output.JSON] = False,
) -> None:
    """Register a model as a new version under a name, which is created if it is new."""
    from dovetail.cli.pairs import pairs
    from dovetail.registry.models import register_model

    made = register_model(model_uri, name, wait, tags=pairs(tags or []), description=description, run_link=run_link)
    output.told(
        made.to_dictionary(), f"Registered {uris.masked(model_uri)} as version {made.version} of {name!r}.", json=json
    )
    if not json and sys.stdout.isatty():
        output.next_steps(
            (f"models predict -m {quote(f'models:/{name}/{made.version}')} -i FILE", "predict with it"),
            (f"registry alias set {quote(name)} champion {made.version}", "say that it is the one in use"),
        )


@app.command()
def copy(
    model_uri: Annotated[str, typer.Argument(help="models:/NAME/VERSION, or by stage or @alias.")],
    name: Annotated[str, MODEL],
    json: Annotated[bool, output.JSON] = False,
) -> None:
    """Register a version under another name as well, which is created if it is new."""
    made = open_client().copy_model_version(model_uri, name)
    output.told(
        made.to_dictionary(), f"Registered {uris.masked(model_uri)} as version {made.version} of {name!r}.", json=json
    )


@app.command()
def rename(
    name: Annotated[str, MODEL],
    new_name: Annotated[str, typer.Argument(metavar="NEW_NAME", help="Its new name.")],
    json: Annotated[bool, output.JSON] = False,
) -> None:
    """Give a registered model another name; versions, aliases and history go along."""
    made = open_client().rename_registered_model(name, new_name)
    output.told(made.to_dictionary(), f"Registered model {name!r} is now called {new_name!r}.", json=json)


@app.command()
def describe(
    name: Annotated[str, MODEL],
    description: Annotated[str, typer.Argument(metavar="TEXT", help="What it is; '' takes the description away.")],
    version: Annotated[str | None, OF_VERSION] = None,
    json: Annotated[bool, output.JSON] = False,
) -> None:
    """Describe a registered model, or one version of it."""
    client = open_client()
    changed: Any = (
        client.update_registered_model(name, description)
        if version is None
        else client.update_model_version(name, version, description)
    )
    output.told(changed.to_dictionary(), f"Described {_thing(name, version)}.", json=json)


@app.command()
def tag(
    name: Annotated[str, MODEL],
    tags: Annotated[list[str], typer.Argument(metavar="KEY=VALUE...", help="What to set.")],
    version: Annotated[str | None, OF_VERSION] = None,
    json: Annotated[bool, output.JSON] = False,
) -> None:
    """Set tags of a registered model, or of one version of it."""
    from dovetail.cli.pairs import pairs
    from dovetail.registry.tags import as_registry_tags
    from dovetail.values.registry import check_registered_name, check_version

    client, given = open_client(), pairs(tags)
    labels = as_registry_tags(given)
    if version is None:
        client.registry.set_registered_model_tags(check_registered_name(name), labels)
    else:
        client.registry.set_model_version_tags(check_registered_name(name), check_version(version), labels)
    _tell_tags(client, name, version, f"Set {', '.join(given)} of {_thing(name, version)}.", json=json)


@app.command()
def untag(
    name: Annotated[str, MODEL],
    keys: Annotated[list[str], typer.Argument(metavar="KEY...", help="What to remove.")],
    version: Annotated[str | None, OF_VERSION] = None,
    json: Annotated[bool, output.JSON] = False,
) -> None:
    """Remove tags of a registered model, or of one version of it."""
    from dovetail.values.names import check_key

    client = open_client()
    for key in [check_key("tag", key) for key in keys]:  # all of them first, so that nothing is done by half
        if version is None:
            client.delete_registered_model_tag(name, key)
        else:
            client.delete_model_version_tag(name, version, key)
    _tell_tags(client, name, version, f"Removed {', '.join(keys)} from {_thing(name, version)}.", json=json)


def _tell_tags(client: Client, name: str, version: str | None, message: str, *, json: bool) -> None:
    output.told(_found(client, name, version).to_dictionary(), message, json=json)


@app.command()
def delete(
    name: Annotated[str, MODEL],
    version: Annotated[str | None, OF_VERSION] = None,
    yes: Annotated[bool, typer.Option("-y", "--yes", help="Do not ask.")] = False,
    json: Annotated[bool, output.JSON] = False,
) -> None:
    """Delete a registered model with its versions, or one version of it; the models' files stay."""
    client, what = open_client(), _thing(name, version)
    found = _found(client, name, version)
    if not yes:
        require_consent(f"Delete {what}?", f"{what} would be deleted", json=json)
    if version is None:
        client.delete_registered_model(name)
    else:
        client.delete_model_version(name, version)
    output.told(found.to_dictionary(), f"Deleted {what}.", json=json)


def _thing(name: str, version: str | None) -> str:
    return f"registered model {name!r}" if version is None else f"version {version} of {name!r}"


registry_moves.add_to(app)
