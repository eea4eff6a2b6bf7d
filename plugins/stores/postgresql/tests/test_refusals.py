"""What PostgreSQL says when it takes no connection: whether it is worth to try again."""

from __future__ import annotations

import psycopg
import pytest

from dovetail.errors import StoreUnavailable
from dovetail_postgresql.failures import unreached


@pytest.mark.parametrize(
    "said",
    [
        "the database system is starting up",
        "the database system is shutting down",
        "the database system is in recovery mode",
        "the database system is not yet accepting connections",
        "the database system is not accepting connections",
        "sorry, too many clients already",
        "remaining connection slots are reserved for roles with the SUPERUSER attribute",
    ],
)
def test_a_server_that_is_busy_with_itself_is_tried_again(said: str) -> None:
    error = psycopg.OperationalError(f'connection failed: connection to server at "127.0.0.1" failed: FATAL:  {said}')
    assert isinstance(unreached(error, "the database", before=True), StoreUnavailable)


def test_one_that_does_not_want_us_is_not() -> None:
    error = psycopg.OperationalError('connection failed: FATAL:  password authentication failed for user "me"')
    assert not isinstance(unreached(error, "the database", before=True), StoreUnavailable)
