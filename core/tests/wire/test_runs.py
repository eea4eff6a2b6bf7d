"""Runs, and what they used and made, in MLflow's JSON."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from dovetail.errors import InvalidInput, InvalidName, StoreError
from dovetail.values import (
    Dataset,
    DatasetInput,
    InputTag,
    LoggedModelInput,
    LoggedModelOutput,
    Metric,
    NewRun,
    Run,
    RunData,
    RunInfo,
    RunInputs,
    RunOutputs,
    Tag,
)
from dovetail.values.measure import now_ms
from dovetail.wire.datasets import (
    dump_dataset_input,
    dump_model_input,
    dump_model_output,
    load_dataset_input,
    load_inputs,
    load_model_input,
    load_model_output,
    load_outputs,
)
from dovetail.wire.runs import dump_new_run, dump_run, dump_run_info, load_new_run, load_run, load_run_info

RUN = "06a6766dae5447ada9ded0229e820e4f"
MODEL = "m-d3b3260671b34fedaec01762ed416b71"
OTHER = "m-b8b531d542a14758865dbddcf21de973"

# As the server of MLflow 3.17.2 answers, for a run that logged everything and for one that logged nothing.
INFO = {
    "run_uuid": RUN,
    "experiment_id": "1",
    "run_name": "caring-quail-240",
    "user_id": "u",
    "status": "FINISHED",
    "start_time": 1700000000000,
    "end_time": 1700000001000,
    "artifact_uri": f"mlflow-artifacts:/1/{RUN}/artifacts",
    "lifecycle_stage": "active",
    "run_id": RUN,
}
DATASET = {"name": "d", "digest": "x", "source_type": "local", "source": "{}", "schema": "{}", "profile": "{}"}
INPUTS: dict[str, list[dict[str, Any]]] = {
    "dataset_inputs": [
        {"tags": [{"key": "mlflow.data.context", "value": "training"}], "dataset": DATASET},
        {"dataset": {"name": "d2", "digest": "x2", "source_type": "local", "source": "{}"}},
    ],
    "model_inputs": [{"model_id": MODEL}],
}
OUTPUTS = {"model_outputs": [{"model_id": OTHER, "step": 7}, {"model_id": MODEL, "step": 0}]}
FULL = {
    "info": INFO,
    "data": {
        "metrics": [
            {"key": "m", "value": 1.0, "timestamp": 5, "step": 3},
            {"key": "n", "value": "NaN", "timestamp": 6, "step": 0},
            {"key": "i", "value": 1.7976931348623157e308, "timestamp": 7, "step": -2},
            {"key": "z", "value": 0.0, "timestamp": 0, "step": 0},
            {"key": "big", "value": 1e300, "timestamp": 9007199254740993, "step": 9},
        ],
        "params": [{"key": "p", "value": "1"}, {"key": "emp", "value": ""}],
        "tags": [
            {"key": "a", "value": ""},
            {"key": "mlflow.runName", "value": "caring-quail-240"},
            {"key": "t", "value": "é"},
        ],
    },
    "inputs": INPUTS,
    "outputs": OUTPUTS,
}
EMPTY = {
    "info": {
        "run_uuid": RUN,
        "experiment_id": "1",
        "run_name": "bemused-kite-28",
        "user_id": "",
        "status": "RUNNING",
        "start_time": 0,
        "artifact_uri": f"mlflow-artifacts:/1/{RUN}/artifacts",
        "lifecycle_stage": "deleted",
        "run_id": RUN,
    },
    "data": {"tags": [{"key": "mlflow.runName", "value": "bemused-kite-28"}]},
    "inputs": {},
    "outputs": {},
}


class TestARunThatAServerAnsweredWith:
    @pytest.mark.parametrize("answer", [FULL, EMPTY], ids=["full", "empty"])
    def test_leaves_again_as_it_came(self, answer: dict[str, Any]) -> None:
        assert dump_run(load_run(answer)) == answer

    @pytest.mark.parametrize("answer", [FULL["info"], EMPTY["info"]], ids=["ended", "running"])
    def test_has_metadata_that_leaves_again_as_it_came(self, answer: dict[str, Any]) -> None:
        assert dump_run_info(load_run_info(answer)) == answer

    def test_is_read_in_full(self) -> None:
        run = load_run(FULL)
        assert (run.info.run_id, run.info.status, run.info.end_time) == (RUN, "FINISHED", 1700000001000)
        assert run.data.metrics["m"] == 1.0
        assert math.isnan(run.data.metrics["n"])
        assert run.data.latest[0] == Metric("m", 1.0, 5, 3)
        assert run.data.params == {"p": "1", "emp": ""}
        assert run.data.tags == {"a": "", "mlflow.runName": "caring-quail-240", "t": "é"}
        assert run.inputs.dataset_inputs[0].tags == (InputTag("mlflow.data.context", "training"),)
        assert run.inputs.dataset_inputs[1].dataset == Dataset("d2", "x2", "local", "{}")
        assert run.inputs.model_inputs == (LoggedModelInput(MODEL),)
        assert run.outputs.model_outputs == (LoggedModelOutput(OTHER, 7), LoggedModelOutput(MODEL, 0))

    def test_may_be_an_old_servers_with_numbers_as_text_and_ids_as_numbers(self) -> None:
        info = {"run_uuid": RUN, "experiment_id": 3, "start_time": "5", "end_time": "6", "status": 3}
        metrics = [{"key": "a", "value": 1, "timestamp": "7", "step": "8"}]
        run = load_run({"info": info, "data": {"metrics": metrics}})
        expected = RunInfo(RUN, "3", status="FINISHED", start_time=5, end_time=6)
        assert (run.info, run.data.latest) == (expected, (Metric("a", 1.0, 7, 8),))

    @pytest.mark.parametrize("answer", [{}, {"info": {}}, {"info": None, "data": None, "inputs": None}], ids=repr)
    def test_of_which_all_is_left_out_has_what_protobuf_takes_for_it(self, answer: dict[str, Any]) -> None:
        assert load_run(answer) == Run(RunInfo("", ""))

    def test_with_a_point_of_which_all_is_left_out_has_what_protobuf_takes_for_it(self) -> None:
        assert load_run({"data": {"metrics": [{}]}}).data.latest == (Metric.stored(key="", value=0.0, timestamp=0),)

    def test_with_a_status_of_the_future_counts_as_running(self) -> None:
        assert load_run({"info": {**INFO, "status": "PAUSED"}}).info.status == "RUNNING"

    @pytest.mark.parametrize(
        "answer",
        [
            [], "x", None, 5, {"info": [1]}, {"info": "x"}, {"info": {"start_time": "yesterday"}}, {"data": [1]},
            {"data": {"metrics": 5}}, {"data": {"metrics": [{"value": "x"}]}}, {"data": {"params": {"a": "b"}}},
            {"data": {"tags": [{"value": "v"}]}}, {"inputs": [1]}, {"inputs": {"dataset_inputs": ["d"]}},
            {"outputs": {"model_outputs": [{"step": "x"}]}},
        ],
        ids=repr,
    )  # fmt: skip
    def test_that_is_none_is_the_servers_fault(self, answer: object) -> None:
        with pytest.raises(StoreError, match=r"The server's answer holds no (run|inputs of a run|outputs of a run) as"):
            load_run(answer)

    def test_that_is_huge_and_none_is_told_of_in_few_words(self) -> None:
        with pytest.raises(StoreError) as caught:
            load_run({"info": ["x" * 100_000] * 1000})
        assert len(str(caught.value)) < 500


class TestARunThatOneSendsAcross:
    @pytest.mark.parametrize("status", ["RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED", "CRASHED"])
    def test_comes_back_as_it_left(self, status: str) -> None:
        run = made(status)
        assert load_run(json.loads(json.dumps(dump_run(run), allow_nan=False))) == run

    def test_may_have_been_read_by_a_store(self) -> None:
        points = [("loss", math.inf, 5, 1), ("acc", 0.5, 6, 2)]
        run = Run(RunInfo(RUN, "1"), RunData.read(points, {}, {}))
        assert dump_run(run)["data"]["metrics"] == [
            {"key": "loss", "value": "Infinity", "timestamp": 5, "step": 1},
            {"key": "acc", "value": 0.5, "timestamp": 6, "step": 2},
        ]
        assert load_run(dump_run(run)) == run

    def test_of_which_only_the_values_are_known_keeps_them(self) -> None:
        run = Run(RunInfo(RUN, "1"), RunData(metrics={"loss": 0.5}))
        assert dump_run(run)["data"] == {"metrics": [{"key": "loss", "value": 0.5, "timestamp": 0, "step": 0}]}

    def test_is_not_changed_by_that(self) -> None:
        run = made("CRASHED")
        dump_run(run)["data"]["tags"].clear()
        assert run == made("CRASHED")


class TestARunThatCrashed:
    def test_is_failed_for_mlflow_with_a_tag_that_says_more(self) -> None:
        sent = dump_run(Run(RunInfo(RUN, "1", status="CRASHED"), RunData(tags={"a": "b"})))
        assert sent["info"]["status"] == "FAILED"
        assert sent["data"]["tags"] == [{"key": "a", "value": "b"}, {"key": "dovetail.status", "value": "CRASHED"}]

    def test_says_so_once_whatever_tag_it_had(self) -> None:
        sent = dump_run(Run(RunInfo(RUN, "1", status="CRASHED"), RunData(tags={"dovetail.status": "fine"})))
        assert sent["data"]["tags"] == [{"key": "dovetail.status", "value": "CRASHED"}]

    def test_is_failed_where_only_metadata_is_asked_for(self) -> None:
        assert dump_run_info(RunInfo(RUN, "1", status="CRASHED"))["status"] == "FAILED"

    @pytest.mark.parametrize("status", ["RUNNING", "FINISHED", "KILLED"])
    def test_is_none_that_ended_otherwise_later(self, status: str) -> None:
        tags = [{"key": "dovetail.status", "value": "CRASHED"}]
        run = load_run({"info": {**INFO, "status": status}, "data": {"tags": tags}})
        assert (run.info.status, run.data.tags) == (status, {"dovetail.status": "CRASHED"})


class TestARunThatIsToBeCreated:
    def test_comes_back_as_it_left_with_an_id_of_its_own(self) -> None:
        run = NewRun("1", run_name="n", user_id="u", start_time=5, tags=(Tag("a", "b"),))
        back = load_new_run(json.loads(json.dumps(dump_new_run(run))))
        assert back == NewRun("1", back.run_id, "n", "u", 5, tags=(Tag("a", "b"),))
        assert back.run_id != run.run_id

    def test_is_sent_as_mlflow_takes_it(self) -> None:
        run = NewRun("1", run_name="n", user_id="u", start_time=5)
        assert dump_new_run(run) == {"experiment_id": "1", "user_id": "u", "run_name": "n", "start_time": 5}

    @pytest.mark.parametrize("extra", [{}, {"run_name": None, "user_id": None, "start_time": None, "tags": None}])
    def test_needs_nothing_but_its_experiment(self, extra: dict[str, None]) -> None:
        before = now_ms()
        run = load_new_run({"experiment_id": "1", **extra})
        assert (run.run_name, run.user_id, run.status, run.tags) == ("", "", "RUNNING", ())
        assert before <= run.start_time <= now_ms()

    @pytest.mark.parametrize(
        "sent", [{}, {"experiment_id": ""}, {"experiment_id": "x"}, {"experiment_id": None}], ids=repr
    )
    def test_without_one_is_refused(self, sent: dict[str, Any]) -> None:
        with pytest.raises(InvalidName, match="is not an experiment id"):
            load_new_run(sent)

    @pytest.mark.parametrize(
        ("field", "value", "told"),
        [
            ("experiment_id", 5, "'experiment_id' must be text, not 5"),
            ("run_name", 5, "'run_name' must be text, not 5"),
            ("run_name", "\ud800", "The run name holds a character"),
            ("user_id", ["u"], "'user_id' must be text, not"),
            ("start_time", True, "'start_time' must be a whole number"),
            ("start_time", -5, "The start time -5 is no whole number"),
            ("tags", {"a": "b"}, "'tags' must be a list, not"),
            ("tags", [{"key": "a", "value": 5}], r"tags\[0\]: The value of tag 'a' must be text"),
        ],
        ids=ascii,
    )
    def test_with_a_field_of_another_kind_is_refused_by_name(self, field: str, value: object, told: str) -> None:
        with pytest.raises(InvalidInput, match=told):
            load_new_run({"experiment_id": "1", field: value})

    @pytest.mark.parametrize("sent", [[], "x", None], ids=repr)
    def test_that_is_no_object_is_refused(self, sent: object) -> None:
        with pytest.raises(InvalidInput, match="The new run must be a JSON object"):
            load_new_run(sent)


class TestADatasetThatARunUsed:
    @pytest.mark.parametrize("sent", INPUTS["dataset_inputs"], ids=["all", "least"])
    def test_comes_back_as_it_left(self, sent: dict[str, Any]) -> None:
        assert dump_dataset_input(load_dataset_input(sent)) == sent

    def test_is_checked(self) -> None:
        used = DatasetInput(Dataset("d", "x", "local", "{}", schema="{}"), (InputTag("a", "b"),))
        assert load_dataset_input(dump_dataset_input(used)) == used

    @pytest.mark.parametrize(
        ("sent", "told"),
        [
            ([], "The dataset input must be a JSON object"),
            ({}, "The field 'dataset' of a dataset input must be a JSON object, not None"),
            ({"dataset": "d"}, "'dataset' of a dataset input must be a JSON object"),
            ({"dataset": {**DATASET, "name": None}}, "The name of a dataset is empty"),
            ({"dataset": {"name": "d"}}, "The digest of the dataset 'd' is empty"),
            ({"dataset": {**DATASET, "digest": 5}}, "'digest' must be text, not 5"),
            ({"dataset": {**DATASET, "schema": {}}}, "'schema' must be text, not"),
            ({"dataset": {**DATASET, "profile": "\ud800"}}, "The profile of the dataset 'd' holds a character"),
            ({"dataset": {**DATASET, "name": "x" * 501}}, "501 characters"),
            ({"dataset": DATASET, "tags": {}}, "'tags' must be a list"),
            ({"dataset": DATASET, "tags": [{"key": "a"}, {"key": "a"}]}, "have the same key"),
        ],
        ids=lambda each: ascii(each)[:40],
    )
    def test_that_is_none_is_refused(self, sent: object, told: str) -> None:
        with pytest.raises(InvalidInput, match=told):
            load_dataset_input(sent)

    def test_may_be_one_in_an_answer_that_no_client_may_send(self) -> None:
        used = load_inputs({"dataset_inputs": [{"dataset": {"name": "d"}}]}).dataset_inputs[0]
        assert dict(used.dataset) == {
            "name": "d", "digest": "", "source_type": "", "source": "", "schema": None, "profile": None
        }  # fmt: skip


class TestALoggedModelThatARunUsedOrMade:
    def test_comes_back_as_it_left(self) -> None:
        assert load_model_input(dump_model_input(LoggedModelInput(MODEL))) == LoggedModelInput(MODEL)
        assert load_model_output(dump_model_output(LoggedModelOutput(MODEL, 7))) == LoggedModelOutput(MODEL, 7)

    @pytest.mark.parametrize("step", [{}, {"step": None}, {"step": 0}, {"step": "0"}], ids=repr)
    def test_is_of_step_0_where_none_is_said(self, step: dict[str, Any]) -> None:
        assert load_model_output({"model_id": MODEL, **step}) == LoggedModelOutput(MODEL, 0)

    @pytest.mark.parametrize("load", [load_model_input, load_model_output])
    @pytest.mark.parametrize(
        "sent", [{}, [], None, "m", {"model_id": ""}, {"model_id": 5}, {"model_id": "nope"}], ids=repr
    )
    def test_that_is_none_is_refused(self, load: Any, sent: object) -> None:
        with pytest.raises(InvalidInput, match=r"JSON object|'model_id' must be text|is not the id of a logged model"):
            load(sent)

    @pytest.mark.parametrize("step", ["x", True, 0.5, 2**63], ids=repr)
    def test_with_a_step_that_is_no_whole_number_is_refused(self, step: object) -> None:
        with pytest.raises(InvalidInput, match="'step' must be a whole number"):
            load_model_output({"model_id": MODEL, "step": step})

    def test_of_which_all_is_left_out_has_what_protobuf_takes_for_it(self) -> None:
        assert load_inputs({"model_inputs": [{}]}).model_inputs[0].model_id == ""
        assert load_inputs({"dataset_inputs": [{}]}).dataset_inputs[0].dataset.name == ""
        assert dict(load_outputs({"model_outputs": [{}]}).model_outputs[0]) == {"model_id": "", "step": 0}

    @pytest.mark.parametrize("answer", [{}, {"model_inputs": None, "model_outputs": []}], ids=repr)
    def test_there_may_be_none(self, answer: dict[str, Any]) -> None:
        assert (load_inputs(answer), load_outputs(answer)) == (RunInputs(), RunOutputs())


def made(status: str) -> Run:
    metrics = (Metric("loss", math.inf, 5, 1), Metric("acc", 0.5, 6, -2))
    data = RunData({"loss": math.inf, "acc": 0.5}, {"lr": "0.1"}, {"mlflow.runName": "größe"}, metrics)
    used = (DatasetInput(Dataset("d", "x", "local", "{}"), (InputTag("a", "b"),)),)
    inputs, outputs = RunInputs(used, (LoggedModelInput(MODEL),)), RunOutputs((LoggedModelOutput(OTHER, 3),))
    return Run(RunInfo(RUN, "1", "größe", "u", status, 5, 6, "s3://b/x", "active"), data, inputs, outputs)
