"""Datasets that runs used, over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from dovetail.values import NewRun

if TYPE_CHECKING:
    from conftest import Answered, Asking

SEARCH = "/ajax-api/2.0/mlflow/experiments/search-datasets"


@pytest.fixture
def run(ask: Asking) -> str:
    """The id of a run."""
    return ask.site.tracking.create_run(NewRun("0")).info.run_id


def used(name: str = "wine", context: str = "training", **fields: Any) -> dict[str, Any]:
    dataset = {"name": name, "digest": "d1", "source_type": "local", "source": "{}", **fields}
    return {"tags": [{"key": "mlflow.data.context", "value": context}], "dataset": dataset}


def log(ask: Asking, run_id: str, *datasets: Any, **sent: Any) -> Answered:
    return ask("POST", "runs/log-inputs", {"run_id": run_id, "datasets": list(datasets), **sent})


def inputs(ask: Asking, run_id: str) -> dict[str, Any]:
    found: dict[str, Any] = ask("GET", "runs/get", query={"run_id": run_id}).data["run"]["inputs"]
    return found


def code(answer: Answered) -> tuple[int, str]:
    return answer.status, answer.data["error_code"]


class TestADatasetThatARunUses:
    def test_is_an_input_of_it(self, ask: Asking, run: str) -> None:
        sent = used(schema='{"a": 1}', profile='{"rows": 5}')
        assert log(ask, run, sent).data == {}
        assert inputs(ask, run) == {"dataset_inputs": [sent]}

    def test_is_one_input_however_often_it_comes(self, ask: Asking, run: str) -> None:
        for _ in range(2):
            log(ask, run, used())
        assert inputs(ask, run) == {"dataset_inputs": [used()]}

    def test_may_be_used_for_nothing_in_particular(self, ask: Asking, run: str) -> None:
        sent = {"dataset": used()["dataset"]}
        log(ask, run, sent)
        assert inputs(ask, run) == {"dataset_inputs": [sent]}

    def test_may_be_used_by_a_run_that_has_ended(self, ask: Asking, run: str) -> None:
        ask("POST", "runs/update", {"run_id": run, "status": "FINISHED"})
        assert log(ask, run, used()).status == 200

    def test_finds_its_runs(self, ask: Asking, run: str) -> None:
        log(ask, run, used())
        ask.site.tracking.create_run(NewRun("0"))
        sent = {"experiment_ids": ["0"], "filter": "dataset.name = 'wine' AND dataset.context = 'training'"}
        (found,) = ask("POST", "runs/search", sent).data["runs"]
        assert found["info"]["run_id"] == run

    @pytest.mark.parametrize(
        "sent",
        [
            1,
            {},
            {"dataset": "wine"},
            used(name=""),
            used(name=5),
            used(name="x" * 501),
            used(digest="x" * 37),
            used(digest=None),
            used(source_type=None),
            used(source=5),
            used(context="x" * 501),
            {**used(), "tags": [{"key": "a", "value": "b"}] * 2},
            {**used(), "tags": {"a": "b"}},
        ],
        ids=lambda sent: str(sent)[:60],
    )
    def test_is_refused_with_those_beside_it_where_it_is_none(self, ask: Asking, run: str, sent: Any) -> None:
        assert code(log(ask, run, used(), sent)) == (400, "INVALID_PARAMETER_VALUE")
        assert inputs(ask, run) == {}

    def test_may_come_with_a_model_that_there_is(self, ask: Asking, run: str) -> None:
        model = ask("POST", "logged-models", {"experiment_id": "0"}).data["model"]["info"]["model_id"]
        assert log(ask, run, used(), models=[{"model_id": model}]).data == {}
        assert inputs(ask, run)["model_inputs"] == [{"model_id": model}]
        answer = log(ask, run, used("beer"), models=[{"model_id": "m-none"}])
        assert code(answer) == (404, "RESOURCE_DOES_NOT_EXIST")
        assert len(inputs(ask, run)["dataset_inputs"]) == 1


class TestTheDatasetsOfExperiments:
    def test_are_told_once_for_each_use(self, ask: Asking, run: str) -> None:
        log(ask, run, used(), used("beer"), {"dataset": used("ale")["dataset"]})
        for context in ("training", "testing"):
            log(ask, ask.site.tracking.create_run(NewRun("0")).info.run_id, used(context=context))
        found = ask("POST", SEARCH, {"experiment_ids": ["0"]}).data["dataset_summaries"]
        assert found == [
            {"experiment_id": "0", "name": "ale", "digest": "d1"},
            {"experiment_id": "0", "name": "beer", "digest": "d1", "context": "training"},
            {"experiment_id": "0", "name": "wine", "digest": "d1", "context": "testing"},
            {"experiment_id": "0", "name": "wine", "digest": "d1", "context": "training"},
        ]

    def test_are_those_of_the_experiments_asked_for(self, ask: Asking, run: str) -> None:
        other = ask.site.tracking.create_experiment("other")
        log(ask, run, used())
        log(ask, ask.site.tracking.create_run(NewRun(other)).info.run_id, used("beer"))
        for ids, names in ((["0"], ["wine"]), ([other], ["beer"]), (["0", other], ["beer", "wine"]), (["99"], [])):
            found = ask("POST", SEARCH, {"experiment_ids": ids}).data.get("dataset_summaries", [])
            assert [each["name"] for each in found] == names

    def test_are_none_of_deleted_runs(self, ask: Asking, run: str) -> None:
        log(ask, run, used())
        ask("POST", "runs/delete", {"run_id": run})
        assert ask("POST", SEARCH, {"experiment_ids": ["0"]}).data == {}

    def test_are_looked_for_by_the_store_itself(self, ask: Asking, run: str, monkeypatch: pytest.MonkeyPatch) -> None:
        log(ask, run, used())
        # Walking through all runs would take the longer the more there are.
        monkeypatch.setattr(type(ask.site.tracking), "search_runs", None)
        found = ask("POST", SEARCH, {"experiment_ids": ["0"]})
        assert [each["name"] for each in found.data["dataset_summaries"]] == ["wine"]

    def test_are_a_thousand_at_most(self, ask: Asking, run: str) -> None:
        for start in range(0, 1100, 550):
            log(ask, run, *(used(f"d{number:04}") for number in range(start, start + 550)))
        found = ask("POST", SEARCH, {"experiment_ids": ["0"]}).data["dataset_summaries"]
        assert [each["name"] for each in found] == [f"d{number:04}" for number in range(1000)]

    @pytest.mark.parametrize("ids", [None, [], [str(at) for at in range(21)], ["wine"], [0], "0"], ids=str)
    def test_that_cannot_be_asked_for_are_refused(self, ask: Asking, ids: Any) -> None:
        assert code(ask("POST", SEARCH, {"experiment_ids": ids})) == (400, "INVALID_PARAMETER_VALUE")

    @pytest.mark.parametrize("more", [{"max_results": 0}, {"max_results": 2**63}, {"page_token": "x"}], ids=str)
    def test_come_at_once(self, ask: Asking, run: str, more: Any) -> None:
        """As in MLflow, whose request knows no pages: fields that it does not know are left alone."""
        log(ask, run, used())
        found = ask("POST", SEARCH, {"experiment_ids": ["0"], **more})
        assert (found.status, len(found.data["dataset_summaries"])) == (200, 1)
