"""Stories of what is logged offline, or not at all, and of what waits on this machine."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import dovetail
from dovetail import folders
from dovetail.errors import InvalidState, InvalidUri, StoreError
from dovetail.tracking import places
from dovetail.tracking.syncing_waiting import send_waiting, waiting
from dovetail.values import Batch, Param

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

    from dovetail.tracking.store import TrackingStore

    Script = Callable[..., subprocess.CompletedProcess[str]]

pytest.importorskip("dovetail_sqlite")
pytest.importorskip("dovetail_file")
pytest.importorskip("dovetail_fsspec")

SWEEP = """
import dovetail
dovetail.set_experiment("sweep")
for number in range(5):
    with dovetail.start_run(run_name=f"number {number}"):
        dovetail.log_param("lr", number)
        dovetail.log_metrics({"loss": 1 / (number + 1), "f1": 0.5}, step=number)
        dovetail.set_tag("colour", "red")
        dovetail.log_text("hello", "notes/hello.txt")
print(dovetail.get_tracking_uri())
"""


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOVETAIL_MODE", "offline")


def online(monkeypatch: pytest.MonkeyPatch) -> None:
    """A new process, some time later."""
    places.forget_places()
    monkeypatch.delenv("DOVETAIL_MODE")


class TestASweepOffline:
    def test_nothing_reaches_the_place_that_is_named(self, script: Script) -> None:
        done = script(SWEEP, DOVETAIL_MODE="offline")
        assert done.stdout.strip() == f"sqlite:///{Path.cwd()}/dovetail.db"
        assert list(Path.cwd().iterdir()) == []

    def test_two_sweeps_sent_twice_are_there_once(self, script: Script) -> None:
        for _ in range(2):
            script(SWEEP, DOVETAIL_MODE="offline")
        report = dovetail.sync()
        assert (report.runs_created, report.points, report.files) == (10, 20, 10)
        assert not dovetail.sync().changed
        runs = dovetail.search_runs(experiment_names=["sweep"], output_format="list")
        assert len(runs) == 10
        assert {run.info.status for run in runs} == {"FINISHED"}
        assert {run.data.params["lr"] for run in runs} == set("01234")
        assert dovetail.artifacts.load_text(f"runs:/{runs[0].info.run_id}/notes/hello.txt") == "hello"

    def test_a_sweep_offline_and_one_online_lie_in_one_experiment(self, script: Script) -> None:
        script(SWEEP, DOVETAIL_MODE="offline")
        script(SWEEP)
        dovetail.sync()
        assert len(dovetail.search_runs(experiment_names=["sweep"])) == 10

    @pytest.mark.usefixtures("offline")
    def test_what_was_logged_offline_is_found_offline(self) -> None:
        with dovetail.start_run() as run:
            dovetail.log_metric("loss", 0.5)
        assert dovetail.get_run(run.info.run_id).data.metrics == {"loss": 0.5}
        assert len(dovetail.search_runs()) == 1

    @pytest.mark.usefixtures("offline")
    def test_the_same_process_can_send_it(self) -> None:
        with dovetail.start_run() as run:
            dovetail.log_metric("loss", 0.5)
        assert dovetail.sync().runs_created == 1
        with dovetail.start_run():
            dovetail.log_metric("loss", 0.25)
        assert dovetail.sync().runs_created == 1
        assert Path("dovetail.db").exists()
        assert dovetail.get_run(run.info.run_id).data.metrics == {"loss": 0.5}

    def test_a_killed_run_is_sent_as_far_as_it_came(self, script: Script) -> None:
        source = "import dovetail, os\ndovetail.start_run()\ndovetail.log_metric('loss', 0.5)\nos._exit(1)"
        script(source, DOVETAIL_MODE="offline", check=False)
        assert dovetail.sync().points == 1
        assert dovetail.search_runs(output_format="list")[0].data.metrics == {"loss": 0.5}

    def test_each_place_has_a_folder_of_its_own(self, script: Script) -> None:
        for name in ("a", "b"):
            script(SWEEP, DOVETAIL_MODE="offline", DOVETAIL_TRACKING_URI=f"sqlite:///{name}.db")
        assert dovetail.sync().runs_created == 10
        for name in ("a", "b"):
            client = dovetail.MlflowClient(f"sqlite:///{name}.db")
            experiment = client.get_experiment_by_name("sweep")
            assert experiment is not None
            assert len(client.search_runs([experiment.experiment_id])) == 5


class TestWhatIsNotDoneOffline:
    @pytest.mark.usefixtures("offline")
    def test_models_are_registered_when_they_were_sent(self) -> None:
        with pytest.raises(InvalidState, match="DOVETAIL_MODE says offline") as raised:
            dovetail.MlflowClient().create_registered_model("wine")
        assert "dovetail sync" in str(raised.value.hint)

    @pytest.mark.usefixtures("offline")
    def test_a_registry_that_somebody_names_is_used(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DOVETAIL_REGISTRY_URI", "sqlite:///models.db")
        assert dovetail.MlflowClient().create_registered_model("wine").name == "wine"

    @pytest.mark.parametrize(("mode", "needed"), [("offline", "dovetail-file"), ("disabled", "dovetail-null")])
    def test_a_missing_plugin_is_named(self, mode: str, needed: str, script: Script) -> None:
        source = f"""
        from dovetail import entrypoints
        installed = entrypoints.read_all
        entrypoints.read_all = lambda: tuple(each for each in installed() if each.distribution != {needed!r})
        import dovetail
        dovetail.start_run()
        """
        done = script(source, DOVETAIL_MODE=mode, check=False)
        assert f"The mode {mode!r}, set by DOVETAIL_MODE, needs a plugin that is not installed" in done.stderr
        assert re.search(rf"pip install .*{needed[9:]}|Install {needed} from", done.stderr)


class TestDisabled:
    def test_nothing_is_written_anywhere(self, script: Script, tmp_path_factory: pytest.TempPathFactory) -> None:
        pytest.importorskip("dovetail_null")
        done = script(SWEEP, DOVETAIL_MODE="disabled")
        assert done.stdout.strip() == f"sqlite:///{Path.cwd()}/dovetail.db"
        assert list(Path.cwd().iterdir()) == []
        assert waiting() == []

    def test_models_are_registered_nowhere(self, monkeypatch: pytest.MonkeyPatch) -> None:
        pytest.importorskip("dovetail_null")
        monkeypatch.setenv("DOVETAIL_MODE", "disabled")
        dovetail.MlflowClient().create_registered_model("wine")
        assert list(Path.cwd().iterdir()) == []


class TestWhatWaits:
    def test_nothing_waits_at_first(self) -> None:
        assert waiting() == []
        assert not dovetail.sync().changed

    def test_runs_that_were_not_sent_are_counted(self, script: Script) -> None:
        script(SWEEP, DOVETAIL_MODE="offline")
        (found,) = waiting()
        assert (found.kind, found.count, found.destination) == ("offline", 5, f"sqlite:///{Path.cwd()}/dovetail.db")
        dovetail.sync()
        assert [each.count for each in waiting()] == [0]
        script(SWEEP, DOVETAIL_MODE="offline")
        assert [each.count for each in waiting()] == [5]

    @pytest.mark.usefixtures("offline")
    def test_what_a_process_is_logging_offline_is_no_news_of_its_own(self, script: Script) -> None:
        with dovetail.start_run():
            dovetail.log_metric("loss", 0.5)
            assert "live" in {each.kind for each in waiting()}
            done = script(
                "from dovetail.tracking.syncing_waiting import send_each\n"
                "for report, failure in send_each():\n"
                "    print(report.source.partition(':')[0], report.runs_created, failure)"
            )
        assert done.stdout.splitlines() == ["dir 1 None"]

    def test_passwords_are_not_kept_and_asked_for(
        self, monkeypatch: pytest.MonkeyPatch, server: Callable[[str], str]
    ) -> None:
        uri = server("secret")
        monkeypatch.setenv("DOVETAIL_MODE", "offline")
        monkeypatch.setenv("DOVETAIL_TRACKING_URI", uri)
        with dovetail.start_run() as run:
            dovetail.log_metric("loss", 0.5)
        online(monkeypatch)
        monkeypatch.delenv("DOVETAIL_TRACKING_URI")
        kept = [path.read_bytes() for path in folders.state_folder().rglob("*") if path.is_file()]
        assert kept
        assert not any(b"secret" in each for each in kept)
        with pytest.raises(InvalidUri, match="needs a password") as raised:
            send_waiting()
        assert "DOVETAIL_TRACKING_URI" in str(raised.value.hint)
        monkeypatch.setenv("DOVETAIL_TRACKING_URI", uri)
        assert send_waiting().runs_created == 1
        assert dovetail.get_run(run.info.run_id).data.metrics == {"loss": 0.5}

    def test_what_waits_for_a_server_that_was_away_is_sent(
        self, monkeypatch: pytest.MonkeyPatch, server: Callable[[str], str], store_at: Callable[[str], TrackingStore]
    ) -> None:
        uri = server("")
        monkeypatch.setenv("DOVETAIL_DRAIN_TIMEOUT", "0.1")
        dovetail.set_tracking_uri(uri)
        run = dovetail.start_run()
        store: Any = store_at(uri)
        store.away = True
        dovetail.log_metric("loss", 0.5)
        dovetail.end_run()
        assert [each.kind for each in waiting()] == ["live"]
        with pytest.raises(StoreError):
            places.forget_stores()
        (found,) = waiting()
        assert (found.kind, found.destination) == ("journal", uri)
        with pytest.raises(StoreError, match="away"):
            dovetail.sync()
        store.away = False
        assert dovetail.sync().journals == 1
        assert waiting() == []
        assert store.get_run(run.info.run_id).data.metrics == {"loss": 0.5}
        assert store.get_run(run.info.run_id).info.status == "FINISHED"

    def test_what_a_store_refused_is_listed(
        self, server: Callable[[str], str], store_at: Callable[[str], TrackingStore]
    ) -> None:
        uri = server("")
        dovetail.set_tracking_uri(uri)
        with dovetail.start_run() as run:
            dovetail.flush_async_logging()
            store_at(uri).log_batch(run.info.run_id, Batch(params=(Param("lr", "1"),)))
            dovetail.log_param("lr", 2)
        found = [each for each in waiting() if each.kind == "refused"]
        assert [each.count for each in found] == [1]
        (line,) = Path(found[0].path).read_text(encoding="utf-8").splitlines()
        assert json.loads(line)["run_id"] == run.info.run_id
