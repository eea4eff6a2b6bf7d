"""Stories about versions: numbered, described, deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dovetail.errors import NotFound
from dovetail.testing.registry_store.base import Stories, added, everything, labels, moments_later, registered
from dovetail.values import ModelVersion, ModelVersionStatus, NewModelVersion

if TYPE_CHECKING:
    from dovetail.registry.store import RegistryStore

__all__ = ["VersionStories"]

RUN, MODEL = "a" * 32, "m-" + "b" * 32


class VersionStories(Stories):
    """Versions."""

    def test_a_version_is_what_it_was_registered_as(self, store: RegistryStore) -> None:
        """All that was given comes back; it is ready and in the stage None, and both times are those of its making."""
        registered(store)
        new = NewModelVersion(
            "wine",
            "s3://models/größe 1",
            run_id=RUN,
            model_id=MODEL,
            run_link="https://example.org/r/1",
            description="The first.",
            user_id="ada",
            creation_timestamp=1234,
            tags=labels(a="1", empty=""),
        )
        version = store.create_model_version(new)
        assert version == ModelVersion(
            name="wine",
            version=1,
            creation_timestamp=1234,
            last_updated_timestamp=1234,
            description="The first.",
            user_id="ada",
            source="s3://models/größe 1",
            run_id=RUN,
            tags={"a": "1", "empty": ""},
            run_link="https://example.org/r/1",
            model_id=MODEL,
        )
        assert (version.status, version.current_stage) == (ModelVersionStatus.READY, "None")
        assert store.get_model_version("wine", 1) == version

    def test_a_version_of_which_little_is_known(self, store: RegistryStore) -> None:
        """What was left out is None, and there are no tags or aliases."""
        registered(store)
        version = store.create_model_version(NewModelVersion("wine", "models:/m-1"))
        assert (version.run_id, version.model_id, version.run_link) == (None, None, None)
        assert (version.description, version.user_id, version.status_message) == (None, None, None)
        assert (version.tags, version.aliases) == ({}, [])
        assert store.get_model_version("wine", 1) == version

    def test_versions_count_up_from_one(self, store: RegistryStore) -> None:
        """Each model counts its own versions, one by one."""
        registered(store, "wine")
        registered(store, "beer")
        assert [added(store, name) for name in ("wine", "wine", "beer", "wine", "beer")] == [1, 2, 1, 3, 2]

    def test_numbers_are_not_given_again(self, store: RegistryStore) -> None:
        """The next version has a number that none ever had, whichever were deleted."""
        registered(store, versions=3)
        store.delete_model_version("wine", 2)
        assert added(store) == 4
        store.delete_model_version("wine", 4)
        store.delete_model_version("wine", 3)
        assert added(store) == 5
        for number in (1, 5):
            store.delete_model_version("wine", number)
        assert added(store) == 6

    def test_long_version_texts_are_kept_whole(self, store: RegistryStore) -> None:
        """Sources of 4 096 characters, descriptions of 5 000 and tag values of 100 000 come back as they are."""
        registered(store)
        source, description, value = "s3://" + "ö" * 4091, "🎉" * 5000, "ü" * 100_000
        added(store, source=source, description=description, tags=labels(long=value))
        version = store.get_model_version("wine", 1)
        assert (version.source, version.description, version.tags) == (source, description, {"long": value})

    def test_a_version_is_described_anew(self, store: RegistryStore) -> None:
        """Another description takes the place of the first; version and model were updated then."""
        registered(store)
        added(store, description="old", tags=labels(a="1"))
        model, version = store.get_registered_model("wine"), store.get_model_version("wine", 1)
        moments_later()
        changed = store.update_model_version("wine", 1, "new")
        assert changed == store.get_model_version("wine", 1)
        assert (changed.description, changed.tags) == ("new", {"a": "1"})
        assert changed.creation_timestamp == version.creation_timestamp
        assert changed.last_updated_timestamp > version.last_updated_timestamp
        assert store.get_registered_model("wine").last_updated_timestamp > model.last_updated_timestamp
        assert store.update_model_version("wine", 1, "").description == ""

    def test_a_new_version_updates_its_model(self, store: RegistryStore) -> None:
        """The model was last updated when the version was registered, whenever that says it was made."""
        model = store.create_registered_model("wine")
        moments_later()
        added(store, creation_timestamp=1)
        after = store.get_registered_model("wine")
        assert after.last_updated_timestamp > model.last_updated_timestamp
        assert after.creation_timestamp == model.creation_timestamp

    def test_a_model_shows_its_latest_version(self, store: RegistryStore) -> None:
        """Of the versions in a stage a model shows the one with the highest number, whole."""
        registered(store, versions=10)
        added(store, tags=labels(a="1", b="2"))
        store.move_alias("wine", "champion", 11)
        store.move_alias("wine", "best", 11)
        (shown,) = store.get_registered_model("wine").latest_versions
        assert shown == store.get_model_version("wine", 11)
        assert (shown.tags, shown.aliases) == ({"a": "1", "b": "2"}, ["best", "champion"])
        store.delete_model_version("wine", 11)
        assert [each.version for each in store.get_registered_model("wine").latest_versions] == [10]

    def test_a_deleted_version_is_gone(self, store: RegistryStore) -> None:
        """No call finds it any more; the others stay, and the model was updated then."""
        registered(store)
        for _ in range(2):
            added(store, tags=labels(a="1"))
        before = store.get_registered_model("wine")
        moments_later()
        store.delete_model_version("wine", 1)
        with pytest.raises(NotFound):
            store.get_model_version("wine", 1)
        with pytest.raises(NotFound):
            store.delete_model_version("wine", 1)
        assert [(each.version, each.tags) for each in store.search_model_versions()] == [(2, {"a": "1"})]
        assert store.get_registered_model("wine").last_updated_timestamp > before.last_updated_timestamp

    def test_unknown_versions_are_not_found(self, store: RegistryStore) -> None:
        """Every call about a version that does not exist raises NotFound, and changes nothing."""
        registered(store, "wine", versions=1)
        registered(store, "beer", versions=2)
        before = everything(store)
        for name, number in (("wine", 2), ("ale", 1), ("wine", 2**63 - 1)):
            for call in (
                lambda name=name, number=number: store.get_model_version(name, number),
                lambda name=name, number=number: store.update_model_version(name, number, "x"),
                lambda name=name, number=number: store.delete_model_version(name, number),
                lambda name=name, number=number: store.set_model_version_tags(name, number, labels(a="1")),
                lambda name=name, number=number: store.delete_model_version_tag(name, number, "a"),
                lambda name=name, number=number: store.move_alias(name, "champion", number),
                lambda name=name, number=number: store.transition_stage(name, number, "Staging"),
            ):
                with pytest.raises(NotFound):
                    call()
        assert everything(store) == before
