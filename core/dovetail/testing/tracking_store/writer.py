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
from dovetail.values import (
    Dataset,
    DatasetInput,
    InputTag,
    JournalMark,
    LoggedModelOutput,
    Metric,
    NewLoggedModel,
    NewRun,
)

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


def history(store: TrackingStore, run_id: str, number: str, count: str) -> None:
    """Log long batches, acknowledge each, and end the run now and then."""
    from dovetail.testing.tracking_store.histories import chunk

    for sequence in range(int(count)):
        store.log_batch(run_id, batch_of(*chunk(int(number), sequence)), ended=True)
        say(str(sequence))
        if sequence % 5 == int(number):
            store.update_run(run_id, status="FINISHED")


def models(store: TrackingStore, run_id: str, number: str, count: str) -> None:
    """Create models and note them, and data that all processes use, as what the shared run made and used."""
    create(store, run_id)
    for step in range(int(count)):
        model_id = store.create_logged_model(NewLoggedModel("0", name=number)).model_id
        data = [Dataset(name, "1", "local", "{}") for name in ("shared", number)]
        turned = data if int(number) % 2 else data[::-1]
        store.log_inputs(run_id, [DatasetInput(each, (InputTag("by", number),)) for each in turned])
        store.log_outputs(run_id, [LoggedModelOutput(model_id, step)])
        store.log_batch(run_id, batch_of(Metric("acc", float(step), step, step, model_id, "shared", "1")))
        store.update_logged_model(model_id, status="READY")
        say(model_id)


def create(store: TrackingStore, run_id: str) -> None:
    """Create the shared run unless others were first."""
    try:
        store.create_run(NewRun("0", run_id=run_id))
    except AlreadyExists:
        store.get_run(run_id)


def empty(store: TrackingStore) -> None:
    """Take away all that lies in the bin, and acknowledge each step."""
    for item in store.discarded():
        if store.condemn(item):
            say(item.id)
            store.purge(item)
            say(item.id)


JOBS: dict[str, Callable[..., None]] = {
    "touch": touch,
    "write": write,
    "history": history,
    "models": models,
    "empty": empty,
}

if __name__ == "__main__":
    main(*sys.argv[1:])
