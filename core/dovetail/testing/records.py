"""A run as the memory store keeps it: a frozen record, replaced by every write."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from math import isnan
from typing import TYPE_CHECKING

from dovetail import uris
from dovetail.tracking.params import with_params
from dovetail.tracking.stages import require_open
from dovetail.values import (
    DatasetInput,
    InputTag,
    LifecycleStage,
    Metric,
    Run,
    RunData,
    RunInfo,
    RunInputs,
    RunOutputs,
)
from dovetail.values.measure import now_ms

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from typing_extensions import Self

    from dovetail.values import Batch, Experiment, LoggedModelInput, LoggedModelOutput, NewRun, Param, Tag

__all__ = ["RUN_NAME", "Record", "as_dict"]

RUN_NAME = "mlflow.runName"


@dataclass(frozen=True)
class Record:
    """A run with all it logged. Whoever holds a record holds one state of the run, whatever is written meanwhile.

    Args:
        info: Its metadata.
        params: Its params.
        tags: Its tags.
        dates: When each of them was set.
        points: The points of each metric, by rank.
        latest: The latest point of each metric.
        binned_with_experiment: Whether it went into the bin along with its experiment.
        deletion_time: When it went into the bin.
        datasets: The datasets it used, by name and digest.
        used: The logged models it used, by id.
        made: The logged models it made, by id.
    """

    info: RunInfo
    params: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    dates: Mapping[str, int] = field(default_factory=dict)
    points: Mapping[str, Mapping[tuple[float, ...], Metric]] = field(default_factory=dict)
    latest: Mapping[str, Metric] = field(default_factory=dict)
    binned_with_experiment: bool = False
    deletion_time: int = 0
    datasets: Mapping[tuple[str, str], DatasetInput] = field(default_factory=dict)
    used: Mapping[str, LoggedModelInput] = field(default_factory=dict)
    made: Mapping[str, LoggedModelOutput] = field(default_factory=dict)

    @classmethod
    def of(cls, run: NewRun, experiment: Experiment) -> Self:
        """The record of a run that is new in its experiment."""
        tags = as_dict(run.tags)
        info = RunInfo(
            run_id=run.run_id,
            experiment_id=run.experiment_id,
            run_name=tags.get(RUN_NAME, ""),
            user_id=run.user_id,
            status=run.status,
            start_time=run.start_time,
            artifact_uri=uris.join(experiment.artifact_location, run.run_id, "artifacts"),
        )
        record = cls(info, tags=tags, dates=dict.fromkeys(tags, now_ms()))
        return record.named(run.run_name) if run.run_name else record

    @property
    def deleted(self) -> bool:
        """Whether it is in the bin."""
        return self.info.lifecycle_stage == LifecycleStage.DELETED

    def require_open(self, *, only_tags: bool) -> None:
        """See to it that the run can be written to.

        Args:
            only_tags: Whether a run that has ended will do.

        Raises:
            RunEnded: It is deleted, or has ended where that matters.
        """
        require_open(self.info.run_id, self.info.status, deleted=self.deleted, only_tags=only_tags)

    def staged(self, stage: str, *, with_experiment: bool = False) -> Self:
        """The same run in or out of the bin."""
        info = replace(self.info, lifecycle_stage=stage)
        moment = now_ms() if stage == LifecycleStage.DELETED else 0
        return replace(self, info=info, binned_with_experiment=with_experiment, deletion_time=moment)

    def named(self, name: str) -> Self:
        """The same run under another name."""
        dates = {**self.dates, RUN_NAME: now_ms()}
        return replace(self, info=replace(self.info, run_name=name), tags={**self.tags, RUN_NAME: name}, dates=dates)

    def with_batch(self, batch: Batch) -> Self:
        """The same run with more logged to it.

        Raises:
            ParamConflict: One of the params has another value already.
        """
        return self.with_params(batch.params).with_metrics(batch.points()).with_tags(batch.tags)

    def as_run(self) -> Run:
        """The run as callers see it."""
        data = RunData(
            metrics={key: metric.value for key, metric in self.latest.items()},
            params=dict(self.params),
            tags=dict(self.tags),
            latest=tuple(self.latest.values()),
        )
        inputs = RunInputs(tuple(self.datasets.values()), tuple(self.used.values()))
        return Run(self.info, data, inputs, RunOutputs(tuple(self.made.values())))

    def with_params(self, params: Sequence[Param]) -> Self:
        """The same run with these params.

        Raises:
            ParamConflict: One of them has another value already.
        """
        return replace(self, params=with_params(self.params, params, f"run {self.info.run_id}"))

    def with_metrics(self, metrics: Sequence[Metric]) -> Self:
        """The same run with these points; points it has already change nothing."""
        changed = {metric.key for metric in metrics}
        points = {key: dict(self.points.get(key, {})) for key in changed}
        latest = dict(self.latest)
        for metric in metrics:
            point = Metric(metric.key, metric.value, metric.timestamp, metric.step)
            points[point.key].setdefault(self.rank(point), point)
            latest[point.key] = self.later(latest.get(point.key, point), point)
        return replace(self, points={**self.points, **points}, latest=latest)

    def rewound(self, from_step: int) -> Self:
        """The same run without the points of a step and of later ones, but for those of the machine's metrics."""
        points = {
            key: {rank: point for rank, point in held.items() if point.step < from_step or key.startswith("system/")}
            for key, held in self.points.items()
        }
        latest = {key: max(held.values(), key=_lateness) for key, held in points.items() if held}
        return replace(self, points=points, latest=latest)

    def with_tags(self, tags: Sequence[Tag]) -> Self:
        """The same run with these tags instead of older ones of the same keys; the tag of the name renames it."""
        now = now_ms()
        new = [tag for tag in tags if tag.set_at is None or tag.set_at >= self.dates.get(tag.key, 0)]
        dates = {**self.dates, **{tag.key: now if tag.set_at is None else tag.set_at for tag in new}}
        kept = {**self.tags, **as_dict(new)}
        info = replace(self.info, run_name=kept.get(RUN_NAME, self.info.run_name))
        return replace(self, info=info, tags=kept, dates=dates)

    def with_inputs(self, datasets: Sequence[DatasetInput], models: Sequence[LoggedModelInput]) -> Self:
        """The same run with these inputs; those it has already stay as they are, but get tags if they have none."""
        kept = dict(self.datasets)
        for each in datasets:
            key = each.dataset.name, each.dataset.digest
            held = kept.get(key, each)
            kept[key] = _tagged(held, held.tags or each.tags)
        used = {**self.used, **{each.model_id: each for each in models}}
        return replace(self, datasets=kept, used=used)

    def with_outputs(self, models: Sequence[LoggedModelOutput]) -> Self:
        """The same run with these outputs; those it has already get the new steps."""
        return replace(self, made={**self.made, **{each.model_id: each for each in models}})

    def rank(self, metric: Metric) -> tuple[float, ...]:
        """What tells a point from the others of its metric, and its place in the history."""
        undefined = isnan(metric.value)  # NaN does not compare, so it is flagged, which also puts it last
        return metric.timestamp, metric.step, undefined, 0.0 if undefined else metric.value

    def later(self, one: Metric, other: Metric) -> Metric:
        """Which of two points is the later one."""
        return max(one, other, key=_lateness)


def _lateness(metric: Metric) -> tuple[float, ...]:
    defined = not isnan(metric.value)
    return metric.step, metric.timestamp, defined, metric.value if defined else 0.0


def _tagged(used: DatasetInput, tags: Sequence[InputTag]) -> DatasetInput:
    return replace(used, tags=tuple(sorted(tags, key=lambda tag: tag.key)))


def as_dict(tags: Sequence[Tag]) -> dict[str, str]:
    """Tags by key; of two with one key the last one counts."""
    return {tag.key: tag.value for tag in tags}
