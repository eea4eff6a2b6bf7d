"""The fluent verb that makes logged models of checkpoints that a training left on this machine."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dovetail.documents import shown
from dovetail.errors import InvalidInput
from dovetail.tracking.artifact_files import ArtifactFiles, existing
from dovetail.tracking.logged_models import client_here, initialize_logged_model, origin
from dovetail.tracking.walking import walk
from dovetail.values import LoggedModel, LoggedModelOutput, LoggedModelStatus
from dovetail.values.names import MAX_MODEL_NAME

if TYPE_CHECKING:
    import os
    from pathlib import Path

__all__ = ["import_checkpoints"]

PATH = "dovetail.checkpointPath"

_NOT_IN_NAMES = re.compile("[/:.%\"']")


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
        InvalidInput: It is no folder, or there is nothing in it.
        NotFound: There is no such folder or run.
    """
    checkpoints = _checkpoints(checkpoint_path)
    source, experiment_id = origin(source_run_id, None)
    known = _imported(experiment_id)
    models: list[LoggedModel] = []
    for checkpoint in checkpoints:
        before = known.get(str(checkpoint))
        if before is not None and not overwrite_checkpoints:
            models.append(before)
            continue
        models.append(_import(checkpoint, model_prefix or "", source, experiment_id))
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


def _import(checkpoint: Path, prefix: str, source: str | None, experiment_id: str) -> LoggedModel:
    stem = checkpoint.stem if checkpoint.is_file() else checkpoint.name
    name = _NOT_IN_NAMES.sub("_", f"{prefix}{stem}")[:MAX_MODEL_NAME]
    model = initialize_logged_model(name, source, {PATH: str(checkpoint)}, experiment_id=experiment_id)
    client, files = client_here(), ArtifactFiles(model.artifact_location)
    try:
        upload = files.log_artifacts if checkpoint.is_dir() else files.log_artifact
        upload(checkpoint)
    except BaseException:
        client.finalize_logged_model(model.model_id, LoggedModelStatus.FAILED)
        raise
    if source is not None:
        client.log_outputs(source, [LoggedModelOutput(model.model_id)])
    return client.finalize_logged_model(model.model_id, LoggedModelStatus.READY)
