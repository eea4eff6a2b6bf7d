"""What goes wrong between PostgreSQL and us, as errors of dovetail's: all of it passes through here."""

from __future__ import annotations

import psycopg
from psycopg import errors

from dovetail import uris
from dovetail.errors import InvalidInput, StoreError, StoreFull, StoreReadOnly, StoreUnavailable
from dovetail_sql.retrying import Lost, Transient, Unsure

__all__ = ["failure", "unreached"]

# SQLSTATE classes and codes, see the appendix "PostgreSQL Error Codes" of its manual.
_IN_EACH_OTHERS_WAY = ("40001", "40P01", "55P03")
_GONE = ("08", "57P01", "57P02", "57P03", "57P05", "25P03")
_CROWDED = ("53300", "53400")
_FULL = ("53100",)
_READ_ONLY = ("25006", "42501")
# The server's words when it refuses a connection; they come without a code, and in the server's language.
_BUSY_WORDS = ("starting up", "shutting down", "too many", "remaining connection slots", "recovery mode")


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
    if code in _IN_EACH_OTHERS_WAY:
        return Transient(
            f"{name} stayed locked by other writers for {waited:g} s.",
            hint="See which transactions hold it (pg_locks), or wait longer with DOVETAIL_BUSY_TIMEOUT=<seconds>.",
        )
    if code.startswith(_GONE) or (not code and isinstance(error, (psycopg.OperationalError, psycopg.InterfaceError))):
        return _lost(name, text, committing=committing)
    if code in _READ_ONLY:
        return StoreReadOnly(f"{name} may be read but not written: {text}.", hint="Ask for the right to write there.")
    if code in _FULL:
        return StoreFull(f"{name} has no more room: {text}.", hint="Make room; what was stored before is intact.")
    if isinstance(error, errors.DataError):
        return InvalidInput(f"{name} cannot hold what was to be stored: {text}.")
    return StoreError(f"{name} could not be used: PostgreSQL says {text!r}.")


def unreached(error: psycopg.Error, name: str, *, before: bool) -> Exception:
    """Why a connection could not be opened.

    Args:
        error: What psycopg raised.
        name: What messages call the database.
        before: Whether there has been one, so that the server may come back.
    """
    text = _first_line(error)
    said = text.partition("FATAL:")[2].strip()
    if any(words in said for words in _BUSY_WORDS):
        return Transient(f"{name} takes no connection: {said}.", hint="Try again later.")
    if said:
        return StoreError(
            f"{name} refused the connection: {said}.", hint="Check the user, the password and the database in the URI."
        )
    kind = Lost if before else StoreUnavailable
    return kind(
        f"{name} cannot be reached: {text}.", hint="Check that the server is up, and the host and port in the URI."
    )


def _lost(name: str, text: str, *, committing: bool) -> Exception:
    if committing:
        return Unsure(
            f"The connection to {name} was lost while it stored something ({text}).",
            hint="Look whether it is there before doing it again.",
        )
    return Lost(f"The connection to {name} was lost ({text}); nothing was stored.", hint="Check that the server is up.")


def _first_line(error: psycopg.Error) -> str:
    text = error.diag.message_primary or str(error)
    return uris.masked(" ".join(text.partition("\n")[0].split()).removeprefix("connection failed: ").rstrip("."))
