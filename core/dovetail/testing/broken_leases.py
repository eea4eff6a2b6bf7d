"""Tracking stores that are wrong about who sees to runs, and about what comes late or is taken back."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dovetail.testing.memory import MemoryTrackingStore
from dovetail.testing.records import Record
from dovetail.values import RunStatus, Tag
from dovetail.values.measure import now_ms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from typing_extensions import Self

    from dovetail.values import Lease, RunInfo

__all__ = ["FAULTS"]


class EternalLeases(MemoryTrackingStore):
    """Believes that whoever began a run is there for ever."""

    def reap_runs(self, holder: str | None = None, seen: int | None = None) -> Sequence[str]:
        return () if holder is None else super().reap_runs(holder, seen)


class EagerReapers(MemoryTrackingStore):
    """Takes runs without a lease for crashed, too."""

    def reap_runs(self, holder: str | None = None, seen: int | None = None) -> Sequence[str]:
        going = (RunStatus.RUNNING, RunStatus.SCHEDULED)
        alone = [
            run_id for run_id, each in self._runs.items() if run_id not in self._held and each.info.status in going
        ]
        for run_id in alone:
            self._crash(run_id, now_ms())
        return [*alone, *super().reap_runs(holder, seen)]


class LateEnds(MemoryTrackingStore):
    """Takes the moment at which it noticed for the end of a run."""

    def reap_runs(self, holder: str | None = None, seen: int | None = None) -> Sequence[str]:
        return super().reap_runs(holder, (seen or now_ms()) + 60_000)


class OneRunEach(MemoryTrackingStore):
    """Hears signs of life for one run of a holder."""

    def beat(self, holder: str, seconds: float) -> None:
        kept = dict(self._held)
        super().beat(holder, seconds)
        mine = [run_id for run_id, held in kept.items() if held.holder == holder]
        self._held.update({run_id: kept[run_id] for run_id in mine[1:]})


class ForgottenHolders(MemoryTrackingStore):
    """Forgets who had the lease of a run that it took for crashed."""

    def reap_runs(self, holder: str | None = None, seen: int | None = None) -> Sequence[str]:
        reaped = super().reap_runs(holder, seen)
        for run_id in reaped:
            del self._held[run_id]
        return reaped


class RestlessRuns(MemoryTrackingStore):
    """Keeps the lease of a run that has ended."""

    def update_run(
        self, run_id: str, *, status: str | None = None, lease: Lease | None = None, **others: Any
    ) -> RunInfo:
        held = self._held.get(run_id)
        info = super().update_run(run_id, status=status, lease=lease, **others)
        if held is not None and info.status in RunStatus.ENDED:
            self._held[run_id] = held
        return info


class PoliteReapers(MemoryTrackingStore):
    """Waits for the leases of a holder that is known to be gone."""

    def reap_runs(self, holder: str | None = None, seen: int | None = None) -> Sequence[str]:
        del holder
        return super().reap_runs(None, seen)


class AnybodysRuns(MemoryTrackingStore):
    """Lets whoever asks end a run."""

    def update_run(
        self, run_id: str, *, status: str | None = None, lease: Lease | None = None, **others: Any
    ) -> RunInfo:
        ends = status in RunStatus.ENDED
        return super().update_run(run_id, status=status, lease=None if ends else lease, **others)


class StubbornLeases(MemoryTrackingStore):
    """Leaves the lease with whoever took it first."""

    def _take(self, run_id: str, lease: Lease | None) -> None:
        if run_id not in self._held:
            super()._take(run_id, lease)


class LeasesFromTheGrave(MemoryTrackingStore):
    """Lets leases that ran out keep others from ending a run."""

    def _is_elsewhere(self, run_id: str, holder: str | None) -> bool:
        held = self._held.get(run_id)
        return held is not None and holder is not None and held.holder != holder


class OneStepTooFar(MemoryTrackingStore):
    """Keeps the points of the step that training goes on from."""

    def drop_points(self, run_id: str, from_step: int) -> None:
        super().drop_points(run_id, from_step + 1)


class LatestOfBefore(MemoryTrackingStore):
    """Shows the latest points that were taken away."""

    class record(Record):  # noqa: N801 - takes the place of an attribute
        def rewound(self, from_step: int) -> Self:
            return replace(super().rewound(from_step), latest=self.latest)


class MachinesRewound(MemoryTrackingStore):
    """Takes the points of the machine's metrics away, too."""

    class record(Record):  # noqa: N801 - takes the place of an attribute
        def rewound(self, from_step: int) -> Self:
            kept = {
                key: {rank: point for rank, point in held.items() if point.step < from_step}
                for key, held in self.points.items()
            }
            there = {key: point for key, point in super().rewound(from_step).latest.items() if kept[key]}
            return replace(self, points=kept, latest=there)


class TagsByArrival(MemoryTrackingStore):
    """Takes the tag that came last for the one that was set last."""

    class record(Record):  # noqa: N801 - takes the place of an attribute
        def with_tags(self, tags: Sequence[Tag]) -> Self:
            return super().with_tags([Tag(tag.key, tag.value) for tag in tags])


class NamesByArrival(MemoryTrackingStore):
    """Renames a run by a tag that came too late."""

    class record(Record):  # noqa: N801 - takes the place of an attribute
        def with_tags(self, tags: Sequence[Tag]) -> Self:
            named = [tag.value for tag in tags if tag.key == "mlflow.runName"]
            kept = super().with_tags(tags)
            return replace(kept, info=replace(kept.info, run_name=named[-1])) if named else kept


class TheFutureIsNow(MemoryTrackingStore):
    """Keeps a tag whose time is still to come against one that is set now."""

    class record(Record):  # noqa: N801 - takes the place of an attribute
        def with_tags(self, tags: Sequence[Tag]) -> Self:
            dated = [Tag(tag.key, tag.value, now_ms() if tag.set_at is None else tag.set_at) for tag in tags]
            return super().with_tags(dated)


class ClosedForEver(MemoryTrackingStore):
    """Leaves a crashed run closed to who takes it up."""

    def update_run(
        self, run_id: str, *, status: str | None = None, lease: Lease | None = None, **others: Any
    ) -> RunInfo:
        crashed = self.get_run(run_id).info.status == RunStatus.CRASHED
        return super().update_run(run_id, status=None if crashed else status, lease=lease, **others)


FAULTS: dict[type[MemoryTrackingStore], str] = {
    EternalLeases: "test_a_run_whose_process_is_gone_is_ended_as_crashed",
    EagerReapers: "test_runs_without_a_lease_are_left_alone",
    LateEnds: "test_a_run_whose_process_is_gone_is_ended_as_crashed",
    OneRunEach: "test_a_sign_of_life_keeps_all_runs_of_its_holder",
    ForgottenHolders: "test_a_run_that_was_only_slow_goes_on",
    RestlessRuns: "test_a_sign_of_life_wakes_nothing_that_was_ended",
    PoliteReapers: "test_a_holder_that_is_known_to_be_gone_is_not_waited_for",
    AnybodysRuns: "test_who_takes_a_run_up_has_its_lease",
    StubbornLeases: "test_who_takes_a_run_up_has_its_lease",
    LeasesFromTheGrave: "test_a_lease_that_ran_out_stops_nobody",
    ClosedForEver: "test_a_crashed_run_can_be_taken_up",
    OneStepTooFar: "test_points_of_a_step_and_later_ones_are_taken_away",
    LatestOfBefore: "test_metrics_that_began_later_are_gone",
    MachinesRewound: "test_metrics_of_the_machine_stay",
    TagsByArrival: "test_a_late_tag_takes_no_newer_ones_place",
    NamesByArrival: "test_a_late_name_takes_no_newer_ones_place",
    TheFutureIsNow: "test_late_tags_are_told_apart_by_their_times",
}
"""Every store with a fault of this kind, and the story of the suite that must catch it."""
