"""Stores that do not answer: nobody waits for one longer than for one that says at once that it is away."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

import dovetail
from dovetail import hookimpl, plugins
from dovetail.errors import StoreUnavailable
from dovetail.tracking import places

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from dovetail.tracking.store import TrackingStore
    from dovetail.values import Event

BOUND = 6.0
"""Seconds that something takes at most that waits 0.2 seconds for a store, on a machine that is busy."""


class Hanging:
    """Batches hang for as long as somebody says so."""

    def __init__(self, store: Any) -> None:
        self._store, self._log_batch = store, store.log_batch
        self._answers = threading.Event()
        self.asked = threading.Event()
        store.log_batch = self._hang

    def end(self) -> None:
        self._answers.set()
        self._store.__dict__.pop("log_batch", None)

    def _hang(self, *args: Any, **options: Any) -> None:
        self.asked.set()
        assert self._answers.wait(60)
        self._log_batch(*args, **options)


@pytest.fixture
def hang(distant: Any) -> Iterator[Callable[[], Hanging]]:
    """``hang()`` makes the store hang."""
    made: list[Hanging] = []

    def begin() -> Hanging:
        made.append(Hanging(distant))
        return made[-1]

    yield begin
    for each in made:
        each.end()


def steps(store: Any, run_id: str) -> list[int]:
    return sorted(each.step for each in store.get_metric_history(run_id, "loss"))


def eventually(holds: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


class TestAStoreThatHangs:
    def test_keeps_no_run_from_ending(
        self, distant: Any, hang: Callable[[], Hanging], capfd: pytest.CaptureFixture[str]
    ) -> None:
        with dovetail.start_run() as run:
            hanging = hang()
            dovetail.log_metric("loss", 0)
            begin = time.monotonic()
        assert time.monotonic() - begin < BOUND
        said = capfd.readouterr().err
        assert f"run {run.info.run_id} ended" in said
        assert "has not answered for" in said
        hanging.end()
        dovetail.flush_async_logging()
        assert steps(distant, run.info.run_id) == [0]
        assert distant.get_run(run.info.run_id).info.status == "FINISHED"

    def test_is_said_to_whoever_reads_or_waits(self, distant: Any, hang: Callable[[], Hanging]) -> None:
        with dovetail.start_run() as run:
            hanging = hang()
            dovetail.log_metric("loss", 0)
            for wait in (dovetail.flush_async_logging, lambda: dovetail.get_run(run.info.run_id)):
                begin = time.monotonic()
                with pytest.raises(StoreUnavailable, match="has not answered"):
                    wait()
                assert time.monotonic() - begin < BOUND
            hanging.end()
            assert dovetail.get_run(run.info.run_id).data.metrics == {"loss": 0.0}

    def test_keeps_nobody_from_logging_or_from_another_store(
        self, distant: Any, hang: Callable[[], Hanging], tmp_path: Path
    ) -> None:
        pytest.importorskip("dovetail_sqlite")
        client = dovetail.Client(f"sqlite:///{tmp_path}/other.db")
        other = client.create_run("0").info.run_id
        with dovetail.start_run() as run:
            hanging = hang()
            dovetail.log_metric("loss", 0)
            assert hanging.asked.wait(10)
            begin = time.monotonic()
            for step in range(1, 1000):
                dovetail.log_metric("loss", step, step=step)
            client.log_metric(other, "loss", 1)
            assert time.monotonic() - begin < BOUND
            hanging.end()
        assert steps(distant, run.info.run_id) == list(range(1000))

    def test_is_left_alone_when_the_process_lets_go_of_it(
        self, distant: Any, hang: Callable[[], Hanging], folder: Path, reopened: Callable[[], TrackingStore]
    ) -> None:
        """The piece that hangs gets through in the end or not; it is stored once in either case."""
        with dovetail.start_run() as run:
            hanging = hang()
            dovetail.log_metric("loss", 0)
            dovetail.log_param("lr", 1)
            assert hanging.asked.wait(10)
            begin = time.monotonic()
            with pytest.raises(StoreUnavailable):
                places.forget_stores()
            assert time.monotonic() - begin < BOUND
            assert len(list(folder.glob("*.journal"))) == 1
            hanging.end()
            dovetail.log_metric("loss", 1, step=1)
            reopened()
        assert steps(distant, run.info.run_id) == [0, 1]
        assert distant.get_run(run.info.run_id).data.params == {"lr": "1"}
        places.forget_stores()
        assert not folder.exists()

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on Windows")
    def test_is_nothing_to_a_child_that_is_forked_meanwhile(
        self, distant: Any, hang: Callable[[], Hanging], reopened: Callable[[], TrackingStore], folder: Path
    ) -> None:
        """The child's journal is its own, and here nobody takes it from there, for the store hangs in it, too."""
        with dovetail.start_run() as run:
            hanging = hang()
            dovetail.log_metric("loss", 0)
            assert hanging.asked.wait(10)
            child = os.fork()
            if child == 0:
                try:
                    begin = time.monotonic()
                    dovetail.log_metric("loss", 1, step=1, run_id=run.info.run_id)
                    with pytest.raises(StoreUnavailable, match="has not answered"):
                        places.recorder().flush()
                    assert time.monotonic() - begin < BOUND
                finally:
                    os._exit(0 if sys.exc_info()[0] is None else 1)
            assert os.waitpid(child, 0)[1] == 0
            assert len(list(folder.glob("*.journal"))) == 2
            hanging.end()
        reopened()
        assert steps(distant, run.info.run_id) == [0, 1]


class TestAStoreThatIsSlow:
    def test_is_waited_for_as_long_as_it_gets_on(self, distant: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        """How much there is to be taken is no reason to give up."""
        monkeypatch.setenv("DOVETAIL_DRAIN_TIMEOUT", "3")
        log_batch, all_is_logged = distant.log_batch, threading.Event()

        def slowly(*args: Any, **options: Any) -> None:
            assert all_is_logged.wait(60)
            time.sleep(0.8)
            log_batch(*args, **options)

        with dovetail.start_run() as run:
            distant.log_batch = slowly
            for step in range(100_000):  # five pieces
                dovetail.log_metric("loss", step, step=step)
            all_is_logged.set()
            begin = time.monotonic()
            dovetail.flush_async_logging()
            assert time.monotonic() - begin > 3.2
            del distant.log_batch
        assert steps(distant, run.info.run_id) == list(range(100_000))


class TestAStoreWithAMistake:
    def test_is_said_to_whoever_waits_and_tried_again(self, distant: Any, caplog: pytest.LogCaptureFixture) -> None:
        def mistaken(*_: Any, **__: Any) -> None:
            raise ZeroDivisionError("in the plugin")

        with dovetail.start_run() as run:
            distant.log_batch = mistaken
            dovetail.log_metric("loss", 0)
            with pytest.raises(ZeroDivisionError):
                dovetail.flush_async_logging()
            with pytest.raises(ZeroDivisionError):
                dovetail.flush_async_logging()
            (said,) = caplog.records
            assert "cannot be brought to distant://" in said.getMessage()
            del distant.log_batch
            eventually(lambda: steps(distant, run.info.run_id) == [0])


class Reader:
    """A plugin that looks up every run that it hears of; it is inert until a test asks for it."""

    active = False

    def __init__(self) -> None:
        self.seen: list[float | None] = []

    @hookimpl
    def dovetail_event(self, event: Event) -> None:
        if self.active:
            self.seen.append(dovetail.get_run(event.run_id).data.metrics.get("loss"))


_reader = Reader()
plugins.register(_reader)


@pytest.fixture
def reader() -> Iterator[Reader]:
    _reader.active, _reader.seen = True, []
    yield _reader
    _reader.active = False


class TestAPluginThatReadsWhatItHearsOf:
    def test_keeps_nobody_waiting(self, distant: Any, reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
        """What is delivered waits for its plugin, and its plugin waits for nobody who waits for that."""
        monkeypatch.setenv("DOVETAIL_DRAIN_TIMEOUT", "20")
        run_id = dovetail.Client().create_run("0").info.run_id
        begin = time.monotonic()
        for step in range(3):
            dovetail.log_metric("loss", step, step=step, run_id=run_id)
            assert dovetail.get_run(run_id).data.metrics == {"loss": float(step)}
        dovetail.log_metric("loss", 3, step=3, run_id=run_id)
        places.forget_stores()
        assert time.monotonic() - begin < 10
        assert reader.seen == [0.0, 1.0, 2.0, 3.0]


SCRIPT = """
    import sys
    import dovetail

    with dovetail.start_run() as run:
        dovetail.log_metric("loss", 0)
        dovetail.flush_async_logging()
        print(run.info.run_id, flush=True)
        sys.stdin.readline()
        dovetail.log_metric("loss", 1, step=1)
"""


def test_a_script_ends_in_time_although_somebody_keeps_the_database_locked(tmp_path: Path) -> None:
    """By itself the database would be waited for much longer, once for the run and once more for the process."""
    pytest.importorskip("dovetail_sqlite")
    import sqlite3

    uri = f"sqlite:///{tmp_path}/runs.db"
    env = {**os.environ, "DOVETAIL_TRACKING_URI": uri, "DOVETAIL_BUSY_TIMEOUT": "60", "DOVETAIL_DRAIN_TIMEOUT": "1"}
    argv = [sys.executable, "-c", textwrap.dedent(SCRIPT)]
    with subprocess.Popen(
        argv, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as script:
        assert script.stdout is not None
        run_id = script.stdout.readline().strip()
        with sqlite3.connect(tmp_path / "runs.db", isolation_level=None) as other:
            other.execute("BEGIN IMMEDIATE")
            begin = time.monotonic()
            _, said = script.communicate("\n", timeout=50)
            took = time.monotonic() - begin
            other.execute("ROLLBACK")
        other.close()
    assert script.returncode == 0
    assert took < 10
    assert f"run {run_id} ended" in said
    assert "dovetail sync" in said
    dovetail.set_tracking_uri(uri)
    again = dovetail.get_run(run_id)
    assert (again.info.status, again.data.metrics) == ("FINISHED", {"loss": 1.0})
