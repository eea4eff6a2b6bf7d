"""Finding runs, as a table or as a list."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest

import dovetail as mlflow
from dovetail.errors import InvalidFilter, InvalidInput, InvalidName, NotFound
from dovetail.values import ViewType

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

pytestmark = pytest.mark.usefixtures("store")


@pytest.fixture
def wine() -> str:
    """An experiment with three runs."""
    experiment = mlflow.set_experiment("wine")
    for number, acc in enumerate([0.7, 0.9, 0.8]):
        with mlflow.start_run(run_name=f"run-{number}", tags={"team": "a"}):
            mlflow.log_param("number", number)
            mlflow.log_metric("acc", acc)
            if number == 1:
                mlflow.log_metric("extra", 1)
                mlflow.log_param("extra", "yes")
    return experiment.experiment_id


def names(**search: Any) -> list[str]:
    return [run.info.run_name for run in mlflow.search_runs(output_format="list", **search)]


class TestWhere:
    def test_in_the_experiment_in_force(self, wine: str) -> None:
        assert sorted(names()) == ["run-0", "run-1", "run-2"]
        mlflow.set_experiment("another")
        assert names() == []

    @pytest.mark.parametrize(
        "form", [lambda x: x, lambda x: [x], lambda x: (x,), int, lambda x: {x}, lambda x: ["0", x]]
    )
    def test_in_experiments_by_id(self, wine: str, form: Callable[[str], Any]) -> None:
        mlflow.set_experiment("another")
        assert len(names(experiment_ids=form(wine))) == 3

    @pytest.mark.parametrize("form", ["wine", ["wine"], ["wine", "Default"]])
    def test_in_experiments_by_name(self, wine: str, form: Any) -> None:
        mlflow.set_experiment("another")
        assert len(names(experiment_names=form)) == 3

    @pytest.mark.parametrize("zero", ["0", 0, ["0"], [0]], ids=repr)
    def test_in_the_default_experiment_while_another_is_chosen(self, wine: str, zero: Any) -> None:
        assert names(experiment_ids=zero) == []

    @pytest.mark.parametrize("nothing", [[], None, ()], ids=repr)
    def test_naming_none_means_the_one_in_force(self, wine: str, nothing: Any) -> None:
        assert len(names(experiment_ids=nothing)) == 3

    def test_everywhere(self, wine: str) -> None:
        with mlflow.start_run(experiment_id="0"):
            pass
        assert len(names(search_all_experiments=True)) == 4

    def test_names_that_are_not_there_and_ids_that_are_none(self, wine: str) -> None:
        with pytest.raises(NotFound, match="'beer'"):
            names(experiment_names=["wine", "beer"])
        with pytest.raises(InvalidName):
            names(experiment_ids=["wine"])
        with pytest.raises(InvalidInput, match="not both"):
            names(experiment_ids=[wine], experiment_names=["wine"])
        assert names(experiment_ids=["777"]) == []


@pytest.mark.parametrize("wrong", [5, 5.5, {"name": 1}])
class TestWrongKinds:
    """What is no list is refused by name."""

    def test_of_orders(self, wrong: Any) -> None:
        client = mlflow.Client()
        for search in (mlflow.search_runs, mlflow.search_experiments, mlflow.search_logged_models):
            with pytest.raises(InvalidFilter, match="order"):
                search(order_by=wrong)
        with pytest.raises(InvalidFilter, match="order"):
            client.search_runs(["0"], order_by=wrong)
        with pytest.raises(InvalidFilter, match="order"):
            client.search_logged_models(["0"], order_by=wrong)

    def test_of_datasets(self, wrong: Any) -> None:
        with pytest.raises(InvalidFilter, match="datasets"):
            mlflow.search_logged_models(datasets=wrong)
        with pytest.raises(InvalidFilter, match="datasets"):
            mlflow.Client().search_logged_models(["0"], datasets=wrong)

    def test_of_experiments(self, wrong: Any) -> None:
        if wrong != 5:  # an id
            with pytest.raises(InvalidInput, match="ids of experiments"):
                mlflow.search_runs(wrong)
            with pytest.raises(InvalidInput, match="ids of experiments"):
                mlflow.Client().search_runs(wrong)
            with pytest.raises(InvalidInput, match="names of experiments"):
                mlflow.search_runs(experiment_names=wrong)


def test_the_client_wants_experiments_to_look_in() -> None:
    with pytest.raises(InvalidInput, match="ids of experiments"):
        mlflow.Client().search_runs(None)  # type: ignore[arg-type]


class TestWhich:
    def test_filter_order_and_limit(self, wine: str) -> None:
        assert names(filter_string="metrics.acc > 0.75", order_by=["metrics.acc DESC"]) == ["run-1", "run-2"]
        assert names(order_by=["metrics.acc ASC"], max_results=1) == ["run-0"]
        assert names(order_by="metrics.acc ASC", max_results=1) == ["run-0"]

    def test_a_filter_that_is_none(self, wine: str) -> None:
        with pytest.raises(InvalidFilter):
            names(filter_string="acc is high")
        with pytest.raises(InvalidFilter):
            names(order_by=["metrics.acc UPWARDS"])

    def test_binned_runs_by_their_view(self, wine: str) -> None:
        mlflow.delete_run(mlflow.search_runs(output_format="list")[0].info.run_id)
        assert [len(names(run_view_type=view)) for view in (1, 2, 3)] == [2, 1, 3]
        assert len(names(run_view_type=ViewType.ALL)) == 3
        with pytest.raises(InvalidInput, match="View type"):
            names(run_view_type=4)

    @pytest.mark.parametrize("wrong", [0, -1, 1.5, "1", True], ids=repr)
    def test_a_limit_that_is_none(self, wine: str, wrong: Any) -> None:
        with pytest.raises(InvalidInput, match="max_results"):
            names(max_results=wrong)
        with pytest.raises(InvalidInput, match="max_results"):
            mlflow.Client().search_runs([wine], max_results=wrong)

    def test_more_than_one_page(self) -> None:
        client = mlflow.Client()
        for number in range(1003):
            client.create_run("0", start_time=number, run_name=str(number), run_id=f"run{number}")
        assert len(names()) == 1003
        assert len(names(max_results=None)) == 1003
        found = names(max_results=1001)
        assert found == [str(number) for number in range(1002, 1, -1)]


class TestAsATable:
    def test_a_row_for_each_run_with_what_it_logged(self, wine: str) -> None:
        pytest.importorskip("pandas")
        table = mlflow.search_runs(order_by=["metrics.acc DESC"])
        assert list(table.columns[:6]) == [
            "run_id",
            "experiment_id",
            "status",
            "artifact_uri",
            "start_time",
            "end_time",
        ]
        assert list(table["metrics.acc"]) == [0.9, 0.8, 0.7]
        assert list(table["params.number"]) == ["1", "2", "0"]
        assert list(table["tags.team"]) == ["a", "a", "a"]
        assert set(table["status"]) == {"FINISHED"}
        assert str(table["start_time"].dt.tz) == "UTC"
        run = mlflow.get_run(table["run_id"][0])
        assert table["start_time"][0].timestamp() * 1000 == pytest.approx(run.info.start_time)

    def test_what_a_run_did_not_log_is_missing(self, wine: str) -> None:
        pytest.importorskip("pandas")
        table = mlflow.search_runs(order_by=["metrics.acc DESC"])
        assert [math.isnan(value) for value in table["metrics.extra"]] == [False, True, True]
        assert list(table["params.extra"].isna()) == [False, True, True]

    def test_a_run_that_goes_on_has_no_end(self) -> None:
        pytest.importorskip("pandas")
        with mlflow.start_run():
            table = mlflow.search_runs()
            assert list(table["end_time"].isna()) == [True]
            assert str(table["end_time"].dt.tz) == "UTC"

    def test_no_runs_are_an_empty_table_with_its_columns(self) -> None:
        pytest.importorskip("pandas")
        table = mlflow.search_runs()
        assert len(table) == 0
        assert {"run_id", "status", "start_time", "end_time"} <= set(table.columns)

    def test_another_form_is_refused(self) -> None:
        with pytest.raises(InvalidInput, match="'pandas' or 'list'"):
            mlflow.search_runs(output_format="polars")

    def test_without_pandas_it_says_what_to_do_and_lists_work(
        self, script: Callable[..., subprocess.CompletedProcess[str]]
    ) -> None:
        done = script(
            """
            import sys
            from importlib.abc import MetaPathFinder

            class NoPandas(MetaPathFinder):
                def find_spec(self, name, path=None, target=None):
                    if name.partition(".")[0] == "pandas":
                        raise ModuleNotFoundError(f"No module named {name!r}", name=name)

            sys.meta_path.insert(0, NoPandas())
            import dovetail as mlflow
            mlflow.set_tracking_uri("memory://")
            with mlflow.start_run():
                mlflow.log_metric("acc", 1)
            print(len(mlflow.search_runs(output_format="list")))
            try:
                mlflow.search_runs()
            except mlflow.MlflowException as error:
                print(error)
            """
        )
        lines = done.stdout.splitlines()
        assert lines[0] == "1"
        assert "No module named 'pandas'" in lines[1]
        assert "pip install pandas" in lines[2]
        assert "output_format='list'" in lines[2]


class TestTheClientsSearch:
    def test_a_single_id_will_do(self, wine: str) -> None:
        client = mlflow.tracking.MlflowClient()
        [best] = client.search_runs(wine, order_by=["metrics.acc DESC"], max_results=1)
        assert best.data.metrics["acc"] == 0.9
        assert client.search_runs("0", order_by=["metrics.val_loss ASC"], max_results=1) == []

    def test_pages_lead_on(self, wine: str) -> None:
        client = mlflow.Client()
        page = client.search_runs([wine], max_results=2)
        rest = client.search_runs([wine], max_results=2, page_token=page.token)
        assert (len(page), len(rest), rest.token) == (2, 1, None)
        assert not {run.info.run_id for run in page} & {run.info.run_id for run in rest}

    def test_a_page_has_an_upper_limit(self, wine: str) -> None:
        with pytest.raises(InvalidInput, match="50000"):
            mlflow.Client().search_runs([wine], max_results=50_001)
