"""Disks that lose what they were given, processes out of descriptors: nothing hangs, leaks or is taken for safe."""

from __future__ import annotations

import errno
import os
import sys
import time
import warnings
from typing import TYPE_CHECKING, Any

import pytest

import dovetail
from dovetail.errors import StoreError, StoreUnavailable
from dovetail.tracking import places
from dovetail.tracking.journal import memory, records
from dovetail.tracking.journal.folder import orphans
from dovetail.tracking.journal.reader import JournalReader
from dovetail.tracking.journal.writer import JournalClosed, JournalWriter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

HEADER = records.Header("w", "distant://a", 1, "here", 0)
MIB = 1 << 20


def steps(store: Any, run_id: str) -> list[int]:
    return [each.step for each in store.get_metric_history(run_id, "loss")]


class Disk:
    """What the disk answers to ``fsync``."""

    fails = False

    def __init__(self) -> None:
        self._fsync = os.fsync

    def fsync(self, descriptor: int) -> None:
        if self.fails:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        self._fsync(descriptor)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    found = Disk()
    monkeypatch.setattr(os, "fsync", found.fsync)
    return found


@pytest.fixture
def powered(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is logged survives a power cut."""
    monkeypatch.setenv("DOVETAIL_DURABILITY", "power")


@pytest.mark.parametrize("mapped", [True, False])
class TestAJournalThatCouldNotBeSaved:
    def test_takes_nothing_more(self, mapped: bool, tmp_path: Path, disk: Disk) -> None:
        """The system may have dropped what it could not write: that the next try succeeds says nothing."""
        journal = JournalWriter(tmp_path / "a.journal", HEADER, power=True, mapped=mapped)
        saved = journal.append(b"b0")
        disk.fails = True
        with pytest.raises(StoreUnavailable, match="cannot be written"):
            journal.append(b"b1")
        disk.fails = False
        with pytest.raises(JournalClosed):
            journal.append(b"b2")
        assert journal.saved == saved
        journal.close()
        with (tmp_path / "a.journal").open("rb") as file:
            start = JournalReader(file).place
            file.seek(0)
            assert [body for _, body in records.bodies(file.read(), start)] == [b"b0", b"b1"]

    def test_is_closed_for_good(self, mapped: bool, tmp_path: Path, disk: Disk) -> None:
        journal = JournalWriter(tmp_path / "a.journal", HEADER, power=True, mapped=mapped)
        disk.fails = True
        with pytest.raises(StoreUnavailable):
            journal.append(b"b1")
        journal.close()
        assert (tmp_path / "a.journal").stat().st_size == journal.end

    def test_at_its_end_says_so_and_lets_go(self, mapped: bool, tmp_path: Path, disk: Disk) -> None:
        journal = JournalWriter(tmp_path / "a.journal", HEADER, power=True, mapped=mapped)
        disk.fails = True
        with pytest.raises(StoreUnavailable):
            journal.close()
        assert (journal._file, journal._lease) == (-1, -1)


@pytest.mark.usefixtures("powered")
class TestADiskThatFails:
    def test_is_said_and_a_new_journal_is_begun(self, distant: Any, disk: Disk, folder: Path) -> None:
        with dovetail.start_run() as run:
            dovetail.log_metric("loss", 0)
            distant.away = disk.fails = True
            with pytest.raises(StoreUnavailable):
                dovetail.log_metric("loss", 1, step=1)
            disk.fails = False
            for step in range(2, 5):
                dovetail.log_metric("loss", step, step=step)
            assert len(orphans(folder)) == 2
            recorder: Any = places.recorder()
            assert recorder._writer.saved == recorder._writer.end
            distant.away = False
        assert {0, 2, 3, 4} <= set(steps(distant, run.info.run_id))
        places.forget_stores()
        assert not folder.exists()

    def test_again_and_again_makes_no_journal_a_call(self, distant: Any, disk: Disk, folder: Path) -> None:
        with dovetail.start_run() as run:
            dovetail.log_metric("loss", 0)
            distant.away = True
            for step in range(1, 50):
                disk.fails = step % 2 == 1
                if disk.fails or step > 3:
                    with pytest.raises(StoreUnavailable):
                        dovetail.log_metric("loss", step, step=step)
                else:
                    dovetail.log_metric("loss", step, step=step)
            assert len(orphans(folder)) == 2
            distant.away = disk.fails = False
            dovetail.flush_async_logging()
            deadline = time.monotonic() + 10
            while len(orphans(folder)) > 1:
                assert time.monotonic() < deadline
                time.sleep(0.05)
            dovetail.log_metric("loss", 99, step=99)
        assert {0, 2, 99} <= set(steps(distant, run.info.run_id))

    def test_is_answered_by_a_new_journal_while_the_one_before_is_just_removed(
        self, distant: Any, disk: Disk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        close = JournalWriter.close
        with dovetail.start_run() as run:
            dovetail.log_metric("loss", 0)
            distant.away = disk.fails = True
            with pytest.raises(StoreUnavailable):
                dovetail.log_metric("loss", 1, step=1)
            disk.fails = False
            dovetail.log_metric("loss", 2, step=2)
            disk.fails = True
            with pytest.raises(StoreUnavailable):
                dovetail.log_metric("loss", 3, step=3)
            distant.away = disk.fails = False

            def logging(writer: JournalWriter, **options: Any) -> None:
                monkeypatch.setattr(JournalWriter, "close", close)
                dovetail.log_metric("loss", 4, step=4, run_id=run.info.run_id)  # it may be a thread without a run
                close(writer, **options)

            monkeypatch.setattr(JournalWriter, "close", logging)
            dovetail.flush_async_logging()
            assert JournalWriter.close is close, "it was removed, and somebody logged meanwhile"
        assert {0, 2, 4} <= set(steps(distant, run.info.run_id))


class TestAJournalThatCannotBeReadAnyMore:
    @pytest.fixture
    def damaged(self, distant: Any, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
        """A run whose journal has a flipped bit within a param, behind a point and ahead of another."""
        with dovetail.start_run() as run:
            dovetail.log_metric("loss", 0, synchronous=True)
            distant.away = True
            dovetail.log_metric("loss", 1, step=1)
            dovetail.log_param("lr", "here")
            dovetail.log_metric("loss", 2, step=2)
            [path] = orphans(folder)
            place = path.read_bytes().index(b"here")
            with path.open("r+b") as file:
                file.seek(place)
                file.write(b"Here")
            monkeypatch.setattr(memory, "_FRESH", 0)  # until then it is remembered, and need not be read
            distant.away = False
            yield run.info.run_id

    def test_is_said_to_who_waits(self, damaged: str, distant: Any, folder: Path) -> None:
        begin = time.monotonic()
        for _ in range(2):
            with pytest.raises(StoreError, match=r"cannot be read from byte \d+ on"):
                dovetail.flush_async_logging()
        assert time.monotonic() - begin < 5
        assert steps(distant, damaged) == [0, 1]
        with pytest.raises(StoreError, match="cannot be read"):
            places.forget_stores()
        assert len(orphans(folder)) == 1

    def test_costs_no_time_meanwhile(self, damaged: str, distant: Any) -> None:
        with pytest.raises(StoreError):
            dovetail.flush_async_logging()
        begin = time.process_time()
        time.sleep(1)
        assert time.process_time() - begin < 0.5
        with pytest.raises(StoreError, match="cannot be read"):
            places.forget_stores()

    def test_is_kept_with_what_stands_behind(
        self, damaged: str, distant: Any, folder: Path, reopened: Callable[[], Any]
    ) -> None:
        with pytest.raises(StoreError, match="cannot be read"):
            places.forget_stores()
        reopened()
        [kept] = folder.glob("*.damaged")
        assert b"Here" in kept.read_bytes()


class TestLookingForADamage:
    @pytest.mark.parametrize(
        ("rest", "found"),
        [(b'{"params": []}', False), (bytes((0, 0, 8, 0, 0, 0, 0, 0, records.POINT)), True)],
        ids=["text", "what looks like lengths"],
    )
    def test_takes_a_moment(self, rest: bytes, found: bool, write: Callable[..., Path]) -> None:
        path = write()
        with path.open("ab") as file:
            file.write(records.sealed(bytes([records.BATCH]) + rest * (MIB // len(rest)))[:-1])
        with path.open("rb") as file:
            journal, begin = JournalReader(file), time.process_time()
            assert journal.piece() == []
            assert journal.is_damaged() == found
            assert time.process_time() - begin < 2

    def test_finds_a_record_that_ends_with_zeros(self, write: Callable[..., Path]) -> None:
        path = write()
        with path.open("ab") as file:
            file.write(b"\1" * 30 + records.sealed(records.POINT_BODY.pack(records.POINT, 1, 1, 5, 5, 0.0)))
        with path.open("rb") as file:
            assert JournalReader(file).is_damaged()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")
class TestAProcessOutOfDescriptors:
    @pytest.fixture
    def left(self) -> Iterator[Callable[[int], None]]:
        """``left(2)`` leaves so many descriptors."""
        import resource

        limit = resource.getrlimit(resource.RLIMIT_NOFILE)
        taken: list[int] = []

        def leave(count: int) -> None:
            resource.setrlimit(resource.RLIMIT_NOFILE, (256, limit[1]))
            try:
                while True:
                    taken.append(os.dup(0))
            except OSError:
                for _ in range(count):
                    os.close(taken.pop())

        try:
            yield leave
        finally:
            for each in taken:
                os.close(each)
            resource.setrlimit(resource.RLIMIT_NOFILE, limit)

    @pytest.mark.parametrize("power", ["process", "power"])
    @pytest.mark.parametrize("count", [1, 2, 3])
    def test_goes_on_training_and_leaks_none(
        self,
        count: int,
        power: str,
        distant: Any,
        folder: Path,
        left: Callable[[int], None],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setenv("DOVETAIL_ON_ERROR", "warn")
        monkeypatch.setenv("DOVETAIL_DURABILITY", power)
        with dovetail.start_run() as run:
            recorder: Any = places.recorder()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                left(count)
                for step in range(20):
                    dovetail.log_metric("loss", step, step=step)
                free = [os.dup(0) for _ in range(count - 2 * (recorder._writer is not None))]
                for each in free:
                    os.close(each)
            assert len(list(folder.glob("*"))) == (recorder._writer is not None)
        assert steps(distant, run.info.run_id) in ([], list(range(20)))
