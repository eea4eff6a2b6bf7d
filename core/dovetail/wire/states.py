"""The words for states in MLflow's JSON.

What is sent may say a state by its number, and one that MLflow does not know counts as not said: so MLflow reads it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from dovetail.values.logged_model import LoggedModelStatus
from dovetail.values.registry import ModelVersionStatus
from dovetail.values.state import RunStatus, ViewType

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "dump_model_status",
    "dump_status",
    "dump_view_type",
    "load_model_status",
    "load_status",
    "load_version_status",
    "load_view_type",
]

State = TypeVar("State")

_RUN = {
    word: word
    for word in (RunStatus.RUNNING, RunStatus.SCHEDULED, RunStatus.FINISHED, RunStatus.FAILED, RunStatus.KILLED)
}
_MODEL = {
    "LOGGED_MODEL_STATUS_UNSPECIFIED": LoggedModelStatus.UNSPECIFIED,
    "LOGGED_MODEL_PENDING": LoggedModelStatus.PENDING,
    "LOGGED_MODEL_READY": LoggedModelStatus.READY,
    "LOGGED_MODEL_UPLOAD_FAILED": LoggedModelStatus.FAILED,
}
_VERSION = {each.value: each for each in ModelVersionStatus}
_VIEW = {each.name: each for each in ViewType}

# By their numbers; those of runs, versions and views count from 1, those of logged models from 0.
_RUNS = dict(enumerate(_RUN.values(), start=1))
_MODELS = dict(enumerate(_MODEL.values()))
_VERSIONS = dict(enumerate(_VERSION.values(), start=1))
_VIEWS = dict(enumerate(_VIEW.values(), start=1))
_MODEL_WORDS = {status: word for word, status in _MODEL.items()}


def dump_status(status: str) -> str:
    """MLflow's word for the state of a run; it has none for CRASHED, which is FAILED there."""
    return RunStatus.FAILED if status == RunStatus.CRASHED else status


def load_status(data: object) -> str | None:
    """The state of a run that is meant, None where none is said that MLflow knows."""
    return _found(data, _RUN, _RUNS)


def dump_model_status(status: LoggedModelStatus) -> str:
    """MLflow's word for the state of a logged model, such as ``LOGGED_MODEL_READY``."""
    return _MODEL_WORDS[status]


def load_model_status(data: object) -> LoggedModelStatus:
    """The state of a logged model that is meant, UNSPECIFIED where none is said that MLflow knows."""
    return _found(data, _MODEL, _MODELS) or LoggedModelStatus.UNSPECIFIED


def load_version_status(data: object) -> ModelVersionStatus:
    """The state of a model version that is meant, PENDING_REGISTRATION where none is said that MLflow knows."""
    return _found(data, _VERSION, _VERSIONS) or ModelVersionStatus.PENDING_REGISTRATION


def dump_view_type(view_type: ViewType) -> str:
    """MLflow's word for a view, such as ``ACTIVE_ONLY``."""
    return view_type.name


def load_view_type(data: object) -> ViewType:
    """The view that is meant, ACTIVE_ONLY where none is said that MLflow knows."""
    return _found(data, _VIEW, _VIEWS) or ViewType.ACTIVE_ONLY


def _found(data: object, words: Mapping[str, State], numbers: Mapping[int, State]) -> State | None:
    if isinstance(data, str):
        return words.get(data)
    return numbers.get(data) if type(data) is int else None
