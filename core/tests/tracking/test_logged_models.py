"""Making, changing and finding logged models."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

import dovetail as mlflow
from dovetail.entities import LoggedModelStatus
from dovetail.errors import InvalidFilter, InvalidInput, InvalidName, NotFound, ParamConflict
from dovetail.values import Dataset, ViewType

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

    def test_tags_are_a_dict(self) -> None:
        for make in (mlflow.initialize_logged_model, mlflow.create_external_model):
            with pytest.raises(InvalidInput, match="Tags are given as a dict"):
                make("x", tags="abc")  # type: ignore[arg-type]
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

    def test_a_deleted_one_comes_back(self) -> None:
        client = mlflow.Client()
        model_id = mlflow.create_external_model(params={"a": 1}).model_id
        client.delete_logged_model(model_id)
        (binned,) = client.search_logged_models(["0"], view_type=ViewType.DELETED_ONLY)
        assert binned.model_id == model_id
        client.restore_logged_model(model_id)
        assert mlflow.get_logged_model(model_id).params == {"a": "1"}
        assert list(client.search_logged_models(["0"], view_type=ViewType.DELETED_ONLY)) == []
        for bad, kind in ((UNKNOWN, NotFound), ("tree", InvalidName)):
            with pytest.raises(kind):
                client.restore_logged_model(bad)

    def test_an_order_is_clauses_as_for_runs(self) -> None:
        for name in ("b", "c", "a"):
            mlflow.create_external_model(name)
        found = mlflow.search_logged_models(order_by=["name DESC"], output_format="list")
        assert [model.name for model in found] == ["c", "b", "a"]

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

    def test_no_experiments_mean_the_one_in_force(self) -> None:
        mlflow.set_experiment("wine")
        mlflow.initialize_logged_model("d")
        for nowhere in ([], (), None):
            (found,) = mlflow.search_logged_models(experiment_ids=nowhere, output_format="list")
            assert found.name == "d"

    def test_where_to_look_is_a_list_or_one_id(self) -> None:
        with pytest.raises(InvalidInput, match="ids of experiments are given as a list"):
            mlflow.Client().search_logged_models(None)  # type: ignore[arg-type]
        assert len(mlflow.Client().search_logged_models("0")) == 3

    @pytest.mark.parametrize("name", ["\ud800", "a\0"])
    def test_datasets_that_nothing_can_be_called_are_refused(self, name: str) -> None:
        for asked in (
            {"datasets": [{"dataset_name": name}]},
            {"datasets": [{"dataset_name": "a", "dataset_digest": name}]},
            {"order_by": [{"field_name": "metrics.acc", "dataset_name": name}]},
        ):
            with pytest.raises(InvalidFilter, match="nothing that is stored holds"):
                mlflow.search_logged_models(output_format="list", **asked)  # type: ignore[arg-type]


class TestActiveModel:
    def test_metrics_outlive_it(self, run: mlflow.Run) -> None:
        """Somebody tidies up while a training runs; the training loses nothing but the model."""
        active = mlflow.set_active_model(name="tree")
        mlflow.log_metric("acc", 0.1, step=0)
        mlflow.Client().delete_logged_model(active.model_id)
        with pytest.warns(UserWarning, match=f"The active model {active.model_id} is gone") as warned:
            mlflow.log_metric("acc", 0.2, step=1)
        assert (len(warned), warned[0].filename) == (1, __file__)
        mlflow.log_metrics({"acc": 0.3}, step=2)
        assert mlflow.get_active_model_id() is None
        history = mlflow.Client().get_metric_history(run.info.run_id, "acc")
        assert [point.value for point in history] == [0.1, 0.2, 0.3]

    def test_metrics_outlive_one_that_was_never_measured(self, run: mlflow.Run) -> None:
        active = mlflow.set_active_model(name="tree")
        mlflow.Client().delete_logged_model(active.model_id)
        wine = mlflow.entities.Dataset("wine", "1", "local", "{}")
        with pytest.warns(UserWarning, match="is gone"):
            mlflow.log_metrics({"acc": 0.2, "loss": 1}, dataset=wine)
        found = mlflow.get_run(run.info.run_id)
        assert found.data.metrics == {"acc": 0.2, "loss": 1.0}
        assert [each.dataset for each in found.inputs.dataset_inputs] == [wine]

    def test_a_model_that_is_named_must_be_there(self, run: mlflow.Run) -> None:
        mlflow.set_active_model(name="tree")
        for log in (
            lambda: mlflow.log_metric("acc", 0.1, model_id=UNKNOWN),
            lambda: mlflow.log_metric("acc", 0.1, run_id="f" * 32),
        ):
            with pytest.raises(NotFound):
                log()
        assert mlflow.get_active_model_id() is not None
        assert mlflow.get_run(run.info.run_id).data.metrics == {}

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
