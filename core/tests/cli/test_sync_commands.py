"""Stories of `dovetail sync` and `dovetail import`."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import dovetail
from dovetail.tracking import places
from dovetail.values import Batch, Metric, Param

if TYPE_CHECKING:
    from collections.abc import Callable

    Dovetail = Callable[..., tuple[int, str, str]]

DATA = Path(__file__).parents[1] / "tracking" / "syncing" / "mlflow_data"


@pytest.fixture
def command(dovetail: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> Dovetail:
    """``command("sync")`` is the exit code, and what was printed and said of errors."""
    monkeypatch.setenv("DOVETAIL_TRACKING_URI", "")

    def run(*arguments: str) -> tuple[int, str, str]:
        outcome = dovetail(*arguments)
        return outcome.exit_code, outcome.out, outcome.err

    return run


@pytest.fixture
def pair(tmp_path: Path) -> tuple[str, str]:
    """Two stores, a run in the first one."""
    here, there = f"memory://{tmp_path.name}-here", f"memory://{tmp_path.name}-there"
    dovetail.set_tracking_uri(here)
    with dovetail.start_run(run_name="first"):
        dovetail.log_metric("loss", 0.5)
        dovetail.log_param("lr", 0.1)
    return here, there


def run_id(uri: str) -> str:
    (run,) = places.open_store(uri).search_runs(["0"])
    return run.info.run_id


def log_offline(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """A run for each of these databases, while none of them is to be reached."""
    with monkeypatch.context() as patch:
        patch.setenv("DOVETAIL_MODE", "offline")
        for name in names:
            patch.setenv("DOVETAIL_TRACKING_URI", f"sqlite:///{name}.db")
            with dovetail.start_run():
                dovetail.log_metric("loss", 0.5)
            places.forget_places()


class TestSync:
    def test_it_says_what_it_brought(self, command: Dovetail, pair: tuple[str, str]) -> None:
        code, out, _ = command("sync", *pair)
        assert code == 0
        left = "Artifacts stay where they are: --artifacts copies them.\n"
        assert out == f"Brought 1 run, 1 point from {pair[0]} to {pair[1]}.\n{left}"
        _, out, _ = command("sync", *pair)
        assert out == f"Brought nothing new from {pair[0]} to {pair[1]}.\n1 run had nothing new.\n"

    def test_it_does_not_say_that_artifacts_were_left_where_they_came_along(
        self, command: Dovetail, pair: tuple[str, str]
    ) -> None:
        code, out, _ = command("sync", *pair, "--artifacts")
        assert (code, out) == (0, f"Brought 1 run, 1 point from {pair[0]} to {pair[1]}.\n")

    def test_a_dry_run_says_what_it_would(self, command: Dovetail, pair: tuple[str, str]) -> None:
        _, out, _ = command("sync", *pair, "--dry-run")
        assert out.startswith("Would bring 1 run, 1 point from")

    def test_machines_get_json(self, command: Dovetail, pair: tuple[str, str]) -> None:
        _, out, _ = command("sync", *pair, "--run", run_id(pair[0]), "-e", "Default", "--json")
        told = json.loads(out)
        assert (told["runs_created"], told["points"], told["refused"]) == (1, 1, [])

    def test_what_was_refused_is_told_and_the_exit_code_is_1(self, command: Dovetail, pair: tuple[str, str]) -> None:
        command("sync", *pair)
        for uri, value in zip(pair, "12", strict=True):
            places.open_store(uri).log_batch(run_id(uri), Batch(params=(Param("seed", value),)), ended=True)
        code, _, errors = command("sync", *pair)
        assert code == 1
        assert f"Refused: param of {run_id(pair[0])}: Param 'seed' is '2' there, and '1' here." in errors

    def test_wrong_input_is_one_clear_error(self, command: Dovetail, pair: tuple[str, str]) -> None:
        code, _, errors = command("sync", *pair, "-e", "beer")
        assert (code, "'beer'" in errors) == (3, True)
        code, _, errors = command("sync", "--artifacts")
        assert (code, "Name SRC and DST" in errors) == (2, True)

    def test_nothing_waits(self, command: Dovetail) -> None:
        assert command("sync")[:2] == (0, "Nothing waits on this machine.\n")
        assert command("sync", "--status")[:2] == (0, "Nothing waits on this machine.\n")
        assert json.loads(command("sync", "--status", "--json")[1]) == []

    def test_what_was_logged_offline_is_listed_and_sent(
        self, command: Dovetail, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        pytest.importorskip("dovetail_sqlite")
        pytest.importorskip("dovetail_file")
        monkeypatch.setenv("DOVETAIL_MODE", "offline")
        with dovetail.start_run():
            dovetail.log_metric("loss", 0.5)
        places.forget_places()
        monkeypatch.delenv("DOVETAIL_MODE")
        _, out, _ = command("sync", "--status")
        assert "runs to be sent" in out
        assert "sync  # send it" in out
        _, out, _ = command("sync")
        assert out.startswith("Brought 1 run, 1 point from dir:///")
        assert len(dovetail.search_runs()) == 1
        _, out, _ = command("sync", "--json")
        assert json.loads(out)[0]["runs_unchanged"] == 1
        assert command("sync")[1].endswith("1 run had nothing new.\n")

    def test_why_it_cannot_be_sent_is_said_once(self, command: Dovetail, monkeypatch: pytest.MonkeyPatch) -> None:
        pytest.importorskip("dovetail_sqlite")
        pytest.importorskip("dovetail_file")
        log_offline(monkeypatch, "taken")
        Path("taken.db").write_text("no database, by far" * 100)
        code, out, err = command("sync")
        assert code != 0
        assert out.endswith("taken.db cannot take it.\n")
        assert err.startswith("Error: ")

    def test_places_where_all_is_sent_share_a_line(self, command: Dovetail, monkeypatch: pytest.MonkeyPatch) -> None:
        pytest.importorskip("dovetail_sqlite")
        pytest.importorskip("dovetail_file")
        log_offline(monkeypatch, "one", "two")
        command("sync")
        assert command("sync")[1] == "2 folders had nothing new.\n"
        _, out, _ = command("sync", "--status")
        assert out == "Nothing waits on this machine.\nAll that was logged in 2 offline folders was sent.\n"
        log_offline(monkeypatch, "three")
        _, out, _ = command("sync", "--status")
        assert (out.count("runs to be sent"), "All that was logged in 2 offline folders was sent." in out) == (1, True)
        _, out, _ = command("sync")
        assert out.startswith("Brought 1 run, 1 point from")
        assert out.splitlines()[1:] == ["2 other folders had nothing new."]

    def test_more_of_a_run_is_said_so(self, command: Dovetail, pair: tuple[str, str]) -> None:
        command("sync", *pair)
        places.open_store(pair[0]).log_batch(run_id(pair[0]), Batch((Metric("loss", 0.1, 9, 1),)), ended=True)
        assert command("sync", *pair, "--dry-run")[1].startswith("Would bring more of 1 run, 1 point from")
        assert command("sync", *pair)[1].startswith("Brought more of 1 run, 1 point from")
        assert command("sync", *pair, "--dry-run")[1].startswith("Would bring nothing new from")


class TestImport:
    @pytest.fixture(autouse=True)
    def _mlflow(self, command: Dovetail) -> None:
        del command  # it chooses the folder
        pytest.importorskip("dovetail_sqlite")
        pytest.importorskip("dovetail_fsspec")
        with closing(sqlite3.connect("mlflow.db")) as connection:
            connection.executescript((DATA / "mlflow.sql").read_text(encoding="utf-8"))
        Path("mlruns/1").mkdir(parents=True)  # where its artifacts lie

    def test_it_says_what_it_brought(self, command: Dovetail) -> None:
        code, out, _ = command("import", "mlflow", "mlflow.db")
        assert code == 0
        assert out.startswith("Brought 1 experiment, 4 runs, 1 logged model, 2 registered versions, 10 points from")
        assert len(dovetail.search_runs(experiment_names=["wine"])) == 3

    def test_a_dry_run_says_the_same(self, command: Dovetail) -> None:
        (would,), (did,) = (
            command("import", "mlflow", "mlflow.db", *each)[1].splitlines() for each in (["--dry-run"], [])
        )
        assert would.replace("Would bring", "Brought") == did

    def test_it_says_where_registered_models_went(self, command: Dovetail, monkeypatch: pytest.MonkeyPatch) -> None:
        pytest.importorskip("dovetail_file")
        monkeypatch.setenv("DOVETAIL_REGISTRY_URI", f"sqlite:///{Path.cwd()}/reg.db")
        first, second = command("import", "mlflow", "mlflow.db", "dir:ours")[1].splitlines()
        assert "registered version" not in first
        assert second == f"Brought 2 registered versions from {Path.cwd()}/mlflow.db to sqlite:///{Path.cwd()}/reg.db."

    def test_mlflows_own_uri_does(self, command: Dovetail) -> None:
        code, out, _ = command("import", "mlflow", "sqlite:///mlflow.db", "--no-artifacts", "--json")
        assert (code, json.loads(out)["runs_created"]) == (0, 4)

    def test_what_is_not_mlflows_is_one_clear_error(self, command: Dovetail) -> None:
        code, _, errors = command("import", "mlflow", "nothing.db")
        assert code == 3
        assert "nothing.db" in errors
        Path("notes.db").write_text("hello", encoding="utf-8")
        assert command("import", "mlflow", "notes.db")[0] == 7
        code, _, errors = command("import", "mlflow", "mlflow.db", "--no-artifacts", "--artifacts-from", "there")
        assert (code, "--no-artifacts leaves out" in errors) == (2, True)
