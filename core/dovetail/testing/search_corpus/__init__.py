"""Things to search, and what each search must find: the search contract as plain data.

Every store is held to it. A suite creates the examples of an entity (``RUNS``, ``EXPERIMENTS``,
``REGISTERED_MODELS``, ``MODEL_VERSIONS``, ``LOGGED_MODELS``) and asks all that stands beside them. All answers were
worked out by hand from the documented meaning, none by running an implementation.
"""

from __future__ import annotations

from dovetail.testing.search_corpus.experiments import (
    EXPERIMENT_ORDERS,
    EXPERIMENT_SEARCHES,
    EXPERIMENTS,
    REFUSED_EXPERIMENT_FILTERS,
    REFUSED_EXPERIMENT_ORDERS,
    ExampleExperiment,
)
from dovetail.testing.search_corpus.logged_models import (
    LOGGED_MODEL_ORDERS,
    LOGGED_MODEL_SEARCHES,
    LOGGED_MODELS,
    REFUSED_DATASETS,
    REFUSED_LOGGED_MODEL_FILTERS,
    REFUSED_LOGGED_MODEL_ORDERS,
    ExampleLoggedModel,
    ExamplePoint,
)
from dovetail.testing.search_corpus.model_versions import (
    MODEL_VERSION_ORDERS,
    MODEL_VERSION_SEARCHES,
    MODEL_VERSIONS,
    REFUSED_MODEL_VERSION_FILTERS,
    REFUSED_MODEL_VERSION_ORDERS,
    ExampleModelVersion,
)
from dovetail.testing.search_corpus.registered_models import (
    REFUSED_REGISTERED_MODEL_FILTERS,
    REFUSED_REGISTERED_MODEL_ORDERS,
    REGISTERED_MODEL_ORDERS,
    REGISTERED_MODEL_SEARCHES,
    REGISTERED_MODELS,
    ExampleRegisteredModel,
)
from dovetail.testing.search_corpus.run_refusals import REFUSED_FILTERS, REFUSED_ORDERS
from dovetail.testing.search_corpus.run_searches import DATASET_SEARCHES, ORDERS, SEARCHES
from dovetail.testing.search_corpus.runs import RUNS, ExampleDataset, ExampleRun

__all__ = [
    "DATASET_SEARCHES",
    "EXPERIMENTS",
    "EXPERIMENT_ORDERS",
    "EXPERIMENT_SEARCHES",
    "LOGGED_MODELS",
    "LOGGED_MODEL_ORDERS",
    "LOGGED_MODEL_SEARCHES",
    "MODEL_VERSIONS",
    "MODEL_VERSION_ORDERS",
    "MODEL_VERSION_SEARCHES",
    "ORDERS",
    "REFUSED_DATASETS",
    "REFUSED_EXPERIMENT_FILTERS",
    "REFUSED_EXPERIMENT_ORDERS",
    "REFUSED_FILTERS",
    "REFUSED_LOGGED_MODEL_FILTERS",
    "REFUSED_LOGGED_MODEL_ORDERS",
    "REFUSED_MODEL_VERSION_FILTERS",
    "REFUSED_MODEL_VERSION_ORDERS",
    "REFUSED_ORDERS",
    "REFUSED_REGISTERED_MODEL_FILTERS",
    "REFUSED_REGISTERED_MODEL_ORDERS",
    "REGISTERED_MODELS",
    "REGISTERED_MODEL_ORDERS",
    "REGISTERED_MODEL_SEARCHES",
    "RUNS",
    "SEARCHES",
    "ExampleDataset",
    "ExampleExperiment",
    "ExampleLoggedModel",
    "ExampleModelVersion",
    "ExamplePoint",
    "ExampleRegisteredModel",
    "ExampleRun",
]
