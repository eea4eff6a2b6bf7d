"""Experiments over HTTP: what MLflow's clients send, and what they get."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Answered, Asking


@pytest.fixture
def wine(ask: Asking) -> str:
    """The id of an experiment named ``wine``."""
    sent = {"name": "wine", "tags": [{"key": "team", "value": "blue"}]}
    return str(ask("POST", "experiments/create", sent).data["experiment_id"])


def experiment(ask: Asking, experiment_id: str) -> dict[str, Any]:
    found: dict[str, Any] = ask("GET", "experiments/get", query={"experiment_id": experiment_id}).data["experiment"]
    return found


def names(answer: Answered) -> list[str]:
    return [each["name"] for each in answer.data.get("experiments", [])]


def code(answer: Answered) -> tuple[int, str]:
    return answer.status, answer.data["error_code"]


class TestAServerThatIsNew:
    def test_has_the_default_experiment(self, ask: Asking) -> None:
        default = experiment(ask, "0")
        assert (default["name"], default["lifecycle_stage"]) == ("Default", "active")
        assert default["artifact_location"] == "mlflow-artifacts:/0"

    def test_answers_pages_too(self, ask: Asking) -> None:
        answer = ask("GET", "/ajax-api/2.0/mlflow/experiments/get", query={"experiment_id": "0"})
        assert answer.data["experiment"]["name"] == "Default"

    def test_has_no_other(self, ask: Asking) -> None:
        assert code(ask("GET", "experiments/get", query={"experiment_id": "7"})) == (404, "RESOURCE_DOES_NOT_EXIST")
        by_name = ask("GET", "experiments/get-by-name", query={"experiment_name": "wine"})
        assert code(by_name) == (404, "RESOURCE_DOES_NOT_EXIST")


class TestAnExperimentThatIsCreated:
    def test_has_what_was_sent(self, ask: Asking, wine: str) -> None:
        found = experiment(ask, wine)
        assert (found["experiment_id"], found["name"], found["lifecycle_stage"]) == (wine, "wine", "active")
        assert found["tags"] == [{"key": "team", "value": "blue"}]
        assert found["creation_time"] == found["last_update_time"] > 0

    def test_keeps_its_artifacts_where_the_server_passes_them_on(self, ask: Asking, wine: str) -> None:
        assert experiment(ask, wine)["artifact_location"] == f"mlflow-artifacts:/{wine}"

    def test_keeps_them_below_the_root_at_the_place_that_it_names(self, ask: Asking) -> None:
        sent = {"name": "beer", "artifact_location": "mlflow-artifacts:/drinks/beer"}
        number = ask("POST", "experiments/create", sent).data["experiment_id"]
        assert experiment(ask, number)["artifact_location"] == "mlflow-artifacts:/drinks/beer"
        kept = ask.site.tracking.get_experiment(number).artifact_location
        assert kept == f"{ask.site.root}/drinks/beer"

    def test_shows_their_real_place_where_the_server_does_not_pass_them_on(self, opened: Callable[..., Asking]) -> None:
        ask = opened(serves_artifacts=False)
        assert experiment(ask, "0")["artifact_location"] == f"{ask.site.root}/0"

    def test_is_found_by_its_name(self, ask: Asking, wine: str) -> None:
        answer = ask("GET", "experiments/get-by-name", query={"experiment_name": "wine"})
        assert answer.data["experiment"] == experiment(ask, wine)

    def test_is_refused_when_the_name_is_taken(self, ask: Asking, wine: str) -> None:
        assert code(ask("POST", "experiments/create", {"name": "wine"})) == (400, "RESOURCE_ALREADY_EXISTS")

    def test_is_refused_with_two_tags_of_which_one_is_none(self, ask: Asking) -> None:
        sent = {"name": "beer", "tags": [{"key": "a", "value": "b"}, {"key": "../c", "value": "d"}]}
        assert code(ask("POST", "experiments/create", sent)) == (400, "INVALID_PARAMETER_VALUE")
        assert ask("GET", "experiments/get-by-name", query={"experiment_name": "beer"}).status == 404


class TestAnExperimentThatIsChanged:
    def test_gets_another_name(self, ask: Asking, wine: str) -> None:
        assert ask("POST", "experiments/update", {"experiment_id": wine, "new_name": "beer"}).data == {}
        assert experiment(ask, wine)["name"] == "beer"

    def test_keeps_it_when_the_other_is_taken(self, ask: Asking, wine: str) -> None:
        answer = ask("POST", "experiments/update", {"experiment_id": wine, "new_name": "Default"})
        assert code(answer) == (400, "RESOURCE_ALREADY_EXISTS")
        assert experiment(ask, wine)["name"] == "wine"

    def test_gets_tags_and_loses_them(self, ask: Asking, wine: str) -> None:
        for value in ("1", "", "x" * 9000):
            sent = {"experiment_id": wine, "key": "k", "value": value}
            assert ask("POST", "experiments/set-experiment-tag", sent).data == {}
            assert {"key": "k", "value": value[:8000]} in experiment(ask, wine)["tags"]
        gone = {"experiment_id": wine, "key": "k"}
        assert ask("POST", "experiments/delete-experiment-tag", gone).data == {}
        assert [each["key"] for each in experiment(ask, wine)["tags"]] == ["team"]
        answer = ask("POST", "experiments/delete-experiment-tag", gone)
        assert code(answer) == (404, "RESOURCE_DOES_NOT_EXIST")


class TestAnExperimentThatIsDeleted:
    @pytest.fixture(autouse=True)
    def deleted(self, ask: Asking, wine: str) -> None:
        assert ask("POST", "experiments/delete", {"experiment_id": wine}).data == {}

    def test_is_seen_as_such(self, ask: Asking, wine: str) -> None:
        assert experiment(ask, wine)["lifecycle_stage"] == "deleted"
        found = ask("GET", "experiments/get-by-name", query={"experiment_name": "wine"}).data["experiment"]
        assert found["lifecycle_stage"] == "deleted"

    def test_cannot_be_deleted_again(self, ask: Asking, wine: str) -> None:
        assert code(ask("POST", "experiments/delete", {"experiment_id": wine})) == (404, "RESOURCE_DOES_NOT_EXIST")

    def test_keeps_its_name(self, ask: Asking, wine: str) -> None:
        assert code(ask("POST", "experiments/create", {"name": "wine"})) == (400, "RESOURCE_ALREADY_EXISTS")
        answer = ask("POST", "experiments/update", {"experiment_id": "0", "new_name": "wine"})
        assert code(answer) == (400, "RESOURCE_ALREADY_EXISTS")

    def test_takes_no_other_name(self, ask: Asking, wine: str) -> None:
        answer = ask("POST", "experiments/update", {"experiment_id": wine, "new_name": "beer"})
        assert code(answer) == (500, "INVALID_STATE")

    @pytest.mark.parametrize(
        ("path", "sent"),
        [
            ("experiments/set-experiment-tag", {"key": "a", "value": "b"}),
            ("experiments/delete-experiment-tag", {"key": "team"}),
            ("runs/create", {}),
            ("logged-models", {"name": "m"}),
        ],
    )
    def test_takes_nothing(self, ask: Asking, wine: str, path: str, sent: dict[str, Any]) -> None:
        assert code(ask("POST", path, {"experiment_id": wine, **sent})) == (400, "INVALID_PARAMETER_VALUE")

    def test_comes_back_once(self, ask: Asking, wine: str) -> None:
        assert ask("POST", "experiments/restore", {"experiment_id": wine}).data == {}
        assert experiment(ask, wine)["lifecycle_stage"] == "active"
        assert code(ask("POST", "experiments/restore", {"experiment_id": wine})) == (404, "RESOURCE_DOES_NOT_EXIST")

    def test_is_found_only_by_a_search_for_such(self, ask: Asking) -> None:
        for sent, expected in (
            ({}, ["Default"]),
            ({"view_type": "ACTIVE_ONLY"}, ["Default"]),
            ({"view_type": "DELETED_ONLY"}, ["wine"]),
            ({"view_type": 2}, ["wine"]),
            ({"view_type": "ALL"}, ["wine", "Default"]),
            ({"view_type": "NONSENSE"}, ["Default"]),
        ):
            assert names(ask("POST", "experiments/search", {"max_results": 5, **sent})) == expected, sent


class TestASearchForExperiments:
    @pytest.fixture(autouse=True)
    def several(self, ask: Asking) -> None:
        for name in ("ale", "beer", "cider"):
            ask("POST", "experiments/create", {"name": name, "tags": [{"key": "of", "value": name[0]}]})

    def test_finds_the_newest_first(self, ask: Asking) -> None:
        assert names(ask("POST", "experiments/search", {"max_results": 10})) == ["cider", "beer", "ale", "Default"]

    def test_gives_pages(self, ask: Asking) -> None:
        found: list[str] = []
        token = ""
        while True:
            answer = ask("POST", "experiments/search", {"max_results": 3, "page_token": token})
            found += names(answer)
            if (token := answer.data.get("next_page_token", "")) == "":
                break
        assert found == ["cider", "beer", "ale", "Default"]

    def test_may_be_asked_in_a_query_too(self, ask: Asking) -> None:
        query = {"max_results": "2", "filter": "name != 'Default'", "order_by": ["tags.of ASC", "name ASC"]}
        bad = ask("GET", "experiments/search", query=query)
        assert code(bad) == (400, "INVALID_PARAMETER_VALUE")  # tags are nothing to order experiments by
        query["order_by"] = ["name ASC"]
        assert names(ask("GET", "experiments/search", query=query)) == ["ale", "beer"]

    def test_finds_by_tags(self, ask: Asking) -> None:
        assert names(ask("POST", "experiments/search", {"filter": "tags.of = 'b'"})) == ["beer"]

    def test_that_finds_nothing_answers_nothing(self, ask: Asking) -> None:
        assert ask("POST", "experiments/search", {"filter": "name = 'x'", "max_results": 1}).data == {}

    @pytest.mark.parametrize(
        "sent",
        [
            {"max_results": 0},
            {"max_results": -1},
            {"max_results": 50_001},
            {"max_results": "many"},
            {"max_results": 2**70},
            {"filter": "name ="},
            {"filter": "metrics.a > 1"},
            {"order_by": ["nonsense"]},
            {"order_by": "name"},
            {"page_token": "nonsense"},
        ],
        ids=str,
    )
    def test_that_cannot_be_is_refused(self, ask: Asking, sent: dict[str, Any]) -> None:
        answer = ask("POST", "experiments/search", {"max_results": 5, **sent})
        assert code(answer) == (400, "INVALID_PARAMETER_VALUE")

    def test_refuses_the_token_of_another_search(self, ask: Asking) -> None:
        token = ask("POST", "experiments/search", {"max_results": 1}).data["next_page_token"]
        sent = {"max_results": 1, "page_token": token, "filter": "name != 'x'"}
        assert code(ask("POST", "experiments/search", sent)) == (400, "INVALID_PARAMETER_VALUE")


class TestAPlaceForArtifactsThatAClientNames:
    @pytest.mark.parametrize(
        "place",
        [
            "http://evil.example/x",
            "HTTPS://evil.example/x",
            "ftp://evil.example/x",
            "sftp://evil.example/x",
            "hdfs://evil.example/x",
            "abfss://c@evil.example/x",
            "simplecache::http://evil.example/x",
            "blockcache::s3://bucket/x",
            "s3+http://evil.example/x",
            "github://me:repo@evil/x",
            "arrow_hdfs://evil.example/x",
            "mlflow-artifacts://evil.example/x",
            "mlflow-artifacts:x",
            "mlflow-artifacts:/../x",
            "mlflow-artifacts:/%2e%2e/x",
            "file://evil.example/x",
            "file:////evil.example/x",
            "//evil.example/x",
            "\\\\evil.example\\x",
            "s3://bucket/x#fragment",
            "s3://bucket/x;params",
            "runs:/abc/x",
            "models:/wine/1",
            "/a\x00b",
            "/" + "x" * 5000,
        ],
    )
    def test_is_refused_where_it_names_a_host_or_is_no_place(self, ask: Asking, place: str) -> None:
        answer = ask("POST", "experiments/create", {"name": "beer", "artifact_location": place})
        assert code(answer) == (400, "INVALID_PARAMETER_VALUE")
        assert ask("GET", "experiments/get-by-name", query={"experiment_name": "beer"}).status == 404

    @pytest.mark.parametrize(
        "place",
        ["s3://bucket/x", "s3://bucket/x?a=1", "gs://b/x", "dbfs:/x", "/srv/x", "file:///srv/x", "C:\\x", "D:/x"],
    )
    def test_is_handed_out_as_it_came_in(self, ask: Asking, place: str) -> None:
        sent = {"name": "beer", "artifact_location": place}
        number = ask("POST", "experiments/create", sent).data["experiment_id"]
        assert experiment(ask, number)["artifact_location"] == place

    def test_may_be_written_with_an_empty_host(self, ask: Asking) -> None:
        sent = {"name": "beer", "artifact_location": "mlflow-artifacts:///x"}
        number = ask("POST", "experiments/create", sent).data["experiment_id"]
        assert experiment(ask, number)["artifact_location"] == "mlflow-artifacts:/x"

    def test_lies_below_the_servers_folder_if_it_is_relative(
        self, ask: Asking, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        number = ask("POST", "experiments/create", {"name": "b", "artifact_location": "x/../y"}).data["experiment_id"]
        assert experiment(ask, number)["artifact_location"] == f"{tmp_path}/y"

    def test_may_be_empty_for_the_usual_one(self, ask: Asking) -> None:
        number = ask("POST", "experiments/create", {"name": "b", "artifact_location": ""}).data["experiment_id"]
        assert experiment(ask, number)["artifact_location"] == f"mlflow-artifacts:/{number}"
