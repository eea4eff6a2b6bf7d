"""Reading journals: what is whole is read, once each, and what is not is never mistaken for something else."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING

import pytest

from dovetail.errors import StoreError
from dovetail.tracking.journal import reader as reading
from dovetail.tracking.journal import records
from dovetail.tracking.journal.reader import JournalReader, Part
from dovetail.values import Batch, Ending, Metric, Param, Tag

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


RUN = records.named(records.RUN, 1, "run-1")
OTHER = records.named(records.RUN, 2, "run-2")
LOSS = records.named(records.KEY, 1, "loss")
ACCURACY = records.named(records.KEY, 2, "accuracy")


def point(step: int, run: int = 1, key: int = 1) -> bytes:
    return records.POINT_BODY.pack(records.POINT, run, key, 1000 + step, step, step / 2)


def other(run: int, batch: Batch) -> bytes:
    return records.NUMBERED.pack(records.BATCH, run) + records.batch_text(batch)


def everything(path: Path) -> list[Part]:
    with path.open("rb") as file:
        journal, parts, before = JournalReader(file), list[Part](), 0
        while journal.place > before:
            before = journal.place
            parts += journal.piece()
    return parts


def steps(path: Path) -> list[int]:
    return [each.step for part in everything(path) for each in part.batch.points()]


class TestWhatStandsInAJournal:
    def test_is_read_by_run(self, write: Callable[..., Path]) -> None:
        path = write(
            RUN,
            LOSS,
            OTHER,
            point(0),
            point(0, run=2),
            point(1),
            other(1, Batch(params=(Param("lr", "0.1"),), tags=(Tag("a", "b"),))),
            records.end_body(2, Ending("FAILED", 99)),
        )
        first, second = everything(path)
        assert (first.run, first.run_id, first.batch.end) == (1, "run-1", None)
        assert [(each.key, each.timestamp, each.step, each.value) for each in first.batch.points()] == [
            ("loss", 1000, 0, 0.0),
            ("loss", 1001, 1, 0.5),
        ]
        assert (first.batch.params, first.batch.tags) == ((Param("lr", "0.1"),), (Tag("a", "b"),))
        assert (second.run_id, len(second.batch), second.batch.end) == ("run-2", 2, Ending("FAILED", 99))

    def test_may_be_points_rows_and_batches_in_any_order(self, write: Callable[..., Path]) -> None:
        row = records.row_body(1, 7, 2, [(1, 0.25), (2, 0.5)])
        linked = other(1, Batch((Metric("loss", 1, 3, 4, "m-1"),)))
        path = write(RUN, LOSS, ACCURACY, point(0), row, point(1), linked, point(3, key=2), point(5))
        [part] = everything(path)
        found = {(each.key, each.step, each.model_id) for each in part.batch.points()}
        assert found == {
            ("loss", 0, None),
            ("loss", 1, None),
            ("loss", 2, None),
            ("accuracy", 2, None),
            ("loss", 4, "m-1"),
            ("accuracy", 3, None),
            ("loss", 5, None),
        }

    def test_is_read_as_it_is_written(self, write: Callable[..., Path]) -> None:
        path = write(RUN, LOSS, point(0))
        with path.open("rb", buffering=0) as file, path.open("ab") as more:
            journal = JournalReader(file)
            assert [len(each.batch) for each in journal.piece()] == [1]
            assert journal.piece() == []
            more.write(records.sealed(point(1)))
            more.flush()
            [part] = journal.piece()
            assert [each.step for each in part.batch.points()] == [1]

    def test_is_read_in_pieces_that_know_what_was_named_before(self, write: Callable[..., Path]) -> None:
        many = 60_000  # more than two pieces
        path = write(RUN, LOSS, *(point(step) for step in range(many)))
        parts = everything(path)
        assert len(parts) > 2
        assert [each.step for part in parts for each in part.batch.points()] == list(range(many))

    @pytest.mark.parametrize("before", [0, 1, 1000])
    def test_may_be_larger_than_a_piece(self, before: int, write: Callable[..., Path]) -> None:
        large = Batch(params=tuple(Param(f"p{number}", "x" * 6000) for number in range(400)))
        points = [point(step) for step in range(before)]
        path = write(RUN, LOSS, *points, other(1, large), point(before), point(before + 1))
        assert sum(len(part.batch.params) for part in everything(path)) == 400
        assert steps(path) == list(range(before + 2))

    def test_is_read_no_further_than_asked_for(self, write: Callable[..., Path]) -> None:
        """What a thread is writing at this moment stands behind the end, and is trusted by nobody."""
        large = Batch(params=tuple(Param(f"p{number}", "x" * 6000) for number in range(400)))
        path = write(RUN, LOSS, other(1, large), point(1), point(2))
        end = path.stat().st_size - 2 * records.WHOLE_POINT.size
        with path.open("rb", buffering=0) as file:
            journal, found = JournalReader(file), []
            while journal.place < end:
                found += journal.piece(end, trusted=True)
            assert journal.place == end
        assert sum(part.batch.measured for part in found) == 0


class TestATornEnd:
    def test_at_any_byte_costs_nothing_but_the_torn_record(self, write: Callable[..., Path]) -> None:
        made = [
            RUN,
            LOSS,
            point(0),
            other(1, Batch(tags=(Tag("a", "b"),))),
            point(1),
            records.end_body(1, Ending("KILLED", 5)),
        ]
        path = write(*made)
        data = path.read_bytes()
        with path.open("rb") as file:
            begin = JournalReader(file).place
        ends = [begin]
        for body in made:
            ends.append(ends[-1] + records.HEAD.size + len(body))
        assert ends[-1] == len(data)
        for cut in range(begin, len(data)):
            for room in (b"", bytes(50)):  # the file ends there, or room behind it was never written to
                path.write_bytes(left := data[:cut] + room)
                parts = everything(path)
                # A record that ends in zeros is whole once the others are there.
                whole = sum(left.startswith(data[:end]) for end in ends) - 1
                points = sum(part.batch.measured for part in parts)
                assert points == sum(body[0] == records.POINT for body in made[:whole])
                assert any(part.batch.tags for part in parts) == (whole >= 4)
                assert any(part.batch.end for part in parts) == (whole >= 6)

    def test_in_the_header_makes_it_no_journal(self, write: Callable[..., Path]) -> None:
        path = write()
        data = path.read_bytes()
        for cut in range(len(data)):
            path.write_bytes(data[:cut])
            with pytest.raises(StoreError, match="no journal"):
                everything(path)

    def test_that_claims_to_be_huge_takes_no_memory(self, write: Callable[..., Path]) -> None:
        path = write(RUN, LOSS, point(0))
        with path.open("ab") as file:
            file.write(struct.pack("<II", 2**32 - 1, 1) + bytes(reading._PIECE * 2))
        import tracemalloc

        tracemalloc.start()
        try:
            assert steps(path) == [0]
            assert tracemalloc.get_traced_memory()[1] < 16 << 20
        finally:
            tracemalloc.stop()


class TestAFlippedBit:
    def test_anywhere_ends_what_is_read_and_changes_nothing(self, write: Callable[..., Path]) -> None:
        path = write(RUN, LOSS, *(point(step) for step in range(5)))
        data = path.read_bytes()
        with path.open("rb") as file:
            begin = JournalReader(file).place
        for place in range(begin, len(data)):
            damaged = bytearray(data)
            damaged[place] ^= 1 << place % 8
            path.write_bytes(damaged)
            found = steps(path)
            assert found == list(range(len(found)))
            assert len(found) < 5

    def test_in_the_header_makes_it_no_journal(self, write: Callable[..., Path]) -> None:
        path = write(RUN)
        data = path.read_bytes()
        with path.open("rb") as file:
            begin = JournalReader(file).place - records.HEAD.size - len(RUN)
        for place in range(begin):
            damaged = bytearray(data)
            damaged[place] ^= 1 << place % 8
            path.write_bytes(damaged)
            with pytest.raises(StoreError, match="no journal"):
                everything(path)


class TestStrangers:
    @pytest.mark.parametrize(
        "content", [b"", b"dovetail", b"SQLite format 3\0" * 10, bytes(1000), records.MAGIC, records.MAGIC + bytes(99)]
    )
    def test_are_told_apart(self, content: bytes, tmp_path: Path) -> None:
        path = tmp_path / "x.journal"
        path.write_bytes(content)
        with pytest.raises(StoreError, match=r"x\.journal is no journal"):
            everything(path)

    def test_records_before_a_header_are_none(self, tmp_path: Path) -> None:
        path = tmp_path / "x.journal"
        path.write_bytes(records.MAGIC + records.sealed(RUN))
        with pytest.raises(StoreError, match="no journal"):
            everything(path)

    @pytest.mark.parametrize("body", [b"z", b"z\1\0\0\0more", b"\xff"])
    def test_of_a_newer_release_say_so(self, body: bytes, write: Callable[..., Path]) -> None:
        path = write(RUN, LOSS, point(0), body)
        with pytest.raises(StoreError, match="does not know") as raised:
            everything(path)
        assert "upgrade" in str(raised.value.hint)

    @pytest.mark.parametrize(
        "body",
        [
            point(0, run=9),
            point(0, key=9),
            records.row_body(1, 0, 0, [(9, 0.5)]),
            records.named(records.KEY, 1, "x")[:3],
            records.NUMBERED.pack(records.RUN, 5) + b"\xff",
            records.NUMBERED.pack(records.END, 1) + b"[1]",
            records.NUMBERED.pack(records.BATCH, 1) + b"{",
            records.row_body(1, 0, 0, [(1, 0.5)])[:-1],
        ],
    )
    def test_that_make_no_sense_although_their_checksum_fits_say_so(
        self, body: bytes, write: Callable[..., Path]
    ) -> None:
        path = write(RUN, LOSS, body)
        with pytest.raises(StoreError, match="nobody wrote"):
            everything(path)


def test_the_checksum_is_that_of_the_body(write: Callable[..., Path]) -> None:
    """The format is written down in ``records``; what older releases wrote must stay readable."""
    path = write(RUN, LOSS, point(3))
    length, check, *rest = records.WHOLE_POINT.unpack(path.read_bytes()[-41:])
    assert (length, check) == (33, zlib.crc32(point(3)))
    assert rest == [ord("p"), 1, 1, 1003, 3, 1.5]
