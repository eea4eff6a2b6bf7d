"""The datasets that experiments know: what is noted first of one holds."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from dovetail.values import Dataset
from dovetail_file.failures import reported
from dovetail_file.names import digest
from dovetail_file.notes import note_of, read_note

if TYPE_CHECKING:
    from pathlib import Path

    from dovetail.values import DatasetInput
    from dovetail_file.folder import Folder

__all__ = ["Datasets"]


class Datasets:
    """The datasets that experiments know.

    Args:
        folder: The store's folder.
    """

    def __init__(self, folder: Folder) -> None:
        self._folder = folder

    def known(self, experiment_id: str, used: DatasetInput) -> DatasetInput:
        """The same with the dataset as its experiment knows it, from now on at the latest."""
        place = self._place(experiment_id, used.dataset.name, used.dataset.digest)
        if (known := self._read(place)) is not None:
            return replace(used, dataset=known)
        self._folder.put_file(place, note_of(asdict(used.dataset)))
        return replace(used, dataset=self._read(place) or used.dataset)

    def forget(self, experiment_id: str) -> None:
        """Remove what an experiment knows."""
        self._folder.take_away(self._folder.datasets / experiment_id)

    # --- steps -----------------------------------------------------------------------------------------------

    def _place(self, experiment_id: str, name: str, mark: str) -> Path:
        return self._folder.datasets / experiment_id / f"{digest(name, mark)}.json"

    def _read(self, place: Path) -> Dataset | None:
        with reported(self._folder.root):
            try:
                note = read_note(place.read_bytes())
            except FileNotFoundError:
                return None
        return None if note is None else Dataset.stored(**note)
