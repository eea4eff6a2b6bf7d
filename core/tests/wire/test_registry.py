"""Registered models and their versions in MLflow's JSON."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dovetail.errors import InvalidInput, StoreError
from dovetail.values import ModelVersion, ModelVersionStatus, NewModelVersion, RegisteredModel, RegistryTag
from dovetail.wire.model_versions import (
    dump_model_version,
    dump_new_model_version,
    load_model_version,
    load_new_model_version,
)
from dovetail.wire.registered_models import dump_registered_model, load_registered_model

RUN = "06a6766dae5447ada9ded0229e820e4f"
MODEL = "m-d3b3260671b34fedaec01762ed416b71"

# As the server of MLflow 3.17.2 answers.
CHAMPION = {
    "name": "wine",
    "version": "1",
    "creation_timestamp": 1795312163908,
    "last_updated_timestamp": 1795312164136,
    "current_stage": "Production",
    "description": "DD",
    "source": "s3://b/x",
    "run_id": RUN,
    "status": "READY",
    "tags": [{"key": "a", "value": "b"}],
    "run_link": "http://x",
    "aliases": ["champ"],
}
BARE = {
    "name": "wine",
    "version": "3",
    "creation_timestamp": 1795312164069,
    "last_updated_timestamp": 1795312164069,
    "current_stage": "None",
    "description": "",
    "source": "s3://b/x",
    "run_id": "",
    "status": "READY",
    "run_link": "",
}
WINE = {
    "name": "wine",
    "creation_timestamp": 1795312163787,
    "last_updated_timestamp": 1795312164136,
    "description": "D",
    "latest_versions": [CHAMPION, BARE],
    "tags": [{"key": "a", "value": "b"}],
    "aliases": [{"alias": "champ", "version": "1"}],
}
NEW = {"name": "wine", "creation_timestamp": 1795312163874, "last_updated_timestamp": 1795312163874}


class TestAVersionThatAServerAnsweredWith:
    @pytest.mark.parametrize("answer", [CHAMPION, BARE], ids=["champion", "bare"])
    def test_leaves_again_as_it_came(self, answer: dict[str, Any]) -> None:
        assert dump_model_version(load_model_version(answer)) == answer

    def test_is_read_in_full(self) -> None:
        version = load_model_version(CHAMPION)
        assert (version.version, version.current_stage, version.status) == (1, "Production", ModelVersionStatus.READY)
        assert (version.run_id, version.aliases, version.tags) == (RUN, ["champ"], {"a": "b"})

    def test_knows_nothing_by_empty_text(self) -> None:
        version = load_model_version(BARE)
        assert (version.description, version.run_id, version.run_link, version.model_id) == (None, None, None, None)

    def test_may_have_its_number_as_number_and_times_as_text(self) -> None:
        old = load_model_version({"name": "wine", "version": 3, "creation_timestamp": "5", "status": "READY"})
        assert old == ModelVersion("wine", 3, 5, 0)

    def test_of_which_all_but_the_number_is_left_out_has_what_protobuf_takes_for_it(self) -> None:
        pending = ModelVersionStatus.PENDING_REGISTRATION
        assert load_model_version({"version": "1"}) == ModelVersion("", 1, 0, 0, status=pending)

    @pytest.mark.parametrize(
        "answer", [[], None, "x", {}, {"version": ""}, {"version": "one"}, {"version": "1", "tags": 5}]
    )
    def test_that_is_none_is_the_servers_fault(self, answer: object) -> None:
        with pytest.raises(StoreError, match="holds no model version"):
            load_model_version(answer)


class TestAVersionThatOneSendsAcross:
    @pytest.mark.parametrize("status", list(ModelVersionStatus))
    def test_comes_back_as_it_left(self, status: ModelVersionStatus) -> None:
        known = (status, "why", {"a": "b"}, "http://x", ["champ", "b"], MODEL)
        version = ModelVersion("größe", 2**40, 5, 6, "D", "u", "Staging", "models:/m-1", RUN, *known)
        assert load_model_version(json.loads(json.dumps(dump_model_version(version)))) == version

    def test_of_which_nothing_is_known_comes_back_so(self) -> None:
        assert load_model_version(dump_model_version(ModelVersion("wine", 1, 5, 6))) == ModelVersion("wine", 1, 5, 6)


class TestAVersionThatIsToBeCreated:
    def test_comes_back_as_it_left(self) -> None:
        version = NewModelVersion("wine", "s3://b/x", RUN, MODEL, "http://x", "D", tags=(RegistryTag("a", "b"),))
        back = load_new_model_version(json.loads(json.dumps(dump_new_model_version(version))))
        assert {**dict(back), "creation_timestamp": 0} == {**dict(version), "creation_timestamp": 0}

    def test_is_sent_as_mlflow_takes_it(self) -> None:
        assert dump_new_model_version(NewModelVersion("wine", "s3://b/x")) == {"name": "wine", "source": "s3://b/x"}

    def test_knows_nothing_by_empty_text(self) -> None:
        version = load_new_model_version(
            {"name": "wine", "source": "s3://b/x", "run_id": "", "model_id": None, "run_link": ""}
        )
        assert (version.run_id, version.model_id, version.run_link, version.description) == (None, None, None, None)

    @pytest.mark.parametrize(
        ("field", "value", "told"),
        [
            ("name", None, "The name of a registered model must be non-empty text"),
            ("name", 5, "'name' must be text, not 5"),
            ("name", "a/b", "holds a slash"),
            ("source", None, "The source of a model version is empty"),
            ("source", ["s3://x"], "'source' must be text, not"),
            ("run_id", 5, "'run_id' must be text, not 5"),
            ("model_id", "nope", "is not the id of a logged model"),
            ("description", 5, "'description' must be text, not 5"),
            ("description", "x" * 5001, "5001 characters"),
            ("tags", {"a": "b"}, "'tags' must be a list"),
            ("tags", [{"key": "a", "value": True}], r"tags\[0\]: The value of tag 'a' must be text"),
        ],
        ids=lambda each: repr(each)[:30],
    )
    def test_with_a_field_of_another_kind_is_refused_by_name(self, field: str, value: object, told: str) -> None:
        with pytest.raises(InvalidInput, match=told):
            load_new_model_version({"name": "wine", "source": "s3://b/x", field: value})


class TestARegisteredModel:
    @pytest.mark.parametrize("answer", [WINE, NEW], ids=["full", "new"])
    def test_that_a_server_answered_with_leaves_again_as_it_came(self, answer: dict[str, Any]) -> None:
        assert dump_registered_model(load_registered_model(answer)) == answer

    def test_is_read_in_full(self) -> None:
        model = load_registered_model(WINE)
        assert (model.name, model.description, model.aliases, model.tags) == ("wine", "D", {"champ": 1}, {"a": "b"})
        assert [version.version for version in model.latest_versions] == [1, 3]

    def test_of_which_all_is_left_out_has_what_protobuf_takes_for_it(self) -> None:
        assert load_registered_model({}) == RegisteredModel("", 0, 0)

    @pytest.mark.parametrize(
        "model",
        [
            RegisteredModel("größe", 5, 6, "", [ModelVersion("größe", 2, 5, 6)], {"a": ""}, {"champ": 2, "b": 1}),
            RegisteredModel("wine", 5, 6),
        ],
        ids=["all", "least"],
    )
    def test_comes_back_as_it_left(self, model: RegisteredModel) -> None:
        assert load_registered_model(json.loads(json.dumps(dump_registered_model(model)))) == model

    @pytest.mark.parametrize(
        "answer",
        [[], None, {"aliases": ["champ"]}, {"aliases": [{"alias": "a"}]}, {"creation_timestamp": "x"}],
        ids=repr,
    )
    def test_that_is_none_is_the_servers_fault(self, answer: object) -> None:
        with pytest.raises(StoreError, match="holds no registered model"):
            load_registered_model(answer)

    def test_with_a_version_that_is_none_is_the_servers_fault(self) -> None:
        with pytest.raises(StoreError, match="holds no model version"):
            load_registered_model({"name": "wine", "latest_versions": [{}]})
