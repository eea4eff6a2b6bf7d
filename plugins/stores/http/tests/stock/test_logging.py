"""Scripts that log to a server of MLflow's."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Protocol

import pytest

import dovetail
from dovetail.tracking import places
from dovetail.values import Batch, Metric, Tag

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    class Served(Protocol):
        uri: str


@pytest.fixture(autouse=True)
def tracked(server: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of the server that is tracked at."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DOVETAIL_JOURNAL_DIR", str(tmp_path / "journals"))
    dovetail.set_tracking_uri(server.uri)
    yield server.uri
    places.forget_places()


class TestAScriptThatLogsInALoop:
    def test_waits_for_nothing_and_all_of_it_arrives(self) -> None:
        with dovetail.start_run(run_name="loop") as run:
            began = time.perf_counter()
            for step in range(3000):
                dovetail.log_metric("loss", 1 / (step + 1), step=step)
            took = time.perf_counter() - began
            dovetail.log_params({"lr": 0.1})

        client = dovetail.MlflowClient()
        there = client.get_run(run.info.run_id)
        assert took < 3, "a call takes far less than a request"
        assert (there.info.status, there.info.run_name, there.data.params) == ("FINISHED", "loop", {"lr": "0.1"})
        history = client.get_metric_history(run.info.run_id, "loss")
        assert [(each.step, each.value) for each in history] == [(step, 1 / (step + 1)) for step in range(3000)]

    def test_finds_odd_numbers_as_it_logged_them(self) -> None:
        with dovetail.start_run() as run:
            for step, value in enumerate((math.inf, -math.inf, math.nan)):
                dovetail.log_metric("odd", value, step=step)
        found = dovetail.MlflowClient().get_metric_history(run.info.run_id, "odd")
        assert [repr(each.value) for each in found] == ["inf", "-inf", "nan"]


def train() -> None:
    with dovetail.start_run():
        dovetail.log_metric("loss", 0.5)
        dovetail.log_metric("loss", 1 / 0)


class TestARunThatFails:
    def test_ends_so_with_what_it_logged(self) -> None:
        with pytest.raises(ZeroDivisionError):
            train()
        (there,) = dovetail.MlflowClient().search_runs(["0"])
        assert (there.info.status, there.data.metrics) == ("FAILED", {"loss": 0.5})


class TestARunThatIsStartedByItsKey:
    def test_goes_on_when_it_is_started_again(self) -> None:
        with dovetail.start_run(key="night") as first:
            dovetail.log_metric("loss", 0.5, step=1)
        places.forget_stores()

        with dovetail.start_run(key="night") as second:
            dovetail.log_metric("loss", 0.25, step=2)

        assert second.info.run_id == first.info.run_id
        history = dovetail.MlflowClient().get_metric_history(first.info.run_id, "loss")
        assert [each.step for each in history] == [1, 2]

    def test_cannot_go_on_from_an_earlier_step(self) -> None:
        with dovetail.start_run(key="night"):
            dovetail.log_metric("loss", 0.5, step=7)
        with pytest.raises(dovetail.errors.InvalidState, match="stock MLflow server, which cannot take points"):
            dovetail.start_run(key="night", from_step=3)


class TestARunOfAnotherStore:
    def test_is_synchronized_once_however_often_it_is_begun(self, tracked: str) -> None:
        dovetail.set_tracking_uri("sqlite:///offline.db")
        with dovetail.start_run(run_name="afar") as run:
            dovetail.log_param("lr", 0.1)
            for step in range(5):
                dovetail.log_metric("loss", 1 / (step + 1), step=step)

        first = dovetail.sync("sqlite:///offline.db", tracked)
        places.forget_stores()  # nothing of what was found out is remembered
        second = dovetail.sync("sqlite:///offline.db", tracked)

        assert (first.runs_created, first.points, first.refused) == (1, 5, [])
        assert (second.runs_created, second.runs_unchanged, second.points) == (0, 1, 0)
        client = dovetail.MlflowClient(tracked)
        (there,) = client.search_runs(["0"])
        assert there.info.run_id != run.info.run_id, "the server gives its own"
        assert client.get_run(run.info.run_id).info.run_id == there.info.run_id, "by which it is found, too"
        assert (there.info.status, there.info.run_name, there.data.params) == ("FINISHED", "afar", {"lr": "0.1"})
        assert there.info.start_time == run.info.start_time
        assert not any(key.startswith("dovetail.") for key in there.data.tags)

    def test_that_is_resumed_goes_on_there(self, tracked: str) -> None:
        dovetail.set_tracking_uri("sqlite:///offline.db")
        with dovetail.start_run() as run:
            dovetail.log_metric("loss", 0.5, step=0)
        dovetail.sync("sqlite:///offline.db", tracked)
        with dovetail.start_run(run.info.run_id):
            dovetail.log_metric("loss", 0.25, step=1)

        report = dovetail.sync("sqlite:///offline.db", tracked)

        assert (report.runs_updated, report.points, report.refused) == (1, 1, [])
        history = dovetail.MlflowClient(tracked).get_metric_history(run.info.run_id, "loss")
        assert [each.value for each in history] == [0.5, 0.25]


class TestAClient:
    def test_that_logs_to_a_run_that_ended_is_told_so(self) -> None:
        with dovetail.start_run() as run:
            pass
        client = dovetail.MlflowClient()
        with pytest.raises(dovetail.errors.RunEnded, match="has ended"):
            client.log_metric(run.info.run_id, "loss", 1.0)

    def test_that_changes_a_param_is_told_so_and_nothing_is_stored(self) -> None:
        client = dovetail.MlflowClient()
        run_id = client.create_run("0").info.run_id
        client.log_param(run_id, "lr", 1)
        store = places.tracking_store()
        batch = Batch((Metric("loss", 1.0, 1),), (dovetail.values.Param("lr", "2"),), (Tag("a", "b"),))
        with pytest.raises(dovetail.errors.ParamConflict, match="'lr'"):
            store.log_batch(run_id, batch)
        run = client.get_run(run_id)
        assert (run.data.metrics, run.data.params, "a" in run.data.tags) == ({}, {"lr": "1"}, False)

    def test_that_marks_a_run_as_crashed_reads_that_again(self) -> None:
        client = dovetail.MlflowClient()
        run_id = client.create_run("0").info.run_id
        client.set_terminated(run_id, "CRASHED")
        assert client.get_run(run_id).info.status == "CRASHED"
        assert [run.info.run_id for run in client.search_runs(["0"], "status = 'CRASHED'")] == [run_id]
        assert list(client.search_runs(["0"], "status = 'FAILED'")) == []
        client.set_terminated(run_id, "FAILED")
        run = client.get_run(run_id)
        assert (run.info.status, [key for key in run.data.tags if key.startswith("dovetail.")]) == ("FAILED", [])

    def test_that_searches_by_more_than_mlflow_knows_gets_pages_as_always(self) -> None:
        client = dovetail.MlflowClient()
        for number in range(7):
            run = client.create_run("0", run_name=f"r{number}", tags={"n": str(number)}, start_time=1000 - number)
            if number % 2:
                client.log_param(run.info.run_id, "odd", "yes")
        text = "(params.odd = 'yes' OR tags.n IN ('0', '2')) AND NOT tags.n = '5'"
        names: list[list[str]] = []
        token: str | None = None
        while token is not None or not names:
            page = client.search_runs(["0"], text, max_results=2, page_token=token)
            names.append([each.info.run_name for each in page])
            token = page.token
        assert names == [["r0", "r1"], ["r2", "r3"]]
