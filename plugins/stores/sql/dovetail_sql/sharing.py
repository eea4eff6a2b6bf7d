"""The stores as engines have them whose databases are shared: their methods begin again where they were broken off."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from dovetail.registry.store import RegistryStore
from dovetail.tracking.store import TrackingStore
from dovetail_sql.registry import SqlRegistryStore
from dovetail_sql.retrying import retried
from dovetail_sql.store import SqlTrackingStore

if TYPE_CHECKING:
    from dovetail_sql.database import Database

__all__ = ["registry_store", "tracking_store"]

# What may be done twice, where nobody knows whether it was done once.
_LOGGING = frozenset({"log_batch", "log_batches", "log_inputs", "log_outputs", "set_experiment_tags"})
_TIDYING = frozenset({"delete_run", "restore_run", "discarded", "condemn", "move_run", "restore_logged_model"})
_NOTING = frozenset({"set_registered_model_tags", "set_model_version_tags"})
_SEEING_TO = frozenset({"beat", "reap_runs", "drop_points"})
_UPKEEP = frozenset({"check_schema", "upgrade_schema"})
# What takes many transactions, and these.
_OF_STEPS = frozenset({"purge"})
_STEPS = frozenset({"_purge_some", "_seal_some"})
_READING = ("get_", "search_", "count_")


def tracking_store(database: Database) -> SqlTrackingStore:
    """The tracking store in a shared database; nothing is connected to yet."""
    return _tracking()(database)


def registry_store(database: Database) -> SqlRegistryStore:
    """The model registry in a shared database; nothing is connected to yet."""
    return _registry()(database)


@cache
def _tracking() -> type[SqlTrackingStore]:
    methods = (_methods(TrackingStore) | {"check_schema", "upgrade_schema"}) - _OF_STEPS
    return retried(SqlTrackingStore, methods, _LOGGING | _TIDYING | _SEEING_TO | _UPKEEP | _reading(methods), _STEPS)


@cache
def _registry() -> type[SqlRegistryStore]:
    methods = _methods(RegistryStore)
    return retried(SqlRegistryStore, methods, _NOTING | _reading(methods))


def _methods(interface: type) -> set[str]:
    names = {name for kind in interface.__mro__ for name, value in vars(kind).items() if callable(value)}
    return {name for name in names if not name.startswith("_") and name != "close"}


def _reading(methods: set[str]) -> set[str]:
    return {name for name in methods if name.startswith(_READING)}
