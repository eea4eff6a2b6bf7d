"""The frozen values that cross every seam; each checks itself when it is made."""

from dovetail.values.batch import Batch, JournalMark
from dovetail.values.dataset import Dataset, DatasetInput, DatasetSummary, InputTag
from dovetail.values.ending import Ending
from dovetail.values.event import Event
from dovetail.values.experiment import DEFAULT_EXPERIMENT_ID, DEFAULT_EXPERIMENT_NAME, Experiment
from dovetail.values.file_info import FileInfo
from dovetail.values.lease import Lease
from dovetail.values.link import LoggedModelInput, LoggedModelOutput, RunInputs, RunOutputs
from dovetail.values.log_entry import LogEntry
from dovetail.values.logged_model import LoggedModel, LoggedModelStatus, NewLoggedModel
from dovetail.values.measure import Metric, MetricColumns, Param, Tag
from dovetail.values.page import Page
from dovetail.values.registry import (
    ModelVersion,
    ModelVersionStatus,
    NewModelVersion,
    RegisteredModel,
    RegistryMove,
    RegistryTag,
)
from dovetail.values.run import NewRun, Run, RunData, RunInfo
from dovetail.values.state import LifecycleStage, RunStatus, SourceType, ViewType

__all__ = [
    "DEFAULT_EXPERIMENT_ID",
    "DEFAULT_EXPERIMENT_NAME",
    "Batch",
    "Dataset",
    "DatasetInput",
    "DatasetSummary",
    "Ending",
    "Event",
    "Experiment",
    "FileInfo",
    "InputTag",
    "JournalMark",
    "Lease",
    "LifecycleStage",
    "LogEntry",
    "LoggedModel",
    "LoggedModelInput",
    "LoggedModelOutput",
    "LoggedModelStatus",
    "Metric",
    "MetricColumns",
    "ModelVersion",
    "ModelVersionStatus",
    "NewLoggedModel",
    "NewModelVersion",
    "NewRun",
    "Page",
    "Param",
    "RegisteredModel",
    "RegistryMove",
    "RegistryTag",
    "Run",
    "RunData",
    "RunInfo",
    "RunInputs",
    "RunOutputs",
    "RunStatus",
    "SourceType",
    "Tag",
    "ViewType",
]
