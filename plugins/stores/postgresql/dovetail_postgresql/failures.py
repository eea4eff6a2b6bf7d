"""What goes wrong between PostgreSQL and us, as errors of dovetail's: all of it passes through here."""

from __future__ import annotations

import psycopg
from psycopg import errors

from dovetail import uris
from dovetail_sql import server_failures as failures

__all__ = ["failure", "unreached"]

# SQLSTATE classes and codes, see the appendix "PostgreSQL Error Codes" of its manual.
_IN_EACH_OTHERS_WAY = ("40001", "40P01")
_LOCKED = ("55P03",)
_DISPLACED = ("42P01",)
_GONE = ("08", "57P01", "57P02", "57P03", "57P05", "25P03")
_CROWDED = ("53300", "53400")
_FULL = ("53100",)
_READ_ONLY = ("25006", "42501")
# The server's words when it refuses a connection; they come without a code, and in the server's language.
_BUSY_WORDS = (
    "starting up",
    "shutting down",
    "accepting connections",  # not, or not yet
    "too many",
    "remaining connection slots",
    "recovery mode",
)


def failure(error: psycopg.Error, name: str, waited: float, *, committing: bool) -> Exception:
    """The error of dovetail's that one of psycopg's is.

    Args:
        error: What psycopg raised.
        name: What messages call the database.
        waited: Seconds after which a lock was given up.
        committing: Whether the server was told to commit and has not answered.
    """
    code = error.sqlstate or ""
    text = _first_line(error)
    if code.startswith(_GONE) or (not code and isinstance(error, (psycopg.OperationalError, psycopg.InterfaceError))):
        return failures.lost(name, text, committing=committing)
    return _by_others(code, text, name, waited) or _by_us(error, text, name)


def _by_others(code: str, text: str, name: str, waited: float) -> Exception | None:
    """What others did that was in our way."""
    if code in _LOCKED:
        return failures.locked(name, waited, "pg_locks")
    if code in _IN_EACH_OTHERS_WAY:
        return failures.collided(name, text)
    return failures.displaced(name, text) if code in _DISPLACED else None


def _by_us(error: psycopg.Error, text: str, name: str) -> Exception:
    """What the server does not let us do."""
    if error.sqlstate in _READ_ONLY:
        return failures.read_only(name, text)
    if error.sqlstate in _FULL:
        return failures.full(name, text)
    if isinstance(error, errors.DataError):
        return failures.unfit(name, text)
    return failures.unusable(name, "PostgreSQL", text)


def unreached(error: psycopg.Error, name: str, *, before: bool) -> Exception:
    """Why a connection could not be opened.

    Args:
        error: What psycopg raised.
        name: What messages call the database.
        before: Whether there has been one, so that the server may come back.
    """
    if isinstance(error, psycopg.ProgrammingError):
        return failures.unconnectable(name, error)
    text = _first_line(error)
    said = text.partition("FATAL:")[2].strip()
    if any(words in said for words in _BUSY_WORDS):
        return failures.crowded(name, said)
    return failures.refused(name, said) if said else failures.out_of_reach(name, text, before=before)


def _first_line(error: psycopg.Error) -> str:
    text = error.diag.message_primary or str(error)
    return uris.masked(" ".join(text.partition("\n")[0].split()).removeprefix("connection failed: ").rstrip("."))
