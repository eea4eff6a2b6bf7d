"""The logged models that a run made, by the paths that would be theirs among its artifacts."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dovetail.artifacts.store import ArtifactStore
    from dovetail.tracking.store import TrackingStore
    from dovetail.values import LoggedModel, Run

__all__ = ["made_model"]


def made_model(store: TrackingStore, run: Run, artifacts: ArtifactStore, path: str) -> tuple[LoggedModel, str] | None:
    """The logged model that a path below a run means, and the path below the model.

    A path means one if its first part is the name of a model that the run made, and no artifact of the run's is called
    that; of several models of one name the last one.

    Args:
        store: Knows the model.
        run: The run.
        artifacts: The run's own artifacts.
        path: What ``runs:/<run id>/`` is followed by.

    Returns:
        The model and the path; None if the path is one among the run's artifacts.
    """
    name, _, below = path.partition("/")
    if not run.outputs.model_outputs or any(entry.path == name for entry in artifacts.list()):
        return None
    for output in reversed(run.outputs.model_outputs):
        model = store.get_logged_model(output.model_id, allow_deleted=True)
        if model.name == name:
            return model, below
    return None
