"""The client: every call names its run or experiment, and does no more than it says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import dovetail as mlflow
from dovetail.errors import AlreadyExists, InvalidInput, InvalidName, NotFound, RunEnded

if TYPE_CHECKING:
    from dovetail.tracking.store import TrackingStore


@pytest.fixture
def client(store: TrackingStore) -> mlflow.Client:
    return mlflow.Client()


@pytest.fixture
def run_id(client: mlflow.Client) -> str:
    return client.create_run("0", run_name="mine").info.run_id


class TestRuns:
    def test_a_run_is_made_without_becoming_active(self, client: mlflow.Client) -> None:
        run = client.create_run("0")
        assert mlflow.active_run() is None
        assert run.info.status == "RUNNING"
        assert run.info.run_name == run.data.tags["mlflow.runName"]
        assert run.info.user_id

    def test_everything_may_be_given(self, client: mlflow.Client) -> None:
        run = client.create_run("0", 5, {"a": 1, "mlflow.user": "ada"}, "named", "my-own-id")
        assert (run.info.run_id, run.info.start_time, run.info.run_name) == ("my-own-id", 5, "named")
        assert (run.data.tags["a"], run.info.user_id) == ("1", "ada")
        with pytest.raises(AlreadyExists):
            client.create_run("0", run_id="my-own-id")

    @pytest.mark.parametrize(
        "wrong",
        [{"start_time": "now"}, {"start_time": -1}, {"run_id": "a/b"}, {"tags": "a"}, {"tags": {"": 1}}],
        ids=str,
    )
    def test_what_is_wrong_makes_none(self, client: mlflow.Client, wrong: dict[str, Any]) -> None:
        with pytest.raises(InvalidInput):
            client.create_run("0", **wrong)
        assert client.search_runs("0") == []

    def test_status_and_name_change(self, client: mlflow.Client, run_id: str) -> None:
        client.update_run(run_id, "FAILED", "renamed")
        run = client.get_run(run_id)
        assert (run.info.status, run.info.run_name) == ("FAILED", "renamed")
        assert run.info.end_time is not None
        assert run.data.tags["mlflow.runName"] == "renamed"
        client.update_run(run_id, status="running")
        assert client.get_run(run_id).info.end_time is None

    @pytest.mark.parametrize("wrong", [{"status": "DONE"}, {"status": ""}, {"name": "a\0b"}], ids=str)
    def test_what_they_cannot_become_is_refused(
        self, client: mlflow.Client, run_id: str, wrong: dict[str, Any]
    ) -> None:
        before = client.get_run(run_id)
        with pytest.raises(InvalidInput):
            client.update_run(run_id, **wrong)
        assert client.get_run(run_id) == before

    def test_a_run_is_ended_at_a_time(self, client: mlflow.Client, run_id: str) -> None:
        client.set_terminated(run_id, end_time=10**13)
        assert (client.get_run(run_id).info.status, client.get_run(run_id).info.end_time) == ("FINISHED", 10**13)
        client.set_terminated(run_id, "KILLED")
        assert client.get_run(run_id).info.status == "KILLED"

    @pytest.mark.parametrize(
        "wrong", [{"status": "RUNNING"}, {"status": ""}, {"end_time": -1}, {"end_time": "x"}], ids=str
    )
    def test_but_not_anyhow(self, client: mlflow.Client, run_id: str, wrong: dict[str, Any]) -> None:
        with pytest.raises(InvalidInput):
            client.set_terminated(run_id, **wrong)
        assert client.get_run(run_id).info.status == "RUNNING"

    def test_a_deleted_run_takes_no_change(self, client: mlflow.Client, run_id: str) -> None:
        client.delete_run(run_id)
        client.delete_run(run_id)
        for change in (
            lambda: client.set_terminated(run_id),
            lambda: client.update_run(run_id, name="x"),
            lambda: client.set_tag(run_id, "a", "b"),
            lambda: client.log_metric(run_id, "a", 1),
        ):
            with pytest.raises(RunEnded):
                change()
        client.restore_run(run_id)
        client.set_tag(run_id, "a", "b")

    def test_parents(self, client: mlflow.Client, run_id: str) -> None:
        child = client.create_run("0", tags={"mlflow.parentRunId": run_id}).info.run_id
        parent = client.get_parent_run(child)
        assert parent is not None
        assert parent.info.run_id == run_id
        assert client.get_parent_run(run_id) is None


class TestLogging:
    def test_one_by_one_and_together(self, client: mlflow.Client, run_id: str) -> None:
        client.log_metric(run_id, "loss", 0.5, timestamp=7, step=1)
        assert client.log_param(run_id, "lr", 0.1) == 0.1
        client.set_tag(run_id, "team", "wine")
        client.log_params(run_id, {"a": 1})
        client.log_batch(run_id, [mlflow.Metric("acc", 1)], [mlflow.Param("b", "2")], [mlflow.Tag("c", "3")])
        client.log_batch(run_id)
        data = client.get_run(run_id).data
        assert data.metrics == {"loss": 0.5, "acc": 1.0}
        assert data.params == {"lr": "0.1", "a": "1", "b": "2"}
        assert (data.tags["team"], data.tags["c"]) == ("wine", "3")
        [point] = client.get_metric_history(run_id, "loss")
        assert (point.timestamp, point.step) == (7, 1)

    def test_a_metric_may_name_a_dataset_that_is_no_input(self, client: mlflow.Client, run_id: str) -> None:
        model_id = client.create_logged_model("0").model_id
        client.log_metric(run_id, "acc", 0.5, dataset_name="wine", dataset_digest="1", model_id=model_id)
        client.log_metric(run_id, "loss", 1.5, dataset_name="wine", dataset_digest="2")
        run, (point,) = client.get_run(run_id), client.get_logged_model(model_id).metrics
        assert (run.data.metrics, run.inputs.dataset_inputs) == ({"acc": 0.5, "loss": 1.5}, ())
        assert (point.dataset_name, point.dataset_digest) == ("wine", "1")
        with pytest.raises(InvalidInput, match="by half"):
            client.log_metric(run_id, "acc", 0.5, dataset_name="wine")

    def test_histories_of_what_was_never_logged_are_empty(self, client: mlflow.Client, run_id: str) -> None:
        assert client.get_metric_history(run_id, "loss") == []
        assert client.get_metric_history("f" * 32, "loss") == []

    @pytest.mark.parametrize("wrong", [{"metrics": [1]}, {"params": {"a": 1}}, {"tags": mlflow.Tag("a", "b")}], ids=str)
    def test_a_batch_holds_values_of_its_kinds(self, client: mlflow.Client, run_id: str, wrong: dict[str, Any]) -> None:
        with pytest.raises(InvalidInput, match="batch"):
            client.log_batch(run_id, **wrong)

    def test_tags_are_removed(self, client: mlflow.Client, run_id: str) -> None:
        client.set_tag(run_id, "a", "b")
        client.delete_tag(run_id, "a")
        with pytest.raises(NotFound):
            client.delete_tag(run_id, "a")

    @pytest.mark.parametrize(("unknown", "error"), [("f" * 32, NotFound), ("", InvalidName), (None, InvalidName)])
    def test_no_run_no_logging(self, client: mlflow.Client, unknown: Any, error: type[Exception]) -> None:
        for log in (
            lambda: client.log_metric(unknown, "a", 1),
            lambda: client.log_param(unknown, "a", 1),
            lambda: client.set_tag(unknown, "a", 1),
            lambda: client.delete_tag(unknown, "a"),
            lambda: client.set_terminated(unknown),
            lambda: client.update_run(unknown, name="x"),
            lambda: client.list_artifacts(unknown),
            lambda: client.log_text(unknown, "a", "a.txt"),
            lambda: client.get_parent_run(unknown),
        ):
            with pytest.raises(error):
                log()


class TestExperiments:
    def test_renaming_tagging_binning(self, client: mlflow.Client) -> None:
        wine = client.create_experiment("wine", tags={"a": 1})
        client.rename_experiment(wine, "more wine")
        client.set_experiment_tag(wine, "b", 2)
        client.delete_experiment_tag(wine, "a")
        found = client.get_experiment_by_name("more wine")
        assert found is not None
        assert (found.experiment_id, found.tags) == (wine, {"b": "2"})
        client.delete_experiment(wine)
        client.restore_experiment(int(wine))  # type: ignore[arg-type]

    def test_names_are_checked(self, client: mlflow.Client) -> None:
        with pytest.raises(AlreadyExists):
            client.rename_experiment(client.create_experiment("wine"), "Default")
        for name in ("", 5, None):
            with pytest.raises(InvalidName):
                client.create_experiment(name)  # type: ignore[arg-type]

    def test_names_that_nothing_can_have_are_asked_for(self, client: mlflow.Client) -> None:
        for name in ("", "x" * 501):
            assert client.get_experiment_by_name(name) is None
        for name in ("\ud800", "a\0", None):
            with pytest.raises(InvalidInput, match="experiment name"):
                client.get_experiment_by_name(name)  # type: ignore[arg-type]
        with pytest.raises(InvalidInput, match="experiment name"):
            mlflow.move_runs([], "\ud800")

    def test_pages(self, client: mlflow.Client) -> None:
        for number in range(3):
            client.create_experiment(f"number {number}")
        page = client.search_experiments(max_results=3)
        rest = client.search_experiments(max_results=3, page_token=page.token)
        assert [each.name for each in page] + [each.name for each in rest] == [
            "number 2", "number 1", "number 0", "Default"
        ]  # fmt: skip
        assert [each.name for each in client.search_experiments(filter_string="name = 'Default'")] == ["Default"]
