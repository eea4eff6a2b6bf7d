"""Where a synchronization reads from: a tracking store, or what looks enough like one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, TypeVar

from dovetail import uris
from dovetail.tracking.series import Series

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from dovetail.tracking.store import TrackingStore
    from dovetail.values import Experiment, LoggedModel, Page, Run

__all__ = ["PAGE", "Source", "StoreSource", "pages", "runs_named"]

Item = TypeVar("Item")

PAGE = 500
"""Runs that are compared at a time."""
_MOST = 16
"""Runs whose histories are read at a time."""
_FEW = 50_000
"""Points of these runs up to which they are short."""


class Source(ABC):
    """What experiments, runs and logged models can be read from; what is deleted there is not seen.

    Attributes:
        name: Where it is, as people may see it.
    """

    name: str

    @abstractmethod
    def experiments(self) -> list[Experiment]:
        """The experiments, the oldest first."""

    @abstractmethod
    def runs(self, experiment_id: str) -> Iterator[Sequence[Run]]:
        """The runs of an experiment, at most ``PAGE`` at a time."""

    @abstractmethod
    def series(self, run_id: str, key: str) -> Series:
        """The points of a metric of a run."""

    @abstractmethod
    def models(self, experiment_id: str) -> Iterator[LoggedModel]:
        """The logged models of an experiment."""


class StoreSource(Source):
    """A tracking store as a source.

    Args:
        store: The store.
        only: The ids of the runs to see; all by default.
    """

    def __init__(self, store: TrackingStore, only: Sequence[str] = ()) -> None:
        self._store, self._only = store, tuple(dict.fromkeys(only))
        self._ahead = _Ahead(store)
        self.name = uris.masked(store.uri)

    def experiments(self) -> list[Experiment]:
        """The experiments, the oldest first."""
        found = pages(lambda token: self._store.search_experiments(page_token=token))
        return sorted((each for page in found for each in page), key=lambda each: int(each.experiment_id))

    def runs(self, experiment_id: str) -> Iterator[Sequence[Run]]:
        """The runs of an experiment, some at a time."""
        for page in self._pages(experiment_id):
            self._ahead.follow([run.info.run_id for run in page])
            yield page

    def _pages(self, experiment_id: str) -> Iterator[Sequence[Run]]:
        if not self._only:
            yield from pages(lambda token: self._store.search_runs([experiment_id], max_results=PAGE, page_token=token))
        for start in range(0, len(self._only), PAGE):
            named = runs_named(self._only[start : start + PAGE])
            yield self._store.search_runs([experiment_id], named, max_results=PAGE)

    def series(self, run_id: str, key: str) -> Series:
        """The points of a metric of a run."""
        return self._ahead.series(run_id, key) or Series.of((), key)

    def models(self, experiment_id: str) -> Iterator[LoggedModel]:
        """The logged models of an experiment; with chosen runs, those that they made or used."""
        wanted = self._models_of_runs(experiment_id) if self._only else None
        for page in pages(lambda token: self._store.search_logged_models([experiment_id], page_token=token)):
            for model in page:
                if wanted is None or model.model_id in wanted or model.source_run_id in self._only:
                    yield model

    def _models_of_runs(self, experiment_id: str) -> set[str]:
        runs = [run for page in self.runs(experiment_id) for run in page]
        used = {each.model_id for run in runs for each in run.inputs.model_inputs}
        return used | {each.model_id for run in runs for each in run.outputs.model_outputs}


class _Ahead:
    """Reads histories of the runs that are asked for next along with one, as long as they are short."""

    def __init__(self, store: TrackingStore) -> None:
        self._store = store
        self.follow(())

    def follow(self, run_ids: Sequence[str]) -> None:
        """The runs that are asked for from now on, in this order, though perhaps not all of them."""
        self._places = {run_id: place for place, run_id in enumerate(run_ids)}
        self._ids = list(run_ids)
        self._start, self._held = 0, dict[str, dict[str, Series]]()
        self._window: list[str] = []
        self._points = 0

    def series(self, run_id: str, key: str) -> Series | None:
        """The points of a metric of a run; None if there are none."""
        if run_id not in self._window:
            self._move(run_id)
        if key not in self._held:
            self._held[key] = self._store.get_metric_series(self._window, key)
            self._points += sum(map(len, self._held[key].values()))
        return self._held[key].get(run_id)

    def _move(self, run_id: str) -> None:
        """Look at more runs at a time if all of the last ones were wanted and had few points, else at this one."""
        place, end = self._places.get(run_id, -1), self._start + len(self._window)
        more = self._window and place == end and self._points < _FEW
        size = min(_MOST, 2 * len(self._window)) if more else 1
        self._start, self._held, self._points = place, {}, 0
        self._window = self._ids[place : place + size] if place >= 0 else [run_id]


def runs_named(run_ids: Sequence[str]) -> str:
    """The filter that finds runs by their ids, which hold no quotes."""
    return f"attributes.run_id IN ({', '.join(map(repr, run_ids))})"


def pages(page: Callable[[str | None], Page[Item]]) -> Iterator[Page[Item]]:
    """The pages of a search, one after the other.

    Args:
        page: Gives the page of a token; None for the first.
    """
    token: str | None = None
    while True:
        found = page(token)
        yield found
        token = found.token
        if token is None:
            return
