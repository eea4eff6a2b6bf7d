"""Makes the calls that `client_calls.py` reports; runs in the peer's interpreter.

Arguments: module, client class, module of the entities, tracking URI, experiment.
"""

from __future__ import annotations

import json
import sys
import time
from importlib import import_module
from statistics import median, quantiles
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

CALLS, PARAMS, BATCH, BATCHES, RUNS, READS = 500, 100, 1000, 5, 20, 50


def main(module: str, client_name: str, entities: str, uri: str, experiment: str) -> None:
    """Time everything once and print one JSON object."""
    mlflow: Any = import_module(module)
    mlflow.set_tracking_uri(uri)
    mlflow.set_experiment(experiment)
    client = getattr(mlflow, client_name)()
    metric = import_module(entities).Metric
    whole_run(mlflow)  # Connections, caches and prepared statements are there before the clock starts.
    figures = {
        **points(mlflow, client),
        "log_param": params(mlflow),
        "log_batch": batches(mlflow, client, metric),
        **runs(mlflow, client),
    }
    print(json.dumps(figures))


def timed(call: Callable[..., Any], *args: Any, **options: Any) -> float:
    """Seconds that one call takes."""
    start = time.perf_counter()
    call(*args, **options)
    return time.perf_counter() - start


def points(mlflow: Any, client: Any) -> dict[str, float]:
    """One point a call: what the caller waits for, and what it takes until all of them are stored."""
    start = time.perf_counter()
    run = mlflow.start_run()
    each = [timed(mlflow.log_metric, "loss", 1.0 / (step + 1), step=step) for step in range(CALLS)]
    mlflow.end_run()
    whole = time.perf_counter() - start
    expect(len(client.get_metric_history(run.info.run_id, "loss")), CALLS)
    return {
        "log_metric": median(each) * 1e6,
        "log_metric_p99": quantiles(each, n=100)[98] * 1e6,
        "log_metric_stored": whole / CALLS * 1e6,
    }


def params(mlflow: Any) -> float:
    """One param a call."""
    mlflow.start_run()
    each = [timed(mlflow.log_param, f"param_{number}", number) for number in range(PARAMS)]
    mlflow.end_run()
    return median(each) * 1e6


def batches(mlflow: Any, client: Any, metric: Any) -> float:
    """A thousand points of ten series in one call of the client."""
    run_id = client.create_run(mlflow.set_experiment("batches").experiment_id).info.run_id
    each = [timed(client.log_batch, run_id, metrics=batch(metric, number)) for number in range(BATCHES)]
    expect(len(client.get_metric_history(run_id, "series_0")), BATCHES * BATCH // 10)
    return median(each) * 1e3


def batch(metric: Any, number: int) -> list[Any]:
    """A thousand new points."""
    now, first = int(time.time() * 1000), number * BATCH // 10
    return [
        metric(key=f"series_{index % 10}", value=index / BATCH, timestamp=now, step=first + index // 10)
        for index in range(BATCH)
    ]


def runs(mlflow: Any, client: Any) -> dict[str, float]:
    """Whole small runs, and reading one back."""
    each = [timed(whole_run, mlflow) for _ in range(RUNS)]
    run_id = whole_run(mlflow)
    found = client.get_run(run_id)
    expect((len(found.data.params), len(found.data.metrics)), (10, 10))
    reads = [timed(client.get_run, run_id) for _ in range(READS)]
    return {"whole_run": median(each) * 1e3, "get_run": median(reads) * 1e3}


def whole_run(mlflow: Any) -> str:
    """What a small script logs, by the calls such scripts use."""
    run = mlflow.start_run()
    mlflow.log_params({f"param_{number}": number for number in range(10)})
    mlflow.log_metrics({f"metric_{number}": number / 10 for number in range(10)}, step=1)
    mlflow.set_tags({f"tag_{number}": str(number) for number in range(5)})
    mlflow.end_run()
    return str(run.info.run_id)


def expect(found: object, expected: object) -> None:
    """A figure for work that was not done would be worth nothing."""
    if found != expected:
        sys.exit(f"expected {expected} in the store, found {found}")


if __name__ == "__main__":
    main(*sys.argv[1:])
