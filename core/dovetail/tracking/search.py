"""The fluent verb that finds runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dovetail.errors import InvalidInput, NotFound, PluginMissing
from dovetail.tracking.client import Client
from dovetail.tracking.experiments import active_experiment_id
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
    max_results: int = MAX_RESULTS,
    order_by: Sequence[str] | None = None,
    output_format: str = "pandas",
    search_all_experiments: bool = False,
    experiment_names: Sequence[str] | None = None,
) -> Any:
    """Find runs.

    Args:
        experiment_ids: Where to look; a single id is accepted; by default the experiment in force.
        filter_string: Such as ``metrics.acc > 0.9 AND params.model = 'rf'``.
        run_view_type: Active runs by default.
        max_results: At most this many.
        order_by: Such as ``["metrics.acc DESC"]``; newest first by default.
        output_format: ``pandas`` for a DataFrame, ``list`` for runs.
        search_all_experiments: Look everywhere.
        experiment_names: Where to look, by name, instead of ids.

    Raises:
        InvalidFilter: The filter or order cannot be parsed.
        PluginMissing: A DataFrame is asked for and pandas is not installed.
    """
    if output_format not in ("pandas", "list"):
        raise InvalidInput(f"output_format is {output_format!r}.", hint="Use 'pandas' or 'list'.")
    if output_format == "pandas":
        _pandas()
    ids = _experiments(experiment_ids, experiment_names, everywhere=search_all_experiments)
    runs = _walk(ids, filter_string, run_view_type, max_results, order_by)
    return runs if output_format == "list" else _frame(runs)


def _experiments(ids: Sequence[str] | str | None, names: Sequence[str] | None, *, everywhere: bool) -> list[str]:
    if ids and names:
        raise InvalidInput("search_runs takes experiment_ids or experiment_names, not both.")
    if names:
        return [_id_of(name) for name in names]
    if ids:
        return [ids] if isinstance(ids, (str, int)) else list(ids)
    if everywhere:
        from dovetail.tracking.experiments import search_experiments

        return [each.experiment_id for each in search_experiments(ViewType.ALL)]
    return [active_experiment_id()]


def _id_of(name: str) -> str:
    found = Client().get_experiment_by_name(name)
    if found is None:
        raise NotFound(f"There is no experiment named {name!r}.", hint="See `dovetail experiments search`.")
    return found.experiment_id


def _walk(ids: list[str], filter_string: str, view: int, max_results: int, order_by: Sequence[str] | None) -> list[Run]:
    client, found, token = Client(), list[Any](), None
    while len(found) < max_results:
        page = client.search_runs(ids, filter_string, view, min(1000, max_results - len(found)), order_by, token)
        found += page
        token = page.token
        if token is None:
            break
    return found


def _pandas() -> Any:
    try:
        import pandas as pd
    except ImportError as error:
        raise PluginMissing(
            "search_runs returns a pandas DataFrame, and pandas is not installed.",
            hint="Install it with `pip install pandas`, or use output_format='list'.",
        ) from error
    return pd


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
