"""Runs, experiments and models as search filters see them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from dovetail.tracking.filters import DatasetChoice, Kind
    from dovetail.values import (
        DatasetInput,
        Experiment,
        LoggedModel,
        Metric,
        ModelVersion,
        RegisteredModel,
        Run,
    )

__all__ = [
    "ExperimentSubject",
    "LoggedModelSubject",
    "ModelVersionSubject",
    "RegisteredModelSubject",
    "RunSubject",
]

CONTEXT = "mlflow.data.context"


class _Subject:
    """What has one value at most under each key.

    Args:
        families: The values by kind and key.
    """

    def __init__(self, **families: Mapping[str, Any]) -> None:
        self._families = families

    def lookup(self, kind: Kind, key: str, dataset: DatasetChoice | None = None) -> float | int | str | None:
        """The value of that key."""
        del dataset
        found: float | int | str | None = self._families[kind].get(key)
        return found

    def lookup_all(self, kind: Kind, key: str) -> Sequence[float | str]:
        """The value of that key, if there is one."""
        found = self.lookup(kind, key)
        return () if found is None else (found,)


class RunSubject(_Subject):
    """A run under search.

    Args:
        run: The run.
    """

    def __init__(self, run: Run) -> None:
        data = run.data
        super().__init__(metric=data.metrics, param=data.params, tag=data.tags, attribute=run.info.__dict__)
        self.run = run

    def lookup_all(self, kind: Kind, key: str) -> Sequence[float | str]:
        """The value of that key, or of that field of each dataset the run has used."""
        if kind != "dataset":
            return super().lookup_all(kind, key)
        fields = map(_fields, self.run.inputs.dataset_inputs)
        return [value for each in fields if (value := each[key]) is not None]


class ExperimentSubject(_Subject):
    """An experiment under search.

    Args:
        experiment: The experiment.
    """

    def __init__(self, experiment: Experiment) -> None:
        super().__init__(tag=experiment.tags, attribute=experiment.__dict__)
        self.experiment = experiment


class RegisteredModelSubject(_Subject):
    """A registered model under search.

    Args:
        model: The model.
    """

    def __init__(self, model: RegisteredModel) -> None:
        super().__init__(tag=model.tags, attribute=model.__dict__)
        self.model = model


class ModelVersionSubject(_Subject):
    """A version of a registered model under search.

    Args:
        version: The version.
    """

    def __init__(self, version: ModelVersion) -> None:
        renamed = {"version_number": int(version.version), "source_path": version.source}
        super().__init__(tag=version.tags, attribute={**version.__dict__, **renamed})
        self.version = version


class LoggedModelSubject(_Subject):
    """A logged model under search.

    Args:
        model: The model, with its points.
        datasets: Only points measured on one of these count for comparisons; none given, all do.
    """

    def __init__(self, model: LoggedModel, datasets: Sequence[DatasetChoice] = ()) -> None:
        super().__init__(param=model.params, tag=model.tags, attribute=model.__dict__)
        self.model, self._datasets = model, datasets

    @property
    def measured(self) -> bool:
        """Whether it has been measured on one of the datasets, if any were given; else it is not found at all."""
        return not self._datasets or any(True for _ in _on(self._datasets, self.model.metrics))

    def lookup(self, kind: Kind, key: str, dataset: DatasetChoice | None = None) -> float | int | str | None:
        """The value of that key; of a metric the latest point's, among those measured on the dataset."""
        if kind != "metric":
            return super().lookup(kind, key)
        points = [point for point in _on((dataset,) if dataset else (), self.model.metrics) if point.key == key]
        return max(points, key=_rank).value if points else None

    def lookup_all(self, kind: Kind, key: str) -> Sequence[float | str]:
        """The value of that key, or of each point of that metric that counts."""
        if kind != "metric":
            return super().lookup_all(kind, key)
        return [point.value for point in _on(self._datasets, self.model.metrics) if point.key == key]


def _fields(used: DatasetInput) -> dict[str, str | None]:
    labels = {tag.key: tag.value for tag in used.tags}
    return {"name": used.dataset.name, "digest": used.dataset.digest, "context": labels.get(CONTEXT)}


def _on(datasets: Sequence[DatasetChoice], points: Sequence[Metric]) -> Iterator[Metric]:
    for point in points:
        names = point.dataset_name, point.dataset_digest
        if not datasets or any(choice.admits(*names) for choice in datasets):
            yield point


def _rank(point: Metric) -> tuple[int, int, float]:
    return point.timestamp, point.step, -math.inf if math.isnan(point.value) else point.value
