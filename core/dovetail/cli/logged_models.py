"""``dovetail logged-models``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from dovetail.cli import output, selection
from dovetail.cli.clients import open_client
from dovetail.cli.group import GroupApp
from dovetail.cli.logged_model_ids import MODEL, find_logged_model

if TYPE_CHECKING:
    from collections.abc import Collection

    from dovetail.cli.logged_model_columns import Known
    from dovetail.values import LoggedModel, ViewType

__all__ = ["app"]

app = GroupApp("Search, show, tag, delete and restore logged models.")

MOST = typer.Option("-m", "--max-results", min=1, max=50_000, help="At most this many.")
FILTER = typer.Option("-f", "--filter", help='Such as "metrics.acc > 0.9" or "source_run_id = \'…\'".')
ORDER = typer.Option("-o", "--order-by", help='Such as "metrics.acc DESC"; may be repeated.')
DATASET = typer.Option("-d", "--dataset", metavar="NAME", help="Only what was measured on it; may be repeated.")
DIGEST = typer.Option("--digest", help="The digest of the one dataset that is named.")
COLUMNS = typer.Option(help='Only these, with commas between them, such as "model_id,metrics.acc,params.depth".')


@app.command()
def search(
    experiment_id: Annotated[str | None, selection.EXPERIMENT_ID] = None,
    experiment_name: Annotated[str | None, selection.EXPERIMENT_NAME] = None,
    filter_string: Annotated[str, FILTER] = "",
    order_by: Annotated[list[str] | None, ORDER] = None,
    datasets: Annotated[list[str] | None, DATASET] = None,
    digest: Annotated[str | None, DIGEST] = None,
    columns: Annotated[str | None, COLUMNS] = None,
    max_results: Annotated[int, MOST] = 20,
    view: Annotated[str, selection.VIEW] = "active_only",
    json: Annotated[bool, output.JSON] = False,
) -> None:
    """List logged models, newest first, of one experiment or of all.

    With --dataset, conditions on metrics and the metrics shown are about points measured on that data.
    """
    from dovetail.cli.logged_model_columns import Known, column_names
    from dovetail.tracking.filters import parse_datasets

    wanted = None if columns is None else column_names(columns)
    view_type, measured = selection.view_type(view), _datasets(datasets or [], digest)
    names = {each.experiment_id: each.name for each in selection.experiments_of(experiment_id, experiment_name)}
    found = _found(list(names), filter_string, measured, order_by or [], max_results + 1, view_type)
    binned = _binned(found, view_type)
    known = [Known(model, binned, parse_datasets(measured)) for model in found[:max_results]]
    if json:
        output.json_out([_told(each, wanted) for each in known])
        return
    from dovetail.cli.logged_model_view import list_logged_models

    list_logged_models(known, wanted, names, staged=view.lower() != "active_only")
    if len(found) > max_results:
        typer.echo(output.styled(f"These are the first {max_results}; -m says how many.", dim=True), err=True)


app.command("list", help="The same as search.")(search)


def _datasets(names: list[str], digest: str | None) -> list[dict[str, str]]:
    if digest is None:
        return [{"dataset_name": name} for name in names]
    if len(names) != 1:
        raise typer.BadParameter("--digest goes with one --dataset.")
    return [{"dataset_name": names[0], "dataset_digest": digest}]


def _found(
    experiments: list[str],
    filter_string: str,
    datasets: list[dict[str, str]],
    order_by: list[str],
    most: int,
    view: ViewType,
) -> list[LoggedModel]:
    from dovetail.tracking.walking import walk

    client = open_client()
    return walk(
        lambda size, token: client.search_logged_models(
            experiments, filter_string, datasets, size, order_by, token, view
        ),
        most,
    )


def _binned(models: list[LoggedModel], view: ViewType) -> Collection[str]:
    """The ids of those that lie in the bin: models do not say so themselves."""
    from dovetail.values import ViewType

    if view == ViewType.ALL:
        return {item.id for item in open_client().store.discarded() if item.kind == "logged_model"}
    return [model.model_id for model in models] if view == ViewType.DELETED_ONLY else ()


def _told(known: Known, columns: tuple[str, ...] | None) -> dict[str, Any]:
    return known.to_dictionary() if columns is None else {column: known.value(column) for column in columns}


@app.command()
def show(model_id: Annotated[str, MODEL], json: Annotated[bool, output.JSON] = False) -> None:
    """Show one logged model: what it is, and what was measured on it."""
    known = _known(find_logged_model(model_id))
    if json:
        output.json_out(known.to_dictionary())
        return
    from dovetail.cli.logged_model_view import show_logged_model

    show_logged_model(known, open_client().get_experiment(known.model.experiment_id))


@app.command()
def tag(
    model_id: Annotated[str, MODEL],
    tags: Annotated[list[str], typer.Argument(metavar="KEY=VALUE...", help="What to set.")],
    json: Annotated[bool, output.JSON] = False,
) -> None:
    """Set tags of a logged model."""
    from dovetail.cli.pairs import pairs

    found, given = find_logged_model(model_id).model_id, pairs(tags)
    open_client().set_logged_model_tags(found, given)
    _say(found, f"Set {', '.join(given)} of logged model {found}.", json=json)


@app.command()
def untag(
    model_id: Annotated[str, MODEL],
    keys: Annotated[list[str], typer.Argument(metavar="KEY...", help="What to remove.")],
    json: Annotated[bool, output.JSON] = False,
) -> None:
    """Remove tags of a logged model."""
    from dovetail.errors import NotFound

    model = find_logged_model(model_id)
    found, missing = model.model_id, [key for key in keys if key not in model.tags]
    if missing:
        raise NotFound(f"Logged model {found} has no tag {missing[0]!r}; nothing was removed.")
    for key in keys:
        open_client().delete_logged_model_tag(found, key)
    _say(found, f"Removed {', '.join(keys)} from logged model {found}.", json=json)


@app.command()
def delete(model_id: Annotated[str, MODEL], json: Annotated[bool, output.JSON] = False) -> None:
    """Put a logged model in the bin."""
    found = find_logged_model(model_id).model_id
    open_client().delete_logged_model(found)
    restoring = f"`dovetail logged-models restore {found}` brings it back"
    _say(found, f"Logged model {found} is in the bin; {restoring}.", json=json)


@app.command()
def restore(model_id: Annotated[str, MODEL], json: Annotated[bool, output.JSON] = False) -> None:
    """Take a logged model out of the bin."""
    found = find_logged_model(model_id).model_id
    open_client().restore_logged_model(found)
    _say(found, f"Logged model {found} is back.", json=json)


def _known(model: LoggedModel) -> Known:
    from dovetail.cli.logged_model_columns import Known
    from dovetail.errors import NotFound

    try:
        open_client().get_logged_model(model.model_id)
    except NotFound:  # it is there, as its finder has seen, but in the bin
        return Known(model, [model.model_id])
    return Known(model, ())


def _say(model_id: str, message: str, *, json: bool) -> None:
    if json:
        output.json_out(_known(find_logged_model(model_id)).to_dictionary())
    else:
        typer.echo(output.one_line(message))
