"""`dovetail sync --artifacts` between servers, whichever of them this process tracks at."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import dovetail
from dovetail.tracking import places
from dovetail.tracking.syncing import sync
from dovetail.values import NewLoggedModel
from dovetail.values.logged_model import new_model_id
from dovetail_http.address import address_of
from dovetail_http.artifact_places import place_at, place_of
from dovetail_http.meant import note
from dovetail_server.testing import Server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture(autouse=True)
def _tracking_nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    for name in ("DOVETAIL_TRACKING_URI", "MLFLOW_TRACKING_URI"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    yield
    places.forget_stores()


def database(folder: Path) -> str:
    """A database with a folder of its own, and therefore with artifacts of its own."""
    folder.mkdir()
    return f"sqlite:///{folder}/runs.db"


@pytest.fixture
def other(serve: Callable[..., str], tmp_path: Path) -> str:
    """Another server, of which the runs say the same of where their artifacts are."""
    return serve(database(tmp_path / "other"))


@pytest.fixture
def process(tmp_path: Path) -> Iterator[str]:
    """A server in a process of its own, with nothing before its paths."""
    (tmp_path / "process").mkdir()
    with Server(tmp_path / "process") as server:
        yield server.url


def logged(uri: str) -> str:
    """A run with a file, and a logged model with another."""
    client = dovetail.Client(uri)
    run_id = client.create_run("0").info.run_id
    client.log_text(run_id, "of the run", "notes/a.txt")
    model = NewLoggedModel(experiment_id="0", name="m", model_id=new_model_id(), source_run_id=run_id)
    client.store.create_logged_model(model)
    folder = Path("weights")
    folder.mkdir()
    (folder / "w.txt").write_text("of the model")
    client.log_model_artifacts(model.model_id, str(folder))
    return run_id


def brought(uri: str, run_id: str) -> tuple[str, str]:
    """What these files hold at another place."""
    client = dovetail.Client(uri)
    (model,) = client.search_logged_models(["0"])
    text = Path(client.download_artifacts(run_id, "notes/a.txt")).read_text()
    return text, client.list_logged_model_artifacts(model.model_id)[0].path


class TestFilesThatAreSynchronized:
    def test_between_servers_lie_at_the_other_one_then(self, uri: str, other: str) -> None:
        run_id = logged(uri)
        report = sync(uri, other, artifacts=True)
        assert (report.refused, report.files) == ([], 2)
        assert brought(other, run_id) == ("of the run", "w.txt")
        assert sync(uri, other, artifacts=True).files == 0

    def test_between_processes_and_back(self, process: str, uri: str, tmp_path: Path) -> None:
        run_id = logged(process)
        assert sync(process, uri, artifacts=True).files == 2
        local = database(tmp_path / "local")
        assert sync(uri, local, artifacts=True).files == 2
        assert brought(local, run_id) == ("of the run", "w.txt")

    def test_go_where_they_are_sent_whatever_is_tracked_at(
        self, uri: str, other: str, tmp_path: Path, serve: Callable[..., str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        local = database(tmp_path / "local")
        run_id = logged(local)
        third = serve(database(tmp_path / "third"))
        monkeypatch.setenv("DOVETAIL_TRACKING_URI", third)
        assert sync(local, uri, artifacts=True).files == 2
        assert sync(uri, other, artifacts=True, dry_run=True).files == 2
        assert sync(uri, other, artifacts=True).files == 2
        assert brought(other, run_id) == ("of the run", "w.txt")
        assert list(dovetail.Client(third).search_runs(["0"])) == []


class TestAPlaceOnAServer:
    @pytest.mark.parametrize(
        ("server", "place"),
        [
            ("http://ada:s3cret@team.example:5000", "mlflow-artifacts://team.example:5000/0/r/artifacts"),
            (
                "https://team.example/ml",
                "mlflow-artifacts://team.example/ml/api/2.0/mlflow-artifacts/artifacts/0/r/artifacts",
            ),
        ],
    )
    def test_names_the_server_and_leads_back_to_it(self, server: str, place: str) -> None:
        note(address_of("http://team.example:5000/last"))
        address = address_of(server)
        note(address)
        note(address_of("https://team.example/last"))
        assert place_at(address, "mlflow-artifacts:/0/r/artifacts") == place
        remote, path = place_of(place)
        assert (remote.transport.uri, path) == (server, "0/r/artifacts")

    @pytest.mark.parametrize("location", ["s3://bucket/0", "file:///srv/0", "mlflow-artifacts://elsewhere:1/0"])
    def test_stays_as_it_is_if_it_is_elsewhere(self, location: str) -> None:
        assert place_at(address_of("http://team.example"), location) == location
