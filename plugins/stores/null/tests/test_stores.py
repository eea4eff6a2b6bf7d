"""What the stores remember, and what they say about the rest."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest

from dovetail.errors import AlreadyExists, InvalidFilter, InvalidInput, InvalidState, InvalidUri, NotFound, RunEnded
from dovetail.testing import PluginSuite
from dovetail.tracking.bin import Discarded
from dovetail.values import (
    Batch,
    Dataset,
    DatasetInput,
    LoggedModelInput,
    LoggedModelOutput,
    Metric,
    NewLoggedModel,
    NewRun,
    Param,
    RunInputs,
    Tag,
    ViewType,
)
from dovetail_null import dovetail_artifact_stores, open_null
from dovetail_null.artifacts import NullArtifactStore

if TYPE_CHECKING:
    from dovetail_null.store import NullTrackingStore

LOSS = Batch(metrics=(Metric("loss", 0.5),))


@pytest.fixture
def store() -> NullTrackingStore:
    return open_null("null:")


class TestPlugin(PluginSuite):
    module = "dovetail_null"


class TestLocation:
    @pytest.mark.parametrize("uri", ["null:", "NULL:", "null:/", "null://", "null:///"])
    def test_has_one_meaning(self, uri: str) -> None:
        assert open_null(uri).uri == "null:"

    @pytest.mark.parametrize("uri", ["null:x", "null://host", "null:/folder", "null:?a=b", "null://me:hunter2@host"])
    def test_names_no_place(self, uri: str) -> None:
        with pytest.raises(InvalidUri, match=r"names a place.*\nWrite null:") as caught:
            open_null(uri)
        assert "hunter2" not in str(caught.value)


class TestExperiments:
    def test_are_remembered_by_id_and_name(self, store: NullTrackingStore) -> None:
        one, two = store.create_experiment("one", tags=[Tag("a", "b")]), store.create_experiment("two")
        assert (one, two) == ("1", "2")
        found = store.get_experiment_by_name("one")
        assert found == store.get_experiment(one)
        assert found.tags == {"a": "b"}
        assert store.get_experiment_by_name("three") is None

    def test_the_default_one_is_there(self, store: NullTrackingStore) -> None:
        assert store.get_experiment("0").name == "Default"
        found = store.get_experiment_by_name("Default")
        assert found is not None
        assert found.experiment_id == "0"

    @pytest.mark.parametrize("name", ["one", "Default"])
    def test_have_names_of_their_own(self, store: NullTrackingStore, name: str) -> None:
        other = store.create_experiment("other")
        store.create_experiment("one")
        with pytest.raises(AlreadyExists):
            store.create_experiment(name)
        with pytest.raises(AlreadyExists):
            store.rename_experiment(other, name)

    def test_keep_their_artifacts_nowhere_wherever_they_should_lie(self, store: NullTrackingStore) -> None:
        experiment_id = store.create_experiment("far", "s3://bucket/runs")
        assert store.get_experiment(experiment_id).artifact_location == f"null:/{experiment_id}"
        info = store.create_run(NewRun(experiment_id)).info
        assert info.artifact_uri == f"null:/{experiment_id}/{info.run_id}/artifacts"

    def test_go_into_the_bin_and_back_with_their_runs(self, store: NullTrackingStore) -> None:
        experiment_id = store.create_experiment("one")
        run_id = store.create_run(NewRun(experiment_id)).info.run_id
        store.delete_experiment(experiment_id)
        assert store.get_run(run_id).info.lifecycle_stage == "deleted"
        with pytest.raises(NotFound):
            store.delete_experiment(experiment_id)
        with pytest.raises(InvalidInput):
            store.create_run(NewRun(experiment_id))
        with pytest.raises(InvalidInput):
            store.set_experiment_tags(experiment_id, [Tag("a", "b")])
        with pytest.raises(InvalidState):
            store.rename_experiment(experiment_id, "two")
        with pytest.raises(InvalidState):
            store.restore_run(run_id)
        store.restore_experiment(experiment_id)
        store.rename_experiment(experiment_id, "two")
        assert store.get_run(run_id).info.lifecycle_stage == "active"
        assert store.get_experiment(experiment_id).name == "two"

    def test_lose_tags(self, store: NullTrackingStore) -> None:
        experiment_id = store.create_experiment("one", tags=[Tag("a", "b")])
        store.set_experiment_tags(experiment_id, [Tag("c", "d")])
        for key in ("a", "c", "never set"):
            store.delete_experiment_tag(experiment_id, key)
        assert store.get_experiment(experiment_id).tags == {}

    def test_of_other_processes_are_taken_for_granted(self, store: NullTrackingStore) -> None:
        assert store.get_experiment("77").experiment_id == "77"
        assert store.create_run(NewRun("77")).info.experiment_id == "77"


class TestRuns:
    def test_are_remembered_as_what_they_are(self, store: NullTrackingStore) -> None:
        run = store.create_run(NewRun("0", run_name="one", user_id="me", tags=(Tag("a", "b"),)))
        assert store.get_run(run.info.run_id) == run
        assert (run.info.run_name, run.info.user_id, run.info.status) == ("one", "me", "RUNNING")
        assert run.data.tags == {"a": "b", "mlflow.runName": "one"}
        with pytest.raises(AlreadyExists):
            store.create_run(NewRun("0", run.info.run_id))

    def test_end_and_begin_again(self, store: NullTrackingStore) -> None:
        run_id = store.create_run(NewRun("0")).info.run_id
        assert store.update_run(run_id, status="FAILED", end_time=7).end_time == 7
        with pytest.raises(RunEnded, match="FAILED"):
            store.log_batch(run_id, LOSS)
        store.log_batch(run_id, LOSS, ended=True)
        store.log_batch(run_id, Batch(tags=(Tag("a", "b"),)))
        info = store.update_run(run_id, status="RUNNING", name="again")
        assert (info.end_time, info.run_name) == (None, "again")
        store.log_batch(run_id, LOSS)

    def test_forget_what_they_log(self, store: NullTrackingStore) -> None:
        run_id = store.create_run(NewRun("0")).info.run_id
        store.log_batch(run_id, Batch(LOSS.metrics, (Param("lr", "1"),), (Tag("a", "b"), Tag("mlflow.runName", "new"))))
        store.log_batch(run_id, Batch(params=(Param("lr", "2"),)))
        run = store.get_run(run_id)
        assert run.data.to_dictionary() == {"metrics": {}, "params": {}, "tags": {"mlflow.runName": "new"}}
        assert run.info.run_name == "new"
        assert store.get_metric_history(run_id, "loss") == []
        assert store.applied("writer") == 0

    def test_in_the_bin_take_nothing(self, store: NullTrackingStore) -> None:
        run_id = store.create_run(NewRun("0")).info.run_id
        store.delete_run(run_id)
        for write in (
            lambda: store.log_batch(run_id, Batch()),
            lambda: store.update_run(run_id, name="x"),
            lambda: store.delete_tag(run_id, "x"),
        ):
            with pytest.raises(RunEnded):
                write()
        store.restore_run(run_id)
        store.delete_tag(run_id, "x")

    def test_of_other_processes_are_taken_for_granted(
        self, store: NullTrackingStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert store.get_run("abc").info.status == "RUNNING"
        monkeypatch.setenv("DOVETAIL_EXPERIMENT_ID", "5")
        assert store.get_run("abc").info.experiment_id == "5"
        store.log_batch("abc", LOSS)
        store.update_run("abc", status="FINISHED")
        assert store.get_run("abc").info.status == "FINISHED"

    def test_are_forgotten_when_there_are_too_many(self, store: NullTrackingStore) -> None:
        parent = store.create_run(NewRun("0", run_name="parent")).info.run_id
        for number in range(3000):
            store.create_run(NewRun("0", str(number), run_name="child"))
            store.log_batch(parent, LOSS)
        assert store.get_run(parent).info.run_name == "parent"
        assert store.get_run("2999").info.run_name == "child"
        assert store.get_run("0").info.run_name == ""


class TestLoggedModels:
    def test_are_remembered_as_what_they_are(self, store: NullTrackingStore) -> None:
        params, tags = (Param("depth", "3"),), (Tag("team", "a"), Tag("b", "c"))
        new = NewLoggedModel("0", name="tree", source_run_id="abc", params=params, tags=tags)
        assert store.create_logged_model(new) == store.get_logged_model(new.model_id)
        updated = store.update_logged_model(new.model_id, status="READY", params=[Param("more", "1")])
        assert (updated.name, updated.status, updated.params) == ("tree", "READY", {"depth": "3"})
        store.delete_logged_model_tag(new.model_id, "team")
        assert store.get_logged_model(new.model_id).tags == {"b": "c"}
        with pytest.raises(AlreadyExists):
            store.create_logged_model(new)

    def test_of_other_processes_are_taken_for_granted(self, store: NullTrackingStore) -> None:
        assert store.update_logged_model("m-abc", status="FAILED", status_message="why").status_message == "why"
        assert store.get_logged_model("m-abc").status == "FAILED"
        store.delete_logged_model_tag("m-abc", "unknown")

    def test_in_the_bin_take_nothing(self, store: NullTrackingStore) -> None:
        run_id = store.create_run(NewRun("0")).info.run_id
        model_id = store.create_logged_model(NewLoggedModel("0")).model_id
        store.log_outputs(run_id, [LoggedModelOutput(model_id, 3)])
        store.delete_logged_model(model_id)
        assert store.get_logged_model(model_id, allow_deleted=True).model_id == model_id
        for call in (
            lambda: store.get_logged_model(model_id),
            lambda: store.delete_logged_model(model_id),
            lambda: store.log_inputs(run_id, models=[LoggedModelInput(model_id)]),
            lambda: store.log_outputs(run_id, [LoggedModelOutput(model_id)]),
        ):
            with pytest.raises(NotFound):
                call()

    def test_come_back_from_the_bin(self, store: NullTrackingStore) -> None:
        experiment_id = store.create_experiment("wine")
        model_id = store.create_logged_model(NewLoggedModel(experiment_id, name="tree")).model_id
        store.delete_logged_model(model_id)
        store.delete_experiment(experiment_id)
        with pytest.raises(InvalidState):
            store.restore_logged_model(model_id)
        store.restore_experiment(experiment_id)
        store.restore_logged_model(model_id)
        assert store.get_logged_model(model_id).name == "tree"
        store.restore_logged_model(model_id)
        store.restore_logged_model("m-of-another-process")

    def test_of_deleted_experiments_are_refused(self, store: NullTrackingStore) -> None:
        experiment_id = store.create_experiment("wine")
        store.delete_experiment(experiment_id)
        with pytest.raises(InvalidInput):
            store.create_logged_model(NewLoggedModel(experiment_id))

    def test_are_inputs_of_no_deleted_run(self, store: NullTrackingStore) -> None:
        run_id = store.create_run(NewRun("0")).info.run_id
        dataset = DatasetInput(Dataset("wine", "1", "local", "{}"))
        store.log_inputs(run_id, [dataset])
        assert store.get_run(run_id).inputs == RunInputs()
        store.delete_run(run_id)
        with pytest.raises(RunEnded):
            store.log_inputs(run_id, [dataset])
        with pytest.raises(RunEnded):
            store.log_outputs(run_id, [])


class TestSearches:
    def test_find_nothing(self, store: NullTrackingStore) -> None:
        store.create_run(NewRun(store.create_experiment("one")))
        assert store.search_runs(["0", "1"], "metrics.loss < 1", ["metrics.loss"], ViewType.ALL) == []
        assert store.search_experiments("name = 'one'", ["name"]) == []
        assert store.search_logged_models(["0"], "name = 'one'", [{"dataset_name": "d"}]) == []

    def test_must_be_searches(self, store: NullTrackingStore) -> None:
        for filters, order in (("nonsense !", ()), (None, ("nonsense !",))):
            with pytest.raises(InvalidFilter):
                store.search_runs(["0"], filters, order)
            with pytest.raises(InvalidFilter):
                store.search_experiments(filters, order)
        for text, datasets, dicts in (("nonsense !", (), ()), (None, [{"x": "d"}], ()), (None, (), [{"x": "d"}])):
            with pytest.raises(InvalidFilter):
                store.search_logged_models(["0"], text, datasets, dicts)


class Unreadable(io.RawIOBase):
    """A stream that must not be read."""

    def readable(self) -> bool:
        raise AssertionError


class TestArtifacts:
    @pytest.fixture
    def artifacts(self) -> NullArtifactStore:
        return NullArtifactStore("null:/0/abc/artifacts")

    def test_are_dropped_unread(self, artifacts: NullArtifactStore) -> None:
        artifacts.put("a/b.txt", Unreadable())  # type: ignore[arg-type]
        assert list(artifacts.list()) == list(artifacts.list("a")) == []
        artifacts.delete("a/b.txt")
        with pytest.raises(NotFound, match=r"'a/b\.txt'.*not kept"):
            artifacts.open("a/b.txt")

    @pytest.mark.parametrize("path", ["../x", "/x", "a\0b"])
    def test_stay_below_their_root_all_the_same(self, artifacts: NullArtifactStore, path: str) -> None:
        for use in (artifacts.list, artifacts.open, artifacts.delete, lambda path: artifacts.put(path, io.BytesIO())):
            with pytest.raises(InvalidUri):
                use(path)

    def test_the_root_is_no_file(self, artifacts: NullArtifactStore) -> None:
        with pytest.raises(InvalidInput):
            artifacts.open("")
        with pytest.raises(InvalidInput):
            artifacts.put(".", io.BytesIO())

    def test_are_offered_under_the_key(self) -> None:
        assert dovetail_artifact_stores()["null"]("null:/x").list() is not None


class TestBin:
    def test_nothing_lies_in_it(self, store: NullTrackingStore) -> None:
        run_id = store.create_run(NewRun("0")).info.run_id
        store.delete_run(run_id)
        assert store.discarded() == ()
        item = Discarded("run", run_id, "", "0", "", 0)
        assert not store.condemn(item)
        assert not store.purge(item)
        assert store.compact() is None

    def test_a_run_moves(self, store: NullTrackingStore) -> None:
        there = store.create_experiment("there")
        run_id = store.create_run(NewRun("0")).info.run_id
        store.move_run(run_id, there)
        assert store.get_run(run_id).info.experiment_id == there
        store.delete_experiment(there)
        with pytest.raises(RunEnded):
            store.move_run(run_id, "0")
