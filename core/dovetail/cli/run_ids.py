"""Runs as people name them on the command line: by their id or the beginning of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dovetail.errors import InvalidInput, NotFound
from dovetail.values import ViewType

if TYPE_CHECKING:
    from dovetail.values import Run

__all__ = ["find_run"]

_BEGINNING = re.compile(r"[A-Za-z0-9][\w\-]*\Z", re.ASCII)
_NAMED = 5


def find_run(run_id: str) -> Run:
    """The run of that id, or the only one whose id begins like that, deleted ones included.

    Raises:
        NotFound: There is none.
        InvalidInput: Several ids begin like that.
    """
    from dovetail.tracking.client import Client

    try:
        return Client().get_run(run_id)
    except NotFound as error:
        found = _beginning_with(run_id)
        if not found:
            raise NotFound(error.message, hint="See `dovetail runs list`, also with `-v deleted_only`.") from error
    if len(found) > 1:
        shown = [run.info.run_id for run in found[:_NAMED]] + ["…"] * (len(found) > _NAMED)
        raise InvalidInput(f"Several runs begin with {run_id!r}: {', '.join(shown)}.", hint="Give more of the id.")
    return found[0]


def _beginning_with(text: str) -> list[Run]:
    from dovetail.tracking.search import search_runs

    if not _BEGINNING.match(text):
        return []
    like = f"attributes.run_id LIKE '{text}%'"
    runs: list[Run] = search_runs(
        None, like, ViewType.ALL, _NAMED + 1, output_format="list", search_all_experiments=True
    )
    # An underscore stands for any character in LIKE.
    return [run for run in runs if run.info.run_id.startswith(text)]
