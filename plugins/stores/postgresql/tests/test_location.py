"""What URIs mean, without any server."""

from __future__ import annotations

import pytest

from dovetail.errors import InvalidUri
from dovetail_postgresql.location import location


@pytest.mark.parametrize("scheme", ["postgresql", "postgresql+psycopg", "postgresql+psycopg2", "PostgreSQL"])
def test_all_spellings_of_the_scheme_mean_the_same(scheme: str) -> None:
    place = location(f"{scheme}://me:p%40s%2Fs@db.example.com:5433/runs?sslmode=require")
    assert place.uri == "postgresql://me:p%40s%2Fs@db.example.com:5433/runs?sslmode=require"
    assert place.options == {
        "host": "db.example.com",
        "port": 5433,
        "user": "me",
        "password": "p@s/s",
        "dbname": "runs",
        "sslmode": "require",
    }
    assert place.name == "PostgreSQL database runs (db.example.com:5433)"
    assert "p@s" not in f"{place!r} {place.name}"


def test_a_socket_goes_into_the_query() -> None:
    place = location("postgresql://me@/runs?host=/var/run/postgresql&port=5433")
    assert (place.options["host"], place.name) == (
        "/var/run/postgresql",
        "PostgreSQL database runs (/var/run/postgresql)",
    )


@pytest.mark.parametrize(
    "uri",
    [
        "mysql://me:secret@host/runs",
        "postgresql:runs",
        "postgresql+asyncpg://me:secret@host/runs",
        "postgresql://me:secret@host:port/runs",
        "postgresql://me:secret@host/runs?sslmod=require",
        "postgresql://me:secret@host/runs?port=abc",
        "postgresql://me:secret@host/runs?autocommit=true",
        "postgresql://me:secret@host/runs?row_factory=dict_row",
        "postgresql://me:secret@host/runs?client_encoding=latin1",
        "postgresql://me:secret@host/runs?prepare_threshold=never",
        "postgresql://me:se@/cret@host/runs",
        "postgresql://me:se@cret?x@host/runs",
        "postgresql://me:top@cr:et@host/runs",
    ],
)
def test_what_is_no_such_uri_is_refused_without_its_password(uri: str) -> None:
    with pytest.raises(InvalidUri) as raised:
        location(uri)
    assert not any(piece in str(raised.value) for piece in ("secret", "cret@", "cret?", "cr:et"))
    assert raised.value.__cause__ is None


@pytest.mark.parametrize(("text", "meaning"), [("none", None), ("0", 0), ("7", 7)])
def test_when_statements_are_prepared_can_be_said(text: str, meaning: int | None) -> None:
    place = location(f"postgresql://me@host/runs?prepare_threshold={text}&client_encoding=utf8")
    assert place.options["prepare_threshold"] == meaning
    assert "client_encoding" not in place.options
    assert f"prepare_threshold={text}" in place.uri
