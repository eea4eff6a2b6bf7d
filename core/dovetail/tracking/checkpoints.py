"""The fluent verb that makes logged models of checkpoints that a training left on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dovetail import uris
from dovetail.documents import shown
from dovetail.errors import InvalidInput, RunEnded
from dovetail.tracking.artifact_files import ArtifactFiles, existing
from dovetail.tracking.logged_models import client_here, initialize_logged_model, origin
from dovetail.tracking.walking import walk
from dovetail.values import LifecycleStage, LoggedModel, LoggedModelOutput, LoggedModelStatus
from dovetail.values.names import MAX_TAG_VALUE, check_model_name, check_text, nearest_model_name

if TYPE_CHECKING:
    import os
    from pathlib import Path

__all__ = ["import_checkpoints"]

PATH = "dovetail.checkpointPath"


def import_checkpoints(
    checkpoint_path: str | os.PathLike[str],
    source_run_id: str | None = None,
    model_prefix: str | None = None,
    overwrite_checkpoints: bool = False,
) -> list[LoggedModel]:
    """Make a logged model of each checkpoint in a folder; its files are copied to the model's place.

    A checkpoint is a file, or a folder, right in that folder. The model is named after it, with ``_`` for what names
    cannot hold and without the ending of a file; it is READY when its files are there. What was imported before, from
    the same path into the same experiment, is left as it is.

    Args:
        checkpoint_path: The folder, on this machine.
        source_run_id: The run that made them; by default the active one, if there is one. They become its outputs.
        model_prefix: What to put before each name.
        overwrite_checkpoints: Delete models that were imported before and import those checkpoints anew.

    Returns:
        The models, in the order of the checkpoints' names.

    Raises:
        InvalidInput: It is no folder, there is nothing in it, or a name cannot be made of what is in it; nothing was
            imported.
        NotFound: There is no such folder or run; nothing was imported.
        RunEnded: The run is deleted; nothing was imported.
    """
    checkpoints = _checkpoints(checkpoint_path)
    named = {each: _name(each, model_prefix or "") for each in checkpoints}
    source, experiment_id = origin(source_run_id, None)
    _require_active(source)
    known, models = _imported(experiment_id), []
    for checkpoint, name in named.items():
        before = known.get(str(checkpoint))
        if before is not None and not overwrite_checkpoints:
            models.append(before)
            continue
        models.append(_import(checkpoint, name, source, experiment_id))
        if before is not None:
            client_here().delete_logged_model(before.model_id)
    return models


def _checkpoints(checkpoint_path: str | os.PathLike[str]) -> list[Path]:
    folder = existing(checkpoint_path).resolve()
    if not folder.is_dir():
        raise InvalidInput(f"{shown(folder)} is a file.", hint="Give the folder that the checkpoints lie in.")
    found = sorted(each for each in folder.iterdir() if not each.name.startswith("."))
    if not found:
        raise InvalidInput(f"There are no checkpoints in {shown(folder)}.")
    return found


def _name(checkpoint: Path, prefix: str) -> str:
    """The name of a checkpoint's model; raises if that, the path or a file's name cannot be kept."""
    check_text("path of a checkpoint", str(checkpoint), MAX_TAG_VALUE)
    for file in checkpoint.rglob("*") if checkpoint.is_dir() else (checkpoint,):
        uris.artifact_path(file.relative_to(checkpoint.parent).as_posix())
    stem = checkpoint.stem if checkpoint.is_file() else checkpoint.name
    return check_model_name(nearest_model_name(f"{prefix}{stem}"))


def _require_active(run_id: str | None) -> None:
    """Raise for a run that models cannot become outputs of."""
    if run_id is None:
        return
    if client_here().get_run(run_id).info.lifecycle_stage == LifecycleStage.DELETED:
        raise RunEnded(f"Run {run_id} is deleted.", hint="Restore it first.")


def _imported(experiment_id: str) -> dict[str, LoggedModel]:
    """The models of an experiment that were imported before, by the path of the checkpoint."""
    client = client_here()
    asked = f"tags.`{PATH}` IS NOT NULL AND status = 'READY'"
    found = walk(
        lambda size, token: client.search_logged_models(
            experiment_id, asked, max_results=size, order_by=[{"field_name": "creation_timestamp"}], page_token=token
        ),
        None,
    )
    return {model.tags[PATH]: model for model in found}


def _import(checkpoint: Path, name: str, source: str | None, experiment_id: str) -> LoggedModel:
    model = initialize_logged_model(name, source, {PATH: str(checkpoint)}, experiment_id=experiment_id)
    client, files = client_here(), ArtifactFiles(model.artifact_location)
    try:
        upload = files.log_artifacts if checkpoint.is_dir() else files.log_artifact
        upload(checkpoint)
        if source is not None:
            client.log_outputs(source, [LoggedModelOutput(model.model_id)])
        return client.finalize_logged_model(model.model_id, LoggedModelStatus.READY)
    except BaseException:
        client.finalize_logged_model(model.model_id, LoggedModelStatus.FAILED)
        raise
