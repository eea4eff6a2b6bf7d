"""``dovetail datasets``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from dovetail.cli import completion, output, selection
from dovetail.cli.group import GroupApp
from dovetail.errors import InvalidInput, NotFound

if TYPE_CHECKING:
    from dovetail.cli.dataset_uses import UsedDataset

__all__ = ["app"]

app = GroupApp("List and show the datasets that runs used.")

_NAMED = 5
NAME = typer.Option("--name", help="Only datasets of that name.", autocompletion=completion.dataset_names)
CONTEXT = typer.Option("-c", "--context", help="Only what was used for that, such as training.")
DATASET = typer.Argument(metavar="NAME", help="The dataset's name.", autocompletion=completion.dataset_names)


@app.command("list")
def list_datasets(
    experiment_id: Annotated[str | None, selection.EXPERIMENT_ID] = None,
    experiment_name: Annotated[str | None, selection.EXPERIMENT_NAME] = None,
    name: Annotated[str | None, NAME] = None,
    context: Annotated[str | None, CONTEXT] = None,
    max_results: Annotated[int, typer.Option("-m", "--max-results", min=1, max=50_000, help="At most this many.")] = 20,
    view: Annotated[str, selection.VIEW] = "active_only",
    json: Annotated[bool, output.JSON] = False,
) -> None:
    """List datasets that runs used, the one used last first, of one experiment or of all.

    --view says which runs count: active ones, deleted ones, or all.
    """
    from dovetail.cli.dataset_uses import used_datasets

    view_type = selection.view_type(view)
    names = {each.experiment_id: each.name for each in selection.experiments_of(experiment_id, experiment_name)}
    found = used_datasets(names, view_type, name, context)
    if json:
        output.json_out([each.to_dictionary() for each in found[:max_results]])
        return
    from dovetail.cli.dataset_view import list_datasets

    list_datasets(found[:max_results], names)
    if len(found) > max_results:
        typer.echo(output.styled(f"{max_results} of {len(found)} datasets; -m says how many.", dim=True), err=True)


@app.command()
def show(
    name: Annotated[str, DATASET],
    digest: Annotated[str | None, typer.Option(help="Its digest, or the beginning of it.")] = None,
    experiment_id: Annotated[str | None, selection.EXPERIMENT_ID] = None,
    experiment_name: Annotated[str | None, selection.EXPERIMENT_NAME] = None,
    json: Annotated[bool, output.JSON] = False,
) -> None:
    """Show one dataset: where it came from, what it holds, and which runs used it, deleted ones included."""
    from dovetail.cli.dataset_uses import used_datasets

    names = {each.experiment_id: each.name for each in selection.experiments_of(experiment_id, experiment_name)}
    found = used_datasets(names, selection.view_type("all"), name)
    chosen = _only([each for each in found if each.dataset.digest.startswith(digest or "")], name, digest)
    if json:
        output.json_out(chosen.to_dictionary())
        return
    from dovetail.cli.dataset_view import show_dataset

    show_dataset(chosen, names[chosen.experiment_id])


def _only(found: list[UsedDataset], name: str, digest: str | None) -> UsedDataset:
    """The one dataset that is meant.

    Raises:
        NotFound: There is none.
        InvalidInput: There are several.
    """
    if not found:
        called = f"{name!r}" + (f" with a digest {digest!r}" if digest else "")
        raise NotFound(f"No run used a dataset {called}.", hint="See `dovetail datasets list`.")
    if len(found) == 1:
        return found[0]
    shown = [f"{each.dataset.digest} in experiment {each.experiment_id}" for each in found[:_NAMED]]
    more = ["…"] * (len(found) > _NAMED)
    message = f"{len(found)} datasets are called {name!r}: {', '.join([*shown, *more])}."
    raise InvalidInput(message, hint="Say which with --digest, and with -x where experiments share it.")
