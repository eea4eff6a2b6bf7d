"""The stores as engines have them whose databases are shared: their methods begin again where they were broken off."""

from __future__ import annotations

from functools import cache

from dovetail.registry.store import RegistryStore
from dovetail.tracking.store import TrackingStore
from dovetail_sql.registry import SqlRegistryStore
from dovetail_sql.retrying import retried
from dovetail_sql.store import SqlTrackingStore

__all__ = ["registry_store", "tracking_store"]

# What may be done twice, where nobody knows whether it was done once.
_LOGGING = frozenset({"log_batch", "log_inputs", "log_outputs", "delete_run", "restore_run", "set_experiment_tags"})
_TIDYING = frozenset({"discarded", "condemn", "purge", "move_run"})
_NOTING = frozenset({"set_registered_model_tags", "set_model_version_tags"})
_READING = ("get_", "search_", "count_")


@cache
def tracking_store() -> type[SqlTrackingStore]:
    """The class of tracking stores on shared databases."""
    methods = _methods(TrackingStore) | {"check_schema"}
    return retried(SqlTrackingStore, methods, _LOGGING | _TIDYING | _reading(methods))


@cache
def registry_store() -> type[SqlRegistryStore]:
    """The class of model registries on shared databases."""
    methods = _methods(RegistryStore)
    return retried(SqlRegistryStore, methods, _NOTING | _reading(methods))


def _methods(interface: type) -> set[str]:
    names = {name for kind in interface.__mro__ for name, value in vars(kind).items() if callable(value)}
    return {name for name in names if not name.startswith("_") and name != "close"}


def _reading(methods: set[str]) -> set[str]:
    return {name for name in methods if name.startswith(_READING)}
