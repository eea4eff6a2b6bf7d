"""Experiments: the folders that runs lie in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from dovetail.values.names import check_experiment_id, check_experiment_name
from dovetail.values.state import LifecycleStage
from dovetail.values.value import Value

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["DEFAULT_EXPERIMENT_ID", "DEFAULT_EXPERIMENT_NAME", "Experiment"]

DEFAULT_EXPERIMENT_ID = "0"
DEFAULT_EXPERIMENT_NAME = "Default"


@dataclass(frozen=True, repr=False)
class Experiment(Value):
    """A named group of runs for one task.

    Args:
        experiment_id: A whole number as text; ``"0"`` is the default experiment.
        name: Unique within its store, deleted experiments included.
        artifact_location: URI of the folder that its runs' artifacts lie under.
        lifecycle_stage: ``active`` or ``deleted``.
        tags: Labels by key.
        creation_time: Milliseconds since 1970, UTC.
        last_update_time: Milliseconds since 1970, UTC.

    Attributes:
        DEFAULT_EXPERIMENT_NAME: What the experiment is called that is there from the start.
    """

    DEFAULT_EXPERIMENT_NAME: ClassVar[str] = DEFAULT_EXPERIMENT_NAME

    experiment_id: str
    name: str
    artifact_location: str = ""
    lifecycle_stage: str = LifecycleStage.ACTIVE
    tags: dict[str, str] = field(default_factory=dict)
    creation_time: int | None = None
    last_update_time: int | None = None

    def __post_init__(self) -> None:
        self.__dict__["experiment_id"] = check_experiment_id(self.experiment_id)
        check_experiment_name(self.name)

    def _facts(self) -> Mapping[str, object]:
        return {
            "experiment_id": self.experiment_id,
            "name": self.name,
            "artifact_location": self.artifact_location or None,
            "tags": self.tags or None,
            "lifecycle_stage": None if self.lifecycle_stage == LifecycleStage.ACTIVE else self.lifecycle_stage,
        }

    def _repr_html_(self) -> str:
        """What notebooks show."""
        from dovetail.values.notebook import experiment_html

        return experiment_html(self)
