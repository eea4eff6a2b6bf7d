"""``dovetail runs`` beyond listing: created, compared, watched, put in the bin."""

from __future__ import annotations

import json
import math
import threading
import time
from typing import Any

import pytest

from dovetail import Client
from dovetail.values import Metric, Param, Tag

ONE, TWO = "aaa1" + "0" * 28, "aaa2" + "0" * 28


@pytest.fixture
def runs(drawer: None) -> None:
    """Two runs that differ in lr, loss, note and tag, and share seed and acc."""
    client = Client()
    for run_id, lr, values in ((ONE, "0.1", [4, 3, 2, 1]), (TWO, "0.2", [1, 2, 3, math.nan])):
        client.create_run("0", run_name=f"lr {lr}", run_id=run_id)
        metrics = [Metric("loss", value, step=step) for step, value in enumerate(values)]
        params = [Param("lr", lr), Param("seed", "1")]
        client.log_batch(run_id, [*metrics, Metric("acc", math.nan)], params, [Tag("stage", lr)])
        client.set_terminated(run_id, "FINISHED")


class TestCreate:
    def test_a_run_that_is_over_is_recorded(self, dovetail: Any) -> None:
        made = dovetail(
            "runs", "create", "--experiment-name", "wine", "--run-name", "night", "--description", "long",
            "-t", "a=b", "--tags", "c=d=e", "--status", "failed",
        )  # fmt: skip
        assert made.exit_code == 0, made.err
        brief = json.loads(made.out)
        assert {key: brief[key] for key in ("experiment_id", "status", "run_name")} == {
            "experiment_id": "1", "status": "FAILED", "run_name": "night"
        }  # fmt: skip
        run = Client().get_run(brief["run_id"])
        assert run.info.end_time is not None
        assert {"a": "b", "c": "d=e", "mlflow.note.content": "long"}.items() <= run.data.tags.items()

    def test_by_default_it_goes_where_runs_go_and_finished(self, dovetail: Any) -> None:
        run = json.loads(dovetail("runs", "create", "--json").out)
        assert (run["info"]["experiment_id"], run["info"]["status"]) == ("0", "FINISHED")

    def test_a_child_names_its_parent_by_the_beginning_of_its_id(self, dovetail: Any, runs: None) -> None:
        made = json.loads(dovetail("runs", "create", "--parent-run-id", "aaa1").out)
        assert Client().get_run(made["run_id"]).data.tags["mlflow.parentRunId"] == ONE
        assert ONE in dovetail("runs", "show", made["run_id"]).out

    @pytest.mark.parametrize(
        ("arguments", "code"),
        [(("--experiment-id", "0", "--experiment-name", "x"), 2), (("--experiment-id", "99"), 3), (("-x", "a"), 2),
         (("-t", "novalue"), 2), (("-t", "=v"), 2), (("-t", "a=1", "-t", "a=2"), 2), (("--status", "running"), 2),
         (("--status", "odd"), 2), (("--parent-run-id", "nobody"), 3), (("--parent-run-id", "aaa"), 2)],
    )  # fmt: skip
    def test_what_cannot_be_right_makes_no_run(
        self, dovetail: Any, runs: None, arguments: tuple[str, ...], code: int
    ) -> None:
        ended = dovetail("runs", "create", *arguments)
        assert (ended.exit_code, ended.out) == (code, "")
        assert len(json.loads(dovetail("runs", "list", "--json").out)) == 2

    @pytest.mark.filterwarnings("default")
    def test_a_huge_tag_is_cut_and_that_is_said(self, dovetail: Any) -> None:
        made = dovetail("runs", "create", "-t", "big=" + "x" * 20_000)
        assert (made.exit_code, made.err.count("\n")) == (0, 1)
        assert made.err.startswith("Warning: The value of tag 'big' has 20000 characters")
        run = json.loads(dovetail("runs", "show", json.loads(made.out)["run_id"], "--json").out)
        assert run["data"]["tags"]["big"] == "x" * 8000


class TestCompare:
    def test_only_what_differs_is_shown_and_has_a_sign(self, dovetail: Any, runs: None) -> None:
        lines = dovetail("runs", "compare", "aaa1", "aaa2").out.splitlines()
        assert lines[0].split() == ["run", ONE, TWO]
        signed = [line.split() for line in lines if line.startswith("≠")]
        assert signed == [
            ["≠", "param", "lr", "0.1", "0.2"],
            ["≠", "metric", "loss", "1", "█▆▃▁", "nan", "▁▅█!"],
            ["≠", "tag", "stage", "0.1", "0.2"],
        ]
        assert [line.split()[0] for line in lines[1:5]] == ["name", "status", "started", "took"]
        assert "seed" not in "".join(lines)

    def test_all_shows_the_rest_without_the_sign(self, dovetail: Any, runs: None) -> None:
        lines = dovetail("runs", "compare", ONE, TWO, "--all").out.splitlines()
        assert "  param seed   1" in "\n".join(lines)
        assert ["metric", "acc", "nan", "nan"] in [line.split() for line in lines]

    def test_a_metric_that_is_asked_for_is_shown_alone_and_in_any_case(self, dovetail: Any, runs: None) -> None:
        out = dovetail("runs", "compare", ONE, TWO, "--metric", "acc").out
        assert "metric acc" in out
        assert "loss" not in out
        wrong = dovetail("runs", "compare", ONE, TWO, "--metric", "los")
        assert (wrong.exit_code, "Did you mean 'loss'?" in wrong.err) == (3, True)

    def test_json_has_values_in_the_order_of_the_runs(self, dovetail: Any, runs: None) -> None:
        compared = json.loads(dovetail("runs", "compare", TWO, ONE, "--json").out)
        assert [run["run_id"] for run in compared["runs"]] == [TWO, ONE]
        assert compared["metrics"] == {"loss": ["NaN", 1.0]}
        assert compared["differing"] == {"params": ["lr"], "metrics": ["loss"], "tags": ["stage"]}

    def test_equal_runs_say_so(self, dovetail: Any, runs: None) -> None:
        assert "No params, metrics or tags differ" in dovetail("runs", "compare", ONE, ONE).out

    @pytest.mark.parametrize(("ids", "code"), [((ONE,), 2), ((ONE, "zzz"), 3), ((ONE, "aaa"), 2), ((), 2)])
    def test_runs_that_cannot_be_compared(self, dovetail: Any, runs: None, ids: tuple[str, ...], code: int) -> None:
        assert dovetail("runs", "compare", *ids).exit_code == code


class TestWatch:
    def test_a_run_that_has_ended_is_one_line(self, dovetail: Any, runs: None) -> None:
        ended = dovetail("runs", "watch", "aaa1")
        assert ended.exit_code == 0
        assert ended.out.split()[1:] == [ONE, "lr", "0.1", "FINISHED", "acc=nan", "loss=1@3"]

    def test_nothing_to_watch(self, dovetail: Any, runs: None) -> None:
        assert dovetail("runs", "watch").out == "No runs are running.\n"
        assert dovetail("runs", "watch", "--json").out == ""

    def test_changes_come_as_json_lines_until_the_end(self, dovetail: Any, drawer: None) -> None:
        run = Client().create_run("0", run_name="night").info.run_id
        other = threading.Thread(target=self.work, args=(run,))
        other.start()
        ended = dovetail("runs", "watch", run, "--interval", "0.1", "--json")
        other.join()
        changes = [json.loads(line) for line in ended.out.splitlines()]
        assert ended.exit_code == 1, "the run failed"
        assert [changes[0]["status"], changes[-1]["status"]] == ["RUNNING", "FAILED"]
        points = [change["metrics"]["loss"] for change in changes if change["metrics"]]
        assert points[-1] == {"value": "NaN", "step": 2}
        assert len({json.dumps(change["metrics"]) + change["status"] for change in changes}) == len(changes)

    def work(self, run: str) -> None:
        for step, value in enumerate((2.0, 1.0, math.nan)):
            time.sleep(0.3)
            Client().log_metric(run, "loss", value, step=step)
        Client().set_terminated(run, "FAILED")

    def test_all_that_run_are_followed_and_deleted_ones_given_up(self, dovetail: Any, drawer: None) -> None:
        first, second = (Client().create_run("0").info.run_id for _ in range(2))
        timer = threading.Timer(0.5, lambda: (Client().set_terminated(first), Client().delete_run(second)))
        timer.start()
        ended = dovetail("runs", "watch", "--interval", "0.1")
        assert (ended.exit_code, ended.out.count(first), ended.out.count("FINISHED")) == (0, 2, 1)

    @pytest.mark.parametrize(
        ("arguments", "code"), [(("zzz",), 3), (("aaa",), 2), (("--interval", "0"), 2), (("--interval", "x"), 2)]
    )
    def test_what_cannot_be_watched(self, dovetail: Any, runs: None, arguments: tuple[str, ...], code: int) -> None:
        ended = dovetail("runs", "watch", *arguments)
        assert (ended.exit_code, ended.out) == (code, "")


@pytest.mark.parametrize("form", ["argument", "option"])
def test_runs_go_to_the_bin_and_come_back_by_the_beginning_of_their_ids(dovetail: Any, runs: None, form: str) -> None:
    name = ("aaa1",) if form == "argument" else ("--run-id", "aaa1")
    assert dovetail("runs", "delete", *name).out.startswith(f"Run {ONE} is in the bin; ")
    assert json.loads(dovetail("runs", "restore", *name, "--json").out)["lifecycle_stage"] == "active"
    assert json.loads(dovetail("runs", "delete", *name, "--json").out)["lifecycle_stage"] == "deleted"
    assert json.loads(dovetail("runs", "describe", *name).out)["info"]["run_id"] == ONE


@pytest.mark.parametrize("command", ["delete", "restore", "describe"])
@pytest.mark.parametrize(
    ("arguments", "code"), [((), 2), ((ONE, "--run-id", TWO), 2), (("aaa",), 2), (("zzz",), 3), (("../x",), 2)]
)
def test_runs_that_are_not_named_rightly(
    dovetail: Any, runs: None, command: str, arguments: tuple[str, ...], code: int
) -> None:
    ended = dovetail("runs", command, *arguments)
    assert (ended.exit_code, ended.out) == (code, "")
    assert "Error: " in ended.err


def test_a_list_names_experiments_and_takes_one_by_id_or_name(dovetail: Any, runs: None) -> None:
    made = Client().create_experiment("wine")
    run = Client().create_run(made).info.run_id
    assert {line.split()[-1] for line in dovetail("runs", "list").out.splitlines()} == {
        "Experiment", "wine", "Default"
    }  # fmt: skip
    for option in (("-x", made), ("--experiment-id", made), ("-n", "wine"), ("--experiment-name", "wine")):
        assert [line.split()[0] for line in dovetail("runs", "list", *option).out.splitlines()[1:]] == [run]


def test_metrics_of_the_machine_take_no_columns_of_a_list(dovetail: Any) -> None:
    run = Client().create_run("0").info.run_id
    machine = [Metric(f"system/cpu_{number}", 1.0) for number in range(5)]
    Client().log_batch(run, [*machine, Metric("train/loss", 0.5)])
    head = dovetail("runs", "list").out.splitlines()[0]
    assert "train/loss" in head
    assert "system/" not in head
    assert "system/cpu_0" in dovetail("runs", "show", run).out


class TestReap:
    def test_without_any_run_says_so(self, dovetail: Any) -> None:
        assert dovetail("runs", "reap").out == "No run is running.\n"

    def test_leaves_runs_alone_that_gave_no_signs(self, dovetail: Any) -> None:
        run = Client().create_run(Client().create_experiment("wine"))
        assert dovetail("runs", "reap").out == "No run that is running was left behind.\n"
        assert Client().get_run(run.info.run_id).info.status == "RUNNING"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(("-x", "0", "-n", "Default"), 2), (("-x", "99"), 3), (("-n", "nothing"), 3), (("-x", "abc"), 2),
     (("-v", "some"), 2), (("-m", "0"), 2), (("-m", "50001"), 2), (("-o", "metrics."), 2)],
)  # fmt: skip
def test_a_list_of_what_cannot_be(dovetail: Any, arguments: tuple[str, ...], code: int) -> None:
    ended = dovetail("runs", "list", *arguments)
    assert (ended.exit_code, ended.out) == (code, "")


def test_many_runs_are_read_page_by_page(dovetail: Any, drawer: None) -> None:
    store = Client().store
    asked: list[int] = []
    search = store.search_runs
    store.search_runs = lambda *given, **named: asked.append(given[4]) or search(*given, **named)  # type: ignore[method-assign]
    for number in range(2500):
        Client().create_run("0", run_name=f"n{number}")
    assert len(dovetail("runs", "list", "-m", "10000").out.splitlines()) == 2501
    assert asked == [1000, 1000, 1000]


def test_sparklines_stand_beside_metrics_with_a_history(dovetail: Any, runs: None) -> None:
    out = dovetail("runs", "show", "aaa1").out
    assert "  loss  1    █▆▃▁\n" in out
    assert "  acc   nan\n" in out
