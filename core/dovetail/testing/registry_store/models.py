"""Stories about registered models: made, described, renamed, deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dovetail.errors import AlreadyExists, NotFound
from dovetail.testing.registry_store.base import Stories, added, everything, labels, moments_later, registered
from dovetail.values.measure import now_ms

if TYPE_CHECKING:
    from dovetail.registry.store import RegistryStore
    from dovetail.values import RegisteredModel

__all__ = ["ModelStories"]

ODD_NAMES = [
    "two words",
    "größe",
    "模型",
    "🍷",
    "a%b_c",
    'it\'s "quoted" `so`',
    "a\\b",
    "no\xa0break",
    "?x=1&y#z",
    "n" * 256,
]


class ModelStories(Stories):
    """Registered models."""

    def test_a_model_is_what_it_was_made_as(self, store: RegistryStore) -> None:
        """A new model has its name, description and tags, no versions, and both times are now."""
        before = now_ms()
        model = store.create_registered_model("wine", "Rates wine.", labels(team="vision", empty=""))
        assert (model.name, model.description) == ("wine", "Rates wine.")
        assert (model.tags, model.aliases, model.latest_versions) == ({"team": "vision", "empty": ""}, {}, [])
        assert model.creation_timestamp == model.last_updated_timestamp
        assert before - 1000 <= model.creation_timestamp <= now_ms() + 1000
        assert store.get_registered_model("wine") == model

    def test_a_model_without_a_description_has_none(self, store: RegistryStore) -> None:
        """No description is None, an empty one is empty."""
        assert store.create_registered_model("none").description is None
        assert store.create_registered_model("empty", "").description == ""
        assert store.get_registered_model("none").description is None
        assert store.get_registered_model("empty").description == ""

    def test_names_come_back_as_they_are(self, store: RegistryStore) -> None:
        """A name may hold any characters that show, but slash and colon, and any number of them up to the limit."""
        for name in ODD_NAMES:
            registered(store, name, versions=1)
        assert sorted(model.name for model in store.search_registered_models()) == sorted(ODD_NAMES)
        for name in ODD_NAMES:
            assert store.get_registered_model(name).name == name
            assert store.get_model_version(name, 1).name == name

    def test_model_names_differ_by_case_and_accents(self, store: RegistryStore) -> None:
        """Names are compared by their characters."""
        for name in ("wine", "Wine", "wíne"):
            store.create_registered_model(name, description=name)
        for name in ("wine", "Wine", "wíne"):
            assert store.get_registered_model(name).description == name
        with pytest.raises(NotFound):
            store.get_registered_model("WINE")

    def test_a_taken_name_is_refused(self, store: RegistryStore) -> None:
        """A second model of a name raises AlreadyExists, and the first one stays as it is."""
        store.create_registered_model("wine", "first", labels(a="1"))
        before = everything(store)
        with pytest.raises(AlreadyExists, match="wine"):
            store.create_registered_model("wine", "second", labels(b="2"))
        assert everything(store) == before

    def test_long_texts_are_kept_whole(self, store: RegistryStore) -> None:
        """Descriptions of 5 000 characters and tag values of 100 000 come back as they are."""
        description, value = "é🎉\n" * 1666, "ü" * 100_000
        store.create_registered_model("wine", description, labels(long=value))
        model = store.get_registered_model("wine")
        assert (model.description, model.tags) == (description, {"long": value})

    # --- changes ---------------------------------------------------------------------------------------------

    def test_a_description_is_replaced(self, store: RegistryStore) -> None:
        """Another description takes the place of the first; nothing else changes but the time of the last update."""
        model = store.create_registered_model("wine", "old", labels(a="1"))
        moments_later()
        changed = store.update_registered_model("wine", description="new")
        assert changed == store.get_registered_model("wine")
        assert (changed.description, changed.tags) == ("new", {"a": "1"})
        assert changed.creation_timestamp == model.creation_timestamp
        assert changed.last_updated_timestamp > model.last_updated_timestamp

    def test_a_description_may_be_emptied(self, store: RegistryStore) -> None:
        """An empty description replaces one; None leaves it as it is."""
        store.create_registered_model("wine", "old")
        assert store.update_registered_model("wine", description=None).description == "old"
        assert store.update_registered_model("wine", description="").description == ""

    def test_a_model_is_renamed_with_all_it_has(self, store: RegistryStore) -> None:
        """Tags, versions, aliases and numbers go along with a new name; the old one is free and means nothing."""
        store.create_registered_model("wine", "d", labels(a="1"))
        added(store, tags=labels(b="2"), source="s3://one")
        store.move_alias("wine", "champion", 1)
        renamed = store.update_registered_model("wine", new_name="vino")
        assert renamed == store.get_registered_model("vino")
        assert (renamed.description, renamed.tags, renamed.aliases) == ("d", {"a": "1"}, {"champion": 1})
        version = store.get_model_version("vino", 1)
        assert (version.name, version.source, version.tags, version.aliases) == (
            "vino", "s3://one", {"b": "2"}, ["champion"]
        )  # fmt: skip
        assert [each.name for each in store.search_model_versions("name = 'vino'")] == ["vino"]
        assert added(store, "vino") == 2
        with pytest.raises(NotFound):
            store.get_registered_model("wine")
        assert list(store.get_history("wine")) == []
        assert added(store, registered(store, "wine")) == 1

    def test_a_new_name_and_description_are_one_change(self, store: RegistryStore) -> None:
        """Both may be given at once; the same name again is no change of it."""
        registered(store)
        changed = store.update_registered_model("wine", new_name="vino", description="d")
        assert (changed.name, changed.description) == ("vino", "d")
        assert store.update_registered_model("vino", new_name="vino").name == "vino"

    def test_a_new_name_that_is_taken_is_refused(self, store: RegistryStore) -> None:
        """Renaming to the name of another model raises AlreadyExists, and nothing is changed."""
        registered(store, "wine", versions=1)
        registered(store, "beer", versions=1)
        before = everything(store)
        with pytest.raises(AlreadyExists, match="beer"):
            store.update_registered_model("wine", new_name="beer", description="lost")
        assert everything(store) == before

    # --- deletion --------------------------------------------------------------------------------------------

    def test_a_deleted_model_is_gone_with_all_it_had(self, store: RegistryStore) -> None:
        """No call finds it, its versions, tags or aliases any more; other models stay as they are."""
        for name in ("wine", "beer"):
            store.create_registered_model(name, "d", labels(a="1"))
            added(store, name, tags=labels(b="2"))
            store.move_alias(name, "champion", 1)
        beer = store.get_registered_model("beer")
        store.delete_registered_model("wine")
        assert list(store.search_registered_models()) == [beer]
        assert [version.name for version in store.search_model_versions()] == ["beer"]
        with pytest.raises(NotFound):
            store.get_registered_model("wine")
        with pytest.raises(NotFound):
            store.get_model_version("wine", 1)

    def test_the_name_of_a_deleted_model_is_free(self, store: RegistryStore) -> None:
        """Another model may get it: one without tags, versions or aliases of the first, whose numbers begin at 1."""
        store.create_registered_model("wine", "old", labels(a="1"))
        added(store)
        added(store)
        store.move_alias("wine", "champion", 2)
        store.delete_registered_model("wine")
        model = store.create_registered_model("wine")
        assert (model.description, model.tags, model.aliases) == (None, {}, {})
        assert store.get_registered_model("wine") == model
        assert added(store) == 1

    def test_a_deleted_models_name_may_be_given_to_another(self, store: RegistryStore) -> None:
        """A model may be renamed to what a deleted one was called."""
        registered(store, "wine", versions=2)
        store.delete_registered_model("wine")
        registered(store, "beer", versions=1)
        assert store.update_registered_model("beer", new_name="wine").name == "wine"
        assert added(store) == 2

    # --- what is not there -----------------------------------------------------------------------------------

    def test_unknown_models_are_not_found(self, store: RegistryStore) -> None:
        """Every call about a model that does not exist raises NotFound, and makes none."""
        registered(store, "wine")
        for call in (
            lambda: store.get_registered_model("beer"),
            lambda: store.update_registered_model("beer", description="x"),
            lambda: store.update_registered_model("beer", new_name="ale"),
            lambda: store.delete_registered_model("beer"),
            lambda: store.set_registered_model_tags("beer", labels(a="1")),
            lambda: store.delete_registered_model_tag("beer", "a"),
            lambda: store.move_alias("beer", "champion", None),
            lambda: added(store, "beer"),
        ):
            with pytest.raises(NotFound, match="beer"):
                call()
        assert [model.name for model in store.search_registered_models()] == ["wine"]

    def test_no_model_has_a_name_that_cannot_be_stored(self, store: RegistryStore) -> None:
        """By a text with a NUL or a lone surrogate nothing is found, as by any unknown name."""
        registered(store, "wine", versions=1)
        for text in ("\x00", "wine\x00", "\ud800", "größe\udc80"):
            for call in (store.get_registered_model, store.delete_registered_model):
                with pytest.raises(NotFound):
                    call(text)
            with pytest.raises(NotFound):
                store.get_model_version(text, 1)
            store.delete_registered_model_tag("wine", text)
            store.delete_model_version_tag("wine", 1, text)
            assert store.move_alias("wine", text, None) is None
            assert list(store.get_history(text)) == []
            assert list(store.get_history("wine", text)) == []

    def test_what_callers_do_to_a_model_changes_nothing(self, store: RegistryStore) -> None:
        """The dicts of a model that was handed out are the caller's own."""
        store.create_registered_model("wine", tags=labels(a="1"))
        added(store)
        store.move_alias("wine", "champion", 1)
        before = store.get_registered_model("wine")
        mine: RegisteredModel = store.get_registered_model("wine")
        mine.tags["a"] = "2"
        mine.aliases.clear()
        mine.latest_versions.clear()
        assert store.get_registered_model("wine") == before
