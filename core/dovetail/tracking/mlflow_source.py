"""What MLflow's directories and databases have in common: runs and models to read, and a registry beside them."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

from dovetail import uris
from dovetail.tracking.syncing_source import Source
from dovetail.values import LoggedModelStatus
from dovetail.values.names import MAX_INT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dovetail.tracking.syncing_report import SyncReport
    from dovetail.values import Experiment, RegisteredModel

__all__ = ["MlflowSource", "model_status", "moment_of", "run_status"]

PROXIED = "mlflow-artifacts"
_RUN_STATES = {1: "RUNNING", 2: "SCHEDULED", 3: "FINISHED", 4: "FAILED", 5: "KILLED"}
_MODEL_STATES = {
    0: LoggedModelStatus.UNSPECIFIED,
    1: LoggedModelStatus.PENDING,
    2: LoggedModelStatus.READY,
    3: LoggedModelStatus.FAILED,
}


class MlflowSource(Source):
    """Runs and models in MLflow's own layout; they are read and never changed.

    Args:
        folder: The folder that relative artifact locations are relative to.
        report: Told what cannot be read.
        served: The URI of what a tracking server of MLflow's serves as ``mlflow-artifacts:``; None if nobody said.
    """

    def __init__(self, folder: Path, report: SyncReport, served: str | None) -> None:
        self._folder, self._report, self._served = folder, report, served

    @abstractmethod
    def registered(self) -> Iterator[RegisteredModel]:
        """The registered models, each with all of its versions as ``latest_versions``, by number."""

    @abstractmethod
    def close(self) -> None:
        """Let go of what was opened."""

    def place(self, uri: str | None) -> str:
        """Where artifacts are: a URI that means the same from any working folder; empty if nobody knows."""
        if not uri:
            return ""
        if uris.scheme_of(uri) == PROXIED:
            path = uri.partition(":")[2]
            # With two slashes, a host stands before the path.
            path = path[2:].partition("/")[2] if path.startswith("//") else path
            return uris.join(self._served, path.strip("/")) if self._served else ""
        if not uris.is_local(uri):
            return uri
        relative = not uri.startswith(("/", "~")) and not uri.lower().startswith("file:")
        return uris.uri_of(uris.path_of(str(self._folder / uri) if relative else uri))

    def is_served(self, experiment: Experiment) -> bool:
        """Whether the experiment's artifacts lie behind a tracking server of MLflow's."""
        return bool(experiment.artifact_location) and uris.scheme_of(experiment.artifact_location) == PROXIED


def run_status(status: Any) -> str:
    """A run's status, which MLflow counts in files and writes out in databases."""
    return _RUN_STATES.get(status, str(status))


def model_status(status: Any) -> LoggedModelStatus:
    """A logged model's status by its number."""
    return _MODEL_STATES.get(status, LoggedModelStatus.UNSPECIFIED)


def moment_of(said: object) -> int | None:
    """A time in milliseconds since 1970, if it is one; older releases of MLflow's have none for experiments."""
    return said if type(said) is int and 0 <= said <= MAX_INT else None
