"""Connections that wait for whoever needs one next."""

from __future__ import annotations

from dovetail_sql import pooling
from dovetail_sql.pooling import Pool


class Connection:
    """One that the server may have forgotten."""

    sound = True

    def __init__(self, *, lost: bool = False) -> None:
        self.lost = lost
        self.asked = 0
        self.closed = False

    def alive(self) -> bool:
        self.asked += 1
        return not self.lost

    def close(self) -> None:
        self.closed = True


def filled(*connections: Connection) -> Pool[Connection]:
    pool: Pool[Connection] = Pool("a database", 1)
    for connection in connections:
        pool.take(lambda connection=connection: connection)
    for connection in connections:
        pool.give(connection)
    return pool


def test_the_one_used_last_is_taken_first() -> None:
    first, second = Connection(), Connection()
    assert filled(first, second).take(Connection) is second


def test_an_emptied_pool_opens_new_ones() -> None:
    old = [Connection() for _ in range(pooling.MOST)]
    pool = filled(*old)
    pool.empty()
    assert all(connection.closed for connection in old)
    assert pool.take(Connection) not in old


def test_where_the_last_one_is_lost_the_others_are_not_even_asked() -> None:
    """They were idle for longer still; to ask each may take as long as a network takes to say nothing."""
    old = [Connection(lost=True) for _ in range(3)]
    pool = filled(*old)
    # A minute later.
    pool._idle = [(since - 60, connection) for since, connection in pool._idle]
    assert pool.take(Connection) not in old
    assert [connection.asked for connection in old] == [0, 0, 1]
    assert all(connection.closed for connection in old)
