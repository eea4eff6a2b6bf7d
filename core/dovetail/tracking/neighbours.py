"""Where all artifacts of a tracking store lie, such that nobody's are removed along with somebody else's."""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import TYPE_CHECKING

from dovetail import uris
from dovetail.errors import InvalidUri
from dovetail.tracking.own_folder import OwnFolder, place_below, place_of, remembered
from dovetail.tracking.store import MAX_PAGE
from dovetail.tracking.walking import every
from dovetail.values import ViewType

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dovetail.tracking.bin import Discarded
    from dovetail.tracking.store import TrackingStore

__all__ = ["Neighbours", "called"]

_WORDS = {"run": "run", "logged_model": "logged model", "experiment": "experiment"}
_MODELS = 1000
_NEWEST = 100


def called(kind: str, identity: str) -> str:
    """A run, logged model or experiment as messages name it."""
    return f"{_WORDS[kind]} {identity}"


class Neighbours:
    """Where all artifacts of a store lie.

    Args:
        store: The tracking store.
    """

    def __init__(self, store: TrackingStore) -> None:
        remembered.cache_clear()
        self._store = store
        self._owners: dict[str, str] = {}
        self._shared: dict[str, str] = {}
        for place, owner in _all_places(store):
            self._take(place, owner)
        self._places = sorted(self._owners)

    def _take(self, place: str, owner: str) -> bool:
        """Note whose a place is; whether nobody was known to have it."""
        new = place not in self._owners
        if self._owners.setdefault(place, owner) != owner:
            self._shared[place] = owner
        return new

    def _read_newest(self) -> None:
        """Take in the experiments made since: what lies in them lies below their locations."""
        token: str | None = None
        while True:
            page = self._store.search_experiments(None, (), ViewType.ALL, _NEWEST, token)
            found = [(place_of(each.artifact_location), called("experiment", each.experiment_id)) for each in page]
            new = [place for place, owner in found if self._take(place, owner)]
            for place in new:
                insort(self._places, place)
            if (token := page.token) is None or not new:
                return

    def reason(self, item: Discarded) -> str | None:
        """Why the artifacts of a run or logged model cannot be removed without touching others', None if they can."""
        try:
            folder = OwnFolder.of(item)
            folder.require_no_link()
            self._read_newest()
        except InvalidUri as error:
            return error.message
        other = self._other_at(folder.place, called(item.kind, item.id))
        return None if other is None else f"{other} has its artifacts there as well, in {uris.masked(folder.uri)}"

    def _other_at(self, place: str, owner: str) -> str | None:
        """Somebody else whose artifacts lie in the folder or below it."""
        for held in (self._owners, self._shared):
            if held.get(place, owner) != owner:
                return held[place]
        below = bisect_left(self._places, f"{place}/")
        if below < len(self._places) and self._places[below].startswith(f"{place}/"):
            return self._owners[self._places[below]]
        return None


def _all_places(store: TrackingStore) -> Iterator[tuple[str, str]]:
    """Each place with the run or model whose it is, or the experiment it is the location of."""
    numbers = []
    for each in every(lambda token: store.search_experiments(None, (), ViewType.ALL, MAX_PAGE, token)):
        numbers.append(each.experiment_id)
        yield place_of(each.artifact_location), called("experiment", each.experiment_id)
    for item in store.discarded():
        place = place_of if item.kind == "experiment" else place_below
        yield place(item.artifact_uri), called(item.kind, item.id)
    columns = "artifact_uri", "run_id"
    for uri, run_id in every(
        lambda token: store.search_run_rows(numbers, columns, None, (), ViewType.ALL, MAX_PAGE, token)
    ):
        yield place_below(uri), called("run", run_id)
    for model in every(lambda token: store.search_logged_models(numbers, max_results=_MODELS, page_token=token)):
        yield place_below(model.artifact_location), called("logged_model", model.model_id)
