"""The stores that a location means."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dovetail_mysql.database import MysqlDatabase
from dovetail_mysql.location import location
from dovetail_sql.sharing import registry_store, tracking_store

if TYPE_CHECKING:
    from dovetail_sql.registry import SqlRegistryStore
    from dovetail_sql.store import SqlTrackingStore

__all__ = ["open_registry_store", "open_tracking_store"]


def open_tracking_store(uri: str) -> SqlTrackingStore:
    """The tracking store at a URI; nothing is connected to yet."""
    return tracking_store()(MysqlDatabase(location(uri)))


def open_registry_store(uri: str) -> SqlRegistryStore:
    """The model registry at a URI; nothing is connected to yet."""
    return registry_store()(MysqlDatabase(location(uri)))
