"""Runs and experiments as search filters see them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dovetail.tracking.filters import Kind
    from dovetail.values import Experiment, Run

__all__ = ["ExperimentSubject", "RunSubject"]


class RunSubject:
    """A run under search.

    Args:
        run: The run.
    """

    def __init__(self, run: Run) -> None:
        self.run = run

    def lookup(self, kind: Kind, key: str) -> float | int | str | None:
        """The run's metric, param, tag or attribute of that key."""
        data = self.run.data
        families: dict[str, dict[str, Any]] = {
            "metric": data.metrics,
            "param": data.params,
            "tag": data.tags,
            "attribute": self.run.info.__dict__,
        }
        found: float | int | str | None = families[kind].get(key)
        return found

    def lookup_all(self, kind: Kind, key: str) -> tuple[str, ...]:
        """Nothing: tracking stores keep no datasets."""
        del kind, key
        return ()


class ExperimentSubject:
    """An experiment under search.

    Args:
        experiment: The experiment.
    """

    def __init__(self, experiment: Experiment) -> None:
        self.experiment = experiment

    def lookup(self, kind: Kind, key: str) -> float | int | str | None:
        """The experiment's tag or attribute of that key."""
        source: dict[str, Any] = self.experiment.tags if kind == "tag" else self.experiment.__dict__
        found: float | int | str | None = source.get(key)
        return found

    def lookup_all(self, kind: Kind, key: str) -> tuple[str, ...]:
        """Nothing: experiments use no datasets."""
        del kind, key
        return ()
