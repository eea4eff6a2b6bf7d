"""One of the processes of `first_touch.py`; runs in the peer's interpreter.

Arguments: module, client class, module of the entities, tracking URI, experiment, points.
Says "ready" when the library is loaded and starts when it is sent a line.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any


def main(module: str, uri: str, experiment: str, points: int) -> None:
    """Wait for the start, then touch the store."""
    mlflow: Any = import_module(module)
    print("ready", flush=True)
    sys.stdin.readline()
    mlflow.set_tracking_uri(uri)
    mlflow.set_experiment(experiment)
    mlflow.start_run()
    for step in range(points):
        mlflow.log_metric("m", float(step), step=step)
    mlflow.end_run()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[4], sys.argv[5], int(sys.argv[6]))
