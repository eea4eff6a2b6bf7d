"""The experiments of a store: one ledger for all of them, so that names and ids are each given once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from dovetail import settings, uris
from dovetail.errors import NotFound
from dovetail.tracking.stages import require_active, require_free
from dovetail.values import DEFAULT_EXPERIMENT_ID, DEFAULT_EXPERIMENT_NAME, Experiment
from dovetail.values.measure import now_ms
from dovetail_file.entries import ACTIVE, CONDEMNED, DELETED
from dovetail_file.failures import understood
from dovetail_file.ledger import Ledger

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dovetail.values import Tag
    from dovetail_file.folder import Folder

__all__ = ["Experiments", "Kept"]

PURGED = "purged"


@dataclass
class Kept:
    """An experiment as it is kept.

    Args:
        experiment: The experiment, its location empty where that is in the store's folder.
        stage: Active, deleted, condemned or purged; what is left of a purged one is its id.
        time: When it was deleted, in milliseconds since 1970, UTC.
    """

    experiment: Experiment
    stage: str = ACTIVE
    time: int = 0


class Experiments:
    """The experiments of a store. Not for several threads at once.

    Args:
        folder: The store's folder.
        uri: What messages call the store.
    """

    def __init__(self, folder: Folder, uri: str) -> None:
        self._folder, self._uri = folder, uri
        self._ledger = Ledger(folder, folder.experiments, make=True)
        self._kept: dict[str, Kept] = {}
        self._by_name: dict[str, str] = {}
        self._places: dict[str, str] = {}
        self._root = uris.uri_of(folder.artifacts)
        self._begun = False

    # --- reading ---------------------------------------------------------------------------------------------

    def kept(self) -> dict[str, Kept]:
        """All experiments as they are now, by id."""
        for note in self._ledger.unread():
            with understood(self._folder.experiments):
                self._take(note)
        if not self._begun:
            self._begun = True
            if DEFAULT_EXPERIMENT_ID not in self._kept:
                self._write(self._default)
        return self._kept

    def all(self) -> list[Experiment]:
        """All experiments that can be seen, deleted ones too."""
        return [self._seen(each) for each in self.kept().values() if each.stage in (ACTIVE, DELETED)]

    def get(self, experiment_id: str) -> Experiment:
        """The experiment of that id.

        Raises:
            NotFound: There is none, or it is condemned.
        """
        return self._seen(self._found(experiment_id))

    def named(self, name: str) -> Experiment | None:
        """The experiment of that name, or None."""
        kept = self.kept().get(self._by_name.get(name, ""))
        return None if kept is None or kept.stage == CONDEMNED else self._seen(kept)

    def active(self, experiment_id: str) -> Experiment:
        """The experiment, into which something is to go.

        Raises:
            NotFound: There is none.
            InvalidInput: It is deleted.
        """
        experiment = self.get(experiment_id)
        require_active(experiment)
        return experiment

    def deleted(self, experiment_id: str) -> Kept | None:
        """The experiment if it is deleted, condemned or gone."""
        kept = self._kept.get(experiment_id)
        return None if kept is None or kept.stage == ACTIVE else kept

    def place(self, born: str, chosen: str | None, *parts: str) -> str:
        """Where something's artifacts are: where that was chosen to be, or in the store's folder.

        Args:
            born: The experiment it was created in.
            chosen: The place if it was chosen.
            parts: Its place below the experiment's.
        """
        return chosen or uris.join(self._root, born, *parts)

    def run_place(self, born: str, run_id: str) -> str:
        """Where the artifacts of a run are that was created in such an experiment."""
        base = self._places.get(born)
        if base is None:
            base = self._places[born] = self.place(born, None)
        return f"{base}/{quote(run_id)}/artifacts"

    def chosen(self, experiment_id: str, *parts: str) -> str:
        """A place below an experiment's, empty if that has no location of its own: a copy has it elsewhere."""
        location = self._found(experiment_id).experiment.artifact_location
        return uris.join(location, *parts) if location else ""

    # --- writing ---------------------------------------------------------------------------------------------

    def create(self, name: str, location: str | None, tags: Sequence[Tag], time: int | None) -> str:
        """Create an experiment; its id.

        Raises:
            AlreadyExists: The name is taken.
        """

        def note() -> dict[str, Any]:
            self._require_free(name)
            number = str(1 + max(map(int, self._kept), default=0))
            made = _created(number, name, location or _chosen_root(number), tags)
            return made if time is None else {**made, "time": time}

        return str(self._write(note)["id"])

    def rename(self, experiment_id: str, name: str, check: Callable[[Experiment], None]) -> None:
        """Give an experiment another name.

        Raises:
            NotFound: There is no such experiment.
            AlreadyExists: The name is taken.
        """

        def note() -> dict[str, Any]:
            experiment = self.get(experiment_id)
            check(experiment)
            if name != experiment.name:
                self._require_free(name)
            return {"op": "rename", "id": experiment_id, "name": name}

        self._write(note)

    def change(self, experiment_id: str, check: Callable[[Experiment], None], **change: Any) -> None:
        """Write a change of an experiment down.

        Raises:
            NotFound: There is no such experiment.
        """

        def note() -> dict[str, Any]:
            check(self.get(experiment_id))
            return {"id": experiment_id, **change}

        self._write(note)

    def move(self, experiment_id: str, stage: str, before: str) -> bool:
        """Bring an experiment from one stage to the next; whether it was at the one before."""
        moment = now_ms()
        while (kept := self.kept().get(experiment_id)) is not None and kept.stage == before:
            time = moment if stage == DELETED else kept.time
            if self._append({"op": "stage", "id": experiment_id, "stage": stage, "deleted": time, "time": moment}):
                return True
        return False

    # --- steps -----------------------------------------------------------------------------------------------

    def _write(self, note: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Write a note that fits what there is, and begin anew if somebody else's came before."""
        while True:
            self.kept()
            content = {"time": now_ms(), **note()}
            if self._append(content):
                return content

    def _append(self, content: dict[str, Any]) -> bool:
        if not self._ledger.append(content):
            return False
        self._take(content)
        return True

    def _default(self) -> dict[str, Any]:
        if DEFAULT_EXPERIMENT_ID in self._kept:
            return {"op": "none", "id": DEFAULT_EXPERIMENT_ID}
        root = _chosen_root(DEFAULT_EXPERIMENT_ID)
        return _created(DEFAULT_EXPERIMENT_ID, DEFAULT_EXPERIMENT_NAME, root, ())

    def _found(self, experiment_id: str) -> Kept:
        kept = self.kept().get(experiment_id)
        if kept is None or kept.stage in (CONDEMNED, PURGED):
            raise NotFound(f"{self._uri} has no experiment {experiment_id!r}.")
        return kept

    def _seen(self, kept: Kept) -> Experiment:
        each = kept.experiment
        location = self.place(each.experiment_id, each.artifact_location)
        return replace(each, tags=dict(each.tags), artifact_location=location, lifecycle_stage=kept.stage)

    def _require_free(self, name: str) -> None:
        holder = self._kept.get(self._by_name.get(name, ""))
        if holder is not None:
            require_free(name, self._seen(holder), condemned=holder.stage == CONDEMNED)

    def _take(self, note: dict[str, Any]) -> None:
        """Take a note in."""
        operation, number, time = note["op"], note["id"], note["time"]
        if operation == "create":
            self._kept[number] = Kept(
                Experiment.stored(
                    experiment_id=number,
                    name=note["name"],
                    artifact_location=note["location"],
                    lifecycle_stage=ACTIVE,
                    tags=note["tags"],
                    creation_time=time,
                    last_update_time=time,
                )
            )
            self._by_name[note["name"]] = number
        elif operation != "none" and (kept := self._kept.get(number)) is not None:
            self._alter(kept, note)
            kept.experiment = replace(kept.experiment, last_update_time=time)

    def _alter(self, kept: Kept, note: dict[str, Any]) -> None:
        experiment = kept.experiment
        if note["op"] == "rename":
            self._by_name.pop(experiment.name, None)
            self._by_name[note["name"]] = experiment.experiment_id
            kept.experiment = replace(experiment, name=note["name"])
        elif note["op"] == "tags":
            kept.experiment = replace(experiment, tags={**experiment.tags, **note["tags"]})
        elif note["op"] == "untag":
            left = {key: value for key, value in experiment.tags.items() if key != note["key"]}
            kept.experiment = replace(experiment, tags=left)
        elif note["op"] == "stage":
            kept.stage, kept.time = note["stage"], note["deleted"]
            if kept.stage == PURGED:
                self._by_name.pop(experiment.name, None)


def _created(number: str, name: str, location: str, tags: Sequence[Tag]) -> dict[str, Any]:
    labels = {tag.key: tag.value for tag in tags}
    return {"op": "create", "id": number, "name": name, "location": location, "tags": labels}


def _chosen_root(number: str) -> str:
    """Where the artifacts of an experiment go that has no location of its own; empty for the store's folder."""
    root: str | None = settings.get("artifact_root")
    if root is None:
        return ""
    return uris.join(uris.uri_of(uris.path_of(root)) if uris.is_local(root) else root, number)
