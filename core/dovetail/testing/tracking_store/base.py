"""What the stories about tracking stores share: the fixtures to override, and short ways to write and read."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import pytest

from dovetail.values import DEFAULT_EXPERIMENT_ID, Batch, Metric, NewRun, Param, Tag

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from dovetail.tracking.store import TrackingStore
    from dovetail.values import Page, Run

__all__ = ["RUN_NAME", "SIZE", "Stories", "batch_of", "history", "plain", "point", "snapshot", "started", "walk"]

RUN_NAME = "mlflow.runName"
SIZE = 20
"""How many points the writing processes put into a batch, beside one param and one tag."""


class Stories:
    """The part of the suite that a plugin's author fills in.

    Attributes:
        survives_reopen: Whether a store that was closed can be opened again; override the fixture ``reopen`` then.
        shared_between_processes: Whether several processes can use one store; override the fixture ``uri`` then.
    """

    survives_reopen: ClassVar[bool] = False
    shared_between_processes: ClassVar[bool] = False

    @pytest.fixture
    def store(self) -> TrackingStore:
        """A fresh, empty store."""
        raise NotImplementedError(f"{type(self).__name__} overrides the fixture `store` with a fresh, empty store.")

    @pytest.fixture
    def reopen(self) -> Callable[[TrackingStore], TrackingStore]:
        """What opens a store again that the test has closed: another instance of the same place."""
        if self.survives_reopen:
            raise NotImplementedError(f"{type(self).__name__} overrides the fixture `reopen`.")
        pytest.skip("survives_reopen is false: the store ends with its instance")

    @pytest.fixture
    def uri(self) -> str:
        """The URI of a place for a store that nobody has opened yet; any process may open it by that."""
        if self.shared_between_processes:
            raise NotImplementedError(f"{type(self).__name__} overrides the fixture `uri`.")
        pytest.skip("shared_between_processes is false: the store belongs to one process")


def started(store: TrackingStore, experiment_id: str = DEFAULT_EXPERIMENT_ID, **fields: object) -> str:
    """Start a run and return its id."""
    return store.create_run(NewRun(experiment_id, **fields)).info.run_id  # type: ignore[arg-type]  # fields of NewRun


def batch_of(*metrics: Metric, params: Mapping[str, str] | None = None, tags: Mapping[str, str] | None = None) -> Batch:
    """A batch from points and plain dicts."""
    return Batch(
        metrics=metrics,
        params=tuple(Param(key, value) for key, value in (params or {}).items()),
        tags=tuple(Tag(key, value) for key, value in (tags or {}).items()),
    )


def point(value: float, step: int = 0, timestamp: int = 1000, key: str = "loss") -> Metric:
    """A point of a metric."""
    return Metric(key, value, timestamp=timestamp, step=step)


def plain(metrics: Sequence[Metric]) -> list[tuple[str, str, int, int]]:
    """Points as tuples that compare, NaN included: key, value, timestamp, step."""
    return [(metric.key, repr(metric.value), metric.timestamp, metric.step) for metric in metrics]


def history(store: TrackingStore, run_id: str, key: str = "loss") -> list[float]:
    """The values of a metric in the order of its history."""
    return [metric.value for metric in store.get_metric_history(run_id, key)]


def snapshot(run: Run) -> tuple[object, ...]:
    """Everything about a run in a form that compares, NaN included."""
    data = run.data
    metrics = {key: repr(value) for key, value in data.metrics.items()}
    return run.info, metrics, dict(data.params), dict(data.tags), sorted(plain(data.latest))


def walk(search: Callable[[str | None], Page[Run]]) -> list[Page[Run]]:
    """All pages of a search, by their tokens."""
    pages = [search(None)]
    while pages[-1].token is not None:
        assert len(pages) < 1000, "the pages never end"
        pages.append(search(pages[-1].token))
    return pages
