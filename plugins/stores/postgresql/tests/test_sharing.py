"""The PostgreSQL store is held to what every store on a shared database promises."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from dovetail_sql.testing import SharedStoreSuite

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import psycopg

    from dovetail_sql.store import SqlTrackingStore

READER = "dovetail_reader"


class TestPostgresqlStore(SharedStoreSuite):
    reserved = "postgresql://me:secret@127.0.0.1:1/dovetail"

    @pytest.fixture
    def uri(self, uri: str) -> str:
        return uri

    @pytest.fixture
    def store(self, store: SqlTrackingStore) -> SqlTrackingStore:
        return store

    @pytest.fixture
    def sql(self, server: psycopg.Connection, schema: str) -> Callable[[str], list[Any]]:
        def execute(text: str) -> list[Any]:
            server.execute(f"SET search_path TO {schema}")
            cursor = server.execute(text)
            return cursor.fetchall() if cursor.description else []

        return execute

    @pytest.fixture
    def cut(self, server: psycopg.Connection, schema: str) -> Callable[[], int]:
        text = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s"
        return lambda: len(server.execute(text, [schema]).fetchall())

    @pytest.fixture
    def reader(self, uri: str, server: psycopg.Connection, schema: str, store: SqlTrackingStore) -> Iterator[str]:
        store.get_experiment("0")
        name = f"{READER}_{schema}"
        server.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'x'")
        server.execute(f"GRANT USAGE ON SCHEMA {schema} TO {name}")
        server.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {name}")
        yield f"postgresql://{name}:x@{uri.rpartition('@')[2]}"
        server.execute(f"DROP OWNED BY {name}")
        server.execute(f"DROP ROLE {name}")
