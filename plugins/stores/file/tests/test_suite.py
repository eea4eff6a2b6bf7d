"""The store in a folder is held to what every tracking store promises, and its plugin to what every plugin does."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from dovetail.testing import PluginSuite, TrackingStoreSuite
from dovetail_file import open_dir

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from dovetail.tracking.store import TrackingStore


class TestFileStore(TrackingStoreSuite):
    survives_reopen = True
    shared_between_processes = True

    @pytest.fixture
    def uri(self, tmp_path: Path) -> str:
        return f"dir://{tmp_path}/runs"

    @pytest.fixture
    def store(self, uri: str) -> Iterator[TrackingStore]:
        with closing(open_dir(uri)) as store:
            yield store

    @pytest.fixture
    def reopen(self) -> Callable[[TrackingStore], TrackingStore]:
        return lambda store: open_dir(store.uri)


class TestPlugin(PluginSuite):
    module, key = "dovetail_file", "dir"
    heavy = ("json", "uuid")
