"""Connections that know how long a statement may be."""

from __future__ import annotations

from typing import Any

from pymysql.connections import Connection
from pymysql.err import OperationalError

from dovetail_mysql.failures import TOO_LARGE

__all__ = ["BoundedConnection"]


class BoundedConnection(Connection):  # type: ignore[misc,unused-ignore]
    """PyMySQL's, which refuses a statement that the server would not even read to its end.

    The server hangs up in the middle of it, so that nobody could tell it from a network that failed.
    """

    _longest: int | None = None

    def ask_bound(self) -> None:
        """Ask the server for its bound."""
        with self.cursor() as cursor:
            cursor.execute("SELECT @@max_allowed_packet")
            (self._longest,) = cursor.fetchone()

    def query(self, sql: Any, unbuffered: bool = False) -> Any:
        """Execute a statement.

        Raises:
            OperationalError: It is too long; nothing was sent.
        """
        whole = sql.encode(self.encoding) if isinstance(sql, str) else sql
        # One byte says what kind of message it is.
        if self._longest is not None and len(whole) >= self._longest:
            raise OperationalError(TOO_LARGE, f"{len(whole):,} bytes, of which the server takes {self._longest - 1:,}")
        return super().query(whole, unbuffered=unbuffered)
