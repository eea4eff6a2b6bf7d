"""Experiments, runs, metrics and registered models in one SQLite file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dovetail import hookimpl

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dovetail.registry.store import RegistryStore
    from dovetail.tracking.store import TrackingStore
    from dovetail_sql.registry import SqlRegistryStore
    from dovetail_sql.store import SqlTrackingStore

__all__ = ["open_sqlite", "open_sqlite_registry"]


def open_sqlite(uri: str) -> SqlTrackingStore:
    """The tracking store in a SQLite file, which is made at its first use.

    Args:
        uri: ``sqlite:///relative.db``, ``sqlite:////absolute.db``, or ``sqlite://`` for one in memory that lives
            and dies with the store object.

    Raises:
        InvalidUri: It has another form.
    """
    from dovetail_sql.store import SqlTrackingStore
    from dovetail_sqlite.location import location
    from dovetail_sqlite.opening import open_database

    return SqlTrackingStore(open_database(location(uri)))


def open_sqlite_registry(uri: str) -> SqlRegistryStore:
    """The model registry in a SQLite file, the same file that a tracking store may use.

    Args:
        uri: As ``open_sqlite`` takes it.

    Raises:
        InvalidUri: It has another form.
    """
    from dovetail_sql.registry import SqlRegistryStore
    from dovetail_sqlite.location import location
    from dovetail_sqlite.opening import open_database

    return SqlRegistryStore(open_database(location(uri)))


@hookimpl
def dovetail_tracking_stores() -> Mapping[str, Callable[[str], TrackingStore]]:
    """The scheme ``sqlite``."""
    return {"sqlite": open_sqlite}


@hookimpl
def dovetail_registry_stores() -> Mapping[str, Callable[[str], RegistryStore]]:
    """The scheme ``sqlite``."""
    return {"sqlite": open_sqlite_registry}
