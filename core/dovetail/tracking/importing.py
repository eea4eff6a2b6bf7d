"""Bringing what MLflow kept in a directory or a database, or has on a server, into a store of ours."""

from __future__ import annotations

import os
from contextlib import ExitStack
from typing import TYPE_CHECKING

from dovetail import uris
from dovetail.errors import ForeignLayout, InvalidInput, NotFound, PluginMissing
from dovetail.tracking import modes, places
from dovetail.tracking.importing_registry import Registered, reachable
from dovetail.tracking.mlflow_database import MlflowDatabase
from dovetail.tracking.mlflow_files import MlflowFiles
from dovetail.tracking.mlflow_server import MlflowServer
from dovetail.tracking.syncing_experiments import bring
from dovetail.tracking.syncing_files import Files
from dovetail.tracking.syncing_report import SyncReport
from dovetail.tracking.syncing_trial import place_for
from dovetail.values import LoggedModelStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from dovetail.tracking.mlflow_source import MlflowSource
    from dovetail.values import Experiment

__all__ = ["ARTIFACTS", "import_mlflow"]

ARTIFACTS = ("keep", "copy", "none")
"""What becomes of artifacts: they stay and are referred to, are copied, or are left out."""
_SQLITE = b"SQLite format 3\0"


def import_mlflow(
    source: str | os.PathLike[str],
    destination: str | os.PathLike[str] | None = None,
    *,
    artifacts: str = "keep",
    artifacts_from: str | os.PathLike[str] | None = None,
    experiments: Sequence[str] | str = (),
    dry_run: bool = False,
    progress: Callable[[str], None] | None = None,
) -> SyncReport:
    """Bring experiments, runs, logged models and registered models from MLflow; what it has is never changed.

    Runs and logged models keep their ids, times and histories, versions of registered models their numbers. What was
    brought before is not written again. What is deleted in MLflow is left out.

    Args:
        source: A directory such as ``mlruns``, a SQLite database such as ``mlflow.db`` or ``sqlite:///mlflow.db``, or
            the address of a tracking server that runs, such as ``http://host:5000``.
        destination: The URI of the store to write to; by default the tracking URI in force. Registered models go to the
            registry beside it.
        artifacts: ``keep``: experiments that are made keep MLflow's place for artifacts, which then stay there; those
            of an experiment that is there already with another place, as ``Default`` is, are copied. ``copy``: all are
            copied. ``none``: they are left out.
        artifacts_from: Where a tracking server of MLflow's kept what it calls ``mlflow-artifacts:``, such as
            ``./mlartifacts``; by default a source that is a server is asked for them.
        experiments: Only these, by id or name, and no registered models; one may be given as text.
        dry_run: Whether to write nothing: the answer says what would be brought.
        progress: Told the id of each run that is done.

    Raises:
        NotFound: There is nothing at the source, or no such experiment in it; nothing was written.
        ForeignLayout: It is not MLflow's, or of a release that is not known here; nothing was written.
        InvalidInput: Artifacts lie behind a tracking server, and nobody said where that kept them.
        StoreError: The destination fails; what was written stays, and the next time goes on.
    """
    if artifacts not in ARTIFACTS:
        raise InvalidInput(f"Artifacts cannot be treated as {artifacts!r}.", hint=f"Use one of {', '.join(ARTIFACTS)}.")
    target = places.get_tracking_uri() if destination is None else places.resolved(destination)
    named = (experiments,) if isinstance(experiments, str) else tuple(experiments)
    report = SyncReport(destination=uris.masked(target), dry_run=dry_run)
    with ExitStack() as closing:
        origin = _opened(source, report, artifacts_from, closing)
        closing.callback(origin.close)
        report.source = origin.name
        found = [each for each in origin.experiments() if not named or {each.experiment_id, each.name} & set(named)]
        _require_all(named, found, origin)
        if artifacts != "none":
            _require_served(origin, found, artifacts_from)
            _note_missing(origin, found, report)
        store = places.open_place(place_for(target, closing, dry_run=dry_run), closing)
        files = None if artifacts == "none" else Files(report, store)
        located = (lambda each: origin.place(each.artifact_location) or None) if artifacts == "keep" else None
        bring(origin, store, report, found, files=files, located=located, progress=progress)
        if not named:
            _bring_registered(origin, target, report, files)
    return report


def _opened(
    source: str | os.PathLike[str],
    report: SyncReport,
    artifacts_from: str | os.PathLike[str] | None,
    closing: ExitStack,
) -> MlflowSource:
    served = None if artifacts_from is None else places.artifact_location(artifacts_from)
    if uris.scheme_of(os.fspath(source)) in ("http", "https"):
        return MlflowServer(os.fspath(source), report, served, closing)
    path = _path(source)
    if path.is_dir():
        return MlflowFiles(path, report, served)
    if not path.exists():
        raise NotFound(f"There is nothing at {path}.", hint="Name MLflow's directory (mlruns) or database (mlflow.db).")
    with path.open("rb") as file:
        if file.read(len(_SQLITE)) != _SQLITE:
            raise ForeignLayout(
                f"{path} is neither a directory nor a SQLite database.", hint="Name MLflow's mlruns or mlflow.db."
            )
    return MlflowDatabase(path, report, served)


def _path(source: str | os.PathLike[str]) -> Path:
    """The path that MLflow's URI, or a path, means."""
    text = os.fspath(source)
    scheme = uris.scheme_of(text)
    if scheme == "sqlite":
        text = text.partition("///")[2]
    elif scheme != "file":
        raise InvalidInput(
            f"{uris.masked(text)} is neither a directory nor a SQLite file nor a server of MLflow's; only these "
            "can be imported.",
            hint="Name the directory (mlruns), the file (mlflow.db) or the server (http://host:port).",
        )
    return uris.path_of(text)


def _require_all(named: Sequence[str], found: Sequence[Experiment], origin: MlflowSource) -> None:
    known = {each.experiment_id for each in found} | {each.name for each in found}
    if missing := [each for each in named if each not in known]:
        raise NotFound(
            f"{origin.name} has no experiment with the id or name {missing[0]!r}.",
            hint="What is deleted in MLflow is left out; restore it there first.",
        )


def _require_served(
    origin: MlflowSource, experiments: Sequence[Experiment], artifacts_from: str | os.PathLike[str] | None
) -> None:
    behind = [each for each in experiments if origin.is_served(each)]
    if behind and artifacts_from is None:
        raise InvalidInput(
            f"The artifacts of the experiment {behind[0].name!r} lie behind a tracking server of MLflow's.",
            hint="Say where that kept them, by artifacts_from (--artifacts-from ./mlartifacts), or leave artifacts out "
            "(--no-artifacts).",
        )


def _note_missing(origin: MlflowSource, experiments: Sequence[Experiment], report: SyncReport) -> None:
    """Note where MLflow's artifacts must be and are not: where an experiment has models that are ready."""
    for each in experiments:
        here = origin.place(each.artifact_location)
        if not here or not uris.is_local(here) or uris.path_of(here).exists():
            continue
        if any(model.status == LoggedModelStatus.READY for model in origin.models(each.experiment_id)):
            reason = f"MLflow kept them in {uris.path_of(here)}, where nothing is; put them there and import again."
            report.refuse("artifacts", each.name, reason)


def _bring_registered(origin: MlflowSource, target: str, report: SyncReport, files: Files | None) -> None:
    models = [reachable(each, report) for each in origin.registered()]
    if not models:
        return
    moved = {} if files is None else files.moved

    def placed(source: str) -> str:
        """A version's files lie where those of its run or logged model lie now."""
        here = source if not source or uris.scheme_of(source) in ("runs", "models") else origin.place(source)
        before = here
        while before and before not in moved:
            before = before.rpartition("/")[0]
        return f"{moved[before]}{here[len(before) :]}" if before else here or source

    beside = places.resolved(places.registry_uri_beside(target))
    report.registry = "" if beside == target else uris.masked(beside)
    if report.dry_run and not modes.is_there(beside) and uris.scheme_of(beside) != "dir":
        report.versions_created += sum(len(model.latest_versions) for model in models)
        return
    try:
        registry = places.open_registry(beside)
    except PluginMissing as missing:
        report.refuse("registry", origin.name, str(missing).replace("\n", " "))
        return
    registered = Registered(registry, report, placed)
    for model in models:
        registered.bring(model)
