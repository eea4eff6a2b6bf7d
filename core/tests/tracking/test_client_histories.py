"""Reading histories by the client and the fluent verbs, on a store that keeps what it is given."""

from __future__ import annotations

import subprocess
import sys
from math import nan
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import dovetail as mlflow
from dovetail.errors import InvalidInput, InvalidName
from dovetail.testing import MemoryTrackingStore
from dovetail.tracking import places
from dovetail.tracking.thinning import check_thinning

if TYPE_CHECKING:
    from dovetail.tracking.store import TrackingStore
    from dovetail.values import Metric, Page


@pytest.fixture
def client(store: TrackingStore) -> mlflow.Client:
    return mlflow.Client()


@pytest.fixture
def run_id(client: mlflow.Client) -> str:
    """A run with a history of a hundred points, of which one is NaN and one a peak."""
    run_id = client.create_run("0").info.run_id
    values = [0.5] * 100
    values[40], values[70] = nan, 9.0
    client.log_batch(
        run_id, [mlflow.Metric("loss", value, timestamp=1000 + step, step=step) for step, value in enumerate(values)]
    )
    return run_id


class TestArrays:
    def test_are_the_history(self, client: mlflow.Client, run_id: str) -> None:
        arrays, history = client.metric_history_arrays(run_id, "loss"), client.get_metric_history(run_id, "loss")
        assert arrays.steps.tolist() == [each.step for each in history] == list(range(100))
        assert arrays.timestamps.tolist() == [each.timestamp for each in history]
        np.testing.assert_array_equal(arrays.values, [each.value for each in history])

    def test_may_be_an_interval_of_steps(self, client: mlflow.Client, run_id: str) -> None:
        assert client.metric_history_arrays(run_id, "loss", 10, np.int64(12)).steps.tolist() == [10, 11, 12]  # type: ignore[arg-type]
        assert mlflow.metric_history_arrays(run_id, "loss", end_step=1).steps.tolist() == [0, 1]

    def test_of_nothing_are_empty(self, client: mlflow.Client, run_id: str) -> None:
        for arrays in (
            client.metric_history_arrays(run_id, "acc"),
            client.metric_history_arrays("nobody", "loss"),
            client.metric_history_arrays(run_id, "loss", 1000),
        ):
            assert [(len(column), column.dtype.kind) for column in arrays] == [(0, "i"), (0, "i"), (0, "f")]

    @pytest.mark.parametrize("step", [1.5, "1", 2**63, -(2**63) - 1, True], ids=repr)
    def test_want_steps_that_are_some(self, client: mlflow.Client, run_id: str, step: Any) -> None:
        for interval in ({"start_step": step}, {"end_step": step}):
            with pytest.raises(InvalidInput, match="whole number of 64 bits"):
                client.metric_history_arrays(run_id, "loss", **interval)

    def test_without_numpy_say_what_to_do(self) -> None:
        script = (
            "import sys; sys.modules['numpy'] = None\n"
            "import dovetail, uuid\n"
            "try: dovetail.metric_history_arrays('r', 'loss')\n"
            "except dovetail.DovetailError as error: print(type(error).__name__, error.hint)\n"
        )
        told = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout
        assert told.startswith("PluginMissing Install it with `pip install numpy`")


class TestSamples:
    def test_are_as_many_as_a_plot_shows(self, client: mlflow.Client, run_id: str) -> None:
        sample = client.sampled_metric_history(run_id, "loss", points=10)
        assert len(sample) <= 10
        assert sample.steps.tolist()[:: len(sample) - 1] == [0, 99]
        assert 70 in sample.steps.tolist()
        assert list(mlflow.sampled_metric_history(run_id, "loss", 10)) == list(sample)

    def test_of_several_runs_come_by_run(self, client: mlflow.Client, run_id: str) -> None:
        empty = client.create_run("0").info.run_id
        found = client.sampled_metric_history([empty, run_id], "loss", 10, "lttb", start_step=50, end_step=60)
        assert {run: len(series) for run, series in found.items()} == {run_id: 10}
        assert found[run_id].steps.tolist()[::9] == [50, 60]

    def test_of_nothing_are_empty(self, client: mlflow.Client, run_id: str) -> None:
        assert len(client.sampled_metric_history(run_id, "acc")) == 0
        assert client.sampled_metric_history([], "loss") == {}

    def test_numbers_of_numpy_are_numbers(self, client: mlflow.Client, run_id: str) -> None:
        ten: Any = np.int64(10)
        sample = client.sampled_metric_history(run_id, "loss", points=ten)
        assert list(sample) == list(client.sampled_metric_history(run_id, "loss", points=10))
        assert type(check_thinning(ten, "minmax")) is int

    @pytest.mark.parametrize(
        "wrong",
        [
            {"points": 3},
            {"points": True},
            {"points": 9.0},
            {"points": "9"},
            {"points": None, "method": "x"},
            {"method": "mean"},
        ],
        ids=str,
    )
    def test_want_what_can_be_done(self, client: mlflow.Client, run_id: str, wrong: dict[str, Any]) -> None:
        with pytest.raises(InvalidInput):
            client.sampled_metric_history(run_id, "loss", **wrong)


class TestBulk:
    def test_gives_each_run_its_points(self, client: mlflow.Client, run_id: str) -> None:
        other = client.create_run("0").info.run_id
        client.log_metric(other, "loss", 1.0, timestamp=5, step=3)
        found = client.get_metric_history_bulk([other, "nobody", run_id], "loss")
        assert list(found) == [other, run_id]
        assert found[other] == [mlflow.Metric("loss", 1.0, timestamp=5, step=3)]
        assert len(found[run_id]) == 100

    def test_gives_an_interval_thinned_out(self, client: mlflow.Client, run_id: str) -> None:
        found = client.get_metric_history_bulk_interval([run_id], "loss", start_step=20, end_step=90, max_results=6)
        steps = [each.step for each in found[run_id]]
        assert (steps[0], steps[-1], 70 in steps, len(steps) <= 6) == (20, 90, True, True)
        whole = client.get_metric_history_bulk_interval([run_id], "loss")
        assert len(whole[run_id]) == 100

    def test_wants_ids_of_runs(self, client: mlflow.Client) -> None:
        with pytest.raises(InvalidName):
            client.get_metric_history_bulk(["../x"], "loss")

    @pytest.mark.parametrize("ids", ["text", 5, None, {"run": 1}])
    def test_wants_several_ids(self, ids: Any, client: mlflow.Client) -> None:
        for history in (client.get_metric_history_bulk, client.get_metric_history_bulk_interval):
            with pytest.raises(InvalidInput, match=r"ids of runs .* as a list"):
                history(ids, "loss")


class Pager(MemoryTrackingStore):
    """A store that gives no more than ten points at once, whatever it is asked for."""

    def get_metric_history(
        self, run_id: str, key: str, max_results: int | None = None, page_token: str | None = None
    ) -> Page[Metric]:
        return super().get_metric_history(run_id, key, min(max_results or 10, 10), page_token)


def test_all_pages_of_a_history_are_read(client: mlflow.Client, run_id: str) -> None:
    store: Any = places.tracking_store()
    store.__class__ = Pager
    assert len(client.get_metric_history(run_id, "loss")) == 100
