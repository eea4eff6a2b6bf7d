"""What runs log over HTTP: what MLflow's clients send, and what is stored."""

from __future__ import annotations

import asyncio
import json
import math
from typing import TYPE_CHECKING, Any

import pytest

from dovetail.values import NewRun

if TYPE_CHECKING:
    from conftest import Answered, Asking

HISTORY = "mlflow.log-model.history"


@pytest.fixture
def run(ask: Asking) -> str:
    """The id of a run."""
    return ask.site.tracking.create_run(NewRun("0", run_name="first")).info.run_id


def code(answer: Answered) -> tuple[int, str]:
    return answer.status, answer.data["error_code"]


def points(ask: Asking, run_id: str, key: str) -> list[tuple[int, int, float]]:
    history = ask.site.tracking.get_metric_history(run_id, key)
    return [(each.timestamp, each.step, each.value) for each in history]


def point(**fields: Any) -> dict[str, Any]:
    return {"key": "loss", "value": 0.5, "timestamp": 7, "step": 3, **fields}


class TestAPointThatIsLogged:
    @pytest.mark.parametrize("name", ["run_id", "run_uuid"])
    def test_is_stored_by_the_time_of_the_answer(self, ask: Asking, run: str, name: str) -> None:
        assert ask("POST", "runs/log-metric", {name: run, **point()}).data == {}
        assert points(ask, run, "loss") == [(7, 3, 0.5)]

    @pytest.mark.parametrize(
        ("sent", "stored"),
        [
            ({"value": 1}, (7, 3, 1.0)),
            ({"value": "Infinity"}, (7, 3, math.inf)),
            ({"value": "-Infinity"}, (7, 3, -math.inf)),
            ({"timestamp": "12", "step": "-4"}, (12, -4, 0.5)),
            ({"timestamp": 12.0, "step": 1e3}, (12, 1000, 0.5)),
            ({"step": None}, (7, 0, 0.5)),
            ({"model_id": "", "dataset_name": "", "dataset_digest": ""}, (7, 3, 0.5)),
            ({"new": 1}, (7, 3, 0.5)),
        ],
        ids=str,
    )
    def test_may_be_written_in_many_ways(
        self, ask: Asking, run: str, sent: dict[str, Any], stored: tuple[int, int, float]
    ) -> None:
        assert ask("POST", "runs/log-metric", {"run_id": run, **point(**sent)}).status == 200
        assert points(ask, run, "loss") == [stored]

    def test_may_be_no_number(self, ask: Asking, run: str) -> None:
        ask("POST", "runs/log-metric", {"run_id": run, **point(value="NaN")})
        body = b'{"run_id": "%s", "key": "raw", "value": NaN, "timestamp": 1}' % run.encode()
        ask("POST", "runs/log-metric", body)
        assert all(math.isnan(points(ask, run, key)[0][2]) for key in ("loss", "raw"))

    @pytest.mark.parametrize("key", ["k" * 250, "é/β x:1", "a.b-c_d"])
    def test_may_have_many_a_name(self, ask: Asking, run: str, key: str) -> None:
        ask("POST", "runs/log-metric", {"run_id": run, **point(key=key)})
        assert points(ask, run, key) == [(7, 3, 0.5)]

    def test_is_stored_once_however_often_it_comes(self, ask: Asking, run: str) -> None:
        for _ in range(3):
            ask("POST", "runs/log-metric", {"run_id": run, **point()})
        assert points(ask, run, "loss") == [(7, 3, 0.5)]

    def test_may_come_when_the_run_has_ended(self, ask: Asking, run: str) -> None:
        ask("POST", "runs/update", {"run_id": run, "status": "FINISHED"})
        assert ask("POST", "runs/log-metric", {"run_id": run, **point()}).data == {}
        assert points(ask, run, "loss") == [(7, 3, 0.5)]

    def test_may_be_one_of_a_model_on_a_dataset(self, ask: Asking, run: str) -> None:
        model = ask("POST", "logged-models", {"experiment_id": "0"}).data["model"]["info"]["model_id"]
        sent = point(model_id=model, dataset_name="d", dataset_digest="g")
        ask("POST", "runs/log-metric", {"run_id": run, **sent})
        (of_model,) = ask("GET", f"logged-models/{model}").data["model"]["data"]["metrics"]
        assert of_model == {**sent, "run_id": run}

    def test_of_many_clients_at_once_is_stored_for_each(self, ask: Asking, run: str) -> None:
        async def all_at_once() -> list[Answered]:
            sent = ({"run_id": run if at % 5 else "0" * 32, **point(step=at)} for at in range(50))
            return await asyncio.gather(*(ask.later("POST", "runs/log-metric", each) for each in sent))

        answers = asyncio.run(all_at_once())
        assert [each.status for each in answers] == [200 if at % 5 else 404 for at in range(50)]
        assert [step for _, step, _ in points(ask, run, "loss")] == [at for at in range(50) if at % 5]


class TestAParamThatIsLogged:
    def log(self, ask: Asking, run: str, **sent: Any) -> Answered:
        return ask("POST", "runs/log-parameter", {"run_id": run, "key": "lr", **sent})

    def params(self, ask: Asking, run: str) -> dict[str, str]:
        return dict(ask.site.tracking.get_run(run).data.params)

    def test_is_stored_and_may_come_again(self, ask: Asking, run: str) -> None:
        for _ in range(2):
            assert self.log(ask, run, value="0.1").data == {}
        assert self.params(ask, run) == {"lr": "0.1"}

    def test_keeps_its_first_value(self, ask: Asking, run: str) -> None:
        self.log(ask, run, value="0.1")
        answer = self.log(ask, run, value="0.2")
        assert code(answer) == (400, "INVALID_PARAMETER_VALUE")
        assert "0.1" in answer.data["message"]
        assert self.params(ask, run) == {"lr": "0.1"}

    @pytest.mark.parametrize(
        ("sent", "stored"),
        [({}, ""), ({"value": None}, ""), ({"value": "ü" * 6000}, "ü" * 6000)],
        ids=["none", "null", "long"],
    )
    def test_may_be_empty_or_long(self, ask: Asking, run: str, sent: dict[str, Any], stored: str) -> None:
        assert self.log(ask, run, **sent).status == 200
        assert self.params(ask, run) == {"lr": stored}

    def test_that_is_too_long_is_cut_and_may_come_again(self, ask: Asking, run: str) -> None:
        for length in (6001, 7000):
            assert self.log(ask, run, value="x" * length).status == 200
        assert self.params(ask, run) == {"lr": "x" * 6000}

    @pytest.mark.parametrize("value", [5, True, ["a"], {"a": 1}, "a\x00b", "\ud800"], ids=repr)
    def test_that_is_no_text_is_refused(self, ask: Asking, run: str, value: Any) -> None:
        assert code(self.log(ask, run, value=value)) == (400, "INVALID_PARAMETER_VALUE")
        assert self.params(ask, run) == {}


class TestATagThatIsSet:
    def test_takes_the_place_of_the_one_before(self, ask: Asking, run: str) -> None:
        for value in ("1", "", "x" * 9000):
            assert ask("POST", "runs/set-tag", {"run_id": run, "key": "t", "value": value}).data == {}
            assert ask.site.tracking.get_run(run).data.tags["t"] == value[:8000]

    def test_may_come_when_the_run_has_ended(self, ask: Asking, run: str) -> None:
        ask("POST", "runs/update", {"run_id": run, "status": "FINISHED"})
        assert ask("POST", "runs/set-tag", {"run_uuid": run, "key": "t", "value": "1"}).status == 200


class TestABatch:
    def log(self, ask: Asking, run: str, **sent: Any) -> Answered:
        return ask("POST", "runs/log-batch", {"run_id": run, **sent})

    def test_is_stored_whole(self, ask: Asking, run: str) -> None:
        labels = {
            "params": [{"key": "p", "value": "1"}],
            "tags": [{"key": "t", "value": "1"}, {"key": "t", "value": "2"}],
        }
        assert self.log(ask, run, metrics=[point(step=at) for at in range(3)], **labels).data == {}
        data = ask.site.tracking.get_run(run).data
        assert [step for _, step, _ in points(ask, run, "loss")] == [0, 1, 2]
        assert (data.params, data.tags["t"]) == ({"p": "1"}, "2")

    def test_may_be_as_large_as_mlflows(self, ask: Asking, run: str) -> None:
        assert self.log(ask, run, metrics=[point(step=at) for at in range(1000)]).status == 200
        assert len(points(ask, run, "loss")) == 1000
        params = [{"key": f"p{at}", "value": str(at)} for at in range(100)]
        assert self.log(ask, run, params=params, tags=params).status == 200

    @pytest.mark.parametrize("sent", [{}, {"metrics": [], "params": None}], ids=str)
    def test_may_be_empty(self, ask: Asking, run: str, sent: dict[str, Any]) -> None:
        assert self.log(ask, run, **sent).data == {}

    @pytest.mark.parametrize(
        "sent",
        [
            {"metrics": [point()] * 1001},
            {"params": [{"key": f"p{at}", "value": ""} for at in range(101)]},
            {"tags": [{"key": f"p{at}", "value": ""} for at in range(101)]},
            {"metrics": [point()] * 999, "params": [{"key": "a", "value": ""}], "tags": [{"key": "a", "value": ""}]},
            {"params": [{"key": "a", "value": "1"}] * 2},
            {"params": [{"key": "a", "value": 1}]},
            {"params": [{"key": "a/../../b", "value": "1"}]},
            {"params": {"a": "b"}},
            {"metrics": [1]},
            {"metrics": [{"key": "a", "timestamp": 1}]},
            {"metrics": [{"key": "a", "value": 1}]},
            {"metrics": [{"value": 1, "timestamp": 1}]},
            {"metrics": [point(value="x")]},
            {"metrics": [point(step=1.5)]},
            {"metrics": [point(timestamp=-1)]},
            {"metrics": "loss"},
            {"tags": [{"value": "1"}]},
        ],
        ids=lambda sent: str(sent)[:40],
    )
    def test_that_is_wrong_in_one_place_leaves_nothing(self, ask: Asking, run: str, sent: dict[str, Any]) -> None:
        before = ask.site.tracking.get_run(run).data
        good = {"metrics": [point(key="good")], "params": [{"key": "good", "value": "1"}]}
        assert code(self.log(ask, run, **{**good, **sent})) == (400, "INVALID_PARAMETER_VALUE")
        after = ask.site.tracking.get_run(run).data
        assert (after.metrics, after.params, after.tags) == (before.metrics, before.params, before.tags)

    def test_with_a_param_of_another_value_leaves_nothing(self, ask: Asking, run: str) -> None:
        self.log(ask, run, params=[{"key": "p", "value": "1"}])
        answer = self.log(ask, run, metrics=[point()], params=[{"key": "p", "value": "2"}])
        assert code(answer) == (400, "INVALID_PARAMETER_VALUE")
        assert points(ask, run, "loss") == []

    def test_says_which_member_is_wrong(self, ask: Asking, run: str) -> None:
        answer = self.log(ask, run, metrics=[point(), point(value="x")])
        assert "metrics[1]" in answer.data["message"]


class TestAModelThatAClientOfMlflow2Notes:
    def log(self, ask: Asking, run: str, **fields: Any) -> Answered:
        model = {"run_id": run, "artifact_path": "m", "utc_time_created": "2024-01-01", "flavors": {}, **fields}
        return ask("POST", "runs/log-model", {"run_id": run, "model_json": json.dumps(model)})

    def noted(self, ask: Asking, run: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(ask.site.tracking.get_run(run).data.tags[HISTORY])
        return found

    def test_comes_behind_those_before(self, ask: Asking, run: str) -> None:
        assert self.log(ask, run, artifact_path="a", flavors={"sklearn": {"x": 1}}).data == {}
        assert self.log(ask, run, artifact_path="b", model_uuid="u").data == {}
        first, second = self.noted(ask, run)
        assert (first["artifact_path"], first["flavors"]) == ("a", {"sklearn": {"x": 1}})
        assert (second["artifact_path"], second["model_uuid"]) == ("b", "u")

    def test_may_come_when_the_run_has_ended(self, ask: Asking, run: str) -> None:
        ask("POST", "runs/update", {"run_id": run, "status": "FINISHED"})
        assert self.log(ask, run).status == 200

    def test_drops_details_of_the_oldest_where_there_is_no_room(self, ask: Asking, run: str) -> None:
        for at in range(4):
            assert self.log(ask, run, artifact_path=str(at), signature="s" * 3000).status == 200
        noted = self.noted(ask, run)
        assert [each["artifact_path"] for each in noted] == ["0", "1", "2", "3"]
        assert ["signature" in each for each in noted] == [False, False, True, True]

    def test_takes_the_place_of_the_oldest_where_there_is_no_room_at_all(self, ask: Asking, run: str) -> None:
        for at in range(5):
            assert self.log(ask, run, artifact_path=str(at), flavors={"f": "x" * 2500}).status == 200
        assert [each["artifact_path"] for each in self.noted(ask, run)] == ["2", "3", "4"]

    def test_is_refused_where_it_fits_in_nowhere(self, ask: Asking, run: str) -> None:
        self.log(ask, run)
        assert code(self.log(ask, run, flavors={"f": "x" * 9000})) == (400, "INVALID_PARAMETER_VALUE")
        assert len(self.noted(ask, run)) == 1

    def test_does_not_mind_what_else_stood_in_the_tag(self, ask: Asking, run: str) -> None:
        for text in ("nonsense", "{}", "[1]"):
            ask("POST", "runs/set-tag", {"run_id": run, "key": HISTORY, "value": text})
            assert self.log(ask, run).status == 200
            assert len(self.noted(ask, run)) == 1

    @pytest.mark.parametrize("text", ["nonsense", "[]", "5", "{}", '{"run_id": "a"}', "", "[" * 100_000])
    def test_is_refused_where_it_is_none(self, ask: Asking, run: str, text: str) -> None:
        answer = ask("POST", "runs/log-model", {"run_id": run, "model_json": text})
        assert code(answer) == (400, "INVALID_PARAMETER_VALUE")
        assert HISTORY not in ask.site.tracking.get_run(run).data.tags


class TestAnEmptyName:
    @pytest.mark.parametrize("tag", [{"key": "mlflow.runName", "value": ""}, {"key": "mlflow.runName"}])
    def test_of_a_run_changes_nothing(self, ask: Asking, tag: dict[str, str]) -> None:
        run = ask("POST", "runs/create", {"experiment_id": "0", "run_name": "fox"}).data["run"]["info"]["run_id"]
        assert ask("POST", "runs/set-tag", {"run_id": run, **tag}).data == {}
        assert ask("POST", "runs/log-batch", {"run_id": run, "tags": [{"key": "a", "value": "b"}, tag]}).data == {}
        found = ask.site.tracking.get_run(run)
        assert (found.info.run_name, found.data.tags) == ("fox", {"mlflow.runName": "fox", "a": "b"})
        assert ask("POST", "runs/set-tag", {"run_id": "gone", **tag}).status == 404

    def test_of_spaces_is_one(self, ask: Asking) -> None:
        run = ask("POST", "runs/create", {"experiment_id": "0", "run_name": "fox"}).data["run"]["info"]["run_id"]
        ask("POST", "runs/set-tag", {"run_id": run, "key": "mlflow.runName", "value": "  "})
        assert ask.site.tracking.get_run(run).info.run_name == "  "
