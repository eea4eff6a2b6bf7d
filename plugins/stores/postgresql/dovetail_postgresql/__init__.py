"""Experiments, runs, metrics and registered models in a PostgreSQL database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dovetail import hookimpl

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dovetail.registry.store import RegistryStore
    from dovetail.tracking.store import TrackingStore
    from dovetail_postgresql.database import PostgresqlDatabase
    from dovetail_sql.registry import SqlRegistryStore
    from dovetail_sql.store import SqlTrackingStore

__all__ = ["dovetail_registry_stores", "dovetail_tracking_stores", "open_postgresql", "open_postgresql_registry"]


def open_postgresql(uri: str) -> SqlTrackingStore:
    """The tracking store in a PostgreSQL database, whose tables are made at its first use.

    Args:
        uri: ``postgresql://user:password@host:5432/database``. What libpq knows beside that, such as ``sslmode``, goes
            behind a ``?``.

    Raises:
        InvalidUri: It has another form.
    """
    from dovetail_sql.sharing import tracking_store

    return tracking_store(_database(uri))


def open_postgresql_registry(uri: str) -> SqlRegistryStore:
    """The model registry in a PostgreSQL database, the same that a tracking store may use.

    Args:
        uri: As ``open_postgresql`` takes it.

    Raises:
        InvalidUri: It has another form.
    """
    from dovetail_sql.sharing import registry_store

    return registry_store(_database(uri))


def _database(uri: str) -> PostgresqlDatabase:
    from dovetail_postgresql.database import PostgresqlDatabase
    from dovetail_postgresql.location import location

    return PostgresqlDatabase(location(uri))


@hookimpl
def dovetail_tracking_stores() -> Mapping[str, Callable[[str], TrackingStore]]:
    """The scheme ``postgresql``."""
    return {"postgresql": open_postgresql}


@hookimpl
def dovetail_registry_stores() -> Mapping[str, Callable[[str], RegistryStore]]:
    """The scheme ``postgresql``."""
    return {"postgresql": open_postgresql_registry}
