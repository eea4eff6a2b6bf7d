"""What a destination lacks of a run: compared by what a page of a search says, without reading any history."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from dovetail.tracking.rewinds import REWOUND, rewind_of
from dovetail.tracking.run_names import is_generated
from dovetail.values import LifecycleStage, RunStatus

if TYPE_CHECKING:
    from dovetail.values import DatasetInput, LoggedModelInput, LoggedModelOutput, Metric, Run, RunInfo

__all__ = ["MARKER", "Plan", "Target", "end_of", "is_deleted", "plan"]

MARKER = "dovetail.syncing"
"""The tag of a run that is being sent: where it is found, the run may be there in part."""

_NAME = "mlflow.runName"
_OLDER, _SAME, _NEWER = -1, 0, 1


class Target(NamedTuple):
    """The experiment that runs and models are brought to.

    Args:
        id: Its id; None if it has yet to be made, in a dry run.
        place: The URI that its artifacts lie below; empty if that is not known yet.
    """

    id: str | None
    place: str


@dataclass
class Plan:
    """What is to be brought to a run that is there.

    Args:
        keys: Metrics whose histories may differ.
        params: Params that it has not.
        conflicts: Params that it has with another value, each as key, that value, and ours.
        tags: Tags to set.
        kept: How many tags differ and stay as they are.
        datasets: Inputs that it has not.
        inputs: Logged models that it did not use.
        outputs: Logged models that it did not make, or at another step.
        end: Status and end time to set; None to leave them.
        marked: Whether it is there in part: sending it was broken off.
        from_step: Points of this step and of later ones are to be taken away first, since the source took them away
            after they were sent; None if it did not.
    """

    keys: list[str] = field(default_factory=list)
    params: dict[str, str] = field(default_factory=dict)
    conflicts: list[tuple[str, str, str]] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)
    kept: int = 0
    datasets: list[DatasetInput] = field(default_factory=list)
    inputs: list[LoggedModelInput] = field(default_factory=list)
    outputs: list[LoggedModelOutput] = field(default_factory=list)
    end: tuple[str, int | None] | None = None
    marked: bool = False
    from_step: int | None = None

    def __bool__(self) -> bool:
        return bool(self.keys) or self.certain

    @property
    def certain(self) -> bool:
        """Whether something is to be written whatever comparing histories shows."""
        brought = (self.params, self.tags, self.datasets, self.inputs, self.outputs)
        return any(map(bool, brought)) or self.end is not None or self.marked


def plan(run: Run, there: Run, *, thorough: bool = False) -> Plan:
    """What to bring to a run.

    Which side is newer is decided by how the run ended: one that ended is newer than one that has not, and one that
    ended later is newer. The newer side's status, end and tags hold. Where neither is newer, what the destination says
    stays, except that a run that has not ended anywhere follows the source. A name that was generated replaces none:
    a run that was started by its key in two places was named in both.

    Args:
        run: As the source has it.
        there: As the destination has it.
        thorough: Whether to compare histories of which the latest points are equal.
    """
    age = _age(run.info, there.info)
    found = Plan(marked=MARKER in there.data.tags)
    _compare_rewinds(found, run, there)
    every = thorough or found.marked or age == _NEWER or found.from_step is not None
    found.keys = _keys(run, there, every=every)
    _compare_params(found, run, there)
    _compare_tags(found, run, there, ours=age == _NEWER or (age == _SAME and not _ended(there.info)))
    _compare_links(found, run, there)
    if age == _NEWER or (age == _SAME and run.info.status != there.info.status and not _ended(there.info)):
        found.end = end_of(run.info)
    return found


def end_of(info: RunInfo) -> tuple[str, int | None]:
    """Status and end time; one that ended nobody knows when is taken to have ended when it started."""
    return info.status, (_end_time(info) if _ended(info) else None)


def _age(ours: RunInfo, theirs: RunInfo) -> int:
    if not _ended(ours):
        return _OLDER if _ended(theirs) else _SAME
    if not _ended(theirs):
        return _NEWER
    own, other = _end_time(ours), _end_time(theirs)
    return (own > other) - (own < other)


def _ended(info: RunInfo) -> bool:
    return info.status in RunStatus.ENDED


def _end_time(info: RunInfo) -> int:
    return info.start_time if info.end_time is None else info.end_time


def _keys(run: Run, there: Run, *, every: bool) -> list[str]:
    if every:
        return list(run.data.metrics)
    known = {each.key: _point(each) for each in there.data.latest}
    return [each.key for each in run.data.latest if known.get(each.key) != _point(each)]


def _point(metric: Metric) -> tuple[int, int, float | None]:
    return metric.step, metric.timestamp, None if metric.value != metric.value else metric.value


def _compare_rewinds(found: Plan, run: Run, there: Run) -> None:
    ours, theirs = rewind_of(run.data.tags), rewind_of(there.data.tags)
    if ours.when > theirs.when:
        found.from_step = ours.step
        found.tags[REWOUND] = run.data.tags[REWOUND]


def _compare_params(found: Plan, run: Run, there: Run) -> None:
    for key, value in run.data.params.items():
        held = there.data.params.get(key)
        if held is None:
            found.params[key] = value
        elif held != value:
            found.conflicts.append((key, held, value))


def _compare_tags(found: Plan, run: Run, there: Run, *, ours: bool) -> None:
    for key, value in run.data.tags.items():
        held = there.data.tags.get(key)
        if key in (MARKER, REWOUND) or held == value:
            continue
        if held is None or (ours and not (key == _NAME and is_generated(value))):
            found.tags[key] = value
        else:
            found.kept += 1


def _compare_links(found: Plan, run: Run, there: Run) -> None:
    known = {(each.dataset.name, each.dataset.digest) for each in there.inputs.dataset_inputs}
    datasets = run.inputs.dataset_inputs
    found.datasets = [each for each in datasets if (each.dataset.name, each.dataset.digest) not in known]
    used = {each.model_id for each in there.inputs.model_inputs}
    found.inputs = [each for each in run.inputs.model_inputs if each.model_id not in used]
    made = {each.model_id for each in there.outputs.model_outputs}
    found.outputs = [each for each in run.outputs.model_outputs if each.model_id not in made]


def is_deleted(run: Run) -> bool:
    """Whether it lies in the bin."""
    return run.info.lifecycle_stage == LifecycleStage.DELETED
