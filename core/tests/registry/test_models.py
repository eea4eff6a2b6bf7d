"""The fluent verbs, by what scripts written for MLflow do with them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import dovetail as mlflow
from dovetail.errors import InvalidInput, NotFound
from dovetail.values import NewLoggedModel

if TYPE_CHECKING:
    from collections.abc import Callable


class TestRegistering:
    def test_the_best_run_is_put_into_production(self, client: mlflow.Client, logged: Callable[..., str]) -> None:
        version = mlflow.register_model(logged(), "loan_model")
        moved = mlflow.MlflowClient().transition_model_version_stage(
            name="loan_model", version=version.version, stage="Production"
        )
        assert (moved.version, moved.current_stage) == (1, "Production")
        assert mlflow.artifacts.load_text("models:/loan_model/Production/data/weights.txt") == "weights"

    def test_makes_the_name_once(self, client: mlflow.Client, logged: Callable[..., str]) -> None:
        uri = logged()
        assert [mlflow.register_model(uri, "wine", tags={"a": 1}).version for _ in range(3)] == [1, 2, 3]
        assert client.get_model_version("wine", 1).tags == {"a": "1"}

    def test_with_what_people_are_told_of_it(self, client: mlflow.Client, logged: Callable[..., str]) -> None:
        made = mlflow.register_model(logged(), "wine", description="reds", run_link="https://ci.example.org/42")
        assert client.get_model_version("wine", 1) == made
        assert (made.description, made.run_link) == ("reds", "https://ci.example.org/42")
        with pytest.raises(InvalidInput, match="5000"):
            mlflow.register_model(logged(), "wine", description="x" * 5001)
        assert len(client.search_model_versions()) == 1

    def test_of_many_who_make_a_name_all_succeed(self, client: mlflow.Client, logged: Callable[..., str]) -> None:
        uri = logged()
        with ThreadPoolExecutor(8) as pool:
            versions = list(pool.map(lambda _: mlflow.register_model(uri, "wine").version, range(16)))
        assert sorted(versions) == list(range(1, 17))

    def test_a_folder(self, client: mlflow.Client) -> None:
        Path("saved").mkdir()
        Path("saved/MLmodel").write_text("flavors: {}")
        assert mlflow.register_model("saved", "wine").source == Path("saved").absolute().as_uri()
        assert mlflow.register_model(Path("saved"), "wine").version == 2
        assert mlflow.artifacts.load_text("models:/wine/1/MLmodel") == "flavors: {}"

    def test_another_version_and_a_logged_model(self, client: mlflow.Client, logged: Callable[..., str]) -> None:
        uri = logged()
        mlflow.register_model(uri, "wine")
        assert mlflow.register_model("models:/wine/1", "beer").source == uri
        experiment = client.get_experiment_by_name("wine")
        assert experiment is not None
        model = client.store.create_logged_model(NewLoggedModel(experiment.experiment_id))
        with pytest.raises(NotFound, match="no MLmodel"):
            mlflow.register_model(model.model_uri, "beer")
        folder = Path(model.artifact_location.removeprefix("file://"))
        folder.mkdir(parents=True)
        (folder / "MLmodel").write_text("flavors: {}")
        assert mlflow.register_model(model.model_uri, "beer").model_id == model.model_id
        assert mlflow.artifacts.load_text(f"{'models:/beer/latest'}/MLmodel") == "flavors: {}"

    def test_places_that_cannot_be_seen_from_here_are_taken(self, client: mlflow.Client) -> None:
        assert mlflow.register_model("s3://bucket/model", "wine").source == "s3://bucket/model"

    @pytest.mark.parametrize(
        "uri",
        ["nothing", f"runs:/{'0' * 32}/model", "models:/other/1", "models:/m-unknown", "models:/wine/Staging", "."],
    )
    def test_of_what_is_not_there_registers_nothing(self, uri: str, client: mlflow.Client) -> None:
        with pytest.raises(NotFound):
            mlflow.register_model(uri, "wine")
        assert mlflow.search_registered_models() == []

    def test_of_files_that_are_no_model(self, client: mlflow.Client, logged: Callable[..., str]) -> None:
        uri = logged()
        for wrong in (f"{uri}/data", f"{uri}/nothing", uri.rpartition("/")[0]):
            with pytest.raises(NotFound, match="has no MLmodel"):
                mlflow.register_model(wrong, "wine")
        assert mlflow.search_registered_models() == []

    @pytest.mark.parametrize("name", ["", "a/b", "a:b", None])
    def test_under_a_wrong_name(self, name: Any, client: mlflow.Client, logged: Callable[..., str]) -> None:
        with pytest.raises(InvalidInput):
            mlflow.register_model(logged(), name)

    @pytest.mark.parametrize("uri", ["", None, "models:/a", "models://a/1", "runs:/", "models:/a/1/../x"])
    def test_of_what_is_no_location(self, uri: Any, client: mlflow.Client) -> None:
        with pytest.raises(InvalidInput):
            mlflow.register_model(uri, "wine")
        assert mlflow.search_registered_models() == []


class TestSearching:
    def test_gives_all_of_them(self, wine: mlflow.Client) -> None:
        wine.create_registered_model("beer")
        assert [each.name for each in mlflow.search_registered_models()] == ["beer", "wine"]
        assert [each.name for each in mlflow.search_registered_models(1)] == ["beer"]
        assert [each.name for each in mlflow.search_registered_models(filter_string="name = 'wine'")] == ["wine"]
        assert len(mlflow.search_model_versions()) == 3
        found = mlflow.search_model_versions(2, "name = 'wine'", ["version_number DESC"])
        assert [each.version for each in found] == [3, 2]

    def test_sets_a_tag(self, wine: mlflow.Client) -> None:
        mlflow.set_model_version_tag("wine", "1", "checked", True)
        assert wine.get_model_version("wine", 1).tags == {"checked": "True"}


class TestReading:
    @pytest.fixture
    def uri(self, client: mlflow.Client, logged: Callable[..., str]) -> str:
        mlflow.register_model(logged(), "wine")
        return "models:/wine/1"

    def test_lists_and_fetches_below_the_model(self, uri: str, tmp_path: Path) -> None:
        assert [each.path for each in mlflow.artifacts.list_artifacts(uri)] == ["MLmodel", "data"]
        assert [each.path for each in mlflow.artifacts.list_artifacts(f"{uri}/data")] == ["data/weights.txt"]
        mlflow.artifacts.download_artifacts(uri, dst_path=tmp_path / "out")
        assert (tmp_path / "out" / "data" / "weights.txt").read_text() == "weights"

    def test_a_path_cannot_lead_out(self, uri: str) -> None:
        for path in ("../MLmodel", "data/../../x", "%2e%2e/x", "/etc/passwd/.."):
            with pytest.raises(InvalidInput):
                mlflow.artifacts.load_text(f"{uri}/{path}")

    def test_what_is_not_there_is_not_found(self, uri: str) -> None:
        for missing in ("models:/wine/2", "models:/beer/1", f"{uri}/nothing", "models:/wine/Archived"):
            with pytest.raises(NotFound):
                mlflow.artifacts.load_text(missing)

    def test_where_runs_are_tracked_elsewhere(self, uri: str, client: mlflow.Client) -> None:
        here = client.tracking_uri
        mlflow.set_tracking_uri("memory://far away")
        assert mlflow.artifacts.list_artifacts(uri, tracking_uri=here)
        with pytest.raises(NotFound):
            mlflow.artifacts.list_artifacts(uri)
