"""Tables for people: drawn by rich where there are colours, as plain lines where there are none."""

from __future__ import annotations

import io
import shutil
import sys
from typing import TYPE_CHECKING

import typer
from rich.cells import cell_len, set_cell_size

from dovetail.cli import styling

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from rich.table import Table
    from rich.text import Text

__all__ = ["Layout", "fitted", "grid", "show"]

GAP = "  "
# Where a table is too wide, cells are shortened to this before columns are left out; ids fit in it.
SHORT = 36
# rich takes a second for a thousand rows; more than these are printed as lines, their statuses in colour.
DRAWN = 200
NARROWEST = 20


class Layout:
    """A table as it fits: its columns, which of them are aligned right, the cells, and what is left out.

    Attributes:
        headings: Of the columns that are shown.
        right: For each, whether it is aligned right.
        rows: Cells as they are printed, without control characters.
        widths: Of the columns, in columns of the terminal.
        left_out: Headings of the columns there is no room for.
    """

    def __init__(self, columns: Sequence[str], rows: Sequence[Sequence[str]], room: int | None) -> None:
        headings = [styling.one_line(column.removeprefix(">")) for column in columns]
        self.rows = [[styling.one_line(cell) for cell in row] for row in rows]
        self.widths = _widths(headings, self.rows)
        if room is not None and _total(self.widths) > room:
            self.rows = [[_shortened(cell) for cell in row] for row in self.rows]
            headings = [_shortened(heading) for heading in headings]
            self.widths = _widths(headings, self.rows)
        shown = len(headings) if room is None else _fitting(self.widths, room)
        self.headings, self.left_out = headings[:shown], headings[shown:]
        self.right = [column.startswith(">") for column in columns]

    def lines(self) -> list[str]:
        """Heading and rows as text; ``typer.echo`` takes the colours out where nobody would see them."""
        return [self._line(row) for row in [self.headings, *self.rows]]

    def _line(self, cells: Sequence[str]) -> str:
        padded = []
        for cell, width, right in zip(cells[: len(self.headings)], self.widths, self.right, strict=False):
            space = " " * (width - cell_len(cell))
            text = styling.styled(cell, fg=styling.STATUS_COLOURS[cell]) if cell in styling.STATUS_COLOURS else cell
            padded.append(space + text if right else text + space)
        return GAP.join(padded).rstrip()


def show(columns: Sequence[str], rows: Sequence[Sequence[str]], marked: Collection[int] = ()) -> None:
    """Print a table, as ``output.table`` says.

    Args:
        columns: As there.
        rows: As there.
        marked: Numbers of rows that stand out.
    """
    layout = fitted(columns, rows)
    if styling.coloured() and len(layout.rows) <= DRAWN:
        typer.echo(_drawn(layout, marked), nl=False, color=True)
    else:
        for line in layout.lines():
            typer.echo(line)
    if titles := [title for title in layout.left_out if title]:
        typer.echo(styling.styled(f"Not shown for want of room: {', '.join(titles)}.", dim=True))


def fitted(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Layout:
    """The table as it fits into the terminal; all of it where none is."""
    # A size of nothing is what terminals say that do not know.
    room = max(shutil.get_terminal_size().columns, NARROWEST) if sys.stdout.isatty() else None
    return Layout(columns, rows, room)


def grid(layout: Layout, marked: Collection[int] = ()) -> Table:
    """The table for rich; what stands in it is never taken for markup.

    Args:
        layout: The table.
        marked: Numbers of rows that stand out.
    """
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, len(GAP), 0, 0), header_style="bold")
    for heading, width, right in zip(layout.headings, layout.widths, layout.right, strict=False):
        table.add_column(_text(heading), min_width=width, no_wrap=True, justify="right" if right else "left")
    for number, row in enumerate(layout.rows):
        cells = [_text(cell) for cell in row[: len(layout.headings)]]
        table.add_row(*cells, style="yellow" if number in marked else None)
    return table


def _text(cell: str) -> Text:
    from rich.text import Text

    return Text(cell, style=styling.STATUS_COLOURS.get(cell, ""))


def _drawn(layout: Layout, marked: Collection[int]) -> str:
    from rich.console import Console

    wide = _total(layout.widths[: len(layout.headings)]) + len(GAP)
    page = io.StringIO()
    Console(file=page, width=wide, force_terminal=True, highlight=False, legacy_windows=False).print(
        grid(layout, marked)
    )
    return page.getvalue()


def _widths(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> list[int]:
    return [max(map(cell_len, cells)) for cells in zip(headings, *rows, strict=True)]


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + len(GAP) * (len(widths) - 1)


def _fitting(widths: Sequence[int], room: int) -> int:
    """How many columns fit beside one another; two at least."""
    return max(2, sum(_total(widths[:count]) <= room for count in range(1, len(widths) + 1)))


def _shortened(cell: str) -> str:
    return cell if cell_len(cell) <= SHORT else set_cell_size(cell, SHORT - 1).rstrip() + "…"
