"""The fluent verb that finds runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dovetail.errors import InvalidInput, NotFound
from dovetail.tracking import frames
from dovetail.tracking.casting import as_list
from dovetail.tracking.client import Client
from dovetail.tracking.experiments import active_experiment_id, search_experiments
from dovetail.tracking.walking import walk
from dovetail.values import ViewType

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dovetail.values import Run

__all__ = ["search_runs"]

MAX_RESULTS = 100_000


def search_runs(
    experiment_ids: Sequence[str] | str | None = None,
    filter_string: str = "",
    run_view_type: int = ViewType.ACTIVE_ONLY,
    max_results: int | None = MAX_RESULTS,
    order_by: Sequence[str] | str | None = None,
    output_format: str = "pandas",
    search_all_experiments: bool = False,
    experiment_names: Sequence[str] | str | None = None,
) -> Any:
    """Find runs.

    Args:
        experiment_ids: Where to look; a single id is accepted; by default the experiment in force.
        filter_string: Such as ``metrics.acc > 0.9 AND params.model = 'rf'``.
        run_view_type: Active runs by default.
        max_results: At most this many; None for all.
        order_by: Such as ``["metrics.acc DESC"]``; newest first by default.
        output_format: ``pandas`` for a DataFrame, ``list`` for runs.
        search_all_experiments: Look everywhere.
        experiment_names: Where to look, by name, instead of ids.

    Returns:
        A DataFrame with a row for each run, or a list of runs.

    Raises:
        NotFound: There is no experiment of a name.
        InvalidFilter: The filter or order cannot be parsed.
        PluginMissing: A DataFrame is asked for and pandas is not installed.
    """
    if output_format not in ("pandas", "list"):
        raise InvalidInput(f"output_format is {output_format!r}.", hint="Use 'pandas' or 'list'.")
    if output_format == "pandas":
        _pandas()
    ids = _experiments(experiment_ids, experiment_names, everywhere=search_all_experiments)
    client = Client()
    runs = walk(
        lambda size, token: client.search_runs(ids, filter_string, run_view_type, size, order_by, token), max_results
    )
    return runs if output_format == "list" else _frame(runs)


def _experiments(
    experiment_ids: Sequence[str] | str | None, experiment_names: Sequence[str] | str | None, *, everywhere: bool
) -> list[str]:
    ids = _several("The ids of experiments", experiment_ids)
    names = _several("The names of experiments", experiment_names)
    if ids and names:
        raise InvalidInput("search_runs takes experiment_ids or experiment_names, not both.")
    if ids or names:
        return ids or [_id_of(name) for name in names]
    if everywhere:
        return [each.experiment_id for each in search_experiments(ViewType.ALL)]
    return [active_experiment_id()]


def _several(what: str, one_or_more: Sequence[str] | str | None) -> list[str]:
    if isinstance(one_or_more, (str, int)):
        return [str(one_or_more)]
    return [] if one_or_more is None else as_list(what, one_or_more)


def _id_of(name: str) -> str:
    found = Client().get_experiment_by_name(name)
    if found is None:
        raise NotFound(f"There is no experiment named {name!r}.", hint="See `dovetail experiments search`.")
    return found.experiment_id


def _pandas() -> Any:
    return frames.pandas("search_runs returns a pandas DataFrame", "use output_format='list'")


def _frame(runs: list[Run]) -> Any:
    """One row a run, with the columns MLflow gives: ``metrics.*``, ``params.*``, ``tags.*`` behind the metadata."""
    pd = _pandas()
    infos = [run.info for run in runs]
    columns: dict[str, Any] = {
        name: [getattr(info, name) for info in infos] for name in ("run_id", "experiment_id", "status", "artifact_uri")
    }
    for name in ("start_time", "end_time"):
        columns[name] = pd.to_datetime([getattr(info, name) for info in infos], unit="ms", utc=True)
    for prefix, missing in (("metrics", float("nan")), ("params", None), ("tags", None)):
        columns.update(_columns(prefix, [getattr(run.data, prefix) for run in runs], missing))
    return pd.DataFrame(columns)


def _columns(prefix: str, rows: list[dict[str, Any]], missing: Any) -> dict[str, list[Any]]:
    keys = dict.fromkeys(key for row in rows for key in row)
    return {f"{prefix}.{key}": [row.get(key, missing) for row in rows] for key in keys}
