"""Reading a journal: what it holds, in portions that a store takes in one go."""

from __future__ import annotations

import os
import re
import struct
import zlib
from array import array
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from dovetail.errors import StoreError
from dovetail.tracking.journal import records
from dovetail.tracking.journal.columns import columns_of, points_at
from dovetail.tracking.journal.records import HEAD, MAGIC, WHOLE_POINT, Header
from dovetail.values import Batch, Metric, Param, Tag
from dovetail.values.measure import MetricColumns

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import BinaryIO

    from dovetail.tracking.journal.columns import Columns
    from dovetail.tracking.journal.memory import Appended, Memory
    from dovetail.tracking.journal.records import Row
    from dovetail.values import Ending

__all__ = ["JournalReader", "Part"]

_PIECE = 1 << 20
"""Bytes that are read at a time: some twenty thousand points."""
_POINT = bytes([records.POINT])
_KINDS = re.compile(rb"[" + records.KINDS + rb"]")
_FEW = 8
"""So many rows of metrics are points of their own; columns pay where there are more."""
_BEHIND = 16 * _PIECE
"""Bytes behind a damage that are looked through for whole records."""
_PATIENCE = 64 * _PIECE
"""Bytes of which checksums are made, at most, while whole records are looked for behind a damage."""


class Part(NamedTuple):
    """What a piece of a journal holds of one run.

    Args:
        run: The run's number in this journal.
        run_id: The run.
        batch: What it logged, and how it ended, if it did.
    """

    run: int
    run_id: str
    batch: Batch


class JournalReader:
    """Reads a journal from its beginning on, as far as it is written.

    Args:
        file: The journal, opened for reading; what is written behind its end later is read later.
        memory: What this very process remembers of it.

    Raises:
        StoreError: It is no journal.
    """

    def __init__(self, file: BinaryIO, memory: Memory | None = None) -> None:
        self._file, self._memory = file, memory
        self._runs: dict[int, str] = {}
        self._keys: dict[int, str] = {}
        self.header, self.place = _header(file)
        """Its header, and where the next record begins."""
        self.latest = 0
        """The latest time of a point that was read with its checksum, in milliseconds since 1970, UTC."""

    def piece(
        self, end: int | None = None, *, trusted: bool = False, done: Mapping[int, int] | None = None
    ) -> list[Part]:
        """What comes next, by run. ``place`` lies behind it then; at the end it stays where it is.

        Args:
            end: Read no further; by default as far as records are whole.
            trusted: Leave out the checksums: this very process wrote it.
            done: By run, the place before which its records are left out.

        Raises:
            StoreError: A record makes no sense to this release.
        """
        if self._memory is not None and end is not None and (known := self._memory.between(self.place, end)):
            self.place = end
            return self._found(done).remembered(known)
        size = _PIECE if end is None else min(_PIECE, end - self.place)
        self._file.seek(self.place)
        data = self._file.read(size)
        found = self._found(done)
        try:
            read = found.read(data, self.place, trusted=trusted)
            if not read and len(data) == size == _PIECE:
                # One record that is larger than a piece.
                read = found.read(data + self._file.read(self._missing(data)), self.place, trusted=trusted)
            parts = found.parts()
            if not trusted:
                self.latest = max([self.latest, *(each for part in parts for each in _times(part.batch))])
        except (KeyError, ValueError, TypeError, OverflowError, RecursionError, struct.error) as error:
            raise StoreError(f"{self._file.name} holds a record that nobody wrote: {error!r}") from error
        self.place += read
        return parts

    def is_damaged(self) -> bool:
        """Whether a record that is not whole was written to its end, or whole ones stand behind it.

        The end of a process leaves neither behind: it is the last record that is cut short, and room behind it is zero.
        Where that would take too long to say, they may: nothing is thrown away then.
        """
        self._file.seek(self.place)
        rest = self._file.read(_BEHIND)
        if self._file.read(_PIECE).strip(b"\0"):
            return True  # far more than one record that was being written
        if _is_written_to_its_end(rest):
            return True
        view, left = memoryview(rest), _PATIENCE
        for kind in _KINDS.finditer(rest, HEAD.size + 1):
            length, check = HEAD.unpack_from(rest, kind.start() - HEAD.size)
            if not 0 < length <= len(rest) - kind.start():
                continue
            left -= length
            if left < 0 or zlib.crc32(view[kind.start() : kind.start() + length]) == check:
                return True
        return False

    def _found(self, done: Mapping[int, int] | None) -> _Found:
        return _Found(self._runs, self._keys, self.header.holder, done or {})

    def _missing(self, data: bytes) -> int:
        """How much of the first record lies behind this; what claims to end behind the file is none."""
        missing = HEAD.size + int(HEAD.unpack_from(data)[0]) - len(data)
        there = os.fstat(self._file.fileno()).st_size - self.place - len(data)
        return missing if 0 < missing <= there else 0


def _is_written_to_its_end(rest: bytes) -> bool:
    """Whether the last byte of the record that comes first is there, though its checksum does not fit."""
    if len(rest) < HEAD.size:
        return False
    last = HEAD.size + int(HEAD.unpack_from(rest)[0]) - 1
    return HEAD.size <= last < len(rest) and rest[last] != 0


def _times(batch: Batch) -> Iterator[int]:
    """The latest time of each of its columns, and those of other points."""
    yield from (max(columns.timestamps) for columns in batch.columns)
    yield from (metric.timestamp for metric in batch.metrics)


def _header(file: BinaryIO) -> tuple[Header, int]:
    file.seek(0)
    data = file.read(1 << 16)
    first = next(records.bodies(data, len(MAGIC)), None) if data.startswith(MAGIC) else None
    if first is None or first[1][0] != records.HEADER:
        raise StoreError(f"{file.name} is no journal of dovetail's.")
    place, body = first
    return Header.of(body), place


@dataclass
class _OfRun:
    """What was found of one run."""

    points: dict[int, Columns] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)
    metrics: list[Metric] = field(default_factory=list)
    params: list[Param] = field(default_factory=list)
    tags: list[Tag] = field(default_factory=list)
    end: Ending | None = None


class _Found:
    """What a piece holds, by run."""

    def __init__(self, runs: dict[int, str], keys: dict[int, str], holder: str, done: Mapping[int, int]) -> None:
        self._runs, self._keys, self._holder, self._done = runs, keys, holder, done
        self._by_run: dict[int, _OfRun] = {}

    def parts(self) -> list[Part]:
        return [Part(run, self._runs[run], self._batch(found)) for run, found in self._by_run.items()]

    def remembered(self, known: Iterable[Appended]) -> list[Part]:
        """The same of records that nobody has to read."""
        for each in known:
            if isinstance(each.held, Batch):
                if not self._is_done(each.number, each.end):
                    self._add(self._of(each.number), each.held)
            else:
                names = self._runs if each.kind == records.RUN else self._keys
                names[each.number] = each.held
        return self.parts()

    def read(self, data: bytes, base: int, *, trusted: bool) -> int:
        """Take in whole records.

        Args:
            data: They stand at its beginning.
            base: Where in the journal that is.
            trusted: As for ``JournalReader.piece``.

        Returns:
            How many bytes they were.
        """
        place = 0
        while True:
            if data[place + HEAD.size : place + HEAD.size + 1] == _POINT:
                place += self._points(data, place, base, trusted=trusted)
            following = records.body_at(data, place)
            if following is None:
                return place
            place, body = following
            self._other(body, base + place)

    def _points(self, data: bytes, place: int, base: int, *, trusted: bool) -> int:
        """Take in the points that follow; how many bytes they were."""
        count = points_at(data, place, trusted=trusted)
        start = 0
        for stop in self._cuts(base + place, count):
            self._take_in(data, place + start * WHOLE_POINT.size, stop - start, base)
            start = stop
        return count * WHOLE_POINT.size

    def _cuts(self, place: int, count: int) -> list[int]:
        """How many of so many points stand before each place up to which something is done, and all of them."""
        size = WHOLE_POINT.size
        within = {(each - place) // size for each in self._done.values() if place < each < place + count * size}
        return [*sorted(within), count] if count else []

    def _take_in(self, data: bytes, place: int, count: int, base: int) -> None:
        """Take in so many points, of each run all or none."""
        end = base + place + count * WHOLE_POINT.size
        for run, key, columns in columns_of(data, place, count):
            if self._is_done(run, end):
                continue
            timestamps, steps, values = self._columns(run, key)
            timestamps.extend(columns[0])
            steps.extend(columns[1])
            values.extend(columns[2])

    def _is_done(self, run: int, end: int) -> bool:
        """Whether a record of a run that ends there is left out."""
        return end <= self._done.get(run, 0)

    def _columns(self, run: int, key: int) -> Columns:
        points = self._of(run).points
        if key not in points:
            points[key] = (array("q"), array("q"), array("d"))
        return points[key]

    def _of(self, run: int) -> _OfRun:
        if run not in self._by_run:
            self._by_run[run] = _OfRun()
        return self._by_run[run]

    def _other(self, body: bytes, end: int) -> None:
        if body[0] not in records.KINDS:
            raise StoreError(
                f"A journal holds records of kind {body[:1]!r}, which this release does not know.",
                hint="A newer dovetail wrote it: upgrade this one.",
            )
        kind, number = records.NUMBERED.unpack_from(body)
        rest = body[records.NUMBERED.size :]
        if kind == records.RUN:
            self._runs[number] = rest.decode()
        elif kind == records.KEY:
            self._keys[number] = rest.decode("utf-8", "surrogatepass")
        elif self._is_done(number, end):
            return
        elif kind == records.METRICS:
            self._of(number).rows.append(records.row_of(body))
        elif kind == records.BATCH:
            self._add(self._of(number), records.batch_of(rest))
        elif kind == records.END:
            self._of(number).end = records.end_of(rest, self._holder)

    def _metrics(self, rows: list[Row]) -> Iterator[Metric]:
        for _, timestamp, step, measured in rows:
            for key, value in measured:
                yield Metric.stored(key=self._keys[key], value=value, timestamp=timestamp, step=step)

    def _put_in_columns(self, rows: list[Row]) -> None:
        for run, timestamp, step, measured in rows:
            for key, value in measured:
                columns = self._columns(run, key)
                columns[0].append(timestamp)
                columns[1].append(step)
                columns[2].append(value)

    @staticmethod
    def _add(held: _OfRun, batch: Batch) -> None:
        held.metrics += batch.points()
        held.params += batch.params
        held.tags += batch.tags
        held.end = batch.end or held.end

    def _batch(self, found: _OfRun) -> Batch:
        if len(found.rows) <= _FEW:
            found.metrics += self._metrics(found.rows)
        else:
            self._put_in_columns(found.rows)
        columns = tuple(MetricColumns(self._keys[key], *lists) for key, lists in found.points.items())
        return Batch.stored(
            metrics=tuple(found.metrics),
            params=tuple(found.params),
            tags=tuple(found.tags),
            columns=columns,
            end=found.end,
        )
