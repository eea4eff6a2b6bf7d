"""Writing journals: what ``append`` returned for is in the file, on whatever kind of disk, however full."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager, suppress
from itertools import count
from typing import TYPE_CHECKING

import pytest

from dovetail import posix
from dovetail.errors import StoreFull, StoreUnavailable
from dovetail.tracking.journal import records, writer
from dovetail.tracking.journal.folder import claimed
from dovetail.tracking.journal.reader import JournalReader
from dovetail.tracking.journal.records import Header
from dovetail.tracking.journal.writer import SUFFIX, UNBORN, JournalClosed, JournalWriter, begin

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HEADER = Header("w1", "distant://a", 1, "here", 0)
LARGE = 100_000


def bodies(path: Path) -> list[bytes]:
    """What whoever opens it later finds, without the header."""
    with path.open("rb") as file:
        begin = JournalReader(file).place
    return [body for _, body in records.bodies(path.read_bytes(), begin)]


def numbered(number: int, size: int = 40) -> bytes:
    return b"b" + number.to_bytes(8, "little") + b"x" * size


@pytest.fixture
def path(folder: Path) -> Path:
    folder.mkdir()
    return folder / f"1{SUFFIX}"


@pytest.fixture(params=[True, False], ids=["mapped", "by calls"])
def mapped(request: pytest.FixtureRequest, folder: Path) -> bool:
    """Records go into a mapping where that can be, or by calls as on every other file system."""
    if request.param and not posix.can_map(folder.parent):
        pytest.skip("files cannot be mapped here")
    return bool(request.param)


class TestRecords:
    def test_are_in_the_file_when_append_returns(self, path: Path, mapped: bool) -> None:
        journal = JournalWriter(path, HEADER, mapped=mapped)
        for number in range(100):
            end = journal.append(numbered(number))
            assert end == journal.end
            assert bodies(path) == [numbered(each) for each in range(number + 1)]
        journal.close()

    def test_may_be_of_any_size(self, path: Path, mapped: bool) -> None:
        """Those that fit in no mapping before are the first ones of the next."""
        journal = JournalWriter(path, HEADER, mapped=mapped)
        made = [numbered(size, size) for size in (0, 1 << 10, 1 << 20, 3, 5 << 20, 1, (1 << 20) - 40)]
        for body in made:
            journal.append(body)
        journal.close()
        assert bodies(path) == made

    def test_go_on_over_many_mappings(self, path: Path, mapped: bool) -> None:
        journal = JournalWriter(path, HEADER, mapped=mapped)
        made = [numbered(number, LARGE + number) for number in range(400)]  # 40 MB
        for body in made:
            journal.append(body)
        assert bodies(path) == made
        journal.close()
        assert bodies(path) == made

    def test_of_many_threads_stand_one_behind_the_other(self, path: Path, mapped: bool) -> None:
        journal, threads = JournalWriter(path, HEADER, mapped=mapped), 8

        def write(first: int) -> None:
            for number in range(first, 4000, threads):
                journal.append(numbered(number, number % 700))

        working = [threading.Thread(target=write, args=(first,)) for first in range(threads)]
        for each in working:
            each.start()
        for each in working:
            each.join()
        journal.close()
        found = bodies(path)
        assert sorted(found) == sorted(numbered(number, number % 700) for number in range(4000))
        for first in range(threads):  # and those of one thread in its order
            own = [body for body in found if int.from_bytes(body[1:9], "little") % threads == first]
            assert own == [numbered(number, number % 700) for number in range(first, 4000, threads)]

    @pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="there are no timers here")
    def test_of_a_signal_handler_do_not_wait_for_the_ones_it_interrupted(self, path: Path, mapped: bool) -> None:
        journal, heard = JournalWriter(path, HEADER, mapped=mapped), 0

        def handle(*_: object) -> None:
            nonlocal heard
            own, heard = heard, heard + 1  # the next signal may come while this one is dealt with
            journal.append(numbered(1_000_000 + own, 5))

        before = signal.signal(signal.SIGALRM, handle)
        signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
        try:
            number = 0
            while heard < 500:
                journal.append(numbered(number))
                number += 1
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
        journal.close()
        found = [int.from_bytes(body[1:9], "little") for body in bodies(path)]
        assert [each for each in found if each < 1_000_000] == list(range(number))
        assert sorted(each for each in found if each >= 1_000_000) == list(range(1_000_000, 1_000_000 + heard))


class TestTheFile:
    def test_is_there_only_with_its_header_and_its_lock(self, path: Path, mapped: bool) -> None:
        journal = JournalWriter(path, HEADER, mapped=mapped)
        with path.open("rb") as file:
            assert JournalReader(file).header == HEADER
        with claimed(path) as file:
            assert file is None
        journal.close()
        assert os.listdir(path.parent) == [path.name]  # noqa: PTH208

    def test_is_nobody_elses_to_read(self, path: Path) -> None:
        JournalWriter(path, HEADER).close()
        if os.name == "posix":
            assert path.stat().st_mode & 0o777 == 0o600

    def test_gives_back_the_room_that_was_not_used(self, path: Path, mapped: bool) -> None:
        journal = JournalWriter(path, HEADER, mapped=mapped)
        journal.append(numbered(1))
        assert (path.stat().st_size == journal.end) != mapped
        journal.close()
        journal.close()
        assert path.stat().st_size == journal.end
        with claimed(path) as file:
            assert file is not None

    def test_is_gone_if_all_of_it_is_elsewhere(self, path: Path, mapped: bool) -> None:
        journal = JournalWriter(path, HEADER, mapped=mapped)
        journal.append(numbered(1))
        journal.close(delivered=journal.end)
        journal.close()
        assert not path.exists()

    def test_stays_if_another_thread_wrote_more_meanwhile(self, path: Path, mapped: bool) -> None:
        journal = JournalWriter(path, HEADER, mapped=mapped)
        delivered = journal.append(numbered(1))
        journal.append(numbered(2))
        journal.close(delivered)
        assert bodies(path) == [numbered(1), numbered(2)]

    def test_takes_nothing_once_it_is_closed(self, path: Path, mapped: bool) -> None:
        journal = JournalWriter(path, HEADER, mapped=mapped)
        journal.close()
        with pytest.raises(JournalClosed, match="closed"):
            journal.append(numbered(1))

    def test_keeps_no_descriptors(self, path: Path, mapped: bool) -> None:
        before = _descriptors()
        for number in range(20):
            journal = JournalWriter(path.with_name(f"{number}{SUFFIX}"), HEADER, mapped=mapped)
            journal.append(numbered(1))
            journal.close(journal.end if number % 2 else 0)
        assert _descriptors() == before

    @pytest.mark.parametrize("ending", ["os._exit(0)", "os.kill(os.getpid(), 9)", "raise SystemExit", "1/0"])
    def test_holds_everything_however_its_process_ends(self, ending: str, path: Path, mapped: bool) -> None:
        source = f"""
import os
from pathlib import Path
from dovetail.tracking.journal.records import Header
from dovetail.tracking.journal.writer import JournalWriter
journal = JournalWriter(Path({str(path)!r}), Header("w1", "u", 1, "h", 0), mapped={mapped})
for number in range(30_000):
    journal.append(b"b" + number.to_bytes(8, "little") + b"x" * 100)
{ending}
"""
        subprocess.run([sys.executable, "-c", source], check=False, timeout=60, stderr=subprocess.DEVNULL)
        assert [int.from_bytes(body[1:9], "little") for body in bodies(path)] == list(range(30_000))
        with claimed(path) as file:
            assert file is not None


def _descriptors() -> int:
    return len(os.listdir("/proc/self/fd")) if sys.platform.startswith("linux") else 0  # noqa: PTH208


class TestAPowerCut:
    def test_is_survived_by_what_is_written_through(self, path: Path, mapped: bool) -> None:
        journal = JournalWriter(path, HEADER, power=True, mapped=mapped)
        for number in range(5):
            end = journal.append(numbered(number))
            assert journal.saved >= end
        journal.close()
        assert len(bodies(path)) == 5

    def test_many_threads_wait_for_one_and_the_same_write(self, path: Path, mapped: bool) -> None:
        journal, count = JournalWriter(path, HEADER, power=True, mapped=mapped), 20

        def write() -> None:
            for number in range(count):
                end = journal.append(numbered(number))
                assert journal.saved >= end

        threads = [threading.Thread(target=write) for _ in range(8)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        journal.close()
        assert len(bodies(path)) == 8 * count


@contextmanager
def small_disk(place: Path, size: str) -> Iterator[Path]:
    """A file system of its own of this size; only root may make one."""
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        pytest.skip("only root on Linux may mount a small disk")
    place.mkdir()
    argv = ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(place)]
    if subprocess.run(argv, check=False, capture_output=True).returncode:
        pytest.skip("nothing may be mounted here")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def fill(journal: JournalWriter) -> tuple[int, StoreFull]:
    """How many large records went in until the disk was full, and what was said then."""
    numbers = count()
    with pytest.raises(StoreFull) as raised:  # noqa: PT012 - one of the calls raises
        while True:
            journal.append(numbered(next(numbers), LARGE))
    return next(numbers) - 1, raised.value


class TestAFullDisk:
    def test_is_said_and_what_was_written_before_is_safe(self, tmp_path: Path, mapped: bool) -> None:
        with small_disk(tmp_path / "disk", "4m") as disk:
            journal = JournalWriter(disk / f"1{SUFFIX}", HEADER, mapped=mapped)
            written, full = fill(journal)
            assert "cannot grow" in full.message
            assert "Free some room" in str(full.hint)
            assert 10 < written < 50
            assert bodies(journal.path) == [numbered(number, LARGE) for number in range(written)]
            journal.close()
            assert len(bodies(journal.path)) == written

    def test_goes_on_once_there_is_room_again(self, tmp_path: Path, mapped: bool) -> None:
        with small_disk(tmp_path / "disk", "4m") as disk:
            (disk / "ballast").write_bytes(bytes(2 << 20))
            journal = JournalWriter(disk / f"1{SUFFIX}", HEADER, mapped=mapped)
            written, _ = fill(journal)
            (disk / "ballast").unlink()
            journal.append(numbered(written, LARGE))
            journal.close()
            assert bodies(journal.path) == [numbered(number, LARGE) for number in range(written + 1)]

    def test_where_there_is_room_for_a_little_a_little_is_kept(self, tmp_path: Path, mapped: bool) -> None:
        with small_disk(tmp_path / "disk", "256k") as disk:
            journal = begin(disk, "distant://a", mapped=mapped)
            journal.append(numbered(1))
            journal.close()
            assert bodies(journal.path) == [numbered(1)]

    def test_leaves_nothing_behind_of_a_journal_that_could_not_begin(self, tmp_path: Path, mapped: bool) -> None:
        with small_disk(tmp_path / "disk", "64k") as disk:
            with (disk / "ballast").open("wb", buffering=0) as ballast, suppress(OSError):
                while ballast.write(bytes(4096)):
                    pass
            before = _descriptors()
            for _ in range(20):
                with pytest.raises(StoreFull, match="cannot grow"):
                    begin(disk, "distant://a", mapped=mapped)
            assert _descriptors() == before
            assert not [name for name in os.listdir(disk) if name.endswith((SUFFIX, UNBORN))]  # noqa: PTH208


class TestAFolder:
    def test_is_made_for_this_user_alone(self, folder: Path) -> None:
        journal = begin(folder / "of" / "mine", "distant://a")
        assert journal.path.parent == folder / "of" / "mine"
        if os.name == "posix":
            assert (folder / "of" / "mine").stat().st_mode & 0o777 == 0o700
        journal.close()

    def test_holds_journals_by_their_age(self, folder: Path) -> None:
        made = []
        for _ in range(3):
            journal = begin(folder, "distant://a")
            made.append(journal.path)
            journal.close()
            threading.Event().wait(0.002)
        assert sorted(folder.iterdir()) == made

    def test_that_is_a_file_is_said_with_what_to_do(self, folder: Path) -> None:
        folder.write_text("mine")
        with pytest.raises(StoreUnavailable, match="No journal can be kept") as raised:
            begin(folder, "distant://a")
        assert "journal_dir" in str(raised.value.hint)

    def test_that_may_only_be_read_is_said_with_what_to_do(self, tmp_path: Path) -> None:
        with small_disk(tmp_path / "disk", "1m") as disk:
            subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
            with pytest.raises(StoreUnavailable, match="Read-only") as raised:
                begin(disk / "journals", "distant://a")
            assert "journal_dir" in str(raised.value.hint)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
class TestAForkedChild:
    def test_lets_go_of_its_parents_journal(self, path: Path, mapped: bool) -> None:
        journal = JournalWriter(path, HEADER, mapped=mapped)
        journal.append(numbered(1))
        child = os.fork()
        if child == 0:
            journal.abandon()
            journal.abandon()
            journal.close()
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        with claimed(path) as file:
            assert file is None
        journal.append(numbered(2))
        journal.close()
        assert bodies(path) == [numbered(1), numbered(2)]

    def test_that_lives_on_keeps_nobody_from_it(self, path: Path, mapped: bool) -> None:
        source = f"""
import os, sys, time
from pathlib import Path
from dovetail.tracking.journal.records import Header
from dovetail.tracking.journal.writer import JournalWriter
journal = JournalWriter(Path({str(path)!r}), Header("w1", "u", 1, "h", 0), mapped={mapped})
if os.fork() == 0:
    journal.abandon()
    print(os.getpid(), flush=True)
    os.close(1)
    time.sleep(60)
    os._exit(0)
time.sleep(0.2)
os.kill(os.getpid(), 9)
"""
        done = subprocess.run([sys.executable, "-c", source], check=False, timeout=60, stdout=subprocess.PIPE)
        try:
            with claimed(path) as file:
                assert file is not None
        finally:
            os.kill(int(done.stdout), signal.SIGKILL)


def test_most_of_a_mapping_is_not_in_memory_at_once(path: Path) -> None:
    if not posix.can_map(path.parent):
        pytest.skip("files cannot be mapped here")
    journal = JournalWriter(path, HEADER)
    for number in range(1000):
        journal.append(numbered(number, LARGE))
    assert journal._map is not None
    assert len(journal._map) <= 2 * writer._MOST
    journal.close()
