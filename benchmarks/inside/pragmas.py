"""Tells which durability the peer's own sqlite connections have; runs in the peer's interpreter.

Arguments: module, client class, module of the entities, tracking URI, experiment.
`synchronous` belongs to a connection and not to the file, so it is asked of the connections
that the library opened itself while it logged a run.
"""

from __future__ import annotations

import sqlite3
import sys
from importlib import import_module
from typing import Any

LEVELS = {0: "OFF", 1: "NORMAL", 2: "FULL", 3: "EXTRA"}


def main(module: str, uri: str, experiment: str) -> None:
    """Log a run, then print what the connections answer."""
    opened: list[sqlite3.Connection] = []
    sys.addaudithook(lambda event, args: opened.append(args[0]) if event == "sqlite3.connect/handle" else None)
    mlflow: Any = import_module(module)
    mlflow.set_tracking_uri(uri)
    mlflow.set_experiment(experiment)
    mlflow.start_run()
    mlflow.log_metric("loss", 0.5)
    answers = dict.fromkeys(filter(None, map(answer, opened)))
    mlflow.end_run()
    answers.update(dict.fromkeys(filter(None, map(answer, opened))))
    print(" | ".join(answers) or f"none of {len(opened)} sqlite connections could be asked")


def answer(connection: sqlite3.Connection) -> str | None:
    """The answers of one connection; None if it is closed or belongs to another thread."""
    try:
        mode, level, patience = (
            connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("journal_mode", "synchronous", "busy_timeout")
        )
    except sqlite3.ProgrammingError:
        return None
    return f"PRAGMA journal_mode = {mode}, synchronous = {LEVELS[level]}, busy_timeout = {patience} ms"


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[4], sys.argv[5])
