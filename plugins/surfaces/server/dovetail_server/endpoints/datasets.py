"""Datasets that runs used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dovetail.errors import InvalidInput
from dovetail.values.names import check_experiment_id
from dovetail.wire.datasets import load_dataset_input, load_model_input
from dovetail.wire.fields import load_each
from dovetail_server.routing.answer import listed
from dovetail_server.routing.fields import objects, text, texts
from dovetail_server.routing.route import MB, Routes

if TYPE_CHECKING:
    from dovetail.values import DatasetSummary
    from dovetail_server.routing.asked import Asked

__all__ = ["ROUTES"]

ROUTES = Routes("/api/2.0/mlflow/", "/ajax-api/2.0/mlflow/")

_MOST_EXPERIMENTS = 20
_MOST = 1000


@ROUTES.add(
    "POST",
    "runs/log-inputs",
    "update",
    "run",
    text("run_id", required=True),
    objects("datasets"),
    objects("models"),
    largest=64 * MB,  # profiles of datasets may be long
)
def log_inputs(asked: Asked) -> dict[str, Any]:
    """Note which datasets and logged models a run used."""
    datasets = load_each(asked["datasets"], "datasets", load_dataset_input)
    models = load_each(asked["models"], "models", load_model_input)
    asked.site.tracking.log_inputs(asked.run_id, datasets, models)
    return {}


@ROUTES.add("POST", "experiments/search-datasets", "read", "experiment", texts("experiment_ids"))
def search(asked: Asked) -> dict[str, Any]:
    """Which datasets the runs of some experiments used, and what for."""
    ids = [check_experiment_id(each) for each in asked["experiment_ids"]]
    if not 1 <= len(ids) <= _MOST_EXPERIMENTS:
        raise InvalidInput(f"{len(ids)} experiments are asked for; it must be 1 to {_MOST_EXPERIMENTS}.")
    found = asked.site.tracking.search_datasets(ids, _MOST)
    return listed("dataset_summaries", [_shown(each) for each in found])


def _shown(use: DatasetSummary) -> dict[str, str]:
    data = {"experiment_id": use.experiment_id, "name": use.name, "digest": use.digest}
    return {**data, "context": use.context} if use.context else data
