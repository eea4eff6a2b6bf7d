"""Counts what a store holds, by the peer's own client; runs in the peer's interpreter.

Arguments: module, client class, module of the entities, tracking URI, experiment, metric key.
"""

from __future__ import annotations

import json
import sys
from importlib import import_module
from typing import Any


def main(module: str, client_name: str, uri: str, experiment: str, key: str) -> None:
    """Print the number of runs, of finished runs and of points."""
    mlflow: Any = import_module(module)
    mlflow.set_tracking_uri(uri)
    client = getattr(mlflow, client_name)()
    runs = client.search_runs([client.get_experiment_by_name(experiment).experiment_id], max_results=1000)
    points = sum(len(client.get_metric_history(run.info.run_id, key)) for run in runs)
    finished = sum(str(run.info.status).endswith("FINISHED") for run in runs)
    print(json.dumps({"runs": len(runs), "finished": finished, "points": points}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[4], sys.argv[5], sys.argv[6])
