"""A process that may open no more files for a moment: the database is there, only not at once."""

from __future__ import annotations

import os
import sqlite3
import sys
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import pytest

from dovetail.errors import StoreUnavailable
from dovetail.values import Batch, NewRun, Tag
from dovetail_sqlite import open_sqlite
from dovetail_sqlite.failures import is_held_up

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="files are not counted there")


@contextmanager
def descriptors_left(count: int) -> Iterator[None]:
    """A block in which this process may open so many files more."""
    import resource

    limit, taken = resource.getrlimit(resource.RLIMIT_NOFILE), []
    resource.setrlimit(resource.RLIMIT_NOFILE, (512, limit[1]))
    try:
        try:
            while True:
                taken.append(os.dup(0))
        except OSError:
            for _ in range(count):
                os.close(taken.pop())
        yield
    finally:
        for each in taken:
            os.close(each)
        resource.setrlimit(resource.RLIMIT_NOFILE, limit)


class TestADatabaseForWhichNoDescriptorsAreLeft:
    @pytest.fixture
    def run_id(self, tmp_path: Path) -> str:
        with closing(open_sqlite(f"sqlite:///{tmp_path}/a.db")) as store:
            return store.create_run(NewRun("0")).info.run_id

    @pytest.mark.parametrize("count", range(3))
    def test_is_to_be_asked_again_and_written_to_as_ever(self, tmp_path: Path, run_id: str, count: int) -> None:
        with closing(open_sqlite(f"sqlite:///{tmp_path}/a.db")) as store:
            with descriptors_left(count), pytest.raises(StoreUnavailable, match="too many files are open"):
                store.get_run(run_id)
            store.log_batch(run_id, Batch(tags=(Tag("a", "c"),)))
            assert store.get_run(run_id).data.tags["a"] == "c"

    def test_does_not_come_to_be(self, tmp_path: Path) -> None:
        with closing(open_sqlite(f"sqlite:///{tmp_path}/new.db")) as store:
            with descriptors_left(0), pytest.raises(StoreUnavailable):
                store.create_run(NewRun("0"))
            assert store.create_run(NewRun("0")).info.run_id

    def test_is_known_by_what_lies_beside_it(self, tmp_path: Path, run_id: str) -> None:
        """By the time somebody looks, other threads may have given descriptors back."""
        refused = sqlite3.OperationalError("unable to open database file")
        assert run_id
        assert is_held_up(refused, tmp_path / "a.db")
        assert not is_held_up(sqlite3.OperationalError("no such table: runs"), tmp_path / "a.db")
        assert not is_held_up(refused, tmp_path)
        (tmp_path / "a.db-wal").mkdir()
        assert not is_held_up(refused, tmp_path / "a.db")
