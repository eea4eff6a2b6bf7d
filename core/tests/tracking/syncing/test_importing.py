"""Stories of people who come from MLflow with a database or a directory; what they bring was written by MLflow."""

from __future__ import annotations

import hashlib
import math
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import dovetail
from dovetail.errors import ForeignLayout, InvalidInput, NotFound
from dovetail.tracking import places
from dovetail.values import NewModelVersion

if TYPE_CHECKING:
    from collections.abc import Callable

    from dovetail.tracking.store import TrackingStore
    from dovetail.values import Run

    Contents = Callable[[TrackingStore], dict[str, Any]]

pytest.importorskip("dovetail_sqlite")
pytest.importorskip("dovetail_fsspec")

DATA = Path(__file__).parent / "mlflow_data"


@pytest.fixture
def database() -> Path:
    """A database as MLflow wrote it, on another machine, with the folder of artifacts that it had beside it."""
    path = Path("mlflow.db").absolute()
    for number in "01":
        Path("mlruns", number).mkdir(parents=True)
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript((DATA / "mlflow.sql").read_text(encoding="utf-8"))
    return path


@pytest.fixture
def directory() -> Path:
    """A directory as MLflow wrote it, on another machine."""
    return Path(shutil.copytree(DATA / "tree", Path("mlruns").absolute()))


@pytest.fixture(params=["database", "directory"])
def source(request: pytest.FixtureRequest) -> Path:
    """Each of the two."""
    path: Path = request.getfixturevalue(request.param)
    return path


@pytest.fixture(autouse=True)
def _in_a_database() -> None:
    dovetail.set_tracking_uri("sqlite:///runs/ours.db")
    Path("runs").mkdir()


def digest(path: Path) -> dict[str, str]:
    """What lies at a path, and beside it."""
    files = [each for each in path.parent.rglob("*") if each.is_file() and "runs/ours" not in str(each)]
    return {str(each): hashlib.sha256(each.read_bytes()).hexdigest() for each in files if "dovetail" not in str(each)}


def named(name: str) -> Run:
    (run,) = dovetail.search_runs(
        search_all_experiments=True, filter_string=f"attributes.run_name = '{name}'", output_format="list"
    )
    return run


class TestWhatIsBrought:
    def test_runs_with_all_they_logged(self, source: Path) -> None:
        before = digest(source)
        report = dovetail.import_mlflow(source)
        assert digest(source) == before
        assert (report.experiments_created, report.runs_created, report.models_created) == (1, 4, 1)
        assert (report.points, report.versions_created, report.refused) == (10, 2, [])

        run, client = named("first"), dovetail.MlflowClient()
        assert run.info.status == "FINISHED"
        assert (run.info.start_time, run.info.end_time or 0) > (0, run.info.start_time)
        assert run.data.params == {"lr": "0.1", "deep/er": "yes"}
        assert (run.data.tags["colour"], run.data.tags["note"]) == ("red", "two\nlines")
        assert run.data.tags["mlflow.user"] == run.info.user_id == "ann"
        losses = client.get_metric_history(run.info.run_id, "loss")
        assert [(each.step, each.value) for each in losses] == [(step, 1 / (step + 1)) for step in range(5)]
        odd = {each.step: each.value for each in client.get_metric_history(run.info.run_id, "val/acc")}
        assert math.isnan(odd[0])
        assert odd[2] == -0.5
        assert named("broken").info.status == "FAILED"
        assert named("child").data.tags["mlflow.parentRunId"] == run.info.run_id
        assert named("in Default").info.status == "RUNNING"

    def test_experiments_with_their_tags_and_without_what_was_deleted(self, source: Path) -> None:
        dovetail.import_mlflow(source)
        found = {each.name: each for each in dovetail.search_experiments(view_type=dovetail.ViewType.ALL)}
        assert set(found) == {"Default", "wine"}
        assert found["wine"].tags == {"team": "cellar"}
        assert dovetail.search_runs(
            search_all_experiments=True, filter_string="attributes.run_name = 'gone'", run_view_type=3
        ).empty

    def test_data_and_models_that_runs_used_and_made(self, source: Path) -> None:
        dovetail.import_mlflow(source)
        run = named("first")
        (used,) = run.inputs.dataset_inputs
        assert (used.dataset.name, used.dataset.source_type) == ("grapes", "code")
        assert {tag.key: tag.value for tag in used.tags} == {"fold": "1", "mlflow.data.context": "training"}
        (made,) = run.outputs.model_outputs
        assert made.step == 4
        assert [each.model_id for each in run.inputs.model_inputs] == [made.model_id]
        model = dovetail.get_logged_model(made.model_id)
        assert (model.name, model.model_type, model.status) == ("forest", "classifier", "READY")
        assert (model.source_run_id, model.params, model.tags["kind"]) == (run.info.run_id, {"trees": "7"}, "small")
        (point,) = model.metrics
        assert (point.key, point.value, point.step, point.run_id) == ("f1", 0.9, 1, run.info.run_id)
        assert point.dataset_name == "grapes"

    def test_what_was_measured_as_nan_is_no_zero(self, database: Path) -> None:
        """MLflow's database has 0 for a model's NaN, and only beside the run's point that it is one."""
        with closing(sqlite3.connect(database)) as connection, connection:
            connection.execute("UPDATE metrics SET value = 0, is_nan = 1 WHERE key = 'f1'")
            connection.execute("UPDATE latest_metrics SET value = 0, is_nan = 1 WHERE key = 'f1'")
            connection.execute("UPDATE logged_model_metrics SET metric_value = 0")
        dovetail.import_mlflow(database)
        (point,) = dovetail.MlflowClient().get_metric_history(named("first").info.run_id, "f1")
        assert math.isnan(point.value)
        (measured,) = dovetail.get_logged_model(named("first").outputs.model_outputs[0].model_id).metrics
        assert math.isnan(measured.value)

    def test_a_zero_that_was_measured_stays_one(self, database: Path) -> None:
        with closing(sqlite3.connect(database)) as connection, connection:
            for table in ("metrics", "latest_metrics"):
                connection.execute(f"UPDATE {table} SET value = 0 WHERE key = 'f1'")
            connection.execute("UPDATE logged_model_metrics SET metric_value = 0")
        dovetail.import_mlflow(database)
        (measured,) = dovetail.get_logged_model(named("first").outputs.model_outputs[0].model_id).metrics
        assert (measured.value, named("first").data.metrics["f1"]) == (0, 0)

    def test_registered_models_with_their_numbers(self, source: Path) -> None:
        dovetail.import_mlflow(source)
        client = dovetail.MlflowClient()
        wine = client.get_registered_model("wine")
        assert (wine.description, wine.tags, wine.aliases) == ("reds", {"owner": "ann"}, {"champion": 3})
        versions = {each.version: each for each in client.search_model_versions("name = 'wine'")}
        assert set(versions) == {1, 3}
        assert (versions[1].current_stage, versions[1].description) == ("Production", "number 1")
        assert versions[3].tags == {"n": "3"}
        assert versions[3].source == f"runs:/{named('first').info.run_id}/model3"
        assert client.get_registered_model("empty").latest_versions == []

    def test_the_second_time_nothing_is_left_to_do(self, source: Path, contents: Contents) -> None:
        dovetail.import_mlflow(source)
        before = contents(places.tracking_store())
        report = dovetail.import_mlflow(source)
        assert not report.changed
        assert not report.refused
        assert contents(places.tracking_store()) == before

    def test_one_experiment_goes_alone(self, source: Path) -> None:
        assert dovetail.import_mlflow(source, experiments="Default").runs_created == 1
        assert dovetail.search_registered_models() == []

    def test_a_dry_run_tells_and_writes_nothing(self, source: Path) -> None:
        report = dovetail.import_mlflow(source, dry_run=True)
        assert (report.runs_created, report.versions_created) == (4, 2)
        assert [each.name for each in dovetail.search_experiments()] == ["Default"]
        assert dovetail.search_registered_models() == []

    @pytest.mark.parametrize("target", ["sqlite:///new/runs.db", "dir:new"])
    def test_a_dry_run_makes_no_place(self, target: str, source: Path) -> None:
        report = dovetail.import_mlflow(source, target, dry_run=True)
        assert (report.experiments_created, report.runs_created, report.models_created) == (1, 4, 1)
        assert report.versions_created == (0 if target.startswith("dir") else 2)
        assert "/new" in report.destination
        assert not Path("new").exists()

    def test_what_was_logged_in_mlflow_since_follows(self, database: Path) -> None:
        dovetail.import_mlflow(database)
        with closing(sqlite3.connect(database)) as connection, connection:
            (run_id,) = connection.execute("SELECT run_uuid FROM runs WHERE name = 'in Default'").fetchone()
            values = (run_id, "x", 2.5, 9_999_999_999_999, 1, 0)
            for table in ("metrics", "latest_metrics"):
                connection.execute(f"DELETE FROM latest_metrics WHERE run_uuid = '{run_id}'")
                connection.execute(
                    f"INSERT INTO {table} (run_uuid, key, value, timestamp, step, is_nan) VALUES (?, ?, ?, ?, ?, ?)",
                    values,
                )
        assert dovetail.import_mlflow(database).points == 1
        assert named("in Default").data.metrics == {"x": 2.5}


class TestArtifacts:
    def test_they_stay_where_they_are_and_are_found_there(self, directory: Path) -> None:
        dovetail.import_mlflow(directory)
        run = named("first")
        assert dovetail.artifacts.load_text(f"runs:/{run.info.run_id}/notes/hello.txt") == "hello"
        assert run.info.artifact_uri.startswith(directory.as_uri())

    def test_those_of_an_experiment_that_has_another_place_are_copied(self, directory: Path) -> None:
        report = dovetail.import_mlflow(directory)
        run = named("in Default")
        assert report.files == 1
        assert dovetail.artifacts.load_text(f"runs:/{run.info.run_id}/here.txt") == "still here"
        assert not run.info.artifact_uri.startswith(directory.as_uri())

    def test_they_are_copied_when_asked(self, directory: Path) -> None:
        assert dovetail.import_mlflow(directory, artifacts="copy").files == 2
        shutil.rmtree(directory)
        assert dovetail.artifacts.load_text(f"runs:/{named('first').info.run_id}/notes/hello.txt") == "hello"

    def test_they_are_left_out_when_asked(self, directory: Path) -> None:
        assert dovetail.import_mlflow(directory, artifacts="none").files == 0
        with pytest.raises(NotFound):
            dovetail.artifacts.load_text(f"runs:/{named('first').info.run_id}/notes/hello.txt")

    @pytest.mark.parametrize("artifacts", ["keep", "copy"])
    def test_those_that_were_moved_along_with_a_database_are_found(self, artifacts: str, database: Path) -> None:
        with closing(sqlite3.connect(database)) as connection:
            (run_id,) = connection.execute("SELECT run_uuid FROM runs WHERE name = 'first'").fetchone()
            (model_id,) = connection.execute("SELECT model_id FROM logged_models").fetchone()
        for path in (f"mlruns/1/{run_id}/artifacts/a.txt", f"mlruns/1/models/{model_id}/artifacts/a.txt"):
            Path(path).parent.mkdir(parents=True)
            Path(path).write_text("moved", encoding="utf-8")
        report = dovetail.import_mlflow(database, artifacts=artifacts)
        assert (report.files, report.refused) == (2 if artifacts == "copy" else 0, [])
        for uri in (f"runs:/{run_id}/a.txt", f"{dovetail.get_logged_model(model_id).artifact_location}/a.txt"):
            assert dovetail.artifacts.load_text(uri) == "moved"

    def test_that_they_are_gone_is_said(self, database: Path) -> None:
        shutil.rmtree("mlruns")
        (refused,) = dovetail.import_mlflow(database).refused
        assert (refused.kind, refused.id) == ("artifacts", "wine")
        assert "/somewhere/mlruns/1" in refused.reason
        assert not dovetail.import_mlflow(database, artifacts="none").refused

    def test_what_a_server_kept_must_be_said(self, database: Path) -> None:
        with closing(sqlite3.connect(database)) as connection, connection:
            connection.execute(
                "UPDATE experiments SET artifact_location = 'mlflow-artifacts:/' || experiment_id WHERE name = 'wine'"
            )
            connection.execute(
                "UPDATE runs SET artifact_uri = 'mlflow-artifacts:/1/' || run_uuid || '/artifacts'"
                " WHERE experiment_id = 1"
            )
            (run_id,) = connection.execute("SELECT run_uuid FROM runs WHERE name = 'first'").fetchone()
        file = Path("mlartifacts", "1", run_id, "artifacts", "served.txt")
        file.parent.mkdir(parents=True)
        file.write_text("served", encoding="utf-8")
        with pytest.raises(InvalidInput, match="'wine' lie behind a tracking server") as raised:
            dovetail.import_mlflow(database)
        assert "--artifacts-from" in str(raised.value.hint)
        assert [each.name for each in dovetail.search_experiments()] == ["Default"]
        dovetail.import_mlflow(database, artifacts_from="mlartifacts")
        assert dovetail.artifacts.load_text(f"runs:/{run_id}/served.txt") == "served"


class TestWhatIsThereAlready:
    @pytest.fixture
    def known(self, source: Path) -> Path:
        """What is imported already, and of which the registry lost some: a tag, words, a stage, an alias."""
        dovetail.import_mlflow(source)
        client = dovetail.MlflowClient()
        client.delete_registered_model_tag("wine", "owner")
        client.delete_model_version_tag("wine", 3, "n")
        client.update_model_version("wine", 3, "")
        client.transition_model_version_stage("wine", 1, "None")
        client.delete_registered_model_alias("wine", "champion")
        return source

    def test_what_a_registered_model_lacks_is_added(self, known: Path) -> None:
        report = dovetail.import_mlflow(known)
        assert (report.versions_created, report.versions_updated, report.changed) == (0, 3, True)
        client = dovetail.MlflowClient()
        wine, first, third = client.get_registered_model("wine"), *map(client.get_model_version, ["wine"] * 2, (1, 3))
        assert (wine.tags, wine.aliases, first.current_stage) == ({"owner": "ann"}, {"champion": 3}, "Production")
        assert (third.tags, third.description) == ({"n": "3"}, "number 3")
        assert not dovetail.import_mlflow(known).changed

    def test_a_dry_run_adds_nothing_to_it(self, known: Path) -> None:
        assert dovetail.import_mlflow(known, dry_run=True).versions_updated == 3
        client = dovetail.MlflowClient()
        wine, first = client.get_registered_model("wine"), client.get_model_version("wine", 1)
        assert (wine.tags, wine.aliases, first.current_stage) == ({}, {}, "None")

    def test_what_it_says_otherwise_stays(self, source: Path) -> None:
        dovetail.import_mlflow(source)
        client = dovetail.MlflowClient()
        client.set_registered_model_tag("wine", "owner", "bob")
        client.set_registered_model_alias("wine", "champion", 1)
        client.update_model_version("wine", 3, "the best")
        report = dovetail.import_mlflow(source)
        assert (report.changed, report.kept, report.refused) == (False, 1, [])
        assert client.get_registered_model("wine").aliases == {"champion": 1}
        assert client.get_model_version("wine", 3).description == "the best"

    def test_a_place_without_a_registry_takes_the_runs_and_says_how_models_find_one(
        self, source: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        pytest.importorskip("dovetail_file")
        report = dovetail.import_mlflow(source, "dir:runs/folder")
        assert report.runs_created == 4
        ((kind, reason),) = [(each.kind, each.reason) for each in report.refused]
        assert kind == "registry"
        assert "DOVETAIL_REGISTRY_URI" in reason
        monkeypatch.setenv("DOVETAIL_REGISTRY_URI", "sqlite:///runs/models.db")
        again = dovetail.import_mlflow(source, "dir:runs/folder")
        assert (again.versions_created, again.refused) == (2, [])

    def test_a_version_of_the_same_number_is_refused(self, source: Path) -> None:
        client = dovetail.MlflowClient()
        client.create_registered_model("wine")
        places.registry_store().create_model_version(NewModelVersion("wine", "models:/m-0123456789"))
        report = dovetail.import_mlflow(source)
        assert ("model_version", "wine/1") in [(each.kind, each.id) for each in report.refused]
        assert client.get_model_version("wine", 1).source == "models:/m-0123456789"

    def test_numbers_are_kept_although_an_import_was_broken_off(self, source: Path) -> None:
        dovetail.import_mlflow(source)
        client = dovetail.MlflowClient()
        kept = {each.version: each for each in client.search_model_versions("name = 'wine'")}
        # As it stands when the import is killed while it uses up the number of the version that was deleted.
        client.delete_registered_model("wine")
        client.create_registered_model("wine")
        for number in (1, 3):
            old = kept[number]
            places.registry_store().create_model_version(
                NewModelVersion("wine", old.source, old.run_id, creation_timestamp=old.creation_timestamp)
            )
        report = dovetail.import_mlflow(source)
        assert not report.refused
        assert {each.version for each in client.search_model_versions("name = 'wine'")} == {1, 3}


class TestWhatIsNotMlflows:
    def test_a_database_of_ours(self) -> None:
        dovetail.create_experiment("ours")
        with pytest.raises(ForeignLayout, match="it has no table") as raised:
            dovetail.import_mlflow("runs/ours.db", "memory://there")
        assert "dovetail sync" in str(raised.value.hint)

    def test_a_file_that_is_no_database(self) -> None:
        Path("notes.db").write_text("hello", encoding="utf-8")
        with pytest.raises(ForeignLayout, match="neither a directory nor a SQLite database"):
            dovetail.import_mlflow("notes.db")

    def test_a_damaged_database(self, database: Path) -> None:
        database.write_bytes(database.read_bytes()[:4096] + b"\1" * 40_000)
        with pytest.raises((ForeignLayout, NotFound), match=r"mlflow\.db"):
            dovetail.import_mlflow(database)
        assert dovetail.search_runs().empty

    def test_a_release_that_is_not_known(self, database: Path) -> None:
        with closing(sqlite3.connect(database)) as connection:
            connection.execute("ALTER TABLE runs RENAME COLUMN end_time TO ended_at")
        with pytest.raises(ForeignLayout, match=r"schema \w+.*'runs' has no column 'end_time'"):
            dovetail.import_mlflow(database)

    def test_a_folder_without_experiments(self) -> None:
        Path("other").mkdir()
        with pytest.raises(ForeignLayout, match="holds no experiments") as raised:
            dovetail.import_mlflow("other")
        assert "./mlruns" in str(raised.value.hint)

    def test_the_folder_around_it(self, source: Path) -> None:
        with pytest.raises(ForeignLayout) as raised:
            dovetail.import_mlflow(source.parent)
        assert str(source) in str(raised.value.hint)

    def test_nothing_at_all_and_places_that_are_no_files(self) -> None:
        with pytest.raises(NotFound, match="nothing at"):
            dovetail.import_mlflow("mlruns")
        with pytest.raises(InvalidInput, match="neither a directory nor"):
            dovetail.import_mlflow("postgresql://ann:secret@host/runs")

    def test_an_experiment_that_is_not_there(self, source: Path) -> None:
        with pytest.raises(NotFound, match=r"'beer'(.|\n)*restore it there first"):
            dovetail.import_mlflow(source, experiments=["wine", "beer"])
        assert [each.name for each in dovetail.search_experiments()] == ["Default"]


class TestWhatCannotBeRead:
    def test_a_broken_run_is_noted_and_the_others_come(self, directory: Path) -> None:
        (broken,) = [each.parent for each in directory.glob("*/*/meta.yaml") if "run_name: broken" in each.read_text()]
        (broken / "meta.yaml").write_text("{:", encoding="utf-8")
        report = dovetail.import_mlflow(directory)
        assert [(each.kind, each.id) for each in report.refused] == [("run", broken.name)]
        assert report.runs_created == 3

    def test_a_line_that_is_no_point_is_noted(self, directory: Path) -> None:
        (metric,) = directory.glob("*/*/metrics/val/acc")
        metric.write_text("yesterday 0.5 1\n", encoding="utf-8")
        (refused,) = dovetail.import_mlflow(directory).refused
        assert refused.kind == "metric"
        assert "no point of a metric" in refused.reason
        assert set(named("first").data.metrics) == {"loss", "f1"}

    def test_a_param_that_is_too_long_is_noted_and_the_rest_comes(self, directory: Path) -> None:
        (param,) = directory.glob("*/*/params/deep/er")
        param.write_text("x" * 7000, encoding="utf-8")
        (refused,) = dovetail.import_mlflow(directory).refused
        assert refused.kind == "param"
        assert named("first").data.params == {"lr": "0.1"}

    def test_what_lies_in_the_log_beside_a_database_is_read_and_stays_there(self, database: Path) -> None:
        with closing(sqlite3.connect(database)) as connection:
            connection.execute("PRAGMA journal_mode = wal")
            connection.execute("PRAGMA wal_autocheckpoint = 0")
            connection.execute("UPDATE runs SET name = 'renamed' WHERE name = 'broken'")
            connection.commit()
            before = digest(database)
            dovetail.import_mlflow(database)
            assert digest(database) == before
        assert named("broken").info.status == "FAILED"
