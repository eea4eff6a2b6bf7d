"""Logged models as people name them on the command line: by their id or the beginning of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from dovetail.cli import completion
from dovetail.cli.beginnings import logged_models_beginning_with
from dovetail.errors import InvalidInput, InvalidName, NotFound

if TYPE_CHECKING:
    from dovetail.values import LoggedModel

__all__ = ["MODEL", "find_logged_model"]

MODEL = typer.Argument(
    metavar="MODEL_ID",
    help="The logged model's id, or the beginning of it.",
    autocompletion=completion.logged_model_ids,
    show_default=False,
)

_NAMED = 5


def find_logged_model(model_id: str) -> LoggedModel:
    """The logged model of that id, or the only one whose id begins like that, deleted ones included.

    Raises:
        NotFound: There is none.
        InvalidInput: Several ids begin like that.
    """
    from dovetail.tracking.client import Client
    from dovetail.values.names import check_model_id

    try:
        return Client().store.get_logged_model(check_model_id(model_id), allow_deleted=True)
    except (NotFound, InvalidName) as error:
        found = logged_models_beginning_with(model_id, _NAMED + 1) if model_id else []
        if not found:
            hint = "See `dovetail logged-models search`, also with `-v deleted_only`."
            raise NotFound(f"There is no logged model {model_id!r}.", hint=hint) from error
    if len(found) > 1:
        shown = [model.model_id for model in found[:_NAMED]] + ["…"] * (len(found) > _NAMED)
        message = f"Several logged models begin with {model_id!r}: {', '.join(shown)}."
        raise InvalidInput(message, hint="Give more of the id.")
    return Client().store.get_logged_model(found[0].model_id, allow_deleted=True)
