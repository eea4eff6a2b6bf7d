"""Models that are registered as they are logged, and loaded by what they are registered as."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import dovetail
from dovetail import hookimpl, plugins
from dovetail.errors import InvalidInput, InvalidModel, NotFound, PluginMissing, Untrusted
from dovetail.models.dependencies import get_model_dependencies
from dovetail.models.facade import flavor_facade
from dovetail.models.loading import fetch_model, get_model_info, load_function
from dovetail.testing import MemoryRegistryStore, MemoryTrackingStore

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType


@pytest.fixture
def facade(lines: ModuleType, tmp_path: Path) -> Any:
    """``dovetail.lines``, with a place of its own for runs and models."""
    dovetail.set_tracking_uri(f"memory://{tmp_path.name}-models")
    place = str(tmp_path / "artifacts")
    dovetail.set_experiment(experiment_id=dovetail.create_experiment("lines", artifact_location=place))
    return flavor_facade("lines")


class TestLogging:
    def test_registers_and_says_as_which_version(self, facade: Any, line: Any) -> None:
        infos = [facade.log_model(line, registered_model_name="wine", await_registration_for=10) for _ in range(2)]
        assert [each.registered_model_version for each in infos] == [1, 2]
        assert "registered_model_version=2" in repr(infos[1])
        version = dovetail.Client().get_model_version("wine", 2)
        assert (version.source, version.run_id) == (infos[1].model_uri, infos[1].run_id)

    def test_registers_nothing_unless_asked(self, facade: Any, line: Any) -> None:
        assert facade.log_model(line).registered_model_version is None
        assert dovetail.search_registered_models() == []

    @pytest.mark.parametrize("name", ["a/b", "", "a:b"])
    def test_under_a_wrong_name_logs_nothing(self, name: str, facade: Any, line: Any) -> None:
        with pytest.raises(InvalidInput):
            facade.log_model(line, registered_model_name=name)
        assert dovetail.active_run() is None

    @pytest.mark.parametrize("options", [{}, {"step": 1}])
    @pytest.mark.parametrize("seconds", ["5", -1, float("nan")])
    def test_with_a_wrong_time_to_wait_logs_nothing(self, seconds: Any, options: Any, facade: Any, line: Any) -> None:
        with dovetail.start_run() as run, pytest.raises(InvalidInput, match="seconds"):
            facade.log_model(line, registered_model_name="wine", await_registration_for=seconds, **options)
        assert dovetail.artifacts.list_artifacts(run_id=run.info.run_id) == []
        assert dovetail.search_logged_models(output_format="list") == []
        assert dovetail.search_registered_models() == []

    def test_without_a_registry_uploads_nothing(self, facade: Any, line: Any) -> None:
        dovetail.set_registry_uri("nowhere://x")
        with dovetail.start_run() as run, pytest.raises(PluginMissing):
            facade.log_model(line, registered_model_name="wine")
        assert dovetail.artifacts.list_artifacts(run_id=run.info.run_id) == []

    def test_to_a_run_that_was_started_elsewhere_registers_beside_it(self, facade: Any, line: Any) -> None:
        here = dovetail.get_tracking_uri()
        with dovetail.start_run():
            dovetail.set_tracking_uri("memory://elsewhere")
            facade.log_model(line, registered_model_name="wine")
        assert dovetail.Client(here).get_model_version("wine", 1)

    def test_that_cannot_be_registered_says_where_it_is(self, facade: Any, line: Any) -> None:
        class Full(MemoryRegistryStore):
            def create_model_version(self, version: Any) -> Any:
                raise InvalidInput("no room")

        class FullRegistries:
            @hookimpl
            def dovetail_registry_stores(self) -> Any:
                return {"full": Full}

        plugins.register(FullRegistries(), "registry_stores", "full")
        dovetail.set_registry_uri("full://x")
        with pytest.raises(InvalidInput, match="logged, but not registered: no room") as caught:
            facade.log_model(line, registered_model_name="wine")
        active = dovetail.active_run()
        assert active is not None
        assert f"runs:/{active.info.run_id}/model" in str(caught.value)
        assert facade.load_model(f"runs:/{active.info.run_id}/model").slope == line.slope


class TestUnderANameThatIsTaken:
    def test_a_registered_version_stays_what_it_is(self, facade: Any, line: Any) -> None:
        other = type(line)(line.slope + 1)
        with dovetail.start_run() as run:
            facade.log_model(line, registered_model_name="wine")
            again = facade.log_model(other, registered_model_name="wine")
        assert [facade.load_model(f"models:/wine/{number}").slope for number in (1, 2)] == [line.slope, other.slope]
        assert again.model_uri == f"models:/{again.model_id}"
        assert [each.model_id for each in dovetail.get_run(run.info.run_id).outputs.model_outputs] == [again.model_id]

    def test_what_nobody_registered_is_replaced(self, facade: Any, line: Any) -> None:
        with dovetail.start_run():
            facade.log_model(line)
            again = facade.log_model(type(line)(line.slope + 1))
        assert facade.load_model(again.model_uri).slope == line.slope + 1


class TestWhatIsLoggedAlready:
    @pytest.fixture
    def uri(self, facade: Any, line: Any) -> str:
        with dovetail.start_run():
            return str(facade.log_model(line, name="deep/model").model_uri)

    def test_is_registered_as_it_is(self, facade: Any, uri: str) -> None:
        info = facade.log_model(uri, registered_model_name="mymodel")
        assert (info.model_uri, info.registered_model_version) == (uri, 1)
        assert dovetail.log_model(uri, registered_model_name="mymodel").registered_model_version == 2
        assert dovetail.log_model("models:/mymodel/1", registered_model_name="copy").registered_model_version == 1
        assert facade.load_model("models:/mymodel/1").slope == 2.0
        assert dovetail.active_run() is None

    @pytest.mark.parametrize("change", [{"metadata": {}}, {"digits": 3}, {"name": "other"}, {"run_id": "x"}])
    def test_cannot_be_changed(self, change: dict[str, Any], facade: Any, uri: str) -> None:
        with pytest.raises(InvalidInput, match=f"{next(iter(change))} cannot be given"):
            facade.log_model(uri, registered_model_name="mymodel", **change)
        assert dovetail.search_registered_models() == []

    def test_must_have_the_flavor(self, facade: Any, uri: str) -> None:
        from dovetail.models.registering import register_existing

        with pytest.raises(InvalidModel, match="no flavor 'other'"):
            register_existing("other", uri, "mymodel")

    def test_must_be_there(self, facade: Any) -> None:
        with pytest.raises(NotFound):
            facade.log_model(f"runs:/{'0' * 32}/model", registered_model_name="mymodel")
        assert dovetail.search_registered_models() == []

    def test_is_no_model_without_a_name_to_register(self, facade: Any, uri: str) -> None:
        with pytest.raises(InvalidModel):
            facade.log_model(uri)


class TestLoading:
    @pytest.fixture(autouse=True)
    def registered(self, facade: Any, line: Any) -> None:
        facade.log_model(line, registered_model_name="wine")
        client = dovetail.Client()
        client.set_registered_model_alias("wine", "champion", 1)
        client.transition_model_version_stage("wine", 1, "Production")

    @pytest.mark.parametrize(
        "uri", ["models:/wine/1", "models:/wine@champion", "models:/wine/production", "models:/wine/latest"]
    )
    def test_by_every_way_to_name_it(self, uri: str, facade: Any) -> None:
        assert facade.load_model(uri).slope == 2.0
        assert load_function(uri).predict([1.0]) == [3.0]
        assert (fetch_model(uri) / "MLmodel").is_file()
        assert get_model_info(uri).model_uri == uri
        assert get_model_dependencies(uri).endswith("requirements.txt")

    @pytest.mark.parametrize("uri", ["models:/wine/2", "models:/beer/1", "models:/wine/Staging", "models:/m-unknown"])
    def test_what_is_not_there_is_not_found(self, uri: str) -> None:
        with pytest.raises(NotFound):
            load_function(uri)

    def test_to_a_folder_of_ones_own(self, tmp_path: Path) -> None:
        assert load_function("models:/wine/1", tmp_path / "copy").predict([1.0]) == [3.0]
        assert (tmp_path / "copy" / "MLmodel").is_file()

    def test_trusts_the_registry_unless_nothing_is_trusted(self) -> None:
        with pytest.raises(Untrusted):
            load_function("models:/wine/1", trust="none")

    def test_from_a_registry_of_its_own(self, facade: Any, line: Any) -> None:
        dovetail.set_registry_uri("memory://a registry of its own")
        facade.log_model(line, registered_model_name="far")
        dovetail.set_tracking_uri("memory://nothing tracked here")
        assert facade.load_model("models:/far/latest").slope == 2.0


def test_a_place_that_keeps_runs_only_still_logs(lines: ModuleType, line: Any, tmp_path: Path) -> None:
    class RunsOnly:
        @hookimpl
        def dovetail_tracking_stores(self) -> Any:
            return {"runsonly": MemoryTrackingStore}

    plugins.register(RunsOnly(), "tracking_stores", "runsonly")
    dovetail.set_tracking_uri("runsonly://x")
    experiment = dovetail.create_experiment("x", artifact_location=str(tmp_path / "artifacts"))
    with dovetail.start_run(experiment_id=experiment):
        assert flavor_facade("lines").log_model(line).registered_model_version is None
        with pytest.raises(PluginMissing, match="models cannot be registered there"):
            flavor_facade("lines").log_model(line, registered_model_name="wine")
