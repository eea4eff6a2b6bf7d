"""Logged models, and what ties them to runs, check themselves when they are made."""

from __future__ import annotations

import json

import pytest

from dovetail.errors import InvalidInput, InvalidName
from dovetail.values import (
    Dataset,
    DatasetInput,
    InputTag,
    LoggedModel,
    LoggedModelInput,
    LoggedModelOutput,
    LoggedModelStatus,
    Metric,
    NewLoggedModel,
    Param,
    Run,
    RunInfo,
    RunInputs,
    RunOutputs,
    Tag,
)


class TestNewModels:
    def test_an_id_is_made(self) -> None:
        one, other = NewLoggedModel("0"), NewLoggedModel("0")
        assert one.model_id.startswith("m-")
        assert len(one.model_id) == 34
        assert one.model_id != other.model_id
        assert one.status is LoggedModelStatus.PENDING

    @pytest.mark.parametrize(
        "wrong",
        [
            {"experiment_id": "x"},
            {"name": ""},
            {"name": "a/b"},
            {"name": "a:b"},
            {"name": "a.b"},
            {"name": "50%"},
            {"name": "it's"},
            {"name": "x" * 257},
            {"model_id": "abc"},
            {"model_id": "m-../x"},
            {"model_id": "m-"},
            {"source_run_id": "../x"},
            {"model_type": 5},
            {"status": "DONE"},
            {"creation_timestamp": -1},
            {"params": ("a",)},
            {"tags": (Param("a", "b"),)},
        ],
    )
    def test_what_no_store_could_keep_is_refused(self, wrong: dict[str, object]) -> None:
        with pytest.raises(InvalidInput):
            NewLoggedModel(**{"experiment_id": "0", **wrong})

    def test_params_and_tags_come_along(self) -> None:
        made = NewLoggedModel("0", params=[Param("lr", "1")], tags=[Tag("a", "b")], status="ready")
        assert made.params == (Param("lr", "1"),)
        assert made.status is LoggedModelStatus.READY


class TestStatus:
    def test_members_are_texts(self) -> None:
        assert LoggedModelStatus.READY == "READY"
        assert f"{LoggedModelStatus.READY}" == str(LoggedModelStatus.READY) == "READY"
        assert json.dumps(LoggedModelStatus.READY) == '"READY"'

    def test_what_is_final(self) -> None:
        assert [each for each in LoggedModelStatus if LoggedModelStatus.is_finalized(each)] == ["READY", "FAILED"]

    @pytest.mark.parametrize("status", ["DONE", "", None, 1])
    def test_unknown_ones_are_refused(self, status: object) -> None:
        with pytest.raises(InvalidInput, match="UNSPECIFIED, PENDING, READY, FAILED"):
            LoggedModelStatus.check(status)


class TestLinkedMetrics:
    def test_a_point_names_model_and_dataset(self) -> None:
        point = Metric("acc", 0.5, 1, 2, model_id="m-1", dataset_name="train", dataset_digest="abc")
        assert "m-1" in repr(point)
        assert "model_id" not in repr(Metric("acc", 0.5, 1, 2))

    @pytest.mark.parametrize(
        "links",
        [
            {"model_id": "1"},
            {"dataset_name": "train"},
            {"dataset_digest": "abc"},
            {"dataset_name": 1, "dataset_digest": "a"},
        ],
    )
    def test_half_links_and_wrong_ids_are_refused(self, links: dict[str, object]) -> None:
        with pytest.raises(InvalidInput):
            Metric("acc", 0.5, **links)


def test_steps_of_outputs_are_whole_numbers() -> None:
    assert LoggedModelOutput("m-1").step == 0
    for step in (1.5, "1", True, 2**63):
        with pytest.raises(InvalidInput, match="no whole number"):
            LoggedModelOutput("m-1", step)
    with pytest.raises(InvalidName):
        LoggedModelInput("abc")


def test_runs_say_what_they_used_and_made() -> None:
    used = DatasetInput(Dataset("train", "abc", "local", "{}"), (InputTag("mlflow.data.context", "training"),))
    run = Run(
        RunInfo("r", "0"),
        inputs=RunInputs((used,), (LoggedModelInput("m-1"),)),
        outputs=RunOutputs((LoggedModelOutput("m-2", 3),)),
    )
    plain = run.to_dictionary()
    assert plain["inputs"]["dataset_inputs"][0]["tags"] == {"mlflow.data.context": "training"}
    assert plain["inputs"]["model_inputs"] == [{"model_id": "m-1"}]
    assert plain["outputs"]["model_outputs"] == [{"model_id": "m-2", "step": 3}]


def test_a_model_is_shown_in_one_line_and_given_as_a_dict() -> None:
    model = LoggedModel("0", "m-1", "net", "file:///x", 1, 2, metrics=(Metric("acc", 0.5, 1, 2),), params={"lr": "1"})
    assert model.model_uri == "models:/m-1"
    assert "metrics={'acc': 0.5}" in repr(model)
    assert model.to_dictionary()["metrics"][0]["value"] == 0.5
    assert model.to_dictionary()["status"] == "READY"
