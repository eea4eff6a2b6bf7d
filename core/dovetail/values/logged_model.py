"""Logged models: trained models as things of their own, with params, tags and metrics."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from dovetail.documents import shown
from dovetail.errors import InvalidInput
from dovetail.values.measure import Metric, Param, Tag, now_ms
from dovetail.values.names import (
    MAX_TAG_VALUE,
    check_experiment_id,
    check_model_id,
    check_model_name,
    check_moment,
    check_run_id,
    check_text,
)
from dovetail.values.value import Value

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

__all__ = ["LoggedModel", "LoggedModelStatus", "NewLoggedModel", "new_model_id"]


def new_model_id() -> str:
    """A fresh id of a logged model: ``m-`` and 32 hexadecimal digits. Clients make ids, stores accept them."""
    return f"m-{uuid.uuid4().hex}"


class LoggedModelStatus(str, Enum):
    """How far a logged model is; its members are texts.

    Attributes:
        UNSPECIFIED: Nobody said.
        PENDING: Its files are being written.
        READY: It can be used.
        FAILED: Writing it failed.
    """

    UNSPECIFIED = "UNSPECIFIED"
    PENDING = "PENDING"
    READY = "READY"
    FAILED = "FAILED"

    __str__ = str.__str__

    @classmethod
    def check(cls, status: object) -> LoggedModelStatus:
        """The status of that name, in whichever case.

        Raises:
            InvalidInput: There is none.
        """
        names: dict[str, LoggedModelStatus] = {each.value: each for each in cls}
        found = names.get(status.upper()) if isinstance(status, str) else None
        if found is None:
            raise InvalidInput(
                f"The status {shown(status)} of a logged model is unknown.", hint=f"Use one of {', '.join(names)}."
            )
        return found

    @classmethod
    def is_finalized(cls, status: str) -> bool:
        """Whether nothing more is to come: READY or FAILED."""
        return cls.check(status) in (cls.READY, cls.FAILED)


@dataclass(frozen=True, repr=False)
class NewLoggedModel(Value):
    """What a store needs to create a logged model.

    Args:
        experiment_id: The experiment it goes into.
        name: What people call it; several may have one name. By default ``model``.
        model_id: Made by the client; creating a model whose id exists is an error.
        source_run_id: The run that made it, if one did.
        model_type: What kind of model it is, such as ``classifier``; any text.
        status: PENDING by default.
        creation_timestamp: Milliseconds since 1970, UTC.
        params: What it was made with.
        tags: Labels it starts with.

    Raises:
        InvalidInput: A field is not of its kind, too long, or cannot be stored.
    """

    experiment_id: str
    name: str = "model"
    model_id: str = field(default_factory=new_model_id)
    source_run_id: str | None = None
    model_type: str | None = None
    status: LoggedModelStatus = LoggedModelStatus.PENDING
    creation_timestamp: int = field(default_factory=now_ms)
    params: tuple[Param, ...] = ()
    tags: tuple[Tag, ...] = ()

    def __post_init__(self) -> None:
        self.__dict__["experiment_id"] = check_experiment_id(self.experiment_id)
        check_model_name(self.name)
        check_model_id(self.model_id)
        if self.source_run_id is not None:
            check_run_id(self.source_run_id)
        if self.model_type is not None:
            check_text("type of a logged model", self.model_type, MAX_TAG_VALUE)
        self.__dict__["status"] = LoggedModelStatus.check(self.status)
        check_moment("creation time", self.creation_timestamp)
        for name, kind in (("params", Param), ("tags", Tag)):
            members = self.__dict__[name] = tuple(getattr(self, name))
            if not all(isinstance(member, kind) for member in members):
                raise InvalidInput(f"The {name} of a new logged model must be {kind.__name__} values.")


@dataclass(frozen=True, repr=False)
class LoggedModel(Value):
    """A trained model with what is known about it.

    Args:
        experiment_id: The experiment it lies in.
        model_id: Its id; ``models:/<model_id>`` names it anywhere.
        name: What people call it.
        artifact_location: URI of the folder that its files lie in.
        creation_timestamp: Milliseconds since 1970, UTC.
        last_updated_timestamp: Milliseconds since 1970, UTC.
        model_type: What kind of model it is.
        source_run_id: The run that made it.
        status: How far it is.
        status_message: Why it failed, where somebody said so.
        tags: Labels by key.
        params: What it was made with, by key.
        metrics: Every point measured on it, with the run that logged it and the dataset it was measured on, in the
            order of (timestamp, step, key).
    """

    experiment_id: str
    model_id: str
    name: str
    artifact_location: str
    creation_timestamp: int
    last_updated_timestamp: int
    model_type: str | None = None
    source_run_id: str | None = None
    status: LoggedModelStatus = LoggedModelStatus.READY
    status_message: str | None = None
    tags: dict[str, str] = field(default_factory=dict)
    params: dict[str, str] = field(default_factory=dict)
    metrics: tuple[Metric, ...] = ()

    @property
    def model_uri(self) -> str:
        """``models:/<model_id>``."""
        return f"models:/{self.model_id}"

    def to_dictionary(self) -> dict[str, Any]:
        """Everything as plain nested dicts."""
        return {
            **self.__dict__,
            "status": self.status.value,
            "tags": dict(self.tags),
            "params": dict(self.params),
            "metrics": [dict(metric.__dict__) for metric in self.metrics],
        }

    def _facts(self) -> Mapping[str, object]:
        return {
            "model_id": self.model_id,
            "name": self.name,
            "status": self.status.value,
            "model_type": self.model_type,
            "source_run_id": self.source_run_id,
            "experiment_id": self.experiment_id,
            "params": self.params or None,
            "metrics": {metric.key: metric.value for metric in self.metrics} or None,
        }
