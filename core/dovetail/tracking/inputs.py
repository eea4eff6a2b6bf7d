"""Fluent verbs for what a run uses and makes: datasets and logged models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dovetail.errors import InvalidInput
from dovetail.tracking import places, runs
from dovetail.tracking.casting import as_list, as_mapping, check_values
from dovetail.values import Dataset, DatasetInput, InputTag, LoggedModelInput, LoggedModelOutput

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dovetail.tracking.store import TrackingStore

__all__ = ["dataset_of", "log_input", "log_inputs", "log_outputs", "note_measured"]

CONTEXT = "mlflow.data.context"
_MOST_NOTED = 10_000

_noted: set[tuple[str | None, ...]] = set()
"""What metrics of this process were about, by store, run, model and dataset: the store is told once."""


def log_input(
    dataset: Any = None,
    context: str | None = None,
    tags: Mapping[str, Any] | None = None,
    model: LoggedModelInput | None = None,
) -> None:
    """Note that the active run, which is started if there is none, uses a dataset or a logged model.

    Args:
        dataset: A dataset of ``dovetail.data``, or a ``Dataset`` value.
        context: What it is used for, such as ``training``; kept in the tag ``mlflow.data.context``.
        tags: Labels of this use of the dataset.
        model: A logged model that the run uses.

    Raises:
        InvalidInput: One of them is not of its kind, or cannot be stored.
        NotFound: There is no such model.
    """
    log_inputs([dataset], [context], [tags], [model])


def log_inputs(
    datasets: Sequence[Any] | None = None,
    contexts: Sequence[str | None] | None = None,
    tags_list: Sequence[Mapping[str, Any] | None] | None = None,
    models: Sequence[LoggedModelInput | None] | None = None,
) -> None:
    """Note datasets and logged models that the active run uses, all of them or none.

    Args:
        datasets: The datasets; see ``log_input``.
        contexts: What each is used for; as many as there are datasets, if given.
        tags_list: The labels of each; as many as there are datasets, if given.
        models: The logged models.

    Raises:
        InvalidInput: The lists are of different lengths; or as in ``log_input``.
        NotFound: There is no such model.
    """
    used = _dataset_inputs(_listed("datasets", datasets), contexts, tags_list)
    known = [each for each in _listed("models", models) if each is not None]
    check_values(known, LoggedModelInput, "A model that a run uses")
    if used or known:
        run = runs.current_run()
        places.open_store(run.uri).log_inputs(run.run_id, used, known)


def log_outputs(models: Sequence[LoggedModelOutput] | None = None) -> None:
    """Note logged models that the active run, which is started if there is none, has made.

    Args:
        models: The models, each with the step it is a checkpoint of.

    Raises:
        InvalidInput: One is no ``LoggedModelOutput``.
        NotFound: There is no such model.
    """
    made = _listed("models", models)
    check_values(made, LoggedModelOutput, "A model that a run made")
    if made:
        run = runs.current_run()
        places.open_store(run.uri).log_outputs(run.run_id, made)


def dataset_of(dataset: Any) -> Dataset:
    """What a store keeps of a dataset.

    Raises:
        InvalidInput: It is none.
    """
    if isinstance(dataset, Dataset):
        return dataset
    value = getattr(dataset, "value", None)
    found = value() if callable(value) else None
    if not isinstance(found, Dataset):
        raise InvalidInput(
            f"{type(dataset).__name__} is no dataset.", hint="Make one of it, such as by dovetail.data.from_pandas."
        )
    return found


def note_measured(store: TrackingStore, run_id: str, model_id: str | None, dataset: Any) -> tuple[str, str] | None:
    """Note as inputs of a run what its metrics are about, and return name and digest of the dataset.

    Raises:
        InvalidInput: The dataset is none.
        NotFound: There is no such run or model.
    """
    name, digest = getattr(dataset, "name", None), getattr(dataset, "digest", None)
    link = store.uri, run_id, model_id, name, digest
    if link not in _noted:
        # Only now the whole of it is made: schema and figures take a while.
        used = [] if dataset is None else [DatasetInput(dataset_of(dataset))]
        store.log_inputs(run_id, used, [] if model_id is None else [LoggedModelInput(model_id)])
        if len(_noted) >= _MOST_NOTED:
            _noted.clear()
        _noted.add(link)
    return None if dataset is None else (str(name), str(digest))


def _dataset_inputs(
    datasets: Sequence[Any],
    contexts: Sequence[str | None] | None,
    tags_list: Sequence[Mapping[str, Any] | None] | None,
) -> list[DatasetInput]:
    nothing = [None] * len(datasets)
    uses = nothing if contexts is None else as_list("The contexts", contexts)
    labels = nothing if tags_list is None else as_list("The tags", tags_list)
    if not len(datasets) == len(uses) == len(labels):
        raise InvalidInput(
            f"There are {len(datasets)} datasets, {len(uses)} contexts and {len(labels)} tags.",
            hint="Give one of each for every dataset; None where there is nothing to say.",
        )
    given = zip(datasets, uses, labels, strict=True)
    return [DatasetInput(dataset_of(each), _tags(use, own)) for each, use, own in given if each is not None]


def _tags(context: str | None, tags: Mapping[str, Any] | None) -> tuple[InputTag, ...]:
    labels = {key: str(value) for key, value in as_mapping("Tags", tags or {}).items()}
    if context is not None:
        labels[CONTEXT] = context
    return tuple(InputTag(key, value) for key, value in labels.items())


def _listed(what: str, given: Sequence[Any] | None) -> list[Any]:
    return [] if given is None else as_list(f"The {what}", given)
