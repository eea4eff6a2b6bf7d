"""Runs as they are created: with a name, a user, and a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dovetail.tracking.casting import as_tags, tag
from dovetail.tracking.run_names import generated_name
from dovetail.tracking.source import user_name
from dovetail.values import NewRun
from dovetail.values.measure import now_ms
from dovetail.values.run import new_run_id

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dovetail.values import Lease

__all__ = ["run_to_create"]

_NAME = "mlflow.runName"


def run_to_create(
    experiment_id: str,
    start_time: int | None = None,
    tags: Mapping[str, Any] | None = None,
    run_name: str | None = None,
    run_id: str | None = None,
    lease: Lease | None = None,
) -> NewRun:
    """What a store needs to create a run, as ``Client.create_run`` takes it."""
    labels = as_tags(tags)
    given = {each.key: each.value for each in labels}
    name = tag(_NAME, run_name or given.get(_NAME) or generated_name())
    return NewRun(
        experiment_id,
        run_id or new_run_id(),
        run_name=name.value,
        user_id=given.get("mlflow.user") or user_name(),
        start_time=now_ms() if start_time is None else start_time,
        tags=(*(each for each in labels if each.key != _NAME), name),
        lease=lease,
    )
