"""Stores behind a server of dovetail's own: what is done once although it is asked for twice, and who may what."""

from __future__ import annotations

import logging
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

import dovetail
from dovetail import hookimpl, plugins
from dovetail.errors import AlreadyExists, InvalidInput, NotFound, StoreError, StoreReadOnly, StoreUnavailable
from dovetail.tracking import places
from dovetail.values import Batch, JournalMark, LogEntry, Metric, NewLoggedModel, NewModelVersion, NewRun, Param
from dovetail_http import open_registry, open_tracking
from dovetail_http.tracking import HttpTracking, NativeTracking

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from conftest import House
    from dovetail.tracking.store import TrackingStore

POINT = Batch((Metric("loss", 0.5, 1, 2),))


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    caplog.set_level(logging.CRITICAL, "uvicorn.error")  # answers are lost on purpose
    monkeypatch.setenv("DOVETAIL_HTTP_RETRY_SECONDS", "5")
    monkeypatch.setenv("DOVETAIL_STATE_DIR", str(tmp_path / "state"))


@pytest.fixture
def store(uri: str) -> Iterator[TrackingStore]:
    with closing(open_tracking(uri)) as store:
        yield store


class TestAnAnswerThatIsLost:
    def test_of_a_new_run_is_asked_for_again(self, store: TrackingStore, house: House) -> None:
        house.lose("create_run", 2)
        new = NewRun("0", run_name="fox", user_id="ada")
        assert store.create_run(new).info.run_name == "fox"
        assert [run.info.run_id for run in store.search_runs(["0"])] == [new.run_id]
        assert house.asked.count("create_run") == 3

    def test_of_a_new_logged_model_is_asked_for_again(self, store: TrackingStore, house: House) -> None:
        house.lose("create_logged_model")
        new = NewLoggedModel("0", "wine")
        assert store.create_logged_model(new) == store.get_logged_model(new.model_id)

    def test_of_a_run_that_somebody_else_made_is_not_taken_for_ours(self, store: TrackingStore, house: House) -> None:
        theirs = store.create_run(NewRun("0", run_id="shared", user_id="eve", start_time=5))
        house.lose("create_run")
        with pytest.raises(AlreadyExists):
            store.create_run(NewRun("0", run_id="shared", user_id="ada", start_time=6))
        assert store.get_run("shared") == theirs
        store.create_logged_model(NewLoggedModel("0", model_id="m-1", creation_timestamp=5))
        house.lose("create_logged_model")
        with pytest.raises(AlreadyExists):
            store.create_logged_model(NewLoggedModel("0", model_id="m-1", creation_timestamp=6))

    def test_of_a_batch_is_asked_for_again(self, store: TrackingStore, house: House) -> None:
        run = store.create_run(NewRun("0")).info.run_id
        house.lose("log_batch", 2)
        store.log_batch(run, POINT)
        store.log_batch(run, Batch(params=(Param("lr", "1"),)), mark=JournalMark("w", 1))
        house.lose("log_batches")
        marked = [LogEntry(run, POINT, JournalMark("w", 2)), LogEntry("nobody", POINT)]
        none, refused = store.log_batches(marked)
        assert (none, type(refused)) == (None, NotFound)
        assert (len(store.get_metric_history(run, "loss")), store.applied("w")) == (1, 2)

    def test_of_what_must_not_be_done_twice_is_said_to_be(self, store: TrackingStore, house: House) -> None:
        house.lose("create_experiment")
        with pytest.raises(StoreError, match="Nobody knows whether the server did") as raised:
            store.create_experiment("wine")
        assert not isinstance(raised.value, StoreUnavailable)
        assert house.asked.count("create_experiment") == 1
        assert store.get_experiment_by_name("wine") is not None

    def test_the_first_time_does_not_make_a_run_ours(self, store: TrackingStore, house: House) -> None:
        new = NewRun("0")
        store.create_run(new)
        with pytest.raises(AlreadyExists):
            store.create_run(new)
        assert house.asked.count("get_run") == 0


class TestAServer:
    def test_is_asked_once_what_it_is_and_not_before_it_is_needed(self, uri: str, house: House) -> None:
        with closing(open_tracking(uri)) as store:
            assert house.asked == []
            for _ in range(3):
                store.get_experiment("0")
        assert house.asked == ["1", *["get_experiment"] * 3]
        assert (store.uri, store.journals, store.lasting, store.at_once()) == (uri, None, True, None)

    def test_that_is_away_at_first_is_asked_again_the_next_time(
        self, serve: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("DOVETAIL_HTTP_RETRY_SECONDS", "0")
        store = HttpTracking("http://127.0.0.1:1")
        for _ in range(2):
            with pytest.raises(StoreUnavailable):
                store.get_experiment("0")

    def test_with_a_token_lets_in_who_has_it(
        self, serve: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        uri = serve(f"sqlite:///{tmp_path}/a.db", access="token", token="t0ken")
        with closing(open_tracking(uri)) as store:
            with pytest.raises(StoreError, match=r"asks for a token.*\n.*DOVETAIL_TRACKING_TOKEN"):
                store.get_experiment("0")
            monkeypatch.setenv("DOVETAIL_TRACKING_TOKEN", "t0ken")
            assert store.get_experiment("0").name == "Default"
        monkeypatch.delenv("DOVETAIL_TRACKING_TOKEN")
        with closing(open_registry(uri.replace("//", "//anybody:t0ken@"))) as registry:
            assert registry.create_registered_model("wine").name == "wine"
            assert "t0ken@" in registry.uri

    def test_tells_of_artifacts_as_they_are_reached_through_it(self, store: TrackingStore, uri: str) -> None:
        run = store.create_run(NewRun("0"))
        place = f"mlflow-artifacts:/0/{run.info.run_id}/artifacts"
        assert (store.get_experiment("0").artifact_location, run.info.artifact_uri) == ("mlflow-artifacts:/0", place)
        assert store.update_run(run.info.run_id, name="fox").artifact_uri == place
        rows = store.search_run_rows(["0"], ["artifact_uri", "run_id", "attributes.artifact_uri"])
        assert list(rows) == [(place, run.info.run_id, place)]
        model = store.create_logged_model(NewLoggedModel("0"))
        assert model.artifact_location == f"mlflow-artifacts:/0/models/{model.model_id}/artifacts"
        assert [found.artifact_location for found in store.search_logged_models(["0"])] == [model.artifact_location]
        store.delete_run(run.info.run_id)
        (item,) = store.discarded()
        assert item.artifact_uri == place
        assert (store.condemn(item), store.purge(item), list(store.discarded())) == (True, True, [])

    def test_keeps_places_below_its_root_as_places_below_its_root(self, store: TrackingStore, tmp_path: Path) -> None:
        experiment = store.create_experiment("wine", "mlflow-artifacts:/team/wine")
        assert store.get_experiment(experiment).artifact_location == "mlflow-artifacts:/team/wine"
        for refused in ("http://evil.example/a", "mlflow-artifacts:/../a", "mlflow-artifacts://host/a"):
            with pytest.raises(InvalidInput):
                store.create_experiment("other", refused)

    def test_takes_versions_only_of_what_is_so(self, store: TrackingStore, uri: str, tmp_path: Path) -> None:
        run = store.create_run(NewRun("0")).info.run_id
        with closing(open_registry(uri)) as registry:
            registry.create_registered_model("wine")
            made = registry.create_model_version(NewModelVersion("wine", f"mlflow-artifacts:/0/{run}/artifacts/m", run))
            assert (made.source, made.run_id) == (f"runs:/{run}/m", run)
            for refused in (
                "file:///etc", f"{tmp_path}", "mlflow-artifacts:/0", "http://evil.example/model", "runs:/../x",
                "models:/../../etc", f"file://{tmp_path}/dovetail-artifacts/0/{run}/artifacts/../../../../served.db",
            ):  # fmt: skip
                with pytest.raises(InvalidInput):
                    registry.create_model_version(NewModelVersion("wine", refused))
            assert len(registry.search_model_versions()) == 1

    def test_notes_who_did_what_by_who_they_are(self, uri: str) -> None:
        with closing(open_registry(uri.replace("//", "//ada:x@"))) as registry:
            registry.create_registered_model("wine")
            version = registry.create_model_version(NewModelVersion("wine", "s3://b/wine", user_id="eve"))
            move = registry.move_alias("wine", "best", 1, user_id="eve", reason="better")
            assert move is not None
            assert (version.user_id, move.user_id, move.reason) == ("ada", "ada", "better")
        with closing(open_registry(uri)) as registry:
            assert registry.transition_stage("wine", 1, "Staging", user_id="eve").current_stage == "Staging"
            assert registry.get_history("wine")[0].user_id == "eve"


class Wardens:
    """A plugin that lets everybody read all, and write to one run and one experiment."""

    @hookimpl
    def dovetail_authenticate(self, request: Any) -> str:
        return "ada"

    @hookimpl
    def dovetail_authorize(self, principal: str, action: str, resource: str) -> bool:
        own = ("run/mine", "experiment/0", "run")
        return resource in own or (action == "read" and not resource.endswith("/hidden"))


class TestWhoMayNot:
    @pytest.fixture
    def store(
        self, serve: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> Iterator[TrackingStore]:
        database = f"sqlite:///{tmp_path}/a.db"
        with closing(open_tracking(serve(database))) as store:
            store.create_experiment("other")
            for name, experiment in (("mine", "0"), ("theirs", "0"), ("hidden", "0")):
                store.create_run(NewRun(experiment, run_id=name))
        known = plugins.Plugins(())
        known.register(Wardens())
        monkeypatch.setattr("dovetail_server.access.plugins.ask", known.ask)
        with closing(open_tracking(serve(database, access="plugins"))) as store:
            yield store

    def test_log_to_a_run_logs_to_none_beside_it(self, store: TrackingStore) -> None:
        store.log_batch("mine", POINT)
        assert store.log_batches([LogEntry("mine", POINT), LogEntry("mine", POINT)]) == [None, None]
        batch = Batch(params=(Param("lr", "1"),))
        for entries in (["theirs", "mine"], ["mine", "theirs"]):
            with pytest.raises(StoreReadOnly, match="may not update run/theirs"):
                store.log_batches([LogEntry(each, batch) for each in entries])
        with pytest.raises(StoreReadOnly):
            store.log_batch("theirs", batch)
        assert store.get_run("mine").data.params == {}

    def test_read_one_of_several_runs_reads_none(self, store: TrackingStore) -> None:
        assert len(store.get_metric_series(["mine", "theirs"], "loss")) == 0
        for runs in (["hidden", "mine"], ["mine", "hidden"]):
            with pytest.raises(StoreReadOnly, match="may not read run/hidden"):
                store.get_metric_series(runs, "loss")

    def test_write_to_an_experiment_moves_no_run_there(self, store: TrackingStore) -> None:
        with pytest.raises(StoreReadOnly, match="may not update experiment/1"):
            store.move_run("mine", "1")
        with pytest.raises(StoreReadOnly, match="may not update experiment/1"):
            store.create_run(NewRun("1"))
        assert store.create_run(NewRun("0")).info.experiment_id == "0"


class TestAScriptThatLogsToAServer:
    def test_has_everything_there_when_its_run_has_ended(self, uri: str, tmp_path: Path, house: House) -> None:
        places.set_tracking_uri(uri)
        try:
            with dovetail.start_run(run_name="fox") as run:
                dovetail.log_params({"lr": 0.1, "depth": 3})
                for step in range(50):
                    dovetail.log_metric("loss", 1 / (step + 1), step=step)
                dovetail.set_tag("team", "wine")
            found = dovetail.get_run(run.info.run_id)
            assert (found.info.status, found.data.params) == ("FINISHED", {"lr": "0.1", "depth": "3"})
            assert found.data.metrics["loss"] == 1 / 50
            assert found.data.tags["team"] == "wine"
            with closing(open_tracking(uri)) as store:
                assert len(store.get_metric_history(run.info.run_id, "loss")) == 50
                assert isinstance(store.chosen, NativeTracking)
        finally:
            places.forget_places()
        assert house.asked.count("log_batch") + house.asked.count("log_batches") < 25

    def test_keeps_what_surrounds_it_there_although_others_are_tracked_elsewhere(
        self, uri: str, tmp_path: Path
    ) -> None:
        places.set_tracking_uri(uri)
        try:
            with dovetail.start_run(log_output=True, log_environment=True) as run:
                places.set_tracking_uri(f"sqlite:///{tmp_path}/elsewhere.db")
                print("of the first")  # noqa: T201 - it is what is kept
            places.set_tracking_uri(uri)
            kept = {each.path for each in dovetail.artifacts.list_artifacts(run_id=run.info.run_id)}
            assert kept == {"logs", "dovetail"}, kept
        finally:
            places.forget_places()
