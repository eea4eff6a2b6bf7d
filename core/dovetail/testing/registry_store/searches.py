"""Stories about searching models and versions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dovetail.errors import InvalidFilter
from dovetail.testing.registry_store.base import Stories, added, labels, moments_later, registered, walk
from dovetail.testing.search_corpus import (
    MODEL_VERSION_ORDERS,
    MODEL_VERSION_SEARCHES,
    MODEL_VERSIONS,
    REFUSED_MODEL_VERSION_FILTERS,
    REFUSED_MODEL_VERSION_ORDERS,
    REFUSED_REGISTERED_MODEL_FILTERS,
    REFUSED_REGISTERED_MODEL_ORDERS,
    REGISTERED_MODEL_ORDERS,
    REGISTERED_MODEL_SEARCHES,
    REGISTERED_MODELS,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dovetail.registry.store import RegistryStore
    from dovetail.values import ModelVersion, RegisteredModel

__all__ = ["ModelSearchStories", "VersionSearchStories"]

RUBBISH = ["rubbish", "é", "LTE=", "W10=", "e30="]


def names(models: Sequence[RegisteredModel]) -> list[str]:
    """The names of models."""
    return [model.name for model in models]


def called(versions: Sequence[ModelVersion]) -> list[str]:
    """The names and numbers of versions."""
    return [f"{version.name}/{version.version}" for version in versions]


class ModelSearchStories(Stories):
    """Filters, orders and pages of registered models."""

    @pytest.fixture
    def models(self, store: RegistryStore) -> RegistryStore:
        """A registry with the models of the search corpus."""
        for example in REGISTERED_MODELS:
            store.create_registered_model(example["name"], tags=labels(**example["tags"]))
        return store

    def test_model_filters_mean_the_same_in_every_registry(self, models: RegistryStore) -> None:
        """Every search of the corpus finds the models it must."""
        found = {text: frozenset(names(models.search_registered_models(text))) for text, _ in REGISTERED_MODEL_SEARCHES}
        wrong = {text: sorted(found[text]) for text, wanted in REGISTERED_MODEL_SEARCHES if found[text] != wanted}
        assert wrong == {}

    def test_model_orders_mean_the_same_in_every_registry(self, models: RegistryStore) -> None:
        """Every order of the corpus sorts the models as it must."""
        found = {
            clauses: names(models.search_registered_models(order_by=clauses)) for clauses, _ in REGISTERED_MODEL_ORDERS
        }
        wrong = {clauses: found[clauses] for clauses, wanted in REGISTERED_MODEL_ORDERS if found[clauses] != wanted}
        assert wrong == {}

    def test_model_filters_that_cannot_be_parsed_are_refused(self, models: RegistryStore) -> None:
        """A filter or an order outside the grammar raises InvalidFilter, and nothing else happens."""
        for text in REFUSED_REGISTERED_MODEL_FILTERS:
            with pytest.raises(InvalidFilter):
                models.search_registered_models(text)
        for clauses in REFUSED_REGISTERED_MODEL_ORDERS:
            with pytest.raises(InvalidFilter):
                models.search_registered_models(order_by=clauses)
        assert len(models.search_registered_models()) == len(REGISTERED_MODELS)

    def test_a_model_is_found_with_all_it_has(self, models: RegistryStore) -> None:
        """What a search finds is what get_registered_model gives, aliases and latest versions included."""
        for name in ("alpha", "Beta"):
            for stage in ("None", "Staging", "Production", "Production"):
                version = added(models, name, tags=labels(a="1", b="2"))
                models.transition_stage(name, version, stage)
            models.move_alias(name, "champion", 3)
            models.move_alias(name, "challenger", 4)
        found = models.search_registered_models()
        assert list(found) == [models.get_registered_model(name) for name in names(found)]
        assert [len(model.latest_versions) for model in found] == [3, 3, 0, 0, 0]

    def test_models_are_sorted_by_their_last_update(self, store: RegistryStore) -> None:
        """The time of the last update is what changes it; ties go by name."""
        for name in ("c", "a", "b"):
            registered(store, name)
            moments_later()
        store.set_registered_model_tags("c", labels(x="1"))
        assert names(store.search_registered_models(order_by=["last_updated_timestamp"])) == ["a", "b", "c"]
        assert names(store.search_registered_models(order_by=["last_updated_timestamp DESC"])) == ["c", "b", "a"]
        assert names(store.search_registered_models(order_by=["creation_timestamp DESC"])) == ["b", "a", "c"]

    def test_a_model_search_sees_what_was_written_before_it(self, store: RegistryStore) -> None:
        """Renaming, tagging and deleting are seen by the next search."""
        registered(store, "wine")
        registered(store, "beer")
        store.set_registered_model_tags("wine", labels(a="1"))
        store.update_registered_model("wine", new_name="vino")
        store.delete_registered_model("beer")
        assert names(store.search_registered_models("tags.a = '1'")) == ["vino"]
        assert names(store.search_registered_models("name LIKE '%'")) == ["vino"]

    @pytest.mark.parametrize("size", [1, 2, 5, 100])
    @pytest.mark.parametrize("order", [(), ("name DESC",), ("last_updated_timestamp",)])
    def test_pages_hold_every_model_once(self, models: RegistryStore, size: int, order: tuple[str, ...]) -> None:
        """Page by page, all models come in order; the last page has no token."""
        whole = models.search_registered_models("name != 'gamma'", order)
        pages = walk(lambda token: models.search_registered_models("name != 'gamma'", order, size, token))
        assert [model for page in pages for model in page] == list(whole)
        assert [len(page) for page in pages[:-1]] == [size] * (len(pages) - 1)
        assert 0 < len(pages[-1]) <= size

    def test_a_model_token_is_good_for_its_own_search_alone(self, models: RegistryStore) -> None:
        """With another filter or order, or made up, it is InvalidFilter."""
        token = models.search_registered_models(max_results=1).token
        for text, order, given in (
            ("name != 'x'", (), token),
            (None, ("name DESC",), token),
            *((None, (), rubbish) for rubbish in RUBBISH),
        ):
            with pytest.raises(InvalidFilter):
                models.search_registered_models(text, order, 1, given)


class VersionSearchStories(Stories):
    """Filters, orders and pages of versions."""

    @pytest.fixture
    def versions(self, store: RegistryStore) -> RegistryStore:
        """A registry with the versions of the search corpus."""
        for name in sorted({example["name"] for example in MODEL_VERSIONS}):
            registered(store, name)
        for example in MODEL_VERSIONS:
            fields = ("source", "run_id", "model_id", "creation_timestamp")
            given = {field: example[field] for field in fields}  # type: ignore[literal-required]
            added(store, example["name"], tags=labels(**example["tags"]), **given)
        return store

    def test_version_filters_mean_the_same_in_every_registry(self, versions: RegistryStore) -> None:
        """Every search of the corpus finds the versions it must."""
        found = {text: frozenset(called(versions.search_model_versions(text))) for text, _ in MODEL_VERSION_SEARCHES}
        wrong = {text: sorted(found[text]) for text, wanted in MODEL_VERSION_SEARCHES if found[text] != wanted}
        assert wrong == {}

    def test_version_orders_mean_the_same_in_every_registry(self, versions: RegistryStore) -> None:
        """Every order of the corpus sorts the versions as it must."""
        found = {
            clauses: called(versions.search_model_versions(order_by=clauses)) for clauses, _ in MODEL_VERSION_ORDERS
        }
        wrong = {clauses: found[clauses] for clauses, wanted in MODEL_VERSION_ORDERS if found[clauses] != wanted}
        assert wrong == {}

    def test_version_filters_that_cannot_be_parsed_are_refused(self, versions: RegistryStore) -> None:
        """A filter or an order outside the grammar raises InvalidFilter, and nothing else happens."""
        for text in REFUSED_MODEL_VERSION_FILTERS:
            with pytest.raises(InvalidFilter):
                versions.search_model_versions(text)
        for clauses in REFUSED_MODEL_VERSION_ORDERS:
            with pytest.raises(InvalidFilter):
                versions.search_model_versions(order_by=clauses)
        assert len(versions.search_model_versions()) == len(MODEL_VERSIONS)

    def test_a_version_is_found_with_all_it_has(self, versions: RegistryStore) -> None:
        """What a search finds is what get_model_version gives, aliases and stage included."""
        versions.transition_stage("wine", 2, "Production")
        for alias in ("champion", "best"):
            versions.move_alias("wine", alias, 2)
        found = versions.search_model_versions()
        assert list(found) == [versions.get_model_version(each.name, each.version) for each in found]
        assert called(versions.search_model_versions("current_stage = 'Production'")) == ["wine/2"]

    def test_without_an_order_the_latest_update_comes_first(self, store: RegistryStore) -> None:
        """Versions go by their last update, latest first, then by name, then by number, highest first."""
        for name in ("b", "a"):
            registered(store, name)
            for created in (2000, 1000, 2000):
                added(store, name, creation_timestamp=created)
        assert called(store.search_model_versions()) == ["a/3", "a/1", "b/3", "b/1", "a/2", "b/2"]
        store.set_model_version_tags("b", 2, labels(x="1"))
        assert called(store.search_model_versions())[0] == "b/2"
        assert called(store.search_model_versions(order_by=["current_stage"]))[:2] == ["b/2", "a/3"]

    def test_a_version_search_sees_what_was_written_before_it(self, store: RegistryStore) -> None:
        """Renaming, tagging, staging and deleting are seen by the next search."""
        registered(store, versions=3)
        store.set_model_version_tags("wine", 1, labels(a="1"))
        store.transition_stage("wine", 1, "Staging")
        store.update_registered_model("wine", new_name="vino")
        store.delete_model_version("vino", 2)
        text = "name = 'vino' AND tags.a = '1' AND current_stage = 'Staging'"
        assert called(store.search_model_versions(text)) == ["vino/1"]
        assert sorted(called(store.search_model_versions())) == ["vino/1", "vino/3"]
        assert called(store.search_model_versions("name = 'wine'")) == []

    @pytest.mark.parametrize("size", [1, 3, 13, 100])
    @pytest.mark.parametrize("order", [(), ("run_id DESC",), ("name", "version_number DESC"), ("source_path",)])
    def test_pages_hold_every_version_once(self, versions: RegistryStore, size: int, order: tuple[str, ...]) -> None:
        """Page by page, all versions come in order; the last page has no token."""
        whole = versions.search_model_versions("name != 'iris'", order)
        pages = walk(lambda token: versions.search_model_versions("name != 'iris'", order, size, token))
        assert [version for page in pages for version in page] == list(whole)
        assert [len(page) for page in pages[:-1]] == [size] * (len(pages) - 1)
        assert 0 < len(pages[-1]) <= size

    def test_a_version_token_is_good_for_its_own_search_alone(self, versions: RegistryStore) -> None:
        """With another filter or order, of a search of models, or made up, it is InvalidFilter."""
        token = versions.search_model_versions(max_results=1).token
        of_models = versions.search_registered_models(max_results=1).token
        for text, order, given in (
            ("name != 'x'", (), token),
            (None, ("name",), token),
            (None, (), of_models),
            *((None, (), rubbish) for rubbish in RUBBISH),
        ):
            with pytest.raises(InvalidFilter):
                versions.search_model_versions(text, order, 1, given)
