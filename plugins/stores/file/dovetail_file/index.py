"""The index: what was read of all runs, so that the next process need not read all their files.

It may be deleted, be damaged, or be a copy's: of each run it says up to which size its files are known, and what they
hold is that of the files alone.
"""

from __future__ import annotations

import json
import zlib
from typing import TYPE_CHECKING, Any

from dovetail.errors import StoreError
from dovetail_file.entries import Entry
from dovetail_file.state import RunState, Used

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dovetail_file.folder import Folder

__all__ = ["read_index", "write_index"]

FORMAT = zlib.crc32(" ".join(["1", *RunState.__dataclass_fields__, *Used.__dataclass_fields__]).encode())
"""Another release may keep other things of runs; its lines are none for this one."""


def write_index(folder: Folder, entries: Iterable[Entry]) -> bool:
    """Write what is known of runs; whether that could be done, which does not matter to anybody's data."""
    try:
        folder.replace_file(folder.index, b"".join(map(_line, entries)))
    except StoreError:
        # A folder that may only be read, or a full disk: whoever comes next reads the files themselves.
        return False
    return True


def read_index(folder: Folder) -> Iterator[Entry]:
    """What the index knows; damaged lines are left out."""
    try:
        # A pipe that somebody put there would be waited for.
        lines = folder.index.read_bytes().split(b"\n") if folder.index.is_file() else []
    except OSError:
        # Not to be read: then the files themselves are.
        return
    for line in lines:
        check, _, text = line.partition(b" ")
        try:
            if text and int(check, 16) == zlib.crc32(text):
                yield _entry(folder, text)
        except (ValueError, KeyError, TypeError, AttributeError):
            continue


def _line(entry: Entry) -> bytes:
    told = {
        "format": FORMAT,
        "run": entry.place.name,
        "born": entry.born,
        "logs": entry.logs,
        "bin": [entry.bins, entry.stage, entry.stage_time],
        "experiment": entry.experiment_id,
    }
    text = json.dumps(told, separators=(",", ":")).encode() + b"\t" + entry.packed()
    return b"%08x %s\n" % (zlib.crc32(text), text)


def _entry(folder: Folder, text: bytes) -> Entry:
    head, _, state = text.partition(b"\t")
    told: dict[str, Any] = json.loads(head)
    if told["format"] != FORMAT:
        raise ValueError("another release's line")
    entry = Entry(folder.runs / told["run"])
    entry.born = told["born"]
    entry.logs = {name: (size, known) for name, (size, known) in told["logs"].items()}
    entry.bins, entry.stage, entry.stage_time = told["bin"]
    entry.recall(state, told["experiment"])
    return entry
