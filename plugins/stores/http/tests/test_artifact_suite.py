"""The suite of artifact stores, through a server of dovetail's in this process."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dovetail import locations
from dovetail.testing.artifact_store import ArtifactStoreSuite
from dovetail.tracking import places
from dovetail_http.artifacts import MlflowArtifacts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dovetail.artifacts.store import ArtifactStore


@pytest.fixture
def tracked(uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The tracking URI in force is that of a server."""
    monkeypatch.setenv("DOVETAIL_STATE_DIR", str(tmp_path / "state"))
    places.set_tracking_uri(uri)
    yield uri
    places.forget_places()


class TestAServersArtifacts(ArtifactStoreSuite):
    """Those of a run."""

    @pytest.fixture
    def store(self, tracked: str) -> ArtifactStore:
        """As whoever reads a run's artifact URI gets it."""
        store = locations.artifact_store("mlflow-artifacts:/0/run/artifacts")
        assert isinstance(store, MlflowArtifacts)
        return store


class TestAllOfAServersArtifacts(ArtifactStoreSuite):
    """From their root on."""

    @pytest.fixture
    def store(self, tracked: str) -> ArtifactStore:
        """An empty server."""
        return MlflowArtifacts("mlflow-artifacts:/")
