"""Bars of transfers on standard error. Loading this loads rich, so it is loaded when the first bar is drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.table import Column

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from rich.progress import TaskID
    from typing_extensions import Self

    from dovetail.artifacts.progress import Watched

__all__ = ["Bars"]

_LONGEST = 24  # characters beside a bar, so that all of it fits into 80 columns


class Bars:
    """A bar for each transfer, drawn while the block lasts; afterwards the screen is as it was before.

    Standard output and standard error are not redirected, as rich does by default: what is printed meanwhile goes
    where it belongs.
    """

    def __init__(self) -> None:
        self._console = Console(stderr=True)
        self._progress = Progress(
            *_columns(),
            console=self._console,
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._tasks: dict[Watched, TaskID] = {}

    def __enter__(self) -> Self:
        """Begin to draw."""
        self._progress.start()
        self._console.show_cursor(True)  # rich hides it, and a process that is killed could not bring it back
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Clear the screen of all bars."""
        self._progress.stop()

    def draw(self, transfers: Sequence[Watched]) -> None:
        """Draw exactly these."""
        for gone in self._tasks.keys() - set(transfers):
            self._progress.remove_task(self._tasks.pop(gone))
        for transfer in transfers:
            self._advance(transfer)
        self._progress.refresh()

    def _advance(self, transfer: Watched) -> None:
        if transfer not in self._tasks:
            self._tasks[transfer] = self._progress.add_task(_presentable(transfer.what), total=None, files="")
        if (now := transfer.now) is not None:
            files = f"{now.files}/{now.all_files} files" if now.all_files > 1 else ""
            self._progress.update(self._tasks[transfer], completed=now.size, total=now.all_size, files=files)


def _columns() -> list[ProgressColumn]:
    def whole() -> Column:
        return Column(no_wrap=True)

    return [
        TextColumn("{task.description}", markup=False, table_column=whole()),
        BarColumn(bar_width=16),
        TextColumn("{task.fields[files]}", markup=False, table_column=whole()),
        DownloadColumn(table_column=whole()),
        TransferSpeedColumn(table_column=whole()),
        TimeRemainingColumn(compact=True, table_column=whole()),
    ]


def _presentable(text: str) -> str:
    """Without characters that steer a terminal, and short."""
    plain = "".join(character if character.isprintable() else "?" for character in text)
    return plain if len(plain) <= _LONGEST else f"{plain[: _LONGEST - 1]}…"
