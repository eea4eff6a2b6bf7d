"""What ties runs to the data and models they used and made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dovetail.documents import shown
from dovetail.errors import InvalidInput
from dovetail.values.names import MAX_INT, check_model_id
from dovetail.values.value import Value

if TYPE_CHECKING:
    from dovetail.values.dataset import DatasetInput

__all__ = ["LoggedModelInput", "LoggedModelOutput", "RunInputs", "RunOutputs"]


@dataclass(frozen=True, repr=False)
class LoggedModelInput(Value):
    """A logged model that a run used.

    Args:
        model_id: The model's id.

    Raises:
        InvalidName: That is none.
    """

    model_id: str

    def __post_init__(self) -> None:
        check_model_id(self.model_id)


@dataclass(frozen=True, repr=False)
class LoggedModelOutput(Value):
    """A logged model that a run made.

    Args:
        model_id: The model's id.
        step: The training step it is a checkpoint of; 0 where there is none.

    Raises:
        InvalidName: The id is none.
        InvalidInput: The step is no whole number.
    """

    model_id: str
    step: int = 0

    def __post_init__(self) -> None:
        check_model_id(self.model_id)
        if type(self.step) is not int or not -MAX_INT - 1 <= self.step <= MAX_INT:
            raise InvalidInput(f"The step {shown(self.step)} of the model {self.model_id} is no whole number.")


@dataclass(frozen=True, repr=False)
class RunInputs(Value):
    """What a run used.

    Args:
        dataset_inputs: Datasets with what they were used for, in the order in which they were logged.
        model_inputs: Logged models, likewise.
    """

    dataset_inputs: tuple[DatasetInput, ...] = ()
    model_inputs: tuple[LoggedModelInput, ...] = ()

    def to_dictionary(self) -> dict[str, list[dict[str, Any]]]:
        """Datasets and models as plain nested dicts, as MLflow gives them."""
        return {
            "dataset_inputs": [
                {"dataset": dict(used.dataset.__dict__), "tags": {tag.key: tag.value for tag in used.tags}}
                for used in self.dataset_inputs
            ],
            "model_inputs": [dict(used.__dict__) for used in self.model_inputs],
        }


@dataclass(frozen=True, repr=False)
class RunOutputs(Value):
    """What a run made.

    Args:
        model_outputs: Logged models, in the order in which they were logged.
    """

    model_outputs: tuple[LoggedModelOutput, ...] = ()

    def to_dictionary(self) -> dict[str, list[dict[str, Any]]]:
        """Models as plain nested dicts."""
        return {"model_outputs": [dict(made.__dict__) for made in self.model_outputs]}
