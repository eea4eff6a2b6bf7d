"""Runs by a key of the user's choice: the second start with the same key goes on with the first one's run."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from dovetail.errors import AlreadyExists, InvalidInput, NotFound
from dovetail.values.names import MAX_INT, MAX_TAG_VALUE, check_text

if TYPE_CHECKING:
    from dovetail.tracking.store import TrackingStore

__all__ = ["KEY", "RESUME", "check_resume", "check_step", "keyed_run_id", "require"]

KEY = "dovetail.key"
"""The tag that a run's key is kept in."""

RESUME = ("allow", "must", "never")


def check_resume(resume: str, key: str | None, run_id: str | None) -> None:
    """See to it that what was asked for makes sense together.

    Raises:
        InvalidInput: It does not.
    """
    if resume not in RESUME:
        raise InvalidInput(f"resume={resume!r} is unknown.", hint="Use 'allow', 'must' or 'never'.")
    if key is None:
        if resume != "allow":
            raise InvalidInput(f"resume={resume!r} needs a key.", hint="Choose one: start_run(key='…').")
        return
    if not check_text("key of a run", key, MAX_TAG_VALUE):
        raise InvalidInput("The key of a run must not be empty.")
    if run_id is not None:
        raise InvalidInput("A run is named twice, by run_id and by key.", hint="Give one of the two.")


def check_step(from_step: Any, *, named: bool) -> None:
    """See to it that training can go on from a step.

    Args:
        from_step: The step, or None.
        named: Whether a run is named that may be there already.

    Raises:
        InvalidInput: It is no step, or no run is named.
    """
    if from_step is None:
        return
    if type(from_step) is not int or not -MAX_INT - 1 <= from_step <= MAX_INT:
        raise InvalidInput(f"from_step={from_step!r} is no step.", hint="Give a whole number.")
    if not named:
        raise InvalidInput("from_step needs a run to go on with.", hint="Name it by run_id or by key.")


def keyed_run_id(experiment_name: str, key: str) -> str:
    """The id of the run of that key in an experiment: the same wherever it is started, offline included.

    The experiment counts by its name, since stores number experiments differently.
    """
    return hashlib.sha256(f"{experiment_name}\0{key}".encode()).hexdigest()[:32]


def require(store: TrackingStore, run_id: str, key: str, resume: str) -> bool:
    """Whether there is a run of that key, as ``resume`` asks for.

    Raises:
        NotFound: There is none, and there must be one.
        AlreadyExists: There is one, and there must be none.
    """
    try:
        store.get_run(run_id)
    except NotFound as missing:
        if resume == "must":
            raise NotFound(
                f"There is no run of the key {key!r} to go on with.",
                hint="Leave resume='must' away to start one; a key belongs to its experiment.",
            ) from missing
        return False
    if resume == "never":
        raise AlreadyExists(
            f"There is a run of the key {key!r} already: {run_id}.",
            hint="Choose another key, or leave resume='never' away to go on with it.",
        )
    return True
