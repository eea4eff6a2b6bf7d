"""Datasets that runs used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dovetail.errors import InvalidInput
from dovetail.tracking.walking import every
from dovetail.values import ViewType
from dovetail.values.names import check_experiment_id
from dovetail.wire.datasets import load_dataset_input, load_model_input
from dovetail.wire.fields import load_each
from dovetail_server.routing.answer import listed
from dovetail_server.routing.fields import objects, text, texts
from dovetail_server.routing.route import MB, Routes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dovetail.values import Run
    from dovetail_server.routing.asked import Asked

__all__ = ["ROUTES"]

ROUTES = Routes("/api/2.0/mlflow/", "/ajax-api/2.0/mlflow/")

_CONTEXT = "mlflow.data.context"
_MOST_EXPERIMENTS = 20
_MOST = 1000
_PAGE = 500


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
    found: dict[tuple[str, str, str, str], None] = {}
    for use in _uses(asked, ids):
        found[use] = None
        if len(found) == _MOST:
            break
    return listed("dataset_summaries", [_summary(*use) for use in sorted(found)])


def _uses(asked: Asked, experiment_ids: list[str]) -> Iterator[tuple[str, str, str, str]]:
    """Experiment, name, digest and context of each dataset that a run used, newest runs first."""
    store, those = asked.site.tracking, "dataset.name LIKE '%'"
    for run in every(lambda token: store.search_runs(experiment_ids, those, (), ViewType.ACTIVE_ONLY, _PAGE, token)):
        yield from _uses_of(run)


def _uses_of(run: Run) -> Iterator[tuple[str, str, str, str]]:
    for used in run.inputs.dataset_inputs:
        context = next((tag.value for tag in used.tags if tag.key == _CONTEXT), "")
        yield run.info.experiment_id, used.dataset.name, used.dataset.digest, context


def _summary(experiment_id: str, name: str, digest: str, context: str) -> dict[str, str]:
    data = {"experiment_id": experiment_id, "name": name, "digest": digest}
    return {**data, "context": context} if context else data
