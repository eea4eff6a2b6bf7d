"""Which store runs are tracked in, and by what it is named."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path
from typing import Any

import pytest

import dovetail as mlflow
from dovetail.errors import ForeignLayout, InvalidUri, NotFound, PluginError, PluginMissing, StoreError
from dovetail.tracking import places


def at(path: str | Path) -> str:
    return f"sqlite:///{Path(path).absolute().as_posix()}"


@pytest.fixture
def _sqlite() -> None:
    pytest.importorskip("dovetail_sqlite")


class TestWhatIsInForce:
    def test_by_default_a_database_in_the_working_folder(self) -> None:
        assert mlflow.get_tracking_uri() == at("dovetail.db")
        assert not mlflow.is_tracking_uri_set()

    def test_a_variable_or_file_sets_it_and_a_call_wins(self, monkeypatch: pytest.MonkeyPatch) -> None:
        Path("dovetail.toml").write_text('tracking_uri = "memory://file"\n', encoding="utf-8")
        assert mlflow.get_tracking_uri() == "memory://file"
        monkeypatch.setenv("MLFLOW_TRACKING_URI", "memory://twin")
        assert mlflow.get_tracking_uri() == "memory://twin"
        monkeypatch.setenv("DOVETAIL_TRACKING_URI", "memory://variable")
        assert mlflow.get_tracking_uri() == "memory://variable"
        assert mlflow.is_tracking_uri_set()
        mlflow.set_tracking_uri("memory://call")
        assert mlflow.get_tracking_uri() == "memory://call"

    @pytest.mark.parametrize("nothing", ["", None])
    def test_nothing_goes_back_to_the_settings(self, nothing: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        mlflow.set_tracking_uri("memory://call")
        mlflow.set_tracking_uri(nothing)
        assert not mlflow.is_tracking_uri_set()
        monkeypatch.setenv("DOVETAIL_TRACKING_URI", "memory://variable")
        assert mlflow.get_tracking_uri() == "memory://variable"

    def test_a_file_in_a_folder_above_means_its_own_folder(self, monkeypatch: pytest.MonkeyPatch) -> None:
        Path("dovetail.toml").write_text('tracking_uri = "sqlite:///runs.db"\n', encoding="utf-8")
        here = at("runs.db")
        Path("src").mkdir()
        monkeypatch.chdir("src")
        assert mlflow.get_tracking_uri() == here

    def test_a_choice_that_is_refused_changes_nothing(self) -> None:
        mlflow.set_tracking_uri("memory://call")
        with pytest.raises(PluginMissing):
            mlflow.set_tracking_uri("nowhere://x")
        assert mlflow.get_tracking_uri() == "memory://call"


@pytest.mark.usefixtures("_sqlite")
class TestRelativeLocations:
    @pytest.mark.parametrize(
        ("given", "meant"),
        [
            ("sqlite:///runs.db", "runs.db"),
            ("SQLITE:///runs.db", "runs.db"),
            ("sqlite:///sub/runs.db", "sub/runs.db"),
            ("runs.db", "runs.db"),
            ("./runs.sqlite", "runs.sqlite"),
            (Path("runs.db"), "runs.db"),
            ("runs", "runs/dovetail.db"),
            (Path("runs"), "runs/dovetail.db"),
            ("runs/", "runs/dovetail.db"),
            ("runs.db/", "runs.db/dovetail.db"),
            ("file:runs", "runs/dovetail.db"),
            ("FILE:runs/", "runs/dovetail.db"),
            ("file:my%20runs", "my runs/dovetail.db"),
            ("file:my runs", "my runs/dovetail.db"),
            (Path("databricks"), "databricks/dovetail.db"),
            ("./databricks", "databricks/dovetail.db"),
            ("file:runs.db", "runs.db"),
            (".", "dovetail.db"),
            ("dovetail+sqlite:///runs.db", "runs.db"),
        ],
        ids=repr,
    )
    def test_they_stay_what_they_were_when_the_script_changes_its_folder(
        self, given: Any, meant: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        mlflow.set_tracking_uri(given)
        client = mlflow.Client(given)
        expected = at(meant)
        Path("elsewhere").mkdir()
        monkeypatch.chdir("elsewhere")
        assert mlflow.get_tracking_uri() == expected
        assert client.tracking_uri == expected

    def test_they_hold_what_was_tracked(self, monkeypatch: pytest.MonkeyPatch) -> None:
        mlflow.set_tracking_uri("sqlite:///runs.db")
        client = mlflow.Client("sqlite:///runs.db")
        with mlflow.start_run() as run:
            mlflow.log_metric("loss", 1)
        Path("elsewhere").mkdir()
        monkeypatch.chdir("elsewhere")
        assert mlflow.get_run(run.info.run_id).data.metrics == {"loss": 1.0}
        assert client.get_run(run.info.run_id).data.metrics == {"loss": 1.0}
        assert list(Path().iterdir()) == []

    @pytest.mark.parametrize("name", ["50% off", "why?", "a b", "ünï", "%41"])
    @pytest.mark.skipif(sys.platform == "win32", reason="names with a question mark are none there")
    def test_folders_of_any_name(self, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
        Path(name).mkdir()
        monkeypatch.chdir(name)
        for given in ("sqlite:///a.db", "b.db", Path("c"), "", Path("d.db").absolute()):
            mlflow.set_tracking_uri(given)
            with mlflow.start_run():
                pass
        assert {path.name for path in Path().iterdir() if not path.name.endswith(("-wal", "-shm"))} == {
            "a.db", "b.db", "c", "dovetail.db", "d.db"
        }  # fmt: skip

    def test_the_home_folder(self) -> None:
        mlflow.set_tracking_uri("~/runs.db")
        assert mlflow.get_tracking_uri() == at(Path.home() / "runs.db")

    def test_one_database_is_one_store_however_it_is_named(self) -> None:
        names = ("sqlite:///runs.db", "SQLite:///runs.db", "runs.db", Path("runs.db"), at("runs.db"))
        assert len({id(places.open_store(uri)) for uri in names}) == 1

    def test_a_folder_may_be_called_like_a_file(self) -> None:
        Path("runs.db").mkdir()
        mlflow.set_tracking_uri("runs.db")
        assert mlflow.get_tracking_uri() == at("runs.db/dovetail.db")

    def test_an_option_is_not_dropped_silently(self) -> None:
        with pytest.raises(InvalidUri, match="query"):
            mlflow.Client("sqlite:///runs.db?mode=ro").search_experiments()

    @pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps the working folder from being removed")
    def test_in_a_working_folder_that_was_removed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        absolute = at("runs.db")
        Path("gone").mkdir()
        monkeypatch.chdir("gone")
        Path("../gone").rmdir()
        for uri in ("sqlite:///runs.db", "runs.db"):
            with pytest.raises(InvalidUri, match="was removed"):
                mlflow.set_tracking_uri(uri)
        mlflow.set_tracking_uri(absolute)
        with mlflow.start_run():
            pass


@pytest.mark.skipif(sys.platform == "win32", reason="absolute paths have another form there")
@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("/data", "/data/dovetail.db"),
        ("/data/", "/data/dovetail.db"),
        ("/data/runs.db", "/data/runs.db"),
        ("file:/data", "/data/dovetail.db"),
        ("file:///data", "/data/dovetail.db"),
        ("FILE:///data/", "/data/dovetail.db"),
        ("file://localhost/data", "/data/dovetail.db"),
        ("file://LocalHost/data", "/data/dovetail.db"),
        ("file:///my%20data", "/my data/dovetail.db"),
        ("file:///my data", "/my data/dovetail.db"),
        ("file:///50%25", "/50%25/dovetail.db"),
        ("sqlite:////data/runs.db", "/data/runs.db"),
        ("SQLite:////data/runs.db", "/data/runs.db"),
    ],
)
def test_absolute_locations(given: str, meant: str) -> None:
    assert places.resolved(given) == f"sqlite:///{meant}"


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("sqlite://", "sqlite://"),
        ("sqlite:///:memory:", "sqlite:///:memory:"),
        ("sqlite:///C:/runs.db", "sqlite:///C:/runs.db"),
        ("HTTP://Host:5000/", "http://Host:5000/"),
        ("PostgreSQL+psycopg://Me@h/DB", "postgresql+psycopg://Me@h/DB"),
        ("null:", "null:"),
    ],
)
def test_other_locations_mean_the_same_everywhere(given: str, meant: str) -> None:
    assert places.resolved(given) == meant


class TestWhatIsRefused:
    @pytest.mark.parametrize(
        "uri",
        [
            5,
            b"runs.db",
            " ",
            "\t\n",
            ["runs.db"],
            "a\0b",
            "memory://a\0b",
            "/data/\udcff.db",
            "file://host/x",
            "n" * 5000,
        ],
        ids=lambda uri: ascii(uri)[:20],
    )
    def test_what_is_no_location(self, uri: Any) -> None:
        with pytest.raises(InvalidUri):
            mlflow.set_tracking_uri(uri)
        with pytest.raises(InvalidUri):
            mlflow.set_registry_uri(uri)
        with pytest.raises(InvalidUri):
            mlflow.Client(uri)
        with pytest.raises(InvalidUri):
            mlflow.Client("memory://a", uri)

    @pytest.mark.parametrize(
        "uri",
        [
            "nowhere://me:hunter2@host/x",
            "file://me:hunter2@host/x",
            "file://me:hunter2@host/x?",
            "nowhere://me:hunter2@host/\0",
            b"nowhere://me:hunter2@host/x",
        ],
        ids=ascii,
    )
    def test_no_password_is_told(self, uri: Any) -> None:
        with pytest.raises((InvalidUri, PluginMissing)) as caught:
            mlflow.set_tracking_uri(uri)
        assert "hunter2" not in str(caught.value)

    @pytest.mark.parametrize(
        "location", ["memory://me:hunter2@host/x#a", "file://me:hunter2@host/x", b"s3://me:hunter2@host/x"], ids=ascii
    )
    def test_nor_one_in_an_artifact_location(self, location: Any) -> None:
        pytest.importorskip("dovetail_fsspec")
        with pytest.raises(InvalidUri) as caught:
            mlflow.create_experiment("x", artifact_location=location)
        assert "hunter2" not in str(caught.value)

    @pytest.mark.parametrize("uri", ["databricks", "databricks-uc"])
    def test_mlflows_words_for_a_service_are_no_folders(self, uri: str) -> None:
        with pytest.raises(PluginMissing, match=r"No plugin answers for .*\n.*\./databricks"):
            mlflow.set_tracking_uri(uri)
        assert list(Path().iterdir()) == []

    @pytest.mark.skipif(sys.platform == "win32", reason="variables are text there")
    @pytest.mark.parametrize(
        "value",
        ["\udcff.db", "sqlite:///\udcff.db", "file://host/x", "nowhere://x", "databricks", "notes.txt"],
        ids=ascii,
    )
    def test_by_a_setting_says_which(self, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
        Path("notes.txt").write_text("x", encoding="utf-8")
        monkeypatch.setenv("MLFLOW_TRACKING_URI", value)
        with pytest.raises((InvalidUri, PluginMissing), match="It is set by MLFLOW_TRACKING_URI"):
            mlflow.search_experiments()

    @pytest.mark.usefixtures("_sqlite")
    @pytest.mark.parametrize(
        "uri", ["sqlite:////", "sqlite:///runs/", "sqlite:///folder", "sqlite:///notes.txt/runs.db"]
    )
    def test_what_cannot_be_a_database(self, uri: str) -> None:
        Path("folder").mkdir()
        Path("notes.txt").write_text("x", encoding="utf-8")
        mlflow.set_tracking_uri(uri)
        with pytest.raises((InvalidUri, StoreError)) as caught:
            mlflow.search_experiments()
        assert caught.value.hint

    def test_a_scheme_that_nobody_answers_for_says_what_there_is(self) -> None:
        with pytest.raises(PluginMissing, match="No tracking store answers for 'mssql'") as caught:
            mlflow.set_tracking_uri("mssql+pyodbc://u@h/db")
        assert "Installed: dir, http, https, mariadb, memory" in str(caught.value)
        with pytest.raises(PluginMissing, match="Did you mean 'memory'"):
            mlflow.set_tracking_uri("memry://x")

    def test_a_scheme_in_a_variable_is_refused_at_the_first_use(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", "databricks://profile")
        with pytest.raises(PluginError, match="databricks"):
            mlflow.start_run()

    def test_a_file_that_is_no_database(self) -> None:
        Path("notes.txt").write_text("x", encoding="utf-8")
        with pytest.raises(InvalidUri, match="no database"):
            mlflow.set_tracking_uri("notes.txt")

    @pytest.mark.parametrize("given", ["mlruns", "file:mlruns", Path("mlruns")], ids=repr)
    def test_mlflows_own_folder_of_runs_is_left_as_it_is(self, given: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        Path("mlruns/0").mkdir(parents=True)
        Path("mlruns/0/meta.yaml").write_text("experiment_id: '0'\n", encoding="utf-8")
        with pytest.raises(ForeignLayout, match="MLflow's own layout"):
            mlflow.set_tracking_uri(given)
        monkeypatch.setenv("MLFLOW_TRACKING_URI", str(given))
        with pytest.raises(ForeignLayout):
            mlflow.start_run()
        assert [path.name for path in Path("mlruns").iterdir()] == ["0"]


def use_it_twice() -> None:
    for _ in range(2):
        with mlflow.start_run():
            mlflow.log_metric("loss", 1)


@pytest.mark.usefixtures("_sqlite")
class TestNeighbours:
    """MLflow's data beside ours are named, since people expect to see them."""

    @pytest.mark.parametrize("name", ["mlruns", "mlflow.db"])
    def test_they_are_named_once(self, name: str) -> None:
        Path(name).mkdir()
        with pytest.warns(UserWarning, match=f"{name} here are MLflow's and stay as they are") as told:
            use_it_twice()
        assert len(told) == 1

    def test_not_when_a_place_was_chosen(self) -> None:
        Path("mlruns").mkdir()
        mlflow.set_tracking_uri("sqlite:///mine.db")
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            mlflow.search_experiments()

    def test_not_when_our_own_data_are_there_already(self) -> None:
        mlflow.search_experiments()
        places.forget_places()
        Path("mlruns").mkdir()
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            mlflow.search_experiments()


class TestClients:
    def test_one_without_a_uri_follows_the_one_in_force(self) -> None:
        client = mlflow.Client()
        mlflow.set_tracking_uri("memory://a")
        run_id = client.create_run("0").info.run_id
        mlflow.set_tracking_uri("memory://b")
        with pytest.raises(NotFound):
            client.get_run(run_id)
        assert client.tracking_uri == "memory://b"

    def test_one_with_a_uri_stays_there(self) -> None:
        client = mlflow.Client("memory://a")
        mlflow.set_tracking_uri("memory://b")
        run_id = client.create_run("0").info.run_id
        assert client.tracking_uri == "memory://a"
        with pytest.raises(NotFound):
            mlflow.get_run(run_id)

    def test_forgetting_opens_anew(self) -> None:
        mlflow.set_tracking_uri("flaky://x")
        first = places.tracking_store()
        assert places.tracking_store() is first
        places.forget_stores()
        assert mlflow.get_tracking_uri() == "flaky://x"
        assert places.tracking_store() is not first


@pytest.mark.parametrize("uri", ["file:///%ff", "sqlite:///" + "d/" * 2000 + "x.db", "d/" * 2000 + "x.db"])
@pytest.mark.skipif(sys.platform == "win32", reason="names are text there")
def test_a_place_that_nothing_can_be_kept_in_is_refused_at_once(uri: str) -> None:
    with pytest.raises(InvalidUri):
        mlflow.set_tracking_uri(uri)


class TestAnAddressWithoutAScheme:
    @pytest.mark.parametrize("uri", ["127.0.0.1:5000", "localhost:5000", "tracking.example.com:80/team"])
    def test_is_no_folder(self, uri: str) -> None:
        with pytest.raises(InvalidUri, match=f"http://{uri}"):
            mlflow.set_tracking_uri(uri)

    def test_is_one_where_there_is_such_a_folder(self) -> None:
        Path("2024.11:12").mkdir()
        mlflow.set_tracking_uri("2024.11:12")
        assert mlflow.get_tracking_uri().startswith("sqlite:///")
