"""Registered models on a server of MLflow's, apart from the suite, which asks for prompts and histories."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Protocol

import pytest

from dovetail.errors import AliasMoved, InvalidFilter, StageMoved
from dovetail.values import NewLoggedModel, NewModelVersion, RegistryTag
from dovetail_http import open_registry, open_tracking

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dovetail.registry.store import RegistryStore

    class Served(Protocol):
        uri: str


@pytest.fixture
def store(server: Served) -> Iterator[RegistryStore]:
    """The registry on a server of MLflow's, with five versions of two models."""
    with closing(open_registry(server.uri)) as store:
        for name, count in (("wine", 3), ("beer", 2)):
            store.create_registered_model(name)
            for number in range(1, count + 1):
                tags = (RegistryTag("even", str(number % 2 == 0)),)
                store.create_model_version(NewModelVersion(name, f"s3://models/{name}/{number}", tags=tags))
        yield store


def found(store: RegistryStore, text: str | None, *order: str) -> list[str]:
    return [f"{each.name}/{each.version}" for each in store.search_model_versions(text, order)]


class TestASearchOfVersions:
    def test_means_what_it_means_elsewhere(self, store: RegistryStore) -> None:
        order = "name", "version_number DESC"
        assert found(store, None, *order) == ["beer/2", "beer/1", "wine/3", "wine/2", "wine/1"]
        assert found(store, "name = 'wine' AND version_number > 1", *order) == ["wine/3", "wine/2"]
        assert found(store, "tags.even = 'True' OR version_number = 3", *order) == ["beer/2", "wine/3", "wine/2"]
        assert found(store, "NOT name = 'wine' AND source LIKE '%/1'", *order) == ["beer/1"]
        assert found(store, "tags.mlflow.prompt.is_prompt != 'true' AND name = 'beer'", *order) == ["beer/2", "beer/1"]

    def test_shows_aliases(self, store: RegistryStore) -> None:
        for alias in ("old", "champion"):
            store.move_alias("wine", alias, 2)
        (version,) = store.search_model_versions("name = 'wine' AND version_number = 2")
        assert version.aliases == ["champion", "old"]

    def test_comes_in_pages_of_its_own(self, store: RegistryStore) -> None:
        first = store.search_model_versions(order_by=["name", "version_number"], max_results=3)
        second = store.search_model_versions(order_by=["name", "version_number"], max_results=3, page_token=first.token)
        assert [each.version for each in (*first, *second)] == [1, 2, 1, 2, 3]
        assert second.token is None
        with pytest.raises(InvalidFilter):
            store.search_model_versions("name = 'wine'", max_results=3, page_token=first.token)


class TestAnAlias:
    def test_that_is_elsewhere_than_expected_stays(self, store: RegistryStore) -> None:
        store.move_alias("wine", "champion", 1, expected=None)
        with pytest.raises(AliasMoved, match="points at version 1"):
            store.move_alias("wine", "champion", 3, expected=2)
        moved = store.move_alias("wine", "champion", 3, expected=1, user_id="ann", reason="better")
        assert moved is not None
        assert (moved.before, moved.after, moved.user_id, moved.reason) == ("1", "3", "ann", "better")
        assert store.get_registered_model("wine").aliases == {"champion": 3}
        assert list(store.get_history("wine")) == []


class TestAStage:
    def test_that_is_another_than_expected_stays(self, store: RegistryStore) -> None:
        store.transition_stage("wine", 1, "Staging", expected="None")
        with pytest.raises(StageMoved, match="is in stage Staging"):
            store.transition_stage("wine", 1, "Production", expected="None")
        assert store.get_model_version("wine", 1).current_stage == "Staging"

    @pytest.mark.parametrize("stage", ["Production", "None"])
    def test_is_emptied_of_others_on_request(self, store: RegistryStore, stage: str) -> None:
        for number in (1, 2):
            store.transition_stage("wine", number, stage)
        store.transition_stage("wine", 3, stage, archive_existing=True)
        stages = {number: store.get_model_version("wine", number).current_stage for number in (1, 2, 3)}
        assert stages == {1: "Archived", 2: "Archived", 3: stage}


class TestAVersionOfALoggedModel:
    def test_may_be_named_by_its_source_alone(self, store: RegistryStore, server: Served) -> None:
        with closing(open_tracking(server.uri)) as tracking:
            model = tracking.create_logged_model(NewLoggedModel("0"))
        made = store.create_model_version(NewModelVersion("wine", model.model_uri))
        assert (made.version, made.model_id, made.source) == (4, model.model_id, model.model_uri)
