"""What a store is made of, and how its runs look: what all its methods share."""

from __future__ import annotations

import os
import threading
import weakref
from dataclasses import replace
from typing import TYPE_CHECKING

from dovetail import posix, settings
from dovetail.tracking.reference_search import ReferenceSearch
from dovetail.tracking.stages import require_open
from dovetail.values import Run, RunInfo
from dovetail_file.catalogue import Catalogue
from dovetail_file.datasets import Datasets
from dovetail_file.entries import ACTIVE, DELETED
from dovetail_file.experiments import Experiments
from dovetail_file.folder import Folder
from dovetail_file.histories import Histories
from dovetail_file.leases import Leases
from dovetail_file.location import uri_of
from dovetail_file.models import Models
from dovetail_file.pointers import Pointers

if TYPE_CHECKING:
    from pathlib import Path

    from dovetail_file.entries import Entry
    from dovetail_file.state import RunState

__all__ = ["Parts"]


class Parts(ReferenceSearch):
    """What a store is made of.

    Args:
        root: The store's folder.
    """

    def __init__(self, root: Path) -> None:
        self.uri = uri_of(root)
        self._folder = Folder(root, power=settings.get("durability") == "power")
        # Journals are locked by who writes them, and nobody relies on locks on a network: there they lie with the user.
        self.journals = root / "journals" if posix.can_map(root) else None
        self._begin_anew()
        _stores.add(self)

    def _begin_anew(self) -> None:
        """Know nothing, and write to files that nobody else writes to."""
        self._lock = threading.RLock()
        self._experiments = Experiments(self._folder, self.uri)
        self._catalogue = Catalogue(self._folder, self.uri)
        self._models = Models(self._folder, self.uri)
        self._datasets, self._pointers = Datasets(self._folder), Pointers(self._folder)
        self._histories, self._leases = Histories(self._folder), Leases(self._folder)

    def close(self) -> None:
        """Close all files. Closing twice does nothing."""
        with self._lock:
            self._catalogue.close()

    def leave_to_parent(self) -> None:
        """Begin anew in a forked child: what is open, and perhaps half done, is the parent's."""
        self._catalogue.writers.close()
        self._begin_anew()

    # --- runs ------------------------------------------------------------------------------------------------

    def _deleted(self, entry: Entry) -> tuple[bool, int]:
        """Whether a run is deleted, itself or with its experiment, and since when."""
        if entry.stage != ACTIVE:
            return True, entry.stage_time
        experiment = self._experiments.deleted(entry.experiment_id)
        return experiment is not None, 0 if experiment is None else experiment.time

    def _writable(self, run_id: str) -> Entry:
        """The run, if it is not deleted.

        Raises:
            NotFound: There is none.
            RunEnded: It is deleted.
        """
        entry = self._catalogue.find(run_id)
        self._require_open(entry, only_tags=True)
        return entry

    def _require_open(self, entry: Entry, *, only_tags: bool) -> None:
        """See to it that a run can be written to.

        Args:
            entry: The run.
            only_tags: Whether a run that has ended will do.

        Raises:
            RunEnded: It is deleted, or has ended where that matters.
        """
        self._experiments.kept()
        state = entry.state
        require_open(state.run_id, state.status, deleted=self._deleted(entry)[0], only_tags=only_tags)

    def _info(self, entry: Entry, state: RunState | None = None) -> RunInfo:
        state = state or entry.to_read()
        fields = {name: value for name, (_, value) in state.fields.items()}
        return RunInfo.stored(
            run_id=state.run_id,
            experiment_id=fields["experiment"],
            run_name=state.name[2],
            user_id=state.user_id,
            status=fields["status"],
            start_time=state.start_time,
            end_time=fields["end"],
            artifact_uri=state.artifacts or self._experiments.run_place(state.born, state.run_id),
            lifecycle_stage=DELETED if self._deleted(entry)[0] else ACTIVE,
        )

    def _run(self, entry: Entry) -> Run:
        """The run as callers see it; a value of its own."""
        state = entry.to_read()
        return Run.stored(
            info=self._info(entry, state), data=state.data(), inputs=state.inputs(), outputs=state.outputs()
        )

    def _kept_run(self, entry: Entry) -> Run:
        """The run for searching: nobody may change it."""
        if entry.run is None:
            entry.run = self._run(entry)
        stage = DELETED if self._deleted(entry)[0] else ACTIVE
        run = entry.run
        if run.info.lifecycle_stage != stage:
            run = entry.run = replace(run, info=replace(run.info, lifecycle_stage=stage))
        return run


_stores: weakref.WeakSet[Parts] = weakref.WeakSet()


def _leave_all_to_parent() -> None:
    for store in list(_stores):
        store.leave_to_parent()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_all_to_parent)
