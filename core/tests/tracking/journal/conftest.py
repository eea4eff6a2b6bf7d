"""A store that lasts and can be away, and journals to look at."""

from __future__ import annotations

import uuid
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import pytest

import dovetail
from dovetail import hookimpl, plugins
from dovetail.errors import StoreUnavailable
from dovetail.testing import MemoryTrackingStore
from dovetail.tracking import places, recorders
from dovetail.tracking.journal.records import Header
from dovetail.tracking.journal.writer import SUFFIX, JournalWriter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from dovetail.tracking.store import TrackingStore
    from dovetail.values import NewRun, Run, RunInfo


class DistantStore(MemoryTrackingStore):
    """A store that outlives the process, as a server's does, and that can be away.

    It is in memory all the same: whoever opens it again within a test finds what was in it.
    """

    lasting = True
    away = False
    prompt = False
    """Whether it promises to let nobody wait."""
    written = 0
    """How many batches it was sent."""

    def create_run(self, run: NewRun) -> Run:
        self._require_there()
        return super().create_run(run)

    def get_run(self, run_id: str) -> Run:
        self._require_there()
        return super().get_run(run_id)

    def update_run(self, *args: Any, **options: Any) -> RunInfo:
        self._require_there()
        return super().update_run(*args, **options)

    def log_batch(self, *args: Any, **options: Any) -> None:
        self._require_there()
        self.written += 1
        super().log_batch(*args, **options)

    def applied(self, writer: str) -> int:
        self._require_there()
        return super().applied(writer)

    def at_once(self) -> AbstractContextManager[None] | None:
        return nullcontext() if self.prompt else None

    def _require_there(self) -> None:
        if self.away:
            raise StoreUnavailable("The store is away.")


class DistantStores:
    """Such stores under ``distant://``."""

    def __init__(self) -> None:
        self.kept: dict[str, DistantStore] = {}

    @hookimpl
    def dovetail_tracking_stores(self) -> dict[str, Callable[[str], TrackingStore]]:
        return {"distant": lambda uri: self.kept.setdefault(uri, DistantStore(uri))}


_stores = DistantStores()
plugins.register(_stores, "tracking_stores", "distant")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where journals go."""
    return tmp_path / "journals"


@pytest.fixture
def distant(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[DistantStore]:
    """A new one, which is the one in force; its journals lie right in ``folder``, and it is not waited for."""
    monkeypatch.setenv("DOVETAIL_DRAIN_TIMEOUT", "0.2")
    uri = f"distant://{uuid.uuid4().hex}"
    store = _stores.kept[uri] = DistantStore(uri)
    store.journals = folder
    dovetail.set_tracking_uri(uri)
    yield store
    store.away = False
    places.forget_stores()
    del _stores.kept[uri]


@pytest.fixture
def reopened() -> Callable[[], TrackingStore]:
    """``reopened()`` is what the next process would find."""

    def reopen() -> TrackingStore:
        uri = dovetail.get_tracking_uri()
        for each in list(recorders._recorders):
            recorders.close_recorder(each)
        places._stores.pop(uri, None)
        return places.open_store(uri)

    return reopen


@pytest.fixture
def write(folder: Path) -> Callable[..., Path]:
    """``write(*bodies)`` makes a journal with these records that nobody has open."""
    count = 0

    def written(*bodies: bytes, header: Header | None = None) -> Path:
        nonlocal count
        count += 1
        folder.mkdir(exist_ok=True)
        writer_id = f"w{count}"
        path = folder / f"{count:013}-{writer_id}{SUFFIX}"
        writer = JournalWriter(path, header or Header(writer_id, "distant://a", 1, "here", 0))
        for body in bodies:
            writer.append(body)
        writer.close()
        return path

    return written
