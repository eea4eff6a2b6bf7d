"""A model's signature: what goes in, what comes out, which params it takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dovetail.errors import InvalidModel
from dovetail.models.inference import infer_params, infer_schema
from dovetail.models.params import ParamSchema
from dovetail.models.schema import Schema

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ModelSignature", "infer_signature"]


@dataclass(frozen=True)
class ModelSignature:
    """What a model takes and gives; kept in its ``MLmodel`` file.

    Args:
        inputs: What it takes; None if that is not known.
        outputs: What it gives; None if that is not known.
        params: The params it takes beside its input, with their defaults.

    Raises:
        InvalidModel: All three are None, or one is something else.
    """

    inputs: Schema | None = None
    outputs: Schema | None = None
    params: ParamSchema | None = None

    def __post_init__(self) -> None:
        kinds = {"inputs": Schema, "outputs": Schema, "params": ParamSchema}
        given = {name: value for name in kinds if (value := getattr(self, name)) is not None}
        if not given:
            raise InvalidModel("A signature without inputs, outputs and params says nothing.", hint="Give one of them.")
        for name, value in given.items():
            if not isinstance(value, kinds[name]):
                raise InvalidModel(
                    f"The {name} of a signature are a {type(value).__name__}, not a {kinds[name].__name__}.",
                    hint="Use infer_signature to make a signature from example data.",
                )

    def __str__(self) -> str:
        parts = {"inputs": self.inputs, "outputs": self.outputs, "params": self.params}
        return "\n".join(f"{name}: {part}" for name, part in parts.items())

    def to_dict(self) -> dict[str, str | None]:
        """The three JSON texts that stand in an ``MLmodel`` file; None for what is not known."""
        parts = {"inputs": self.inputs, "outputs": self.outputs, "params": self.params}
        return {name: part.to_json() if part else None for name, part in parts.items()}

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> ModelSignature:
        """The signature that stands in an ``MLmodel`` file.

        Args:
            record: JSON texts under ``inputs``, ``outputs`` and ``params``; missing ones and None mean not known.

        Raises:
            InvalidModel: A text describes no schema, or there is none at all.
        """
        inputs, outputs, params = (record.get(name) for name in ("inputs", "outputs", "params"))
        return cls(
            inputs=Schema.from_json(inputs) if inputs else None,
            outputs=Schema.from_json(outputs) if outputs else None,
            params=ParamSchema.from_json(params) if params else None,
        )


def infer_signature(model_input: Any = None, model_output: Any = None, params: Any = None) -> ModelSignature:
    """The signature of a model, from examples.

    Take examples that look like real data: a column without missing values becomes a required one, and integers
    become integers even if later data has some missing.

    Args:
        model_input: What the model takes: a pandas DataFrame or Series, a numpy array or a dictionary of arrays, a
            sparse matrix, a dictionary, a list of dictionaries or values, a single value.
        model_output: What it gives back for such an input; the same kinds.
        params: The params it takes beside its input, with their defaults.

    Returns:
        A signature that describes the examples. What no type describes becomes ``any``, with a warning.

    Raises:
        InvalidModel: No example given, or params whose types cannot be inferred.
    """
    return ModelSignature(
        inputs=None if model_input is None else infer_schema(model_input),
        outputs=None if model_output is None else infer_schema(model_output),
        params=infer_params(params) if params else None,
    )
