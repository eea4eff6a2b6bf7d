"""A place for a store, fresh for each test: a schema in a database that lasts as long as the tests."""

from __future__ import annotations

import uuid
from contextlib import closing
from typing import TYPE_CHECKING

import psycopg
import pytest

from dovetail_postgresql import open_postgresql

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dovetail.tracking.store import TrackingStore


@pytest.fixture
def server(service: Callable[[str], str]) -> Iterator[psycopg.Connection]:
    """A connection of the server's owner, to look at and meddle with what stores do."""
    with psycopg.connect(service("POSTGRES_URL"), autocommit=True) as connection:
        yield connection


@pytest.fixture
def schema(server: psycopg.Connection) -> Iterator[str]:
    """The name of an empty schema."""
    name = f"t{uuid.uuid4().hex[:12]}"
    server.execute(f"CREATE SCHEMA {name}")
    yield name
    server.execute(f"DROP SCHEMA {name} CASCADE")


@pytest.fixture
def uri(service: Callable[[str], str], schema: str) -> str:
    """The URI of a store that nobody has opened yet."""
    return f"{service('POSTGRES_URL')}?options=-csearch_path%3D{schema}&application_name={schema}"


@pytest.fixture
def store(uri: str) -> Iterator[TrackingStore]:
    """A store in it."""
    with closing(open_postgresql(uri)) as store:
        yield store
