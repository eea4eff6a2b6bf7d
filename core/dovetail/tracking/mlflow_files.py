"""Reading a directory that MLflow keeps runs and models in, such as ``mlruns``; nothing in it is changed."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from dovetail.errors import DovetailError, ForeignLayout, StoreError
from dovetail.tracking.mlflow_points import Histories, latest, lines, measured
from dovetail.tracking.mlflow_source import MlflowSource, model_status, moment_of, run_status
from dovetail.tracking.syncing_source import PAGE
from dovetail.values import (
    Dataset,
    DatasetInput,
    Experiment,
    InputTag,
    LoggedModel,
    LoggedModelInput,
    LoggedModelOutput,
    ModelVersion,
    RegisteredModel,
    Run,
    RunData,
    RunInfo,
    RunInputs,
    RunOutputs,
)
from dovetail.values.names import MAX_INT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from dovetail.tracking.series import Series
    from dovetail.tracking.syncing_report import SyncReport

__all__ = ["MlflowFiles"]

_META = "meta.yaml"
_REGISTRY = "models"
_DELETED = "Deleted_Internal"


class MlflowFiles(MlflowSource):
    """A directory of MLflow's.

    What cannot be read, such as the folder of a run that was half removed, is noted; all else is read.

    Args:
        path: The directory.
        report: Told what cannot be read.
        served: As for ``MlflowSource``.

    Raises:
        ForeignLayout: It holds no experiments of MLflow's.
    """

    def __init__(self, path: Path, report: SyncReport, served: str | None = None) -> None:
        super().__init__(path.parent, report, served)
        self.name, self._path, self._histories = str(path), path, Histories()
        if not any(self._numbered()):
            raise ForeignLayout(
                f"{path} holds no experiments of MLflow's: none of its folders is a number with a {_META} in it.",
                hint=f"Name {_meant(path) or 'the directory that MLflow tracked in, such as ./mlruns'}.",
            )

    def close(self) -> None:
        """Nothing is open."""

    # --- runs ------------------------------------------------------------------------------------------------

    def experiments(self) -> list[Experiment]:
        """The experiments, the oldest first."""
        found = [(int(folder.name), self._experiment(folder)) for folder in self._numbered()]
        return [made for _, made in sorted(found, key=lambda pair: pair[0]) if made is not None]

    def runs(self, experiment_id: str) -> Iterator[Sequence[Run]]:
        """The runs of an experiment, some at a time."""
        folders = [each for each in self._below(self._path / experiment_id) if each.name not in _OTHERS]
        page: list[Run] = []
        for folder in folders:
            if (run := self._run(experiment_id, folder)) is not None:
                page.append(run)
            if len(page) == PAGE or self._histories.full:
                yield page
                page = []
                self._histories.forget()
        yield page
        self._histories.forget()

    def series(self, run_id: str, key: str) -> Series:
        """The points of a metric of a run."""
        for folder in self._path.glob(f"[0-9]*/{run_id}"):
            return self._histories.take(folder / "metrics" / key, key)
        raise StoreError(f"The run {run_id} is not in {self._path} any more.", hint="Let nobody change it meanwhile.")

    def _experiment(self, folder: Path) -> Experiment | None:
        with self._noting("experiment", folder):
            meta = _meta(folder)
            if not _active(meta):
                return None
            return Experiment(
                folder.name,
                str(meta["name"]),
                self._location(meta, folder),
                tags=_texts(folder / "tags"),
                creation_time=moment_of(meta.get("creation_time")),
            )
        return None

    def _location(self, meta: dict[str, Any], folder: Path) -> str:
        """Where its artifacts are: as it says, or with it, if the directory was moved here from elsewhere."""
        said = str(meta.get("artifact_location") or "")
        here = self.place(said)
        return folder.as_uri() if self._was_moved(here, folder) else said

    def _was_moved(self, uri: str, folder: Path) -> bool:
        from dovetail import uris

        return not uri or (uris.is_local(uri) and not uris.path_of(uri).exists() and folder.is_dir())

    def _run(self, experiment_id: str, folder: Path) -> Run | None:
        with self._noting("run", folder):
            meta = _meta(folder)
            return self._made(experiment_id, folder, meta) if _active(meta) else None
        return None

    def _made(self, experiment_id: str, folder: Path, meta: dict[str, Any]) -> Run:
        tags, files = _texts(folder / "tags"), self.place(str(meta.get("artifact_uri") or ""))
        info = RunInfo(
            run_id=folder.name,
            experiment_id=experiment_id,
            run_name=str(meta.get("run_name") or tags.get("mlflow.runName", "")),
            user_id=str(meta.get("user_id") or ""),
            status=run_status(meta["status"]),
            start_time=int(meta["start_time"] or 0),
            end_time=None if meta.get("end_time") is None else _moment(meta["end_time"]),
            artifact_uri=(folder / "artifacts").as_uri() if self._was_moved(files, folder / "artifacts") else files,
        )
        data = RunData.read(self._points(folder), _texts(folder / "params"), tags)
        return Run(info, data, self._inputs(folder), self._outputs(folder))

    def _points(self, folder: Path) -> list[tuple[str, float, int, int]]:
        """The latest point of each metric; one that cannot be read is left out, and its run is not."""
        found = []
        for key, path in _files(folder / "metrics"):
            with self._noting("metric", folder):
                found.append(latest(self._histories.read(path, key)))
        return [point for point in found if point is not None]

    # --- inputs and outputs ----------------------------------------------------------------------------------

    def _inputs(self, folder: Path) -> RunInputs:
        datasets, models = [], []
        for each in self._below(folder / "inputs"):
            meta = _meta(each)
            if meta["source_type"] == "DATASET":
                dataset = _meta(folder.parent / "datasets" / str(meta["source_id"]))
                tags = tuple(InputTag(key, str(value)) for key, value in (meta.get("tags") or {}).items())
                datasets.append(DatasetInput(_dataset(dataset), tags))
            else:
                models.append(LoggedModelInput(str(meta["source_id"])))
        return RunInputs(tuple(datasets), tuple(models))

    def _outputs(self, folder: Path) -> RunOutputs:
        found = []
        for each in self._below(folder / "outputs"):
            meta = _meta(each)
            found.append(LoggedModelOutput(str(meta["destination_id"]), int(meta.get("step") or 0)))
        return RunOutputs(tuple(found))

    # --- models ----------------------------------------------------------------------------------------------

    def models(self, experiment_id: str) -> Iterator[LoggedModel]:
        """The logged models of an experiment."""
        for folder in self._below(self._path / experiment_id / "models"):
            made = None
            with self._noting("logged_model", folder):
                meta = _meta(folder)
                made = self._model(experiment_id, folder, meta) if _active(meta) else None
            if made is not None:
                yield made

    def _model(self, experiment_id: str, folder: Path, meta: dict[str, Any]) -> LoggedModel:
        files = self.place(str(meta.get("artifact_location") or ""))
        return LoggedModel(
            experiment_id=experiment_id,
            model_id=folder.name,
            name=str(meta["name"]),
            artifact_location=(
                (folder / "artifacts").as_uri() if self._was_moved(files, folder / "artifacts") else files
            ),
            creation_timestamp=int(meta["creation_timestamp"]),
            last_updated_timestamp=int(meta["last_updated_timestamp"]),
            status=model_status(meta.get("status")),
            model_type=meta.get("model_type"),
            source_run_id=meta.get("source_run_id"),
            status_message=meta.get("status_message"),
            tags=_texts(folder / "tags"),
            params=_texts(folder / "params"),
            metrics=tuple(
                measured(folder.name, key, line) for key, path in _files(folder / "metrics") for line in lines(path)
            ),
        )

    # --- registry --------------------------------------------------------------------------------------------

    def registered(self) -> Iterator[RegisteredModel]:
        """The registered models, each with all of its versions."""
        for folder in self._below(self._path / _REGISTRY):
            made = None
            with self._noting("registered_model", folder):
                made = self._registered(folder, _meta(folder))
            if made is not None:
                yield made

    def _registered(self, folder: Path, meta: dict[str, Any]) -> RegisteredModel:
        versions = [_version(each) for each in folder.glob("version-*") if (each / _META).exists()]
        return RegisteredModel(
            name=str(meta["name"]),
            creation_timestamp=int(meta.get("creation_timestamp") or 0),
            last_updated_timestamp=int(meta.get("last_updated_timestamp") or 0),
            description=meta.get("description"),
            latest_versions=sorted(
                (each for each in versions if each.current_stage != _DELETED), key=lambda each: each.version
            ),
            tags=_texts(folder / "tags"),
            aliases={alias: int(version) for alias, version in _texts(folder / "aliases").items()},
        )

    # --- folders ---------------------------------------------------------------------------------------------

    @contextmanager
    def _noting(self, kind: str, folder: Path) -> Iterator[None]:
        """Note what cannot be read, and go on behind it."""
        try:
            yield
        except KeyError as missing:
            self._report.refuse(kind, folder.name, f"A {_META} of it does not say {missing}.")
        except (DovetailError, OSError, ValueError, TypeError, OverflowError) as failure:
            self._report.refuse(kind, folder.name, failure)

    def _numbered(self) -> Iterator[Path]:
        """The folders of experiments."""
        yield from (each for each in self._below(self._path) if each.name.isascii() and each.name.isdigit())

    @staticmethod
    def _below(folder: Path) -> list[Path]:
        """The folders in a folder that describe something, by name."""
        return sorted(each.parent for each in folder.glob(f"*/{_META}"))


_OTHERS = ("models", "datasets", "tags", "traces", ".trash")
"""What lies among the runs of an experiment and is none."""


def _meant(folder: Path) -> Path | None:
    """What people mean who name the folder that they called MLflow in."""
    return next((folder / each for each in ("mlflow.db", "mlruns") if (folder / each).exists()), None)


def _meta(folder: Path) -> dict[str, Any]:
    import yaml

    path = folder / _META
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        found = yaml.load(path.read_text(encoding="utf-8"), Loader=loader)  # noqa: S506 - both loaders are safe ones
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise StoreError(f"{path} cannot be read: {error}.") from error
    if not isinstance(found, dict):
        raise StoreError(f"{path} describes nothing.")
    return found


def _moment(said: Any) -> int:
    """A time in milliseconds."""
    if abs(moment := int(said)) > MAX_INT:
        raise StoreError(f"A {_META} of it says the time {moment}, which is beyond 64 bits.")
    return moment


def _active(meta: dict[str, Any]) -> bool:
    return str(meta.get("lifecycle_stage", "active")) == "active"


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    """The files below a folder by their keys, which may hold slashes."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield path.relative_to(folder).as_posix(), path


def _texts(folder: Path) -> dict[str, str]:
    return {key: path.read_text(encoding="utf-8") for key, path in _files(folder)}


def _dataset(meta: dict[str, Any]) -> Dataset:
    return Dataset(
        meta["name"], str(meta["digest"]), meta["source_type"], meta["source"], meta.get("schema"), meta.get("profile")
    )


def _version(folder: Path) -> ModelVersion:
    meta = _meta(folder)
    return ModelVersion(
        name=str(meta["name"]),
        version=int(meta["version"]),
        creation_timestamp=int(meta.get("creation_timestamp") or 0),
        last_updated_timestamp=int(meta.get("last_updated_timestamp") or 0),
        description=meta.get("description"),
        user_id=meta.get("user_id"),
        current_stage=str(meta.get("current_stage") or "None"),
        source=str(meta.get("source") or ""),
        run_id=meta.get("run_id") or None,
        run_link=meta.get("run_link") or None,
        model_id=meta.get("model_id") or None,
        tags=_texts(folder / "tags"),
    )
