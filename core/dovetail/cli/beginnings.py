"""Runs and logged models whose ids begin as somebody has begun to write one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dovetail.values import LoggedModel, Run

__all__ = ["logged_models_beginning_with", "runs_beginning_with"]

_BEGINNING = re.compile(r"[A-Za-z0-9][\w\-]*\Z", re.ASCII)


def runs_beginning_with(text: str, count: int) -> list[Run]:
    """The newest runs whose ids begin like that, deleted ones included.

    Args:
        text: The beginning; nothing stands for all runs.
        count: At most this many.
    """
    from dovetail.tracking.search import search_runs
    from dovetail.values import ViewType

    if text and not _BEGINNING.match(text):
        return []
    like = f"attributes.run_id LIKE '{text}%'" if text else ""
    runs: list[Run] = search_runs(None, like, ViewType.ALL, count, output_format="list", search_all_experiments=True)
    # An underscore stands for any character in LIKE.
    return [run for run in runs if run.info.run_id.startswith(text)]


def logged_models_beginning_with(text: str, count: int) -> list[LoggedModel]:
    """The newest logged models whose ids begin like that, deleted ones included.

    Args:
        text: The beginning; nothing stands for all models.
        count: At most this many.
    """
    from dovetail.tracking.client import Client
    from dovetail.tracking.experiments import search_experiments
    from dovetail.values import ViewType

    if text and not _BEGINNING.match(text):
        return []
    like = f"model_id LIKE '{text}%'" if text else None
    experiments = [each.experiment_id for each in search_experiments()]
    found = Client().search_logged_models(experiments, like, max_results=count, view_type=ViewType.ALL)
    # An underscore stands for any character in LIKE.
    return [model for model in found if model.model_id.startswith(text)]
