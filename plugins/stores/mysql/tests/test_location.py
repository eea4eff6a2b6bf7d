"""What URIs mean, without any server."""

from __future__ import annotations

import pytest

from dovetail.errors import InvalidUri
from dovetail_mysql.location import location


@pytest.mark.parametrize("scheme", ["mysql", "mysql+pymysql", "mariadb", "mariadb+pymysql", "MySQL"])
def test_all_spellings_of_the_scheme_mean_the_same(scheme: str) -> None:
    place = location(f"{scheme}://me:p%40s%2Fs@db.example.com:3307/runs?ssl_ca=ca.pem")
    kind = scheme.lower().partition("+")[0]
    assert place.uri == f"{kind}://me:p%40s%2Fs@db.example.com:3307/runs?ssl_ca=ca.pem"
    wanted = {"host": "db.example.com", "port": 3307, "user": "me", "password": "p@s/s", "database": "runs"}
    assert {name: place.options[name] for name in wanted} == wanted
    assert place.options["ssl"] == {"ca": "ca.pem"}
    assert place.name.endswith(" database runs (db.example.com:3307)")
    assert "p@s" not in f"{place!r} {place.name}"


def test_a_socket_goes_into_the_query() -> None:
    place = location("mysql://me@/runs?unix_socket=/run/mysqld.sock")
    assert (place.options["unix_socket"], place.name) == ("/run/mysqld.sock", "MySQL database runs (/run/mysqld.sock)")


@pytest.mark.parametrize(
    "uri",
    [
        "postgresql://me:secret@host/runs",
        "mysql:runs",
        "mysql+mysqldb://me:secret@host/runs",
        "mysql://me:secret@host:port/runs",
        "mysql://me:secret@host",
        "mysql://me:secret@host/runs?sslca=1",
        "mysql://me:secret@host/runs?port=abc",
        "mysql://me:secret@host/runs?autocommit=true",
        "mysql://me:secret@host/runs?cursorclass=DictCursor",
        "mysql://me:secret@host/runs?conv=x",
        "mysql://me:secret@host/runs?ssl=true",
        "mysql://me:secret@host/runs?charset=latin1",
        "mysql://me:secret@host/runs?read_timeout=soon",
        "mysql://me:se@/cret@host/runs",
        "mysql://me:se@cret?x@host/runs",
        "mysql://me:top@cr:et@host/runs",
    ],
)
def test_what_is_no_such_uri_is_refused_without_its_password(uri: str) -> None:
    with pytest.raises(InvalidUri) as raised:
        location(uri)
    assert not any(piece in str(raised.value) for piece in ("secret", "cret@", "cret?", "cr:et"))
    assert raised.value.__cause__ is None


def test_what_is_the_same_anyway_may_be_said() -> None:
    assert location("mysql://me@host/runs?charset=utf8mb4&connect_timeout=3").options["connect_timeout"] == 3
