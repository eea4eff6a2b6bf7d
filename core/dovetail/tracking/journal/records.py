"""Records: the form in which a journal keeps what was logged.

A journal is one file that one process writes. It begins with ``MAGIC``, and then records follow, each behind the length
of its body (4 bytes) and the body's CRC-32 (4 bytes). Numbers are little-endian. A length of 0 is the end: room that is
not written to yet holds zeros. A record that is cut short or whose checksum does not fit was being written when its
process was killed; it was never acknowledged, and nothing stands behind it.

The first byte of a body is its kind. Runs and keys are named once and have numbers from then on:

* ``h`` the file's header: JSON, see ``Header``;
* ``r`` a run: number (4), id in UTF-8;
* ``k`` a metric's key: number (4), key in UTF-8;
* ``p`` a point: run (4), key (4), timestamp (8), step (8), value (a double);
* ``m`` several metrics at one time and step: run (4), timestamp (8), step (8), and for each key (4) and value (double);
* ``b`` anything else that is logged: run (4), JSON, see ``batch_text``;
* ``e`` the end of a run: run (4), JSON: a list of status, end time, and whether the process had the run's lease.
"""

from __future__ import annotations

import json
import operator
import struct
import zlib
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from dovetail.errors import InvalidInput, StoreError
from dovetail.values import Batch, Ending, Metric, Param, Tag
from dovetail.values.measure import now_ms

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = [
    "BATCH",
    "END",
    "HEAD",
    "HEADER",
    "KEY",
    "KINDS",
    "MAGIC",
    "METRICS",
    "NUMBERED",
    "POINT",
    "POINT_SIZE",
    "RUN",
    "SEALED_POINT",
    "WHOLE_POINT",
    "Header",
    "Row",
    "batch_of",
    "batch_text",
    "bodies",
    "body_at",
    "end_body",
    "end_of",
    "named",
    "row_body",
    "row_of",
    "sealed",
]

MAGIC = b"dovetail journal 1\n"
HEAD = struct.Struct("<II")
RUN, KEY, POINT, METRICS, BATCH, END, HEADER = KINDS = b"rkpmbeh"
NUMBERED = struct.Struct("<BI")
"""How all bodies but the header's begin: kind, and the number of a run or key."""
POINT_BODY = struct.Struct("<BIIqqd")
WHOLE_POINT = struct.Struct("<IIBIIqqd")
"""A point with its length and checksum: what most of a journal is made of."""
POINT_SIZE = POINT_BODY.size
SEALED_POINT = struct.Struct(f"<II{POINT_SIZE}s")
"""The same, of a body that is packed already."""
MOMENT = struct.Struct("<BIqq")
MEASURE = struct.Struct("<Id")


Row: TypeAlias = "tuple[int, int, int, Iterator[tuple[int, float]]]"
"""Several metrics at one time: run, timestamp, step, and each key with its value."""


class Header(NamedTuple):
    """What a journal says of itself.

    Args:
        writer: A random id; no two journals have the same.
        uri: Where what it holds belongs, without passwords.
        pid: The process that writes it.
        host: The machine it runs on.
        started: When the journal was begun, in milliseconds since 1970, UTC.
        holder: The process as the holder of leases; empty if it holds none.
    """

    writer: str
    uri: str
    pid: int
    host: str
    started: int
    holder: str = ""

    def body(self) -> bytes:
        """The record's body."""
        return bytes([HEADER]) + json.dumps(self._asdict(), ensure_ascii=False).encode()

    @classmethod
    def of(cls, body: bytes) -> Header:
        """The header that a body is; what a newer release says beside is left out.

        Raises:
            StoreError: It is none.
        """
        try:
            said = json.loads(body[1:])
            return cls(**{name: said[name] for name in cls._fields if name in said})
        except (ValueError, TypeError, KeyError) as error:
            raise StoreError(f"A journal has a header that nobody wrote: {error!r}") from error


def sealed(body: bytes) -> bytes:
    """A body behind its length and checksum."""
    return HEAD.pack(len(body), zlib.crc32(body)) + body


def named(kind: int, number: int, name: str) -> bytes:
    """The body that gives a run or key its number."""
    return NUMBERED.pack(kind, number) + name.encode()


def bodies(data: bytes, start: int = 0) -> Iterator[tuple[int, bytes]]:
    """The bodies of whole records, each with the offset behind it; the first one that is not whole ends them."""
    while (found := body_at(data, start)) is not None:
        yield found
        start = found[0]


def body_at(data: bytes, start: int) -> tuple[int, bytes] | None:
    """The body of the record that begins there, with the offset behind it; None if it is not whole."""
    begin = start + HEAD.size
    if begin > len(data):
        return None
    length, check = HEAD.unpack_from(data, start)
    if not 0 < length <= len(data) - begin:
        return None
    body = data[begin : begin + length]
    return (begin + length, body) if zlib.crc32(body) == check else None


def row_body(run: int, timestamp: int, step: int, measured: Iterable[tuple[int, float]]) -> bytes:
    """The body of several metrics at one time and step."""
    values = b"".join(MEASURE.pack(key, value) for key, value in measured)
    return MOMENT.pack(METRICS, run, timestamp, step) + values


def row_of(body: bytes) -> Row:
    """Run, timestamp, step, and each key with its value."""
    _, run, timestamp, step = MOMENT.unpack_from(body)
    return run, timestamp, step, MEASURE.iter_unpack(body[MOMENT.size :])


def end_body(run: int, end: Ending) -> bytes:
    """The body that says how a run ended."""
    return NUMBERED.pack(END, run) + json.dumps([end.status, end.end_time, end.holder is not None]).encode()


def end_of(text: bytes, holder: str) -> Ending:
    """The end that ``end_body`` wrote, which is the word of the journal's process."""
    try:
        status, end_time, *held = json.loads(text)
        return Ending(status, operator.index(end_time), None if held == [False] else holder or None)
    except (ValueError, TypeError, InvalidInput) as error:
        raise StoreError(f"A journal holds a record that nobody wrote: {error}") from error


# --- batches ---------------------------------------------------------------------------------------------------


def batch_text(batch: Batch) -> bytes:
    """A batch as JSON: lists of points, params and tags with when they were set.

    What a point does not have at its end is left out.
    """
    metrics = [[each.key, _number(each.value), each.timestamp, each.step, *_links(each)] for each in batch.points()]
    params = [[each.key, each.value] for each in batch.params]
    now = now_ms() if batch.tags else 0
    tags = [[each.key, each.value, now if each.set_at is None else each.set_at] for each in batch.tags]
    parts = {"metrics": metrics, "params": params, "tags": tags}
    text = json.dumps({name: part for name, part in parts.items() if part}, ensure_ascii=False)
    return text.encode("utf-8", "surrogatepass")


def batch_of(text: bytes) -> Batch:
    """The batch that ``batch_text`` wrote."""
    try:
        held: dict[str, Any] = json.loads(text.decode("utf-8", "surrogatepass"))
        return Batch.stored(
            metrics=tuple(_metric(*each) for each in held.get("metrics", ())),
            params=tuple(Param.stored(key=key, value=value) for key, value in held.get("params", ())),
            tags=tuple(Tag.stored(key=key, value=value, set_at=set_at) for key, value, set_at in held.get("tags", ())),
        )
    except (ValueError, TypeError, AttributeError) as error:
        raise StoreError(f"A journal holds a record that nobody wrote: {error}") from error


def _number(value: float) -> float | str:
    # JSON has no NaN and no infinities; their names are text, which Python reads back.
    return value if value - value == 0 else repr(value)


def _links(metric: Metric) -> list[str | None]:
    links = [metric.model_id, metric.dataset_name, metric.dataset_digest]
    return links if any(links) else []


def _metric(
    key: str,
    value: float | str,
    timestamp: int,
    step: int,
    model_id: str | None = None,
    dataset_name: str | None = None,
    dataset_digest: str | None = None,
) -> Metric:
    return Metric.stored(
        key=key,
        value=float(value),
        timestamp=timestamp,
        step=step,
        model_id=model_id,
        dataset_name=dataset_name,
        dataset_digest=dataset_digest,
    )
