"""Starting, taking up, nesting and ending runs."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

import dovetail as mlflow
from dovetail.errors import InvalidInput, InvalidName, InvalidState, NotFound, RunEnded, StoreUnavailable
from dovetail.tracking import places, runs
from dovetail.values import ViewType

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.usefixtures("store")


def status(run: mlflow.Run) -> str:
    return mlflow.get_run(run.info.run_id).info.status


class TestStarting:
    def test_a_run_is_running_until_its_block_ends(self) -> None:
        with mlflow.start_run() as run:
            assert status(run) == "RUNNING"
            assert mlflow.get_run(run.info.run_id).info.end_time is None
        ended = mlflow.get_run(run.info.run_id).info
        assert ended.status == "FINISHED"
        assert ended.end_time is not None
        assert ended.end_time >= ended.start_time

    def test_it_may_be_ended_by_hand(self) -> None:
        run = mlflow.start_run()
        mlflow.end_run("KILLED")
        assert status(run) == "KILLED"
        assert mlflow.active_run() is None

    def test_ending_without_a_run_does_nothing(self) -> None:
        mlflow.end_run()

    @pytest.mark.parametrize("wrong", ["DONE", "RUNNING", "SCHEDULED", None, 3])
    def test_a_run_cannot_end_as_something_else(self, wrong: Any) -> None:
        run = mlflow.start_run()
        with pytest.raises(InvalidInput):
            mlflow.end_run(wrong)
        assert status(run) == "RUNNING"
        assert mlflow.active_run() == mlflow.active_run()

    def test_it_has_a_name_a_user_and_a_source(self) -> None:
        with mlflow.start_run() as run:
            pass
        tags = mlflow.get_run(run.info.run_id).data.tags
        assert tags["mlflow.runName"] == run.info.run_name
        assert len(run.info.run_name.split("-")) == 3
        assert tags["mlflow.user"] == run.info.user_id
        assert tags["mlflow.source.type"] == "LOCAL"
        assert tags["mlflow.source.name"]

    def test_name_tags_and_description_may_be_given(self) -> None:
        with mlflow.start_run(run_name="first", tags={"team": "wine", "n": 3}, description="A **try**.") as run:
            pass
        kept = mlflow.get_run(run.info.run_id)
        assert kept.info.run_name == "first"
        tags = kept.data.tags
        assert (tags["team"], tags["n"], tags["mlflow.note.content"]) == ("wine", "3", "A **try**.")

    def test_a_description_cannot_be_given_twice(self) -> None:
        with pytest.raises(InvalidInput, match="twice"):
            mlflow.start_run(tags={"mlflow.note.content": "a"}, description="b")
        assert mlflow.active_run() is None

    def test_a_tag_of_the_name_names_it_unless_a_name_is_given(self) -> None:
        with mlflow.start_run(tags={"mlflow.runName": "by tag"}) as run:
            assert run.info.run_name == "by tag"
        with mlflow.start_run(run_name="by name", tags={"mlflow.runName": "by tag"}) as run:
            assert run.info.run_name == "by name"
            assert run.data.tags["mlflow.runName"] == "by name"

    def test_a_name_that_is_too_long_is_cut_like_the_tag_it_is(self) -> None:
        with pytest.warns(UserWarning, match="cut to 8000") as told, mlflow.start_run(run_name="x" * 9000) as run:
            assert run.info.run_name == "x" * 8000
        assert len(told) == 1

    def test_it_goes_into_the_experiment_that_is_named(self) -> None:
        wine = mlflow.create_experiment("wine")
        with mlflow.start_run(experiment_id=wine) as run:
            assert run.info.experiment_id == wine

    @pytest.mark.parametrize("default", ["0", 0])
    def test_the_default_experiment_may_be_named_while_another_is_chosen(self, default: Any) -> None:
        mlflow.set_experiment("wine")
        with mlflow.start_run(experiment_id=default) as run:
            assert run.info.experiment_id == "0"

    @pytest.mark.parametrize(("experiment", "error"), [("77", NotFound), ("wine", InvalidName), ("", InvalidName)])
    def test_an_experiment_that_is_not_there_is_an_error_and_nothing_is_active(
        self, experiment: str, error: type[Exception]
    ) -> None:
        with pytest.raises(error):
            mlflow.start_run(experiment_id=experiment)
        assert mlflow.active_run() is None

    def test_a_second_run_says_what_to_do(self) -> None:
        with (
            mlflow.start_run() as run,
            pytest.raises(InvalidState, match=f"{run.info.run_id} is already active") as caught,
        ):
            mlflow.start_run()
        assert "nested=True" in str(caught.value)

    def test_logging_starts_a_run_where_there_is_none(self) -> None:
        mlflow.log_metric("loss", 0.5)
        run = mlflow.active_run()
        assert run is not None
        assert run.data.metrics == {"loss": 0.5}
        mlflow.end_run()

    def test_a_wrong_value_starts_none(self) -> None:
        with pytest.raises(InvalidInput):
            mlflow.log_metric("loss", "low")  # type: ignore[arg-type]
        assert mlflow.active_run() is None


class TestEndsOfBlocks:
    @pytest.mark.parametrize(
        ("error", "outcome"),
        [
            (ValueError("diverged"), "FAILED"),
            (KeyboardInterrupt(), "KILLED"),
            (SystemExit(0), "FINISHED"),
            (SystemExit(), "FINISHED"),
            (SystemExit(2), "FAILED"),
            (SystemExit("no data"), "FAILED"),
            (GeneratorExit(), "FAILED"),
        ],
        ids=repr,
    )
    def test_an_exception_goes_on_and_says_how_the_run_ended(self, error: BaseException, outcome: str) -> None:
        with pytest.raises(type(error)) as caught, mlflow.start_run() as run:
            raise error
        assert caught.value is error
        assert status(run) == outcome
        assert mlflow.active_run() is None

    def test_a_run_ended_in_its_block_stays_as_it_was_ended(self) -> None:
        with mlflow.start_run() as run:
            mlflow.end_run("FAILED")
        assert status(run) == "FAILED"

    def test_another_run_started_after_that_goes_on(self) -> None:
        with mlflow.start_run() as first:
            mlflow.end_run("KILLED")
            second = mlflow.start_run()
        assert (status(first), status(second)) == ("KILLED", "RUNNING")
        mlflow.end_run()

    def test_runs_left_open_inside_end_with_it(self) -> None:
        with mlflow.start_run() as outer:
            inner = mlflow.start_run(nested=True)
            innermost = mlflow.start_run(nested=True)
        assert [status(run) for run in (outer, inner, innermost)] == ["FINISHED"] * 3
        assert mlflow.active_run() is None

    def test_a_run_deleted_in_its_block_stays_deleted(self) -> None:
        with mlflow.start_run() as run:
            mlflow.delete_run(run.info.run_id)
        assert mlflow.get_run(run.info.run_id).info.lifecycle_stage == "deleted"
        assert mlflow.active_run() is None

    def test_a_store_that_fails_does_not_hide_the_scripts_own_exception(
        self, flaky: Any, capsys: pytest.CaptureFixture[str]
    ) -> None:
        def train() -> None:
            with mlflow.start_run():
                flaky.away = True
                raise ValueError("diverged")

        with pytest.raises(ValueError, match="diverged"):
            train()
        assert "could not be ended: away for now" in capsys.readouterr().err

    def test_without_one_it_is_raised_and_the_next_run_can_start(self, flaky: Any) -> None:
        with pytest.raises(StoreUnavailable), mlflow.start_run():
            flaky.away = True
        flaky.away = False
        with mlflow.start_run():
            pass


class TestNesting:
    def test_a_nested_run_is_a_child_of_the_active_one(self) -> None:
        with mlflow.start_run() as parent:
            with mlflow.start_run(nested=True) as child:
                assert active_id() == child.info.run_id
            assert active_id() == parent.info.run_id
        found = mlflow.get_parent_run(child.info.run_id)
        assert found is not None
        assert found.info.run_id == parent.info.run_id
        assert mlflow.get_parent_run(parent.info.run_id) is None

    def test_nested_without_a_parent_is_an_ordinary_run(self) -> None:
        with mlflow.start_run(nested=True) as run:
            assert "mlflow.parentRunId" not in run.data.tags

    def test_end_run_ends_the_innermost(self) -> None:
        outer, inner = mlflow.start_run(), mlflow.start_run(nested=True)
        mlflow.end_run()
        assert (status(outer), status(inner)) == ("RUNNING", "FINISHED")
        mlflow.end_run()
        assert status(outer) == "FINISHED"

    def test_a_parent_may_be_named(self) -> None:
        with mlflow.start_run() as parent:
            pass
        with mlflow.start_run(parent_run_id=parent.info.run_id) as child:
            assert child.data.tags["mlflow.parentRunId"] == parent.info.run_id
        with mlflow.start_run(), mlflow.start_run(nested=True, parent_run_id=parent.info.run_id) as child:
            assert child.data.tags["mlflow.parentRunId"] == parent.info.run_id

    def test_a_parent_that_is_not_there_or_deleted_is_refused(self) -> None:
        with pytest.raises(NotFound):
            mlflow.start_run(parent_run_id="f" * 32)
        with mlflow.start_run() as parent:
            pass
        mlflow.delete_run(parent.info.run_id)
        with pytest.raises(RunEnded, match="deleted"):
            mlflow.start_run(parent_run_id=parent.info.run_id)
        assert mlflow.active_run() is None


def active_id() -> str | None:
    run = mlflow.active_run()
    return run.info.run_id if run else None


class TestTakingUp:
    def test_a_run_that_ended_runs_again(self) -> None:
        with mlflow.start_run() as run:
            mlflow.log_metric("loss", 1.0, step=0)
        with mlflow.start_run(run_id=run.info.run_id) as again:
            assert again.info.run_id == run.info.run_id
            assert again.info.status == "RUNNING"
            assert again.info.end_time is None
            mlflow.log_metric("loss", 0.5, step=1)
        assert [point.value for point in mlflow.Client().get_metric_history(run.info.run_id, "loss")] == [1.0, 0.5]
        assert status(run) == "FINISHED"

    def test_it_can_be_given_a_name_tags_and_a_description(self) -> None:
        with mlflow.start_run(run_name="old") as run:
            pass
        with mlflow.start_run(run.info.run_id, run_name="new", tags={"a": "b"}, description="Better.") as again:
            assert again.info.run_name == "new"
            assert again.data.tags["a"] == "b"
            assert again.data.tags["mlflow.note.content"] == "Better."

    def test_without_a_name_it_keeps_its_own(self) -> None:
        with mlflow.start_run(run_name="old") as run:
            pass
        with mlflow.start_run(run.info.run_id) as again:
            assert again.info.run_name == "old"

    def test_a_deleted_one_is_refused_and_stays_as_it_is(self) -> None:
        with mlflow.start_run() as run:
            pass
        mlflow.delete_run(run.info.run_id)
        with pytest.raises(RunEnded, match="deleted"):
            mlflow.start_run(run.info.run_id)
        mlflow.restore_run(run.info.run_id)
        assert status(run) == "FINISHED"

    def test_one_that_is_not_there_is_not_found(self) -> None:
        with pytest.raises(NotFound):
            mlflow.start_run("f" * 32)
        with pytest.raises(InvalidName):
            mlflow.start_run("../etc")

    @pytest.mark.parametrize("wrong", [{"tags": {"../x": 1}}, {"experiment_id": "5"}, {"tags": ["a"]}], ids=str)
    def test_what_is_wrong_leaves_it_as_it_is(self, wrong: dict[str, Any]) -> None:
        with mlflow.start_run() as run:
            pass
        before = mlflow.get_run(run.info.run_id)
        with pytest.raises(InvalidInput):
            mlflow.start_run(run.info.run_id, run_name="new", **wrong)
        assert mlflow.get_run(run.info.run_id) == before
        assert mlflow.active_run() is None

    def test_its_own_experiment_may_be_named(self) -> None:
        with mlflow.start_run() as run:
            pass
        with mlflow.start_run(run.info.run_id, experiment_id=0):  # type: ignore[arg-type]
            pass

    def test_inside_of_another_run_it_keeps_its_parent(self) -> None:
        with mlflow.start_run() as parent, mlflow.start_run(nested=True) as child:
            pass
        with mlflow.start_run(), mlflow.start_run(child.info.run_id, nested=True) as again:
            assert again.data.tags["mlflow.parentRunId"] == parent.info.run_id
        with mlflow.start_run(), mlflow.start_run(parent.info.run_id, nested=True) as again:
            assert "mlflow.parentRunId" not in again.data.tags

    def test_it_cannot_be_taken_up_inside_of_itself(self) -> None:
        with mlflow.start_run() as run, pytest.raises(InvalidState, match="already active"):
            mlflow.start_run(run.info.run_id, nested=True)
        with pytest.raises(InvalidInput, match="its own parent"):
            mlflow.start_run(run.info.run_id, parent_run_id=run.info.run_id)
        assert status(run) == "FINISHED"


class TestHandedDown:
    """A launcher names the run that the script's first start_run() takes up."""

    @pytest.fixture
    def launched(self) -> str:
        return mlflow.Client().create_run("0", run_name="launched").info.run_id

    @pytest.mark.parametrize("variable", ["DOVETAIL_RUN_ID", "MLFLOW_RUN_ID"])
    def test_it_is_taken_up_once(self, variable: str, launched: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv(variable, launched)
        with mlflow.start_run() as run:
            assert run.info.run_id == launched
        with mlflow.start_run() as run:
            assert run.info.run_id != launched

    def test_what_the_script_starts_in_turn_does_not_take_it_up_again(
        self, launched: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        import os

        monkeypatch.setenv("DOVETAIL_RUN_ID", launched)
        monkeypatch.setenv("MLFLOW_RUN_ID", launched)
        with mlflow.start_run():
            assert not {"DOVETAIL_RUN_ID", "MLFLOW_RUN_ID"} & set(os.environ)

    def test_ours_wins_and_the_other_is_not_taken_up_afterwards(
        self, launched: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("DOVETAIL_RUN_ID", launched)
        monkeypatch.setenv("MLFLOW_RUN_ID", "somebody-elses")
        with mlflow.start_run() as run:
            assert run.info.run_id == launched
        with mlflow.start_run() as run:
            assert run.info.run_id not in (launched, "somebody-elses")

    def test_the_first_log_call_takes_it_up_too(self, launched: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("MLFLOW_RUN_ID", launched)
        mlflow.log_param("lr", 0.1)
        mlflow.end_run()
        assert mlflow.get_run(launched).data.params == {"lr": "0.1"}

    def test_children_are_new_runs(self, launched: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("MLFLOW_RUN_ID", launched)
        with mlflow.start_run(), mlflow.start_run(nested=True) as child:
            assert child.info.run_id != launched
            assert child.data.tags["mlflow.parentRunId"] == launched

    def test_a_run_named_by_the_script_comes_first(self, launched: str, monkeypatch: pytest.MonkeyPatch) -> None:
        other = mlflow.Client().create_run("0").info.run_id
        monkeypatch.setenv("MLFLOW_RUN_ID", launched)
        with mlflow.start_run(other) as run:
            assert run.info.run_id == other
        with mlflow.start_run() as run:
            assert run.info.run_id == launched

    def test_one_that_is_not_there_is_an_error_each_time(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("MLFLOW_RUN_ID", "f" * 32)
        for _ in range(2):
            with pytest.raises(NotFound):
                mlflow.start_run()

    def test_it_wins_over_the_experiment_that_the_script_chose(
        self, launched: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("MLFLOW_RUN_ID", launched)
        mlflow.set_experiment("another one")
        with mlflow.start_run() as run:
            assert (run.info.run_id, run.info.experiment_id) == (launched, "0")

    def test_a_file_may_name_it_once_too(self, launched: str) -> None:
        from pathlib import Path

        Path("dovetail.toml").write_text(f'run_id = "{launched}"\n', encoding="utf-8")
        with mlflow.start_run() as run:
            assert run.info.run_id == launched
        with mlflow.start_run() as run:
            assert run.info.run_id != launched


class TestWhichRunIsActive:
    def test_none_at_first(self) -> None:
        assert mlflow.active_run() is None
        assert mlflow.last_active_run() is None

    def test_the_active_run_is_as_the_store_has_it_now(self) -> None:
        with mlflow.start_run():
            mlflow.log_param("lr", 0.1)
            run = mlflow.active_run()
            assert run is not None
            assert run.data.params == {"lr": "0.1"}

    def test_the_last_one_is_known_after_its_end(self) -> None:
        with mlflow.start_run() as run:
            mlflow.log_metric("loss", 0.5)
            assert last_id() == run.info.run_id
        last = mlflow.last_active_run()
        assert last is not None
        assert last.info.run_id == run.info.run_id
        assert (last.info.status, last.data.metrics) == ("FINISHED", {"loss": 0.5})

    def test_of_nested_ones_it_is_the_one_that_ended_last(self) -> None:
        with mlflow.start_run() as parent:
            with mlflow.start_run(nested=True):
                pass
            assert last_id() == parent.info.run_id
        assert last_id() == parent.info.run_id

    def test_a_run_stays_where_it_was_started(self) -> None:
        with mlflow.start_run() as run:
            home = mlflow.get_tracking_uri()
            mlflow.set_tracking_uri("memory://elsewhere")
            mlflow.log_metric("loss", 0.5)
            mlflow.set_tag("a", "b")
            mlflow.delete_tag("a")
            assert active_id() == run.info.run_id
            with mlflow.start_run(nested=True) as child:  # a new run, in the new place; its parent is not there
                assert "mlflow.parentRunId" not in child.data.tags
        assert last_id() == run.info.run_id
        assert mlflow.get_run(child.info.run_id).info.status == "FINISHED"
        mlflow.set_tracking_uri(home)
        kept = mlflow.get_run(run.info.run_id)
        assert (kept.info.status, kept.data.metrics) == ("FINISHED", {"loss": 0.5})


def last_id() -> str | None:
    run = mlflow.last_active_run()
    return run.info.run_id if run else None


def in_thread(work: Callable[[], Any]) -> Any:
    """The answer of a function that a new thread executes."""
    answers: list[Any] = []
    thread = threading.Thread(target=lambda: answers.append(work()))
    thread.start()
    thread.join()
    return answers[0]


class TestThreads:
    def test_each_thread_has_runs_of_its_own(self) -> None:
        def work() -> str:
            assert mlflow.active_run() is None
            with mlflow.start_run() as run:
                mlflow.log_metric("here", 1)
                return run.info.run_id

        with mlflow.start_run() as mine:
            theirs = in_thread(work)
            assert active_id() == mine.info.run_id
            assert last_id() == mine.info.run_id
        assert mlflow.get_run(theirs).data.metrics == {"here": 1.0}
        assert mlflow.get_run(mine.info.run_id).data.metrics == {}
        assert "mlflow.parentRunId" not in mlflow.get_run(theirs).data.tags
        assert last_id() == mine.info.run_id

    def test_many_at_once_do_not_mix(self) -> None:
        barrier = threading.Barrier(8)
        found: dict[int, str] = {}

        def work(number: int) -> None:
            with mlflow.start_run() as run:
                barrier.wait()
                mlflow.log_param("number", number)
                found[number] = run.info.run_id

        threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert {number: mlflow.get_run(run_id).data.params for number, run_id in found.items()} == {
            number: {"number": str(number)} for number in range(8)
        }

    def test_a_thread_does_not_inherit_what_an_earlier_one_left_open(self) -> None:
        # The system gives the number of a thread that ended to the next one.
        for _ in range(5):
            assert in_thread(lambda: (active_id(), mlflow.start_run())[0]) is None

    def test_one_run_may_be_logged_to_from_many_threads(self) -> None:
        with mlflow.start_run() as run:

            def work() -> None:
                with mlflow.start_run(run.info.run_id):
                    mlflow.log_metric("theirs", 1)

            in_thread(work)
            assert status(run) == "RUNNING"
            mlflow.log_metric("mine", 1)
        assert status(run) == "FINISHED"
        assert set(mlflow.get_run(run.info.run_id).data.metrics) == {"mine", "theirs"}

    def test_a_block_may_be_left_in_another_thread(self) -> None:
        run = mlflow.start_run()
        in_thread(lambda: run.__exit__(None, None, None))
        assert status(run) == "FINISHED"
        assert mlflow.active_run() is None

    def test_the_last_run_of_a_thread_that_had_none_is_that_of_the_process(self) -> None:
        with mlflow.start_run() as run:
            pass
        assert in_thread(last_id) == run.info.run_id


class TestFindingAndBinning:
    def test_one_that_is_not_there_is_not_found(self) -> None:
        for verb in (mlflow.get_run, mlflow.get_parent_run, mlflow.delete_run, mlflow.restore_run):
            with pytest.raises(NotFound):
                verb("f" * 32)

    @pytest.mark.parametrize("wrong", [None, 5, "", "../x", [], "a b"], ids=repr)
    def test_what_cannot_be_an_id_is_refused(self, wrong: Any) -> None:
        for verb in (mlflow.get_run, mlflow.get_parent_run, mlflow.delete_run, mlflow.restore_run):
            with pytest.raises(InvalidName, match="not a run id"):
                verb(wrong)

    def test_into_the_bin_and_out_of_it(self) -> None:
        with mlflow.start_run() as run:
            pass
        mlflow.delete_run(run.info.run_id)
        assert mlflow.search_runs(output_format="list") == []
        binned = mlflow.search_runs(output_format="list", run_view_type=ViewType.DELETED_ONLY)
        assert [each.info.run_id for each in binned] == [run.info.run_id]
        mlflow.restore_run(run.info.run_id)
        assert len(mlflow.search_runs(output_format="list")) == 1


class TestObservers:
    def test_they_are_told_of_start_and_end(self, observer: Any) -> None:
        with mlflow.start_run() as run:
            pass
        run_id = run.info.run_id
        assert observer.heard == [("started", run_id, "RUNNING"), ("ended", run_id, "FINISHED")]
        with mlflow.start_run(run_id):
            pass
        assert len(observer.heard) == 4

    def test_they_are_told_of_the_end_of_a_run_that_was_deleted_meanwhile(self, observer: Any) -> None:
        with mlflow.start_run() as run:
            mlflow.delete_run(run.info.run_id)
        assert [what for what, *_ in observer.heard] == ["started", "ended"]

    def test_one_that_fails_hurts_nobody(self, observer: Any) -> None:
        observer.fails = True
        with pytest.warns(UserWarning, match="failed in dovetail_run") as told, mlflow.start_run() as run:
            mlflow.log_metric("loss", 1)
        assert len(told) == 3
        assert status(run) == "FINISHED"

    def test_they_may_add_tags_and_the_script_wins_over_them(self, observer: Any) -> None:
        observer.tags = {"node": "n1", "mlflow.user": "ada", "team": "theirs"}
        with mlflow.start_run(tags={"team": "mine"}) as run:
            assert run.data.tags["node"] == "n1"
            assert run.data.tags["mlflow.user"] == "ada"
            assert run.info.user_id == "ada"
            assert run.data.tags["team"] == "mine"


def test_forgetting_leaves_the_runs_as_they_are() -> None:
    run = mlflow.start_run()
    runs.forget_runs()
    assert mlflow.active_run() is None
    assert mlflow.last_active_run() is None
    assert status(run) == "RUNNING"


def test_the_place_a_run_is_tracked_at_is_known() -> None:
    with mlflow.start_run() as run:
        assert runs.current_run()[:2] == (run.info.run_id, places.get_tracking_uri())
        assert runs.active_run_id() == runs.active_run_id_or_none() == run.info.run_id
    assert runs.active_run_id_or_none() is None
