"""Runs beside one another: where they differ in params, metrics and tags."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import typer

from dovetail.cli import output
from dovetail.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dovetail.cli.sparkline import Histories
    from dovetail.values import Run

__all__ = ["Comparison"]

SHORTEST_ID = 8
KINDS = ("params", "metrics", "tags")


@dataclass(frozen=True)
class Line:
    """One key and what each run has for it.

    Args:
        kind: params, metrics or tags.
        key: The key.
        values: One for each run; None where a run has none.
    """

    kind: str
    key: str
    values: tuple[Any, ...]

    @property
    def differs(self) -> bool:
        """Whether the runs do not all have the same; NaN is the same as NaN."""
        return len({repr(value) for value in self.values}) > 1


class Comparison:
    """Several runs and the keys that they are compared by.

    Args:
        runs: The runs.
        metrics: Show these metrics, also where they are equal, and no others; by default all.
        everything: Show also what is equal.

    Raises:
        NotFound: None of the runs has a metric of that key.
    """

    def __init__(self, runs: Sequence[Run], metrics: Sequence[str] = (), *, everything: bool = False) -> None:
        self.runs = runs
        self._wanted = frozenset(metrics)
        self._check(metrics)
        known = self._all()
        self.lines = [line for line in known if everything or line.differs or self._is_wanted(line)]
        self.hidden = len(known) - len(self.lines)

    def to_dictionary(self) -> dict[str, Any]:
        """Runs, and for each kind the values by key, in the order of the runs."""
        kinds = {kind: {line.key: line.values for line in self.lines if line.kind == kind} for kind in KINDS}
        differing = {kind: [line.key for line in self.lines if line.kind == kind and line.differs] for kind in KINDS}
        return {"runs": [run.info.__dict__ for run in self.runs], **kinds, "differing": differing}

    def show(self, histories: Histories) -> None:
        """Print a table: a column for each run; what differs has a sign, and a colour where there are any."""
        from dovetail.cli import tables

        sign = "≠" if output.drawable("≠") else "!"
        facts = [["  " + name, *map(tell, self.runs)] for name, tell in FACTS.items()]
        rows = [self._row(line, sign, histories) for line in self.lines]
        marked = {number for number, line in enumerate(self.lines, len(facts)) if line.differs}
        tables.show(["  run", *self._ids()], facts + rows, marked)
        if not rows:
            typer.echo("No params, metrics or tags differ; --all shows them.")
        elif self.hidden:
            typer.echo(output.styled(f"{self.hidden} that are equal are not shown; --all shows them.", dim=True))
        if histories.left_out:
            typer.echo(output.styled("Histories that take long to read are left out.", dim=True))

    def _row(self, line: Line, sign: str, histories: Histories) -> list[str]:
        cells = [self._cell(line, run, value, histories) for run, value in zip(self.runs, line.values, strict=True)]
        return [f"{sign if line.differs else ' '} {line.kind.removesuffix('s')} {line.key}", *cells]

    def _cell(self, line: Line, run: Run, value: Any, histories: Histories) -> str:
        if value is None:
            return "-"
        if line.kind != "metrics":
            return str(value)
        return f"{output.number(value)} {histories.line(run.info.run_id, line.key)}".rstrip()

    def _ids(self) -> list[str]:
        """The ids, in a terminal no longer than it takes to tell them apart."""
        ids = [run.info.run_id for run in self.runs]
        lengths = range(SHORTEST_ID if sys.stdout.isatty() else max(map(len, ids)), max(map(len, ids)) + 1)
        enough = (length for length in lengths if len({each[:length] for each in ids}) == len(set(ids)))
        length = next(enough, max(map(len, ids)))
        return [each[:length] for each in ids]

    def _all(self) -> list[Line]:
        lines = []
        for kind in KINDS:
            values: list[dict[str, Any]] = [getattr(run.data, kind) for run in self.runs]
            keys = sorted({key for each in values for key in each if not key.startswith("mlflow.")})
            lines += [Line(kind, key, tuple(each.get(key) for each in values)) for key in keys]
        return [line for line in lines if line.kind != "metrics" or not self._wanted or line.key in self._wanted]

    def _is_wanted(self, line: Line) -> bool:
        return line.kind == "metrics" and line.key in self._wanted

    def _check(self, metrics: Sequence[str]) -> None:
        known = sorted({key for run in self.runs for key in run.data.metrics})
        for key in metrics:
            if key not in known:
                close = get_close_matches(key, known, n=1)
                raise NotFound(
                    f"None of these runs has a metric {key!r}.{f' Did you mean {close[0]!r}?' if close else ''}",
                    hint=f"They have: {', '.join(known)}." if known else "They have no metrics.",
                )


FACTS: dict[str, Callable[[Run], str]] = {
    "name": lambda run: run.info.run_name,
    "status": lambda run: run.info.status,
    "started": lambda run: output.ago(run.info.start_time),
    "took": lambda run: output.duration(run.info.start_time, run.info.end_time),
}
