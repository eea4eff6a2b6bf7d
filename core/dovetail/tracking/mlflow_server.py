"""A tracking server of MLflow's that runs, as a source."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from dovetail import uris
from dovetail.tracking import places
from dovetail.tracking.mlflow_source import PROXIED, MlflowSource
from dovetail.tracking.syncing_source import StoreSource, pages

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import ExitStack

    from dovetail.tracking.syncing_report import SyncReport
    from dovetail.values import Experiment, LoggedModel, ModelVersion, RegisteredModel, Run

__all__ = ["MlflowServer"]


class MlflowServer(StoreSource, MlflowSource):
    """Experiments, runs and models of a server that is asked for them; it is only read.

    Args:
        uri: The server's address.
        report: Told what cannot be read.
        served: The URI of what the server serves as ``mlflow-artifacts:``; None for the server itself.
        closing: Closes what is opened for this alone.
    """

    def __init__(self, uri: str, report: SyncReport, served: str | None, closing: ExitStack) -> None:
        MlflowSource.__init__(self, Path(), report, served)
        StoreSource.__init__(self, places.open_place(uri, closing))
        self._registry = places.open_registry(uri)

    def runs(self, experiment_id: str) -> Iterator[Sequence[Run]]:
        """The runs of an experiment, some at a time."""
        # A server's searches leave out which logged models runs used.
        used = bool(self._store.search_logged_models([experiment_id], max_results=1))
        for page in super().runs(experiment_id):
            whole = [self._store.get_run(run.info.run_id) for run in page] if used else page
            yield [self._placed(run) for run in whole]

    def models(self, experiment_id: str) -> Iterator[LoggedModel]:
        """The logged models of an experiment."""
        for model in super().models(experiment_id):
            yield replace(model, artifact_location=self.place(model.artifact_location))

    def registered(self) -> Iterator[RegisteredModel]:
        """The registered models, each with all of its versions as ``latest_versions``, by number."""
        versions: dict[str, list[ModelVersion]] = {}
        for found in pages(lambda token: self._registry.search_model_versions(page_token=token)):
            for version in found:
                versions.setdefault(version.name, []).append(version)
        for models in pages(lambda token: self._registry.search_registered_models(page_token=token)):
            for model in models:
                own = sorted(versions.get(model.name, ()), key=lambda each: each.version)
                yield replace(model, latest_versions=own)

    def place(self, uri: str | None) -> str:
        """Where artifacts are: a URI that means the same wherever this process tracks."""
        if self._served is not None or not uri or uris.scheme_of(uri) != PROXIED:
            return super().place(uri)
        return self._store.artifact_place(uri)

    def is_served(self, experiment: Experiment) -> bool:
        """Not in a way that somebody has to say where: the server itself passes its artifacts on."""
        del experiment
        return False

    def _placed(self, run: Run) -> Run:
        return replace(run, info=replace(run.info, artifact_uri=self.place(run.info.artifact_uri)))

    def close(self) -> None:
        """Nothing: what was opened is closed by whoever opens stores."""
