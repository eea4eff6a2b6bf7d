"""Fluent verbs for artifacts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dovetail import uris
from dovetail.tracking import places, runs
from dovetail.tracking.run_artifacts import RunArtifacts
from dovetail.values.names import check_run_id

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

__all__ = ["get_artifact_uri", "log_artifact", "log_artifacts", "log_dict", "log_figure", "log_text"]


def log_artifact(
    local_path: str | os.PathLike[str], artifact_path: str | None = None, run_id: str | None = None
) -> None:
    """Upload a file, or a folder under its own name.

    Args:
        local_path: What to upload.
        artifact_path: The artifact folder to put it in; by default the run's root.
        run_id: The run; by default the active one, which is started if there is none.
    """
    _of(run_id).log_artifact(local_path, artifact_path)


def log_artifacts(
    local_dir: str | os.PathLike[str], artifact_path: str | None = None, run_id: str | None = None
) -> None:
    """Upload what is in a folder, subfolders included."""
    _of(run_id).log_artifacts(local_dir, artifact_path)


def log_text(text: str, artifact_file: str, run_id: str | None = None) -> None:
    """Write text as an artifact, in UTF-8."""
    _of(run_id).log_text(text, artifact_file)


def log_dict(dictionary: Any, artifact_file: str, run_id: str | None = None) -> None:
    """Write a dict or list as an artifact: YAML for ``.yaml``/``.yml``, otherwise JSON."""
    _of(run_id).log_dict(dictionary, artifact_file)


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
    _of(run_id).log_figure(figure, artifact_file, save_kwargs=save_kwargs)


def get_artifact_uri(artifact_path: str | None = None) -> str:
    """The URI of the active run's artifacts, or of one of them."""
    path, run = uris.artifact_path(artifact_path), runs.current_run()
    return uris.join(places.open_store(run.uri).get_run(run.run_id).info.artifact_uri, path)


def _of(run_id: str | None) -> RunArtifacts:
    if run_id:
        return RunArtifacts(places.tracking_store(), check_run_id(run_id))
    run = runs.current_run()
    return RunArtifacts(places.open_store(run.uri), run.run_id)
