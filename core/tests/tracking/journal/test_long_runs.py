"""Trainings that go on for weeks: the journal is renewed, and takes no more room than what waits in it."""

from __future__ import annotations

import os
import random
import struct
import subprocess
import sys
import textwrap
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from dovetail.errors import StoreUnavailable
from dovetail.tracking import places
from dovetail.tracking.journal.folder import orphans
from dovetail.tracking.shipper import JournalRecorder
from dovetail.values import Batch, Metric, NewRun, Param, Tag

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

LITTLE = 20_000
"""Bytes of a journal that is full in these tests: some four hundred points."""


@pytest.fixture
def run_id(distant: Any) -> str:
    return str(distant.create_run(NewRun("0", "a")).info.run_id)


@pytest.fixture
def recorder(distant: Any, folder: Path) -> Iterator[JournalRecorder]:
    """One whose journals are full soon."""
    made = JournalRecorder(distant, folder, full=LITTLE)
    yield made
    distant.away = False
    made.close()


@pytest.fixture
def powerful(distant: Any, folder: Path) -> Iterator[JournalRecorder]:
    """One whose journals are full soon, and survive a power cut."""
    made = JournalRecorder(distant, folder, full=LITTLE, power=True)
    yield made
    made.close()


def steps(store: Any, run_id: str, key: str = "loss") -> list[int]:
    return sorted(each.step for each in store.get_metric_history(run_id, key))


def log(recorder: JournalRecorder, run_id: str, begin: int, end: int, key: str = "loss") -> None:
    for step in range(begin, end):
        recorder.point(run_id, key, float(step), None, step)


def eventually(holds: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


class TestAJournalThatIsFull:
    def test_is_removed_when_all_of_it_is_delivered(
        self, distant: Any, recorder: JournalRecorder, run_id: str, folder: Path
    ) -> None:
        log(recorder, run_id, 0, 1000)
        [first] = orphans(folder)
        eventually(lambda: not first.exists())
        log(recorder, run_id, 1000, 1010)
        recorder.flush()
        assert steps(distant, run_id) == list(range(1010))
        [second] = orphans(folder)
        assert second.stat().st_size <= 1 << 20
        recorder.close()
        assert not folder.exists()

    def test_is_followed_by_one_that_names_everything_anew(
        self, distant: Any, recorder: JournalRecorder, run_id: str, folder: Path
    ) -> None:
        """It can be read by itself: whoever finds it knows nothing of the one before."""
        other = distant.create_run(NewRun("0", "b")).info.run_id
        log(recorder, run_id, 0, 1000)
        recorder.record(other, Batch(params=(Param("lr", "1"),)))
        [first] = orphans(folder)
        eventually(lambda: not first.exists())
        distant.away = True
        log(recorder, run_id, 1000, 1001)
        recorder.record(other, Batch((Metric("loss", 1.0, 5, 7), Metric("acc", 1.0, 5, 7)), tags=(Tag("a", "b"),)))
        with pytest.raises(StoreUnavailable):
            recorder.close()
        distant.away = False
        places.open_store(distant.uri)
        assert steps(distant, run_id) == list(range(1001))
        assert (steps(distant, other), steps(distant, other, "acc")) == ([7], [7])
        assert distant.get_run(other).data.tags["a"] == "b"

    def test_waits_for_a_store_that_is_away_and_grows(
        self, distant: Any, recorder: JournalRecorder, run_id: str, folder: Path
    ) -> None:
        log(recorder, run_id, 0, 10)
        recorder.flush()
        distant.away = True
        log(recorder, run_id, 10, 3000)
        time.sleep(0.7)
        [path] = orphans(folder)
        assert recorder.waiting > LITTLE
        distant.away = False
        eventually(lambda: not path.exists())
        assert steps(distant, run_id) == list(range(3000))

    def test_is_kept_beside_the_next_one_if_the_store_goes_away_then(
        self, distant: Any, recorder: JournalRecorder, run_id: str, folder: Path
    ) -> None:
        """Log calls never wait for the rest of a journal, which is delivered before anything of the next one."""
        log_batch = distant.log_batch

        def leaving(*args: Any, **options: Any) -> None:
            log_batch(*args, **options)
            recorder.record(run_id, Batch(tags=(Tag("stage", "draft"),)))
            distant.away = True
            del distant.log_batch

        distant.log_batch = leaving
        log(recorder, run_id, 0, 1000)
        eventually(lambda: recorder._writer is None)
        recorder.record(run_id, Batch(tags=(Tag("stage", "final"),)))
        log(recorder, run_id, 1000, 1100)
        assert len(orphans(folder)) == 2
        assert recorder.waiting > 0
        with pytest.raises(StoreUnavailable):
            recorder.flush()
        distant.away = False
        recorder.flush()
        assert steps(distant, run_id) == list(range(1100))
        assert distant.get_run(run_id).data.tags["stage"] == "final"
        eventually(lambda: len(orphans(folder)) == 1)

    @pytest.mark.parametrize("kind", ["recorder", "powerful"])
    def test_is_renewed_while_many_threads_log(
        self, kind: str, distant: Any, run_id: str, folder: Path, request: pytest.FixtureRequest
    ) -> None:
        recorder: JournalRecorder = request.getfixturevalue(kind)
        seen: set[str] = set()
        over = threading.Event()

        def go_on(number: int) -> None:
            step = 0
            while not over.is_set():
                log(recorder, run_id, step, step + 50, f"m{number}")
                recorder.record(run_id, Batch(params=(Param(f"p{number}.{step}", "1"),)))
                recorder.record(run_id, Batch((Metric(f"a{number}", 1.0, 1, step), Metric(f"b{step}", 1.0, 1, step))))
                step += 50
                time.sleep(0.002)
            logged[number] = step

        logged: dict[int, int] = {}
        threads = [threading.Thread(target=go_on, args=(number,)) for number in range(4)]
        for each in threads:
            each.start()
        deadline = time.monotonic() + 20
        while len(seen) < 4 and time.monotonic() < deadline:
            seen.update(path.name for path in orphans(folder))
            recorder._wake.ring()
            time.sleep(0.01)
        over.set()
        for each in threads:
            each.join()
        recorder.flush()
        assert len(seen) >= 4
        for number in range(4):
            assert steps(distant, run_id, f"m{number}") == list(range(logged[number]))
            assert steps(distant, run_id, f"a{number}") == list(range(0, logged[number], 50))
        assert len(distant.get_run(run_id).data.params) == sum(logged.values()) / 50
        assert len(orphans(folder)) <= 2

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on Windows")
    def test_stays_with_its_process_when_that_forks(
        self, distant: Any, recorder: JournalRecorder, run_id: str, folder: Path
    ) -> None:
        log(recorder, run_id, 0, 1000)
        [first] = orphans(folder)
        eventually(lambda: not first.exists())
        log(recorder, run_id, 1000, 1100)
        child = os.fork()
        if child == 0:
            os._exit(0 if recorder.waiting == 0 and not recorder._shipments() else 1)
        assert os.waitpid(child, 0)[1] == 0
        log(recorder, run_id, 1100, 1200)
        recorder.flush()
        assert steps(distant, run_id) == list(range(1200))


def test_a_run_of_millions_of_points_leaves_the_disk_alone(
    distant: Any, run_id: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What lies on the disk is what waits, and at most two journals."""
    monkeypatch.setenv("DOVETAIL_DRAIN_TIMEOUT", "20")
    recorder = JournalRecorder(distant, folder, full=1 << 20)
    distant.log_batch = lambda *_, **__: None  # it takes everything and keeps nothing
    largest = 0
    for begin in range(0, 300_000, 10_000):
        log(recorder, run_id, begin, begin + 10_000)
        recorder.flush()
        largest = max(largest, sum(path.stat().st_size for path in orphans(folder)))
    recorder.close()
    assert largest < 6 << 20
    assert 2 * largest < 300_000 * 45


WRITER = textwrap.dedent(f"""
    import mmap, os, signal, struct, sys
    from dovetail.tracking import places
    from dovetail.tracking.shipper import JournalRecorder

    store = places.open_store(sys.argv[1])
    recorder = JournalRecorder(store, store.journals, full={LITTLE})
    with open(sys.argv[3], "r+b") as file:
        counter = mmap.mmap(file.fileno(), 8)
    step, seen = struct.unpack("<q", counter[:8])[0] + 1, set()
    while True:
        recorder.point(sys.argv[2], "loss", float(step), None, step)
        step += 1
        counter[:8] = struct.pack("<q", step)  # all before it
        if step % 200 == 0:
            recorder.flush()
            seen.add(recorder._writer and recorder._writer.path)
            if len(seen) == 4:
                print("renewed", flush=True)
""")


def test_processes_that_are_killed_about_a_renewal_lose_nothing(tmp_path: Path) -> None:
    pytest.importorskip("dovetail_sqlite")
    uri, acknowledged = f"sqlite:///{tmp_path}/runs.db", tmp_path / "acknowledged"
    acknowledged.write_bytes(struct.pack("<q", -1))
    run_id = places.open_store(uri).create_run(NewRun("0", "b" * 32)).info.run_id
    chance, unknown = random.Random(5), set[int]()
    for _ in range(4):
        argv = [sys.executable, "-c", WRITER, uri, run_id, str(acknowledged)]
        with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout is not None
            assert writer.stdout.readline() == "renewed\n"
            time.sleep(chance.uniform(0, 0.3))
            writer.kill()
        places.forget_stores()
        store = places.open_store(uri)
        (count,) = struct.unpack("<q", acknowledged.read_bytes())
        unknown.add(count)  # it may be there although its call never returned; whoever comes next begins behind it
        assert [each for each in steps(store, run_id) if each not in unknown] == sorted({*range(count)} - unknown)
    assert list(tmp_path.rglob("*.journal")) == []


def test_at_the_end_of_the_interpreter_somebody_else_delivers(
    distant: Any, recorder: JournalRecorder, run_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Later releases of Python start no thread then."""

    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't create new thread at interpreter shutdown")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    log(recorder, run_id, 0, 1000)
    distant.away = True
    with pytest.raises(StoreUnavailable, match="away"):
        recorder.flush()
    distant.away = False
    recorder.close()
    assert steps(distant, run_id) == list(range(1000))
