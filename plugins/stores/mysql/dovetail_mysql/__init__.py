"""Experiments, runs, metrics and registered models in a MySQL or MariaDB database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dovetail import hookimpl

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dovetail.registry.store import RegistryStore
    from dovetail.tracking.store import TrackingStore
    from dovetail_mysql.database import MysqlDatabase
    from dovetail_sql.registry import SqlRegistryStore
    from dovetail_sql.store import SqlTrackingStore

__all__ = ["dovetail_registry_stores", "dovetail_tracking_stores", "open_mysql", "open_mysql_registry"]


def open_mysql(uri: str) -> SqlTrackingStore:
    """The tracking store in a MySQL or MariaDB database, whose tables are made at its first use.

    Args:
        uri: ``mysql://user:password@host:3306/database`` or ``mariadb://…``. What the driver takes beside that, such as
            ``ssl_ca`` or ``unix_socket``, goes behind a ``?``.

    Raises:
        InvalidUri: It has another form.
    """
    from dovetail_sql.sharing import tracking_store

    return tracking_store(_database(uri))


def open_mysql_registry(uri: str) -> SqlRegistryStore:
    """The model registry in a MySQL or MariaDB database, the same that a tracking store may use.

    Args:
        uri: As ``open_mysql`` takes it.

    Raises:
        InvalidUri: It has another form.
    """
    from dovetail_sql.sharing import registry_store

    return registry_store(_database(uri))


def _database(uri: str) -> MysqlDatabase:
    from dovetail_mysql.database import MysqlDatabase
    from dovetail_mysql.location import location

    return MysqlDatabase(location(uri))


@hookimpl
def dovetail_tracking_stores() -> Mapping[str, Callable[[str], TrackingStore]]:
    """The schemes ``mysql`` and ``mariadb``."""
    return {"mysql": open_mysql, "mariadb": open_mysql}


@hookimpl
def dovetail_registry_stores() -> Mapping[str, Callable[[str], RegistryStore]]:
    """The schemes ``mysql`` and ``mariadb``."""
    return {"mysql": open_mysql_registry, "mariadb": open_mysql_registry}
