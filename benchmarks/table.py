"""The report of a run: one line a figure, the ratio and the goal beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workload import Figure, Measured

__all__ = ["Report", "render"]

WHOLE_FROM = 100  # from here on, decimals say nothing on a machine that other work runs on
VERDICTS = {True: "met", False: "not met", None: "-"}


@dataclass(frozen=True)
class Report:
    """The same run twice: to read and to keep."""

    text: str
    data: dict[str, Any]


def render(results: Sequence[Sequence[Measured]], machine: Sequence[dict[str, str]]) -> Report:
    """Lay out the results; the first peer of every workload is the one that ratios and goals speak of."""
    lines = [_line(columns, figure) for columns in results for figure in columns[0].workload.figures]
    names = [column.peer.name for column in results[0]]
    heads = ["workload", "figure", "unit", *names, *(["ratio"] if len(names) > 1 else []), "goal", ""]
    text = [_machine(machine), "", *_aligned([heads, *([str(cell) for cell in line] for line in lines)])]
    return Report("\n".join([*text, *_notes(results)]), _data(results, machine))


def _line(columns: Sequence[Measured], figure: Figure) -> list[str]:
    values = [column.value(figure) for column in columns]
    others = {column.peer.dialect.module: value for column, value in zip(columns[1:], values[1:], strict=True)}
    # Only dovetail has goals; a peer run alone is observed.
    goal = figure.goal if columns[0].peer.dialect.module == "dovetail" else None
    ratio = [" ".join(_number(_ratio(values[0], other)) for other in values[1:])] if len(values) > 1 else []
    verdict = VERDICTS[goal.met(values[0], others)] if goal else ""
    shown = [_number(value) for value in values]
    return [columns[0].workload.name, figure.label, figure.unit, *shown, *ratio, str(goal) if goal else "", verdict]


def _ratio(own: float | None, other: float | None) -> float | None:
    return own / other if own is not None and other else None


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= WHOLE_FROM or value == int(value) else f"{value:.3g}"


def _aligned(rows: list[list[str]]) -> list[str]:
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    words = {0, 1, 2, len(widths) - 1, len(widths) - 2}
    return [
        "  ".join(
            cell.ljust(width) if place in words else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def _machine(moments: Sequence[dict[str, str]]) -> str:
    first, last = moments[0], moments[-1]
    return (
        f"{first['system']}, {first['cores']} cores, Python {first['python']}, sqlite {first['sqlite']}, "
        f"load {first['load']} before and {last['load']} after, {first['time']}"
    )


def _notes(results: Sequence[Sequence[Measured]]) -> list[str]:
    notes: list[str] = []
    for column in (column for columns in results for column in columns):
        heading = f"{column.workload.name}, {column.peer.name}"
        notes += [f"{heading}: {text}" for text in column.said()]
        notes += [f"{heading}: FAILED: {column.failure}"] if column.failure else []
    return ["", *notes] if notes else []


def _data(results: Sequence[Sequence[Measured]], machine: Sequence[dict[str, str]]) -> dict[str, Any]:
    return {"machine": list(machine), "workloads": [_workload(columns) for columns in results]}


def _workload(columns: Sequence[Measured]) -> dict[str, Any]:
    workload = columns[0].workload
    return {
        "name": workload.name,
        "figures": [_figure(columns, figure) for figure in workload.figures],
        "remarks": {column.peer.name: column.said() for column in columns},
        "failures": {column.peer.name: column.failure for column in columns if column.failure},
    }


def _figure(columns: Sequence[Measured], figure: Figure) -> dict[str, Any]:
    line = _line(columns, figure)
    values = [column.value(figure) for column in columns]
    return {
        "key": figure.key,
        "label": figure.label,
        "unit": figure.unit,
        "values": {column.peer.name: value for column, value in zip(columns, values, strict=True)},
        "samples": {column.peer.name: column.values(figure) for column in columns},
        "ratio": _ratio(values[0], values[1]) if len(values) > 1 else None,
        "goal": line[-2] or None,
        "verdict": line[-1] or None,
    }
