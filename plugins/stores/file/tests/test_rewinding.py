"""Points that are taken away and tags that come late, in whatever order their records are read."""

from __future__ import annotations

import math
import shutil
import subprocess
import tempfile
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dovetail.tracking.journal.records import sealed
from dovetail.values import Batch, JournalMark, Metric, NewLoggedModel, NewRun, Param, Tag
from dovetail_file import open_dir, records
from dovetail_file.entries import Entry
from dovetail_file.folder import Folder
from dovetail_file.histories import Histories
from dovetail_file.notes import note_of
from dovetail_file.packing import packed, unpacked
from dovetail_file.rewinds import limit, with_rewind
from dovetail_file.state import created_note

if TYPE_CHECKING:
    from dovetail.tracking.store import TrackingStore

COUNT = 110
RUN_NAME = "mlflow.runName"
keys = st.sampled_from(["loss", "acc", "system/cpu"])
steps = st.integers(-2, 5)
values = st.sampled_from([0.5, 1.0, math.nan])
points = st.lists(st.tuples(keys, values, st.integers(0, 3), steps), min_size=1, max_size=6)
rewinds = steps.map(lambda step: {"rewind": step})


def opened(folder: Path) -> closing[TrackingStore]:
    return closing(open_dir(f"dir://{folder}"))


def seen_steps(store: TrackingStore, run_id: str = "run", key: str = "loss") -> list[int]:
    return [point.step for point in store.get_metric_history(run_id, key)]


def at_steps(*numbers: int, value: float = 0.5, start: int = 1000) -> Batch:
    return Batch(tuple(Metric("loss", value, start + number, number) for number in numbers))


def synchronize(one: Path, other: Path) -> None:
    """Bring what is in one folder into the other, and back."""
    for source, target in ((one, other), (other, one)):
        subprocess.run(["rsync", "-a", f"{source}/", f"{target}/"], check=True)


class TestRewinds:
    @given(st.lists(st.tuples(st.integers(0, 9), steps), max_size=8), st.integers(0, 9))
    def test_those_that_matter_say_what_all_say(self, made: list[tuple[int, int]], moment: int) -> None:
        kept: list[tuple[int, int]] = []
        for each in made:
            kept = with_rewind(kept, each)
        expected = min((step for at, step in made if at > moment), default=None)
        assert limit(kept, moment) == expected

    @given(st.lists(points | rewinds, max_size=7), st.randoms(use_true_random=False))
    def test_the_order_in_which_files_are_found_does_not_matter(self, logged: list[Any], chance: Any) -> None:
        """Each record stands in a file of its own, and the run is looked at after each."""
        expected = left(logged)
        order = list(range(len(logged)))
        chance.shuffle(order)
        with tempfile.TemporaryDirectory() as name:
            place = Path(name, "run")
            place.mkdir()
            entry, histories = born(place), Histories(Folder(Path(name, "store")))
            for number in order:
                (place / f"{number}.log").write_bytes(sealed(body(logged[number], number + 1)))
                entry.listed = 0
                assert entry.refresh() is True
                histories.series(entry, "loss")
            assert told(entry, histories) == expected
            again = Entry(place)
            again.refresh()
            assert told(again, histories) == expected
            again.recall(packed(entry.state), "0")
            assert told(again, histories) == expected
            assert unpacked(packed(entry.state)).rewinds == entry.state.rewinds


def born(place: Path) -> Entry:
    note = created_note(NewRun("0", run_id="r", run_name="fox", start_time=1), None, 0)
    (place / "run.0.json").write_bytes(note_of(note))
    entry = Entry(place)
    entry.refresh()
    return entry


def body(each: Any, at: int) -> bytes:
    if isinstance(each, dict):
        return records.change_body({"at": at, **each})
    return records.batch_body(Batch(tuple(Metric(*point) for point in each)), at, None)[0]


def left(logged: list[Any]) -> dict[str, Any]:
    """What is left of points, if one does it step by step."""
    kept: list[tuple[str, float, int, int]] = []
    for each in logged:
        if isinstance(each, dict):
            kept = [point for point in kept if point[3] < each["rewind"] or point[0] == "system/cpu"]
        else:
            kept += each
    return {key: histories_of(kept, key) for key in {point[0] for point in kept}}


def histories_of(kept: list[tuple[str, float, int, int]], key: str) -> tuple[list[str], str]:
    mine = [point for point in kept if point[0] == key]
    ranks = {(time, step, math.isnan(value), 0 if math.isnan(value) else value) for _, value, time, step in mine}
    last = max((step, time, not math.isnan(value), 0 if math.isnan(value) else value) for _, value, time, step in mine)
    return [repr(rank[:3]) for rank in sorted(ranks)], repr(last[:3])


def told(entry: Entry, histories: Histories) -> dict[str, Any]:
    found = {}
    for key, (step, time, value) in entry.state.latest.items():
        series = histories.series(entry, key)
        columns = zip(series.timestamps, series.steps, series.values, strict=True)
        history = [repr((at, number, math.isnan(each))) for at, number, each in columns]
        found[key] = history, repr((step, time, not math.isnan(value)))
    return found


class TestProcesses:
    def test_another_process_that_knew_the_points_sees_them_gone(self, tmp_path: Path) -> None:
        with opened(tmp_path) as one, opened(tmp_path) as other:
            one.create_run(NewRun("0", run_id="run"))
            one.log_batch("run", at_steps(*range(6)))
            assert seen_steps(other) == list(range(6))
            one.drop_points("run", 3)
            assert seen_steps(other) == [0, 1, 2]
            assert other.get_run("run").data.latest[0].step == 2
            other.log_batch("run", at_steps(3, 4, value=0.1, start=2000))
            one.drop_points("run", 4)
            for store in (one, other):
                assert seen_steps(store) == [0, 1, 2, 3]
                assert store.get_run("run").data.metrics == {"loss": 0.1}

    def test_what_a_journal_brings_later_comes_in(self, tmp_path: Path) -> None:
        with opened(tmp_path) as one, opened(tmp_path) as other:
            one.create_run(NewRun("0", run_id="run"))
            one.log_batch("run", at_steps(1, 5))
            one.drop_points("run", 2)
            other.log_batch("run", at_steps(5), mark=JournalMark("w", 1))
            assert seen_steps(one) == [1, 5]

    def test_nothing_is_written_where_there_is_nothing_to_take_away(self, tmp_path: Path) -> None:
        with opened(tmp_path) as store:
            store.create_run(NewRun("0", run_id="run"))
            store.log_batch("run", Batch((Metric("loss", 0.5, 1, 1), Metric("system/cpu", 0.5, 1, 90))))
            (log,) = (tmp_path / "runs" / "run").glob("*.log")
            before = log.read_bytes()
            store.drop_points("run", 2)
            assert log.read_bytes() == before

    def test_a_clock_that_is_behind_does_not_bring_points_back(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        import time

        with opened(tmp_path) as one, opened(tmp_path) as other:
            one.create_run(NewRun("0", run_id="run"))
            one.log_batch("run", at_steps(1, 2, 3))
            an_hour_ago = time.time_ns() - 3600 * 10**9
            monkeypatch.setattr(time, "time_ns", lambda: an_hour_ago)
            other.drop_points("run", 2)
            other.log_batch("run", at_steps(2, value=0.1))
            assert seen_steps(one) == [1, 2]
            assert one.get_run("run").data.metrics == {"loss": 0.1}

    def test_points_of_models_stay_for_whoever_reads_the_files(self, tmp_path: Path) -> None:
        with opened(tmp_path) as store:
            store.create_run(NewRun("0", run_id="run"))
            model_id = store.create_logged_model(NewLoggedModel("0", source_run_id="run")).model_id
            store.log_batch("run", Batch((Metric("acc", 0.9, 1000, 8, model_id), Metric("acc", 0.5, 900, 2))))
            store.drop_points("run", 5)
        with opened(tmp_path) as store:
            assert [point.step for point in store.get_logged_model(model_id).metrics] == [8]
            assert store.get_run("run").data.metrics == {"acc": 0.5}


class TestIndex:
    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        """A store with an index in which points of runs were taken away."""
        folder = tmp_path / "runs"
        with opened(folder) as store:
            for number in range(COUNT):
                store.create_run(NewRun("0", run_id=f"run{number}"))
                store.log_batch(f"run{number}", at_steps(1, 2, 3, 4))
                store.drop_points(f"run{number}", 3)
            assert len(store.search_runs(["0"])) == COUNT
        assert (folder / "index.jsonl").exists()
        return folder

    def test_it_knows_what_is_left(self, folder: Path) -> None:
        log = next((folder / "runs" / "run0").glob("*.log"))
        log.write_bytes(bytes(log.stat().st_size))  # of this size it is known
        with opened(folder) as store:
            runs = store.search_runs(["0"])
            assert [point.step for run in runs for point in run.data.latest] == [2] * COUNT
            assert seen_steps(store, "run7") == [1, 2]

    def test_points_taken_away_after_it_was_written_are_gone(self, folder: Path) -> None:
        shutil.copy2(folder / "index.jsonl", folder / "kept")
        with opened(folder) as store:
            store.drop_points("run7", 2)
            store.log_batch("run8", at_steps(9))
            store.drop_points("run8", 1)
        (folder / "kept").rename(folder / "index.jsonl")
        with opened(folder) as store:
            found = {run.info.run_id: run.data.latest for run in store.search_runs(["0"])}
            assert [point.step for point in found["run7"]] == [1]
            assert found["run8"] == ()
            assert (seen_steps(store, "run7"), seen_steps(store, "run8")) == ([1], [])

    def test_one_that_is_younger_than_the_files_is_not_believed(self, folder: Path, tmp_path: Path) -> None:
        shutil.copytree(folder, tmp_path / "copy")
        with opened(folder) as store:
            store.drop_points("run7", 1)
            for number in range(COUNT + 10):
                store.create_run(NewRun("0", run_id=f"more{number}"))
            store.search_runs(["0"])
        shutil.copy(folder / "index.jsonl", tmp_path / "copy")
        with opened(tmp_path / "copy") as store:
            assert seen_steps(store, "run7") == [1, 2]
            found = {run.info.run_id: run.data.latest for run in store.search_runs(["0"])}
            assert [point.step for point in found["run7"]] == [2]


@pytest.mark.skipif(shutil.which("rsync") is None, reason="needs rsync")
class TestCopies:
    @pytest.fixture
    def copies(self, tmp_path: Path) -> tuple[Path, Path]:
        """A store with a run that logged four points, and a copy of it."""
        one, other = tmp_path / "one", tmp_path / "other"
        with opened(one) as store:
            store.create_run(NewRun("0", run_id="run"))
            store.log_batch("run", at_steps(1, 2, 3, 4))
        shutil.copytree(one, other)
        return one, other

    def test_copies_that_go_together_agree_on_what_is_left(self, copies: tuple[Path, Path]) -> None:
        one, other = copies
        with opened(other) as store:
            store.log_batch("run", at_steps(5, 6))
        with opened(one) as store:
            store.drop_points("run", 3)
            store.log_batch("run", at_steps(3, value=0.1, start=2000))
        with opened(other) as store:
            store.log_batch("run", at_steps(7))
        with opened(one) as before:
            assert seen_steps(before) == [1, 2, 3]
            synchronize(one, other)
            for folder in copies:
                with opened(folder) as store:
                    assert seen_steps(store) == [1, 2, 7, 3], "in the order of their times"
                    assert store.get_run("run").data.latest[0].step == 7
            assert sorted(seen_steps(before)) == [1, 2, 3, 7]

    def test_copies_that_go_together_agree_on_tags(self, copies: tuple[Path, Path]) -> None:
        one, other = copies
        with opened(one) as store:
            tags = Tag("stage", "new", set_at=3000), Tag(RUN_NAME, "old", set_at=1000), Tag("gone", "x", set_at=1000)
            store.log_batch("run", Batch(params=(Param("lr", "1"),), tags=tags))
            store.delete_tag("run", "gone")
        with opened(other) as store:
            tags = Tag("stage", "old", set_at=2000), Tag(RUN_NAME, "new", set_at=2000), Tag("gone", "y", set_at=2000)
            store.log_batch("run", Batch(tags=tags))
        synchronize(one, other)
        for folder in copies:
            with opened(folder) as store:
                run = store.get_run("run")
                assert run.data.tags == {"stage": "new", RUN_NAME: "new"}
                assert run.info.run_name == "new"


class TestLateTags:
    def test_dates_are_those_of_the_record_for_every_reader(self, tmp_path: Path) -> None:
        """What is set now has the date of its record, also for who reads it a day later."""
        with opened(tmp_path) as store:
            store.create_run(NewRun("0", run_id="run"))
            store.log_batch("run", Batch(tags=(Tag("stage", "future", set_at=2**52),)))
            store.log_batch("run", Batch(tags=(Tag("stage", "now"),)))
            store.update_run("run", name="fox")
        with opened(tmp_path) as store:
            store.log_batch("run", Batch(tags=(Tag("stage", "late", set_at=5), Tag(RUN_NAME, "hare", set_at=5))))
            run = store.get_run("run")
            assert (run.data.tags, run.info.run_name) == ({"stage": "now", RUN_NAME: "fox"}, "fox")

    def test_a_late_tag_does_not_come_back_after_it_was_removed(self, tmp_path: Path) -> None:
        with opened(tmp_path) as store:
            store.create_run(NewRun("0", run_id="run"))
            store.log_batch("run", Batch(tags=(Tag("stage", "one"),)))
            store.delete_tag("run", "stage")
            store.log_batch("run", Batch(tags=(Tag("stage", "late", set_at=1000),)))
            assert "stage" not in store.get_run("run").data.tags
            store.log_batch("run", Batch(tags=(Tag("stage", "again"),)))
            assert store.get_run("run").data.tags["stage"] == "again"
