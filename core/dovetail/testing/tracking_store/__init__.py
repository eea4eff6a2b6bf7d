"""The suite that every tracking store is held to."""

from __future__ import annotations

from dovetail.testing.tracking_store.batches import BatchStories, LateTagStories, MarkStories
from dovetail.testing.tracking_store.bin import BinStories
from dovetail.testing.tracking_store.columns import ColumnStories
from dovetail.testing.tracking_store.dataset_searches import DatasetSearchStories
from dovetail.testing.tracking_store.endings import EndingStories
from dovetail.testing.tracking_store.experiments import ExperimentStories
from dovetail.testing.tracking_store.groups import (
    GroupMarkStories,
    GroupOrderStories,
    GroupStories,
    GroupThreadStories,
)
from dovetail.testing.tracking_store.histories import (
    HistoryProcessStories,
    HistoryStories,
    HistoryThreadStories,
    SeriesStories,
)
from dovetail.testing.tracking_store.leases import LeaseStories
from dovetail.testing.tracking_store.links import LinkStories
from dovetail.testing.tracking_store.logged_model_searches import LoggedModelSearchStories
from dovetail.testing.tracking_store.logged_models import LoggedModelStories
from dovetail.testing.tracking_store.metrics import MetricStories
from dovetail.testing.tracking_store.moves import MoveStories
from dovetail.testing.tracking_store.processes import ProcessStories, ReopenStories
from dovetail.testing.tracking_store.random_groups import RandomGroupStories
from dovetail.testing.tracking_store.rewinding import RewindStories
from dovetail.testing.tracking_store.runs import RunStories
from dovetail.testing.tracking_store.searches import ExperimentSearchStories, RunSearchStories
from dovetail.testing.tracking_store.texts import TextStories
from dovetail.testing.tracking_store.threads import ThreadStories

__all__ = ["TrackingStoreSuite"]


class TrackingStoreSuite(
    ExperimentStories,
    RunStories,
    BatchStories,
    MarkStories,
    LateTagStories,
    LeaseStories,
    EndingStories,
    GroupStories,
    GroupOrderStories,
    GroupMarkStories,
    GroupThreadStories,
    RandomGroupStories,
    RewindStories,
    MetricStories,
    HistoryStories,
    SeriesStories,
    HistoryThreadStories,
    HistoryProcessStories,
    LoggedModelStories,
    LoggedModelSearchStories,
    LinkStories,
    DatasetSearchStories,
    RunSearchStories,
    ColumnStories,
    ExperimentSearchStories,
    BinStories,
    MoveStories,
    TextStories,
    ThreadStories,
    ReopenStories,
    ProcessStories,
):
    """Everything a tracking store promises, as tests.

    A plugin's test file holds its store to it by saying how to make one::

        class TestMyStore(TrackingStoreSuite):
            survives_reopen = True
            shared_between_processes = True

            @pytest.fixture
            def uri(self, tmp_path):
                return f"mine:///{tmp_path}/store"

            @pytest.fixture
            def store(self, uri):
                with closing(open_mine(uri)) as store:
                    yield store

            @pytest.fixture
            def reopen(self):
                return lambda store: open_mine(store.uri)

    A store that lives and dies with its process leaves out the two capabilities and their fixtures.
    """
