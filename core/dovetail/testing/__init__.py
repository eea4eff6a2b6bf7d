"""What plugin authors test with: a suite for each kind of plugin, and reference stores that live in memory.

    from dovetail.testing import TrackingStoreSuite

    class TestMyStore(TrackingStoreSuite):
        @pytest.fixture
        def store(self, tmp_path): ...

The suites need what the extra ``testing`` of ``dovetail-core`` brings; the reference stores need nothing.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dovetail.testing.artifact_store import ArtifactStoreSuite
    from dovetail.testing.backend import BackendSuite
    from dovetail.testing.cached_env_manager import CachedEnvManagerSuite
    from dovetail.testing.dataset_source import DatasetSourceSuite
    from dovetail.testing.env_manager import EnvManagerSuite
    from dovetail.testing.flavor import FlavorSuite
    from dovetail.testing.memory import MemoryTrackingStore
    from dovetail.testing.memory_artifacts import MemoryArtifactStore
    from dovetail.testing.memory_registry import MemoryRegistryStore
    from dovetail.testing.plugin import PluginSuite
    from dovetail.testing.registry_store import RegistryStoreSuite
    from dovetail.testing.tracking_store import TrackingStoreSuite

__all__ = [
    "ArtifactStoreSuite",
    "BackendSuite",
    "CachedEnvManagerSuite",
    "DatasetSourceSuite",
    "EnvManagerSuite",
    "FlavorSuite",
    "MemoryArtifactStore",
    "MemoryRegistryStore",
    "MemoryTrackingStore",
    "PluginSuite",
    "RegistryStoreSuite",
    "TrackingStoreSuite",
]

_REFERENCES = {
    "MemoryArtifactStore": "dovetail.testing.memory_artifacts",
    "MemoryRegistryStore": "dovetail.testing.memory_registry",
    "MemoryTrackingStore": "dovetail.testing.memory",
}
_SUITES = {
    "ArtifactStoreSuite": "dovetail.testing.artifact_store",
    "BackendSuite": "dovetail.testing.backend",
    "CachedEnvManagerSuite": "dovetail.testing.cached_env_manager",
    "DatasetSourceSuite": "dovetail.testing.dataset_source",
    "EnvManagerSuite": "dovetail.testing.env_manager",
    "FlavorSuite": "dovetail.testing.flavor",
    "PluginSuite": "dovetail.testing.plugin",
    "RegistryStoreSuite": "dovetail.testing.registry_store",
    "TrackingStoreSuite": "dovetail.testing.tracking_store",
}


def __getattr__(name: str) -> Any:
    # Reference stores are used without pytest, so nothing here may import it before a suite is asked for.
    if name in _REFERENCES:
        return getattr(import_module(_REFERENCES[name]), name)
    if name in _SUITES:
        _explain_assertions(_SUITES[name])
        return getattr(import_module(_SUITES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _explain_assertions(module: str) -> None:
    """Have pytest show the values in a suite's failing assertions, as it does in a test file's own."""
    import pytest

    if module not in sys.modules:
        pytest.register_assert_rewrite(module)
