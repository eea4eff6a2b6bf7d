"""What commands print: tables for people, JSON for machines."""

from __future__ import annotations

import os
import re
import shutil
import sys
import time
from typing import TYPE_CHECKING, Any

import typer

from dovetail.cli.styling import STATUS_COLOURS, coloured, drawable, one_line, styled

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = [
    "JSON",
    "ago",
    "coloured",
    "drawable",
    "duration",
    "fact",
    "json_line",
    "json_out",
    "json_text",
    "next_steps",
    "number",
    "one_line",
    "progress",
    "section",
    "size",
    "styled",
    "table",
    "told",
]

JSON = typer.Option("--json", help="Print JSON for machines.")

# Control characters that JSON does not escape, what turns the direction of text around, halves of characters.
_UNSHOWN = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def json_out(content: Any) -> None:
    """Print JSON; NaN and the infinities as text, which every JSON reader takes."""
    typer.echo(json_text(content, indent=2))


def json_line(content: Any) -> None:
    """Print JSON on one line, at once: one of many."""
    typer.echo(json_text(content))


def json_text(content: Any, indent: int | None = None) -> str:
    """JSON that can do nothing to a terminal, and that every encoding of it takes."""
    import json

    text = json.dumps(_readable(content), indent=indent, ensure_ascii=False)
    return (
        text if text.isascii() and "\x7f" not in text else _UNSHOWN.sub(lambda found: json.dumps(found[0])[1:-1], text)
    )


def _readable(value: Any) -> Any:
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):  # noqa: PLR0124 - NaN
        return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"  # noqa: PLR0124
    if isinstance(value, dict):
        return {str(key): _readable(each) for key, each in value.items()}
    return [_readable(each) for each in value] if isinstance(value, (list, tuple)) else value


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, empty: str) -> None:
    """Print a table; without rows the sentence ``empty``.

    In a terminal that is too narrow, long cells are shortened, then the last columns are left out, and that is said.
    Anywhere else everything is printed.

    Args:
        columns: Headings; those that start with ``>`` are aligned right.
        rows: Texts; a status is coloured.
        empty: What to say instead.
    """
    lines = [list(row) for row in rows]
    if not lines:
        typer.echo(empty)
        return
    from dovetail.cli import tables

    tables.show(columns, lines)


def told(content: Any, message: str, *, json: bool) -> None:
    """Print what was done: for machines what it is now, for people a sentence.

    Args:
        content: For machines.
        message: For people.
        json: Who is asking.
    """
    if json:
        json_out(content)
    else:
        typer.echo(one_line(message))


def fact(name: str, value: str) -> None:
    """Print one named fact, aligned with others."""
    shown = styled(value, fg=STATUS_COLOURS[value]) if value in STATUS_COLOURS else one_line(value)
    typer.echo(f"{styled(f'{name:<12}', dim=True)} {shown}")


def section(title: str, rows: Sequence[tuple[str, str]]) -> None:
    """Print named lines below a title, aligned with each other; nothing at all if there are none."""
    if not rows:
        return
    typer.echo(styled(f"\n{title}", bold=True))
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        typer.echo(f"  {one_line(name):<{width}}  {one_line(value)}".rstrip())


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
    called = sys.argv[0]
    if os.path.basename(called) != "dovetail" or not os.path.isfile(called):  # noqa: PTH113, PTH119 - see below
        return "dovetail"
    found = shutil.which("dovetail")
    return "dovetail" if found and os.path.samefile(found, called) else called  # noqa: PTH121 - pathlib comes late


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


def size(count: int) -> str:
    """Bytes in the unit people read."""
    amount = float(count)
    for unit in ("B", "kB", "MB"):
        if amount < 1000:  # noqa: PLR2004 - from here on the next unit is shorter
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} GB"


def number(value: float) -> str:
    """A metric's value with as many digits as people read."""
    return f"{value:.6g}"
