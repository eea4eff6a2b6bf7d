"""Stories about the tags of models and versions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dovetail.testing.registry_store.base import Stories, added, labels, moments_later, registered
from dovetail.values import RegistryTag

if TYPE_CHECKING:
    from collections.abc import Callable

    from dovetail.registry.store import RegistryStore

__all__ = ["TagStories"]

ODD = {"größe": "🎉", "a b/c.d": " spaces ", "Case": "1", "case": "2", "empty": "", "k" * 250: "long"}


class TagStories(Stories):
    """Tags."""

    def test_tags_of_a_model_are_set_and_replaced(self, store: RegistryStore) -> None:
        """Those of the same key are replaced, the others stay."""
        store.create_registered_model("wine", tags=labels(a="1", b="2"))
        store.set_registered_model_tags("wine", labels(b="3", c="4"))
        assert store.get_registered_model("wine").tags == {"a": "1", "b": "3", "c": "4"}
        store.set_registered_model_tags("wine", [])
        assert store.get_registered_model("wine").tags == {"a": "1", "b": "3", "c": "4"}

    def test_tags_of_a_version_are_set_and_replaced(self, store: RegistryStore) -> None:
        """Those of the same key are replaced, the others stay, and no other version has them."""
        registered(store)
        added(store, tags=labels(a="1", b="2"))
        added(store)
        store.set_model_version_tags("wine", 1, labels(b="3", c="4"))
        assert store.get_model_version("wine", 1).tags == {"a": "1", "b": "3", "c": "4"}
        assert store.get_model_version("wine", 2).tags == {}
        assert store.get_registered_model("wine").tags == {}

    def test_the_last_of_several_values_counts(self, store: RegistryStore) -> None:
        """Where one key is given twice, the later value is kept."""
        twice = [RegistryTag("a", "1"), RegistryTag("a", "2")]
        store.create_registered_model("wine", tags=twice)
        added(store, tags=tuple(twice))
        assert store.get_registered_model("wine").tags == {"a": "2"}
        assert store.get_model_version("wine", 1).tags == {"a": "2"}

    def test_odd_tags_come_back_as_they_are(self, store: RegistryStore) -> None:
        """Keys differ by case, values keep their spaces, and any characters will do."""
        tags = tuple(RegistryTag(key, value) for key, value in ODD.items())
        registered(store, versions=1)
        store.set_registered_model_tags("wine", tags)
        store.set_model_version_tags("wine", 1, tags)
        assert store.get_registered_model("wine").tags == ODD
        assert store.get_model_version("wine", 1).tags == ODD

    def test_tags_are_removed(self, store: RegistryStore) -> None:
        """One tag goes, the others stay; one that is not there is none to remove."""
        store.create_registered_model("wine", tags=labels(a="1", b="2"))
        added(store, tags=labels(a="1", b="2"))
        for key in ("a", "a", "nothing"):
            store.delete_registered_model_tag("wine", key)
            store.delete_model_version_tag("wine", 1, key)
        assert store.get_registered_model("wine").tags == {"b": "2"}
        assert store.get_model_version("wine", 1).tags == {"b": "2"}

    def test_tagging_is_an_update(self, store: RegistryStore) -> None:
        """Setting and removing a tag sets the time of the last update, of a version's tag that of its model, too."""
        registered(store, versions=1)
        tags = labels(a="1")
        of_version: list[Callable[[], None]] = [
            lambda: store.set_model_version_tags("wine", 1, tags),
            lambda: store.delete_model_version_tag("wine", 1, "a"),
        ]
        of_model: list[Callable[[], None]] = [
            lambda: store.set_registered_model_tags("wine", tags),
            lambda: store.delete_registered_model_tag("wine", "a"),
        ]
        for change in (*of_version, *of_model):
            model, version = store.get_registered_model("wine"), store.get_model_version("wine", 1)
            moments_later()
            change()
            updated = store.get_model_version("wine", 1).last_updated_timestamp
            assert store.get_registered_model("wine").last_updated_timestamp > model.last_updated_timestamp
            assert (updated > version.last_updated_timestamp) == (change in of_version)
