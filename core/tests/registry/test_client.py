"""Registered models and versions through the client."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import dovetail
from dovetail.errors import (
    AlreadyExists,
    InvalidFilter,
    InvalidInput,
    InvalidName,
    InvalidUri,
    NotFound,
    PluginMissing,
)
from dovetail.testing import MemoryTrackingStore
from dovetail.tracking import places
from dovetail.tracking.source import user_name
from dovetail.values import LoggedModelOutput, NewLoggedModel, NewModelVersion

if TYPE_CHECKING:
    from collections.abc import Callable

    from dovetail import Client


class TestRegisteredModels:
    def test_are_created_read_and_renamed(self, client: Client) -> None:
        made = client.create_registered_model("wine", {"team": 1}, "reds")
        assert (made.name, made.tags, made.description, made.latest_versions) == ("wine", {"team": "1"}, "reds", [])
        assert client.rename_registered_model("wine", "vino").name == "vino"
        assert client.get_registered_model("vino").description == "reds"
        with pytest.raises(NotFound, match="'wine'"):
            client.get_registered_model("wine")

    @pytest.mark.parametrize("name", ["", " ", "a/b", "a:b", "x" * 257, 3, None, "nul\0", ".", "..", "a\nb"])
    def test_of_wrong_names_are_refused(self, name: Any, client: Client) -> None:
        client.create_registered_model("wine")
        for call in (client.create_registered_model, client.get_registered_model, client.delete_registered_model):
            with pytest.raises(InvalidInput):
                call(name)
        with pytest.raises(InvalidInput):
            client.rename_registered_model("wine", name)

    @pytest.mark.parametrize("name", ["red wine", "50%2F50", "wine?#1", "a@b", "вино", "...", "m-1"])
    def test_of_odd_names_are_found_by_uri(self, name: str, client: Client) -> None:
        client.create_registered_model(name)
        client.create_model_version(name, "s3://bucket/1")
        client.set_registered_model_alias(name, "champion", 1)
        assert client.copy_model_version(f"models:/{name}@champion", "copies").source == "s3://bucket/1"

    def test_names_are_taken_once(self, client: Client) -> None:
        client.create_registered_model("wine")
        client.create_registered_model("beer")
        with pytest.raises(AlreadyExists) as caught:
            client.create_registered_model("wine")
        assert caught.value.error_code == "RESOURCE_ALREADY_EXISTS"
        with pytest.raises(AlreadyExists):
            client.rename_registered_model("beer", "wine")

    def test_descriptions_come_and_go(self, client: Client) -> None:
        client.create_registered_model("wine", description="reds")
        assert client.update_registered_model("wine", "whites").description == "whites"
        assert not client.update_registered_model("wine").description
        with pytest.raises(InvalidInput, match="5000"):
            client.update_registered_model("wine", "x" * 5001)

    def test_tags_are_text(self, client: Client) -> None:
        client.create_registered_model("wine")
        client.set_registered_model_tag("wine", "trees", 5)
        assert client.get_registered_model("wine").tags == {"trees": "5"}
        client.delete_registered_model_tag("wine", "trees")
        client.delete_registered_model_tag("wine", "trees")
        assert client.get_registered_model("wine").tags == {}
        with pytest.raises(InvalidInput, match="dict"):
            client.create_registered_model("beer", ["a"])  # type: ignore[arg-type]
        with pytest.raises(InvalidName, match="tag key"):
            client.set_registered_model_tag("wine", ["a"], "b")  # type: ignore[arg-type]
        with pytest.raises(NotFound):
            client.get_registered_model("beer")

    def test_are_searched_page_by_page(self, client: Client) -> None:
        for name in ("c", "a", "b"):
            client.create_registered_model(name)
        page = client.search_registered_models(max_results=2)
        assert [each.name for each in page] == ["a", "b"]
        assert [each.name for each in client.search_registered_models(page_token=page.token, max_results=2)] == ["c"]
        backwards = client.search_registered_models("name LIKE '%'", order_by="name DESC")
        assert [each.name for each in backwards] == ["c", "b", "a"]

    @pytest.mark.parametrize("wrong", [0, -1, 1001, "3", True, None])
    def test_sizes_of_pages_have_limits(self, wrong: Any, client: Client) -> None:
        with pytest.raises(InvalidInput, match="1000"):
            client.search_registered_models(max_results=wrong)

    @pytest.mark.parametrize("wrong", [5, {"name": 1}, [5]])
    def test_an_order_that_is_none_says_so(self, wrong: Any, client: Client) -> None:
        for search in (client.search_registered_models, client.search_model_versions):
            with pytest.raises(InvalidFilter, match="order"):
                search(order_by=wrong)
        for verb in (dovetail.search_registered_models, dovetail.search_model_versions):
            with pytest.raises(InvalidFilter, match="order"):
                verb(order_by=wrong)

    def test_a_filter_that_is_none_says_so(self, client: Client) -> None:
        with pytest.raises(InvalidFilter):
            client.search_registered_models("nonsense")
        with pytest.raises(InvalidFilter):
            client.search_model_versions("nonsense = 3")

    def test_deleting_one_takes_its_versions_along(self, wine: Client) -> None:
        wine.delete_registered_model("wine")
        assert wine.search_model_versions() == []
        assert wine.create_registered_model("wine").latest_versions == []


class TestVersions:
    def test_count_up_and_are_whole_numbers(self, wine: Client) -> None:
        made = wine.create_model_version("wine", "s3://bucket/4", tags={"a": 1}, description="d", run_link="http://x")
        assert (made.version, made.source, made.tags, made.description) == (4, "s3://bucket/4", {"a": "1"}, "d")
        assert (made.user_id, made.status, made.current_stage) == (user_name(), "READY", "None")
        assert made.run_link == "http://x"
        wine.delete_model_version("wine", 4)
        assert wine.create_model_version("wine", "s3://bucket/5").version == 5

    @pytest.mark.parametrize("version", [2, "2", "02"])
    def test_are_named_by_number_or_digits(self, version: int | str, wine: Client) -> None:
        assert wine.get_model_version("wine", version).version == 2

    @pytest.mark.parametrize("version", ["x", "latest", 0, -1, 1.0, True, None, "", 10**30])
    def test_what_is_no_number_is_refused(self, version: Any, wine: Client) -> None:
        with pytest.raises(InvalidInput):
            wine.get_model_version("wine", version)

    def test_that_are_not_there_are_not_found(self, wine: Client) -> None:
        missing = NotFound
        for call in (wine.get_model_version, wine.delete_model_version, wine.get_model_version_download_uri):
            with pytest.raises(missing):
                call("wine", 99)
            with pytest.raises(missing):
                call("beer", 1)
        with pytest.raises(missing):
            wine.create_model_version("beer", "s3://bucket/1")

    def test_descriptions(self, wine: Client) -> None:
        assert wine.update_model_version("wine", "1", "first").description == "first"
        assert wine.update_model_version("wine", 1, "").description == ""
        with pytest.raises(InvalidInput, match="nothing to change"):
            wine.update_model_version("wine", 1)

    def test_tags_by_number_or_stage(self, wine: Client) -> None:
        wine.transition_model_version_stage("wine", 2, "staging")
        wine.set_model_version_tag("wine", "1", "a", None)
        wine.set_model_version_tag("wine", key="b", value=2, stage="STAGING")
        assert wine.get_model_version("wine", 1).tags == {"a": "None"}
        assert wine.get_model_version("wine", 2).tags == {"b": "2"}
        wine.delete_model_version_tag("wine", key="b", stage="Staging")
        wine.delete_model_version_tag("wine", 1, "a")
        wine.delete_model_version_tag("wine", 1, "never there")
        assert not wine.get_model_version("wine", 1).tags
        assert not wine.get_model_version("wine", 2).tags

    @pytest.mark.parametrize(
        "named",
        [{}, {"key": "k"}, {"version": 1}, {"version": 1, "key": "k", "stage": "Staging"}, {"key": "k", "stage": "x"}],
    )
    def test_tags_of_no_version_or_key_are_refused(self, named: dict[str, Any], wine: Client) -> None:
        for call in (wine.set_model_version_tag, wine.delete_model_version_tag):
            with pytest.raises(InvalidInput):
                call("wine", **named)

    def test_tags_by_a_stage_that_is_empty(self, wine: Client) -> None:
        with pytest.raises(NotFound, match="stage Production") as caught:
            wine.set_model_version_tag("wine", key="k", value="v", stage="Production")
        assert "None (version 3)" in str(caught.value)

    def test_are_searched(self, wine: Client) -> None:
        assert [each.version for each in wine.search_model_versions("name = 'wine'", 2, "version_number ASC")] == [1, 2]
        with pytest.raises(InvalidInput, match="200000"):
            wine.search_model_versions(max_results=200_001)


class TestSources:
    @pytest.mark.parametrize("source", ["models/a", Path("models/a"), "./models/../models/a"])
    def test_paths_become_absolute(self, source: str | Path, wine: Client) -> None:
        made = wine.create_model_version("wine", source)
        assert made.source == Path("models/a").absolute().as_uri()
        assert wine.get_model_version_download_uri("wine", made.version) == made.source

    def test_of_runs_stay_what_they_are(self, wine: Client, logged: Callable[..., str]) -> None:
        uri = logged("deep/model")
        made = wine.create_model_version("wine", uri)
        run_id = uri.split("/")[1]
        assert (made.source, made.run_id) == (uri, run_id)
        files = wine.get_model_version_download_uri("wine", made.version)
        assert files == f"{wine.get_run(run_id).info.artifact_uri}/deep/model"

    def test_of_runs_are_places_where_runs_are_tracked_elsewhere(
        self, client: Client, logged: Callable[..., str]
    ) -> None:
        uri = logged()
        dovetail.set_registry_uri(f"{client.tracking_uri}-models")
        client.create_registered_model("wine")
        made = client.create_model_version("wine", uri)
        run = client.get_run(uri.split("/")[1])
        assert (made.source, made.run_id) == (f"{run.info.artifact_uri}/model", run.info.run_id)
        dovetail.set_tracking_uri("memory://somewhere else")
        assert dovetail.artifacts.load_text("models:/wine/1/data/weights.txt") == "weights"

    def test_of_runs_that_are_not_there(self, wine: Client) -> None:
        with pytest.raises(NotFound):
            wine.create_model_version("wine", f"runs:/{'0' * 32}/model")
        for uri in ("runs:/", "runs://x", "runs:/abc/../x"):
            with pytest.raises(InvalidUri):
                wine.create_model_version("wine", uri)
        assert wine.get_registered_model("wine").latest_versions[0].version == 3

    def test_must_not_say_something_else_than_the_caller(self, wine: Client, logged: Callable[..., str]) -> None:
        uri = logged()
        assert wine.create_model_version("wine", uri, run_id=uri.split("/")[1]).source == uri
        with pytest.raises(InvalidInput, match="is named besides"):
            wine.create_model_version("wine", uri, run_id="0" * 32)
        assert wine.create_model_version("wine", "s3://x/y", run_id="0" * 32).run_id == "0" * 32

    def test_logged_models(self, wine: Client) -> None:
        model = wine.store.create_logged_model(NewLoggedModel("0", source_run_id="a" * 32))
        made = wine.create_model_version("wine", model.model_uri)
        assert (made.source, made.model_id, made.run_id) == (model.model_uri, model.model_id, "a" * 32)
        assert wine.get_model_version_download_uri("wine", made.version) == model.artifact_location
        with pytest.raises(NotFound):
            wine.create_model_version("wine", "models:/m-unknown")

    def test_other_versions_lead_to_what_those_are_made_of(self, wine: Client, logged: Callable[..., str]) -> None:
        uri = logged()
        version = wine.create_model_version("wine", uri).version
        wine.create_registered_model("beer")
        made = wine.create_model_version("beer", "models:/wine/latest")
        part = wine.create_model_version("beer", f"models:/wine/{version}/data")
        assert (made.source, made.run_id) == (uri, uri.split("/")[1])
        assert part.source == f"{uri}/data"
        wine.delete_registered_model("wine")
        assert dovetail.artifacts.load_text("models:/beer/1/data/weights.txt") == "weights"
        assert dovetail.artifacts.load_text("models:/beer/2/weights.txt") == "weights"

    @pytest.mark.parametrize("below", ["", "data"])
    def test_whose_files_are_gone_are_not_downloaded(
        self, below: str, wine: Client, logged: Callable[..., str], tmp_path: Path
    ) -> None:
        uri = logged()
        version = wine.create_model_version("wine", f"{uri}/{below}".strip("/")).version
        assert dovetail.artifacts.download_artifacts(f"models:/wine/{version}", dst_path=tmp_path / "whole")
        files = dovetail.artifacts.download_artifacts(uri)
        shutil.rmtree(files)
        with pytest.raises(NotFound, match=f"models:/wine/{version} has no files"):
            dovetail.artifacts.download_artifacts(f"models:/wine/{version}", dst_path=tmp_path / "gone")
        assert not (tmp_path / "gone").exists()

    def test_a_part_of_a_logged_model_is_named_by_its_files(self, wine: Client) -> None:
        model = wine.store.create_logged_model(NewLoggedModel("0"))
        version = wine.create_model_version("wine", model.model_uri).version
        part = wine.create_model_version("wine", f"models:/wine/{version}/data")
        assert part.source == f"{model.artifact_location}/data"

    @pytest.mark.parametrize("source", ["", "  ", None, 3, "x" * 5000, "a\ud800b", "file:///a\ud800b"])
    def test_that_are_none_are_refused(self, source: Any, wine: Client) -> None:
        with pytest.raises(InvalidInput):
            wine.create_model_version("wine", source)

    def test_that_lead_in_circles_end(self, wine: Client) -> None:
        for name, other in (("a", "b"), ("b", "a")):
            wine.create_registered_model(name)
            wine.registry.create_model_version(NewModelVersion(name, f"models:/{other}/1"))
        with pytest.raises(InvalidUri, match="leads to no files"):
            wine.get_model_version_download_uri("a", 1)

    def test_in_the_bin_are_not_registered(self, wine: Client, tmp_path: Path) -> None:
        (tmp_path / "MLmodel").write_text("flavors: {}\n")
        with dovetail.start_run() as run:
            model = dovetail.initialize_logged_model("net")
            wine.log_model_artifact(model.model_id, str(tmp_path / "MLmodel"))
            dovetail.log_outputs([LoggedModelOutput(model.model_id)])
        uri = f"runs:/{run.info.run_id}/net"
        assert wine.create_model_version("wine", uri).model_id == model.model_id
        wine.delete_logged_model(model.model_id)
        for source in (model.model_uri, uri):
            with pytest.raises(NotFound, match=model.model_id):
                wine.create_model_version("wine", source)
            with pytest.raises(NotFound, match=model.model_id):
                dovetail.register_model(source, "another")
        assert len(wine.search_model_versions("name = 'wine'")) == 4
        assert [each.name for each in wine.search_registered_models()] == ["wine"]

    def test_that_are_gone_are_not_found(self, wine: Client) -> None:
        wine.registry.create_model_version(NewModelVersion("wine", f"runs:/{'0' * 32}/model"))
        with pytest.raises(NotFound):
            wine.get_model_version_download_uri("wine", 4)


class TestCopies:
    def test_have_what_the_original_has(self, wine: Client, logged: Callable[..., str]) -> None:
        uri = logged()
        wine.create_model_version("wine", uri, tags={"a": "b"}, description="d")
        wine.set_registered_model_alias("wine", "champion", 4)
        made = wine.copy_model_version("models:/wine@champion", "production-wine")
        assert (made.name, made.version, made.aliases, made.current_stage) == ("production-wine", 1, [], "None")
        assert (made.run_id, made.description) == (uri.split("/")[1], "d")
        assert made.tags == {"a": "b", "dovetail.copiedFrom": "models:/wine/4"}

    def test_outlive_the_original(self, wine: Client, logged: Callable[..., str]) -> None:
        wine.create_model_version("wine", logged())
        wine.copy_model_version("models:/wine/4", "copies")
        wine.copy_model_version("models:/copies/1", "copies")
        wine.delete_registered_model("wine")
        assert dovetail.artifacts.load_text("models:/copies/2/data/weights.txt") == "weights"

    @pytest.mark.parametrize("uri", ["models:/wine/99", "models:/wine/Production", "models:/beer/1"])
    def test_of_what_is_not_there_make_nothing(self, uri: str, wine: Client) -> None:
        with pytest.raises(NotFound):
            wine.copy_model_version(uri, "copies")
        with pytest.raises(NotFound):
            wine.get_registered_model("copies")

    @pytest.mark.parametrize(
        "uri", ["runs:/x/model", "models:/m-1", "models:/wine/1/data", "models:/wine@nobody", "x", None, 3]
    )
    def test_of_something_else_are_refused(self, uri: Any, wine: Client) -> None:
        with pytest.raises(InvalidInput):
            wine.copy_model_version(uri, "copies")
        with pytest.raises(InvalidName):
            wine.copy_model_version("models:/wine/1", "a/b")


class TestPlaces:
    def test_a_client_registers_where_it_is_told(self, client: Client) -> None:
        own = dovetail.Client(client.tracking_uri, registry_uri=f"{client.tracking_uri}-models")
        own.create_registered_model("wine")
        assert client.search_registered_models() == []
        assert dovetail.Client(registry_uri=own.registry_uri).get_registered_model("wine")

    def test_a_registry_is_opened_once_and_closed_with_the_stores(self, client: Client) -> None:
        assert places.registry_store() is client.registry is places.open_registry(client.registry_uri)
        places.forget_stores()
        assert client.search_registered_models() == []

    def test_a_setting_chooses_it(self, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("MLFLOW_REGISTRY_URI", "memory://set")
        assert client.registry.uri == "memory://set"
        monkeypatch.setenv("DOVETAIL_REGISTRY_URI", "nowhere://x")
        with pytest.raises(PluginMissing, match="DOVETAIL_REGISTRY_URI"):
            client.search_registered_models()

    def test_a_place_without_a_registry_says_so(self) -> None:
        from dovetail import hookimpl, plugins

        class Notes:
            @hookimpl
            def dovetail_tracking_stores(self) -> Any:
                return {"notes": MemoryTrackingStore}

        plugins.register(Notes(), "tracking_stores", "notes")
        dovetail.set_tracking_uri("notes://x")
        with pytest.raises(PluginMissing, match="models cannot be registered there") as caught:
            dovetail.Client().create_registered_model("wine")
        assert "DOVETAIL_REGISTRY_URI" in str(caught.value)
        dovetail.set_registry_uri("memory://models of notes")
        assert dovetail.Client().search_registered_models() == []
