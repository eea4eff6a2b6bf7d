"""What a process chooses reaches the processes it starts; and where models are registered."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import dovetail as mlflow
from dovetail import hookimpl, plugins
from dovetail.errors import InvalidUri
from dovetail.testing import MemoryTrackingStore
from dovetail.tracking import places

ASKING = "import dovetail; print(dovetail.get_tracking_uri(), dovetail.get_registry_uri())"


class WebStores:
    """A store at an address that MLflow could speak to."""

    @hookimpl
    def dovetail_tracking_stores(self) -> dict[str, type[MemoryTrackingStore]]:
        return {"https": MemoryTrackingStore}


plugins.register(WebStores(), "tracking_stores", "https")


def asked(folder: str = ".") -> list[str]:
    done = subprocess.run([sys.executable, "-c", ASKING], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.split()


def here(name: str) -> str:
    return f"sqlite:///{Path(name).absolute().as_posix()}"


class TestProcessesThatAreStarted:
    def test_track_at_the_same_place_whatever_their_folder(self) -> None:
        Path("elsewhere").mkdir()
        Path("elsewhere/.env").write_text("DOVETAIL_TRACKING_URI=memory://elsewhere\n", encoding="utf-8")
        mlflow.set_tracking_uri("sqlite:///runs.db")
        assert asked("elsewhere") == [here("runs.db")] * 2

    def test_register_at_the_same_place(self) -> None:
        Path("elsewhere").mkdir()
        mlflow.set_registry_uri("models")
        mlflow.set_tracking_uri("memory://a")
        assert asked("elsewhere") == ["memory://a", here("models/dovetail.db")]

    def test_of_multiprocessing_do_so_too(self) -> None:
        mlflow.set_tracking_uri("memory://parent")
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            assert pool.apply(mlflow.get_tracking_uri) == "memory://parent"

    def test_are_not_told_of_a_default(self) -> None:
        mlflow.get_tracking_uri()
        assert "DOVETAIL_TRACKING_URI" not in os.environ

    def test_track_where_their_own_call_says(self) -> None:
        mlflow.set_tracking_uri("memory://parent")
        program = f"import dovetail; dovetail.set_tracking_uri('memory://child'); {ASKING}"
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        assert done.stdout.split() == ["memory://child"] * 2


class TestMlflowsVariable:
    def test_is_set_to_what_mlflow_can_open(self) -> None:
        mlflow.set_tracking_uri("https://host")
        assert os.environ["MLFLOW_TRACKING_URI"] == "https://host"

    @pytest.mark.parametrize("former", [None, "http://theirs"])
    def test_is_left_alone_otherwise(self, former: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
        if former:
            monkeypatch.setenv("MLFLOW_TRACKING_URI", former)
        mlflow.set_tracking_uri("memory://a")
        assert os.environ.get("MLFLOW_TRACKING_URI") == former
        mlflow.set_tracking_uri("https://host")
        mlflow.set_tracking_uri("memory://a")
        assert os.environ.get("MLFLOW_TRACKING_URI") == former


class TestGoingBack:
    @pytest.mark.parametrize("former", [None, "memory://former"])
    def test_leaves_the_environment_as_it_was(self, former: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
        if former:
            monkeypatch.setenv("DOVETAIL_TRACKING_URI", former)
        for uri in ("memory://a", "memory://b", None):
            mlflow.set_tracking_uri(uri)
        assert os.environ.get("DOVETAIL_TRACKING_URI") == former
        assert mlflow.get_tracking_uri() == (former or here("dovetail.db"))

    def test_keeps_what_somebody_else_set_meanwhile(self, monkeypatch: pytest.MonkeyPatch) -> None:
        mlflow.set_tracking_uri("memory://a")
        monkeypatch.setenv("DOVETAIL_TRACKING_URI", "memory://theirs")
        assert mlflow.get_tracking_uri() == "memory://a"
        mlflow.set_tracking_uri(None)
        assert mlflow.get_tracking_uri() == "memory://theirs"

    def test_happens_when_everything_is_forgotten(self) -> None:
        mlflow.set_tracking_uri("memory://a")
        mlflow.set_registry_uri("memory://b")
        places.forget_places()
        assert not {"DOVETAIL_TRACKING_URI", "DOVETAIL_REGISTRY_URI"} & set(os.environ)

    def test_after_many_threads_chose_is_complete(self) -> None:
        with ThreadPoolExecutor(16) as pool:
            list(pool.map(mlflow.set_tracking_uri, [f"memory://{number}" for number in range(200)]))
        mlflow.set_tracking_uri(None)
        assert "DOVETAIL_TRACKING_URI" not in os.environ


class TestRegistry:
    def test_is_where_runs_are_tracked_unless_chosen(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert mlflow.get_registry_uri() == here("dovetail.db")
        mlflow.set_tracking_uri("memory://runs")
        assert mlflow.get_registry_uri() == "memory://runs"
        Path("dovetail.toml").write_text('registry_uri = "models.db"\n', encoding="utf-8")
        assert mlflow.get_registry_uri() == here("models.db")
        monkeypatch.setenv("MLFLOW_REGISTRY_URI", "memory://twin")
        assert mlflow.get_registry_uri() == "memory://twin"
        mlflow.set_registry_uri("memory://models")
        assert (mlflow.get_registry_uri(), mlflow.get_tracking_uri()) == ("memory://models", "memory://runs")
        mlflow.set_registry_uri("")
        assert mlflow.get_registry_uri() == "memory://twin"

    def test_stays_what_it_was_when_the_script_changes_its_folder(self, monkeypatch: pytest.MonkeyPatch) -> None:
        expected = here("models.db")
        mlflow.set_registry_uri("sqlite:///models.db")
        client = mlflow.Client("memory://runs", "models.db")
        Path("elsewhere").mkdir()
        monkeypatch.chdir("elsewhere")
        assert (mlflow.get_registry_uri(), client.registry_uri) == (expected, expected)

    def test_of_a_client_is_its_own_or_the_chosen_one_or_where_it_tracks(self) -> None:
        assert mlflow.Client("memory://runs", "memory://own").registry_uri == "memory://own"
        assert mlflow.Client(registry_uri="memory://own").registry_uri == "memory://own"
        assert mlflow.Client("memory://runs").registry_uri == "memory://runs"
        mlflow.set_registry_uri("memory://chosen")
        assert mlflow.Client("memory://runs").registry_uri == "memory://chosen"

    def test_is_named_by_where_it_is_wrongly_set(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("MLFLOW_REGISTRY_URI", "file://host/x")
        with pytest.raises(InvalidUri, match="It is set by MLFLOW_REGISTRY_URI"):
            mlflow.get_registry_uri()


class TestArtifactLocations:
    """They are decided when an experiment is made."""

    @pytest.fixture(autouse=True)
    def _database(self) -> None:
        pytest.importorskip("dovetail_sqlite")
        pytest.importorskip("dovetail_fsspec")
        mlflow.set_tracking_uri("sqlite:///runs.db")

    def location(self, name: str) -> str:
        experiment = mlflow.get_experiment_by_name(name)
        assert experiment is not None
        return experiment.artifact_location

    def test_another_root_moves_no_experiment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        mlflow.create_experiment("before")
        before = self.location("before"), self.location("Default")
        monkeypatch.setenv("DOVETAIL_ARTIFACT_ROOT", "first")
        mlflow.create_experiment("first")
        first = self.location("first")
        monkeypatch.setenv("DOVETAIL_ARTIFACT_ROOT", "second")
        places.forget_stores()
        mlflow.create_experiment("second")
        assert (self.location("before"), self.location("Default")) == before
        assert self.location("first") == first
        assert first.startswith(Path("first").absolute().as_uri())
        assert self.location("second").startswith(Path("second").absolute().as_uri())

    def test_runs_write_where_their_experiment_lies(self, monkeypatch: pytest.MonkeyPatch) -> None:
        mlflow.set_experiment("before")
        monkeypatch.setenv("DOVETAIL_ARTIFACT_ROOT", "later")
        with mlflow.start_run():
            mlflow.log_text("x", "x.txt")
        assert not Path("later").exists()
        assert [path.name for path in Path("dovetail-artifacts").rglob("*.txt")] == ["x.txt"]

    def test_a_relative_one_stays_where_it_was_meant(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for number, given in enumerate(("my files", Path("my files"), "file:my%20files")):
            mlflow.create_experiment(str(number), artifact_location=given)
        expected = Path("my files").absolute().as_uri()
        Path("elsewhere").mkdir()
        monkeypatch.chdir("elsewhere")
        assert {self.location(str(number)) for number in range(3)} == {expected}

    def test_one_elsewhere_is_taken_as_it_is(self) -> None:
        mlflow.create_experiment("far", artifact_location="memory://bucket/runs")
        assert self.location("far") == "memory://bucket/runs"
