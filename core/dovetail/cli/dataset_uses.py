"""Datasets as runs have used them: which there are, in which runs and for what."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dovetail.values import Dataset, DatasetInput, Run, ViewType

__all__ = ["Use", "UsedDataset", "context_of", "used_datasets"]

CONTEXT = "mlflow.data.context"


@dataclass(frozen=True)
class Use:
    """A run that used a dataset.

    Args:
        run: The run.
        context: What for, such as ``training``; None where nobody said.
    """

    run: Run
    context: str | None

    def to_dictionary(self) -> dict[str, Any]:
        """Which run it is, and what it used the data for."""
        info = self.run.info
        return {"run_id": info.run_id, "run_name": info.run_name, "status": info.status, "context": self.context}


@dataclass
class UsedDataset:
    """A dataset of an experiment.

    Args:
        experiment_id: The experiment.
        dataset: The dataset as the experiment knows it.
        uses: The runs that used it, the latest first.
    """

    experiment_id: str
    dataset: Dataset
    uses: list[Use] = field(default_factory=list)

    @property
    def contexts(self) -> list[str]:
        """What it was used for, each once."""
        return sorted({use.context for use in self.uses if use.context})

    @property
    def last_used(self) -> int:
        """When the latest of its runs started, in milliseconds since 1970, UTC."""
        return max(use.run.info.start_time for use in self.uses)

    def to_dictionary(self) -> dict[str, Any]:
        """Everything as plain nested dicts."""
        held = {"experiment_id": self.experiment_id, **self.dataset.__dict__}
        return {**held, "runs": [use.to_dictionary() for use in self.uses]}


def used_datasets(
    experiment_ids: Iterable[str], view: ViewType, name: str | None = None, context: str | None = None
) -> list[UsedDataset]:
    """The datasets that runs of these experiments used, the one used last first.

    Args:
        experiment_ids: Where to look.
        view: Whether deleted runs count.
        name: Only datasets of that name.
        context: Only uses for that purpose.
    """
    found: dict[tuple[str, str, str], UsedDataset] = {}
    for run in _runs(list(experiment_ids), view, name, context):
        for used in run.inputs.dataset_inputs:
            purpose = context_of(used)
            if name in (None, used.dataset.name) and context in (None, purpose):
                key = run.info.experiment_id, used.dataset.name, used.dataset.digest
                place = found.setdefault(key, UsedDataset(run.info.experiment_id, used.dataset))
                place.uses.append(Use(run, purpose))
    return list(found.values())


def _runs(experiment_ids: list[str], view: ViewType, name: str | None, context: str | None) -> Iterator[Run]:
    """The runs that used such data, newest first."""
    from dovetail.tracking.client import Client

    asked = [("name", name)] if name is not None else []
    asked += [("context", context)] if context is not None else []
    conditions = [f"datasets.{key} = '{_quoted(value)}'" for key, value in asked] or ["datasets.name LIKE '%'"]
    client, token = Client(), None
    while True:
        page = client.search_runs(experiment_ids, " AND ".join(conditions), view, page_token=token)
        yield from page
        if (token := page.token) is None:
            return


def _quoted(text: str) -> str:
    return text.replace("'", "''")


def context_of(used: DatasetInput) -> str | None:
    """What a run used a dataset for; None where nobody said."""
    return next((tag.value for tag in used.tags if tag.key == CONTEXT and tag.value), None)
