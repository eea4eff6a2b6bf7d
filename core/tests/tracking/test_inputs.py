"""Noting what runs use and make, and metrics about models and datasets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import dovetail as mlflow
from dovetail.entities import LoggedModelInput, LoggedModelOutput
from dovetail.errors import InvalidInput, InvalidName, NotFound, RunEnded
from dovetail.tracking import places
from dovetail.values import Dataset

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dovetail.tracking.store import TrackingStore

pytestmark = pytest.mark.usefixtures("store")

WINE, BEER = Dataset("wine", "1", "local", "{}"), Dataset("beer", "2", "local", "{}")
UNKNOWN = "m-" + "0" * 32


class Table:
    """Data that is turned into what stores keep, and counts how often."""

    name, digest = "table", "t1"

    def __init__(self) -> None:
        self.asked = 0

    def value(self) -> Dataset:
        self.asked += 1
        return Dataset(self.name, self.digest, "code", "{}", schema="[]")


@pytest.fixture
def run() -> Iterator[mlflow.ActiveRun]:
    with mlflow.start_run() as run:
        yield run


@pytest.fixture
def model_id() -> str:
    return mlflow.create_external_model("tree").model_id


def used() -> list[tuple[str, dict[str, str]]]:
    """Names and tags of the datasets of the active run."""
    run = mlflow.active_run()
    assert run is not None
    return [(each.dataset.name, {tag.key: tag.value for tag in each.tags}) for each in run.inputs.dataset_inputs]


def models() -> tuple[list[str], list[tuple[str, int]]]:
    """The models that the active run used, and those it made with their steps."""
    run = mlflow.active_run()
    assert run is not None
    made = [(each.model_id, each.step) for each in run.outputs.model_outputs]
    return [each.model_id for each in run.inputs.model_inputs], made


class TestInputs:
    def test_a_dataset_is_noted_with_its_context_and_tags(self, run: mlflow.Run) -> None:
        mlflow.log_input(WINE, "training", {"team": 5})
        assert used() == [("wine", {"mlflow.data.context": "training", "team": "5"})]
        assert mlflow.get_run(run.info.run_id).inputs.dataset_inputs[0].dataset == WINE

    def test_data_itself_is_turned_into_what_stores_keep(self, run: mlflow.Run) -> None:
        mlflow.log_input(Table(), context="eval")
        assert used() == [("table", {"mlflow.data.context": "eval"})]

    def test_the_same_data_again_is_one_input_with_the_first_tags(self, run: mlflow.Run) -> None:
        mlflow.log_input(WINE, tags={"a": "1"})
        mlflow.log_input(WINE, "training")
        mlflow.log_inputs([BEER, BEER], ["training", "eval"])
        assert used() == [("wine", {"a": "1"}), ("beer", {"mlflow.data.context": "training"})]

    def test_a_model_is_noted(self, run: mlflow.Run, model_id: str) -> None:
        mlflow.log_input(model=LoggedModelInput(model_id))
        mlflow.log_input(WINE, model=LoggedModelInput(model_id))
        assert models() == ([model_id], [])
        assert used() == [("wine", {})]

    def test_several_go_together(self, run: mlflow.Run, model_id: str) -> None:
        mlflow.log_inputs([WINE, BEER], ["training", None], [None, {"a": "1"}], [LoggedModelInput(model_id)])
        assert used() == [("wine", {"mlflow.data.context": "training"}), ("beer", {"a": "1"})]
        assert models() == ([model_id], [])

    def test_contexts_and_tags_may_be_left_out(self, run: mlflow.Run) -> None:
        mlflow.log_inputs([WINE, BEER])
        assert used() == [("wine", {}), ("beer", {})]

    def test_a_run_is_started_where_there_is_none(self) -> None:
        mlflow.log_input(WINE)
        assert used() == [("wine", {})]
        mlflow.end_run()

    def test_nothing_starts_no_run(self) -> None:
        mlflow.log_input()
        mlflow.log_inputs()
        mlflow.log_outputs()
        assert mlflow.active_run() is None

    def test_lists_of_different_lengths_are_refused(self, run: mlflow.Run) -> None:
        with pytest.raises(InvalidInput, match="2 datasets, 1 contexts and 2 tags"):
            mlflow.log_inputs([WINE, BEER], ["training"])
        assert used() == []

    @pytest.mark.parametrize("bad", ["wine", 5, object(), {"name": "wine"}])
    def test_what_is_no_dataset_is_refused(self, run: mlflow.Run, bad: Any) -> None:
        with pytest.raises(InvalidInput, match="is no dataset"):
            mlflow.log_input(bad)
        with pytest.raises(InvalidInput, match="is no dataset"):
            mlflow.log_metric("acc", 1, dataset=bad)

    def test_what_is_no_list_or_dict_is_refused(self, run: mlflow.Run, model_id: str) -> None:
        run_id, model = run.info.run_id, LoggedModelInput(model_id)
        client: Any = mlflow.Client()
        calls: list[Callable[[], Any]] = [
            lambda: mlflow.log_input(WINE, tags=["a"]),  # type: ignore[arg-type]
            lambda: mlflow.log_inputs(WINE),  # type: ignore[arg-type]
            lambda: mlflow.log_inputs([WINE], "t"),
            lambda: mlflow.log_inputs([WINE], tags_list={"a": "b"}),  # type: ignore[arg-type]
            lambda: mlflow.log_inputs(models=model),  # type: ignore[arg-type]
            lambda: mlflow.log_outputs(3),  # type: ignore[arg-type]
            lambda: client.log_inputs(run_id, WINE),
            lambda: client.log_inputs(run_id, [WINE]),
            lambda: client.log_inputs(run_id, [3]),
            lambda: client.log_inputs(run_id, models=[model_id]),
            lambda: client.log_inputs(run_id, models=model),
            lambda: client.log_outputs(run_id, [model_id]),
            lambda: client.log_outputs(run_id, None),
        ]
        for call in calls:
            with pytest.raises(InvalidInput, match=r"given as a|is a (DatasetInput|LoggedModel\w+) value"):
                call()
        assert (used(), models()) == ([], ([], []))

    def test_used_a_second_time_for_something_else_it_stays_as_it_was(self, run: mlflow.Run) -> None:
        mlflow.log_metric("acc", 0.9, dataset=WINE)
        mlflow.log_input(WINE, "training")
        mlflow.log_input(WINE, "eval", {"fold": "3"})
        assert used() == [("wine", {"mlflow.data.context": "training"})]

    @pytest.mark.parametrize("tags", [{"": "x"}, {"a": "x" * 501}, {"k" * 256: "x"}])
    def test_tags_that_cannot_be_kept_are_refused(self, run: mlflow.Run, tags: dict[str, str]) -> None:
        with pytest.raises(InvalidInput):
            mlflow.log_input(WINE, tags=tags)
        assert used() == []

    def test_an_unknown_model_keeps_the_dataset_out(self, run: mlflow.Run) -> None:
        with pytest.raises(NotFound):
            mlflow.log_input(WINE, model=LoggedModelInput(UNKNOWN))
        with pytest.raises(InvalidInput, match="not str"):
            mlflow.log_input(WINE, model=UNKNOWN)  # type: ignore[arg-type]
        assert used() == []

    def test_a_client_names_the_run(self, run: mlflow.Run, model_id: str) -> None:
        client = mlflow.Client()
        other = client.create_run("0").info.run_id
        inputs = mlflow.entities.DatasetInput(WINE, [mlflow.entities.InputTag("a", "b")])  # type: ignore[arg-type]
        client.log_inputs(other, [inputs], [LoggedModelInput(model_id)])
        client.log_outputs(other, models=[LoggedModelOutput(model_id, 3)])
        found = client.get_run(other)
        assert found.inputs.dataset_inputs == (inputs,)
        assert found.to_dictionary()["outputs"] == {"model_outputs": [{"model_id": model_id, "step": 3}]}
        assert (used(), models()) == ([], ([], []))


class TestOutputs:
    def test_checkpoints_are_noted_with_their_steps(self, run: mlflow.Run) -> None:
        made = [mlflow.initialize_logged_model(f"step-{step}").model_id for step in (10, 20)]
        for model_id, step in zip(made, (10, 20), strict=True):
            mlflow.log_outputs([LoggedModelOutput(model_id, step)])
        mlflow.log_outputs([LoggedModelOutput(made[0], 11)])
        assert models() == ([], [(made[0], 11), (made[1], 20)])

    def test_what_is_none_is_refused(self, run: mlflow.Run) -> None:
        with pytest.raises(InvalidInput, match="LoggedModelOutput value, not str"):
            mlflow.log_outputs([UNKNOWN])  # type: ignore[list-item]
        with pytest.raises(NotFound):
            mlflow.log_outputs([LoggedModelOutput(UNKNOWN, 1)])
        assert models() == ([], [])


class TestMetrics:
    def test_are_points_of_the_model_they_name(self, run: mlflow.Run, model_id: str) -> None:
        mlflow.log_metric("acc", 0.9, step=3, timestamp=5, model_id=model_id)
        (point,) = mlflow.get_logged_model(model_id).metrics
        assert (point.key, point.value, point.step, point.timestamp) == ("acc", 0.9, 3, 5)
        assert (point.run_id, point.model_id, point.dataset_name) == (run.info.run_id, model_id, None)
        assert models() == ([model_id], [])
        assert mlflow.get_run(run.info.run_id).data.metrics == {"acc": 0.9}

    def test_note_what_they_were_measured_on(self, run: mlflow.Run, model_id: str) -> None:
        mlflow.log_metric("acc", 0.9, model_id=model_id, dataset=WINE)
        mlflow.log_metrics({"acc": 0.8, "loss": 0.1}, step=1, model_id=model_id, dataset=BEER)
        mlflow.log_metric("acc", 0.7, step=2, dataset=WINE)
        points = mlflow.get_logged_model(model_id).metrics
        on = sorted((point.key, point.dataset_name, point.dataset_digest) for point in points)
        assert on == [("acc", "beer", "2"), ("acc", "wine", "1"), ("loss", "beer", "2")]
        assert used() == [("wine", {}), ("beer", {})]
        assert models() == ([model_id], [])

    def test_keep_the_tags_of_an_input(self, run: mlflow.Run) -> None:
        mlflow.log_input(WINE, "eval")
        mlflow.log_metric("acc", 0.9, dataset=WINE)
        assert used() == [("wine", {"mlflow.data.context": "eval"})]

    def test_turn_data_into_what_stores_keep_once(self, run: mlflow.Run, model_id: str) -> None:
        table = Table()
        for step in range(5):
            mlflow.log_metric("acc", 0.9, step=step, model_id=model_id, dataset=table)
        assert table.asked == 1
        assert len(mlflow.get_logged_model(model_id).metrics) == 5

    def test_may_be_of_another_run(self, model_id: str) -> None:
        other = mlflow.Client().create_run("0").info.run_id
        mlflow.log_metric("acc", 0.9, run_id=other, model_id=model_id, dataset=WINE)
        assert mlflow.active_run() is None
        assert len(mlflow.get_run(other).inputs.dataset_inputs) == 1
        assert mlflow.get_logged_model(model_id).metrics[0].run_id == other

    def test_of_an_unknown_model_are_refused(self, run: mlflow.Run) -> None:
        for kind, bad in ((NotFound, UNKNOWN), (InvalidName, "tree")):
            with pytest.raises(kind):
                mlflow.log_metric("acc", 0.9, model_id=bad, dataset=WINE)
        assert (used(), mlflow.get_run(run.info.run_id).data.metrics) == ([], {})

    def test_that_are_no_numbers_note_nothing(self, run: mlflow.Run, model_id: str) -> None:
        with pytest.raises(InvalidInput):
            mlflow.log_metric("acc", "high", model_id=model_id, dataset=WINE)  # type: ignore[arg-type]
        assert (used(), models()) == ([], ([], []))

    def test_of_a_deleted_run_are_refused(self, run: mlflow.Run, model_id: str) -> None:
        mlflow.delete_run(run.info.run_id)
        with pytest.raises(RunEnded):
            mlflow.log_metric("acc", 0.9, model_id=model_id)

    def test_go_where_the_run_is_tracked(self, store: TrackingStore, run: mlflow.Run, model_id: str) -> None:
        mlflow.set_tracking_uri("memory://elsewhere-of-inputs")
        mlflow.log_metric("acc", 0.9, model_id=model_id, dataset=WINE)
        assert len(store.get_run(run.info.run_id).inputs.dataset_inputs) == 1
        assert list(places.tracking_store().search_runs(["0"])) == []

    def test_a_client_says_all_of_it_by_name(self, run: mlflow.Run, model_id: str) -> None:
        client, run_id = mlflow.Client(), run.info.run_id
        with pytest.raises(InvalidInput, match="by half"):
            client.log_metric(run_id, "acc", 1, dataset_name="wine")
        mlflow.log_input(WINE)
        client.log_metric(run_id, "acc", 1, dataset_name="wine", dataset_digest="1", model_id=model_id)
        assert [point.dataset_name for point in mlflow.get_logged_model(model_id).metrics] == ["wine"]
        assert models() == ([], [])

    def test_of_a_batch_are_of_several_models(self, run: mlflow.Run, model_id: str) -> None:
        other = mlflow.create_external_model("bush").model_id
        metrics = [mlflow.entities.Metric("acc", 0.5, 1, 1, model_id=each) for each in (model_id, other)]
        mlflow.Client().log_batch(run.info.run_id, metrics)
        assert [len(mlflow.get_logged_model(each).metrics) for each in (model_id, other)] == [1, 1]
