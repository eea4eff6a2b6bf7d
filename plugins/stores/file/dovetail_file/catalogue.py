"""All runs of a store, as this process knows them."""

from __future__ import annotations

import os
import secrets
import time
from typing import TYPE_CHECKING, Any

from dovetail.errors import NotFound, StoreUnavailable
from dovetail.values import Batch
from dovetail_file.entries import BIN, CONDEMNED, Entry
from dovetail_file.failures import reported
from dovetail_file.index import read_index, write_index
from dovetail_file.ledger import Ledger
from dovetail_file.names import file_name
from dovetail_file.notes import note_of
from dovetail_file.records import batch_body, change_body
from dovetail_file.state import RUN_NAME
from dovetail_file.writers import Writers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dovetail.values import JournalMark
    from dovetail_file.folder import Folder

__all__ = ["Catalogue"]

_MANY = 100
"""Runs that may be read anew before the index is worth writing."""


class Catalogue:
    """All runs of a store. Not for several threads at once.

    Args:
        folder: The store's folder.
        uri: What messages call the store.
    """

    def __init__(self, folder: Folder, uri: str) -> None:
        self._folder, self._uri = folder, uri
        self._entries: dict[str, Entry] = {}
        self._recalled = False
        self._read = 0
        self.writers = Writers(folder)

    # --- reading ---------------------------------------------------------------------------------------------

    def find(self, run_id: str) -> Entry:
        """The run of that id, as it is now.

        Raises:
            NotFound: There is none, or it is condemned.
        """
        entry = self.look(file_name(run_id))
        if entry is None or entry.stage == CONDEMNED:
            raise NotFound(f"{self._uri} has no run {run_id!r}.")
        return entry

    def look(self, name: str) -> Entry | None:
        """The run whose folder has that name, as it is now, condemned ones too; None if there is none."""
        entry = self._entries.get(name) or Entry(self._folder.runs / name)
        with reported(self._folder.root):
            read = self._refreshed(entry)
        if read is None:
            self._entries.pop(name, None)
            self.writers.let_go(entry.place)
            return None
        self._entries[name] = entry
        self._read += read
        return entry

    def all(self) -> Iterator[Entry]:
        """All runs as they are now, condemned ones too."""
        self._recall()
        names = self._names()
        for gone in self._entries.keys() - set(names):
            del self._entries[gone]
        found = [entry for name in names if (entry := self.look(name)) is not None]
        if self._read > max(_MANY, len(found) // 20):
            self._remember()
        yield from found

    def close(self) -> None:
        """Close all files; what was read since the index was written goes there, if it is much."""
        self.writers.close()
        if self._recalled and self._read > _MANY:
            self._remember()

    # --- writing ---------------------------------------------------------------------------------------------

    def create(self, note: dict[str, Any], token: str) -> bool:
        """Make a run's folder; whether none had that id."""
        place = self._folder.runs / file_name(note["run_id"])
        return self._folder.put_folder(place, {f"run.{token}.json": note_of(note)})

    def log(self, entry: Entry, batch: Batch, mark: JournalMark | None) -> None:
        """Add a batch to a run."""
        moment = _moment(entry)
        body, logged = batch_body(_dated(batch, entry, moment), moment, mark)
        if self._append(entry, body):
            entry.state.log(logged)
        entry.changed()

    def change(self, entry: Entry, **change: Any) -> None:
        """Add a change of anything else to a run; see ``RunState.change``."""
        self._change(entry, _moment(entry), change)

    def conclude(self, entry: Entry, **change: Any) -> None:
        """Add a change that nobody made, but that what is known comes to.

        It is dated right behind what is known: whatever somebody else did meanwhile counts, not this.
        """
        # By a part of a millisecond, so that two who come to something at once hardly ever have one moment.
        self._change(entry, entry.state.at + 1 + secrets.randbelow(1_000_000), change)

    def stage(self, entry: Entry, stage: str, moment: int = 0) -> bool:
        """Put a run in or out of the bin at a moment; whether nobody did anything of the kind meanwhile."""
        ledger = Ledger(self._folder, entry.place, BIN)
        ledger.last = entry.bins
        if not ledger.append({"stage": stage, "time": moment}):
            return False
        entry.bins, entry.stage, entry.stage_time, entry.run = ledger.last, stage, moment, None
        return True

    def take_away(self, entry: Entry) -> bool:
        """Remove all there is of a run; whether there was something."""
        self.writers.let_go(entry.place)
        self._entries.pop(entry.place.name, None)
        return self._folder.take_away(entry.place)

    # --- steps -----------------------------------------------------------------------------------------------

    def _refreshed(self, entry: Entry) -> bool | None:
        try:
            return self._up_to_date(entry)
        except (FileNotFoundError, NotADirectoryError):
            # It is being taken away at this moment, or somebody removed a file of it, or it is no folder.
            entry.forget()
            return self._up_to_date(entry) if entry.place.is_dir() else None

    def _up_to_date(self, entry: Entry) -> bool | None:
        before = entry.born
        read = entry.refresh(self.writers.name)
        if before and entry.born != before:
            # Another run has that id now.
            self.writers.let_go(entry.place)
        return read

    def _change(self, entry: Entry, moment: int, change: dict[str, Any]) -> None:
        told = {"at": moment, **change}
        if (tag := change.get("untag", RUN_NAME if "name" in change else None)) is not None:
            told["date"] = entry.state.date_now(tag, moment)
        if self._append(entry, change_body(told)):
            entry.change(told)
            entry.changed()
            with reported(self._folder.root):
                if entry.unsettled and self._refreshed(entry) is None:
                    raise NotFound(f"{self._uri} has no run {entry.place.name!r}.")

    def _append(self, entry: Entry, body: bytes) -> bool:
        """Add a record; whether what the record says is still to be taken in."""
        try:
            name, before, size = self.writers.append(entry.place, body)
        except StoreUnavailable as error:
            if entry.place.exists():
                raise
            # It was taken away at this very moment.
            raise NotFound(f"{self._uri} has no run {entry.state.run_id!r}.") from error
        if entry.log(name, before, size):
            return True
        with reported(self._folder.root):
            entry.refresh()
        return False

    def _names(self) -> list[str]:
        with reported(self._folder.root):
            try:
                return os.listdir(self._folder.runs)  # noqa: PTH208 - done in every search
            except FileNotFoundError:
                return []

    def _recall(self) -> None:
        if not self._recalled:
            self._recalled = True
            for entry in read_index(self._folder):
                self._entries.setdefault(entry.place.name, entry)

    def _remember(self) -> None:
        known = [entry for entry in self._entries.values() if entry.born and not entry.unsettled]
        if write_index(self._folder, known):
            self._read = 0
        else:
            self._read = -len(self._entries)  # not again for a while


def _moment(entry: Entry) -> int:
    """The moment of the next record: above all that are known, whatever the clocks say."""
    return max(time.time_ns(), entry.state.at + 1)


def _dated(batch: Batch, entry: Entry, moment: int) -> Batch:
    if not batch.tags:
        return batch
    tags = entry.state.dated(batch.tags, moment)
    return Batch.stored(metrics=batch.metrics, params=batch.params, tags=tags, columns=batch.columns)
