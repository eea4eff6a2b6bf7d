"""The reference store is held to the suite, and does what only it does."""

from __future__ import annotations

import subprocess
import sys

import pytest

from dovetail import plugins
from dovetail.errors import InvalidUri
from dovetail.testing import MemoryTrackingStore, TrackingStoreSuite
from dovetail.testing.memory import open_memory


class TestMemoryTrackingStore(TrackingStoreSuite):
    @pytest.fixture
    def store(self) -> MemoryTrackingStore:
        return MemoryTrackingStore()


class TestOpening:
    def test_one_name_is_one_store_in_the_process(self) -> None:
        store = open_memory("memory://one-name")
        store.create_experiment("wine")
        assert open_memory("memory://one-name") is store
        assert open_memory("memory://one-name/") is store
        assert open_memory("memory://another").get_experiment_by_name("wine") is None
        assert open_memory(store.uri) is store

    def test_no_name_is_a_name_like_others(self) -> None:
        assert open_memory("memory://") is open_memory("memory://")

    @pytest.mark.parametrize("uri", ["memory:x", "sqlite://x", "memory://x?a=1", "memory://x#y", ""])
    def test_other_locations_are_refused(self, uri: str) -> None:
        with pytest.raises(InvalidUri):
            open_memory(uri)

    def test_a_password_in_a_refused_location_is_not_told(self) -> None:
        with pytest.raises(InvalidUri) as caught:
            open_memory("memory:me:hunter2@x")
        assert "hunter2" not in str(caught.value)

    def test_it_is_found_by_its_scheme(self) -> None:
        by_hand = plugins.Plugins(points=())
        module = sys.modules[MemoryTrackingStore.__module__]
        by_hand.register(module, "tracking_stores", "memory")
        assert by_hand.find("tracking_stores", "memory") is open_memory


class TestArtifactRoot:
    @pytest.mark.parametrize("uri", ["memory://", "memory://name"])
    def test_lies_in_memory(self, uri: str) -> None:
        fsspec = pytest.importorskip("fsspec")
        store = MemoryTrackingStore(uri)
        location = store.get_experiment("0").artifact_location
        assert location == f"{uri}/artifacts/0"
        with fsspec.open(f"{location}/notes.txt", "w") as stream:
            stream.write("x")
        with fsspec.open(f"{location}/notes.txt") as stream:
            assert stream.read() == b"x"

    def test_may_be_given(self) -> None:
        store = MemoryTrackingStore(artifact_root="s3://bucket/root")
        assert store.get_experiment("0").artifact_location == "s3://bucket/root/0"


def test_reference_stores_need_no_pytest() -> None:
    program = "import sys; from dovetail.testing import MemoryTrackingStore as M; M(); print('pytest' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_unknown_names_are_unknown() -> None:
    import dovetail.testing

    with pytest.raises(AttributeError, match="NoSuchSuite"):
        _ = dovetail.testing.NoSuchSuite


def test_all_public_names_are_there() -> None:
    import dovetail.testing

    assert [name for name in dovetail.testing.__all__ if getattr(dovetail.testing, name, None) is None] == []
