"""Runs as CSV, however many there are: read page by page, kept on disk until all columns are known."""

from __future__ import annotations

import csv
import json
import os
import shutil
import sys
from contextlib import contextmanager, suppress
from datetime import datetime, timezone
from tempfile import SpooledTemporaryFile
from typing import IO, TYPE_CHECKING, Any

from dovetail.cli import output
from dovetail.errors import DovetailError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dovetail.values import Run

__all__ = ["print_csv", "save_csv"]

FIXED = ("run_id", "experiment_id", "status", "artifact_uri", "start_time", "end_time")
KINDS = ("metrics", "params", "tags")
PAGE = 1000
IN_MEMORY = 8 * 1024 * 1024  # bytes


def print_csv(experiment_id: str) -> None:
    """Print the active runs of an experiment, newest first; control characters do not reach a terminal."""
    with _gathered(experiment_id) as (columns, runs):
        _write(sys.stdout, columns, runs, shown=sys.stdout.isatty())


def save_csv(experiment_id: str, path: Path) -> int:
    """Write the active runs of an experiment, newest first, to a file: all of it or nothing.

    Args:
        experiment_id: The experiment.
        path: The file; one that exists is replaced.

    Returns:
        How many runs there are.

    Raises:
        DovetailError: The file cannot be written.
    """
    with _gathered(experiment_id) as (columns, runs), _named(path), _whole(path) as file:
        return _write(file, columns, runs, shown=False)


@contextmanager
def _gathered(experiment_id: str) -> Iterator[tuple[list[str], Iterator[dict[str, Any]]]]:
    """The columns, and the runs as values by column. One reading for both, since runs may come meanwhile."""
    keys: dict[str, set[str]] = {kind: set() for kind in KINDS}
    with SpooledTemporaryFile(IN_MEMORY, "w+", encoding="utf-8") as spool:
        for run in _runs(experiment_id):
            content = {"info": run.info.__dict__, **run.data.to_dictionary()}
            for kind in KINDS:
                keys[kind] |= content[kind].keys()
            spool.write(json.dumps(content) + "\n")
        spool.seek(0)
        columns = [*FIXED, *(f"{kind}.{key}" for kind in KINDS for key in sorted(keys[kind]))]
        yield columns, (_values(json.loads(line)) for line in spool)


def _runs(experiment_id: str) -> Iterator[Run]:
    from dovetail.tracking.client import Client

    token: str | None = None
    while True:
        page = Client().search_runs([experiment_id], max_results=PAGE, page_token=token)
        yield from page
        token = page.token
        if token is None:
            return


def _values(content: dict[str, Any]) -> dict[str, Any]:
    info = content["info"]
    values = {name: info[name] for name in FIXED}
    values.update({name: _moment(info[name]) for name in ("start_time", "end_time")})
    for kind in KINDS:
        values.update({f"{kind}.{key}": value for key, value in content[kind].items()})
    return values


def _moment(milliseconds: int | None) -> str:
    if milliseconds is None:
        return ""
    try:
        moment = datetime.fromtimestamp(milliseconds / 1000, timezone.utc)
    except (OSError, OverflowError, ValueError):  # later than the year 9999
        return str(milliseconds)
    return moment.isoformat(" ", "milliseconds")


def _write(file: IO[str], columns: list[str], runs: Iterator[dict[str, Any]], *, shown: bool) -> int:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(map(output.one_line, columns) if shown else columns)
    count = 0
    for values in runs:
        count += 1
        cells = [_cell(values.get(column)) for column in columns]
        writer.writerow(map(output.one_line, cells) if shown else cells)
    return count


def _cell(value: Any) -> str:
    """A value as pandas writes it, which is how MLflow has it: nothing for NaN."""
    return "" if value is None or value != value else str(value)  # noqa: PLR0124 - NaN


@contextmanager
def _named(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DovetailError(
            f"{path} cannot be written: {error.strerror or error}.", hint="Nothing was changed; choose another file."
        ) from error


@contextmanager
def _whole(path: Path) -> Iterator[IO[str]]:
    """A file that takes its place when it is complete; pipes and devices are written to as they are."""
    with suppress(FileNotFoundError):  # it is a new one
        path.stat()  # says what is wrong with a link that leads round in a circle
    if path.exists() and not path.is_file() and not path.is_dir():
        with path.open("w", encoding="utf-8", newline="") as file:
            yield file
        return
    target = path.resolve()  # what a link points at is replaced, not the link
    partial = target.with_name(f".{os.urandom(8).hex()}.part")
    try:
        with partial.open("x", encoding="utf-8", newline="") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileNotFoundError):  # it is a new one
            shutil.copymode(target, partial)
        partial.replace(target)
    except BaseException:
        with suppress(OSError):  # it was not even made
            partial.unlink()
        raise
