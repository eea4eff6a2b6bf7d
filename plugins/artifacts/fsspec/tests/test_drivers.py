"""Schemes without a driver, places that cannot be reached, and what is said then."""

from __future__ import annotations

import io
import socket
import subprocess
import sys
import textwrap
import zipfile
from typing import TYPE_CHECKING

import pytest

from dovetail.errors import InvalidUri, PluginMissing, StoreError, StoreReadOnly, StoreUnavailable
from dovetail.testing.artifact_corpus import fill, names, read
from dovetail_fsspec import dovetail_artifact_stores
from dovetail_fsspec.failures import translated
from dovetail_fsspec.local import LocalArtifactStore
from dovetail_fsspec.store import FsspecArtifactStore

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port that nobody listens on, and that the system gives to nobody else meanwhile."""
    with socket.socket() as kept:
        kept.bind(("127.0.0.1", 0))
        yield kept.getsockname()[1]


class TestThePlugin:
    def test_offers_local_files_memory_and_everything_else(self) -> None:
        kinds = dovetail_artifact_stores()
        assert kinds == {"file": LocalArtifactStore, "memory": FsspecArtifactStore, "*": FsspecArtifactStore}

    def test_loads_fsspec_only_where_it_is_needed(self) -> None:
        script = """
            import sys, tempfile, io
            import dovetail_fsspec
            store = dovetail_fsspec.dovetail_artifact_stores()["file"](tempfile.mkdtemp())
            store.put("a", io.BytesIO(b"x"))
            assert not {"fsspec", "s3fs", "asyncio", "requests"} & set(sys.modules)
        """
        subprocess.run([sys.executable, "-c", textwrap.dedent(script)], check=True)


class TestMemory:
    @pytest.mark.parametrize("uri", ["memory://one", "memory:one", "memory://one/"])
    def test_is_one_place_however_it_is_spelled(self, uri: str) -> None:
        fill(FsspecArtifactStore("memory://one"), {"a/b": b"x"})
        store = FsspecArtifactStore(uri)
        assert names(store) == ["a"]
        assert read(store, "a/b") == b"x"
        store.delete("")

    def test_has_a_root(self) -> None:
        store = FsspecArtifactStore("memory:")
        fill(store, {"rooted/b": b"x"})
        assert "rooted" in names(store)
        store.delete("rooted")

    def test_places_are_apart(self) -> None:
        one, two = FsspecArtifactStore("memory://place"), FsspecArtifactStore("memory://place2")
        fill(one, {"a": b"1"})
        fill(two, {"a": b"2", "b": b"2"})
        assert names(one) == ["a"]
        one.delete("")
        assert names(two) == ["a", "b"]
        two.delete("")


class TestASchemeWithoutDriver:
    def test_is_said_to_be_unknown_when_nobody_knows_it(self) -> None:
        with pytest.raises(PluginMissing, match="'nosuch'") as caught:
            FsspecArtifactStore("nosuch://me:hunter2@host/x")
        assert "hunter2" not in str(caught.value)

    def test_names_the_library_that_is_missing(self) -> None:
        with pytest.raises(PluginMissing, match="pip install boxfs"):
            FsspecArtifactStore("box://folder")

    def test_names_what_a_driver_of_fsspec_itself_stands_on(self) -> None:
        pytest.importorskip("fsspec")
        try:
            import paramiko  # noqa: F401
        except ImportError:
            with pytest.raises(PluginMissing, match="pip install paramiko"):
                FsspecArtifactStore("sftp://me:hunter2@host/x")
        else:
            pytest.skip("paramiko is installed")


class TestAPlaceOutOfReach:
    def test_is_unavailable_for_every_verb(self, closed_port: int) -> None:
        pytest.importorskip("requests")
        store = FsspecArtifactStore(f"webhdfs://me:hunter2@127.0.0.1:{closed_port}/x")
        for attempt in (
            lambda: list(store.list()),
            lambda: store.open("a"),
            lambda: store.put("a", io.BytesIO(b"x")),
            lambda: store.delete("a"),
        ):
            with pytest.raises(StoreUnavailable) as caught:
                attempt()
            assert "hunter2" not in str(caught.value)
        assert "hunter2" not in repr(store)

    def test_that_the_driver_cannot_read_is_invalid(self) -> None:
        pytest.importorskip("requests")
        with pytest.raises(InvalidUri, match="webhdfs"):
            list(FsspecArtifactStore("webhdfs:/no/host").list())


class TestAnArchive:
    """A chained URI: what fsspec can read, dovetail can."""

    @pytest.fixture
    def store(self, tmp_path: Path) -> FsspecArtifactStore:
        with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
            archive.writestr("model/MLmodel", "x")
        return FsspecArtifactStore(f"zip://model::{(tmp_path / 'a.zip').as_uri()}")

    def test_can_be_read(self, store: FsspecArtifactStore) -> None:
        assert names(store) == ["MLmodel"]
        assert read(store, "MLmodel") == b"x"

    def test_cannot_be_written(self, store: FsspecArtifactStore) -> None:
        with pytest.raises(StoreError):
            store.put("new", io.BytesIO(b"x"))
        with pytest.raises(StoreReadOnly):
            store.delete("MLmodel")
        assert names(store) == ["MLmodel"]


def test_a_password_that_a_driver_quotes_without_its_scheme_is_hidden() -> None:
    with pytest.raises(StoreError) as caught, translated("list it", kinds=Exception):
        raise ValueError('Invalid bucket name "me:hunter2@bucket": it must match')
    assert "hunter2" not in str(caught.value)
    assert "me:***@bucket" in str(caught.value)
