"""What a synchronization did."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING

from dovetail.errors import DovetailError, StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Refused", "SyncReport"]


@dataclass(frozen=True)
class Refused:
    """Something that the destination does not take, or that could not be read.

    Args:
        kind: What it is: ``param``, ``tag``, ``run``, ``experiment``, ``logged_model``, ``artifacts`` …
        id: Of which run, experiment or model.
        reason: Why.
    """

    kind: str
    id: str
    reason: str


@dataclass
class SyncReport:
    """What was brought from one store into another.

    Args:
        source: Where from, without passwords.
        destination: Where to, without passwords.
        dry_run: Whether nothing was written: everything says what would be.
        experiments_created: Experiments that the destination did not have.
        runs_created: Runs that it did not have.
        runs_updated: Runs that it had less of.
        runs_unchanged: Runs of which it had everything.
        models_created: Logged models that it did not have.
        models_updated: Logged models that it had less of.
        points: Points that were written.
        files: Artifacts that were copied.
        bytes: How large they were.
        journals: Journals of processes that are gone, and whose records were brought in.
        outputs: Runs whose console output was brought in, which their processes could not do.
        versions_created: Versions of registered models that were made, by imports.
        versions_updated: Registered models and versions of them that had less said about them, by imports.
        kept: Tags that differ and were left as the destination has them.
        refused: What was left out, and why.
        registry: Where registered models went, without passwords; empty if that is the destination.
    """

    source: str = ""
    destination: str = ""
    dry_run: bool = False
    experiments_created: int = 0
    runs_created: int = 0
    runs_updated: int = 0
    runs_unchanged: int = 0
    models_created: int = 0
    models_updated: int = 0
    points: int = 0
    files: int = 0
    bytes: int = 0
    journals: int = 0
    outputs: int = 0
    versions_created: int = 0
    versions_updated: int = 0
    kept: int = 0
    refused: list[Refused] = field(default_factory=list)
    registry: str = ""

    @property
    def changed(self) -> bool:
        """Whether the destination has something now that it had not before."""
        same = ("runs_unchanged", "kept")
        return any(getattr(self, name) for name in self._counts() if name not in same)

    def refuse(self, kind: str, id: str, reason: object) -> None:  # noqa: A002 - named as the field
        """Note that something was left out."""
        message = getattr(reason, "message", None)
        self.refused.append(Refused(kind, id, str(reason) if message is None else str(message)))

    @contextmanager
    def refusing(self, kind: str, id: str) -> Iterator[None]:  # noqa: A002 - named as the field
        """Note what is refused in the block, and go on behind it; a store's own troubles are raised."""
        try:
            yield
        except StoreError:
            raise
        except DovetailError as refusal:
            self.refuse(kind, id, refusal)

    def add(self, other: SyncReport) -> None:
        """Count in what another report says."""
        for name in self._counts():
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.refused += other.refused

    @classmethod
    def _counts(cls) -> list[str]:
        return [each.name for each in fields(cls) if each.type == "int"]
