"""Tracking stores that are wrong about groups of entries."""

from __future__ import annotations

import time
from copy import copy
from dataclasses import replace
from typing import TYPE_CHECKING

from dovetail.testing.memory import MemoryTrackingStore
from dovetail.values import Batch, LogEntry, Tag

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dovetail.errors import DovetailError

__all__ = ["FAULTS"]

_LOGGED = ("_runs", "_marks", "_held", "_models")


class AllOrNothing(MemoryTrackingStore):
    """Lets one refusal keep all others out."""

    def log_batches(self, entries: Sequence[LogEntry]) -> list[DovetailError | None]:
        trial = _copied(self)
        answers = MemoryTrackingStore.log_batches(trial, entries)
        return answers if any(answers) else super().log_batches(entries)


class StopsAtRefusals(MemoryTrackingStore):
    """Stores nothing behind a refusal."""

    def log_batches(self, entries: Sequence[LogEntry]) -> list[DovetailError | None]:
        answers: list[DovetailError | None] = []
        for entry in entries:
            answers += super().log_batches([entry]) if not any(answers) else [None]
        return answers


class SilentRefusals(MemoryTrackingStore):
    """Says nothing about refusals."""

    def log_batches(self, entries: Sequence[LogEntry]) -> list[DovetailError | None]:
        return [None for _ in super().log_batches(entries)]


class ShuffledAnswers(MemoryTrackingStore):
    """Gives refusals first."""

    def log_batches(self, entries: Sequence[LogEntry]) -> list[DovetailError | None]:
        return sorted(super().log_batches(entries), key=lambda answer: answer is None)


class TornEntries(MemoryTrackingStore):
    """Stores the rest of what is refused for its params."""

    def log_batches(self, entries: Sequence[LogEntry]) -> list[DovetailError | None]:
        answers = super().log_batches(entries)
        for entry, answer in zip(entries, answers, strict=True):
            if answer is not None and entry.batch.params:
                rest = replace(entry, batch=replace(entry.batch, params=()))
                super().log_batches([rest])
        return answers


class OneOfEachRun(MemoryTrackingStore):
    """Keeps the last entry of each run."""

    def log_batches(self, entries: Sequence[LogEntry]) -> list[DovetailError | None]:
        last = {entry.run_id: number for number, entry in enumerate(entries)}
        kept = [entry for number, entry in enumerate(entries) if last[entry.run_id] == number]
        super().log_batches(kept)
        return [None] * len(entries)


class NoEmptyGroups(MemoryTrackingStore):
    """Expects a first entry."""

    def log_batches(self, entries: Sequence[LogEntry]) -> list[DovetailError | None]:
        return [*super().log_batches(entries[:1]), *super().log_batches(entries[1:])] if entries[0] else []


class EncodedIds(MemoryTrackingStore):
    """Lets out what its driver makes of an id that is no text."""

    def log_batches(self, entries: Sequence[LogEntry]) -> list[DovetailError | None]:
        return super().log_batches([replace(entry, run_id=entry.run_id.encode().decode()) for entry in entries])


class BackToFront(MemoryTrackingStore):
    """Takes the last entry first."""

    def log_batches(self, entries: Sequence[LogEntry]) -> list[DovetailError | None]:
        return super().log_batches(entries[::-1])[::-1]


class JudgedBefore(MemoryTrackingStore):
    """Judges all entries by the state of before the group."""

    def log_batches(self, entries: Sequence[LogEntry]) -> list[DovetailError | None]:
        answers = [answer for entry in entries for answer in MemoryTrackingStore.log_batches(_copied(self), [entry])]
        for entry, answer in zip(entries, answers, strict=True):
            if answer is None:
                self._force(entry)
        return answers

    def _force(self, entry: LogEntry) -> None:
        """Store an entry, without params that are there with other values."""
        held = self._runs[entry.run_id].params
        batch = replace(entry.batch, params=tuple(each for each in entry.batch.params if each.key not in held))
        super().log_batch(entry.run_id, batch, mark=entry.mark, ended=True)


class BindingRefusals(MemoryTrackingStore):
    """Holds others to the params of an entry that was refused."""

    def log_batches(self, entries: Sequence[LogEntry]) -> list[DovetailError | None]:
        answers: list[DovetailError | None] = []
        for entry in entries:
            answers += super().log_batches([entry])
            if answers[-1] is not None and entry.run_id in self._runs:
                for param in entry.batch.params:
                    super().log_batches([LogEntry(entry.run_id, Batch(params=(param,)))])
        return answers


class LatestOfTheLast(MemoryTrackingStore):
    """Takes the points of the last entry for the latest."""

    def log_batches(self, entries: Sequence[LogEntry]) -> list[DovetailError | None]:
        answers = super().log_batches(entries)
        for entry, answer in zip(entries, answers, strict=True):
            if answer is None and entry.batch.metrics:
                record = self._runs[entry.run_id]
                latest = {**record.latest, **{each.key: each for each in entry.batch.metrics}}
                self._runs[entry.run_id] = replace(record, latest=latest)
        return answers


class UndatedTags(MemoryTrackingStore):
    """Pays no regard to when the tags of a group were set."""

    def log_batches(self, entries: Sequence[LogEntry]) -> list[DovetailError | None]:
        return super().log_batches([replace(entry, batch=_undated(entry.batch)) for entry in entries])


class NamesByArrival(MemoryTrackingStore):
    """Calls a run by the last name of a group, whatever its tag says."""

    def log_batches(self, entries: Sequence[LogEntry]) -> list[DovetailError | None]:
        answers = super().log_batches(entries)
        for entry, answer in zip(entries, answers, strict=True):
            names = [tag.value for tag in entry.batch.tags if tag.key == "mlflow.runName"]
            if answer is None and names:
                record = self._runs[entry.run_id]
                self._runs[entry.run_id] = replace(record, info=replace(record.info, run_name=names[-1]))
        return answers


class EndsBehindAll(MemoryTrackingStore):
    """Ends runs when all entries are stored."""

    def log_batches(self, entries: Sequence[LogEntry]) -> list[DovetailError | None]:
        answers = super().log_batches([replace(entry, batch=replace(entry.batch, end=None)) for entry in entries])
        for entry, answer in zip(entries, answers, strict=True):
            if answer is None and entry.batch.end is not None:
                self._end(entry.run_id, entry.batch.end)
        return answers


class EndsOfTheRefused(MemoryTrackingStore):
    """Ends runs by entries that are refused."""

    def log_batches(self, entries: Sequence[LogEntry]) -> list[DovetailError | None]:
        answers = super().log_batches(entries)
        for entry, answer in zip(entries, answers, strict=True):
            if answer is not None and entry.batch.end is not None and entry.run_id in self._runs:
                self._end(entry.run_id, entry.batch.end)
        return answers


class FirstEndOfAGroup(MemoryTrackingStore):
    """Ends each run once in a group."""

    def log_batches(self, entries: Sequence[LogEntry]) -> list[DovetailError | None]:
        seen: set[str] = set()
        return super().log_batches([self._once(entry, seen) for entry in entries])

    def _once(self, entry: LogEntry, seen: set[str]) -> LogEntry:
        if entry.batch.end is None:
            return entry
        again = entry.run_id in seen
        seen.add(entry.run_id)
        return replace(entry, batch=replace(entry.batch, end=None)) if again else entry


class MarksOfBefore(MemoryTrackingStore):
    """Looks at the marks of before the group alone."""

    def log_batches(self, entries: Sequence[LogEntry]) -> list[DovetailError | None]:
        before = dict(self._marks)
        answers: list[DovetailError | None] = []
        for entry in entries:
            after = dict(self._marks)
            self._marks = dict(before)
            answers += super().log_batches([entry])
            self._marks = {key: max(after.get(key, 0), self._marks.get(key, 0)) for key in {**after, **self._marks}}
        return answers


class UnmarkedGroups(MemoryTrackingStore):
    """Keeps no marks of groups."""

    def log_batches(self, entries: Sequence[LogEntry]) -> list[DovetailError | None]:
        late = [replace(entry, mark=None, ended=entry.ended or entry.mark is not None) for entry in entries]
        return super().log_batches(late)


class MarkedRefusals(MemoryTrackingStore):
    """Marks what is refused."""

    def log_batches(self, entries: Sequence[LogEntry]) -> list[DovetailError | None]:
        answers: list[DovetailError | None] = []
        for entry in entries:
            answers += super().log_batches([entry])
            if entry.mark is not None:
                self._marks[entry.mark.writer] = max(self.applied(entry.mark.writer), entry.mark.sequence)
        return answers


class MarksAreNotLate(MemoryTrackingStore):
    """Refuses records of runs that have ended."""

    def log_batches(self, entries: Sequence[LogEntry]) -> list[DovetailError | None]:
        return [answer for entry in entries for answer in self._in_time(entry)]

    def _in_time(self, entry: LogEntry) -> list[DovetailError | None]:
        answers = super().log_batches([replace(entry, mark=None)])
        return super().log_batches([entry]) if answers == [None] else answers


class UnlockedGroups(MemoryTrackingStore):
    """Lets threads write over each other's groups."""

    def log_batches(self, entries: Sequence[LogEntry]) -> list[DovetailError | None]:
        mine = _copied(self)
        answers = MemoryTrackingStore.log_batches(mine, entries)
        time.sleep(0.001)
        vars(self).update({name: vars(mine)[name] for name in _LOGGED})
        return answers


class LostTies(MemoryTrackingStore):
    """Forgets which models the points of a group are about."""

    def log_batches(self, entries: Sequence[LogEntry]) -> list[DovetailError | None]:
        return super().log_batches([replace(entry, batch=_untied(entry.batch)) for entry in entries])


def _copied(store: MemoryTrackingStore) -> MemoryTrackingStore:
    """A store of its own with the same in it."""
    copied = copy(store)
    vars(copied).update({name: dict(vars(store)[name]) for name in _LOGGED})
    return copied


def _undated(batch: Batch) -> Batch:
    return replace(batch, tags=tuple(Tag(tag.key, tag.value) for tag in batch.tags))


def _untied(batch: Batch) -> Batch:
    return replace(batch, metrics=tuple(replace(each, model_id=None) for each in batch.metrics))


FAULTS: dict[type[MemoryTrackingStore], str] = {
    AllOrNothing: "test_a_refused_entry_keeps_no_other_one_out",
    StopsAtRefusals: "test_a_refused_entry_keeps_no_other_one_out",
    SilentRefusals: "test_a_refused_entry_keeps_no_other_one_out",
    ShuffledAnswers: "test_a_refused_entry_keeps_no_other_one_out",
    TornEntries: "test_a_group_of_nothing_but_refusals_changes_nothing",
    OneOfEachRun: "test_all_entries_of_a_group_are_there_when_the_call_returns",
    NoEmptyGroups: "test_an_empty_group_changes_nothing",
    EncodedIds: "test_ids_that_cannot_be_stored_are_refused_alone",
    LostTies: "test_a_group_may_measure_models_on_datasets",
    BackToFront: "test_the_last_tag_of_a_group_holds",
    JudgedBefore: "test_a_param_of_a_group_is_written_once",
    BindingRefusals: "test_a_param_of_a_group_is_written_once",
    LatestOfTheLast: "test_the_latest_point_of_a_group_is_the_latest_of_all",
    UndatedTags: "test_the_last_tag_of_a_group_holds",
    NamesByArrival: "test_a_late_name_of_a_group_is_that_of_the_tag",
    EndsBehindAll: "test_what_follows_an_end_in_a_group_comes_too_late",
    EndsOfTheRefused: "test_an_end_in_a_group_is_somebodys",
    FirstEndOfAGroup: "test_the_later_end_of_a_group_holds",
    MarksOfBefore: "test_marks_rise_within_a_group",
    UnmarkedGroups: "test_a_group_that_comes_again_changes_nothing",
    MarkedRefusals: "test_a_refused_record_of_a_group_is_not_marked",
    MarksAreNotLate: "test_records_of_ended_runs_are_taken_in_groups",
    UnlockedGroups: "test_groups_of_several_threads_lose_nothing",
}
"""Every store with a fault of this kind, and the story of the suite that must catch it."""
