"""Places for stores: an empty database of its own for each test that wants one, and one that is emptied each time."""

from __future__ import annotations

import uuid
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pymysql
import pytest

from dovetail_mysql import open_mysql
from dovetail_mysql.location import location

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dovetail.tracking.store import TrackingStore

LASTING: dict[str, str] = {}
"""The database that is emptied for each test, by server; to make one takes longer than most tests."""


@pytest.fixture
def server(service: Callable[[str], str]) -> Iterator[pymysql.Connection]:
    """A connection of the server's owner, to look at and meddle with what stores do."""
    with pymysql.connect(**location(service("MYSQL_URL")).options, autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="session", autouse=True)
def _tidy() -> Iterator[None]:
    """Remove what lasted."""
    yield
    for uri, name in LASTING.items():
        with pymysql.connect(**location(uri).options) as connection:
            connection.cursor().execute(f"DROP DATABASE {name}")


def made(server: pymysql.Connection) -> str:
    """The name of a new, empty database; its own character set is not ours."""
    name = f"t{uuid.uuid4().hex[:12]}"
    server.cursor().execute(f"CREATE DATABASE {name} CHARACTER SET latin1")
    return name


@pytest.fixture
def database(server: pymysql.Connection) -> Iterator[str]:
    """The name of an empty database."""
    name = made(server)
    yield name
    server.cursor().execute(f"DROP DATABASE {name}")


@pytest.fixture
def sql(server: pymysql.Connection, database: str) -> Callable[[str], list[Any]]:
    """What executes a statement in that database, and returns the rows it answers with."""

    def execute(text: str) -> list[Any]:
        with server.cursor() as cursor:
            server.select_db(database)
            cursor.execute(text)
            return list(cursor.fetchall())

    return execute


@pytest.fixture
def uri(service: Callable[[str], str], database: str) -> str:
    """The URI of a store that nobody has opened yet."""
    return beside(service("MYSQL_URL"), database)


@pytest.fixture
def fresh(service: Callable[[str], str], server: pymysql.Connection) -> Iterator[TrackingStore]:
    """A store as after its first use."""
    owner = service("MYSQL_URL")
    if owner not in LASTING:
        LASTING[owner] = made(server)
    with closing(open_mysql(beside(owner, LASTING[owner]))) as store:
        store.get_experiment("0")
        yield store
    empty(server, LASTING[owner])


def beside(uri: str, database: str) -> str:
    """The URI of another database on the same server."""
    return f"{uri.rpartition('/')[0]}/{database}"


def empty(server: pymysql.Connection, database: str) -> None:
    """Bring a database back to where it was after its first use."""
    server.select_db(database)
    with server.cursor() as cursor:
        cursor.execute("SET SESSION foreign_key_checks = 0")
        cursor.execute("SHOW TABLES")
        for (table,) in cursor.fetchall():
            kept = " WHERE id <> 0" if table == "experiments" else ""
            if table != "schema_version":
                cursor.execute(f"DELETE FROM `{table}`{kept}")
        cursor.execute(
            "UPDATE experiments SET name = 'Default', stage = 'active', deletion_time = NULL, "
            "last_update_time = creation_time"
        )
        cursor.execute("ALTER TABLE experiments AUTO_INCREMENT = 1")
        cursor.execute("SET SESSION foreign_key_checks = 1")
