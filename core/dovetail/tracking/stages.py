"""What has to be at which stage before it is changed: the same in all stores that keep values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dovetail.errors import AlreadyExists, InvalidInput, InvalidState, RunEnded
from dovetail.values import LifecycleStage, RunStatus

if TYPE_CHECKING:
    from dovetail.values import Experiment

__all__ = ["require_active", "require_free", "require_open", "require_renamable", "require_restorable"]


def require_active(experiment: Experiment) -> None:
    """See to it that something can be put into an experiment.

    Raises:
        InvalidInput: It is deleted.
    """
    if experiment.lifecycle_stage == LifecycleStage.DELETED:
        raise InvalidInput(f"Experiment {experiment.experiment_id} is deleted.", hint="Restore it first.")


def require_renamable(experiment: Experiment) -> None:
    """See to it that an experiment can be given another name.

    Raises:
        InvalidState: It is deleted.
    """
    if experiment.lifecycle_stage == LifecycleStage.DELETED:
        raise InvalidState(
            f"Experiment {experiment.experiment_id} is deleted and cannot be renamed.", hint="Restore it first."
        )


def require_restorable(what: str, experiment: Experiment) -> None:
    """See to it that what lies in an experiment can be taken out of the bin.

    Args:
        what: What messages call it, with its id.
        experiment: Where it lies.

    Raises:
        InvalidState: The experiment is deleted.
    """
    if experiment.lifecycle_stage == LifecycleStage.DELETED:
        raise InvalidState(
            f"{what} lies in experiment {experiment.experiment_id}, which is deleted.",
            hint="Restore the experiment first.",
        )


def require_free(name: str, holder: Experiment | None, *, condemned: bool = False) -> None:
    """See to it that an experiment can get a name.

    Args:
        name: The name.
        holder: Who has it.
        condemned: Whether somebody has it who is being taken away.

    Raises:
        AlreadyExists: It is taken.
    """
    if condemned:
        raise AlreadyExists(
            f"The name {name!r} is taken by an experiment that is being taken away.", hint="Let `gc` finish."
        )
    if holder is not None:
        raise AlreadyExists(
            f"The name {name!r} is taken by the {holder.lifecycle_stage} experiment {holder.experiment_id}.",
            hint="Use another name, or restore the experiment if it is deleted.",
        )


def require_open(run_id: str, status: str, *, deleted: bool, only_tags: bool) -> None:
    """See to it that a run can be written to.

    Args:
        run_id: The run.
        status: Its status.
        deleted: Whether it is in the bin.
        only_tags: Whether a run that has ended will do.

    Raises:
        RunEnded: It is deleted, or has ended where that matters.
    """
    if deleted:
        raise RunEnded(f"Run {run_id} is deleted.", hint="Restore it first.")
    if status in RunStatus.ENDED and not only_tags:
        raise RunEnded(
            f"Run {run_id} has ended ({status}); its metrics and params stay as they are.",
            hint="Take it up again first, or start another run.",
        )
