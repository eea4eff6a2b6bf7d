"""Logged models in MLflow's JSON."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from dovetail.errors import InvalidInput, InvalidName, StoreError
from dovetail.values import LoggedModel, LoggedModelStatus, Metric, NewLoggedModel, Param, Tag
from dovetail.wire.logged_models import (
    dump_logged_model,
    dump_new_logged_model,
    load_logged_model,
    load_new_logged_model,
)

RUN = "06a6766dae5447ada9ded0229e820e4f"
MODEL = "m-d3b3260671b34fedaec01762ed416b71"

# As the server of MLflow 3.17.2 answers, for a model of which all is known and for one of which nothing is.
FULL = {
    "info": {
        "model_id": MODEL,
        "experiment_id": "1",
        "name": "mod",
        "creation_timestamp_ms": 1795312163283,
        "last_updated_timestamp_ms": 1795312163369,
        "artifact_uri": f"mlflow-artifacts:/1/models/{MODEL}/artifacts",
        "status": "LOGGED_MODEL_READY",
        "model_type": "clf",
        "source_run_id": RUN,
        "tags": [{"key": "k", "value": "v"}],
    },
    "data": {
        "params": [{"key": "lr", "value": "1"}],
        "metrics": [
            {
                "key": "acc",
                "value": 0.5,
                "timestamp": 1,
                "step": 0,
                "dataset_name": "d",
                "dataset_digest": "x",
                "model_id": MODEL,
                "run_id": RUN,
            }
        ],
    },
}
BARE = {
    "info": {
        "model_id": MODEL,
        "experiment_id": "1",
        "name": "fortunate-mouse-670",
        "creation_timestamp_ms": 1795312163338,
        "last_updated_timestamp_ms": 1795312163402,
        "artifact_uri": f"mlflow-artifacts:/1/models/{MODEL}/artifacts",
        "status": "LOGGED_MODEL_UPLOAD_FAILED",
        "model_type": "",
        "source_run_id": "",
    },
    "data": {},
}


class TestALoggedModelThatAServerAnsweredWith:
    @pytest.mark.parametrize("answer", [FULL, BARE], ids=["full", "bare"])
    def test_leaves_again_as_it_came(self, answer: dict[str, Any]) -> None:
        assert dump_logged_model(load_logged_model(answer)) == answer

    def test_is_read_in_full(self) -> None:
        model = load_logged_model(FULL)
        assert (model.model_id, model.model_type, model.source_run_id) == (MODEL, "clf", RUN)
        assert (model.status, model.tags, model.params) == (LoggedModelStatus.READY, {"k": "v"}, {"lr": "1"})
        assert model.metrics == (Metric("acc", 0.5, 1, 0, MODEL, "d", "x", RUN),)

    def test_knows_nothing_by_empty_text(self) -> None:
        model = load_logged_model({"info": {**BARE["info"], "status_message": ""}})
        assert (model.model_type, model.source_run_id, model.status_message) == (None, None, None)

    def test_may_have_times_as_text(self) -> None:
        info = {**BARE["info"], "creation_timestamp_ms": "5", "last_updated_timestamp_ms": "6"}
        model = load_logged_model({"info": info})
        assert (model.creation_timestamp, model.last_updated_timestamp) == (5, 6)

    def test_of_which_all_is_left_out_has_what_protobuf_takes_for_it(self) -> None:
        unspecified = LoggedModelStatus.UNSPECIFIED
        assert load_logged_model({}) == LoggedModel("", "", "", "", 0, 0, status=unspecified)

    @pytest.mark.parametrize(
        "answer",
        [
            [],
            None,
            "x",
            {"info": [1]},
            {"info": "x"},
            {"info": {"creation_timestamp_ms": "x"}},
            {"data": {"params": "x"}},
        ],
        ids=repr,
    )
    def test_that_is_none_is_the_servers_fault(self, answer: object) -> None:
        with pytest.raises(StoreError, match="holds no logged model"):
            load_logged_model(answer)


class TestALoggedModelThatOneSendsAcross:
    @pytest.mark.parametrize("status", list(LoggedModelStatus))
    def test_comes_back_as_it_left(self, status: LoggedModelStatus) -> None:
        metrics = (Metric("acc", math.inf, 1, 2, MODEL, "d", "x", RUN), Metric("loss", 0.5, 3, model_id=MODEL))
        known = ("clf", RUN, status, "out of disk", {"k": "v"}, {"lr": "1"}, metrics)
        model = LoggedModel("1", MODEL, "größe", "s3://b/x", 5, 6, *known)
        assert load_logged_model(json.loads(json.dumps(dump_logged_model(model), allow_nan=False))) == model

    def test_of_which_nothing_is_known_comes_back_so(self) -> None:
        model = LoggedModel("1", MODEL, "mod", "s3://b/x", 5, 6)
        assert load_logged_model(dump_logged_model(model)) == model


class TestALoggedModelThatIsToBeCreated:
    def test_comes_back_as_it_left_with_an_id_of_its_own(self) -> None:
        known = {"name": "mod", "source_run_id": RUN, "model_type": "clf", "params": (Param("lr", "1"),)}
        model = NewLoggedModel("1", **known, tags=(Tag("k", "v"),))  # type: ignore[arg-type]
        back = load_new_logged_model(json.loads(json.dumps(dump_new_logged_model(model))))
        assert (back.experiment_id, back.name, back.source_run_id, back.model_type) == ("1", "mod", RUN, "clf")
        assert (back.params, back.tags, back.status) == (model.params, model.tags, LoggedModelStatus.PENDING)
        assert back.model_id != model.model_id

    def test_is_sent_as_mlflow_takes_it(self) -> None:
        assert dump_new_logged_model(NewLoggedModel("1", "mod")) == {"experiment_id": "1", "name": "mod"}

    @pytest.mark.parametrize(
        "extra", [{}, {"name": None, "model_type": "", "source_run_id": "", "params": None}], ids=repr
    )
    def test_needs_nothing_but_its_experiment(self, extra: dict[str, Any]) -> None:
        model = load_new_logged_model({"experiment_id": "1", **extra})
        assert (model.name, model.model_type, model.source_run_id, model.params) == ("model", None, None, ())

    def test_without_one_is_refused(self) -> None:
        with pytest.raises(InvalidName, match="is not an experiment id"):
            load_new_logged_model({"name": "mod"})

    @pytest.mark.parametrize(
        ("field", "value", "told"),
        [
            ("name", 5, "'name' must be text, not 5"),
            ("name", "a/b", "holds '/'"),
            ("model_type", {}, "'model_type' must be text, not"),
            ("source_run_id", "../x", "is not a run id"),
            ("params", [{"key": "lr", "value": 0.1}], r"params\[0\]: The value of param 'lr' must be text"),
            ("tags", "k=v", "'tags' must be a list"),
        ],
        ids=repr,
    )
    def test_with_a_field_of_another_kind_is_refused_by_name(self, field: str, value: object, told: str) -> None:
        with pytest.raises(InvalidInput, match=told):
            load_new_logged_model({"experiment_id": "1", field: value})
