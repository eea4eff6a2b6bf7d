"""A store with something of everything, all that a store holds, and stores of several kinds to move runs between."""

from __future__ import annotations

import uuid
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest

from dovetail import hookimpl, plugins
from dovetail.errors import StoreUnavailable
from dovetail.testing import MemoryTrackingStore
from dovetail.tracking.syncing_source import StoreSource
from dovetail.values import (
    Batch,
    Dataset,
    DatasetInput,
    InputTag,
    LoggedModelInput,
    LoggedModelOutput,
    Metric,
    NewLoggedModel,
    NewRun,
    Param,
    Tag,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from dovetail.artifacts.store import ArtifactStore
    from dovetail.tracking.store import TrackingStore
    from dovetail.values import Run, RunInfo

GRAPES = Dataset("grapes", "abc", "local", "{}", schema="{}", profile="{}")


def _fill(store: TrackingStore, runs: int = 3) -> list[str]:
    """Something of everything that runs hold; the ids of the runs, which are new each time."""
    wine = store.create_experiment("wine", tags=(Tag("team", "cellar"),))
    store.create_experiment("empty")
    ids = [_fill_run(store, wine, number) for number in range(runs)]
    lonely = store.create_run(NewRun("0", start_time=5)).info.run_id  # it goes on for ever, in Default
    store.log_batch(lonely, Batch((Metric("x", 1.5, 7),)))
    return [*ids, lonely]


def _fill_run(store: TrackingStore, experiment_id: str, number: int) -> str:
    new = NewRun(experiment_id, run_name=f"number {number}", user_id="ann", start_time=1000 + number)
    run_id = store.create_run(new).info.run_id
    model = store.create_logged_model(
        NewLoggedModel(
            experiment_id, "forest", source_run_id=run_id, creation_timestamp=77, params=(Param("trees", "7"),)
        )
    )
    store.log_inputs(run_id, (DatasetInput(GRAPES, (InputTag("fold", str(number)),)),))
    store.log_inputs(run_id, models=(LoggedModelInput(model.model_id),))
    store.log_outputs(run_id, (LoggedModelOutput(model.model_id, 4),))
    points = [Metric("loss", 1 / (step + 1), 2000 + step, step) for step in range(20)]
    odd = [Metric("odd", value, 3000, step) for step, value in enumerate((float("nan"), float("inf"), -0.5))]
    measured = Metric("f1", 0.9, 4000, 1, model.model_id, "grapes", "abc")
    params, tags = (Param("lr", "0.1"), Param("deep/er", "ja")), (Tag("colour", "red"), Tag("note", "two\nlines"))
    store.log_batch(run_id, Batch((*points, *odd, measured), params, tags))
    store.update_logged_model(model.model_id, status="READY", tags=(Tag("kind", "small"),))
    store.update_run(run_id, status="FAILED" if number == 1 else "FINISHED", end_time=9000 + number)
    return run_id


def _contents(store: TrackingStore) -> dict[str, Any]:
    """All that a store holds, in a form that does not depend on how it numbers experiments."""
    source = StoreSource(store)
    held: dict[str, Any] = {}
    for experiment in source.experiments():
        runs = [run for page in source.runs(experiment.experiment_id) for run in page]
        held[experiment.name] = {
            "tags": experiment.tags,
            "made": experiment.creation_time if experiment.name != "Default" else None,
            "runs": {run.info.run_id: _run(store, run.info.run_id) for run in runs},
            "models": {each.model_id: _model(each) for each in source.models(experiment.experiment_id)},
        }
    return held


def _run(store: TrackingStore, run_id: str) -> dict[str, Any]:
    run = store.get_run(run_id)
    info = {key: value for key, value in run.info.__dict__.items() if key not in ("experiment_id", "artifact_uri")}
    histories = {key: [_point(each) for each in store.get_metric_history(run_id, key)] for key in run.data.metrics}
    inputs = sorted(
        (used.dataset.name, used.dataset.digest, sorted((tag.key, tag.value) for tag in used.tags))
        for used in run.inputs.dataset_inputs
    )
    links = (
        {each.model_id for each in run.inputs.model_inputs},
        {(each.model_id, each.step) for each in run.outputs.model_outputs},
    )
    return {
        "info": info,
        "params": run.data.params,
        "tags": run.data.tags,
        "histories": histories,
        "inputs": inputs,
        "links": links,
    }


def _model(model: Any) -> dict[str, Any]:
    left_out = ("experiment_id", "artifact_location", "last_updated_timestamp", "metrics")
    facts = {key: value for key, value in model.__dict__.items() if key not in left_out}
    return {**facts, "metrics": [(_point(each), each.run_id, each.dataset_name) for each in model.metrics]}


def _point(point: Metric) -> tuple[str, str, int, int]:
    return point.key, repr(point.value), point.timestamp, point.step


def _put(store: ArtifactStore, files: dict[str, bytes]) -> None:
    for path, content in files.items():
        store.put(path, BytesIO(content))


def _files_of(store: ArtifactStore, folder: str = "") -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for info in store.list(folder):
        if info.is_dir:
            found |= _files_of(store, info.path)
        else:
            with store.open(info.path) as stream:
                found[info.path] = stream.read()
    return found


@pytest.fixture
def fill() -> Callable[..., list[str]]:
    """``fill(store, runs=3)`` puts something of everything that runs hold into a store; the ids of the new runs."""
    return _fill


@pytest.fixture
def contents() -> Callable[[TrackingStore], dict[str, Any]]:
    """``contents(store)`` is all that it holds, in a form that does not depend on how it numbers experiments."""
    return _contents


@pytest.fixture
def put() -> Callable[[ArtifactStore, dict[str, bytes]], None]:
    """``put(artifacts, {"a.txt": b"…"})`` writes files."""
    return _put


@pytest.fixture
def files_of() -> Callable[[ArtifactStore], dict[str, bytes]]:
    """``files_of(artifacts)`` reads all files."""
    return _files_of


@pytest.fixture
def place(tmp_path: Path) -> Callable[[str], str]:
    """``place("sqlite")`` is the URI of a new store of that kind, or skips the test where its plugin is missing."""

    def make(kind: str) -> str:
        name = uuid.uuid4().hex
        if kind != "memory":
            pytest.importorskip({"sqlite": "dovetail_sqlite", "dir": "dovetail_file"}[kind])
        forms = {"memory": "memory://{}", "sqlite": "sqlite:///{}/runs.db", "dir": "dir://{}"}
        folder = tmp_path / name
        if kind == "sqlite":
            folder.mkdir()
        return forms[kind].format(name if kind == "memory" else folder)

    return make


@pytest.fixture
def pair(place: Callable[[str], str]) -> tuple[str, str]:
    """The URIs of two new stores."""
    return place("memory"), place("memory")


class FarStore(MemoryTrackingStore):
    """A store that outlives the process, as a server's does, and that can be away."""

    lasting = True
    away = False

    def get_run(self, run_id: str) -> Run:
        self._require_there()
        return super().get_run(run_id)

    def update_run(self, *args: Any, **options: Any) -> RunInfo:
        self._require_there()
        return super().update_run(*args, **options)

    def log_batch(self, *args: Any, **options: Any) -> None:
        self._require_there()
        super().log_batch(*args, **options)

    def applied(self, writer: str) -> int:
        self._require_there()
        return super().applied(writer)

    def _require_there(self) -> None:
        if self.away:
            raise StoreUnavailable("The store is away.", hint="Start it.")


class FarStores:
    """Such stores under ``far://``, for as long as the tests last."""

    def __init__(self) -> None:
        self.kept: dict[str, FarStore] = {}

    @hookimpl
    def dovetail_tracking_stores(self) -> dict[str, Callable[[str], TrackingStore]]:
        return {"far": lambda uri: self.kept.setdefault(uri, FarStore(uri))}


_far = FarStores()
plugins.register(_far, "tracking_stores", "far")


@pytest.fixture
def server() -> Callable[[str], str]:
    """``server("secret")`` is the URI of a new store on a server with that password, or with none."""

    def make(password: str) -> str:
        return f"far://{f'ann:{password}@' if password else ''}host/{uuid.uuid4().hex}"

    return make


@pytest.fixture
def store_at() -> Iterator[Callable[[str], FarStore]]:
    """``store_at(uri)`` is the store on such a server itself."""
    yield lambda uri: _far.kept[uri]
    for each in _far.kept.values():
        each.away = False
