"""Recording a run that is over already."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dovetail.values import Run

__all__ = ["record"]


def record(
    experiment_id: str,
    *,
    name: str | None,
    description: str | None,
    tags: Mapping[str, str],
    status: str,
    parent: str | None,
) -> Run:
    """Create a run and end it at once.

    Args:
        experiment_id: Where it goes.
        name: Its name; by default a generated one.
        description: A note on it.
        tags: Labels.
        status: FINISHED, FAILED or KILLED.
        parent: The run it is a child of.

    Raises:
        InvalidInput: A run cannot end with that status, or a tag breaks the rules.
    """
    from dovetail.tracking.client import Client
    from dovetail.tracking.families import PARENT
    from dovetail.values import RunStatus

    ended = RunStatus.check_ended(status)  # before anything is made
    own = {"mlflow.note.content": description, PARENT: parent}
    given = {**tags, **{key: value for key, value in own.items() if value is not None}}
    client = Client()
    run_id = client.create_run(experiment_id, tags=given, run_name=name).info.run_id
    client.set_terminated(run_id, ended)
    return client.get_run(run_id)
