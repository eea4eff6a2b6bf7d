"""Versions of registered models over HTTP: what MLflow's clients send, and what they get."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Any

import pytest

from dovetail.values import NewLoggedModel, NewModelVersion, NewRun

if TYPE_CHECKING:
    from conftest import Asking

ADA = {"authorization": f"Basic {b64encode(b'ada:').decode()}"}


@pytest.fixture
def wine(ask: Asking) -> Asking:
    """A server with a registered model ``wine`` of two versions."""
    ask.site.registry.create_registered_model("wine")
    for number in range(1, 3):
        ask.site.registry.create_model_version(NewModelVersion("wine", f"s3://bucket/{number}"))
    return ask


class TestAVersionThatIsRegistered:
    def test_has_what_was_sent_and_the_next_number_as_text(self, wine: Asking) -> None:
        run = wine.site.tracking.create_run(NewRun("0")).info
        sent = {
            "name": "wine",
            "source": f"runs:/{run.run_id}/model",
            "run_id": run.run_id,
            "run_link": "https://example.org/1",
            "description": "red",
            "tags": [{"key": "a", "value": "1"}],
        }
        version = wine("POST", "model-versions/create", sent, headers=ADA).data["model_version"]
        assert version == {
            **sent,
            "version": "3",
            "status": "READY",
            "current_stage": "None",
            "user_id": "ada",
            "creation_timestamp": version["creation_timestamp"],
            "last_updated_timestamp": version["last_updated_timestamp"],
        }
        asked = {"name": "wine", "version": "3"}
        assert wine("GET", "model-versions/get", query=asked).data["model_version"] == version

    def test_takes_empty_ids_for_none(self, wine: Asking) -> None:
        sent = {"name": "wine", "source": "s3://bucket/x", "run_id": "", "model_id": "", "run_link": ""}
        assert wine("POST", "model-versions/create", sent).status == 200
        version = wine.site.registry.get_model_version("wine", 3)
        assert (version.run_id, version.model_id, version.run_link) == (None, None, None)

    def test_needs_a_model_that_is_registered(self, wine: Asking) -> None:
        answer = wine("POST", "model-versions/create", {"name": "nope", "source": "s3://bucket/x"})
        assert (answer.status, answer.data["error_code"]) == (404, "RESOURCE_DOES_NOT_EXIST")


class TestACopyOfAVersion:
    def test_stays_what_it_is_when_the_original_goes(self, wine: Asking) -> None:
        logged = wine.site.tracking.create_logged_model(NewLoggedModel("0"))
        registry = wine.site.registry
        registry.create_model_version(NewModelVersion("wine", f"models:/{logged.model_id}", model_id=logged.model_id))
        registry.move_alias("wine", "best", 3)
        registry.create_registered_model("grape")
        sent = {"name": "grape", "source": "models:/wine@best", "model_id": logged.model_id}
        copy = wine("POST", "model-versions/create", sent).data["model_version"]
        assert (copy["source"], copy["model_id"]) == (f"models:/{logged.model_id}", logged.model_id)
        assert copy["tags"] == [{"key": "dovetail.copiedFrom", "value": "models:/wine/3"}]
        wine("DELETE", "registered-models/delete", {"name": "wine"})
        found = wine("GET", "model-versions/get-download-uri", query={"name": "grape", "version": "1"})
        assert found.data["artifact_uri"] == f"mlflow-artifacts:/0/models/{logged.model_id}/artifacts"

    def test_says_what_it_is_a_copy_of_whatever_its_tags_said(self, wine: Asking) -> None:
        tags = [{"key": "dovetail.copiedFrom", "value": "models:/other/7"}, {"key": "a", "value": "1"}]
        sent = {"name": "wine", "source": "models:/wine/1", "tags": tags}
        copy = wine("POST", "model-versions/create", sent).data["model_version"]
        assert {tag["key"]: tag["value"] for tag in copy["tags"]} == {"dovetail.copiedFrom": "models:/wine/1", "a": "1"}

    @pytest.mark.parametrize("source", ["models:/wine/9", "models:/none/1", "models:/wine/Staging"])
    def test_needs_an_original(self, wine: Asking, source: str) -> None:
        answer = wine("POST", "model-versions/create", {"name": "wine", "source": source})
        assert (answer.status, answer.data["error_code"]) == (404, "RESOURCE_DOES_NOT_EXIST")

    def test_is_of_the_run_of_the_original(self, wine: Asking) -> None:
        sent = {"name": "wine", "source": "models:/wine/1", "run_id": "a" * 32}
        assert wine("POST", "model-versions/create", sent).data["model_version"]["run_id"] == "a" * 32
        sent = {"name": "wine", "source": "models:/wine/3", "run_id": "b" * 32}
        answer = wine("POST", "model-versions/create", sent)
        assert (answer.status, answer.data["error_code"]) == (400, "INVALID_PARAMETER_VALUE")


class TestAVersionThatIsChanged:
    def test_gets_another_description_and_loses_it(self, wine: Asking) -> None:
        named = {"name": "wine", "version": "1"}
        answer = wine("PATCH", "model-versions/update", {**named, "description": "rosé"})
        assert answer.data["model_version"]["description"] == "rosé"
        wine("PATCH", "model-versions/update", named)
        assert not wine.site.registry.get_model_version("wine", 1).description

    def test_gets_and_loses_tags(self, wine: Asking) -> None:
        named = {"name": "wine", "version": "1"}
        assert wine("POST", "model-versions/set-tag", {**named, "key": "a", "value": "1"}).data == {}
        assert wine("POST", "model-versions/set-tag", {**named, "key": "b"}).data == {}
        for _ in range(2):  # one that is not there is none to remove
            assert wine("DELETE", "model-versions/delete-tag", {**named, "key": "a"}).data == {}
        assert wine.site.registry.get_model_version("wine", 1).tags == {"b": ""}

    def test_is_removed_with_the_aliases_that_point_at_it(self, wine: Asking) -> None:
        wine.site.registry.move_alias("wine", "best", 1)
        assert wine("DELETE", "model-versions/delete", {"name": "wine", "version": "1"}, headers=ADA).data == {}
        assert wine("GET", "model-versions/get", query={"name": "wine", "version": "1"}).status == 404
        assert wine.site.registry.get_registered_model("wine").aliases == {}
        assert wine.site.registry.get_history("wine", "best")[0].user_id == "ada"


class TestAStage:
    def stage(self, wine: Asking, version: int, stage: Any, **fields: Any) -> Any:
        sent = {"name": "wine", "version": str(version), "stage": stage, **fields}
        return wine("POST", "model-versions/transition-stage", sent, headers=ADA)

    @pytest.mark.parametrize(("stage", "into"), [("staging", "Staging"), ("PRODUCTION", "Production")])
    def test_is_found_in_any_case_of_letters(self, wine: Asking, stage: str, into: str) -> None:
        answer = self.stage(wine, 1, stage, archive_existing_versions=False)
        assert answer.data["model_version"]["current_stage"] == into
        assert wine.site.registry.get_history("wine")[0].user_id == "ada"

    def test_leaves_the_others_where_they_are(self, wine: Asking) -> None:
        self.stage(wine, 1, "Staging")
        self.stage(wine, 2, "Staging")
        assert wine.site.registry.get_model_version("wine", 1).current_stage == "Staging"

    def test_archives_the_others_if_told_so(self, wine: Asking) -> None:
        self.stage(wine, 1, "Staging")
        self.stage(wine, 2, "Staging", archive_existing_versions=True)
        assert wine.site.registry.get_model_version("wine", 1).current_stage == "Archived"

    @pytest.mark.parametrize("stage", ["Archived", "None"])
    def test_has_others_to_archive_only_if_it_is_in_use(self, wine: Asking, stage: str) -> None:
        answer = self.stage(wine, 1, stage, archive_existing_versions=True)
        assert (answer.status, answer.data["error_code"]) == (400, "INVALID_PARAMETER_VALUE")

    @pytest.mark.parametrize("stage", ["nope", "", 5, None, ["Staging"]])
    def test_is_one_of_four(self, wine: Asking, stage: Any) -> None:
        answer = self.stage(wine, 1, stage)
        assert (answer.status, answer.data["error_code"]) == (400, "INVALID_PARAMETER_VALUE")

    def test_is_archived_by_true_or_false(self, wine: Asking) -> None:
        answer = self.stage(wine, 1, "Staging", archive_existing_versions="x")
        assert (answer.status, answer.data["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
        assert wine.site.registry.get_model_version("wine", 1).current_stage == "None"


class TestASearchForVersions:
    def found(self, wine: Asking, **query: Any) -> list[str]:
        answer = wine("GET", "model-versions/search", query=query)
        return [version["version"] for version in answer.data.get("model_versions", [])]

    def test_finds_those_of_a_model(self, wine: Asking) -> None:
        wine.site.registry.create_registered_model("grape")
        wine.site.registry.create_model_version(NewModelVersion("grape", "s3://bucket/x"))
        assert sorted(self.found(wine, filter="name = 'wine'", max_results="10000")) == ["1", "2"]
        assert self.found(wine, filter="name = 'none'") == []
        assert len(self.found(wine)) == 3

    def test_goes_from_page_to_page(self, wine: Asking) -> None:
        query: dict[str, Any] = {"max_results": "1", "order_by": ["version_number ASC"]}
        first = wine("GET", "model-versions/search", query=query).data
        second = wine("GET", "model-versions/search", query={**query, "page_token": first["next_page_token"]}).data
        assert [page["model_versions"][0]["version"] for page in (first, second)] == ["1", "2"]
        assert "next_page_token" not in second

    @pytest.mark.parametrize(
        "query",
        [
            {"filter": "x"},
            {"filter": "description = 'x'"},
            {"max_results": "0"},
            {"max_results": "200001"},
            {"max_results": "x"},
            {"order_by": ["x"]},
            {"page_token": "zzz"},
        ],
    )
    def test_is_refused_if_it_cannot_be_read(self, wine: Asking, query: dict[str, Any]) -> None:
        answer = wine("GET", "model-versions/search", query=query)
        assert (answer.status, answer.data["error_code"]) == (400, "INVALID_PARAMETER_VALUE")


NAMED = [
    ("GET", "get"),
    ("GET", "get-download-uri"),
    ("PATCH", "update"),
    ("DELETE", "delete"),
    ("POST", "set-tag"),
    ("DELETE", "delete-tag"),
    ("POST", "transition-stage"),
]
REST = {"key": "k", "value": "v", "stage": "Staging", "archive_existing_versions": False}


def _sent(verb: str, fields: dict[str, Any]) -> dict[str, Any]:
    return {"query" if verb == "GET" else "body": fields}


class TestARequestAboutAVersion:
    @pytest.mark.parametrize(("verb", "path"), NAMED)
    def test_finds_none_that_is_not_there(self, wine: Asking, verb: str, path: str) -> None:
        for name, version in (("wine", "9"), ("nope", "1")):
            answer = wine(verb, f"model-versions/{path}", **_sent(verb, {"name": name, "version": version, **REST}))
            assert (answer.status, answer.data["error_code"]) == (404, "RESOURCE_DOES_NOT_EXIST"), name

    @pytest.mark.parametrize(("verb", "path"), NAMED)
    def test_refuses_numbers_that_are_none(self, wine: Asking, verb: str, path: str) -> None:
        for version in ("", "x", "0", "-1", "1.0", "9" * 30, "1\n", "¹"):
            answer = wine(verb, f"model-versions/{path}", **_sent(verb, {"name": "wine", "version": version, **REST}))
            assert (answer.status, answer.data["error_code"]) == (400, "INVALID_PARAMETER_VALUE"), version

    @pytest.mark.parametrize(("verb", "path"), NAMED)
    def test_needs_a_number(self, wine: Asking, verb: str, path: str) -> None:
        answer = wine(verb, f"model-versions/{path}", **_sent(verb, {"name": "wine", **REST}))
        assert (answer.status, answer.data["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
        assert "'version'" in answer.data["message"]

    @pytest.mark.parametrize(
        "fields",
        [
            {},
            {"source": ""},
            {"source": 5},
            {"source": ["s3://bucket/x"]},
            {"source": "s3://bucket/x", "run_id": "../x"},
            {"source": "s3://bucket/x", "run_id": 5},
            {"source": "s3://bucket/x", "model_id": "../x"},
            {"source": "s3://bucket/x", "tags": "x"},
            {"source": "s3://bucket/x", "tags": [{"value": "x"}]},
            {"source": "s3://bucket/x", "description": "x" * 5001},
            {"source": "s3://bucket/x", "run_link": 5},
            {"source": "s3://bucket/x", "run_link": "\ud800"},
            {"source": "s3://bucket/" + "x" * 5000},
        ],
    )
    def test_registers_nothing_that_breaks_the_rules(self, wine: Asking, fields: dict[str, Any]) -> None:
        answer = wine("POST", "model-versions/create", {"name": "wine", **fields})
        assert (answer.status, answer.data["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
        assert len(wine.site.registry.search_model_versions()) == 2
