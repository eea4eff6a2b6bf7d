"""The logged models of a store: a folder each, with a ledger."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dovetail.errors import NotFound
from dovetail.tracking.model_changes import updated, without_tag
from dovetail.values import LoggedModel, LoggedModelStatus, Param, Tag
from dovetail_file.entries import ACTIVE, CONDEMNED, DELETED
from dovetail_file.failures import reported, understood
from dovetail_file.ledger import Ledger
from dovetail_file.names import file_name
from dovetail_file.notes import note_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from dovetail_file.folder import Folder

__all__ = ["KeptModel", "Models", "model_text"]

_MEASURED = "measured"
_FIRST = "00000001.json"


class KeptModel:
    """A logged model as this process knows it, without its points.

    Args:
        folder: The store's folder.
        place: The model's.
    """

    def __init__(self, folder: Folder, place: Path) -> None:
        self.place = place
        self.ledger = Ledger(folder, place)
        self.born = (0, 0)
        """What tells it from one of that id that was there before."""
        self.stage, self.time = ACTIVE, 0
        self._model: LoggedModel | None = None

    @property
    def model(self) -> LoggedModel:
        """The model, its location empty where that is in the store's folder."""
        assert self._model is not None  # noqa: S101 - whoever has one has refreshed it
        return self._model

    def refresh(self) -> bool:
        """Bring it up to date; whether there is such a model."""
        for note in self.ledger.unread():
            with understood(self.place):
                self.take(note)
        return self._model is not None

    def take(self, note: dict[str, Any]) -> None:
        """Take a note in."""
        if note["op"] == "create":
            self._model = LoggedModel.stored(
                **{**note["model"], "status": LoggedModelStatus(note["model"]["status"]), "metrics": ()}
            )
        elif self._model is not None:
            self._alter(self._model, note)

    def _alter(self, model: LoggedModel, note: dict[str, Any]) -> None:
        if note["op"] == "update":
            params = [Param.stored(key=key, value=value) for key, value in note["params"].items()]
            tags = [Tag.stored(key=key, value=value) for key, value in note["tags"].items()]
            model = updated(model, note["status"], note["message"], params, tags)
        elif note["op"] == "untag":
            model = without_tag(model, note["key"])
        elif note["op"] == "stage":
            self.stage, self.time = note["stage"], note["deleted"]
        self._model = replace(model, last_updated_timestamp=max(note["time"], model.last_updated_timestamp))


class Models:
    """The logged models of a store. Not for several threads at once.

    Args:
        folder: The store's folder.
        uri: What messages call the store.
    """

    def __init__(self, folder: Folder, uri: str) -> None:
        self._folder, self._uri = folder, uri
        self._kept: dict[str, KeptModel] = {}

    def create(self, model: LoggedModel) -> bool:
        """Make a model's folder; whether none had that id."""
        note = {"op": "create", "model": model_text(model)}
        return self._folder.put_folder(self._folder.models / file_name(model.model_id), {_FIRST: note_of(note)})

    def find(self, model_id: str, *, allow_deleted: bool = False) -> KeptModel:
        """The model of that id, as it is now.

        Raises:
            NotFound: There is none, or it is deleted and that does not do, or it is condemned.
        """
        kept = self._look(file_name(model_id))
        if kept is None or kept.stage == CONDEMNED or (kept.stage == DELETED and not allow_deleted):
            raise NotFound(f"{self._uri} has no logged model {model_id!r}.")
        return kept

    def any(self, model_id: str) -> KeptModel | None:
        """The model of that id, condemned or not; None if there is none."""
        return self._look(file_name(model_id))

    def all(self) -> list[KeptModel]:
        """All models as they are now, condemned ones too."""
        with reported(self._folder.root):
            try:
                names = os.listdir(self._folder.models)  # noqa: PTH208
            except FileNotFoundError:
                names = []
        return [kept for name in names if (kept := self._look(name)) is not None]

    def change(self, model_id: str, note: Callable[[LoggedModel], dict[str, Any]]) -> None:
        """Write a change of a model that is not deleted; begin anew if somebody else's came before."""
        while True:
            kept = self.find(model_id)
            if self.append(kept, note(kept.model)):
                return

    def append(self, kept: KeptModel, content: dict[str, Any]) -> bool:
        """Write a change of a model down; whether nobody else's came before."""
        if not kept.ledger.append(content):
            return False
        kept.take(content)
        return True

    def take_away(self, kept: KeptModel) -> bool:
        """Remove all there is of a model; whether there was something."""
        self._kept.pop(kept.place.name, None)
        return self._folder.take_away(kept.place)

    # --- who measured it -------------------------------------------------------------------------------------

    def note_measured(self, model_id: str, run: str) -> None:
        """Note that a run, by the name of its folder, has points of a model.

        Raises:
            NotFound: There is no such model.
        """
        path = self._folder.models / file_name(model_id) / _MEASURED / run
        with reported(self._folder.root):
            try:
                path.parent.mkdir(exist_ok=True)
                path.touch()
            except (FileNotFoundError, FileExistsError) as error:
                # It was taken away at this very moment.
                raise NotFound(f"{self._uri} has no logged model {model_id!r}.") from error

    def measured_by(self, kept: KeptModel) -> Sequence[str]:
        """The runs, by the names of their folders, that have points of a model, or wanted to."""
        with reported(self._folder.root):
            try:
                return os.listdir(kept.place / _MEASURED)  # noqa: PTH208
            except FileNotFoundError:
                return ()

    # --- steps -----------------------------------------------------------------------------------------------

    def _look(self, name: str) -> KeptModel | None:
        place = self._folder.models / name
        with reported(self._folder.root):
            try:
                first = (place / _FIRST).stat()
            except (FileNotFoundError, NotADirectoryError):
                self._kept.pop(name, None)
                return None
        kept = self._kept.get(name)
        born = first.st_ino, first.st_mtime_ns
        if kept is None or kept.born != born:
            kept = self._kept[name] = KeptModel(self._folder, place)
            kept.born = born
        return kept if kept.refresh() else None


def model_text(model: LoggedModel) -> dict[str, Any]:
    """A model that is new, as its first note holds it."""
    return {name: value for name, value in model.to_dictionary().items() if name != "metrics"}
