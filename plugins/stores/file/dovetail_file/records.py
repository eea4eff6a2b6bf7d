"""Records: the form in which a run's files keep what was logged to it.

A file of a run is written by one process, which only ever appends to it. Records stand in it as in a journal, each
behind its length and CRC-32 (``dovetail.tracking.journal.records``). The first byte of a body is its kind:

* ``b`` a batch: the lengths of two texts (4 bytes each), the texts, and then points. The first text is JSON with the
  record's moment (``at``), its ``mark``, and for each metric its key, how many points of it follow, and the latest of
  these as step, timestamp and value. The second one is ``batch_text`` of params, tags, and points of logged models.
  Points follow metric by metric, as columns of 8 bytes a number, little-endian: timestamps, steps, values.
* ``c`` a change of anything else: JSON, see ``RunState``.

Moments are nanoseconds since 1970; a record's is above those of all records that its writer knew of. Tags stand in a
record with their dates, in milliseconds: a late one is older than its record.
"""

from __future__ import annotations

import json
import struct
import sys
from array import array
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from dovetail.tracking.journal import records
from dovetail.values import Batch
from dovetail_file.rewinds import is_rewound, limit

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from dovetail.values import JournalMark
    from dovetail_file.rewinds import Rewind

__all__ = ["BATCH", "CHANGE", "Latest", "Logged", "batch_body", "change_body", "change_in", "columns_in", "tail"]

BATCH, CHANGE = b"bc"
_HEAD = struct.Struct("<BII")
_PIECE = 4 << 20

Latest: TypeAlias = tuple[int, int, float]
"""Step, timestamp and value of a point."""
Columns: TypeAlias = "tuple[array[int], array[int], array[float]]"
"""Timestamps, steps and values."""


class Logged(NamedTuple):
    """What a batch is for those who do not look at its points.

    Args:
        at: Its moment.
        mark: Writer and sequence of the journal record it is.
        latest: How many points of each metric there are, and the latest of them.
        rest: Params, tags, and the points of logged models, which are among those of the run as well.
    """

    at: int
    mark: tuple[str, int] | None
    latest: dict[str, tuple[int, Latest]]
    rest: Batch


def batch_body(batch: Batch, at: int, mark: JournalMark | None) -> tuple[bytes, Logged]:
    """The body of a batch, and what is to be known of it."""
    columns = _columns(batch)
    latest = {key: (len(held[0]), _latest(held)) for key, held in columns.items()}
    linked = tuple(metric for metric in batch.metrics if metric.model_id is not None)
    rest = Batch.stored(metrics=linked, params=batch.params, tags=batch.tags, columns=())
    logged = Logged(at, None if mark is None else (mark.writer, mark.sequence), latest, rest)
    head, text = _head_text(logged), records.batch_text(rest)
    points = b"".join(_packed(column) for held in columns.values() for column in held)
    return _HEAD.pack(BATCH, len(head), len(text)) + head + text + points, logged


def logged_in(body: bytes, rewinds: Sequence[Rewind] = ()) -> Logged:
    """What is to be known of a batch, of whose points some may have been taken away."""
    _, head, text = _HEAD.unpack_from(body)
    told = json.loads(body[_HEAD.size : _HEAD.size + head])
    latest = {key: (count, (step, timestamp, float(value))) for key, count, step, timestamp, value in told["latest"]}
    mark = told.get("mark")
    rest = records.batch_of(body[_HEAD.size + head : _HEAD.size + head + text])
    end = limit(rewinds, told["at"])
    left = latest if end is None else _latest_before(body, latest, end)
    return Logged(told["at"], None if mark is None else (mark[0], mark[1]), left, rest)


def columns_in(body: bytes, wanted: str, rewinds: Sequence[Rewind] = ()) -> Columns | None:
    """The points of a metric in a batch that were not taken away, None if there never were any."""
    _, head, text = _HEAD.unpack_from(body)
    told = json.loads(body[_HEAD.size : _HEAD.size + head])
    start = _HEAD.size + head + text
    for key, count, *_ in told["latest"]:
        if key == wanted:
            end = limit(rewinds, told["at"]) if is_rewound(key) else None
            return _before(_columns_at(body, start, count), end)
        start += 24 * count
    return None


def change_body(change: dict[str, Any]) -> bytes:
    """The body of a change."""
    return bytes([CHANGE]) + json.dumps(change, ensure_ascii=False).encode("utf-8", "surrogatepass")


def change_in(body: bytes) -> dict[str, Any]:
    """The change that a body is."""
    change: dict[str, Any] = json.loads(body[1:].decode("utf-8", "surrogatepass"))
    return change


def tail(path: Path, start: int = 0) -> Iterator[tuple[int, bytes]]:
    """The whole records of a file from an offset on, each with the offset behind it."""
    with path.open("rb", buffering=0) as file:
        file.seek(start)
        held = b""
        while True:
            piece = file.read(max(_PIECE, len(held)))
            held += piece
            used = 0
            for used, body in records.bodies(held):
                yield start + used, body
            start, held = start + used, held[used:]
            if not piece:
                return


# --- points ----------------------------------------------------------------------------------------------------


def _columns(batch: Batch) -> dict[str, Columns]:
    found: dict[str, Columns] = {}
    for metric in batch.metrics:
        held = found.get(metric.key)
        if held is None:
            held = found[metric.key] = (array("q"), array("q"), array("d"))
        held[0].append(metric.timestamp)
        held[1].append(metric.step)
        held[2].append(metric.value)
    for each in batch.columns:
        held = found.setdefault(each.key, (array("q"), array("q"), array("d")))
        held[0].extend(each.timestamps)
        held[1].extend(each.steps)
        held[2].extend(each.values)
    return found


def _columns_at(body: bytes, start: int, count: int) -> Columns:
    size = 8 * count
    parts = [body[start + size * place : start + size * (place + 1)] for place in range(3)]
    return _unpacked("q", parts[0]), _unpacked("q", parts[1]), _unpacked("d", parts[2])


def _before(held: Columns, end: int | None) -> Columns:
    """The points of steps before one; None for all."""
    timestamps, steps, values = held
    if end is None or max(steps, default=end - 1) < end:
        return held
    places = [place for place, step in enumerate(steps) if step < end]
    return (
        array("q", (timestamps[place] for place in places)),
        array("q", (steps[place] for place in places)),
        array("d", (values[place] for place in places)),
    )


def _latest_before(body: bytes, latest: dict[str, tuple[int, Latest]], end: int) -> dict[str, tuple[int, Latest]]:
    """Of each metric how many points of steps before one there are, and the latest of them."""
    _, head, text = _HEAD.unpack_from(body)
    start, left = _HEAD.size + head + text, {}
    for key, (count, point) in latest.items():
        if point[0] < end or not is_rewound(key):
            left[key] = count, point
        elif len((held := _before(_columns_at(body, start, count), end))[0]):
            left[key] = len(held[0]), _latest(held)
        start += 24 * count
    return left


def _latest(held: Columns) -> Latest:
    timestamps, steps, values = held
    if len(steps) == 1:
        return steps[0], timestamps[0], values[0]
    *_, step, timestamp, value = max(map(lateness, steps, timestamps, values))
    return step, timestamp, value


def lateness(step: int, timestamp: int, value: float) -> tuple[Any, ...]:
    """What points are compared by; NaN, which does not compare, is the lowest value. Ends with the arguments."""
    defined = value == value  # noqa: PLR0124 - NaN alone is not itself
    return step, timestamp, defined, value if defined else 0.0, step, timestamp, value


def _head_text(logged: Logged) -> bytes:
    latest = [
        [key, count, step, timestamp, value if value - value == 0 else repr(value)]
        for key, (count, (step, timestamp, value)) in logged.latest.items()
    ]
    told = {"at": logged.at, "latest": latest} | ({} if logged.mark is None else {"mark": logged.mark})
    return json.dumps(told, ensure_ascii=False).encode("utf-8", "surrogatepass")


def _packed(column: array[Any]) -> bytes:
    if sys.byteorder == "big":
        column = array(column.typecode, column)
        column.byteswap()
    return column.tobytes()


def _unpacked(kind: str, data: bytes) -> Any:
    column = array(kind, data)
    if sys.byteorder == "big":
        column.byteswap()
    return column
