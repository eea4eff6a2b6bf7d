"""Logging through a journal: what a call costs, what it promises, and what it says when it cannot."""

from __future__ import annotations

import json
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

import dovetail
from dovetail.errors import NotFound, ParamConflict, RunEnded, StoreUnavailable
from dovetail.tracking import places, recorders
from dovetail.tracking.journal.delivery import REFUSED
from dovetail.tracking.journal.folder import orphans
from dovetail.values import Batch, Metric, Tag

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from dovetail.tracking.store import TrackingStore


def steps(store: Any, run_id: str, key: str = "loss") -> list[int]:
    return [each.step for each in store.get_metric_history(run_id, key)]


def eventually(holds: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


class TestWhatIsLogged:
    def test_is_in_the_store_when_the_run_has_ended(self, distant: Any, folder: Path) -> None:
        with dovetail.start_run() as run:
            for step in range(100):
                dovetail.log_metric("loss", step / 2, step=step)
            dovetail.log_metrics({"a": 1, "b": float("nan")}, step=7)
            dovetail.log_metrics({"a": 2}, step=8)
            dovetail.log_params({"lr": 0.1, "depth": 3})
            dovetail.set_tag("stage", "draft")
            dovetail.set_tag("stage", "final")
        data = distant.get_run(run.info.run_id).data
        assert steps(distant, run.info.run_id) == list(range(100))
        assert (data.metrics["loss"], data.metrics["a"]) == (49.5, 2.0)
        assert data.metrics["b"] != data.metrics["b"]
        assert data.params == {"lr": "0.1", "depth": "3"}
        assert data.tags["stage"] == "final"

    def test_is_in_the_store_before_this_process_reads_it(self, distant: Any) -> None:
        with dovetail.start_run() as run:
            for step in range(20):
                dovetail.log_metric("loss", step, step=step)
                assert dovetail.get_run(run.info.run_id).data.metrics == {"loss": float(step)}

    def test_comes_to_the_store_by_itself(self, distant: Any) -> None:
        with dovetail.start_run() as run:
            dovetail.log_metric("loss", 1)
            eventually(lambda: steps(distant, run.info.run_id) == [0])
            dovetail.log_metric("loss", 2, step=1)
            eventually(lambda: steps(distant, run.info.run_id) == [0, 1])

    def test_goes_to_the_store_in_few_batches(self, distant: Any) -> None:
        with dovetail.start_run():
            before = distant.written
            for step in range(5000):
                dovetail.log_metric("loss", step, step=step)
        assert distant.written - before < 50

    def test_does_not_wait_for_the_store(self, distant: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DOVETAIL_DRAIN_TIMEOUT", "60")  # the end of the run does
        log_batch = distant.log_batch

        def slowly(*args: Any, **options: Any) -> None:
            time.sleep(1)
            log_batch(*args, **options)

        with dovetail.start_run() as run:
            dovetail.log_metric("loss", 0)
            distant.log_batch = slowly
            slowest, begin = 0.0, time.monotonic()
            step = 1
            while time.monotonic() - begin < 1.5:
                start = time.perf_counter()
                dovetail.log_metric("loss", step, step=step)
                slowest = max(slowest, time.perf_counter() - start)
                step += 1
            assert slowest < 0.5
            del distant.log_batch
        assert steps(distant, run.info.run_id) == list(range(step))

    def test_may_come_from_many_threads(self, distant: Any) -> None:
        with dovetail.start_run() as run:
            run_id = run.info.run_id

            def log(number: int) -> None:
                for step in range(500):
                    dovetail.log_metric(f"m{step % 7}", number, step=8 * step + number, run_id=run_id)
                    if step % 50 == 0:
                        dovetail.log_param(f"p{number}.{step}", step, run_id=run_id)

            threads = [threading.Thread(target=log, args=(number,)) for number in range(8)]
            for each in threads:
                each.start()
            for each in threads:
                each.join()
        found = [each for key in range(7) for each in steps(distant, run_id, f"m{key}")]
        assert sorted(found) == list(range(4000))
        assert len(distant.get_run(run_id).data.params) == 80

    def test_may_go_to_many_runs_at_a_time(self, distant: Any) -> None:
        client = dovetail.Client()
        runs = [client.create_run("0").info.run_id for _ in range(5)]
        for step in range(200):
            dovetail.log_metric("loss", step, step=step, run_id=runs[step % 5])
        dovetail.flush_async_logging()
        assert [steps(distant, run_id) for run_id in runs] == [list(range(first, 200, 5)) for first in range(5)]

    def test_leaves_no_journal_behind(self, distant: Any, folder: Path) -> None:
        with dovetail.start_run():
            dovetail.log_metric("loss", 1)
            assert len(orphans(folder)) == 1
        places.forget_stores()
        assert not folder.exists()

    def test_with_columns_is_kept_as_a_batch(self, distant: Any) -> None:
        from dovetail.values.measure import MetricColumns

        with dovetail.start_run() as run:
            batch = Batch((Metric("loss", 1, 5, 9),), columns=(MetricColumns("loss", [6, 7], [10, 11], [0.5, 0.2]),))
            places.recorder().record(run.info.run_id, batch)
        assert steps(distant, run.info.run_id) == [9, 10, 11]

    @pytest.mark.parametrize("key", ["größe", "損失/train", "k" * 250, "a b.c-d:e"])
    def test_may_have_odd_names(self, key: str, distant: Any) -> None:
        with dovetail.start_run() as run:
            dovetail.log_metric(key, 1)
            dovetail.log_metric(key, 2, step=1)
            dovetail.log_metrics({key: 3, "other": 1}, step=2)
            dovetail.log_param(key, "\U0001f642 \x7f\n")
        assert steps(distant, run.info.run_id, key) == [0, 1, 2]
        assert distant.get_run(run.info.run_id).data.params == {key: "\U0001f642 \x7f\n"}

    def test_through_a_power_cut_is_written_through(
        self, distant: Any, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("DOVETAIL_DURABILITY", "power")
        with dovetail.start_run() as run:
            for step in range(5):
                dovetail.log_metric("loss", step, step=step)
                recorder: Any = places.recorder()
                assert recorder._writer.saved == recorder._writer.end
        assert steps(distant, run.info.run_id) == list(range(5))


class TestWhatCannotBeRight:
    def test_a_param_with_another_value_is_refused_at_the_call(self, distant: Any) -> None:
        with dovetail.start_run() as run:
            dovetail.log_param("lr", 0.1)
            dovetail.log_param("lr", 0.1)
            with pytest.raises(ParamConflict, match=r"'lr'.*'0\.1', not '0\.2'"):
                dovetail.log_param("lr", 0.2)
            with pytest.raises(ParamConflict):
                dovetail.log_params({"depth": 3, "lr": 0.2})
        assert distant.get_run(run.info.run_id).data.params == {"lr": "0.1"}

    def test_also_against_what_the_run_held_when_it_was_taken_up(self, distant: Any) -> None:
        with dovetail.start_run() as run:
            dovetail.log_param("lr", 0.1)
        places.forget_stores()
        with dovetail.start_run(run_id=run.info.run_id), pytest.raises(ParamConflict):
            dovetail.log_param("lr", 0.2)
        client = dovetail.Client()
        other = client.create_run("0").info.run_id
        client.log_param(other, "lr", 1)
        with pytest.raises(ParamConflict):
            dovetail.log_param("lr", 2, run_id=other)

    def test_one_that_another_process_logged_meanwhile_goes_to_the_refused(
        self, distant: Any, folder: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        with dovetail.start_run() as run:
            dovetail.log_metric("loss", 1)
            dovetail.Client().log_param(run.info.run_id, "lr", 1)
            distant.log_batch(run.info.run_id, Batch(params=(dovetail.Param("depth", "3"),)))  # somewhere else
            dovetail.log_param("depth", 4)
            dovetail.log_metric("loss", 2, step=1)
        assert steps(distant, run.info.run_id) == [0, 1]
        assert distant.get_run(run.info.run_id).data.params == {"lr": "1", "depth": "3"}
        [line] = [json.loads(line) for line in (folder / REFUSED).read_text().splitlines()]
        assert line["refused"] == {"params": [["depth", "4"]]}
        assert REFUSED in caplog.text

    def test_a_run_that_is_not_there_is_said_at_the_call(self, distant: Any) -> None:
        with pytest.raises(NotFound):
            dovetail.log_metric("loss", 1, run_id="0" * 32)

    @pytest.mark.parametrize("fate", ["ended", "deleted"])
    def test_a_run_that_is_over_is_said_at_the_call(self, fate: str, distant: Any) -> None:
        with dovetail.start_run() as run:
            dovetail.log_metric("loss", 1)
        if fate == "deleted":
            dovetail.delete_run(run.info.run_id)
        for log in (lambda: dovetail.log_metric("loss", 2, run_id=run.info.run_id),) * 2:
            with pytest.raises(RunEnded, match=fate):
                log()
        assert steps(distant, run.info.run_id) == [0]

    def test_a_run_that_has_ended_takes_more_where_that_is_set(
        self, distant: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("DOVETAIL_ALLOW_ENDED_RUNS", "1")
        with dovetail.start_run() as run:
            dovetail.log_metric("loss", 1)
        dovetail.log_metric("loss", 2, step=1, run_id=run.info.run_id)
        dovetail.flush_async_logging()
        assert steps(distant, run.info.run_id) == [0, 1]

    def test_tags_of_a_run_that_has_ended_may_be_set(self, distant: Any) -> None:
        """A note or a mark comes when a run is over; every store takes it, and so does ``Client``."""
        with dovetail.start_run() as run:
            dovetail.log_metric("loss", 1)
        dovetail.set_tag("verdict", "good", run_id=run.info.run_id)
        dovetail.flush_async_logging()
        assert distant.get_run(run.info.run_id).data.tags["verdict"] == "good"


class TestAStoreThatIsAway:
    def test_does_not_keep_anybody_from_logging(self, distant: Any) -> None:
        with dovetail.start_run() as run:
            dovetail.log_metric("loss", 0)
            distant.away = True
            begin = time.monotonic()
            for step in range(1, 1000):
                dovetail.log_metric("loss", step, step=step)
                dovetail.log_param(f"p{step}", step)
            assert time.monotonic() - begin < 5
            distant.away = False
        assert steps(distant, run.info.run_id) == list(range(1000))
        assert len(distant.get_run(run.info.run_id).data.params) == 999

    def test_gets_what_waits_by_itself_when_it_is_back(self, distant: Any) -> None:
        with dovetail.start_run() as run:
            distant.away = True
            dovetail.log_metric("loss", 0)
            time.sleep(0.7)
            distant.away = False
            eventually(lambda: steps(distant, run.info.run_id) == [0])

    def test_is_said_to_whoever_waits_for_it(self, distant: Any) -> None:
        with dovetail.start_run():
            dovetail.log_metric("loss", 0)
            distant.away = True
            begin = time.monotonic()
            with pytest.raises(StoreUnavailable, match="away"):
                dovetail.flush_async_logging()
            assert 0.15 < time.monotonic() - begin < 5
            with pytest.raises(StoreUnavailable, match="away"):
                dovetail.log_metric("loss", 1, step=1, synchronous=True)
            distant.away = False

    def test_at_the_end_of_a_run_is_said_in_two_lines(
        self, distant: Any, capfd: pytest.CaptureFixture[str], reopened: Callable[[], TrackingStore], folder: Path
    ) -> None:
        with dovetail.start_run() as run:
            dovetail.log_metric("loss", 0)
            distant.away = True
            begin = time.monotonic()
        assert time.monotonic() - begin < 5
        said = capfd.readouterr().err
        assert f"run {run.info.run_id} ended, but its store could not be reached: The store is away." in said
        assert "dovetail sync" in said
        assert len(said.splitlines()) == 2
        distant.away = False
        reopened()
        assert steps(distant, run.info.run_id) == [0]
        assert distant.get_run(run.info.run_id).info.status == "FINISHED"
        assert not folder.exists()

    def test_is_not_said_again_at_the_end_of_the_process(
        self, distant: Any, capfd: pytest.CaptureFixture[str], reopened: Callable[[], TrackingStore]
    ) -> None:
        with dovetail.start_run():
            dovetail.log_metric("loss", 0)
            distant.away = True
        recorders.say_it_waits(distant.uri, "a run ended", StoreUnavailable("The store is away."))
        assert capfd.readouterr().err.endswith("whatever opens the store next.\n")
        recorders._close_at_exit()
        assert capfd.readouterr().err == ""
        distant.away = False
        reopened()

    def test_at_the_end_of_the_process_leaves_the_journal_to_the_next_one(
        self, distant: Any, folder: Path, reopened: Callable[[], TrackingStore]
    ) -> None:
        with dovetail.start_run() as run:
            dovetail.log_metric("loss", 0)
            dovetail.log_param("lr", 1)
            distant.away = True
            with pytest.raises(StoreUnavailable):
                places.forget_stores()
            assert len(orphans(folder)) == 1
            distant.away = False
            reopened()
            assert (steps(distant, run.info.run_id), distant.get_run(run.info.run_id).data.params) == (
                [0],
                {"lr": "1"},
            )
            assert not folder.exists()

    def test_takes_runs_that_it_was_not_asked_about(self, distant: Any) -> None:
        run_id = dovetail.Client().create_run("0").info.run_id
        places.open_store(dovetail.get_tracking_uri())
        distant.away = True
        dovetail.log_metric("loss", 0, run_id=run_id)
        dovetail.log_param("lr", 1, run_id=run_id)
        distant.away = False
        dovetail.flush_async_logging()
        assert steps(distant, run_id) == [0]

    def test_keeps_what_was_set_elsewhere_meanwhile(self, distant: Any) -> None:
        """A tag that was delivered is not delivered again over a newer one."""
        with dovetail.start_run() as run:
            dovetail.set_tag("stage", "draft")
            dovetail.flush_async_logging()
            distant.log_batch(run.info.run_id, Batch(tags=(Tag("stage", "final"),)))
            distant.away = True
            dovetail.log_metric("loss", 0)
            distant.away = False
        assert distant.get_run(run.info.run_id).data.tags["stage"] == "final"


class TestAHandlerThatLogs:
    """A signal may come between any two calls, and its handler is run right there, in the same thread."""

    def test_while_a_journal_begins(self, distant: Any) -> None:
        with dovetail.start_run() as run:
            recorder: Any = places.recorder()
            begun = recorder._folder

            class Interrupted(type(begun)):  # type: ignore[misc]
                """The folder of journals, which is looked at when one begins."""

                def __truediv__(self, name: str) -> Path:
                    recorder._folder = begun
                    dovetail.log_metrics({"a": 1, "loss": 2}, step=5)
                    return begun / name

            recorder._folder = Interrupted(begun)
            dovetail.log_metrics({"loss": 1, "b": 3}, step=6)
            dovetail.log_metric("loss", 3, step=7)
        assert sorted(steps(distant, run.info.run_id)) == [5, 6, 7]  # the clock may have gone on between
        found = distant.get_run(run.info.run_id).data.metrics
        assert found == {"a": 1.0, "b": 3.0, "loss": 3.0}

    def test_while_a_metric_is_named(self, distant: Any) -> None:
        with dovetail.start_run() as run:
            dovetail.log_metric("first", 0)
            recorder: Any = places.recorder()
            append = recorder._writer.append

            def interrupted(body: bytes) -> int:
                recorder._writer.append = append
                dovetail.log_metric("of the handler", 1)
                return int(append(body))

            recorder._writer.append = interrupted
            dovetail.log_metric("interrupted", 2)
            dovetail.log_metrics({"interrupted": 3, "of the handler": 4}, step=1)
        found = distant.get_run(run.info.run_id).data.metrics
        assert found == {"first": 0.0, "interrupted": 3.0, "of the handler": 4.0}


class TestClosing:
    def test_while_other_threads_log_loses_nothing(
        self, distant: Any, folder: Path, reopened: Callable[[], TrackingStore]
    ) -> None:
        stop, logged = threading.Event(), 0

        def log() -> None:
            nonlocal logged
            while not stop.is_set():
                dovetail.log_metric("loss", logged, step=logged, run_id=run_id)
                logged += 1

        run_id = dovetail.Client().create_run("0").info.run_id
        thread = threading.Thread(target=log)
        thread.start()
        try:
            for _ in range(20):
                time.sleep(0.02)
                recorders.close_recorders()
        finally:
            stop.set()
            thread.join()
        reopened()
        assert logged > 20
        # What came in the very moment of closing is delivered by whoever took it.
        eventually(lambda: steps(distant, run_id) == list(range(logged)))

    def test_twice_does_nothing(self, distant: Any) -> None:
        with dovetail.start_run():
            dovetail.log_metric("loss", 1)
            recorder = places.recorder()
        recorder.close()
        recorder.close()
        recorder.flush()
