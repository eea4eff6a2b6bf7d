"""Some columns of runs instead of all: as plain rows, or as runs that hold no more than that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dovetail.tracking.filters import parse_columns
from dovetail.values import Run, RunData, RunInputs, RunOutputs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dovetail.tracking.filters import Kind

__all__ = ["projected", "rows_of"]


def rows_of(runs: Sequence[Run], columns: Sequence[str]) -> list[tuple[Any, ...]]:
    """The values of these columns of each run, None where it has none.

    Raises:
        InvalidFilter: One of them is no single column of a run.
    """
    wanted = parse_columns(columns, single=True)
    return [tuple(_held(run)[column.kind].get(column.key) for column in wanted) for run in runs]


def projected(runs: Sequence[Run], columns: Sequence[str]) -> list[Run]:
    """The runs with the metrics, params and tags that are among the columns, and without inputs and outputs.

    Raises:
        InvalidFilter: One of them is no column of a run.
    """
    kept: dict[Kind, set[str | None]] = {}
    for column in parse_columns(columns):
        kept.setdefault(column.kind, set()).add(column.key)
    inputs, outputs = RunInputs(), RunOutputs()
    return [Run.stored(info=run.info, data=_restricted(run.data, kept), inputs=inputs, outputs=outputs) for run in runs]


def _held(run: Run) -> dict[Kind, Mapping[Any, Any]]:
    data = run.data
    return {"metric": data.metrics, "param": data.params, "tag": data.tags, "attribute": run.info.__dict__}


def _restricted(data: RunData, kept: Mapping[Kind, set[str | None]]) -> RunData:
    def some(kind: Kind, values: Mapping[str, Any]) -> dict[str, Any]:
        keys = kept.get(kind, set())
        return {key: value for key, value in values.items() if None in keys or key in keys}

    metrics = some("metric", data.metrics)
    return RunData.stored(
        metrics=metrics,
        params=some("param", data.params),
        tags=some("tag", data.tags),
        latest=tuple(point for point in data.latest if point.key in metrics),
    )
