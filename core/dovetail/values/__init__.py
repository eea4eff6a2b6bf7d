"""The frozen values that cross every seam; each checks itself when it is made."""

from dovetail.values.batch import Batch, JournalMark
from dovetail.values.dataset import Dataset, DatasetInput, InputTag
from dovetail.values.experiment import DEFAULT_EXPERIMENT_ID, DEFAULT_EXPERIMENT_NAME, Experiment
from dovetail.values.file_info import FileInfo
from dovetail.values.measure import Metric, Param, Tag
from dovetail.values.page import Page
from dovetail.values.run import NewRun, Run, RunData, RunInfo
from dovetail.values.state import LifecycleStage, RunStatus, SourceType, ViewType

__all__ = [
    "DEFAULT_EXPERIMENT_ID",
    "DEFAULT_EXPERIMENT_NAME",
    "Batch",
    "Dataset",
    "DatasetInput",
    "Experiment",
    "FileInfo",
    "InputTag",
    "JournalMark",
    "LifecycleStage",
    "Metric",
    "NewRun",
    "Page",
    "Param",
    "Run",
    "RunData",
    "RunInfo",
    "RunStatus",
    "SourceType",
    "Tag",
    "ViewType",
]
