"""The points of metrics over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from dovetail.values import Batch, Metric, NewRun

if TYPE_CHECKING:
    from conftest import Answered, Asking

INTERVAL, BULK = "metrics/get-history-bulk-interval", "metrics/get-history-bulk"


@pytest.fixture
def runs(ask: Asking) -> list[str]:
    """The ids of two runs, with 10 and 1000 points of ``loss``."""
    return [with_points(ask, 10), with_points(ask, 1000)]


def with_points(ask: Asking, count: int) -> str:
    run_id = ask.site.tracking.create_run(NewRun("0")).info.run_id
    logged = tuple(Metric("loss", (at * 7) % count, timestamp=100 + at, step=at) for at in range(count))
    ask.site.tracking.log_batch(run_id, Batch(metrics=logged))
    return run_id


def code(answer: Answered) -> tuple[int, str]:
    return answer.status, answer.data["error_code"]


def steps(answer: Answered, run_id: str | None = None) -> list[int]:
    found = answer.data.get("metrics", [])
    return [each["step"] for each in found if run_id is None or each["run_id"] == run_id]


class TestTheHistoryOfAMetric:
    def history(self, ask: Asking, run_id: str, **query: Any) -> Answered:
        return ask("GET", "metrics/get-history", query={"run_id": run_id, "metric_key": "loss", **query})

    def test_has_all_points_unless_told_otherwise(self, ask: Asking, runs: list[str]) -> None:
        answer = self.history(ask, runs[1])
        assert steps(answer) == list(range(1000))
        assert "next_page_token" not in answer.data
        assert answer.data["metrics"][1] == {"key": "loss", "value": 7.0, "timestamp": 101, "step": 1}

    def test_comes_in_pages(self, ask: Asking, runs: list[str]) -> None:
        found, token = [], ""
        while True:
            answer = self.history(ask, runs[1], max_results=300, page_token=token)
            found.append(len(steps(answer)))
            if not (token := answer.data.get("next_page_token", "")):
                break
        assert found == [300, 300, 300, 100]

    def test_may_be_asked_for_in_pages_larger_than_it_is(self, ask: Asking, runs: list[str]) -> None:
        answer = self.history(ask, runs[1], max_results=25_000)
        assert len(steps(answer)) == 1000
        assert "next_page_token" not in answer.data

    def test_is_ordered_by_time_then_step_then_value(self, ask: Asking) -> None:
        run_id = ask.site.tracking.create_run(NewRun("0")).info.run_id
        for value, timestamp, step in ((1, 2, 0), (3, 1, 5), (2, 1, 5), (9, 1, -1)):
            sent = {"run_id": run_id, "key": "loss", "value": value, "timestamp": timestamp, "step": step}
            ask("POST", "runs/log-metric", sent)
        assert [each["value"] for each in self.history(ask, run_id).data["metrics"]] == [9, 2, 3, 1]

    def test_knows_numbers_that_json_does_not(self, ask: Asking) -> None:
        run_id = ask.site.tracking.create_run(NewRun("0")).info.run_id
        for at, value in enumerate(("NaN", "Infinity", "-Infinity")):
            sent = {"run_id": run_id, "key": "loss", "value": value, "timestamp": at}
            ask("POST", "runs/log-metric", sent)
        found = [each["value"] for each in self.history(ask, run_id).data["metrics"]]
        assert found == ["NaN", "Infinity", "-Infinity"]

    @pytest.mark.parametrize("query", [{"metric_key": "x"}, {"metric_key": "../x"}, {"run_id": "0" * 32}], ids=str)
    def test_of_nothing_is_empty(self, ask: Asking, runs: list[str], query: dict[str, Any]) -> None:
        assert self.history(ask, **{"run_id": runs[0], **query}).data == {}

    def test_may_be_asked_for_by_the_old_name_of_the_id(self, ask: Asking, runs: list[str]) -> None:
        query = {"run_uuid": runs[0], "metric_key": "loss"}
        assert len(steps(ask("GET", "metrics/get-history", query=query))) == 10

    @pytest.mark.parametrize(
        "query",
        [{"max_results": 0}, {"max_results": -1}, {"max_results": "x"}, {"page_token": "x"}, {"metric_key": ""}],
        ids=str,
    )
    def test_that_cannot_be_is_refused(self, ask: Asking, runs: list[str], query: dict[str, Any]) -> None:
        assert code(self.history(ask, **{"run_id": runs[0], **query})) == (400, "INVALID_PARAMETER_VALUE")

    def test_needs_a_run(self, ask: Asking) -> None:
        answer = ask("GET", "metrics/get-history", query={"metric_key": "loss"})
        assert code(answer) == (400, "INVALID_PARAMETER_VALUE")


class TestTheHistoriesOfSeveralRunsBetweenTwoSteps:
    def interval(self, ask: Asking, run_ids: list[str], **query: Any) -> Answered:
        return ask("GET", INTERVAL, query={"run_ids": run_ids, "metric_key": "loss", **query})

    def test_have_every_point_of_short_ones_and_few_of_long_ones(self, ask: Asking, runs: list[str]) -> None:
        answer = self.interval(ask, runs, max_results=50)
        assert steps(answer, runs[0]) == list(range(10))
        thin = steps(answer, runs[1])
        assert len(thin) <= 50
        assert (thin[0], thin[-1]) == (0, 999)
        assert thin == sorted(thin)
        values = [each["value"] for each in answer.data["metrics"] if each["run_id"] == runs[1]]
        assert (min(values), max(values)) == (0, 999)

    def test_have_at_most_320_points_each_by_default(self, ask: Asking, runs: list[str]) -> None:
        assert 100 < len(steps(self.interval(ask, runs), runs[1])) <= 320

    def test_hold_no_other_steps(self, ask: Asking, runs: list[str]) -> None:
        answer = self.interval(ask, runs, start_step=8, end_step=12)
        assert (steps(answer, runs[0]), steps(answer, runs[1])) == ([8, 9], [8, 9, 10, 11, 12])

    def test_are_ordered_by_steps_whenever_they_were_logged(self, ask: Asking) -> None:
        run_id = ask.site.tracking.create_run(NewRun("0")).info.run_id
        logged = tuple(Metric("loss", 1, timestamp=at, step=-at) for at in range(5))
        ask.site.tracking.log_batch(run_id, Batch(metrics=logged))
        assert steps(self.interval(ask, [run_id])) == [-4, -3, -2, -1, 0]

    def test_leave_out_runs_that_have_none(self, ask: Asking, runs: list[str]) -> None:
        assert steps(self.interval(ask, ["0" * 32, runs[0], runs[0]])) == list(range(10))
        assert self.interval(ask, ["0" * 32]).data == {}
        assert self.interval(ask, runs, metric_key="x").data == {}

    @pytest.mark.parametrize(
        "query",
        [
            {"start_step": 1},
            {"end_step": 1},
            {"start_step": 2, "end_step": 1},
            {"start_step": "x", "end_step": 1},
            {"max_results": 0},
            {"max_results": 2501},
            {"metric_key": ""},
            {"run_ids": []},
            {"run_ids": ["a"] * 101},
        ],
        ids=lambda query: str(query)[:40],
    )
    def test_that_cannot_be_are_refused(self, ask: Asking, runs: list[str], query: dict[str, Any]) -> None:
        answer = self.interval(ask, **{"run_ids": runs, **query})
        assert code(answer) == (400, "INVALID_PARAMETER_VALUE")


class TestTheHistoriesOfSeveralRuns:
    def bulk(self, ask: Asking, run_ids: list[str], **query: Any) -> Answered:
        return ask("GET", f"/ajax-api/2.0/mlflow/{BULK}", query={"run_id": run_ids, "metric_key": "loss", **query})

    def test_come_one_after_the_other(self, ask: Asking, runs: list[str]) -> None:
        answer = self.bulk(ask, runs)
        assert steps(answer) == [*range(10), *range(1000)]
        first = {"key": "loss", "value": 0.0, "timestamp": 100, "step": 0, "run_id": runs[0]}
        assert answer.data["metrics"][0] == first

    def test_end_where_there_are_enough(self, ask: Asking, runs: list[str]) -> None:
        assert steps(self.bulk(ask, runs, max_results=12)) == [*range(10), 0, 1]
        assert steps(self.bulk(ask, runs, max_results=10)) == [*range(10)]

    def test_may_be_none_at_all(self, ask: Asking) -> None:
        assert self.bulk(ask, ["0" * 32]).data == {"metrics": []}

    @pytest.mark.parametrize(
        "query",
        [{"run_ids": []}, {"run_ids": ["a"] * 101}, {"metric_key": ""}, {"max_results": 0}, {"max_results": 25_001}],
        ids=lambda query: str(query)[:40],
    )
    def test_that_cannot_be_are_refused(self, ask: Asking, runs: list[str], query: dict[str, Any]) -> None:
        assert code(self.bulk(ask, **{"run_ids": runs, **query})) == (400, "INVALID_PARAMETER_VALUE")
