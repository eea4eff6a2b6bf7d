"""Logged models over HTTP: what MLflow's clients send, and what they get."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from dovetail.tracking.run_names import is_generated
from dovetail.values import NewRun

if TYPE_CHECKING:
    from conftest import Answered, Asking


def create(ask: Asking, **sent: Any) -> dict[str, Any]:
    """A new model, as it is answered."""
    answer = ask("POST", "logged-models", {"experiment_id": "0", **sent})
    assert answer.status == 200, answer.body
    model: dict[str, Any] = answer.data["model"]
    return model


def read(ask: Asking, model_id: str, **query: Any) -> dict[str, Any]:
    model: dict[str, Any] = ask("GET", f"logged-models/{model_id}", query=query).data["model"]
    return model


def labels(pairs: list[dict[str, str]] | None) -> dict[str, str]:
    return {each["key"]: each["value"] for each in pairs or []}


def code(answer: Answered) -> tuple[int, str]:
    return answer.status, answer.data["error_code"]


def found(answer: Answered) -> list[str]:
    return [each["info"]["name"] for each in answer.data.get("models", [])]


@pytest.fixture
def run(ask: Asking) -> str:
    """The id of a run."""
    return ask.site.tracking.create_run(NewRun("0")).info.run_id


@pytest.fixture
def model(ask: Asking) -> str:
    """The id of a model."""
    made = create(ask, name="wine", params=[{"key": "a", "value": "b"}], tags=[{"key": "t", "value": "v"}])
    return str(made["info"]["model_id"])


class TestALoggedModelThatIsCreated:
    def test_has_what_was_sent(self, ask: Asking, run: str) -> None:
        pairs = {"params": [{"key": "a", "value": "b"}], "tags": [{"key": "t", "value": "v"}]}
        made = create(ask, name="wine", model_type="classifier", source_run_id=run, **pairs)
        info = made["info"]
        assert (info["name"], info["model_type"], info["source_run_id"]) == ("wine", "classifier", run)
        assert (info["experiment_id"], info["status"]) == ("0", "LOGGED_MODEL_PENDING")
        assert info["creation_timestamp_ms"] == info["last_updated_timestamp_ms"] > 0
        assert (info["tags"], made["data"]["params"]) == (pairs["tags"], pairs["params"])
        assert read(ask, info["model_id"]) == made

    def test_has_an_id_and_a_place_of_the_servers(self, ask: Asking) -> None:
        info = create(ask)["info"]
        assert (info["model_id"][:2], len(info["model_id"])) == ("m-", 34)
        assert info["artifact_uri"] == f"mlflow-artifacts:/0/models/{info['model_id']}/artifacts"

    @pytest.mark.parametrize("sent", [{}, {"name": ""}], ids=str)
    def test_gets_a_name_where_it_has_none(self, ask: Asking, sent: dict[str, Any]) -> None:
        assert is_generated(create(ask, **sent)["info"]["name"])

    def test_has_long_values_cut(self, ask: Asking) -> None:
        long = [{"key": "k", "value": "x" * 9000}]
        made = create(ask, params=long, tags=long)
        assert (len(made["data"]["params"][0]["value"]), len(made["info"]["tags"][0]["value"])) == (6000, 8000)

    @pytest.mark.parametrize(
        "sent",
        [
            {"name": "a/b"},
            {"name": 'a"b'},
            {"name": 5},
            {"name": "x" * 300},
            {"experiment_id": "wine"},
            {"experiment_id": None},
            {"source_run_id": "../x"},
            {"params": [{"key": "a", "value": 1}]},
            {"params": {"a": "b"}},
            {"tags": [{"value": "1"}]},
        ],
        ids=str,
    )
    def test_is_refused_where_it_cannot_be(self, ask: Asking, sent: dict[str, Any]) -> None:
        answer = ask("POST", "logged-models", {"experiment_id": "0", **sent})
        assert code(answer) == (400, "INVALID_PARAMETER_VALUE")

    def test_needs_an_experiment_that_there_is(self, ask: Asking) -> None:
        answer = ask("POST", "logged-models", {"experiment_id": "99"})
        assert code(answer) == (404, "RESOURCE_DOES_NOT_EXIST")


class TestALoggedModelThatIsChanged:
    @pytest.mark.parametrize(
        ("sent", "status"),
        [
            ("LOGGED_MODEL_READY", "LOGGED_MODEL_READY"),
            ("LOGGED_MODEL_UPLOAD_FAILED", "LOGGED_MODEL_UPLOAD_FAILED"),
            (2, "LOGGED_MODEL_READY"),
            ("NONSENSE", "LOGGED_MODEL_STATUS_UNSPECIFIED"),
        ],
    )
    def test_is_as_far_as_it_is_said_to_be(self, ask: Asking, model: str, sent: Any, status: str) -> None:
        answer = ask("PATCH", f"logged-models/{model}", {"model_id": model, "status": sent})
        assert answer.data["model"] == read(ask, model)
        assert read(ask, model)["info"]["status"] == status

    def test_needs_a_status(self, ask: Asking, model: str) -> None:
        assert code(ask("PATCH", f"logged-models/{model}", {})) == (400, "INVALID_PARAMETER_VALUE")

    def test_is_the_one_of_the_path_whatever_the_body_says(self, ask: Asking, model: str) -> None:
        other = create(ask)["info"]["model_id"]
        ask("PATCH", f"logged-models/{model}", {"model_id": other, "status": "LOGGED_MODEL_READY"})
        assert read(ask, other)["info"]["status"] == "LOGGED_MODEL_PENDING"

    def test_gets_tags_and_loses_them(self, ask: Asking, model: str) -> None:
        sent = {"tags": [{"key": "t", "value": "w"}, {"key": "with/slash", "value": "1"}]}
        assert ask("PATCH", f"logged-models/{model}/tags", sent).status == 200
        assert labels(read(ask, model)["info"]["tags"]) == {"t": "w", "with/slash": "1"}
        for key in ("t", "with/slash"):
            assert ask("DELETE", f"logged-models/{model}/tags/{key}").data == {}
        assert "tags" not in read(ask, model)["info"]
        assert code(ask("DELETE", f"logged-models/{model}/tags/t")) == (404, "RESOURCE_DOES_NOT_EXIST")

    def test_gets_params_that_stay(self, ask: Asking, model: str) -> None:
        path, sent = f"logged-models/{model}/params", {"params": [{"key": "c", "value": "d"}]}
        for _ in range(2):
            assert ask("POST", path, sent).data == {}
        answer = ask("POST", path, {"params": [{"key": "c", "value": "e"}, {"key": "f", "value": "g"}]})
        assert code(answer) == (400, "INVALID_PARAMETER_VALUE")
        assert labels(read(ask, model)["data"]["params"]) == {"a": "b", "c": "d"}


class TestALoggedModelThatIsDeleted:
    @pytest.fixture(autouse=True)
    def deleted(self, ask: Asking, model: str) -> None:
        assert ask("DELETE", f"logged-models/{model}").data == {}

    def test_is_there_only_for_those_who_look_into_the_bin(self, ask: Asking, model: str) -> None:
        assert code(ask("GET", f"logged-models/{model}")) == (404, "RESOURCE_DOES_NOT_EXIST")
        answer = ask("GET", f"logged-models/{model}", query={"allow_deleted": "false"})
        assert code(answer) == (404, "RESOURCE_DOES_NOT_EXIST")
        assert read(ask, model, allow_deleted="true")["info"]["name"] == "wine"
        assert ask("POST", "logged-models/search", {"experiment_ids": ["0"]}).data == {}

    def test_may_be_deleted_again(self, ask: Asking, model: str) -> None:
        assert ask("DELETE", f"logged-models/{model}").data == {}

    def test_takes_nothing(self, ask: Asking, model: str) -> None:
        for verb, path, sent in (
            ("PATCH", "", {"status": "LOGGED_MODEL_READY"}),
            ("PATCH", "/tags", {"tags": [{"key": "a", "value": "b"}]}),
            ("POST", "/params", {"params": [{"key": "z", "value": "b"}]}),
            ("DELETE", "/tags/t", None),
        ):
            assert code(ask(verb, f"logged-models/{model}{path}", sent)) == (404, "RESOURCE_DOES_NOT_EXIST")


class TestALoggedModelThatIsNotThere:
    @pytest.mark.parametrize("model_id", ["m-none", "none", "search"])
    def test_is_not_found(self, ask: Asking, model_id: str) -> None:
        for verb, path, sent in (
            ("GET", "", None),
            ("DELETE", "", None),
            ("PATCH", "", {"status": "LOGGED_MODEL_READY"}),
            ("PATCH", "/tags", {"tags": []}),
            ("POST", "/params", {"params": []}),
            ("DELETE", "/tags/t", None),
        ):
            answer = ask(verb, f"logged-models/{model_id}{path}", sent)
            assert code(answer) == (404, "RESOURCE_DOES_NOT_EXIST"), (verb, path)


class TestAModelThatARunMade:
    def test_is_an_output_of_it(self, ask: Asking, run: str, model: str) -> None:
        for step in (3, 4):
            sent = {"run_id": run, "models": [{"model_id": model, "step": step}]}
            assert ask("POST", "runs/outputs", sent).data == {}
            outputs = ask("GET", "runs/get", query={"run_id": run}).data["run"]["outputs"]
            assert outputs == {"model_outputs": [{"model_id": model, "step": step}]}

    @pytest.mark.parametrize(
        ("models", "expected"),
        [
            (None, (400, "INVALID_PARAMETER_VALUE")),
            (["x"], (400, "INVALID_PARAMETER_VALUE")),
            ([{"model_id": "x"}], (400, "INVALID_PARAMETER_VALUE")),
            ([{"model_id": "m-none", "step": 1.5}], (400, "INVALID_PARAMETER_VALUE")),
            ([{"model_id": "m-none"}], (404, "RESOURCE_DOES_NOT_EXIST")),
        ],
        ids=str,
    )
    def test_must_be_one(self, ask: Asking, run: str, models: Any, expected: tuple[int, str]) -> None:
        assert code(ask("POST", "runs/outputs", {"run_id": run, "models": models})) == expected
        assert ask("GET", "runs/get", query={"run_id": run}).data["run"]["outputs"] == {}


class TestASearchForLoggedModels:
    @pytest.fixture(autouse=True)
    def several(self, ask: Asking, run: str) -> None:
        for name, value, dataset in (("a", 0.3, "train"), ("b", 0.9, "train"), ("c", 0.5, "test")):
            model_id = create(ask, name=name)["info"]["model_id"]
            point = {"key": "acc", "value": value, "timestamp": 1, "model_id": model_id}
            sent = {"run_id": run, **point, "dataset_name": dataset, "dataset_digest": "d1"}
            assert ask("POST", "runs/log-metric", sent).status == 200

    def search(self, ask: Asking, **sent: Any) -> Answered:
        return ask("POST", "logged-models/search", {"experiment_ids": ["0"], **sent})

    def test_finds_all_of_an_experiment(self, ask: Asking) -> None:
        assert sorted(found(self.search(ask))) == ["a", "b", "c"]
        assert self.search(ask, experiment_ids=["99"]).data == {}

    def test_finds_by_a_filter_in_an_order(self, ask: Asking) -> None:
        order = [{"field_name": "metrics.acc", "ascending": False}]
        assert found(self.search(ask, filter="metrics.acc > 0.4", order_by=order)) == ["b", "c"]
        assert found(self.search(ask, order_by=[{"field_name": "name"}])) == ["a", "b", "c"]

    def test_looks_only_at_what_was_measured_on_some_datasets(self, ask: Asking) -> None:
        datasets = [{"dataset_name": "train", "dataset_digest": "d1"}]
        assert found(self.search(ask, filter="metrics.acc > 0.4", datasets=datasets)) == ["b"]
        assert found(self.search(ask, filter="metrics.acc > 0.4", datasets=[{"dataset_name": "test"}])) == ["c"]

    def test_gives_pages(self, ask: Asking) -> None:
        order = [{"field_name": "name", "ascending": True}]
        first = self.search(ask, max_results=2, order_by=order)
        second = self.search(ask, max_results=2, order_by=order, page_token=first.data["next_page_token"])
        assert (found(first), found(second)) == (["a", "b"], ["c"])
        assert "next_page_token" not in second.data

    def test_gives_models_as_they_are_read_one_by_one(self, ask: Asking) -> None:
        models = self.search(ask).data["models"]
        assert models == [read(ask, each["info"]["model_id"]) for each in models]

    @pytest.mark.parametrize(
        "sent",
        [
            {"experiment_ids": None},
            {"experiment_ids": ["wine"]},
            {"max_results": 0},
            {"max_results": 50_001},
            {"filter": "a b c"},
            {"filter": "metrics.acc > 'x'"},
            {"order_by": [{"field_name": "nonsense"}]},
            {"order_by": [{}]},
            {"order_by": ["name"]},
            {"order_by": [{"field_name": "name", "ascending": "yes"}]},
            {"datasets": [{"dataset_digest": "d1"}]},
            {"datasets": "train"},
            {"page_token": "nonsense"},
        ],
        ids=str,
    )
    def test_that_cannot_be_is_refused(self, ask: Asking, sent: dict[str, Any]) -> None:
        assert code(self.search(ask, **sent)) == (400, "INVALID_PARAMETER_VALUE")
