"""Fluent verbs for artifacts."""

from __future__ import annotations

import os
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from dovetail import uris
from dovetail.errors import InvalidName, NotFound
from dovetail.tracking import places, runs
from dovetail.tracking.client import Client
from dovetail.tracking.experiments import active_experiment_id
from dovetail.tracking.operations import answers, in_background
from dovetail.tracking.run_artifacts import RunArtifacts
from dovetail.tracking.storing import naming, storing
from dovetail.values.names import check_run_id

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dovetail.tracking.operations import RunOperations

__all__ = [
    "get_artifact_uri",
    "load_table",
    "log_artifact",
    "log_artifacts",
    "log_dict",
    "log_figure",
    "log_image",
    "log_stream",
    "log_table",
    "log_text",
]


def log_artifact(
    local_path: str | os.PathLike[str], artifact_path: str | None = None, run_id: str | None = None
) -> None:
    """Upload a file, or a folder under its own name.

    Args:
        local_path: What to upload.
        artifact_path: The artifact folder to put it in; by default the run's root.
        run_id: The run; by default the active one, which is started if there is none.
    """
    with storing(local_path, lambda: _of(run_id)) as run:
        run.log_artifact(local_path, artifact_path)


def log_artifacts(
    local_dir: str | os.PathLike[str], artifact_path: str | None = None, run_id: str | None = None
) -> None:
    """Upload what is in a folder, subfolders included.

    ``log_artifacts("<run id>", path)`` is understood too, as scripts have it that name the run first: if there is no
    folder of the first name here and a run has it as its id, the second argument is the local file or folder to upload
    into that run's root.

    Args:
        local_dir: The folder; or the id of a run, with what to upload behind it.
        artifact_path: The artifact folder to put it in; by default the run's root.
        run_id: The run; by default the active one, which is started if there is none.

    Raises:
        NotFound: There is no such folder, or no such run.
        InvalidInput: It is a file, or holds what artifacts cannot have.
    """
    if run_id is None and artifact_path is not None and _names_a_run(local_dir):
        with storing(artifact_path, lambda: _of(str(local_dir))) as run:
            _log_into(run, Path(artifact_path))
    else:
        with storing(local_dir, lambda: _of(run_id)) as run:
            run.log_artifacts(local_dir, artifact_path)


def log_text(text: str, artifact_file: str, run_id: str | None = None) -> None:
    """Write text as an artifact, in UTF-8."""
    with storing(artifact_file, lambda: _of(run_id)) as run:
        run.log_text(text, artifact_file)


def log_dict(dictionary: Any, artifact_file: str, run_id: str | None = None) -> None:
    """Write a dict or list as an artifact: YAML for ``.yaml``/``.yml``, otherwise JSON."""
    with storing(artifact_file, lambda: _of(run_id)) as run:
        run.log_dict(dictionary, artifact_file)


def log_figure(
    figure: Any, artifact_file: str, *, save_kwargs: Mapping[str, Any] | None = None, run_id: str | None = None
) -> None:
    """Write a matplotlib or plotly figure as an artifact.

    Args:
        figure: The figure.
        artifact_file: Such as ``plots/loss.png``; the ending decides the format (plotly: also ``.html``).
        save_kwargs: Passed to the library's own way of saving.
        run_id: The run; by default the active one.
    """
    with storing(artifact_file, lambda: _of(run_id)) as run:
        run.log_figure(figure, artifact_file, save_kwargs=save_kwargs)


def log_image(
    image: Any,
    artifact_file: str | None = None,
    key: str | None = None,
    step: int | None = None,
    timestamp: int | None = None,
    synchronous: bool | None = None,
    *,
    run_id: str | None = None,
) -> RunOperations | None:
    """Write an image as an artifact, or as one of a series over the steps of a run.

    Args:
        image: An array or nested list (height by width, or height by width by 1, 3 or 4; whole numbers from 0 to 255,
            floats from 0 to 1, or booleans), a Pillow image, or a ``dovetail.Image``.
        artifact_file: Such as ``samples/first.png``; the ending decides the format.
        key: The series, instead of a file: a name like that of a metric.
        step: The training step of an image in a series, 0 by default.
        timestamp: Its time in milliseconds since 1970, UTC; by default now.
        synchronous: True or None: the call returns when it is stored. False: another thread stores it, and the call
            answers with something to wait for.
        run_id: The run; by default the active one, which is started if there is none.

    Raises:
        InvalidInput: It is no image, or both or neither of file and key are given.
        PluginMissing: Pillow, or numpy for arrays, is not installed.
    """
    what = key if artifact_file is None else artifact_file
    with storing(what, lambda: _of(run_id)) as run:
        work = partial(run.log_image, image, artifact_file, key, step, timestamp)
        if not synchronous and answers(synchronous):
            return in_background(naming(what)(work))
        work()
    return None


def log_table(data: Any, artifact_file: str, run_id: str | None = None) -> None:
    """Write a table as an artifact; rows are added to one that is there.

    Whoever reads it sees it as it was before the call or after it. Two processes that add to one table at the same
    moment each write a whole table, of which the later one's holds.

    Args:
        data: A DataFrame, or a dict of a list (or a single value) for each column. Images may stand in the cells.
        artifact_file: Such as ``predictions.json``; ``.parquet`` needs pandas and pyarrow.
        run_id: The run; by default the active one, which is started if there is none.

    Raises:
        InvalidInput: It is no table, or the file that is there holds none.
    """
    with storing(artifact_file, lambda: _of(run_id)) as run:
        run.log_table(data, artifact_file)


def load_table(
    artifact_file: str, run_ids: Sequence[str] | None = None, extra_columns: Sequence[str] | None = None
) -> Any:
    """The tables of several runs as one DataFrame.

    Args:
        artifact_file: The name they were logged by.
        run_ids: Which runs; by default all of the experiment in force that logged such a table.
        extra_columns: Facts about the run to have in each of its rows: ``run_id``, ``run_name``, ``start_time`` and the
            like, ``metrics.<key>``, ``params.<key>``, ``tags.<key>``.

    Raises:
        NotFound: No run has such a table.
        PluginMissing: pandas is not installed.
    """
    return Client().load_table(active_experiment_id(), artifact_file, run_ids, extra_columns)


def log_stream(stream: BinaryIO, artifact_file: str, run_id: str | None = None) -> None:
    """Write what a binary stream still has to give as an artifact, without holding all of it in memory."""
    with storing(artifact_file, lambda: _of(run_id)) as run:
        run.log_stream(stream, artifact_file)


def get_artifact_uri(artifact_path: str | None = None) -> str:
    """The URI of the active run's artifacts, or of one of them."""
    path, run = uris.artifact_path(artifact_path), runs.current_run()
    return uris.join(places.open_store(run.uri).get_run(run.run_id).info.artifact_uri, path)


def _names_a_run(text: str | os.PathLike[str]) -> bool:
    """Whether this is the id of a run and no folder here."""
    if not isinstance(text, str) or os.path.isdir(text):  # noqa: PTH112 - it takes any text, also an overlong one
        return False
    with suppress(InvalidName, NotFound):
        places.tracking_store().get_run(check_run_id(text))
        return True
    return False


def _log_into(run: RunArtifacts, local: Path) -> None:
    (run.log_artifacts if local.is_dir() else run.log_artifact)(local)


def _of(run_id: str | None) -> RunArtifacts:
    if run_id:
        return RunArtifacts(places.tracking_store(), check_run_id(run_id))
    run = runs.current_run()
    return RunArtifacts(places.open_store(run.uri), run.run_id)
