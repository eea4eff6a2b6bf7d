"""Runs over HTTP: what MLflow's clients send, and what they get."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from dovetail.tracking.run_names import is_generated
from dovetail.values import RunStatus

if TYPE_CHECKING:
    from conftest import Answered, Asking

UNKNOWN = "0" * 32


def create(ask: Asking, **sent: Any) -> dict[str, Any]:
    """A new run, as it is answered."""
    answer = ask("POST", "runs/create", {"experiment_id": "0", **sent})
    assert answer.status == 200, answer.body
    run: dict[str, Any] = answer.data["run"]
    return run


def read(ask: Asking, run_id: str) -> dict[str, Any]:
    run: dict[str, Any] = ask("GET", "runs/get", query={"run_id": run_id}).data["run"]
    return run


def tags(run: dict[str, Any]) -> dict[str, str]:
    return {each["key"]: each["value"] for each in run["data"].get("tags", [])}


def code(answer: Answered) -> tuple[int, str]:
    return answer.status, answer.data["error_code"]


def found(answer: Answered) -> list[str]:
    return [each["info"]["run_name"] for each in answer.data.get("runs", [])]


@pytest.fixture
def run(ask: Asking) -> str:
    """The id of a run."""
    run_id: str = create(ask, run_name="first", start_time=1000)["info"]["run_id"]
    return run_id


class TestARunThatIsCreated:
    def test_has_what_was_sent(self, ask: Asking) -> None:
        sent = {"user_id": "ada", "start_time": 123, "run_name": "first", "tags": [{"key": "a", "value": "b"}]}
        made = create(ask, **sent)
        info = made["info"]
        assert (info["user_id"], info["start_time"], info["run_name"]) == ("ada", 123, "first")
        assert (info["status"], info["lifecycle_stage"], info["experiment_id"]) == ("RUNNING", "active", "0")
        assert "end_time" not in info
        assert tags(made) == {"a": "b", "mlflow.runName": "first"}
        assert read(ask, info["run_id"]) == made

    def test_has_an_id_of_the_servers_under_both_names(self, ask: Asking) -> None:
        info = create(ask)["info"]
        assert info["run_id"] == info["run_uuid"]
        assert len(info["run_id"]) == 32
        assert int(info["run_id"], 16) >= 0

    def test_has_its_artifacts_below_its_experiments(self, ask: Asking) -> None:
        info = create(ask)["info"]
        assert info["artifact_uri"] == f"mlflow-artifacts:/0/{info['run_id']}/artifacts"

    def test_has_them_where_its_experiment_has_them(self, ask: Asking) -> None:
        sent = {"name": "far", "artifact_location": "s3://bucket/x"}
        number = ask("POST", "experiments/create", sent).data["experiment_id"]
        info = create(ask, experiment_id=number)["info"]
        assert info["artifact_uri"] == f"s3://bucket/x/{info['run_id']}/artifacts"

    @pytest.mark.parametrize("sent", [{}, {"run_name": ""}, {"tags": [{"key": "mlflow.runName", "value": ""}]}])
    def test_gets_a_name_where_it_has_none(self, ask: Asking, sent: dict[str, Any]) -> None:
        made = create(ask, **sent)
        assert is_generated(made["info"]["run_name"])
        assert tags(made) == {"mlflow.runName": made["info"]["run_name"]}

    def test_may_have_its_name_from_the_tag(self, ask: Asking) -> None:
        assert create(ask, tags=[{"key": "mlflow.runName", "value": "tagged"}])["info"]["run_name"] == "tagged"

    def test_is_refused_with_two_names(self, ask: Asking) -> None:
        sent = {"experiment_id": "0", "run_name": "a", "tags": [{"key": "mlflow.runName", "value": "b"}]}
        assert code(ask("POST", "runs/create", sent)) == (400, "INVALID_PARAMETER_VALUE")
        assert ask("POST", "runs/search", {"experiment_ids": ["0"]}).data == {}

    def test_takes_the_last_of_two_tags_and_cuts_a_long_one(self, ask: Asking) -> None:
        sent = [{"key": "a", "value": "1"}, {"key": "a", "value": "2"}, {"key": "b", "value": "x" * 9000}]
        made = tags(create(ask, tags=sent))
        assert (made["a"], made["b"]) == ("2", "x" * 8000)

    def test_starts_now_where_it_does_not_say_when(self, ask: Asking) -> None:
        first, second = create(ask)["info"]["start_time"], create(ask)["info"]["start_time"]
        assert 1_700_000_000_000 < first <= second

    def test_takes_numbers_as_text(self, ask: Asking) -> None:
        assert create(ask, start_time="456")["info"]["start_time"] == 456


class TestARunThatIsRead:
    @pytest.mark.parametrize("name", ["run_id", "run_uuid"])
    def test_may_be_asked_for_by_either_name_of_its_id(self, ask: Asking, run: str, name: str) -> None:
        assert ask("GET", "runs/get", query={name: run}).data["run"]["info"]["run_id"] == run

    def test_shows_all_that_it_has(self, ask: Asking, run: str) -> None:
        batch = {
            "metrics": [
                {"key": "loss", "value": 1.5, "timestamp": 5, "step": 0},
                {"key": "loss", "value": "NaN", "timestamp": 6, "step": 2},
                {"key": "loss", "value": 0.5, "timestamp": 7, "step": 1},
            ],
            "params": [{"key": "lr", "value": "0.1"}],
        }
        ask("POST", "runs/log-batch", {"run_id": run, **batch})
        data = read(ask, run)["data"]
        assert data["metrics"] == [{"key": "loss", "value": "NaN", "timestamp": 6, "step": 2}]
        assert data["params"] == batch["params"]

    def test_is_failed_and_says_more_where_its_process_crashed(self, ask: Asking, run: str) -> None:
        ask.site.tracking.update_run(run, status=RunStatus.CRASHED)
        seen = read(ask, run)
        assert seen["info"]["status"] == "FAILED"
        assert tags(seen)["dovetail.status"] == "CRASHED"


class TestARunThatIsChanged:
    def test_ends(self, ask: Asking, run: str) -> None:
        sent = {"run_id": run, "run_uuid": run, "status": "FINISHED", "end_time": 2000}
        info = ask("POST", "runs/update", sent).data["run_info"]
        assert (info["status"], info["end_time"]) == ("FINISHED", 2000)
        assert info == read(ask, run)["info"]
        assert info["artifact_uri"] == f"mlflow-artifacts:/0/{run}/artifacts"

    def test_runs_again(self, ask: Asking, run: str) -> None:
        ask("POST", "runs/update", {"run_id": run, "status": "FAILED", "end_time": 2000})
        info = ask("POST", "runs/update", {"run_uuid": run, "status": "RUNNING"}).data["run_info"]
        assert info["status"] == "RUNNING"
        assert "end_time" not in info

    @pytest.mark.parametrize("status", ["NONSENSE", "finished", "CRASHED", 17])
    def test_keeps_its_status_where_nobody_knows_the_new_one(self, ask: Asking, run: str, status: Any) -> None:
        assert ask("POST", "runs/update", {"run_id": run, "status": status}).data["run_info"]["status"] == "RUNNING"

    def test_knows_a_status_by_its_number(self, ask: Asking, run: str) -> None:
        assert ask("POST", "runs/update", {"run_id": run, "status": 5}).data["run_info"]["status"] == "KILLED"

    def test_gets_another_name_in_both_places(self, ask: Asking, run: str) -> None:
        ask("POST", "runs/update", {"run_id": run, "run_name": "second"})
        assert read(ask, run)["info"]["run_name"] == tags(read(ask, run))["mlflow.runName"] == "second"
        ask("POST", "runs/set-tag", {"run_id": run, "key": "mlflow.runName", "value": "third"})
        assert read(ask, run)["info"]["run_name"] == tags(read(ask, run))["mlflow.runName"] == "third"

    def test_keeps_its_name_where_the_new_one_is_empty(self, ask: Asking, run: str) -> None:
        assert ask("POST", "runs/update", {"run_id": run, "run_name": ""}).data["run_info"]["run_name"] == "first"

    def test_loses_a_tag_once(self, ask: Asking, run: str) -> None:
        ask("POST", "runs/set-tag", {"run_id": run, "key": "a", "value": "b"})
        assert ask("POST", "runs/delete-tag", {"run_id": run, "key": "a"}).data == {}
        assert "a" not in tags(read(ask, run))
        assert code(ask("POST", "runs/delete-tag", {"run_id": run, "key": "a"})) == (404, "RESOURCE_DOES_NOT_EXIST")


class TestARunThatIsDeleted:
    @pytest.fixture(autouse=True)
    def deleted(self, ask: Asking, run: str) -> None:
        ask("POST", "runs/set-tag", {"run_id": run, "key": "a", "value": "b"})
        assert ask("POST", "runs/delete", {"run_id": run}).data == {}

    def test_is_seen_as_such_and_may_be_deleted_again(self, ask: Asking, run: str) -> None:
        assert read(ask, run)["info"]["lifecycle_stage"] == "deleted"
        assert ask("POST", "runs/delete", {"run_id": run}).data == {}

    @pytest.mark.parametrize(
        ("path", "sent"),
        [
            ("runs/log-metric", {"key": "m", "value": 1, "timestamp": 1}),
            ("runs/log-parameter", {"key": "p", "value": "1"}),
            ("runs/set-tag", {"key": "t", "value": "1"}),
            ("runs/delete-tag", {"key": "a"}),
            ("runs/log-batch", {"params": [{"key": "p", "value": "1"}]}),
            ("runs/log-inputs", {}),
            ("runs/outputs", {"models": []}),
            ("runs/update", {"status": "FINISHED"}),
            (
                "runs/log-model",
                {"model_json": '{"run_id": "r", "artifact_path": "m", "utc_time_created": "t", "flavors": {}}'},
            ),
        ],
    )
    def test_takes_nothing(self, ask: Asking, run: str, path: str, sent: dict[str, Any]) -> None:
        before = read(ask, run)
        assert code(ask("POST", path, {"run_id": run, **sent})) == (400, "INVALID_PARAMETER_VALUE")
        assert read(ask, run) == before

    def test_comes_back(self, ask: Asking, run: str) -> None:
        for _ in range(2):
            assert ask("POST", "runs/restore", {"run_id": run}).data == {}
            assert read(ask, run)["info"]["lifecycle_stage"] == "active"

    def test_stays_while_its_experiment_is_deleted(self, ask: Asking, run: str) -> None:
        ask("POST", "experiments/delete", {"experiment_id": "0"})
        assert code(ask("POST", "runs/restore", {"run_id": run})) == (400, "INVALID_PARAMETER_VALUE")

    def test_is_found_only_by_a_search_for_such(self, ask: Asking) -> None:
        create(ask, run_name="active")
        for view, expected in (
            ("ACTIVE_ONLY", ["active"]),
            ("DELETED_ONLY", ["first"]),
            (2, ["first"]),
            ("X", ["active"]),
        ):
            assert found(ask("POST", "runs/search", {"experiment_ids": ["0"], "run_view_type": view})) == expected


class TestARunOfADeletedExperiment:
    def test_goes_and_comes_with_it(self, ask: Asking, run: str) -> None:
        ask("POST", "experiments/delete", {"experiment_id": "0"})
        sent = {"run_id": run, "key": "m", "value": 1, "timestamp": 1}
        assert code(ask("POST", "runs/log-metric", sent)) == (400, "INVALID_PARAMETER_VALUE")
        ask("POST", "experiments/restore", {"experiment_id": "0"})
        assert ask("POST", "runs/log-metric", sent).data == {}


class TestASearchForRuns:
    @pytest.fixture(autouse=True)
    def several(self, ask: Asking) -> None:
        for at, name in enumerate(("a", "b", "c")):
            run_id = create(ask, run_name=name, start_time=1000 + at)["info"]["run_id"]
            metrics = [{"key": "loss", "value": at, "timestamp": 1}]
            ask(
                "POST",
                "runs/log-batch",
                {"run_id": run_id, "metrics": metrics, "params": [{"key": "p", "value": name}]},
            )

    def test_finds_the_latest_first(self, ask: Asking) -> None:
        assert found(ask("POST", "runs/search", {"experiment_ids": ["0"]})) == ["c", "b", "a"]

    def test_finds_by_a_filter_in_an_order(self, ask: Asking) -> None:
        sent = {"experiment_ids": ["0"], "filter": "metrics.loss < 2", "order_by": ["params.p ASC"]}
        assert found(ask("POST", "runs/search", sent)) == ["a", "b"]

    def test_gives_pages(self, ask: Asking) -> None:
        pages = []
        token = ""
        for _ in range(2):
            answer = ask("POST", "runs/search", {"experiment_ids": ["0"], "max_results": 2, "page_token": token})
            pages.append(found(answer))
            token = answer.data.get("next_page_token", "")
        assert pages == [["c", "b"], ["a"]]
        assert token == ""

    def test_gives_runs_as_they_are_read_one_by_one(self, ask: Asking) -> None:
        runs = ask("POST", "runs/search", {"experiment_ids": ["0"]}).data["runs"]
        assert runs == [read(ask, each["info"]["run_id"]) for each in runs]

    @pytest.mark.parametrize(
        "sent",
        [{}, {"experiment_ids": []}, {"experiment_ids": ["99"]}, {"experiment_ids": ["0"], "filter": "params.p = 'x'"}],
        ids=str,
    )
    def test_that_finds_nothing_answers_nothing(self, ask: Asking, sent: dict[str, Any]) -> None:
        assert ask("POST", "runs/search", sent).data == {}

    @pytest.mark.parametrize(
        "sent",
        [
            {"max_results": 0},
            {"max_results": 50_001},
            {"max_results": 1.5},
            {"filter": "a b c"},
            {"filter": 5},
            {"order_by": ["foo.bar ASC"]},
            {"page_token": "nonsense"},
            {"experiment_ids": ["wine"]},
            {"experiment_ids": [0]},
            {"experiment_ids": "0"},
        ],
        ids=str,
    )
    def test_that_cannot_be_is_refused(self, ask: Asking, sent: dict[str, Any]) -> None:
        answer = ask("POST", "runs/search", {"experiment_ids": ["0"], **sent})
        assert code(answer) == (400, "INVALID_PARAMETER_VALUE")


class TestARunThatIsNotThere:
    @pytest.mark.parametrize("run_id", [UNKNOWN, "../../x", "x" * 300, "a\x00b"])
    def test_is_not_found(self, ask: Asking, run_id: str) -> None:
        missing = (404, "RESOURCE_DOES_NOT_EXIST")
        assert code(ask("GET", "runs/get", query={"run_id": run_id})) == missing
        for path, sent in (
            ("runs/update", {"status": "FINISHED"}),
            ("runs/delete", {}),
            ("runs/restore", {}),
            ("runs/delete-tag", {"key": "a"}),
            ("runs/log-metric", {"key": "m", "value": 1, "timestamp": 1}),
            ("runs/log-parameter", {"key": "p", "value": "1"}),
            ("runs/set-tag", {"key": "t", "value": "1"}),
            ("runs/log-batch", {}),
            ("runs/log-inputs", {}),
            ("runs/outputs", {"models": []}),
        ):
            assert code(ask("POST", path, {"run_id": run_id, **sent})) == missing, path
