"""A table in a terminal that follows runs."""

from __future__ import annotations

import io
import sys
import time
from typing import TYPE_CHECKING, Any

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from dovetail.cli import output, styling, tables
from dovetail.cli.sparkline import Histories, sparkline

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

    from dovetail.values import Metric, Run

__all__ = ["Screen"]

SHOWN_METRICS = 4
KEPT = 4096  # values of a history; beyond that every second one is forgotten


class Screen:
    """Shows runs in place; what it showed last stays when it is left."""

    def __init__(self) -> None:
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(errors="backslashreplace")  # names may have characters the terminal does not take
        console = Console(highlight=False, no_color=not output.coloured())
        # Drawn when there is something new, not by a thread of its own.
        self._live = Live(console=console, auto_refresh=False, redirect_stdout=False, redirect_stderr=False)
        self._histories: dict[tuple[str, str], list[float]] = {}
        self._latest: dict[tuple[str, str], str] = {}

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def show(self, runs: list[Run]) -> None:
        """Draw the runs as they are now: one in detail, several in a table."""
        self._remember(runs)
        view = self._detail(runs[0]) if len(runs) == 1 else self._table(runs)
        self._live.update(view, refresh=True)

    def _detail(self, run: Run) -> Any:
        info = run.info
        head = Text(output.one_line(f"{info.run_name}  {info.run_id}  "), style="bold", overflow="ellipsis")
        head.append(info.status, style=styling.STATUS_COLOURS[info.status])
        head.append(f"  {_took(run)}", style="dim")
        rows = [
            [each.key, output.number(each.value), str(each.step), self._line(run, each.key)]
            for each in sorted(run.data.latest, key=lambda each: each.key)
        ]
        if not rows:
            return Group(head, Text("No metrics yet.", style="dim"))
        return Group(head, tables.grid(tables.fitted(["Metric", ">Value", ">Step", "History"], rows)))

    def _table(self, runs: list[Run]) -> Any:
        keys = list(dict.fromkeys(key for run in runs for key in sorted(run.data.metrics)))[:SHOWN_METRICS]
        rows = [
            [run.info.run_id, run.info.run_name, run.info.status, _took(run), *(self._cell(run, key) for key in keys)]
            for run in runs
        ]
        layout = tables.fitted(["Run", "Name", "Status", "Took", *keys], rows)
        if not layout.left_out:
            return tables.grid(layout)
        note = f"Not shown for want of room: {', '.join(layout.left_out)}."
        return Group(tables.grid(layout), Text(note, style="dim"))

    def _cell(self, run: Run, key: str) -> str:
        if key not in run.data.metrics:
            return "-"
        return f"{output.number(run.data.metrics[key])} {self._line(run, key)}".rstrip()

    def _line(self, run: Run, key: str) -> str:
        values = self._histories.get((run.info.run_id, key), [])
        return sparkline(values) if len(values) > 1 else ""

    def _remember(self, runs: list[Run]) -> None:
        """Read histories once; afterwards the latest points are enough to go on with."""
        from dovetail.tracking.client import Client

        histories = Histories(Client())
        for run in runs:
            for point in run.data.latest:
                place = run.info.run_id, point.key
                if place not in self._histories:
                    self._histories[place] = histories.values(*place)
                elif self._latest[place] != repr(point):
                    self._extend(place, point)
                self._latest[place] = repr(point)

    def _extend(self, place: tuple[str, str], point: Metric) -> None:
        values = [*self._histories[place], point.value]
        self._histories[place] = values if len(values) <= KEPT else values[::2]


def _took(run: Run) -> str:
    end = int(time.time() * 1000) if run.info.end_time is None else run.info.end_time
    return output.duration(run.info.start_time, end)
