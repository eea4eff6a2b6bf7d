"""Whoever opens a store brings in what processes left behind that are no more."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import dovetail
from dovetail import posix
from dovetail.errors import StoreError, StoreUnavailable
from dovetail.tracking import places
from dovetail.tracking.holder import holder_id
from dovetail.tracking.journal import records
from dovetail.tracking.journal.folder import claimed, drop_empty, has_others, orphans
from dovetail.tracking.journal.records import Header
from dovetail.tracking.journal.recovery import recover
from dovetail.tracking.journal.writer import SUFFIX, UNBORN, begin
from dovetail.values import NewRun

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LOSS = records.named(records.KEY, 1, "loss")


@pytest.fixture
def run_id(distant: Any) -> str:
    return str(distant.create_run(NewRun("0", "a")).info.run_id)


def point(step: int) -> bytes:
    return records.POINT_BODY.pack(records.POINT, 1, 1, 1000 + step, step, float(step))


def steps(store: Any, run_id: str) -> list[int]:
    return [each.step for each in store.get_metric_history(run_id, "loss")]


@pytest.fixture
def left(write: Callable[..., Path], run_id: str) -> Callable[..., Path]:
    """``left(1, 2)`` is a journal that somebody left behind with the points of these steps."""

    def leave(*points: int) -> Path:
        return write(records.named(records.RUN, 1, run_id), LOSS, *map(point, points))

    return leave


@pytest.fixture
def living(folder: Path) -> Iterator[int]:
    """The id of a process that has logged into a journal in the folder, and lives."""
    source = f"""
        import sys
        from pathlib import Path
        from dovetail.tracking.journal.writer import begin
        journal = begin(Path({str(folder)!r}), "distant://a")
        print("ready", flush=True)
        sys.stdin.read()
    """
    argv = [sys.executable, "-c", textwrap.dedent(source)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process.pid
        process.kill()


class TestJournals:
    def test_of_processes_that_are_gone_are_brought_in_and_removed(
        self, distant: Any, folder: Path, run_id: str, left: Callable[..., Path]
    ) -> None:
        left(0, 1)
        left(2)
        assert recover(distant, folder) == 2
        assert steps(distant, run_id) == [0, 1, 2]
        assert not folder.exists()

    def test_are_brought_in_by_whatever_opens_the_store(
        self, distant: Any, folder: Path, run_id: str, left: Callable[..., Path]
    ) -> None:
        left(0)
        assert dovetail.get_run(run_id).data.metrics == {"loss": 0.0}
        assert not folder.exists()

    def test_of_living_processes_stay_with_them(self, distant: Any, folder: Path, living: int) -> None:
        [path] = orphans(folder)
        assert recover(distant, folder) == 0
        assert path.exists()

    def test_of_this_very_process_stay_with_it(self, distant: Any, folder: Path) -> None:
        with dovetail.start_run():
            dovetail.log_metric("loss", 1)
            assert recover(distant, folder) == 0
            dovetail.log_metric("loss", 2, step=1)
        assert recover(distant, folder) == 0

    def test_of_a_store_that_is_away_wait_for_it(
        self, distant: Any, folder: Path, run_id: str, left: Callable[..., Path]
    ) -> None:
        path = left(0)
        distant.away = True
        with pytest.raises(StoreUnavailable):
            recover(distant, folder)
        assert path.exists()
        distant.away = False
        assert recover(distant, folder) == 1
        assert steps(distant, run_id) == [0]

    def test_that_wait_keep_nobody_from_the_store(
        self, distant: Any, folder: Path, left: Callable[..., Path], caplog: pytest.LogCaptureFixture
    ) -> None:
        path = left(0)
        distant.away = True
        places.open_store(dovetail.get_tracking_uri())
        assert path.exists()
        assert caplog.messages == [f"Logs of processes that died stay in {folder} for now."], "reads say why"

    def test_that_were_begun_and_never_born_are_removed_when_they_are_old(self, distant: Any, folder: Path) -> None:
        folder.mkdir()
        old, new = folder / f"1{UNBORN}", folder / f"2{UNBORN}"
        for path in (old, new):
            path.write_bytes(b"dove")
        os.utime(old, (1, 1))
        recover(distant, folder)
        assert list(folder.iterdir()) == [new]

    def test_that_somebody_else_just_brought_in_are_no_trouble(self, distant: Any, folder: Path) -> None:
        folder.mkdir()
        with claimed(folder / f"1{SUFFIX}") as file:
            assert file is None

    def test_are_brought_in_once_by_many_at_a_time(
        self, distant: Any, folder: Path, run_id: str, left: Callable[..., Path]
    ) -> None:
        for number in range(20):
            left(number)
        emptied: list[int] = []
        threads = [threading.Thread(target=lambda: emptied.append(recover(distant, folder))) for _ in range(4)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        assert sum(emptied) == 20
        assert distant.written == 20
        assert steps(distant, run_id) == list(range(20))

    def test_that_cannot_be_removed_are_stored_once_all_the_same(
        self, distant: Any, folder: Path, run_id: str, left: Callable[..., Path]
    ) -> None:
        content = left(0, 1).read_bytes()
        recover(distant, folder)
        folder.mkdir()
        (folder / f"1{SUFFIX}").write_bytes(content)
        recover(distant, folder)
        assert steps(distant, run_id) == [0, 1]


class TestWhatIsNoJournal:
    @pytest.mark.parametrize("content", [b"", b"something else", records.MAGIC + bytes(99)])
    def test_stays_and_the_others_are_brought_in(
        self, content: bytes, distant: Any, folder: Path, run_id: str, left: Callable[..., Path]
    ) -> None:
        left(0)
        stranger = folder / f"0{SUFFIX}"  # the first of them
        stranger.write_bytes(content)
        with pytest.raises(StoreError, match="no journal"):
            recover(distant, folder)
        assert list(folder.iterdir()) == [stranger]
        assert steps(distant, run_id) == [0]

    def test_is_no_reason_not_to_open_the_store(
        self, distant: Any, folder: Path, left: Callable[..., Path], caplog: pytest.LogCaptureFixture
    ) -> None:
        left(0)
        (folder / f"0{SUFFIX}").write_bytes(b"something else")
        dovetail.search_runs(output_format="list")
        assert "is no journal" in caplog.text

    def test_other_files_are_not_looked_at(self, distant: Any, folder: Path) -> None:
        folder.mkdir()
        (folder / "notes.txt").write_text("mine")
        assert recover(distant, folder) == 0
        assert (folder / "notes.txt").read_text() == "mine"

    def test_a_newer_releases_journal_waits_for_it(
        self, distant: Any, folder: Path, run_id: str, left: Callable[..., Path], write: Callable[..., Path]
    ) -> None:
        newer = write(b"znews")
        left(0)
        with pytest.raises(StoreError, match="does not know"):
            recover(distant, folder)
        assert list(folder.iterdir()) == [newer]
        assert steps(distant, run_id) == [0]

    def test_a_damaged_one_is_kept_for_somebody_to_look_at(
        self, distant: Any, folder: Path, run_id: str, left: Callable[..., Path], caplog: pytest.LogCaptureFixture
    ) -> None:
        path = left(0, 1, 2, 3)
        data = bytearray(path.read_bytes())
        data[-2 * 41 - 1] ^= 1  # the second point's value
        path.write_bytes(data)
        recover(distant, folder)
        assert steps(distant, run_id) == [0]
        kept = path.with_suffix(".damaged")
        assert kept.read_bytes() == data
        assert str(kept) in caplog.text
        assert recover(distant, folder) == 0

    def test_a_torn_end_is_no_damage(self, distant: Any, folder: Path, run_id: str, left: Callable[..., Path]) -> None:
        for room in (b"", bytes(5000)):
            path = left(0, 1)
            path.write_bytes(path.read_bytes()[:-20] + room)
            recover(distant, folder)
            assert steps(distant, run_id) == [0]
            assert not folder.exists()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root may become somebody else")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
class TestAnotherUsers:
    @pytest.fixture
    def folder(self) -> Iterator[Path]:
        """Where everybody may go; the folders of pytest are the user's own."""
        with tempfile.TemporaryDirectory() as place:
            Path(place).chmod(0o755)
            yield Path(place, "journals")

    def as_nobody(self, test: Callable[[], bool]) -> bool:
        """What a child says that has become somebody without rights."""
        child = os.fork()
        if child == 0:
            try:
                os.setgid(65534)
                os.setuid(65534)
                os._exit(0 if test() else 1)
            finally:
                os._exit(2)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0

    def test_journals_are_left_to_that_user(self, distant: Any, left: Callable[..., Path]) -> None:
        path = left(0)
        path.parent.chmod(0o755)

        def nobody_may() -> bool:
            with claimed(path) as file:
                return file is None and orphans(path.parent) == [path]

        assert self.as_nobody(nobody_may)
        with claimed(path) as file:
            assert file is not None

    def test_folder_of_journals_is_no_reason_not_to_open_the_store(
        self, distant: Any, left: Callable[..., Path]
    ) -> None:
        folder = left(0).parent
        folder.chmod(0o700)
        assert self.as_nobody(lambda: orphans(folder) == [])


class TestAFolder:
    def test_that_is_missing_holds_nothing(self, folder: Path) -> None:
        assert orphans(folder) == []
        drop_empty(folder)

    def test_that_is_a_file_holds_nothing(self, folder: Path) -> None:
        folder.write_text("mine")
        assert orphans(folder) == []
        drop_empty(folder)
        assert folder.read_text() == "mine"

    def test_with_something_in_it_stays(self, folder: Path) -> None:
        folder.mkdir()
        (folder / "refused.jsonl").touch()
        drop_empty(folder)
        assert folder.exists()

    def test_that_is_removed_while_a_journal_begins_is_made_anew(self, folder: Path) -> None:
        stop = threading.Event()

        def remove() -> None:
            while not stop.wait(0.0002):
                drop_empty(folder)

        thread = threading.Thread(target=remove)
        thread.start()
        try:
            for _ in range(50):
                journal = begin(folder, "distant://a")
                journal.close(delivered=journal.end)
        finally:
            stop.set()
            thread.join()

    def test_has_others_as_soon_as_somebody_else_writes_there(self, folder: Path) -> None:
        """However often it was looked at before."""
        assert not has_others(folder)
        own = begin(folder, "memory://here")
        for _ in range(3):
            assert not has_others(folder)
            time.sleep(0.06)
        other = begin(folder, "memory://here")
        assert not has_others(folder), "it is of this process, too"
        time.sleep(0.06)
        script = "from pathlib import Path; from dovetail.tracking.journal.writer import begin; import os; "
        script += f"begin(Path({str(folder)!r}), 'memory://here').append(b'r....x'); os._exit(1)"
        subprocess.run([sys.executable, "-c", script], check=False)
        assert has_others(folder)
        for each in (own, other):
            each.close(each.end)

    def test_has_what_this_process_has_let_go_of(self, folder: Path) -> None:
        """It is nobody's then, although nothing in the folder has changed."""
        own = begin(folder, "memory://here")
        time.sleep(0.06)
        assert not has_others(folder)
        own.close()
        assert has_others(folder)
        assert len(orphans(folder)) == 1


def test_a_lock_that_its_owner_gives_back_is_enough(folder: Path) -> None:
    """The system gives it back when the owner dies; nobody looks at process ids, which are used again."""
    journal = begin(folder, "distant://a")
    assert journal.header == Header(
        journal.header.writer, "distant://a", os.getpid(), journal.header.host, journal.header.started, holder_id()
    )
    assert abs(journal.header.started / 1000 - time.time()) < 60
    with claimed(journal.path) as file:
        assert file is None
    journal.close()
    with claimed(journal.path) as file:
        assert file is not None
        with pytest.raises(TimeoutError):
            posix.hold(journal.path, timeout=0)
