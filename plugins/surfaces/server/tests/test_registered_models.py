"""Registered models over HTTP: what MLflow's clients send, and what they get."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Any

import pytest

from dovetail.values import NewModelVersion, RegistryTag

if TYPE_CHECKING:
    from conftest import Asking

NO_PROMPTS = "tag.`mlflow.prompt.is_prompt` != 'true'"
"""What clients of MLflow 3 add to every search."""


@pytest.fixture
def wine(ask: Asking) -> Asking:
    """A server with a registered model ``wine`` of three versions, of which the last one is in production."""
    registry = ask.site.registry
    registry.create_registered_model("wine", "red and white", (RegistryTag("team", "a"),))
    for number in range(1, 4):
        registry.create_model_version(NewModelVersion("wine", f"s3://bucket/{number}"))
    registry.transition_stage("wine", 3, "Production")
    return ask


def numbers(answer: Any) -> list[str]:
    return [version["version"] for version in answer.data.get("model_versions", [])]


class TestARegisteredModelThatIsCreated:
    def test_has_what_was_sent(self, ask: Asking) -> None:
        sent = {"name": "wine", "description": "red", "tags": [{"key": "team", "value": "a"}]}
        model = ask("POST", "registered-models/create", sent).data["registered_model"]
        assert (model["name"], model["description"], model["tags"]) == ("wine", "red", sent["tags"])
        assert model["creation_timestamp"] == model["last_updated_timestamp"] > 0
        assert "latest_versions" not in model
        assert ask("GET", "registered-models/get", query={"name": "wine"}).data["registered_model"] == model

    def test_takes_a_tag_without_a_value_and_fields_that_it_does_not_know(self, ask: Asking) -> None:
        sent = {"name": "wine", "tags": [{"key": "k"}], "deployment_job_id": "j", "new": 1}
        assert ask("POST", "registered-models/create", sent).data["registered_model"]["tags"] == [
            {"key": "k", "value": ""}
        ]

    def test_is_refused_when_the_name_is_taken(self, wine: Asking) -> None:
        answer = wine("POST", "registered-models/create", {"name": "wine"})
        assert (answer.status, answer.data["error_code"]) == (400, "RESOURCE_ALREADY_EXISTS")

    def test_is_found_under_the_paths_of_pages_too(self, wine: Asking) -> None:
        answer = wine("GET", "/ajax-api/2.0/mlflow/registered-models/get", query={"name": "wine"})
        assert answer.data["registered_model"]["description"] == "red and white"


class TestARegisteredModelThatIsChanged:
    def test_gets_another_name_with_all_that_is_its_own(self, wine: Asking) -> None:
        wine("POST", "registered-models/alias", {"name": "wine", "alias": "best", "version": "2"})
        answer = wine("POST", "registered-models/rename", {"name": "wine", "new_name": "grape"})
        model = answer.data["registered_model"]
        assert model["name"] == "grape"
        assert {version["name"] for version in model["latest_versions"]} == {"grape"}
        assert model["aliases"] == [{"alias": "best", "version": "2"}]
        assert wine("GET", "registered-models/get", query={"name": "wine"}).status == 404

    def test_is_not_renamed_to_a_name_that_is_taken(self, wine: Asking) -> None:
        wine.site.registry.create_registered_model("grape")
        answer = wine("POST", "registered-models/rename", {"name": "wine", "new_name": "grape"})
        assert (answer.status, answer.data["error_code"]) == (400, "RESOURCE_ALREADY_EXISTS")

    def test_gets_another_description(self, wine: Asking) -> None:
        answer = wine("PATCH", "registered-models/update", {"name": "wine", "description": "rosé"})
        assert answer.data["registered_model"]["description"] == "rosé"

    def test_loses_its_description_when_none_is_sent(self, wine: Asking) -> None:
        wine("PATCH", "registered-models/update", {"name": "wine"})
        assert not wine.site.registry.get_registered_model("wine").description

    def test_gets_and_loses_tags(self, wine: Asking) -> None:
        assert wine("POST", "registered-models/set-tag", {"name": "wine", "key": "a", "value": "1"}).data == {}
        assert wine("POST", "registered-models/set-tag", {"name": "wine", "key": "b"}).data == {}
        for _ in range(2):  # one that is not there is none to remove
            assert wine("DELETE", "registered-models/delete-tag", {"name": "wine", "key": "team"}).data == {}
        assert wine.site.registry.get_registered_model("wine").tags == {"a": "1", "b": ""}

    def test_is_removed_by_a_request_with_a_body(self, wine: Asking) -> None:
        assert wine("DELETE", "registered-models/delete", {"name": "wine"}).data == {}
        answer = wine("DELETE", "registered-models/delete", {"name": "wine"})
        assert (answer.status, answer.data["error_code"]) == (404, "RESOURCE_DOES_NOT_EXIST")


class TestTheLatestVersions:
    @pytest.mark.parametrize("verb", ["GET", "POST"])
    def test_are_those_of_each_stage(self, wine: Asking, verb: str) -> None:
        asked = {"name": "wine"}
        answer = wine(verb, "registered-models/get-latest-versions", **_sent(verb, asked))
        assert sorted(numbers(answer)) == ["2", "3"]

    @pytest.mark.parametrize("verb", ["GET", "POST"])
    def test_are_those_of_some_stages_in_any_case_of_letters(self, wine: Asking, verb: str) -> None:
        asked = {"name": "wine", "stages": ["production", "ARCHIVED"]}
        assert numbers(wine(verb, "registered-models/get-latest-versions", **_sent(verb, asked))) == ["3"]

    @pytest.mark.parametrize("verb", ["GET", "POST"])
    def test_are_none_of_a_stage_without_versions(self, wine: Asking, verb: str) -> None:
        asked = {"name": "wine", "stages": ["Staging"]}
        assert wine(verb, "registered-models/get-latest-versions", **_sent(verb, asked)).data == {}


def _sent(verb: str, fields: dict[str, Any]) -> dict[str, Any]:
    return {"query" if verb == "GET" else "body": fields}


class TestAnAlias:
    def test_points_at_a_version_until_it_is_removed(self, wine: Asking) -> None:
        assert wine("POST", "registered-models/alias", {"name": "wine", "alias": "best", "version": "2"}).data == {}
        found = wine("GET", "registered-models/alias", query={"name": "wine", "alias": "best"})
        assert (found.data["model_version"]["version"], found.data["model_version"]["aliases"]) == ("2", ["best"])
        for _ in range(2):  # one that is not there is none to remove
            assert wine("DELETE", "registered-models/alias", {"name": "wine", "alias": "best"}).data == {}
        gone = wine("GET", "registered-models/alias", query={"name": "wine", "alias": "best"})
        assert (gone.status, gone.data["error_code"]) == (400, "INVALID_PARAMETER_VALUE")

    def test_called_latest_is_the_highest_number(self, wine: Asking) -> None:
        found = wine("GET", "registered-models/alias", query={"name": "wine", "alias": "Latest"})
        assert found.data["model_version"]["version"] == "3"

    @pytest.mark.parametrize("alias", ["latest", "LATEST", "v1", "V12", "a b", "", "a" * 256, "a.b", "a/b", 5, None])
    def test_may_not_be_called_like_something_else(self, wine: Asking, alias: Any) -> None:
        answer = wine("POST", "registered-models/alias", {"name": "wine", "alias": alias, "version": "1"})
        assert (answer.status, answer.data["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
        assert wine.site.registry.get_registered_model("wine").aliases == {}

    @pytest.mark.parametrize("alias", ["größe", "12", "a" * 255, "a-b_c"])
    def test_may_be_called_by_letters_digits_and_dashes(self, wine: Asking, alias: str) -> None:
        assert wine("POST", "registered-models/alias", {"name": "wine", "alias": alias, "version": "1"}).status == 200

    def test_points_at_versions_that_are_there_only(self, wine: Asking) -> None:
        answer = wine("POST", "registered-models/alias", {"name": "wine", "alias": "best", "version": "9"})
        assert (answer.status, answer.data["error_code"]) == (404, "RESOURCE_DOES_NOT_EXIST")

    def test_is_moved_by_somebody_whom_the_history_names(self, wine: Asking) -> None:
        headers = {"authorization": f"Basic {b64encode('adä:secret'.encode()).decode()}"}
        for version in ("1", "2"):
            sent = {"name": "wine", "alias": "best", "version": version}
            wine("POST", "registered-models/alias", sent, headers=headers)
        wine("DELETE", "registered-models/alias", {"name": "wine", "alias": "best"})
        moves = wine.site.registry.get_history("wine", "best")
        assert [(move.after, move.user_id) for move in moves] == [(None, ""), ("2", "adä"), ("1", "adä")]


class TestASearchForRegisteredModels:
    @pytest.fixture(autouse=True)
    def several(self, wine: Asking) -> None:
        for name, tags in {"ale": {}, "prompt": {"mlflow.prompt.is_prompt": "true"}}.items():
            labels = tuple(RegistryTag(*tag) for tag in tags.items())
            wine.site.registry.create_registered_model(name, tags=labels)

    def found(self, wine: Asking, **query: Any) -> list[str]:
        answer = wine("GET", "registered-models/search", query=query)
        return [model["name"] for model in answer.data.get("registered_models", [])]

    def test_finds_all_by_their_names(self, wine: Asking) -> None:
        assert self.found(wine) == ["ale", "prompt", "wine"]

    def test_finds_models_that_nobody_marked_as_no_prompts(self, wine: Asking) -> None:
        assert self.found(wine, filter=NO_PROMPTS) == ["ale", "wine"]
        assert self.found(wine, filter=f"name LIKE 'w%' AND {NO_PROMPTS}") == ["wine"]

    def test_finds_nothing(self, wine: Asking) -> None:
        assert wine("GET", "registered-models/search", query={"filter": "name = 'none'"}).data == {}

    def test_goes_from_page_to_page(self, wine: Asking) -> None:
        query: dict[str, Any] = {"max_results": 2, "order_by": ["name DESC"]}
        first = wine("GET", "registered-models/search", query=query).data
        assert [model["name"] for model in first["registered_models"]] == ["wine", "prompt"]
        second = wine("GET", "registered-models/search", query={**query, "page_token": first["next_page_token"]}).data
        assert [model["name"] for model in second["registered_models"]] == ["ale"]
        assert "next_page_token" not in second

    @pytest.mark.parametrize(
        "query",
        [
            {"filter": "x"},
            {"filter": "name = 5"},
            {"filter": "bad.x = 'a'"},
            {"max_results": "0"},
            {"max_results": "-1"},
            {"max_results": "1001"},
            {"max_results": "x"},
            {"max_results": ""},
            {"max_results": "9" * 30},
            {"order_by": ["x"]},
            {"page_token": "zzz"},
        ],
    )
    def test_is_refused_if_it_cannot_be_read(self, wine: Asking, query: dict[str, Any]) -> None:
        answer = wine("GET", "registered-models/search", query=query)
        assert (answer.status, answer.data["error_code"]) == (400, "INVALID_PARAMETER_VALUE")


NAMED = [
    ("GET", "get"),
    ("POST", "create"),
    ("POST", "rename"),
    ("PATCH", "update"),
    ("DELETE", "delete"),
    ("GET", "get-latest-versions"),
    ("POST", "get-latest-versions"),
    ("POST", "set-tag"),
    ("DELETE", "delete-tag"),
    ("POST", "alias"),
    ("GET", "alias"),
    ("DELETE", "alias"),
]
REST = {"new_name": "grape", "key": "k", "value": "v", "alias": "best", "version": "1"}


class TestARequestAboutARegisteredModel:
    @pytest.mark.parametrize(("verb", "path"), [each for each in NAMED if each[1] != "create"])
    def test_finds_none_of_an_unknown_name(self, wine: Asking, verb: str, path: str) -> None:
        answer = wine(verb, f"registered-models/{path}", **_sent(verb, {"name": "nope", **REST}))
        assert (answer.status, answer.data["error_code"]) == (404, "RESOURCE_DOES_NOT_EXIST")

    @pytest.mark.parametrize(("verb", "path"), NAMED)
    def test_refuses_names_that_are_none(self, wine: Asking, verb: str, path: str) -> None:
        for name in ("", " ", "a/b", "a:b", "..", "x" * 257, "a\x00b", "a\nb", "\u202eb"):
            answer = wine(verb, f"registered-models/{path}", **_sent(verb, {**REST, "name": name}))
            assert (answer.status, answer.data["error_code"]) == (400, "INVALID_PARAMETER_VALUE"), name

    @pytest.mark.parametrize(("verb", "path"), [each for each in NAMED if each[0] != "GET"])
    def test_refuses_what_is_no_text(self, wine: Asking, verb: str, path: str) -> None:
        for name in (5, ["wine"], {"a": 1}, True, None, "\ud800"):
            answer = wine(verb, f"registered-models/{path}", {**REST, "name": name})
            assert (answer.status, answer.data["error_code"]) == (400, "INVALID_PARAMETER_VALUE"), name

    @pytest.mark.parametrize(
        ("verb", "path", "fields"),
        [
            ("POST", "create", {"name": "new", "tags": "x"}),
            ("POST", "create", {"name": "new", "tags": [5]}),
            ("POST", "create", {"name": "new", "tags": [{"value": "v"}]}),
            ("POST", "create", {"name": "new", "tags": [{"key": "../x", "value": "v"}]}),
            ("POST", "create", {"name": "new", "tags": [{"key": "k", "value": 3}]}),
            ("POST", "create", {"name": "new", "description": 3}),
            ("POST", "create", {"name": "new", "description": "x" * 5001}),
            ("POST", "rename", {"name": "wine"}),
            ("POST", "rename", {"name": "wine", "new_name": "a/b"}),
            ("PATCH", "update", {"name": "wine", "description": ["x"]}),
            ("POST", "set-tag", {"name": "wine", "value": "v"}),
            ("POST", "set-tag", {"name": "wine", "key": "../x", "value": "v"}),
            ("POST", "set-tag", {"name": "wine", "key": "k", "value": "v" * 100_001}),
            ("POST", "set-tag", {"name": "wine", "key": "k", "value": "\ud800"}),
            ("POST", "set-tag", {"name": "wine", "key": "k", "value": 1}),
            ("DELETE", "delete-tag", {"name": "wine"}),
            ("POST", "get-latest-versions", {"name": "wine", "stages": "Staging"}),
            ("POST", "get-latest-versions", {"name": "wine", "stages": ["bad"]}),
            ("POST", "alias", {"name": "wine", "alias": "best"}),
            ("POST", "alias", {"name": "wine", "alias": "best", "version": "x"}),
            ("POST", "alias", {"name": "wine", "alias": "best", "version": "9" * 30}),
            ("DELETE", "alias", {"name": "wine"}),
        ],
    )
    def test_refuses_fields_that_break_the_rules(
        self, wine: Asking, verb: str, path: str, fields: dict[str, Any]
    ) -> None:
        before = wine("GET", "registered-models/search").data
        answer = wine(verb, f"registered-models/{path}", fields)
        assert (answer.status, answer.data["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
        assert wine("GET", "registered-models/search").data == before
