"""What commands print: tables for people, JSON for machines."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = [
    "JSON",
    "ago",
    "duration",
    "fact",
    "json_out",
    "next_steps",
    "number",
    "one_line",
    "progress",
    "styled",
    "table",
]

JSON = typer.Option("--json", help="Print JSON for machines.")

STATUS_COLOURS = {"FINISHED": "green", "RUNNING": "cyan", "SCHEDULED": "blue", "FAILED": "red", "KILLED": "yellow"}
GAP = "  "


def styled(text: str, **style: Any) -> str:
    """Text with a style, as ``typer.style`` takes it; plain where the variable NO_COLOR is set."""
    return text if os.environ.get("NO_COLOR") else typer.style(text, **style)


def json_out(content: Any) -> None:
    """Print JSON; NaN and the infinities as text, which every JSON reader takes."""
    typer.echo(json.dumps(_readable(content), indent=2, ensure_ascii=False))


def _readable(value: Any) -> Any:
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):  # noqa: PLR0124 - NaN
        return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"  # noqa: PLR0124
    if isinstance(value, dict):
        return {str(key): _readable(each) for key, each in value.items()}
    return [_readable(each) for each in value] if isinstance(value, (list, tuple)) else value


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, empty: str) -> None:
    """Print a table; without rows the sentence ``empty``.

    In a terminal the last columns are left out if the table is too wide for it, and that is said.

    Args:
        columns: Headings; those that start with ``>`` are aligned right.
        rows: Texts; a status is coloured.
        empty: What to say instead.
    """
    lines = [[one_line(cell) for cell in row] for row in rows]
    if not lines:
        typer.echo(empty)
        return
    headings = [column.lstrip(">") for column in columns]
    right = [column.startswith(">") for column in columns]
    widths = [max(_width(row[place]) for row in [headings, *lines]) for place in range(len(columns))]
    shown = _fitting(widths)
    typer.echo(styled(_line(headings[:shown], widths, right), bold=True))
    for line in lines:
        typer.echo(_line(line[:shown], widths, right))
    if left_out := headings[shown:]:
        typer.echo(styled(f"Not shown for want of room: {', '.join(left_out)}.", dim=True))


def one_line(text: str) -> str:
    """Text that can do nothing to a terminal or a table: control characters are shown, not sent."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def _fitting(widths: Sequence[int]) -> int:
    """How many columns fit beside one another; two at least."""
    if not sys.stdout.isatty():
        return len(widths)
    room = shutil.get_terminal_size().columns + len(GAP)
    return max(2, sum(sum(widths[:count]) + count * len(GAP) <= room for count in range(1, len(widths) + 1)))


def _line(cells: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    padded = []
    for cell, width, is_right in zip(cells, widths, right, strict=False):
        space = " " * (width - _width(cell))
        text = styled(cell, fg=STATUS_COLOURS[cell]) if cell in STATUS_COLOURS else cell
        padded.append(space + text if is_right else text + space)
    return GAP.join(padded).rstrip()


def _width(text: str) -> int:
    """Columns of a terminal that the text takes."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text
    )


def fact(name: str, value: str) -> None:
    """Print one named fact, aligned with others."""
    shown = styled(value, fg=STATUS_COLOURS[value]) if value in STATUS_COLOURS else one_line(value)
    typer.echo(f"{styled(f'{name:<12}', dim=True)} {shown}")


def next_steps(*commands: tuple[str, str]) -> None:
    """Print commands to go on with, each with what it does.

    Args:
        commands: What follows ``dovetail``, and its purpose.
    """
    lines = [(f"{program()} {command}", purpose) for command, purpose in commands]
    width = max(len(line) for line, _ in lines)
    for line, purpose in lines:
        typer.echo(f"  {line:<{width}}  {styled('# ' + purpose, dim=True)}")


def program() -> str:
    """How this program is called here: by its name where that finds it, else as it was called."""
    called = Path(sys.argv[0])
    if called.name != "dovetail" or not called.is_file():
        return "dovetail"
    found = shutil.which("dovetail")
    return "dovetail" if found and called.samefile(found) else sys.argv[0]


def progress(message: str) -> None:
    """One step of long work, on standard error."""
    typer.echo(styled(f"· {message}", dim=True), err=True)


def ago(moment: int | None) -> str:
    """How long ago a time in milliseconds was."""
    if moment is None:
        return "-"
    seconds = max(0.0, time.time() - moment / 1000)
    for limit, size, word in ((60, 1, "s"), (3600, 60, "min"), (86400, 3600, "h")):
        if seconds < limit:
            return f"{int(seconds / size)} {word} ago"
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(moment / 1000))


def duration(start: int, end: int | None) -> str:
    """How long something took, between two times in milliseconds."""
    if end is None:
        return "-"
    seconds = max(0, end - start) / 1000
    return f"{seconds:.1f} s" if seconds < 120 else f"{int(seconds // 60)} min {int(seconds % 60)} s"  # noqa: PLR2004


def number(value: float) -> str:
    """A metric's value with as many digits as people read."""
    return f"{value:.6g}"
