"""What a run is and holds, put together from its records in whatever order they are read.

Two processes that log to one run write a file each, and nobody knows whose record comes in between. So each thing that
may change is kept with the moment it is from: of a param the earliest value holds, of everything else the latest.
Tags, and the name, which is one of them, have a date beside the moment, since they may come late: of two tags the one
of the later date holds, and of two of one date the one that was written later.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from dovetail.tracking.params import with_params
from dovetail.values import (
    Dataset,
    DatasetInput,
    InputTag,
    LoggedModelInput,
    LoggedModelOutput,
    Metric,
    RunData,
    RunInputs,
    RunOutputs,
    Tag,
)
from dovetail_file.records import Latest, Logged, lateness
from dovetail_file.rewinds import Rewind, is_rewound, with_rewind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from typing_extensions import Self

    from dovetail.values import NewRun, Param

__all__ = ["NAN", "RUN_NAME", "RunState", "created_note", "input_text"]

RUN_NAME = "mlflow.runName"
_MS = 1_000_000
_FIELDS = "status", "end", "experiment"
Point: TypeAlias = tuple[str, float, int, int, "str | None", "str | None"]
"""Key, value, timestamp, step, and name and digest of a dataset."""


@dataclass
class Used:
    """A dataset that a run used.

    Args:
        first: When it was noted first, and as which in its record; datasets go by that.
        at: When it was described.
        dataset: The fields of ``Dataset``.
        tags: Its labels: those of who said first what it was used for.
        tagged: When that was, and as which in its record.
    """

    first: tuple[int, int]
    at: int
    dataset: dict[str, str | None]
    tags: dict[str, str] = field(default_factory=dict)
    tagged: tuple[int, int] = (0, 0)

    def value(self) -> DatasetInput:
        """The input as callers see it."""
        tags = tuple(InputTag.stored(key=key, value=self.tags[key]) for key in sorted(self.tags))
        return DatasetInput.stored(dataset=Dataset.stored(**self.dataset), tags=tags)


@dataclass
class RunState:
    """What a run is and holds.

    Args:
        run_id: Its id.
        user_id: Who started it.
        start_time: Milliseconds since 1970, UTC.
        born: The experiment that it was created in: there its artifacts are.
        artifacts: Where they are, if that was chosen; else they are in the store's folder.
        at: The latest moment of its records.
        fields: Status, end time and experiment, each with its moment.
        name: What it is called, behind the date and the moment of that.
        params: Its params, each with its moment.
        tags: Its tags, each behind its date and moment; None for one that was removed.
        latest: The latest point of each metric.
        marks: The highest sequence of each journal's writer.
        datasets: What it used, by name and digest.
        used: The logged models it used, with when that was noted first.
        made: The logged models it made, with when that was noted first, when last, and the step.
        linked: The points of each logged model.
        rewinds: From which steps on points were taken away, and when.
    """

    run_id: str
    user_id: str
    start_time: int
    born: str
    artifacts: str | None
    at: int
    fields: dict[str, tuple[int, Any]]
    name: tuple[int, int, str]
    params: dict[str, tuple[int, str]] = field(default_factory=dict)
    tags: dict[str, tuple[int, int, str | None]] = field(default_factory=dict)
    latest: dict[str, Latest] = field(default_factory=dict)
    marks: dict[str, int] = field(default_factory=dict)
    datasets: dict[str, Used] = field(default_factory=dict)
    used: dict[str, tuple[int, int]] = field(default_factory=dict)
    made: dict[str, tuple[tuple[int, int], int, int]] = field(default_factory=dict)
    linked: dict[str, dict[Point, None]] = field(default_factory=dict)
    rewinds: list[Rewind] = field(default_factory=list)

    @classmethod
    def of(cls, note: dict[str, Any]) -> Self:
        """The state of a run that was just created."""
        at = note["at"]
        fields = {name: (at, note[name]) for name in _FIELDS}
        tags = {key: (at // _MS, at, value) for key, value in note["tags"].items()}
        # A run without a name takes any, whenever that was given to it.
        name = (at // _MS if RUN_NAME in tags else 0, at, note["name"])
        identity = note["run_id"], note["user"], note["start"], note["experiment"], note["artifacts"]
        return cls(*identity, at, fields, name, tags=tags)

    # --- what is read ----------------------------------------------------------------------------------------

    @property
    def status(self) -> str:
        """Its status."""
        return str(self.fields["status"][1])

    @property
    def experiment_id(self) -> str:
        """The experiment it lies in."""
        return str(self.fields["experiment"][1])

    def data(self) -> RunData:
        """What it logged."""
        points = [(key, value, timestamp, step) for key, (step, timestamp, value) in self.latest.items()]
        params = {key: value for key, (_, value) in self.params.items()}
        tags = {key: value for key, (_, _, value) in self.tags.items() if value is not None}
        return RunData.read(points, params, tags)

    def inputs(self) -> RunInputs:
        """What it used."""
        datasets = sorted(self.datasets.values(), key=lambda each: each.first)
        models = sorted(self.used, key=lambda model_id: self.used[model_id])
        return RunInputs(
            tuple(each.value() for each in datasets), tuple(LoggedModelInput.stored(model_id=each) for each in models)
        )

    def outputs(self) -> RunOutputs:
        """What it made."""
        models = sorted(self.made.items(), key=lambda each: each[1][0])
        return RunOutputs(tuple(LoggedModelOutput.stored(model_id=each, step=step) for each, (_, _, step) in models))

    def points_of(self, model_id: str) -> list[Metric]:
        """The points that it logged to a logged model."""
        return [
            Metric.stored(
                key=key,
                value=value,
                timestamp=timestamp,
                step=step,
                model_id=model_id,
                dataset_name=name,
                dataset_digest=digest,
                run_id=self.run_id,
            )
            for key, value, timestamp, step, name, digest in self.linked.get(model_id, ())
        ]

    def has_tag(self, key: str) -> bool:
        """Whether there is such a tag."""
        return key in self.tags and self.tags[key][2] is not None

    def has_points_from(self, step: int) -> bool:
        """Whether there are points of a step or of later ones, which may be taken away."""
        return any(latest[0] >= step for key, latest in self.latest.items() if is_rewound(key))

    def date_now(self, key: str, at: int) -> int:
        """The date of a tag that is set at a moment: none before the one that is there, whatever the clocks say."""
        known = self.tags.get(key)
        return max(at // _MS, 0 if known is None else known[0])

    def dated(self, tags: Sequence[Tag], at: int) -> tuple[Tag, ...]:
        """Tags with the dates that records hold, those that are set at this moment too."""
        return tuple(
            Tag.stored(key=each.key, value=each.value, set_at=self.date_now(each.key, at))
            if each.set_at is None
            else each
            for each in tags
        )

    def require_params(self, params: Sequence[Param]) -> None:
        """See to it that params can be logged.

        Raises:
            ParamConflict: One of them has another value already.
        """
        held = {param.key: self.params[param.key][1] for param in params if param.key in self.params}
        with_params(held, params, f"run {self.run_id}")

    # --- what is logged --------------------------------------------------------------------------------------

    def log(self, logged: Logged) -> None:
        """Take in a batch."""
        at, mark, latest, rest = logged
        self.at = max(self.at, at)
        for key, (_, point) in latest.items():
            known = self.latest.get(key)
            self.latest[key] = point if known is None else max(known, point, key=lambda each: lateness(*each))
        for param in rest.params:
            self.params[param.key] = min(self.params.get(param.key, (at, param.value)), (at, param.value))
        for tag in rest.tags:
            self._tag(at // _MS if tag.set_at is None else tag.set_at, at, tag.key, tag.value)
        for metric in rest.metrics:
            self._link(metric)
        if mark is not None:
            self.marks[mark[0]] = max(mark[1], self.marks.get(mark[0], 0))

    def change(self, change: dict[str, Any]) -> None:
        """Take in a change of anything else.

        Args:
            change: Its moment, ``at``, and any of ``status``, ``end``, ``experiment``, ``name`` and ``untag`` (a key)
                with their ``date``, ``rewind`` (the first step whose points are taken away; who gives it reads the
                latest points anew), ``inputs`` (as ``input_text`` gives them), ``used`` (ids), ``made`` (ids with
                steps).
        """
        at = change["at"]
        self.at = max(self.at, at)
        for name in _FIELDS:
            if name in change:
                self._set(at, name, change[name])
        if "name" in change:
            self._tag(change["date"], at, RUN_NAME, change["name"])
        if "untag" in change:
            self._tag(change["date"], at, change["untag"], None)
        if "rewind" in change:
            self.rewinds = with_rewind(self.rewinds, (at, change["rewind"]))
        self._note_links(at, change)

    # --- steps -----------------------------------------------------------------------------------------------

    def _note_links(self, at: int, change: dict[str, Any]) -> None:
        for place, (dataset, tags) in enumerate(change.get("inputs", ())):
            self._use(at, place, dataset, tags)
        for place, model_id in enumerate(change.get("used", ())):
            self.used[model_id] = min((at, place), self.used.get(model_id, (at, place)))
        for place, (model_id, step) in enumerate(change.get("made", ())):
            first, last, before = self.made.get(model_id, ((at, place), at, step))
            self.made[model_id] = (min(first, (at, place)), max(last, at), step if at >= last else before)

    def _set(self, at: int, name: str, value: Any) -> None:
        if at >= self.fields[name][0]:
            self.fields[name] = (at, value)

    def _tag(self, date: int, at: int, key: str, value: str | None) -> None:
        known = self.tags.get(key)
        if known is None or (date, at) >= known[:2]:
            self.tags[key] = (date, at, value)
        # A run whose name was removed as a tag is still called that.
        if key == RUN_NAME and value is not None and (date, at) >= self.name[:2]:
            self.name = (date, at, value)

    def _link(self, metric: Metric) -> None:
        assert metric.model_id is not None  # noqa: S101 - for type checkers
        value = metric.value if metric.value == metric.value else NAN
        point = metric.key, value, metric.timestamp, metric.step, metric.dataset_name, metric.dataset_digest
        self.linked.setdefault(metric.model_id, {})[point] = None

    def _use(self, at: int, place: int, dataset: dict[str, str | None], tags: dict[str, str]) -> None:
        key = f"{dataset['name']}\0{dataset['digest']}"
        used = self.datasets.setdefault(key, Used((at, place), at, dataset))
        used.first = min(used.first, (at, place))
        if at > used.at:
            used.at, used.dataset = at, dataset
        if tags and (not used.tags or (at, place) < used.tagged):
            used.tags, used.tagged = tags, (at, place)


NAN = float("nan")
"""The one that keys of dicts hold: another one would be another key."""


def created_note(run: NewRun, artifacts: str | None, at: int) -> dict[str, Any]:
    """What is written down of a run when it is created; its name and the tag of the name are made equal."""
    tags = {tag.key: tag.value for tag in run.tags}
    if run.run_name:
        tags[RUN_NAME] = run.run_name
    return {
        "run_id": run.run_id,
        "experiment": run.experiment_id,
        "name": run.run_name or tags.get(RUN_NAME, ""),
        "user": run.user_id,
        "status": run.status,
        "start": run.start_time,
        "end": None,
        "tags": tags,
        "artifacts": artifacts,
        "at": at,
    }


def input_text(used: DatasetInput) -> list[dict[str, str | None]]:
    """A dataset that was used, as changes hold it."""
    return [asdict(used.dataset), {tag.key: tag.value for tag in used.tags}]
