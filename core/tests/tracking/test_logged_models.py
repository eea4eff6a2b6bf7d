"""Making, changing and finding logged models."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

import dovetail as mlflow
from dovetail.entities import LoggedModelStatus
from dovetail.errors import InvalidFilter, InvalidInput, InvalidName, NotFound, ParamConflict
from dovetail.values import Dataset

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dovetail.tracking.store import TrackingStore

pytestmark = pytest.mark.usefixtures("store")

UNKNOWN = "m-" + "0" * 32


@pytest.fixture
def run() -> Iterator[mlflow.ActiveRun]:
    with mlflow.start_run() as run:
        yield run


class TestMaking:
    def test_a_model_is_pending_until_it_is_finalized(self) -> None:
        model = mlflow.initialize_logged_model("tree", tags={"team": 5}, params={"depth": 3}, model_type="classifier")
        assert (model.name, model.status, model.model_type) == ("tree", LoggedModelStatus.PENDING, "classifier")
        assert (model.params, model.tags["team"], model.tags["mlflow.source.type"]) == ({"depth": "3"}, "5", "LOCAL")
        assert model.source_run_id is None
        assert mlflow.finalize_logged_model(model.model_id, "READY").status == "READY"
        assert mlflow.finalize_logged_model(model.model_id, LoggedModelStatus.FAILED).status == "FAILED"
        assert mlflow.get_logged_model(model.model_id).status is LoggedModelStatus.FAILED

    def test_one_that_nobody_named_has_a_name(self) -> None:
        first, second = mlflow.initialize_logged_model(), mlflow.create_external_model()
        assert first.name.count("-") == second.name.count("-") == 2

    def test_it_belongs_to_the_active_run_and_its_experiment(self) -> None:
        experiment_id = mlflow.create_experiment("wine")
        with mlflow.start_run(experiment_id=experiment_id) as run:
            model = mlflow.initialize_logged_model("tree")
            other = mlflow.initialize_logged_model("tree", source_run_id="abc", experiment_id="0")
        assert (model.source_run_id, model.experiment_id) == (run.info.run_id, experiment_id)
        assert (other.source_run_id, other.experiment_id) == ("abc", "0")

    def test_without_a_run_it_goes_into_the_experiment_in_force(self) -> None:
        experiment = mlflow.set_experiment("wine")
        assert mlflow.initialize_logged_model().experiment_id == experiment.experiment_id

    def test_it_goes_where_the_run_is_tracked(self, store: TrackingStore, run: mlflow.Run) -> None:
        mlflow.set_tracking_uri("memory://elsewhere")
        model = mlflow.initialize_logged_model("tree")
        mlflow.set_logged_model_tags(model.model_id, {"a": "1"})
        assert store.get_logged_model(model.model_id).tags["a"] == "1"
        assert mlflow.last_logged_model() == store.get_logged_model(model.model_id)

    def test_an_external_one_is_ready_at_once(self) -> None:
        model = mlflow.create_external_model("gpt", params={"a": "b"}, tags={"mlflow.user": "me"})
        assert (model.status, model.tags["mlflow.model.isExternal"], model.tags["mlflow.user"]) == (
            "READY",
            "true",
            "me",
        )

    def test_the_last_one_is_remembered(self, run: mlflow.Run) -> None:
        mlflow.initialize_logged_model("a")
        model = mlflow.create_external_model("b")
        mlflow.set_logged_model_tags(model.model_id, {"now": "set"})
        last = mlflow.last_logged_model()
        assert last is not None
        assert (last.model_id, last.tags["now"]) == (model.model_id, "set")

    @pytest.mark.parametrize("name", ["a/b", "a:b", "a.b", "50%", 'a"', "it's", "", " ", "x" * 257])
    def test_names_that_no_uri_can_hold_are_refused(self, name: str) -> None:
        with pytest.raises(InvalidName, match="name"):
            mlflow.initialize_logged_model(name)
        assert mlflow.search_logged_models(output_format="list") == []

    def test_an_unknown_status_is_refused(self) -> None:
        model = mlflow.initialize_logged_model()
        with pytest.raises(InvalidInput, match="READY"):
            mlflow.finalize_logged_model(model.model_id, "DONE")


class TestChanging:
    def test_tags_are_set_and_removed(self) -> None:
        model_id = mlflow.create_external_model(tags={"a": "1"}).model_id
        mlflow.set_logged_model_tags(model_id, {"a": 2, "b": None})
        mlflow.delete_logged_model_tag(model_id, "a")
        tags = mlflow.get_logged_model(model_id).tags
        assert ("a" in tags, tags["b"]) == (False, "None")
        with pytest.raises(NotFound):
            mlflow.delete_logged_model_tag(model_id, "a")

    def test_params_are_added_once(self) -> None:
        model_id = mlflow.create_external_model(params={"a": 1}).model_id
        mlflow.log_model_params({"a": 1, "b": 2.5}, model_id)
        assert mlflow.get_logged_model(model_id).params == {"a": "1", "b": "2.5"}
        with pytest.raises(ParamConflict):
            mlflow.log_model_params({"c": 1, "b": 3}, model_id)
        assert mlflow.get_logged_model(model_id).params == {"a": "1", "b": "2.5"}

    def test_what_is_unknown_is_not_found(self) -> None:
        for bad, kind in ((UNKNOWN, NotFound), ("tree", InvalidName)):
            for call in (
                lambda bad=bad: mlflow.get_logged_model(bad),
                lambda bad=bad: mlflow.finalize_logged_model(bad, "READY"),
                lambda bad=bad: mlflow.set_logged_model_tags(bad, {"a": "1"}),
                lambda bad=bad: mlflow.log_model_params({"a": "1"}, bad),
                lambda bad=bad: mlflow.Client().delete_logged_model(bad),
            ):
                with pytest.raises(kind):
                    call()

    def test_a_deleted_one_is_gone(self) -> None:
        model_id = mlflow.create_external_model().model_id
        mlflow.Client().delete_logged_model(model_id)
        with pytest.raises(NotFound):
            mlflow.get_logged_model(model_id)
        assert mlflow.search_logged_models(output_format="list") == []

    def test_its_files_are_put_and_listed(self, tmp_path: Path) -> None:
        client = mlflow.Client()
        experiment_id = mlflow.create_experiment("files", f"kept://{tmp_path.name}")
        model_id = client.create_logged_model(experiment_id, "tree").model_id
        (tmp_path / "sub").mkdir()
        (tmp_path / "sub" / "weights").write_text("1")
        client.log_model_artifact(model_id, str(tmp_path / "sub" / "weights"), "epoch")
        client.log_model_artifacts(model_id, str(tmp_path))
        assert [each.path for each in client.list_logged_model_artifacts(model_id)] == ["epoch", "sub"]
        assert [each.path for each in client.list_logged_model_artifacts(model_id, "sub")] == ["sub/weights"]
        with pytest.raises(NotFound):
            client.log_model_artifact(model_id, tmp_path / "nothing")
        with pytest.raises(NotFound):
            client.list_logged_model_artifacts(UNKNOWN)


class TestSearching:
    @pytest.fixture(autouse=True)
    def models(self, store: TrackingStore) -> None:
        with mlflow.start_run():
            for name, value in (("a", 0.7), ("b", 0.9), ("c", 0.8)):
                model = mlflow.create_external_model(name, params={"kind": name})
                mlflow.log_metric(
                    "acc", value, model_id=model.model_id, dataset=Dataset(f"on {name}", "1", "local", "{}")
                )

    def test_the_best_comes_first(self) -> None:
        order: list[dict[str, Any]] = [{"field_name": "metrics.acc", "ascending": False}]
        found = mlflow.search_logged_models(order_by=order, output_format="list")
        assert [(model.name, model.metrics[0].value) for model in found] == [("b", 0.9), ("c", 0.8), ("a", 0.7)]
        assert len(mlflow.search_logged_models(order_by=order, max_results=2, output_format="list")) == 2

    def test_filters_and_datasets_narrow_it(self) -> None:
        def names(**asked: Any) -> list[str]:
            return sorted(model.name for model in mlflow.search_logged_models(output_format="list", **asked))

        assert names(filter_string="metrics.acc > 0.75") == ["b", "c"]
        assert names(filter_string="metrics.acc > 0.75", datasets=[{"dataset_name": "on c"}]) == ["c"]
        assert names(filter_string="params.kind = 'a' OR name = 'b'") == ["a", "b"]
        assert names(experiment_ids=["0"]) == names(experiment_ids="0") == ["a", "b", "c"]
        assert names(experiment_ids=[mlflow.create_experiment("empty")]) == []

    def test_a_page_leads_to_the_next(self) -> None:
        client = mlflow.Client()
        page = client.search_logged_models(["0"], max_results=2)
        rest = client.search_logged_models(["0"], max_results=2, page_token=page.token)
        assert sorted(model.name for model in [*page, *rest]) == ["a", "b", "c"]
        assert rest.token is None

    def test_a_table_has_the_columns_that_mlflow_gives(self) -> None:
        pytest.importorskip("pandas")
        frame = mlflow.search_logged_models(order_by=[{"field_name": "name"}])
        assert list(frame.columns) == [
            "artifact_location",
            "creation_timestamp",
            "experiment_id",
            "last_updated_timestamp",
            "metrics",
            "model_id",
            "model_type",
            "name",
            "params",
            "source_run_id",
            "status",
            "status_message",
            "tags",
        ]
        assert (list(frame["name"]), list(frame["status"])) == (["a", "b", "c"], ["READY"] * 3)
        assert frame["metrics"][0][0].value == 0.7
        assert list(mlflow.search_logged_models(filter_string="name = 'z'").columns) == list(frame.columns)

    def test_what_cannot_be_read_is_refused(self) -> None:
        for asked in (
            {"filter_string": "metrics.acc >"},
            {"order_by": [{"field": "acc"}]},
            {"order_by": [{"field_name": "acc"}]},
            {"datasets": [{"name": "wine"}]},
        ):
            with pytest.raises(InvalidFilter):
                mlflow.search_logged_models(output_format="list", **asked)  # type: ignore[arg-type]
        for asked in ({"output_format": "json"}, {"output_format": "list", "max_results": 0}):
            with pytest.raises(InvalidInput):
                mlflow.search_logged_models(**asked)  # type: ignore[arg-type]


class TestActiveModel:
    def test_metrics_are_about_it(self, run: mlflow.Run) -> None:
        active = mlflow.set_active_model(name="tree")
        assert mlflow.get_active_model_id() == active.model_id
        assert (active.name, active.status) == ("tree", "READY")
        mlflow.log_metric("acc", 0.9)
        mlflow.log_metrics({"loss": 0.1})
        mlflow.log_model_params({"depth": 3})
        model = mlflow.get_logged_model(active.model_id)
        assert ([point.key for point in model.metrics], model.params) == (["acc", "loss"], {"depth": "3"})
        other = mlflow.create_external_model("bush").model_id
        mlflow.log_metric("acc", 0.8, model_id=other)
        assert len(mlflow.get_logged_model(other).metrics) == 1
        mlflow.clear_active_model()
        mlflow.log_metric("acc", 0.7)
        assert len(mlflow.get_logged_model(active.model_id).metrics) == 2
        with pytest.raises(InvalidInput, match="no model is active"):
            mlflow.log_model_params({"a": "b"})

    def test_a_name_finds_the_newest_of_that_name(self) -> None:
        model = mlflow.create_external_model("tree")
        assert mlflow.set_active_model(name="tree").model_id == model.model_id
        newer = mlflow.create_external_model("tree")
        client = mlflow.Client()
        if newer.creation_timestamp == model.creation_timestamp:
            client.delete_logged_model(model.model_id)
            assert mlflow.set_active_model(name="tree").model_id == newer.model_id
        else:
            with pytest.warns(UserWarning, match="the newest is taken"):
                assert mlflow.set_active_model(name="tree").model_id == newer.model_id

    def test_blocks_go_back_to_the_one_before(self) -> None:
        outer = mlflow.set_active_model(name="outer")
        with mlflow.set_active_model(name="inner") as inner:
            with pytest.raises(KeyError), mlflow.set_active_model(name="innermost"):
                raise KeyError
            assert mlflow.get_active_model_id() == inner.model_id
        assert isinstance(inner, mlflow.ActiveModel)
        assert mlflow.get_active_model_id() == outer.model_id
        assert "_before" not in inner.to_dictionary()

    def test_each_thread_has_its_own(self) -> None:
        mlflow.set_active_model(name="tree")
        seen: list[str | None] = []
        thread = threading.Thread(target=lambda: seen.append(mlflow.get_active_model_id()))
        thread.start()
        thread.join()
        assert seen == [None]

    def test_what_names_no_model_is_refused(self) -> None:
        model = mlflow.create_external_model("tree")
        with pytest.raises(InvalidInput, match="a name or a model_id"):
            mlflow.set_active_model()
        with pytest.raises(InvalidInput, match="is named 'tree', not 'bush'"):
            mlflow.set_active_model(name="bush", model_id=model.model_id)
        with pytest.raises(NotFound):
            mlflow.set_active_model(model_id=UNKNOWN)
        with pytest.raises(InvalidName):
            mlflow.set_active_model(name="it's")
        assert mlflow.get_active_model_id() is None


class TestCheckpoints:
    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        experiment = mlflow.create_experiment("training", f"kept://{tmp_path.name}")
        mlflow.set_experiment(experiment_id=experiment)
        folder = tmp_path / "checkpoints"
        (folder / "epoch-2").mkdir(parents=True)
        (folder / "epoch-2" / "weights").write_text("2")
        (folder / "epoch=1.5.ckpt").write_text("1")
        (folder / ".hidden").write_text("")
        return folder

    def test_each_becomes_a_model_with_its_files(self, folder: Path) -> None:
        with mlflow.start_run() as run:
            models = mlflow.import_checkpoints(folder, model_prefix="wine/")
        assert [model.name for model in models] == ["wine_epoch-2", "wine_epoch=1_5"]
        assert {(model.status, model.source_run_id) for model in models} == {("READY", run.info.run_id)}
        client = mlflow.Client()
        files = [client.list_logged_model_artifacts(model.model_id)[0].path for model in models]
        assert files == ["weights", "epoch=1.5.ckpt"]
        outputs = mlflow.get_run(run.info.run_id).outputs.model_outputs
        assert [each.model_id for each in outputs] == [model.model_id for model in models]

    def test_those_that_were_imported_stay_unless_they_shall_not(self, folder: Path) -> None:
        first = mlflow.import_checkpoints(str(folder))
        (folder / "last").write_text("3")
        again = mlflow.import_checkpoints(str(folder))
        assert [model.model_id for model in again[:2]] == [model.model_id for model in first]
        anew = mlflow.import_checkpoints(str(folder), overwrite_checkpoints=True)
        ids = {model.model_id for model in anew}
        assert len(ids) == 3
        assert ids.isdisjoint(model.model_id for model in again)
        assert {model.model_id for model in mlflow.search_logged_models(output_format="list")} == ids

    def test_what_is_no_folder_of_checkpoints_is_refused(self, folder: Path, tmp_path: Path) -> None:
        (tmp_path / "empty").mkdir()
        with pytest.raises(InvalidInput, match="no checkpoints"):
            mlflow.import_checkpoints(tmp_path / "empty")
        with pytest.raises(InvalidInput, match="is a file"):
            mlflow.import_checkpoints(folder / "epoch=1.5.ckpt")
        with pytest.raises(NotFound):
            mlflow.import_checkpoints(folder / "nothing")
        assert mlflow.search_logged_models(output_format="list") == []
