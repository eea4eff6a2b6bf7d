"""Batches in MLflow's JSON: what ``runs/log-batch`` takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dovetail.errors import InvalidInput
from dovetail.values.batch import Batch
from dovetail.wire.fields import load_each, load_list, load_object
from dovetail.wire.labels import dump_labels, load_param, load_tag
from dovetail.wire.metrics import dump_metric, load_metrics

if TYPE_CHECKING:
    from dovetail.values.measure import Param

__all__ = ["MAX_METRICS", "MAX_PARAMS", "MAX_TAGS", "MAX_TOTAL", "dump_batch", "load_batch"]

MAX_METRICS = 1000
MAX_PARAMS = 100
MAX_TAGS = 100
MAX_TOTAL = 1000


def dump_batch(batch: Batch) -> dict[str, Any]:
    """Metrics, params and tags as MLflow takes them.

    MLflow's request knows no end of a run, which ``runs/update`` says, nor when a tag was set; and its servers take no
    more at once than the limits here.
    """
    data: dict[str, Any] = {}
    if batch.metrics or batch.columns:
        data["metrics"] = [dump_metric(metric) for metric in batch.points()]
    if batch.params:
        data["params"] = dump_labels(batch.params)
    if batch.tags:
        data["tags"] = dump_labels(batch.tags)
    return data


def load_batch(data: object) -> Batch:
    """The batch that a client sent.

    Args:
        data: The request's body; fields that are not the batch's are left alone.

    Raises:
        InvalidInput: A field is not of its kind, there is more than MLflow takes, or a param stands in it twice.
    """
    fields = data if type(data) is dict else load_object(data, "batch")
    metrics, params, tags = (load_list(fields.get(name), name) for name in ("metrics", "params", "tags"))
    _check_size(len(metrics), len(params), len(tags))
    loaded = load_each(params, "params", load_param)
    _check_keys(loaded)
    # Every member was checked just now.
    return Batch.stored(metrics=load_metrics(metrics), params=loaded, tags=load_each(tags, "tags", load_tag))


def _check_size(metrics: int, params: int, tags: int) -> None:
    found = {
        "metrics": (metrics, MAX_METRICS),
        "params": (params, MAX_PARAMS),
        "tags": (tags, MAX_TAGS),
        "metrics, params and tags together": (metrics + params + tags, MAX_TOTAL),
    }
    for what, (count, most) in found.items():
        if count > most:
            raise InvalidInput(
                f"The batch holds {count} {what}; at most {most} are taken.", hint="Send them in several batches."
            )


def _check_keys(params: tuple[Param, ...]) -> None:
    if len({param.key for param in params}) == len(params):
        return
    keys = [param.key for param in params]
    twice = next(key for key in keys if keys.count(key) > 1)
    raise InvalidInput(f"The param {twice!r} stands in the batch twice.", hint="Params are written once.")
