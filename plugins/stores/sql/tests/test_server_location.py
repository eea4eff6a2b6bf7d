"""URIs of databases on servers, as people write them: with passwords that nobody percent-encoded."""

from __future__ import annotations

from traceback import TracebackException
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dovetail.errors import InvalidUri
from dovetail_sql.server_location import url_of

SCHEMES = ("postgresql", "mysql")
ODD = st.text("/?#@:%&=[] ;,+", max_size=3)


def read(uri: str) -> Any:
    return url_of(uri, SCHEMES, "a database", "Write it properly.")


@given(st.sampled_from(SCHEMES), st.sampled_from(["me", "me/x", "me?x", "me@x", "me#", ""]), ODD, ODD)
def test_no_piece_of_a_password_is_ever_told(scheme: str, user: str, one: str, two: str) -> None:
    """Neither an error nor what it was raised from, nor the host and database that messages name."""
    try:
        url = read(f"{scheme}://{user}:qqq{one}www{two}zzz@127.0.0.1:1/runs")
        told = f"{url.host}:{url.port}/{url.database}?{dict(url.query)}"
    except InvalidUri as error:
        told = "".join(TracebackException.from_exception(error).format_exception_only())
        told += str(error.__cause__) + ("" if error.__suppress_context__ else str(error.__context__))
    assert [piece for piece in ("qqq", "www", "zzz") if piece in told] == []


@pytest.mark.parametrize("password", ["se@/cret", "se@cret?x", "top@cr:et"])
def test_a_second_at_sign_is_to_be_encoded(password: str) -> None:
    with pytest.raises(InvalidUri, match="more than one @") as raised:
        read(f"mysql://me:{password}@127.0.0.1:1/runs")
    assert "cret" not in str(raised.value)
    assert "cr:et" not in str(raised.value)
    assert raised.value.__cause__ is None
    assert read(f"mysql://me:{quote(password, safe='')}@127.0.0.1:1/runs").password == password


def test_an_at_sign_elsewhere_is_to_be_encoded() -> None:
    assert read("mysql://host/runs?program_name=a%40b").query == {"program_name": "a@b"}
    with pytest.raises(InvalidUri, match="ends no user's name"):
        read("mysql://host/runs?program_name=a@b")


def test_a_parameter_stands_once() -> None:
    with pytest.raises(InvalidUri, match="ssl_ca more than once"):
        read("mysql://host/runs?ssl_ca=a&ssl_ca=b")
    assert read("postgresql:///runs?host=a&host=b").query == {"host": ("a", "b")}
