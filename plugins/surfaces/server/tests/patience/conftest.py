"""A server with little patience, in a thread of this process, and a connection to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dovetail_server import patience
from dovetail_server.rehearsal import Client, Serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[Serving]:
    """The server."""
    with Serving(tmp_path) as found:
        yield found


@pytest.fixture
def client(serving: Serving) -> Iterator[Client]:
    """A connection to it."""
    with Client(serving.address) as found:
        yield found


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients have a second; asked for before the server is."""
    monkeypatch.setattr(patience, "PERIOD", 1.0)
