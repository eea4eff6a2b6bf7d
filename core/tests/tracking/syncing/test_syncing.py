"""Stories of runs that go from one store to another."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import dovetail
from dovetail import hookimpl, plugins
from dovetail.errors import InvalidInput, NotFound, StoreUnavailable
from dovetail.locations import artifact_store
from dovetail.testing import MemoryTrackingStore
from dovetail.tracking import places
from dovetail.tracking.syncing_plan import MARKER
from dovetail.values import Batch, Metric, NewLoggedModel, NewRun, Param, Tag

if TYPE_CHECKING:
    from collections.abc import Callable

    from dovetail.artifacts.store import ArtifactStore
    from dovetail.tracking.store import TrackingStore
    from dovetail.values import LoggedModel, Run

    Contents = Callable[[TrackingStore], dict[str, Any]]
    Put = Callable[[ArtifactStore, dict[str, bytes]], None]
    Files = Callable[[ArtifactStore], dict[str, bytes]]

KINDS = ("memory", "sqlite", "dir")


class TestFromStoreToStore:
    @pytest.mark.parametrize("kind", KINDS)
    @pytest.mark.parametrize("other", KINDS)
    def test_everything_arrives_and_the_second_time_nothing_is_left_to_do(
        self, kind: str, other: str, place: Callable[[str], str], fill: Callable[..., list[str]], contents: Contents
    ) -> None:
        here, there = place(kind), place(other)
        source, destination = places.open_store(here), places.open_store(there)
        fill(source)

        report = dovetail.sync(here, there)

        assert contents(destination) == contents(source)
        assert (report.experiments_created, report.runs_created, report.models_created) == (2, 4, 3)
        assert report.points == 3 * 24 + 1
        assert not report.refused
        again = dovetail.sync(here, there)
        assert not again.changed
        assert again.runs_unchanged == 4

    def test_there_and_back_changes_nothing(
        self, pair: tuple[str, str], fill: Callable[..., list[str]], contents: Contents
    ) -> None:
        here, there = pair
        fill(places.open_store(here))
        before = contents(places.open_store(here))
        dovetail.sync(here, there)
        assert not dovetail.sync(there, here).changed
        assert contents(places.open_store(here)) == before

    def test_experiments_meet_by_name_whatever_their_numbers_are(
        self, pair: tuple[str, str], fill: Callable[..., list[str]]
    ) -> None:
        here, there = pair
        fill(places.open_store(here))
        destination = places.open_store(there)
        destination.create_experiment("another first")
        wine = destination.create_experiment("wine", tags=(Tag("owner", "bo"),))
        dovetail.sync(here, there)
        assert len(destination.search_runs([wine])) == 3
        assert destination.get_experiment(wine).tags == {"owner": "bo", "team": "cellar"}

    def test_the_place_in_force_is_where_runs_go_if_nobody_says(
        self, pair: tuple[str, str], fill: Callable[..., list[str]]
    ) -> None:
        here, there = pair
        fill(places.open_store(here))
        dovetail.set_tracking_uri(there)
        assert dovetail.sync(here).runs_created == 4
        assert len(dovetail.search_runs(experiment_names=["wine"])) == 3

    def test_one_experiment_or_one_run_goes_alone(
        self, pair: tuple[str, str], place: Callable[[str], str], fill: Callable[..., list[str]]
    ) -> None:
        here, there = pair
        ids = fill(places.open_store(here))
        assert dovetail.sync(here, there, experiments="Default").runs_created == 1
        third = place("memory")
        report = dovetail.sync(here, third, run_ids=ids[1])
        assert (report.runs_created, report.models_created) == (1, 1)
        assert places.open_store(third).get_run(ids[1]).data.params["lr"] == "0.1"

    def test_a_models_measurements_come_with_the_runs_that_took_them(
        self, pair: tuple[str, str], place: Callable[[str], str], fill: Callable[..., list[str]]
    ) -> None:
        here, third = pair[0], place("memory")
        source, destination = places.open_store(here), places.open_store(third)
        made_by, other, gone, _ = fill(source)
        model_id = source.get_run(made_by).outputs.model_outputs[0].model_id
        for run_id in (other, gone):
            source.log_batch(run_id, Batch((Metric("f2", 0.5, 1, 1, model_id),)), ended=True)
        source.delete_run(gone)

        def takers() -> set[str | None]:
            return {point.run_id for point in destination.get_logged_model(model_id).metrics}

        assert not dovetail.sync(here, third, run_ids=made_by).refused
        assert takers() == {made_by}
        assert not dovetail.sync(here, third).refused
        assert takers() == {made_by, other}
        source.restore_run(gone)
        assert not dovetail.sync(here, third).refused
        assert takers() == {made_by, other, gone}

    def test_a_dry_run_tells_and_writes_nothing(
        self, pair: tuple[str, str], fill: Callable[..., list[str]], contents: Contents
    ) -> None:
        here, there = pair
        fill(places.open_store(here))
        report = dovetail.sync(here, there, dry_run=True, artifacts=True)
        assert (report.runs_created, report.experiments_created, report.dry_run) == (4, 2, True)
        assert contents(places.open_store(there)) == {"Default": {"tags": {}, "made": None, "runs": {}, "models": {}}}

    @pytest.mark.parametrize("kind", ["sqlite", "dir"])
    def test_a_dry_run_makes_no_place(
        self, kind: str, pair: tuple[str, str], place: Callable[[str], str], fill: Callable[..., list[str]]
    ) -> None:
        fill(places.open_store(pair[0]))
        there = place(kind)
        report = dovetail.sync(pair[0], there, dry_run=True, artifacts=True)
        assert (report.runs_created, report.experiments_created) == (4, 2)
        path = Path(there.partition("://")[2].replace("//", "/"))
        assert not path.exists()

    def test_long_histories_are_cut_into_portions(self, pair: tuple[str, str]) -> None:
        here, there = pair
        source = places.open_store(here)
        run_id = source.create_run(NewRun("0")).info.run_id
        source.log_batch(run_id, Batch(tuple(Metric("loss", step, 1, step) for step in range(50_123))))
        assert dovetail.sync(here, there).points == 50_123
        assert len(places.open_store(there).get_metric_series([run_id], "loss")[run_id]) == 50_123


class TestWhatIsThereAlready:
    @pytest.fixture
    def run_id(self, pair: tuple[str, str], fill: Callable[..., list[str]]) -> str:
        """A run that is at both places, equal."""
        run_id = fill(places.open_store(pair[0]), runs=1)[0]
        dovetail.sync(*pair)
        return run_id

    def test_what_was_logged_since_follows(self, pair: tuple[str, str], run_id: str, contents: Contents) -> None:
        source, destination = map(places.open_store, pair)
        later = Batch((Metric("loss", 0.01, 5000, 30), Metric("new", 1, 5000)), (Param("more", "1"),), (Tag("a", "b"),))
        source.log_batch(run_id, later, ended=True)
        report = dovetail.sync(*pair)
        assert (report.runs_updated, report.points) == (1, 2)
        assert contents(destination) == contents(source)

    def test_points_of_both_sides_are_united(self, pair: tuple[str, str], run_id: str) -> None:
        source, destination = map(places.open_store, pair)
        source.log_batch(run_id, Batch((Metric("loss", 0.01, 5000, 30),)), ended=True)
        destination.log_batch(run_id, Batch((Metric("loss", 0.02, 5000, 40),)), ended=True)
        dovetail.sync(*pair)
        assert [each.step for each in destination.get_metric_history(run_id, "loss")][-2:] == [30, 40]

    def test_a_late_point_in_the_middle_takes_a_thorough_look(
        self, pair: tuple[str, str], run_id: str, contents: Contents
    ) -> None:
        source, destination = map(places.open_store, pair)
        source.log_batch(run_id, Batch((Metric("loss", 7, 2001, 1),)), ended=True)
        assert not dovetail.sync(*pair).changed
        assert dovetail.sync(*pair, thorough=True).points == 1
        assert contents(destination) == contents(source)

    def test_a_param_with_another_value_is_refused_and_nothing_else_is(
        self, pair: tuple[str, str], run_id: str
    ) -> None:
        source, destination = map(places.open_store, pair)
        source.log_batch(run_id, Batch(params=(Param("seed", "1"), Param("late", "x"))), ended=True)
        destination.log_batch(run_id, Batch(params=(Param("seed", "2"),)), ended=True)
        report = dovetail.sync(*pair)
        (refused,) = report.refused
        assert (refused.kind, refused.id) == ("param", run_id)
        assert refused.reason == "Param 'seed' is '2' there, and '1' here."
        assert destination.get_run(run_id).data.params["late"] == "x"
        assert destination.get_run(run_id).data.params["seed"] == "2"

    def test_what_somebody_changed_there_stays(self, pair: tuple[str, str], run_id: str) -> None:
        _, destination = map(places.open_store, pair)
        destination.log_batch(run_id, Batch(tags=(Tag("colour", "blue"), Tag("mlflow.runName", "best"))))
        report = dovetail.sync(*pair)
        assert (report.kept, report.changed) == (2, False)
        assert destination.get_run(run_id).data.tags["colour"] == "blue"
        assert destination.get_run(run_id).info.run_name == "best"

    def test_a_run_that_ended_later_there_keeps_its_end(self, pair: tuple[str, str], run_id: str) -> None:
        source, destination = map(places.open_store, pair)
        destination.update_run(run_id, status="KILLED", end_time=99_999)
        source.log_batch(run_id, Batch(tags=(Tag("colour", "green"),)))
        dovetail.sync(*pair)
        info = destination.get_run(run_id).info
        assert (info.status, info.end_time) == ("KILLED", 99_999)
        assert destination.get_run(run_id).data.tags["colour"] == "red"

    def test_a_run_that_was_taken_up_here_ends_anew_there(
        self, pair: tuple[str, str], run_id: str, contents: Contents
    ) -> None:
        source, destination = map(places.open_store, pair)
        source.update_run(run_id, status="RUNNING")
        dovetail.sync(*pair)
        assert destination.get_run(run_id).info.status == "FINISHED"
        # The late point changes no latest one, but the new end has everything compared.
        source.log_batch(run_id, Batch((Metric("loss", 7, 2001, 1),), tags=(Tag("colour", "green"),)))
        source.update_run(run_id, status="FAILED", end_time=99_999)
        dovetail.sync(*pair)
        assert contents(destination) == contents(source)

    def test_what_was_deleted_there_does_not_come_back(self, pair: tuple[str, str], run_id: str) -> None:
        destination = places.open_store(pair[1])
        destination.delete_run(run_id)
        report = dovetail.sync(*pair)
        assert [(each.kind, each.id) for each in report.refused] == [("run", run_id)]
        wine = destination.get_experiment_by_name("wine")
        assert wine is not None
        destination.delete_experiment(wine.experiment_id)
        assert ("experiment", "wine") in [(each.kind, each.id) for each in dovetail.sync(*pair).refused]

    def test_a_model_that_was_deleted_there_is_told_of_once(self, pair: tuple[str, str], run_id: str) -> None:
        source, destination = map(places.open_store, pair)
        model_id = source.get_run(run_id).outputs.model_outputs[0].model_id
        destination.delete_logged_model(model_id)
        assert [(each.kind, each.id) for each in dovetail.sync(*pair).refused] == [("logged_model", model_id)]

    def test_what_is_deleted_here_is_not_sent(
        self, pair: tuple[str, str], place: Callable[[str], str], fill: Callable[..., list[str]]
    ) -> None:
        source = places.open_store(pair[0])
        ids = fill(source)
        source.delete_run(ids[0])
        third = place("memory")
        assert dovetail.sync(pair[0], third).runs_created == 3

    def test_a_run_that_was_moved_there_is_found(self, pair: tuple[str, str], run_id: str) -> None:
        source, destination = map(places.open_store, pair)
        destination.move_run(run_id, "0")
        source.log_batch(run_id, Batch((Metric("loss", 0.01, 5000, 30),)), ended=True)
        assert dovetail.sync(*pair).points == 1
        assert destination.get_run(run_id).info.experiment_id == "0"

    def test_a_model_that_was_ready_later_becomes_ready(self, pair: tuple[str, str], contents: Contents) -> None:
        source, destination = map(places.open_store, pair)
        model_id = source.create_logged_model(NewLoggedModel("0")).model_id
        dovetail.sync(*pair)
        assert destination.get_logged_model(model_id).status == "PENDING"
        source.update_logged_model(model_id, status="READY", params=(Param("k", "v"),))
        assert dovetail.sync(*pair).models_updated == 1
        assert contents(destination) == contents(source)


class TestArtifacts:
    @pytest.fixture
    def stores(self, place: Callable[[str], str]) -> tuple[str, str]:
        pytest.importorskip("dovetail_fsspec")
        return place("sqlite"), place("dir")

    def test_files_go_along_when_asked_and_only_once(
        self, stores: tuple[str, str], fill: Callable[..., list[str]], put: Put, files_of: Files
    ) -> None:
        source, destination = map(places.open_store, stores)
        run_id = fill(source, runs=1)[0]
        files = {"notes/a.txt": b"hello", "big.bin": b"x" * 100_000, "empty": b""}
        put(artifact_store(source.get_run(run_id).info.artifact_uri), files)
        model_id = source.get_run(run_id).outputs.model_outputs[0].model_id
        put(artifact_store(source.get_logged_model(model_id).artifact_location), {"MLmodel": b"flavors: {}"})

        assert dovetail.sync(*stores).files == 0
        report = dovetail.sync(*stores, artifacts=True)

        assert (report.files, report.bytes) == (4, 100_016)
        assert files_of(artifact_store(destination.get_run(run_id).info.artifact_uri)) == files
        model = destination.get_logged_model(model_id)
        assert files_of(artifact_store(model.artifact_location)) == {"MLmodel": b"flavors: {}"}
        assert not dovetail.sync(*stores, artifacts=True).changed

    def test_a_file_that_was_changed_is_copied_again(
        self, stores: tuple[str, str], fill: Callable[..., list[str]], put: Put, files_of: Files
    ) -> None:
        source, destination = map(places.open_store, stores)
        run_id = fill(source, runs=1)[0]
        ours = artifact_store(source.get_run(run_id).info.artifact_uri)
        put(ours, {"a.txt": b"one", "b.txt": b"two"})
        dovetail.sync(*stores, artifacts=True)
        time.sleep(0.02)
        put(ours, {"a.txt": b"six", "b.txt": b"longer"})
        assert dovetail.sync(*stores, artifacts=True).files == 2
        theirs = artifact_store(destination.get_run(run_id).info.artifact_uri)
        assert files_of(theirs) == {"a.txt": b"six", "b.txt": b"longer"}


class AwayStore(MemoryTrackingStore):
    """A store that is away after some batches."""

    left = 10**9

    def log_batch(self, *args: Any, **options: Any) -> None:
        if self.left <= 0:
            raise StoreUnavailable("The store is away.", hint="Start it.")
        self.left -= 1
        super().log_batch(*args, **options)


class AwayStores:
    """Such stores under ``away://``."""

    @hookimpl
    def dovetail_tracking_stores(self) -> dict[str, Callable[[str], TrackingStore]]:
        return {"away": AwayStore}


plugins.register(AwayStores(), "tracking_stores", "away")


class RacedStore(MemoryTrackingStore):
    """A store in which another synchronization makes everything a moment earlier."""

    raced = False

    def create_experiment(self, *args: Any, **options: Any) -> str:
        self._first(super().create_experiment, *args, **options)
        return super().create_experiment(*args, **options)

    def create_run(self, run: NewRun) -> Run:
        self._first(super().create_run, run)
        return super().create_run(run)

    def create_logged_model(self, model: NewLoggedModel) -> LoggedModel:
        self._first(super().create_logged_model, model)
        return super().create_logged_model(model)

    def _first(self, create: Callable[..., Any], *args: Any, **options: Any) -> None:
        if self.raced:
            create(*args, **options)


class RacedStores:
    """Such stores under ``raced://``."""

    @hookimpl
    def dovetail_tracking_stores(self) -> dict[str, Callable[[str], TrackingStore]]:
        return {"raced": RacedStore}


plugins.register(RacedStores(), "tracking_stores", "raced")


def test_of_two_synchronizations_at_once_both_bring_all(
    place: Callable[[str], str], fill: Callable[..., list[str]], contents: Contents
) -> None:
    here, there = place("memory"), f"raced://{uuid.uuid4().hex}"
    source, destination = places.open_store(here), places.open_store(there)
    assert isinstance(destination, RacedStore)
    fill(source)
    destination.raced = True
    assert not dovetail.sync(here, there).refused
    assert contents(destination) == contents(source)


class TestBrokenOff:
    @pytest.mark.parametrize("after", range(0, 10, 2))
    def test_a_store_that_goes_away_is_gone_on_with(
        self, after: int, place: Callable[[str], str], fill: Callable[..., list[str]], contents: Contents
    ) -> None:
        here, there = place("memory"), f"away://{uuid.uuid4().hex}"
        source, destination = places.open_store(here), places.open_store(there)
        assert isinstance(destination, AwayStore)
        fill(source)
        destination.left = after
        with pytest.raises(StoreUnavailable, match="away") as raised:
            dovetail.sync(here, there)
        assert "goes on with the rest" in str(raised.value.hint)
        destination.left = 10**9
        dovetail.sync(here, there)
        assert contents(destination) == contents(source)
        assert not dovetail.sync(here, there).changed

    def test_a_run_that_is_there_in_part_is_compared_as_a_whole(
        self, pair: tuple[str, str], fill: Callable[..., list[str]], contents: Contents
    ) -> None:
        """Its latest points, end and tags are those of the source; only the mark says that something is missing."""
        source, destination = map(places.open_store, pair)
        run_id = fill(source, runs=1)[0]
        dovetail.sync(*pair)
        source.log_batch(run_id, Batch((Metric("loss", 7, 2001, 1),)), ended=True)
        destination.log_batch(run_id, Batch(tags=(Tag(MARKER, "elsewhere"),)))
        dovetail.sync(*pair)
        assert contents(destination) == contents(source)

    @pytest.mark.timeout(300)
    @pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
    @pytest.mark.parametrize("kind", ["sqlite", "dir"])
    def test_killed_again_and_again_it_ends_equal(
        self, kind: str, place: Callable[[str], str], fill: Callable[..., list[str]], contents: Contents
    ) -> None:
        here, there = place("sqlite"), place(kind)
        source = places.open_store(here)
        fill(source, runs=60)
        source.close()
        places.forget_stores()
        program = textwrap.dedent(
            f"""
            import dovetail
            dovetail.sync({here!r}, {there!r}, progress=lambda run_id: print(run_id, flush=True))
            """
        )
        for runs in (1, 7, 12, 18):
            with subprocess.Popen(
                [sys.executable, "-c", program], stdout=subprocess.PIPE, env=os.environ.copy(), text=True
            ) as process:
                assert process.stdout is not None
                for _ in range(runs):
                    process.stdout.readline()
                process.send_signal(signal.SIGKILL)
        assert process.returncode == -signal.SIGKILL
        dovetail.sync(here, there)
        assert contents(places.open_store(there)) == contents(places.open_store(here))
        assert not dovetail.sync(here, there).changed


class TestWrongInput:
    def test_a_source_that_is_not_there_is_not_made(self, tmp_path: Path, place: Callable[[str], str]) -> None:
        place("sqlite")
        with pytest.raises(NotFound, match="nothing at sqlite"):
            dovetail.sync(f"sqlite:///{tmp_path}/typo.db", place("memory"))
        assert not (tmp_path / "typo.db").exists()

    def test_one_store_is_no_pair(self, pair: tuple[str, str]) -> None:
        with pytest.raises(InvalidInput, match="the same"):
            dovetail.sync(pair[0], pair[0])

    def test_an_unknown_experiment_or_run_is_said_before_anything_is_written(
        self, pair: tuple[str, str], fill: Callable[..., list[str]]
    ) -> None:
        fill(places.open_store(pair[0]))
        with pytest.raises(NotFound, match="beer"):
            dovetail.sync(*pair, experiments=["wine", "beer"])
        with pytest.raises(NotFound):
            dovetail.sync(*pair, run_ids="f" * 32)
        assert places.open_store(pair[1]).get_experiment_by_name("wine") is None

    def test_without_a_source_nothing_can_be_chosen(self) -> None:
        with pytest.raises(InvalidInput, match="all of it"):
            dovetail.sync(experiments="wine")


def test_short_and_long_histories_take_turns(place: Callable[[str], str], contents: Contents) -> None:
    """Histories of many runs are read at once where they are short; whose they are is not mixed up."""
    here, there = place("memory"), place("memory")
    source = places.open_store(here)
    for number in range(60):
        run_id = source.create_run(NewRun("0", start_time=number)).info.run_id
        count = 60_000 if number % 20 == 7 else number % 5
        source.log_batch(run_id, Batch(tuple(Metric("loss", number, step, step) for step in range(count))))
        source.log_batch(run_id, Batch((Metric(f"own {number % 3}", number, 1),)))
    dovetail.sync(here, there)
    assert contents(places.open_store(there)) == contents(source)
