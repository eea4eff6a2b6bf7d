"""Logs and reads the histories that `histories.py` reports; runs in the peer's interpreter.

Arguments: module, client class, module of the entities, a job of JOBS, tracking URI, and what the job takes.
"""

from __future__ import annotations

import json
import sys
import time
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

BATCH, PLOTTED = 1000, 2000


def main(module: str, client_name: str, entities: str, job: str, uri: str, *argv: str) -> None:
    """Do one job and print one JSON object."""
    mlflow: Any = import_module(module)
    mlflow.set_tracking_uri(uri)
    client = getattr(mlflow, client_name)()
    metric = import_module(entities).Metric
    print(json.dumps(JOBS[job](mlflow, client, metric, *argv)))


def timed(call: Callable[..., Any], *args: Any, **options: Any) -> tuple[float, Any]:
    """Seconds that one call takes, and what it gives."""
    start = time.perf_counter()
    found = call(*args, **options)
    return time.perf_counter() - start, found


def fill(mlflow: Any, client: Any, metric: Any, count: str, series: str) -> dict[str, Any]:
    """Log so many points of so many series in turn, end the run, and say what each point took."""
    run_id = client.create_run(mlflow.set_experiment("histories").experiment_id).info.run_id
    taken = 0.0
    for first in range(0, int(count), BATCH):
        taken += timed(client.log_batch, run_id, metrics=batch(metric, first, int(series)))[0]
    taken += timed(client.set_terminated, run_id)[0]
    return {"run_id": run_id, "each": taken / int(count) * 1e6}


def batch(metric: Any, first: int, series: int) -> list[Any]:
    """A thousand points, a few milliseconds apart as in a training loop."""
    return [
        metric(f"series_{number % series}", number % 997 / 997, 1_700_000_000_000 + 7 * number, number // series)
        for number in range(first, first + BATCH)
    ]


def objects(_: Any, client: Any, __: Any, run_id: str, count: str) -> dict[str, float]:
    """Read a whole history, as both libraries do."""
    taken, found = timed(client.get_metric_history, run_id, "series_0")
    expect(len(found), int(count))
    return {"objects": taken}


def columns(_: Any, client: Any, __: Any, run_id: str, count: str) -> dict[str, float]:
    """Read it as arrays, thinned out, and in part: what one of them only can do by way of objects."""
    import numpy as np  # loaded beforehand, as where somebody plots

    first_step = int(count) // 3
    arrays, whole = timed(client.metric_history_arrays, run_id, "series_0")
    expect((len(whole.values), whole.values.dtype), (int(count), np.float64))
    plotted, sample = timed(client.sampled_metric_history, run_id, "series_0", PLOTTED)
    expect((len(sample) <= PLOTTED, max(sample.values)), (True, 996 / 997))
    triangles, _ = timed(client.sampled_metric_history, run_id, "series_0", PLOTTED, "lttb")
    part, found = timed(client.metric_history_arrays, run_id, "series_0", first_step, first_step + 4999)
    expect(len(found.steps), 5000)
    return {"arrays": arrays, "plotted": plotted * 1e3, "triangles": triangles * 1e3, "part": part * 1e3}


def expect(found: object, expected: object) -> None:
    """A figure for work that was not done would be worth nothing."""
    if found != expected:
        sys.exit(f"expected {expected} in the store, found {found}")


JOBS = {"fill": fill, "objects": objects, "columns": columns}

if __name__ == "__main__":
    main(*sys.argv[1:])
