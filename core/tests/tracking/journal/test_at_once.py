"""Whoever waits for a delivery carries it out: in one go at the end of a run, and whatever comes in the midst of it."""

from __future__ import annotations

import json
import logging
import signal
import threading
from typing import TYPE_CHECKING, Any

import pytest

import dovetail
from dovetail.errors import StoreUnavailable
from dovetail.tracking import places
from dovetail.tracking.journal.delivery import REFUSED
from dovetail.tracking.recorder import DeliveryInterrupted
from dovetail.values import Batch, Lease, NewRun, Param, Tag

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from dovetail.tracking.store import TrackingStore


@pytest.fixture(autouse=True)
def prompt(distant: Any) -> None:
    distant.prompt = True


@pytest.fixture
def batches(distant: Any, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Batch]]:
    """What the store is sent, and by which thread."""
    sent: list[tuple[str, Batch]] = []
    log_batch = distant.log_batch

    def noting(run_id: str, batch: Batch, **options: Any) -> None:
        sent.append((threading.current_thread().name, batch))
        log_batch(run_id, batch, **options)

    monkeypatch.setattr(distant, "log_batch", noting)
    return sent


def status(store: TrackingStore, run_id: str) -> str:
    return store.get_run(run_id).info.status


class TestTheEndOfARun:
    def test_goes_with_what_it_logged_and_no_other_thread(self, batches: list[tuple[str, Batch]]) -> None:
        with dovetail.start_run() as run:
            dovetail.log_params({"lr": 0.1})
            dovetail.log_metrics({"loss": 0.5, "acc": 1}, step=1)
            dovetail.set_tags({"a": "b"})
        [(thread, batch)] = batches
        assert thread == threading.current_thread().name
        assert batch.end is not None
        assert (batch.end.status, len(batch.params), batch.measured, len(batch.tags)) == ("FINISHED", 1, 2, 1)
        assert dovetail.get_run(run.info.run_id).info.status == "FINISHED"

    def test_of_a_run_that_logged_nothing_begins_no_journal(
        self, batches: list[tuple[str, Batch]], folder: Path
    ) -> None:
        with dovetail.start_run():
            pass
        [(_, batch)] = batches
        assert (batch.end is not None, len(batch)) == (True, 1)
        assert not folder.exists()

    @pytest.mark.parametrize("logged", [True, False])
    def test_is_not_lost_if_somebody_presses_ctrl_c(
        self, logged: bool, distant: Any, monkeypatch: pytest.MonkeyPatch, reopened: Callable[[], TrackingStore]
    ) -> None:
        run = dovetail.start_run()
        if logged:
            dovetail.log_param("lr", 0.1)
        log_batch = distant.log_batch

        def interrupted(*_: Any, **__: Any) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(distant, "log_batch", interrupted)
        with pytest.raises(KeyboardInterrupt):
            dovetail.end_run("FAILED")
        assert dovetail.active_run() is None
        monkeypatch.setattr(distant, "log_batch", log_batch)
        assert status(reopened(), run.info.run_id) == "FAILED"

    def test_waits_for_nobody_who_sees_to_the_run_by_now(self, distant: Any) -> None:
        """Without signs of life of its own, too: a person's word counts, and so does that of such a process."""
        with dovetail.start_run() as run:
            dovetail.log_param("lr", 0.1)
            distant.update_run(run.info.run_id, status="RUNNING", lease=Lease("there", 600))
        assert status(distant, run.info.run_id) == "RUNNING"

    def test_counts_where_no_signs_of_life_are_given(self, distant: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DOVETAIL_HEARTBEAT_INTERVAL", "0")
        with dovetail.start_run() as run:
            dovetail.log_param("lr", 0.1)
            distant.update_run(run.info.run_id, status="RUNNING", lease=Lease("there", 600))
        assert status(distant, run.info.run_id) == "FINISHED"


@pytest.mark.skipif(not hasattr(signal, "SIGUSR1"), reason="Windows has no such signal")
class TestASignalInTheMidst:
    @pytest.fixture
    def during(self, distant: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], list[Any]]:
        """``during(call)`` has a handler call it while the store takes the next batch, and gives what comes of it."""

        def arrange(call: Callable[[], object]) -> list[Any]:
            came: list[Any] = []

            def handle(*_: Any) -> None:
                try:
                    came.append(call())
                except Exception as failure:  # noqa: BLE001
                    came.append(failure)

            before = signal.signal(signal.SIGUSR1, handle)
            log_batch = distant.log_batch

            def struck(*args: Any, **options: Any) -> None:
                monkeypatch.setattr(distant, "log_batch", log_batch)
                signal.raise_signal(signal.SIGUSR1)
                signal.signal(signal.SIGUSR1, before)
                log_batch(*args, **options)

            monkeypatch.setattr(distant, "log_batch", struck)
            return came

        return arrange

    def test_lets_nobody_wait_who_cannot_be_served(
        self, during: Callable[[Callable[[], object]], list[Any]], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("DOVETAIL_DRAIN_TIMEOUT", "60")
        with dovetail.start_run() as run:
            dovetail.log_param("lr", 0.1)
            came = during(dovetail.flush_async_logging)
            dovetail.flush_async_logging()
            assert isinstance(came[0], DeliveryInterrupted)
        assert dovetail.get_run(run.info.run_id).data.params == {"lr": "0.1"}

    def test_may_log_and_end_runs(
        self,
        during: Callable[[Callable[[], object]], list[Any]],
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        monkeypatch.setenv("DOVETAIL_DRAIN_TIMEOUT", "60")

        def end() -> None:
            dovetail.log_param("last", "words")
            dovetail.end_run("KILLED")

        run = dovetail.start_run()
        dovetail.log_param("lr", 0.1)
        came = during(end)
        dovetail.flush_async_logging()
        assert came == [None]
        found = dovetail.get_run(run.info.run_id)
        assert (found.info.status, found.data.params) == ("KILLED", {"lr": "0.1", "last": "words"})
        assert capsys.readouterr().err == ""

    def test_may_close_what_is_being_delivered(
        self, during: Callable[[Callable[[], object]], list[Any]], distant: Any
    ) -> None:
        """It is told that this does not wait; what it came in the midst of comes to its end all the same."""
        run_id = distant.create_run(NewRun("0")).info.run_id
        dovetail.log_param("lr", 0.1, run_id=run_id)
        recorder: Any = places.recorder()
        came = during(recorder.close)
        recorder.flush()
        assert [type(each) for each in came] == [DeliveryInterrupted]
        assert distant.get_run(run_id).data.params == {"lr": "0.1"}


class TestWhatIsRefused:
    def test_is_written_down_once_by_whoever_may_wait(self, distant: Any, folder: Path) -> None:
        run_id = distant.create_run(NewRun("0")).info.run_id
        distant.log_batch(run_id, Batch(params=tuple(Param(f"p{each}", "theirs") for each in range(5))))
        distant.away = True  # nobody tells what the run holds
        for each in range(5):
            dovetail.log_param(f"p{each}", "mine", run_id=run_id)
        distant.away = False
        places.recorder().flush()
        lines = (folder / REFUSED).read_text().splitlines()
        assert [json.loads(line)["refused"]["params"] for line in lines] == [
            [[f"p{each}", "mine"]] for each in range(5)
        ]

    def test_may_be_answered_by_reading(self, distant: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        """A handler of the log is called when the delivery is done with."""
        monkeypatch.setenv("DOVETAIL_DRAIN_TIMEOUT", "60")
        run_id = distant.create_run(NewRun("0")).info.run_id
        distant.log_batch(run_id, Batch(params=(Param("lr", "theirs"),)))
        heard: list[Any] = []

        class Reading(logging.Handler):
            def emit(self, record: logging.LogRecord) -> None:
                heard.append((record.getMessage()[:6], dovetail.get_run(run_id).data.params))

        handler, logger = Reading(), logging.getLogger("dovetail")
        logger.addHandler(handler)
        try:
            distant.away = True
            dovetail.log_param("lr", "mine", run_id=run_id)
            distant.away = False
            places.recorder().flush()
        finally:
            logger.removeHandler(handler)
        assert heard == [("Of run", {"lr": "theirs"})]


def test_what_was_stored_when_it_was_interrupted_is_not_stored_again(
    distant: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody else may have set a tag anew since."""
    with dovetail.start_run() as run:
        log_batch = distant.log_batch

        def interrupted(*args: Any, **options: Any) -> None:
            log_batch(*args, **options)
            monkeypatch.setattr(distant, "log_batch", log_batch)
            raise KeyboardInterrupt

        monkeypatch.setattr(distant, "log_batch", interrupted)
        dovetail.set_tag("a", "mine")
        with pytest.raises(KeyboardInterrupt):
            dovetail.flush_async_logging()
        distant.log_batch(run.info.run_id, Batch(tags=(Tag("a", "theirs"),)))
        dovetail.set_tag("b", "more")
    tags = dovetail.get_run(run.info.run_id).data.tags
    assert (tags["a"], tags["b"]) == ("theirs", "more")


def test_a_store_that_cannot_at_this_moment_is_left_to_the_thread(
    distant: Any, batches: list[tuple[str, Batch]], monkeypatch: pytest.MonkeyPatch
) -> None:
    log_batch, tries = distant.log_batch, []

    def busy(*args: Any, **options: Any) -> None:
        tries.append(threading.current_thread().name)
        if len(tries) == 1:
            raise StoreUnavailable("Somebody else holds the lock.")
        log_batch(*args, **options)

    monkeypatch.setattr(distant, "log_batch", busy)
    with dovetail.start_run() as run:
        dovetail.log_param("lr", 0.1)
    assert [each == threading.current_thread().name for each in tries] == [True, False]
    assert len(batches) == 1
    assert dovetail.get_run(run.info.run_id).data.params == {"lr": "0.1"}
