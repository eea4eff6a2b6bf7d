"""One run's file of events in TensorBoard's format."""

from __future__ import annotations

import re
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tensorboardX.event_file_writer import EventsWriter
from tensorboardX.proto.event_pb2 import Event
from tensorboardX.proto.summary_pb2 import Summary
from tensorboardX.summary import hparams, text

from dovetail.values import RunStatus

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dovetail.values import Batch, Run

__all__ = ["RunLog"]


class RunLog:
    """Metrics as scalars, params and tags as tables among the texts, params also as hyperparameters.

    After each call everything is in the file, so TensorBoard can show it.

    Args:
        run: The run; one that is taken up again goes on in the folder that it has.
        folder: TensorBoard's log directory.
    """

    def __init__(self, run: Run, folder: str) -> None:
        place = _place(run, Path(folder))
        place.mkdir(parents=True, exist_ok=True)
        # The library names files by the second, and would begin one of the same name anew; they are read in order.
        self._file = EventsWriter(str(place / "events"), f".{time.time_ns()}.{uuid.uuid4().hex[:8]}")
        self._tables = {"params": dict(run.data.params), "tags": dict(run.data.tags)}
        self._changes = 0
        for name, table in self._tables.items():
            self._change(name, dict(table))
        self._file.flush()

    def write(self, batch: Batch) -> None:
        """Write metrics, params and tags."""
        for point in batch.points():
            scalar = Summary.Value(tag=point.key, simple_value=point.value)
            self._add(Summary(value=[scalar]), point.step, point.timestamp / 1000)
        self._change("params", {each.key: each.value for each in batch.params})
        self._change("tags", {each.key: each.value for each in batch.tags})
        self._file.flush()

    def close(self, run: Run) -> None:
        """Write how the run ended, and end the file."""
        if run.data.params:
            params = {key: _number(value) for key, value in run.data.params.items()}
            experiment, start, end = hparams(params, run.data.metrics)
            self._add(experiment)
            self._add(start)
            if run.info.status == RunStatus.FINISHED:  # the library knows sessions only that went well
                self._add(end)
        self._file.close()

    # --- steps -----------------------------------------------------------------------------------------------

    def _add(self, summary: Any, step: int = 0, seconds: float | None = None) -> None:
        self._file.write_event(Event(wall_time=seconds or time.time(), step=step, summary=summary))

    def _change(self, name: str, changed: Mapping[str, str]) -> None:
        """Write a table anew, if anything in it changed."""
        if changed:
            self._tables[name].update(changed)
            self._add(text(name, _markdown(self._tables[name])), self._changes)
            self._changes += 1


def _place(run: Run, folder: Path) -> Path:
    """The run's folder: called by its name for people, and by a part of its id for those of the same name."""
    own = run.info.run_id[:8]
    name = re.sub(r"[^\w.-]+", "-", run.info.run_name)[:100].strip(".-") or "run"
    return next(folder.glob(f"*-{own}"), folder / f"{name}-{own}")


def _markdown(table: Mapping[str, str]) -> str:
    rows = [f"| {_cell(key)} | {_cell(value)} |" for key, value in sorted(table.items())]
    return "\n".join(["| key | value |", "| --- | --- |", *rows])


def _cell(value: str) -> str:
    return value.replace("\\", "\\\\").replace("|", "\\|").replace("\n", "<br>")


def _number(value: str) -> str | float:
    try:
        return float(value)
    except ValueError:
        return value
