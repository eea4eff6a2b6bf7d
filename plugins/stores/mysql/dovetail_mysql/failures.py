"""What goes wrong between MySQL and us, as errors of dovetail's: all of it passes through here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pymysql.err import DataError, InterfaceError

from dovetail import uris
from dovetail_sql import server_failures as failures

if TYPE_CHECKING:
    import pymysql

__all__ = ["TOO_LARGE", "code_of", "failure", "unreached"]

TOO_LARGE = 1153
"""The number of the error that a statement is longer than the server takes."""

# See the manual's "Server Error Message Reference" and "Client Error Message Reference".
_IN_EACH_OTHERS_WAY = (1213, 1020, 1412)
_LOCKED = (1205,)
_DISPLACED = (1046, 1146)
_GONE = (1053, 1080, 1158, 1159, 1160, 1161, 1927, 2006, 2013, 2014, 2055, 4031)
_CROWDED = (1040, 1203, 1226)
_FULL = (1021, 1114, 1041)
_READ_ONLY = (1044, 1142, 1143, 1227, 1290, 1370, 1792, 1836)
_UNFIT = (1264, 1366, 1406)
_UNREACHED = (2002, 2003, 2005)


def code_of(error: BaseException) -> int:
    """The number of an error; 0 where the driver had none, as on a connection that was closed."""
    return error.args[0] if error.args and isinstance(error.args[0], int) else 0


def failure(error: pymysql.MySQLError, name: str, waited: float, *, committing: bool) -> Exception:
    """The error of dovetail's that one of PyMySQL's is.

    Args:
        error: What PyMySQL raised.
        name: What messages call the database.
        waited: Seconds after which a lock was given up.
        committing: Whether the server was told to commit and has not answered.
    """
    code, text = code_of(error), _text(error)
    # What is done on a connection that was closed has no number.
    if code in _GONE or code in _UNREACHED or isinstance(error, InterfaceError):
        return failures.lost(name, text, committing=committing)
    return _by_others(code, text, name, waited) or _by_us(error, text, name)


def _by_others(code: int, text: str, name: str, waited: float) -> Exception | None:
    """What others did that was in our way."""
    if code in _LOCKED:
        return failures.locked(name, waited, "SHOW ENGINE INNODB STATUS")
    if code in _IN_EACH_OTHERS_WAY:
        return failures.collided(name, text)
    return failures.displaced(name, text) if code in _DISPLACED else None


def _by_us(error: pymysql.MySQLError, text: str, name: str) -> Exception:
    """What the server does not let us do."""
    code = code_of(error)
    if code in _READ_ONLY:
        return failures.read_only(name, text)
    if code in _FULL:
        return failures.full(name, text)
    if code == TOO_LARGE:
        return failures.too_large(name, text, "max_allowed_packet")
    if code in _UNFIT or isinstance(error, DataError):
        return failures.unfit(name, text)
    return failures.unusable(name, "the server", text)


def unreached(error: pymysql.MySQLError, name: str, *, before: bool) -> Exception:
    """Why a connection could not be opened.

    Args:
        error: What PyMySQL raised.
        name: What messages call the database.
        before: Whether there has been one, so that the server may come back.
    """
    code, text = code_of(error), _text(error)
    if code in _CROWDED:
        return failures.crowded(name, text)
    if code in _GONE or code in _UNREACHED:
        return failures.out_of_reach(name, text, before=before)
    return failures.refused(name, text)


def _text(error: BaseException) -> str:
    said = str(error.args[1]) if len(error.args) > 1 else str(error)
    return uris.masked(said.strip().rstrip(".") or "it is closed")
