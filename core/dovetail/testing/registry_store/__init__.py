"""The suite that every model registry is held to."""

from __future__ import annotations

from dovetail.testing.registry_store.aliases import AliasStories
from dovetail.testing.registry_store.history import HistoryStories
from dovetail.testing.registry_store.models import ModelStories
from dovetail.testing.registry_store.processes import ProcessStories, ReopenStories
from dovetail.testing.registry_store.searches import ModelSearchStories, VersionSearchStories
from dovetail.testing.registry_store.stages import StageStories
from dovetail.testing.registry_store.tags import TagStories
from dovetail.testing.registry_store.threads import ThreadStories
from dovetail.testing.registry_store.versions import VersionStories

__all__ = ["RegistryStoreSuite"]


class RegistryStoreSuite(
    ModelStories,
    VersionStories,
    TagStories,
    AliasStories,
    StageStories,
    HistoryStories,
    ModelSearchStories,
    VersionSearchStories,
    ThreadStories,
    ReopenStories,
    ProcessStories,
):
    """Everything a model registry promises, as tests.

    A plugin's test file holds its registry to it by saying how to make one::

        class TestMyRegistry(RegistryStoreSuite):
            survives_reopen = True
            shared_between_processes = True

            @pytest.fixture
            def uri(self, tmp_path):
                return f"mine:///{tmp_path}/registry"

            @pytest.fixture
            def store(self, uri):
                with closing(open_mine(uri)) as store:
                    yield store

            @pytest.fixture
            def reopen(self):
                return lambda store: open_mine(store.uri)

    A registry that lives and dies with its process leaves out the two capabilities and their fixtures.
    """
