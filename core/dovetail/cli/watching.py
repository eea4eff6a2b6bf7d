"""Runs while they run: a live table in a terminal, a line for each change elsewhere."""

from __future__ import annotations

import os
import sys
import time
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import typer

from dovetail.cli import output, reaping, styling
from dovetail.errors import NotFound

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from dovetail.tracking.client import Client
    from dovetail.values import Run

__all__ = ["Watched", "watch"]

# More than these, the newest, are not followed at once.
FOLLOWED = 50


class Watched:
    """The runs that are watched, as they are at each look.

    Args:
        client: Where they are.
        run_id: One run; by default all that are running, those that start meanwhile included.
    """

    def __init__(self, client: Client, run_id: str | None = None) -> None:
        self._client = client
        self._run_id = run_id
        self._runs: dict[str, Run] = {}

    def look(self) -> list[Run]:
        """The runs as they are now; those that have ended since stay as they ended."""
        reaping.look_after()
        if self._run_id is not None:
            self._runs = {self._run_id: self._client.get_run(self._run_id)}
        else:
            running = {run.info.run_id: run for run in _running()}
            for run_id in [each for each, run in self._runs.items() if each not in running and not has_ended(run)]:
                self._look_again(run_id)
            self._runs.update(running)
        return list(self._runs.values())

    def _look_again(self, run_id: str) -> None:
        try:
            self._runs[run_id] = self._client.get_run(run_id)
        except NotFound:  # somebody removed it for good
            del self._runs[run_id]


def watch(watched: Watched, *, interval: float, machine: bool) -> list[Run]:
    """Show the runs until they have ended.

    Args:
        watched: The runs.
        interval: Seconds between two looks.
        machine: Print a line of JSON for each change.

    Returns:
        The runs as they ended.
    """
    with _display(machine=machine) as display:
        while True:
            runs = watched.look()
            display.show(runs)
            if all(map(has_ended, runs)):
                return runs
            time.sleep(interval)


def has_ended(run: Run) -> bool:
    """Whether the run is over; one in the bin is."""
    from dovetail.values import LifecycleStage, RunStatus

    return run.info.status in RunStatus.ENDED or run.info.lifecycle_stage == LifecycleStage.DELETED


def _running() -> list[Run]:
    from dovetail.tracking.search import search_runs

    running = "attributes.status = 'RUNNING'"
    runs: list[Run] = search_runs(
        None, running, max_results=FOLLOWED, output_format="list", search_all_experiments=True
    )
    return runs


def _display(*, machine: bool) -> AbstractContextManager[Any]:
    if machine or not sys.stdout.isatty() or os.environ.get("TERM") in {"dumb", ""}:
        return nullcontext(_Changes(machine=machine))
    from dovetail.cli.live import Screen

    return Screen()


class _Changes:
    """Prints what has changed since the last look, a line for each run."""

    def __init__(self, *, machine: bool) -> None:
        self._machine = machine
        self._before: dict[str, tuple[str, dict[str, Any]]] = {}

    def show(self, runs: list[Run]) -> None:
        for run in runs:
            status, metrics = self._before.get(run.info.run_id, ("", {}))
            points = {each.key: each for each in run.data.latest}
            changed = {key: each for key, each in points.items() if repr(metrics.get(key)) != repr(each)}
            if changed or status != run.info.status:
                self._before[run.info.run_id] = run.info.status, points
                (self._to_machine if self._machine else self._to_people)(run, changed)

    def _to_people(self, run: Run, changed: dict[str, Any]) -> None:
        metrics = " ".join(
            f"{output.one_line(key)}={output.number(each.value)}" + (f"@{each.step}" if each.step else "")
            for key, each in sorted(changed.items())
        )
        info, name = run.info, output.one_line(run.info.run_name)
        status = output.styled(info.status, fg=styling.STATUS_COLOURS[info.status])
        typer.echo(f"{time.strftime('%H:%M:%S')}  {info.run_id}  {name}  {status}  {metrics}".rstrip())

    def _to_machine(self, run: Run, changed: dict[str, Any]) -> None:
        metrics = {key: {"value": each.value, "step": each.step} for key, each in sorted(changed.items())}
        info = {key: getattr(run.info, key) for key in ("run_id", "run_name", "experiment_id", "status")}
        output.json_line({"time": int(time.time() * 1000), **info, "metrics": metrics})
