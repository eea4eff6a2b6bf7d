"""What goes wrong between servers and us, in words that are the same for all of them.

An engine's plugin knows its server's codes, and says by these what they mean.
"""

from __future__ import annotations

from dovetail import uris
from dovetail.errors import InvalidInput, InvalidUri, StoreError, StoreFull, StoreReadOnly, StoreUnavailable
from dovetail_sql.retrying import Displaced, Lost, Transient, Unsure

__all__ = [
    "collided",
    "crowded",
    "displaced",
    "full",
    "locked",
    "lost",
    "met",
    "out_of_reach",
    "read_only",
    "refused",
    "too_large",
    "unconnectable",
    "unfit",
    "unusable",
]


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


def collided(name: str, text: str) -> Exception:
    """Two transactions were in each other's way, and the server broke this one off."""
    return Transient(
        f"{name} broke off a transaction that was in the way of another writer's ({text}); nothing was stored.",
        hint="Try again.",
    )


def displaced(name: str, text: str) -> Exception:
    """A table that is part of the schema is not there."""
    return Displaced(
        f"{name} misses tables that were there before ({text}); nothing was stored.",
        hint="See what dropped or moved them: dovetail db check <its URI>",
    )


def too_large(name: str, text: str, setting: str) -> Exception:
    """A statement is longer than the server takes.

    Args:
        name: What messages call the database.
        text: How long it is, and how long it may be.
        setting: The server's setting that bounds it.
    """
    return InvalidInput(
        f"{name} cannot take so much at once: {text}.",
        hint=f"Store less in one value, or raise the server's {setting}; large things are better kept as artifacts.",
    )


def unconnectable(name: str, error: Exception) -> Exception:
    """The driver fails before it asks the server."""
    text = uris.masked(f"{type(error).__name__}: {error}")
    if isinstance(error, RuntimeError):  # a package is missing that the server's way to check passwords needs
        return StoreError(f"{name} cannot be connected to: {text}.", hint="Install what the driver asks for.")
    return InvalidUri(f"{name} cannot be connected to: {text}.", hint="Check the parameters behind the ? of its URI.")


def met(name: str) -> Exception:
    """Another writer was the first to add the same thing; whoever looks again finds it."""
    return Transient(
        f"Another writer added the same to {name} at the same time; nothing was stored.", hint="Try again."
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
