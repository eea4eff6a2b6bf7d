"""One table of several runs: the same file of each, below each other."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from dovetail import uris
from dovetail.errors import InvalidInput, NotFound
from dovetail.tracking import frames
from dovetail.tracking.run_artifacts import TABLES_TAG, RunArtifacts, tables_of
from dovetail.tracking.walking import walk
from dovetail.values.names import check_run_id

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dovetail.tracking.client import Client
    from dovetail.values import Page, Run

__all__ = ["load"]

_GROUPS = ("metrics", "params", "tags")
_TIMES = ("start_time", "end_time")  # moments in a DataFrame, as search_runs has them


def load(
    client: Client,
    experiment_id: str,
    artifact_file: str,
    run_ids: Sequence[str] | None,
    extra_columns: Sequence[str] | None,
) -> Any:
    """The tables of that name as one DataFrame; see ``dovetail.load_table``."""
    pd = frames.pandas("load_table returns a pandas DataFrame")
    path, extra = uris.artifact_path(artifact_file), _several(extra_columns)
    runs = _having(client, experiment_id, path) if run_ids is None else _named(client, run_ids)
    parts = {run.info.run_id: _frame(client, run, path, extra, pd) for run in runs}
    found = [part for part in parts.values() if part is not None]
    if not found:
        raise NotFound(f"No run has a table {path!r}.", hint="Give run_ids, or see `dovetail artifacts list -r RUN`.")
    if without := [run_id for run_id, part in parts.items() if part is None]:
        warnings.warn(f"These runs have no table {path!r} and are left out: {', '.join(without)}.", stacklevel=4)
    return pd.concat(found, ignore_index=True)


def _several(one_or_more: Sequence[str] | None) -> list[str]:
    several = [one_or_more] if isinstance(one_or_more, str) else one_or_more or ()
    if not isinstance(several, Iterable) or not all(isinstance(each, str) for each in several):
        raise InvalidInput(f"run_ids and extra_columns are lists of text, not {several!r}.")
    return list(dict.fromkeys(several))


def _named(client: Client, run_ids: Sequence[str]) -> list[Run]:
    return [client.get_run(check_run_id(each)) for each in _several(run_ids)]


def _having(client: Client, experiment_id: str, path: str) -> list[Run]:
    """The runs whose tag names such a table, those that started first first."""
    named, order = f"tags.`{TABLES_TAG}` != ''", ["attributes.start_time ASC"]

    def page(size: int, token: str | None) -> Page[Run]:
        return client.search_runs(experiment_id, named, max_results=size, order_by=order, page_token=token)

    runs = walk(page, None)
    return [run for run in runs if path in tables_of(run.data.tags)]


def _frame(client: Client, run: Run, path: str, extra: list[str], pd: Any) -> Any:
    """The run's table with the facts about it; None if it has no such table."""
    try:
        frame = RunArtifacts(client.store, run.info.run_id).load_table(path).frame()
    except NotFound:
        return None
    for name in extra:
        if name in frame.columns:
            raise InvalidInput(f"The table {path!r} has a column {name!r} of its own; ask for other extra_columns.")
        fact = _fact(run, name)
        frame[name] = [pd.to_datetime(fact, unit="ms", utc=True) if name in _TIMES else fact] * len(frame)
    return frame


def _fact(run: Run, name: str) -> Any:
    group, _, key = name.partition(".")
    if group in _GROUPS and key:
        return getattr(run.data, group).get(key)
    if name not in run.info.__dict__:
        known = ", ".join(run.info.__dict__)
        raise InvalidInput(f"A run has no fact {name!r}.", hint=f"Use {known}, metrics.KEY, params.KEY or tags.KEY.")
    return run.info.__dict__[name]
