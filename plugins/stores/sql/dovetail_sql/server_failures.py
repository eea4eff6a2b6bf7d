"""What goes wrong between servers and us, in words that are the same for all of them.

An engine's plugin knows its server's codes, and says by these what they mean.
"""

from __future__ import annotations

from dovetail.errors import InvalidInput, StoreError, StoreFull, StoreReadOnly, StoreUnavailable
from dovetail_sql.retrying import Lost, Transient, Unsure

__all__ = ["crowded", "full", "locked", "lost", "out_of_reach", "read_only", "refused", "unfit", "unusable"]


def locked(name: str, waited: float, where: str) -> Exception:
    """Others were in the way, for longer than the busy timeout.

    Args:
        name: What messages call the database.
        waited: Seconds after which a lock was given up.
        where: Where to see who holds it.
    """
    return Transient(
        f"{name} stayed locked by other writers for {waited:g} s.",
        hint=f"See which transactions hold it ({where}), or wait longer with DOVETAIL_BUSY_TIMEOUT=<seconds>.",
    )


def lost(name: str, text: str, *, committing: bool) -> Exception:
    """The connection went away.

    Args:
        name: What messages call the database.
        text: What the driver says.
        committing: Whether the server was told to commit and has not answered.
    """
    if committing:
        return Unsure(
            f"The connection to {name} was lost while it stored something ({text}).",
            hint="Look whether it is there before doing it again.",
        )
    return Lost(f"The connection to {name} was lost ({text}); nothing was stored.", hint="Check that the server is up.")


def read_only(name: str, text: str) -> Exception:
    """The user may not write there."""
    return StoreReadOnly(f"{name} may be read but not written: {text}.", hint="Ask for the right to write there.")


def full(name: str, text: str) -> Exception:
    """The server has no more room."""
    return StoreFull(f"{name} has no more room: {text}.", hint="Make room; what was stored before is intact.")


def unfit(name: str, text: str) -> Exception:
    """The server cannot hold a value."""
    return InvalidInput(f"{name} cannot hold what was to be stored: {text}.")


def unusable(name: str, server: str, text: str) -> Exception:
    """Anything else that a server says."""
    return StoreError(f"{name} could not be used: {server} says {text!r}.")


def crowded(name: str, text: str) -> Exception:
    """The server takes no further connection now."""
    return Transient(f"{name} takes no connection: {text}.", hint="Try again later.")


def out_of_reach(name: str, text: str, *, before: bool) -> Exception:
    """No server answers.

    Args:
        name: What messages call the database.
        text: What the driver says.
        before: Whether there has been a connection, so that the server may come back.
    """
    kind = Lost if before else StoreUnavailable
    return kind(
        f"{name} cannot be reached: {text}.", hint="Check that the server is up, and the host and port in the URI."
    )


def refused(name: str, text: str) -> Exception:
    """The server does not want us."""
    return StoreError(
        f"{name} refused the connection: {text}.", hint="Check the user, the password and the database in the URI."
    )
