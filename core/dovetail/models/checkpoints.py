"""Models logged as checkpoints: logged models of their own, which a run made at a training step."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from dovetail.models.info import ModelInfo
from dovetail.tracking.artifact_files import ArtifactFiles
from dovetail.tracking.casting import as_tags
from dovetail.tracking.logged_models import note_made
from dovetail.tracking.source import source_tags
from dovetail.values import LoggedModelOutput, LoggedModelStatus, NewLoggedModel
from dovetail.values.logged_model import new_model_id
from dovetail.values.names import check_model_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from dovetail.models.manifest import Manifest
    from dovetail.tracking.store import TrackingStore
    from dovetail.values import LoggedModel

__all__ = ["log_checkpoint"]


def log_checkpoint(
    save: Callable[[Path], Manifest], name: str, step: int, store: TrackingStore, run_id: str
) -> ModelInfo:
    """Save a model as a logged model that a run made.

    Args:
        save: Writes the model into a folder.
        name: What the logged model is called.
        step: The training step it is a checkpoint of.
        store: The tracking store that knows the run.
        run_id: The run.

    Returns:
        Where it is: ``models:/<model id>`` loads it, and so does ``runs:/<run id>/<name>``.

    Raises:
        InvalidName: No logged model can have that name.
        InvalidInput: The step is no whole number.
    """
    output = LoggedModelOutput(new_model_id(), step)
    check_model_name(name)
    experiment_id = store.get_run(run_id).info.experiment_id
    with tempfile.TemporaryDirectory(prefix="dovetail-model-") as scratch:
        folder = Path(scratch) / "model"
        manifest = save(folder)
        tags = as_tags(source_tags())
        new = NewLoggedModel(experiment_id, name, output.model_id, source_run_id=run_id, tags=tags)
        model = store.create_logged_model(new)
        note_made(model.model_id, store.uri)
        manifest = replace(
            manifest,
            model_uuid=model.model_id,
            artifact_path=model.artifact_location,
            other={**manifest.other, "model_id": model.model_id},
        )
        manifest.write(folder)
        _finish(store, model, output, folder)
    return ModelInfo.of(manifest, model.model_uri)


def _finish(store: TrackingStore, model: LoggedModel, output: LoggedModelOutput, folder: Path) -> None:
    try:
        store.log_outputs(str(model.source_run_id), [output])
        ArtifactFiles(model.artifact_location, store).log_artifacts(folder)
    except BaseException as error:
        message = f"{type(error).__name__}: {error}"[:500]
        store.update_logged_model(model.model_id, status=LoggedModelStatus.FAILED, status_message=message)
        raise
    store.update_logged_model(model.model_id, status=LoggedModelStatus.READY)
