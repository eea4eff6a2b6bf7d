"""A tracking store in one file that processes share, right and wrong: each operation reads and writes it whole."""

from __future__ import annotations

import fcntl
import os
import pickle
import threading
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dovetail import hookimpl
from dovetail.testing.memory import MemoryTrackingStore
from dovetail.values import Batch

if TYPE_CHECKING:
    from collections.abc import Callable


HELD = (
    "_experiments", "_runs", "_marks", "_models", "_binned_models", "_datasets",
    "_binned_experiments", "_condemned", "_given_ids",
)  # fmt: skip


class Shelf(MemoryTrackingStore):
    locks, saves_every = True, 1

    def __init__(self, uri: str) -> None:
        self.path = Path(uri.partition(":")[2])
        super().__init__(uri)
        self._lock: Any = Turn(self)
        with self._lock:
            pass

    def load(self) -> None:
        if self.path.exists():
            self.__dict__.update(pickle.loads(self.path.read_bytes()))

    def save(self) -> None:
        draft = self.path.with_name(f"{self.path.name}.{os.getpid()}.{threading.get_ident()}")
        draft.write_bytes(pickle.dumps({name: self.__dict__[name] for name in HELD}))
        draft.replace(self.path)


class Turn:
    """One thread of one process at a time works on the file."""

    def __init__(self, shelf: Shelf) -> None:
        self.shelf, self.mine, self.depth, self.count = shelf, threading.RLock(), 0, 0

    def __enter__(self) -> None:
        self.mine.acquire()
        self.depth += 1
        if self.depth == 1:
            self.file = self.shelf.path.with_name(f"{self.shelf.path.name}.lock").open("w")
            if self.shelf.locks:
                fcntl.flock(self.file, fcntl.LOCK_EX)
            if self.count % self.shelf.saves_every == 0:
                self.shelf.load()

    def __exit__(self, kind: object, *_: object) -> None:
        if self.depth == 1:
            self.count += 1
            if kind is None and self.count % self.shelf.saves_every == 0:
                self.shelf.save()
            self.file.close()
        self.depth -= 1
        self.mine.release()


class Unlocked(Shelf):
    """Processes write over each other's work."""

    locks = False


class Lazy(Shelf):
    """Saves now and then, and says it saved always."""

    saves_every = 5


class Torn(Shelf):
    """Saves a batch in two steps."""

    def log_batch(self, run_id: str, batch: Batch, **options: Any) -> None:
        mark = options.get("mark")
        if mark is None or mark.sequence > self.applied(mark.writer):
            super().log_batch(run_id, Batch(batch.metrics), ended=True)
            time.sleep(0.02)
        super().log_batch(run_id, Batch((), batch.params, batch.tags), **options)


class Unplaced(Shelf):
    """Names itself by a path that means something else in another folder."""

    def __init__(self, uri: str) -> None:
        super().__init__(uri)
        self.uri = f"{uri.partition(':')[0]}:{os.path.relpath(self.path)}"


@hookimpl
def dovetail_tracking_stores() -> dict[str, Callable[[str], Shelf]]:
    stores: dict[str, type[Shelf]] = {
        "shelf": Shelf,
        "unlocked": Unlocked,
        "lazy": Lazy,
        "torn": Torn,
        "unplaced": Unplaced,
    }
    return {scheme: partial(store) for scheme, store in stores.items()}
