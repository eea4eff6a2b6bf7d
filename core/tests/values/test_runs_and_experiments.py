"""Runs, experiments, batches and the words for their states."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from typing import Any

import pytest

from dovetail.errors import InvalidInput, InvalidName
from dovetail.values import (
    Batch,
    Experiment,
    JournalMark,
    LogEntry,
    Metric,
    NewRun,
    Page,
    Param,
    Run,
    RunData,
    RunInfo,
    RunStatus,
    Tag,
    ViewType,
)
from dovetail.values.names import check_run_id


class TestRunData:
    POINTS = (("loss", 0.5, 1_700_000_000_000, 3), ("acc", float("inf"), 1_700_000_000_001, -1))

    @pytest.fixture
    def read(self) -> RunData:
        """As a store reads it: the points are no values yet."""
        return RunData.read(list(self.POINTS), {"lr": "0.1"}, {"team": "a"})

    @pytest.fixture
    def made(self) -> RunData:
        latest = tuple(Metric(*point) for point in self.POINTS)
        return RunData({point.key: point.value for point in latest}, {"lr": "0.1"}, {"team": "a"}, latest)

    def test_what_is_read_is_what_was_made(self, read: RunData, made: RunData) -> None:
        assert read == made
        assert repr(read) == repr(made)
        assert dict(read) == dict(made)
        assert dataclasses.asdict(read) == dataclasses.asdict(made)
        assert read.latest is read.latest

    def test_it_can_be_copied_before_anybody_asks(self, read: RunData, made: RunData) -> None:
        assert pickle.loads(pickle.dumps(read)) == made
        assert copy.deepcopy(read) == copy.copy(read) == dataclasses.replace(read) == made

    def test_it_has_nothing_else(self, read: RunData) -> None:
        with pytest.raises(AttributeError, match="'RunData' object has no attribute 'metric'"):
            read.metric  # type: ignore[attr-defined]  # noqa: B018
        assert RunData().latest == ()


class TestNewRun:
    def test_it_has_an_id_a_time_and_a_state(self) -> None:
        run = NewRun("0")
        assert check_run_id(run.run_id) == run.run_id
        assert len(run.run_id) == 32
        assert run.start_time > 1_600_000_000_000
        assert run.status == "RUNNING"

    def test_numbers_do_for_experiment_ids_and_small_letters_for_states(self) -> None:
        run = NewRun(3, status="scheduled")  # type: ignore[arg-type]
        assert (run.experiment_id, run.status) == ("3", "SCHEDULED")

    @pytest.mark.parametrize(
        "fields",
        [
            {"experiment_id": "wine"},
            {"experiment_id": -1},
            {"experiment_id": True},
            {"experiment_id": "9" * 40},
            {"run_id": "../x"},
            {"run_id": ""},
            {"run_name": 5},
            {"run_name": "x" * 8001},
            {"user_id": None},
            {"start_time": -1},
            {"start_time": 1.5},
            {"start_time": 2**63},
            {"status": "DONE"},
            {"status": None},
            {"tags": ("mlflow.user",)},
        ],
        ids=str,
    )
    def test_what_is_wrong_is_refused(self, fields: dict[str, Any]) -> None:
        with pytest.raises(InvalidInput):
            NewRun(**{"experiment_id": "0", **fields})


class TestRun:
    run = Run(RunInfo("abc", "0"), RunData({"loss": 0.5}, {"lr": "0.1"}, {"a": "b"}))

    def test_as_plain_dicts(self) -> None:
        plain = self.run.to_dictionary()
        assert plain["data"] == {"metrics": {"loss": 0.5}, "params": {"lr": "0.1"}, "tags": {"a": "b"}}
        assert plain["info"]["run_id"] == "abc"
        assert plain["info"]["status"] == "RUNNING"

    def test_the_old_name_of_the_id(self) -> None:
        assert self.run.info.run_uuid == "abc"

    def test_it_travels_between_processes(self) -> None:
        assert pickle.loads(pickle.dumps(self.run)) == self.run
        assert copy.deepcopy(self.run) == self.run

    def test_stores_make_it_unchecked(self) -> None:
        assert RunInfo.stored(run_id="abc", experiment_id="0") == RunInfo("abc", "0")


class TestBatch:
    def test_lists_become_tuples(self) -> None:
        batch = Batch([Metric("a", 1)], [Param("b", "c")], [Tag("d", "e")])  # type: ignore[arg-type]
        assert type(batch.metrics) is tuple
        assert len(batch) == 3
        assert not Batch()

    @pytest.mark.parametrize(
        "fields",
        [{"metrics": [Tag("a", "b")]}, {"params": {"a": "b"}}, {"tags": "ab"}, {"tags": Tag("a", "b")}],
        ids=str,
    )
    def test_other_members_are_refused(self, fields: dict[str, Any]) -> None:
        with pytest.raises(InvalidInput, match="batch"):
            Batch(**fields)

    def test_one_param_cannot_have_two_values(self) -> None:
        with pytest.raises(InvalidInput, match=r"'lr'.*twice.*'1'.*'2'"):
            Batch(params=(Param("lr", "1"), Param("lr", "2")))
        assert len(Batch(params=(Param("lr", "1"), Param("lr", "1")))) == 2

    def test_a_mark_counts_from_1(self) -> None:
        with pytest.raises(InvalidInput):
            JournalMark("writer", 0)
        with pytest.raises(InvalidInput):
            JournalMark("", 1)

    @pytest.mark.parametrize(
        ("writer", "sequence"), [("w" * 257, 1), ("a\x00", 1), ("\ud800", 1), (1, 1), ("w", 2**63)]
    )
    def test_a_mark_is_one_that_every_store_can_keep(self, writer: Any, sequence: int) -> None:
        with pytest.raises(InvalidInput):
            JournalMark(writer, sequence)
        assert JournalMark("w" * 256, 2**63 - 1).sequence == 2**63 - 1

    @pytest.mark.parametrize("run_id", [None, 7, b"abc"])
    def test_an_entry_names_its_run_by_text(self, run_id: Any) -> None:
        with pytest.raises(InvalidInput, match="run id"):
            LogEntry(run_id, Batch())


class TestExperiment:
    def test_its_name_and_id_are_checked(self) -> None:
        assert Experiment(7, "wine").experiment_id == "7"  # type: ignore[arg-type]
        for name in ("", "  ", None, 5, "x" * 501, "a\0b"):
            with pytest.raises(InvalidInput):
                Experiment("7", name)  # type: ignore[arg-type]
        with pytest.raises(InvalidName):
            Experiment("x", "wine")


class TestStates:
    def test_a_state_is_one_of_five(self) -> None:
        assert RunStatus.check("finished") == "FINISHED"
        with pytest.raises(InvalidInput, match="RUNNING, SCHEDULED"):
            RunStatus.check("DONE")

    def test_only_three_end_a_run(self) -> None:
        assert RunStatus.check_ended("killed") == "KILLED"
        for status in ("RUNNING", "scheduled"):
            with pytest.raises(InvalidInput, match="cannot end as"):
                RunStatus.check_ended(status)

    @pytest.mark.parametrize("value", [0, 4, "all", None])
    def test_other_views_are_refused(self, value: Any) -> None:
        with pytest.raises(InvalidInput, match="View type"):
            ViewType(value)

    def test_views_by_their_numbers(self) -> None:
        assert ViewType(1).stages == ("active",)
        assert ViewType(2).stages == ("deleted",)
        assert set(ViewType(3).stages) == {"active", "deleted"}


def test_a_page_is_a_list_with_a_token() -> None:
    page = Page([1, 2], "next")
    assert page == [1, 2]
    assert page.to_list() == [1, 2]
    assert type(page.to_list()) is list
    back = pickle.loads(pickle.dumps(page))
    assert (list(back), back.token) == ([1, 2], "next")
