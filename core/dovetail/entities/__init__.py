"""The values that stores keep and searches answer with, by MLflow's names."""

from typing import TYPE_CHECKING

from dovetail import lazy
from dovetail.values import (
    Dataset,
    DatasetInput,
    Experiment,
    FileInfo,
    InputTag,
    LifecycleStage,
    LoggedModel,
    LoggedModelInput,
    LoggedModelOutput,
    LoggedModelStatus,
    Metric,
    Param,
    Run,
    RunData,
    RunInfo,
    RunInputs,
    RunOutputs,
    RunStatus,
    SourceType,
    ViewType,
)
from dovetail.values import Param as LoggedModelParameter
from dovetail.values import Tag as ExperimentTag
from dovetail.values import Tag as LoggedModelTag
from dovetail.values import Tag as RunTag

__all__ = [
    "Dataset",
    "DatasetInput",
    "Experiment",
    "ExperimentTag",
    "FileInfo",
    "InputTag",
    "LifecycleStage",
    "LoggedModel",
    "LoggedModelInput",
    "LoggedModelOutput",
    "LoggedModelParameter",
    "LoggedModelStatus",
    "LoggedModelTag",
    "Metric",
    "Param",
    "Run",
    "RunData",
    "RunInfo",
    "RunInputs",
    "RunOutputs",
    "RunStatus",
    "RunTag",
    "SourceType",
    "ViewType",
]

if not TYPE_CHECKING:
    __getattr__ = lazy.attributes(__name__, {})
