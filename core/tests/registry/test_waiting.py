"""Registries that take their time until a version is ready."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

import dovetail
from dovetail.errors import InvalidInput, InvalidState
from dovetail.registry.registering import Registrar
from dovetail.testing import MemoryRegistryStore, MemoryTrackingStore
from dovetail.values import ModelVersion, ModelVersionStatus, NewModelVersion

if TYPE_CHECKING:
    from dovetail import Client


class SlowRegistry(MemoryRegistryStore):
    """Versions are ready, or have failed, when they are looked at for the second time."""

    ends = ModelVersionStatus.READY
    looks = 0

    def create_model_version(self, version: NewModelVersion) -> ModelVersion:
        made = super().create_model_version(version)
        self.__dict__["looks"] = 0
        return self._as_of_now(made)

    def get_model_version(self, name: str, version: int) -> ModelVersion:
        self.__dict__["looks"] += 1
        return self._as_of_now(super().get_model_version(name, version))

    def _as_of_now(self, version: ModelVersion) -> ModelVersion:
        status = self.ends if self.looks > 1 else ModelVersionStatus.PENDING_REGISTRATION
        return replace(version, status=status, status_message="no room")


class TestWaiting:
    @pytest.fixture
    def slow(self) -> SlowRegistry:
        store = SlowRegistry()
        store.create_registered_model("wine")
        return store

    def test_until_a_version_is_ready(self, slow: SlowRegistry) -> None:
        made = Registrar(MemoryTrackingStore(), slow).create(NewModelVersion("wine", "s3://x"), 60)
        assert made.status == ModelVersionStatus.READY

    @pytest.mark.parametrize("nothing", [0, None])
    def test_is_not_for_everybody(self, nothing: int | None, slow: SlowRegistry) -> None:
        made = Registrar(MemoryTrackingStore(), slow).create(NewModelVersion("wine", "s3://x"), nothing)
        assert made.status == ModelVersionStatus.PENDING_REGISTRATION

    @pytest.mark.parametrize("wrong", ["5", "soon", -1, float("nan"), [], object()])
    def test_for_what_is_no_time_registers_nothing(self, wrong: Any, wine: Client) -> None:
        calls = (
            lambda: wine.create_model_version("wine", "s3://x", await_creation_for=wrong),
            lambda: dovetail.register_model("s3://x", "wine", wrong),
            lambda: dovetail.register_model("s3://x", "beer", await_registration_for=wrong),
        )
        for call in calls:
            with pytest.raises(InvalidInput, match="seconds"):
                call()
        assert len(wine.search_model_versions()) == 3
        assert [each.name for each in wine.search_registered_models()] == ["wine"]

    def test_has_an_end(self, slow: SlowRegistry) -> None:
        with pytest.raises(InvalidState, match="not ready after"):
            Registrar(MemoryTrackingStore(), slow).create(NewModelVersion("wine", "s3://x"), 0.01)

    def test_for_one_that_fails_says_why(self, slow: SlowRegistry) -> None:
        slow.ends = ModelVersionStatus.FAILED_REGISTRATION
        with pytest.raises(InvalidState, match="no room"):
            Registrar(MemoryTrackingStore(), slow).create(NewModelVersion("wine", "s3://x"), 60)
