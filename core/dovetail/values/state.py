"""The words for what state a run or an experiment is in."""

from __future__ import annotations

from enum import IntEnum

from dovetail.documents import shown
from dovetail.errors import InvalidInput

__all__ = ["LifecycleStage", "RunStatus", "SourceType", "ViewType"]


class RunStatus:
    """The states of a run.

    CRASHED is dovetail's own: the process that saw to the run has gone without ending it. Where MLflow's words are
    needed it is FAILED.
    """

    RUNNING = "RUNNING"
    SCHEDULED = "SCHEDULED"
    FINISHED = "FINISHED"
    FAILED = "FAILED"
    KILLED = "KILLED"
    CRASHED = "CRASHED"
    ALL = (RUNNING, SCHEDULED, FINISHED, FAILED, KILLED, CRASHED)
    ENDED = frozenset({FINISHED, FAILED, KILLED, CRASHED})

    @classmethod
    def check(cls, status: str) -> str:
        """Return the status in capitals.

        Raises:
            InvalidInput: It is none of them.
        """
        if not isinstance(status, str) or status.upper() not in cls.ALL:
            raise InvalidInput(f"Run status {shown(status)} is unknown.", hint=f"Use one of {', '.join(cls.ALL)}.")
        return status.upper()

    @classmethod
    def check_ended(cls, status: str) -> str:
        """Return the status in capitals if a run with it is over.

        Raises:
            InvalidInput: It is none of FINISHED, FAILED, KILLED and CRASHED.
        """
        if (checked := cls.check(status)) not in cls.ENDED:
            raise InvalidInput(
                f"A run cannot end as {checked}.", hint=f"End it as one of {', '.join(sorted(cls.ENDED))}."
            )
        return checked

    # MLflow counts the states and turns numbers into words and back; here the words are all there is.
    to_string = check
    from_string = check

    @classmethod
    def is_terminated(cls, status: str) -> bool:
        """Whether a run with this status is over."""
        return cls.check(status) in cls.ENDED

    @classmethod
    def all_status(cls) -> list[str]:
        """All of them, as a list."""
        return list(cls.ALL)


class SourceType:
    """What kind of thing started a run, as the tag ``mlflow.source.type`` says it."""

    NOTEBOOK = "NOTEBOOK"
    JOB = "JOB"
    PROJECT = "PROJECT"
    LOCAL = "LOCAL"
    UNKNOWN = "UNKNOWN"
    ALL = (NOTEBOOK, JOB, PROJECT, LOCAL, UNKNOWN)

    @classmethod
    def check(cls, source_type: str) -> str:
        """Return the source type in capitals.

        Raises:
            InvalidInput: It is none of the five.
        """
        if not isinstance(source_type, str) or source_type.upper() not in cls.ALL:
            raise InvalidInput(
                f"Source type {shown(source_type)} is unknown.", hint=f"Use one of {', '.join(cls.ALL)}."
            )
        return source_type.upper()

    to_string = check
    from_string = check


class LifecycleStage:
    """Whether something is in use or in the bin."""

    ACTIVE = "active"
    DELETED = "deleted"


class ViewType(IntEnum):
    """Which lifecycle stages a search looks at; the numbers are MLflow's."""

    ACTIVE_ONLY = 1
    DELETED_ONLY = 2
    ALL = 3

    @classmethod
    def _missing_(cls, value: object) -> ViewType:
        raise InvalidInput(
            f"View type {shown(value)} is unknown.", hint="Use ViewType.ACTIVE_ONLY, DELETED_ONLY or ALL."
        )

    @classmethod
    def from_string(cls, name: str) -> ViewType:
        """The view of that name, such as ``active_only``.

        Raises:
            InvalidInput: There is none.
        """
        names = {each.name: each for each in cls}
        return names.get(str(name).upper()) or cls._missing_(name)

    @classmethod
    def to_string(cls, view_type: int) -> str:
        """The name of a view in lower case.

        Raises:
            InvalidInput: It is none.
        """
        return cls(view_type).name.lower()

    @property
    def stages(self) -> tuple[str, ...]:
        """The lifecycle stages this view shows."""
        active, deleted = (LifecycleStage.ACTIVE,), (LifecycleStage.DELETED,)
        return {ViewType.ACTIVE_ONLY: active, ViewType.DELETED_ONLY: deleted}.get(self, active + deleted)
