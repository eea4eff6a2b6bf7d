"""Runs into a file or onto standard output, however many there are: read page by page, in constant memory.

Where only the runs tell which columns there are, they are kept on disk until all have been read: one reading for
columns and values, since runs may come meanwhile.
"""

from __future__ import annotations

import json
import sys
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from tempfile import SpooledTemporaryFile
from typing import IO, TYPE_CHECKING, Any

from dovetail.cli.counting import Counter
from dovetail.cli.exporting import csv_file, json_file, parquet_file
from dovetail.cli.exporting.columns import Keys, OutColumn, Wish
from dovetail.cli.exporting.whole import whole_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from dovetail.values import Run, ViewType

__all__ = ["Wanted", "exported"]

PAGE = 1000
IN_MEMORY = 8 * 1024 * 1024  # bytes


@dataclass(frozen=True)
class Wanted:
    """Which runs, and what of them.

    Args:
        experiment_ids: Where to look.
        filter_string: Which runs; empty for all.
        order_by: What to sort by; by default newest first.
        view_type: Active or deleted runs, or both.
        columns: Such as ``metrics.acc`` or ``params.*``; None for all.
    """

    experiment_ids: Sequence[str]
    filter_string: str
    order_by: tuple[str, ...]
    view_type: ViewType
    columns: tuple[str, ...] | None = None


def exported(wanted: Wanted, form: str, path: Path | None) -> int:
    """Write runs to a file, all of it or nothing, or print them.

    Args:
        wanted: Which runs.
        form: ``csv``, ``json`` or ``parquet``.
        path: The file; None for standard output, on which control characters do not reach a terminal.

    Returns:
        How many runs there are.

    Raises:
        DovetailError: The file cannot be written.
        PluginMissing: Parquet is asked for and pyarrow is not installed.
    """
    wish = Wish(wanted.columns)
    # What keeps it from being written is said before anything is read.
    with _target(form, path) as file, Counter("runs read") as counter:
        # A count on standard error would stand between the lines of what a terminal shows.
        runs = _counted(_runs(wanted), counter if path or not sys.stdout.isatty() else None)
        if form == "json":
            return _json(runs, None if wanted.columns is None else wish, file)
        with _gathered(runs, wish) as (columns, rows):
            if form == "parquet":
                return parquet_file.write(file, columns, rows)
            return csv_file.write(file, columns, rows, shown=path is None and sys.stdout.isatty())


def _target(form: str, path: Path | None) -> AbstractContextManager[IO[Any]]:
    if form == "parquet":
        parquet_file.pyarrow()
    return nullcontext(sys.stdout) if path is None else whole_file(path, binary=form == "parquet")


def _runs(wanted: Wanted) -> Iterator[Run]:
    from dovetail.tracking.client import Client
    from dovetail.tracking.walking import every

    store = Client().store
    where = list(wanted.experiment_ids), wanted.filter_string or None, wanted.order_by, wanted.view_type
    return every(lambda token: store.search_runs(*where, PAGE, token, wanted.columns))


def _counted(runs: Iterator[Run], counter: Counter | None) -> Iterator[Run]:
    for run in runs:
        yield run
        if counter is not None:
            counter.add()


def _content(run: Run) -> dict[str, Any]:
    return {"info": run.info.__dict__, **run.data.to_dictionary()}


@contextmanager
def _gathered(runs: Iterator[Run], wish: Wish) -> Iterator[tuple[list[OutColumn], Iterator[list[Any]]]]:
    """The columns, and the values of each run in their order."""
    keys = Keys()
    if not wish.open:
        columns = wish.columns(keys)
        yield columns, ([column.value(_content(run)) for column in columns] for run in runs)
        return
    with SpooledTemporaryFile(IN_MEMORY, "w+", encoding="utf-8") as spool:
        for content in map(_content, runs):
            keys.note(content)
            spool.write(json.dumps(content) + "\n")
        spool.seek(0)
        columns = wish.columns(keys)
        contents = map(json.loads, spool)
        yield columns, ([column.value(content) for column in columns] for content in contents)


def _json(runs: Iterator[Run], wish: Wish | None, file: IO[str]) -> int:
    return json_file.write(file, (run.to_dictionary() if wish is None else _flat(run, wish) for run in runs))


def _flat(run: Run, wish: Wish) -> dict[str, Any]:
    content, keys = _content(run), Keys()
    keys.note(content)
    return {column.heading: column.value(content) for column in wish.columns(keys)}
