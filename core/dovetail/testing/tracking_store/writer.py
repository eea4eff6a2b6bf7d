"""A process that writes to a tracking store: ``python -m dovetail.testing.tracking_store.writer <uri> <job> …``.

It says ``ready`` once it is up and has not touched the store, waits for a line on its standard input, opens the
store, and prints a line after each call that returned. What it printed is acknowledged: no crash may lose it.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from dovetail import plugins, uris
from dovetail.errors import AlreadyExists
from dovetail.testing.tracking_store.base import SIZE, batch_of, point
from dovetail.values import JournalMark, NewRun

if TYPE_CHECKING:
    from collections.abc import Callable

    from dovetail.tracking.store import TrackingStore

__all__ = ["main"]


def main(uri: str, job: str, *arguments: str) -> None:
    """Do one of the jobs with the store at the URI."""
    say("ready")
    sys.stdin.readline()
    store: TrackingStore = plugins.find("tracking_stores", uris.scheme_of(uri))(uri)
    JOBS[job](store, *arguments)
    store.close()


def say(line: str) -> None:
    """Print a line that has left the process when this returns."""
    print(line, flush=True)  # noqa: T201 - the parent process reads it


def touch(store: TrackingStore, run_id: str, number: str, batches: str) -> None:
    """Create the shared experiment, experiment and run unless others were first, and log to it."""
    try:
        experiment_id = store.create_experiment("shared")
        store.create_experiment(f"won-by-{number}")
    except AlreadyExists:
        found = store.get_experiment_by_name("shared")
        experiment_id = found.experiment_id if found else "none"
    try:
        store.create_run(NewRun(experiment_id, run_id=run_id))
    except AlreadyExists:
        store.get_run(run_id)
    for sequence in range(1, int(batches) + 1):
        log(store, run_id, number, sequence)


def write(store: TrackingStore, run_id: str, writer: str) -> None:
    """Log batches to a run until the process is killed."""
    sequence = store.applied(writer)
    while True:
        sequence += 1
        log(store, run_id, writer, sequence)


def log(store: TrackingStore, run_id: str, writer: str, sequence: int) -> None:
    """Log one batch and acknowledge it."""
    name = f"{writer}-{sequence}"
    points = (point(float(sequence), step=step, timestamp=sequence, key=writer) for step in range(SIZE))
    mark = JournalMark(writer, sequence)
    store.log_batch(run_id, batch_of(*points, params={name: name}, tags={name: name}), mark=mark)
    say(str(sequence))


JOBS: dict[str, Callable[..., None]] = {"touch": touch, "write": write}

if __name__ == "__main__":
    main(*sys.argv[1:])
