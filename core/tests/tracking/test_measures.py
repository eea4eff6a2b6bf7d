"""Logging metrics, params and tags."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import dovetail as mlflow
from dovetail.errors import InvalidInput, InvalidName, NotFound, ParamConflict, RunEnded
from dovetail.values.measure import now_ms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.usefixtures("store")


@pytest.fixture
def run() -> Iterator[mlflow.ActiveRun]:
    with mlflow.start_run() as run:
        yield run


def data() -> Any:
    run = mlflow.active_run()
    assert run is not None
    return run.data


class TestMetrics:
    def test_a_history_grows_and_the_latest_value_is_shown(self, run: mlflow.Run) -> None:
        for step, value in enumerate([1.0, 0.5, 0.25]):
            mlflow.log_metric("loss", value, step=step)
        assert data().metrics == {"loss": 0.25}
        points = mlflow.Client().get_metric_history(run.info.run_id, "loss")
        assert [(point.step, point.value) for point in points] == [(0, 1.0), (1, 0.5), (2, 0.25)]

    def test_without_a_step_it_is_0_and_without_a_time_it_is_now(self, run: mlflow.Run) -> None:
        before = now_ms()
        mlflow.log_metric("loss", 1)
        [point] = mlflow.Client().get_metric_history(run.info.run_id, "loss")
        assert point.step == 0
        assert before <= point.timestamp <= now_ms()

    def test_a_time_may_be_given(self, run: mlflow.Run) -> None:
        mlflow.log_metric("loss", 1, timestamp=5)
        mlflow.log_metrics({"acc": 1}, timestamp=6)
        assert {point.key: point.timestamp for point in data().latest} == {"loss": 5, "acc": 6}

    def test_several_at_once_share_step_and_time(self, run: mlflow.Run) -> None:
        mlflow.log_metrics({"loss": 0.5, "acc": 0.9}, step=3)
        points = data().latest
        assert {point.key: (point.value, point.step) for point in points} == {"loss": (0.5, 3), "acc": (0.9, 3)}
        assert len({point.timestamp for point in points}) == 1

    def test_what_is_not_finite_is_kept(self, run: mlflow.Run) -> None:
        mlflow.log_metrics({"nan": math.nan, "up": math.inf, "down": -math.inf})
        kept = data().metrics
        assert math.isnan(kept["nan"])
        assert (kept["up"], kept["down"]) == (math.inf, -math.inf)

    def test_what_numpy_computes_is_a_number(self, run: mlflow.Run) -> None:
        np = pytest.importorskip("numpy")
        mlflow.log_metric("loss", np.float32(0.5), step=np.int64(2))  # type: ignore[arg-type]
        mlflow.log_metrics({"a": np.array(1.5), "b": np.array([2.5]), "c": np.mean(np.ones(3))})
        assert data().metrics == {"loss": 0.5, "a": 1.5, "b": 2.5, "c": 1.0}

    @pytest.mark.parametrize("wrong", ["0.5", None, [0.5], {}], ids=repr)
    def test_of_several_with_a_wrong_one_none_is_logged(self, wrong: Any, run: mlflow.Run) -> None:
        with pytest.raises(InvalidInput, match="'acc'"):
            mlflow.log_metrics({"loss": 0.5, "acc": wrong})
        assert data().metrics == {}

    @pytest.mark.parametrize("key", ["", "../x", "a//b", "x" * 251, "a\\b", None])
    def test_keys_that_are_none_are_refused(self, key: Any, run: mlflow.Run) -> None:
        with pytest.raises(InvalidName):
            mlflow.log_metric(key, 1)
        with pytest.raises(InvalidName):
            mlflow.log_param(key, 1)
        with pytest.raises(InvalidName):
            mlflow.set_tag(key, 1)

    @pytest.mark.parametrize("wrong", [[("loss", 1)], "loss", 5, {"loss"}], ids=repr)
    def test_several_are_a_dict(self, wrong: Any, run: mlflow.Run) -> None:
        verbs: list[Callable[[Any], None]] = [mlflow.log_metrics, mlflow.log_params, mlflow.set_tags]
        for verb in verbs:
            with pytest.raises(InvalidInput, match="dict"):
                verb(wrong)


class TestParams:
    def test_any_value_is_kept_as_its_text(self, run: mlflow.Run) -> None:
        assert mlflow.log_param("lr", 0.1) == 0.1
        mlflow.log_params({"layers": [64, 32], "bias": None, "path": Path("data")})
        assert data().params == {"lr": "0.1", "layers": "[64, 32]", "bias": "None", "path": "data"}

    def test_the_same_value_again_is_fine(self, run: mlflow.Run) -> None:
        mlflow.log_param("lr", 0.1)
        mlflow.log_param("lr", "0.1")

    def test_another_value_is_a_conflict_and_leaves_nothing_half_written(self, run: mlflow.Run) -> None:
        mlflow.log_param("lr", 0.1)
        with pytest.raises(ParamConflict, match=r"'lr'.*'0.1'.*'0.2'"):
            mlflow.log_params({"batch": 32, "lr": 0.2})
        assert data().params == {"lr": "0.1"}

    def test_a_conflict_within_a_batch_of_everything_leaves_nothing(self, run: mlflow.Run) -> None:
        mlflow.log_param("lr", 0.1)
        with pytest.raises(ParamConflict):
            mlflow.Client().log_batch(
                run.info.run_id, [mlflow.Metric("loss", 1)], [mlflow.Param("lr", "0.2")], [mlflow.Tag("a", "b")]
            )
        assert data().metrics == {}
        assert "a" not in data().tags


class TestTags:
    def test_they_may_be_set_again_and_removed(self, run: mlflow.Run) -> None:
        mlflow.set_tag("stage", 1)
        mlflow.set_tags({"stage": 2, "team": "wine"})
        assert (data().tags["stage"], data().tags["team"]) == ("2", "wine")
        mlflow.delete_tag("stage")
        assert "stage" not in data().tags
        with pytest.raises(NotFound):
            mlflow.delete_tag("stage")

    def test_the_note_of_a_run(self, run: mlflow.Run) -> None:
        mlflow.set_tag("mlflow.note.content", "Overfits.")
        assert data().tags["mlflow.note.content"] == "Overfits."

    def test_the_tag_of_the_name_renames_it(self, run: mlflow.Run) -> None:
        mlflow.set_tag("mlflow.runName", "better name")
        assert mlflow.get_run(run.info.run_id).info.run_name == "better name"


class TestLongValues:
    @pytest.mark.parametrize(
        ("log", "limit"),
        [
            (lambda value: mlflow.log_param("key", value), 6000),
            (lambda value: mlflow.log_params({"key": value}), 6000),
            (lambda value: mlflow.set_tag("key", value), 8000),
            (lambda value: mlflow.set_tags({"key": value}), 8000),
        ],
    )
    def test_they_are_cut_with_one_warning_or_refused(
        self, log: Callable[[str], None], limit: int, run: mlflow.Run, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        log("x" * limit)  # fits: neither cut nor warned about
        with pytest.warns(UserWarning, match=f"'key' has {limit + 1} characters and was cut to {limit}") as told:
            log("x" * (limit + 1))
        assert len(told) == 1
        monkeypatch.setenv("MLFLOW_TRUNCATE_LONG_VALUES", "false")
        with pytest.raises(InvalidInput, match=f"at most {limit}"):
            log("x" * (limit + 1))
        assert {**data().params, **data().tags}["key"] == "x" * limit

    def test_tags_of_a_new_run_are_cut_too(self) -> None:
        with pytest.warns(UserWarning, match="cut") as told, mlflow.start_run(tags={"a": "x" * 8001}) as run:
            assert run.data.tags["a"] == "x" * 8000
        assert len(told) == 1

    def test_a_key_is_never_cut(self, run: mlflow.Run) -> None:
        with pytest.raises(InvalidName, match="251 characters"):
            mlflow.log_param("k" * 251, 1)


class TestRunsThatEnded:
    @pytest.fixture
    def ended(self) -> str:
        with mlflow.start_run() as run:
            pass
        return run.info.run_id

    def test_metrics_and_params_are_refused_and_tags_are_taken(self, ended: str) -> None:
        for log in (
            lambda: mlflow.log_metric("loss", 1, run_id=ended),
            lambda: mlflow.log_metrics({"loss": 1}, run_id=ended),
            lambda: mlflow.log_param("lr", 1, run_id=ended),
            lambda: mlflow.log_params({"lr": 1}, run_id=ended),
            lambda: mlflow.Client().log_metric(ended, "loss", 1),
        ):
            with pytest.raises(RunEnded, match="FINISHED"):
                log()
        mlflow.set_tag("verdict", "good", run_id=ended)
        mlflow.set_tags({"by": "ada"}, run_id=ended)
        kept = mlflow.get_run(ended).data
        assert (kept.metrics, kept.params) == ({}, {})
        assert (kept.tags["verdict"], kept.tags["by"]) == ("good", "ada")

    def test_a_setting_allows_it(self, ended: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DOVETAIL_ALLOW_ENDED_RUNS", "true")
        mlflow.log_metric("loss", 1, run_id=ended)
        mlflow.Client().log_param(ended, "lr", 0.1)
        kept = mlflow.get_run(ended)
        assert (kept.data.metrics, kept.data.params) == ({"loss": 1.0}, {"lr": "0.1"})
        assert kept.info.status == "FINISHED"

    def test_a_deleted_run_takes_nothing_whatever_the_setting(
        self, ended: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        mlflow.delete_run(ended)
        monkeypatch.setenv("DOVETAIL_ALLOW_ENDED_RUNS", "true")
        for log in (
            lambda: mlflow.log_metric("loss", 1, run_id=ended),
            lambda: mlflow.set_tag("a", "b", run_id=ended),
            lambda: mlflow.Client().delete_tag(ended, "mlflow.user"),
        ):
            with pytest.raises(RunEnded, match="deleted"):
                log()

    def test_a_loop_that_goes_on_after_the_end_starts_a_new_run(self) -> None:
        first = mlflow.start_run()
        mlflow.end_run()
        mlflow.log_metric("loss", 1)
        assert mlflow.active_run() != first
        mlflow.end_run()


class TestOtherRuns:
    def test_a_run_may_be_named_while_another_is_active(self, run: mlflow.Run) -> None:
        other = mlflow.Client().create_run("0").info.run_id
        mlflow.log_metric("loss", 1, run_id=other)
        mlflow.log_metrics({"acc": 1}, run_id=other)
        mlflow.log_param("a", 1, run_id=other)
        mlflow.log_params({"b": 1}, run_id=other)
        mlflow.set_tag("c", 1, run_id=other)
        kept = mlflow.get_run(other).data
        assert (set(kept.metrics), set(kept.params)) == ({"loss", "acc"}, {"a", "b"})
        assert data().metrics == data().params == {}

    def test_naming_one_starts_none(self) -> None:
        other = mlflow.Client().create_run("0").info.run_id
        mlflow.log_metric("loss", 1, run_id=other)
        assert mlflow.active_run() is None

    @pytest.mark.parametrize(("run_id", "error"), [("f" * 32, NotFound), ("../x", InvalidName), (5, InvalidName)])
    def test_one_that_is_not_there_is_an_error(self, run_id: Any, error: type[Exception]) -> None:
        with pytest.raises(error):
            mlflow.log_metric("loss", 1, run_id=run_id)
        with pytest.raises(error):
            mlflow.log_text("x", "x.txt", run_id=run_id)
