"""What runs used and made, in MLflow's JSON: datasets and logged models."""

from __future__ import annotations

from typing import Any

from dovetail.values.dataset import Dataset, DatasetInput, InputTag
from dovetail.values.link import LoggedModelInput, LoggedModelOutput, RunInputs, RunOutputs
from dovetail.wire.answers import answer
from dovetail.wire.fields import load_object, load_text
from dovetail.wire.labels import dump_labels, load_input_tags, load_labels
from dovetail.wire.numbers import load_int

__all__ = [
    "dump_dataset_input",
    "dump_inputs",
    "dump_model_input",
    "dump_model_output",
    "dump_outputs",
    "load_dataset_input",
    "load_inputs",
    "load_model_input",
    "load_model_output",
    "load_outputs",
]

_ALWAYS = ("name", "digest", "source_type", "source")
_MAYBE = ("schema", "profile")


def dump_dataset_input(used: DatasetInput) -> dict[str, Any]:
    """A dataset with what a run used it for, as MLflow gives it."""
    dataset = used.dataset
    fields = {name: getattr(dataset, name) for name in _ALWAYS}
    fields |= {name: text for name in _MAYBE if (text := getattr(dataset, name)) is not None}
    return {"tags": dump_labels(used.tags), "dataset": fields} if used.tags else {"dataset": fields}


def load_dataset_input(data: object) -> DatasetInput:
    """A dataset that a client sent with what it was used for.

    Raises:
        InvalidInput: A field is missing, or not of its kind.
    """
    fields = load_object(data, "dataset input")
    dataset = load_object(fields.get("dataset"), "field 'dataset' of a dataset input")
    always = {name: load_text(dataset, name) for name in _ALWAYS}
    maybe = {name: load_text(dataset, name) for name in _MAYBE if dataset.get(name) is not None}
    return DatasetInput(Dataset(**always, **maybe), load_input_tags(fields.get("tags")))


def dump_model_input(used: LoggedModelInput) -> dict[str, Any]:
    """A logged model that a run used, as MLflow gives it."""
    return {"model_id": used.model_id}


def load_model_input(data: object) -> LoggedModelInput:
    """A logged model that a run used, as a client sent it.

    Raises:
        InvalidInput: It is none.
    """
    return LoggedModelInput(load_text(load_object(data, "model input"), "model_id"))


def dump_model_output(made: LoggedModelOutput) -> dict[str, Any]:
    """A logged model that a run made, as MLflow gives it."""
    return {"model_id": made.model_id, "step": made.step}


def load_model_output(data: object) -> LoggedModelOutput:
    """A logged model that a run made, as a client sent it; the step is 0 where it says none.

    Raises:
        InvalidInput: It is none, or the step is no whole number.
    """
    fields = load_object(data, "model output")
    step = fields.get("step")
    return LoggedModelOutput(load_text(fields, "model_id"), 0 if step is None else load_int(step, "step"))


def dump_inputs(inputs: RunInputs) -> dict[str, Any]:
    """What a run used, as MLflow gives it in runs; what there is none of is left out."""
    data: dict[str, Any] = {}
    if inputs.dataset_inputs:
        data["dataset_inputs"] = [dump_dataset_input(used) for used in inputs.dataset_inputs]
    if inputs.model_inputs:
        data["model_inputs"] = [dump_model_input(used) for used in inputs.model_inputs]
    return data


@answer("inputs of a run")
def load_inputs(data: Any) -> RunInputs:
    """What a run used, as a server answered with it.

    Raises:
        StoreError: That is none.
    """
    datasets, models = data.get("dataset_inputs") or (), data.get("model_inputs") or ()
    return RunInputs.stored(
        dataset_inputs=tuple(_dataset_input(used) for used in datasets),
        model_inputs=tuple(LoggedModelInput.stored(model_id=used.get("model_id", "")) for used in models),
    )


def _dataset_input(data: Any) -> DatasetInput:
    fields = data.get("dataset") or {}
    always = {name: fields.get(name, "") for name in _ALWAYS}
    tags = (InputTag.stored(key=key, value=value) for key, value in load_labels(data.get("tags")).items())
    dataset = Dataset.stored(**always, **{name: fields.get(name) for name in _MAYBE})
    return DatasetInput.stored(dataset=dataset, tags=tuple(tags))


def dump_outputs(outputs: RunOutputs) -> dict[str, Any]:
    """What a run made, as MLflow gives it in runs; what there is none of is left out."""
    if not outputs.model_outputs:
        return {}
    return {"model_outputs": [dump_model_output(made) for made in outputs.model_outputs]}


@answer("outputs of a run")
def load_outputs(data: Any) -> RunOutputs:
    """What a run made, as a server answered with it.

    Raises:
        StoreError: That is none.
    """
    models = data.get("model_outputs") or ()
    made = (
        LoggedModelOutput.stored(model_id=each.get("model_id", ""), step=load_int(each.get("step", 0), "step"))
        for each in models
    )
    return RunOutputs.stored(model_outputs=tuple(made))
