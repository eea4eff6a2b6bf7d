"""What runs used and made, and which models and datasets their metrics are about, within one transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from dovetail.errors import NotFound
from dovetail.values import Dataset, DatasetInput, InputTag, LoggedModelInput, LoggedModelOutput, RunInputs, RunOutputs

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping, Sequence

    from dovetail.values import Batch, Metric
    from dovetail_sql.database import Row, Transaction
    from dovetail_sql.reading import RunRow

__all__ = [
    "NOTED",
    "NOTHING_MADE",
    "NOTHING_USED",
    "NOT_NOTED",
    "fill_datasets",
    "known_models",
    "links_of",
    "models_of",
    "put_links",
    "put_measures",
    "require_models",
]

NOTED = ("source_type", "source", "schema", "profile")
"""What is noted of a dataset beside its name and digest."""
NOT_NOTED = ""
"""The source type of a dataset that only metrics have named yet."""
NOTHING_USED, NOTHING_MADE = RunInputs(), RunOutputs()
USED, MADE = 0, 1

_Key: TypeAlias = "tuple[str, str]"
"""What tells a dataset from others of its experiment: name and digest."""


def links_of(transaction: Transaction, rows: Sequence[RunRow]) -> dict[int, tuple[RunInputs, RunOutputs]]:
    """What those of these runs used and made that used or made anything: three queries, however many runs."""
    linked = [row.id for row in rows if row.linked]
    if not linked:
        return {}
    among = {"runs": transaction.listed(linked)}
    datasets = _datasets_of(transaction, linked, among)
    used: dict[int, list[LoggedModelInput]] = {run: [] for run in linked}
    made: dict[int, list[LoggedModelOutput]] = {run: [] for run in linked}
    for run, kind, step, model_id in transaction.rows("run_models_of", among):
        if kind == MADE:
            made[run].append(LoggedModelOutput.stored(model_id=model_id, step=step))
        else:
            used[run].append(LoggedModelInput.stored(model_id=model_id))
    return {
        run: (
            RunInputs.stored(dataset_inputs=tuple(datasets[run]), model_inputs=tuple(used[run])),
            RunOutputs.stored(model_outputs=tuple(made[run])),
        )
        for run in linked
    }


def put_links(
    transaction: Transaction,
    run: RunRow,
    models: Sequence[LoggedModelInput | LoggedModelOutput],
    datasets: Sequence[DatasetInput] = (),
) -> None:
    """Note which logged models a run used or made, and which datasets it used.

    Raises:
        NotFound: There is no such model.
    """
    if models:
        _put_models(transaction, run, models)
    if datasets:
        _put_datasets(transaction, run, datasets)
    # Reading a run asks for what it used and made only if this says so.
    if (models or datasets) and not run.linked:
        transaction.run("link_run", {"id": run.id})


def put_measures(
    transaction: Transaction,
    logged: Sequence[tuple[RunRow, Sequence[Metric]]],
    ids: Mapping[str, int],
    models: Mapping[str, int],
) -> None:
    """Add those metrics of runs that are about logged models to these.

    Args:
        transaction: Where to write.
        logged: Runs, and all the metrics that they log.
        ids: The numbers of the metrics' names.
        models: The numbers of the logged models.
    """
    linked = [
        (run, each)
        for run, metrics in logged
        for each in metrics
        if each.model_id is not None or each.dataset_name is not None
    ]
    if not linked:
        return
    datasets = _measured_on(transaction, linked)
    rows = [
        (
            models[each.model_id],
            ids[each.key],
            run.id,
            datasets.get((run.experiment, each.dataset_name or "", each.dataset_digest or "")),
            each.value if each.value == each.value else None,
            each.timestamp,
            each.step,
        )
        for run, each in linked
        if each.model_id is not None
    ]
    if rows:
        transaction.many("add_model_point", rows)


def _put_datasets(transaction: Transaction, run: RunRow, datasets: Sequence[DatasetInput]) -> None:
    known = _known_datasets(transaction, run, [each.dataset for each in datasets])
    numbers = [known[each.dataset.name, each.dataset.digest] for each in datasets]
    transaction.many("add_run_input", [(run.id, number) for number in dict.fromkeys(numbers)])
    labels: dict[int, tuple[InputTag, ...]] = {}
    for number, each in zip(numbers, datasets, strict=True):
        labels[number] = labels.get(number) or each.tags
    if any(labels.values()):
        _put_labels(transaction, run, labels)


def _put_labels(transaction: Transaction, run: RunRow, labels: Mapping[int, Sequence[InputTag]]) -> None:
    """Label those inputs that have no tags yet; ``labels`` are by the numbers of their datasets."""
    inputs = {dataset: number for number, dataset in transaction.rows("run_inputs", {"run": run.id})}
    labelled = {number for number, *_ in transaction.rows("input_tags_of", {"runs": transaction.listed([run.id])})}
    new = [(inputs[dataset], tag) for dataset, tags in labels.items() for tag in tags]
    rows = [(number, tag.key, tag.value) for number, tag in new if number not in labelled]
    if rows:
        transaction.many("add_input_tag", rows)


def _put_models(transaction: Transaction, run: RunRow, models: Sequence[LoggedModelInput | LoggedModelOutput]) -> None:
    wanted = [each.model_id for each in models]
    numbers = known_models(transaction, wanted)
    require_models(numbers, wanted)
    steps = {(numbers[each.model_id], type(each) is LoggedModelOutput): getattr(each, "step", 0) for each in models}
    rows = [(run.id, number, MADE if made else USED, step) for (number, made), step in steps.items()]
    transaction.many("put_run_model", rows)


def _datasets_of(transaction: Transaction, runs: Sequence[int], among: dict[str, Any]) -> dict[int, list[DatasetInput]]:
    labels: dict[int, list[InputTag]] = {}
    for number, key, value in transaction.rows("input_tags_of", among):
        labels.setdefault(number, []).append(InputTag.stored(key=key, value=value))
    held: dict[int, list[DatasetInput]] = {run: [] for run in runs}
    for run, number, *fields in transaction.rows("inputs_of", among):
        dataset = Dataset.stored(**dict(zip(Dataset.__dataclass_fields__, fields, strict=True)))
        held[run].append(DatasetInput.stored(dataset=dataset, tags=tuple(labels.get(number, ()))))
    return held


def _known_datasets(transaction: Transaction, run: RunRow, datasets: Sequence[Dataset]) -> dict[_Key, int]:
    """The numbers of these datasets in the run's experiment, which gets to know those that are new."""
    new: dict[_Key, Dataset] = {(each.name, each.digest): each for each in reversed(datasets)}
    # In one order for all writers, lest two of them wait for each other.
    transaction.many("add_dataset", [(run.experiment, *key, *_noted(new[key])) for key in sorted(new)])
    found = _named(transaction, run.experiment, new)
    bare = {key: number for key, (number, source_type) in found.items() if source_type == NOT_NOTED and key in new}
    fill_datasets(transaction, [(number, *_noted(new[key])) for key, number in bare.items()])
    return {key: number for key, (number, _) in found.items()}


def fill_datasets(transaction: Transaction, rows: Iterable[Row]) -> None:
    """Note the rest of datasets that only metrics have named yet.

    Args:
        transaction: Where to write.
        rows: The number of each, and what ``NOTED`` lists.
    """
    for number, *noted in rows:
        transaction.run("fill_dataset", {"id": number, **{f"new_{n}": v for n, v in zip(NOTED, noted, strict=True)}})


def _noted(dataset: Dataset) -> tuple[str | None, ...]:
    return dataset.source_type, dataset.source, dataset.schema, dataset.profile


def _named(transaction: Transaction, experiment: int, keys: Iterable[_Key]) -> dict[_Key, tuple[int, str]]:
    """The number and source type of datasets that an experiment knows, and maybe of more."""
    names, digests = ({key[place] for key in keys} for place in (0, 1))
    lists = {"names": transaction.listed(list(names)), "digests": transaction.listed(list(digests))}
    found = transaction.rows("datasets_named", {"experiment": experiment, **lists})
    return {(name, digest): (number, source_type) for number, name, digest, source_type in found}


def _measured_on(transaction: Transaction, linked: Sequence[tuple[RunRow, Metric]]) -> dict[tuple[int, str, str], int]:
    """The numbers of the datasets that metrics name, by experiment too, which gets to know those that are new."""
    wanted: dict[int, set[_Key]] = {}
    for run, each in linked:
        if each.dataset_name is not None:
            wanted.setdefault(run.experiment, set()).add((each.dataset_name, each.dataset_digest or ""))
    known: dict[tuple[int, str, str], int] = {}
    for experiment in sorted(wanted):
        found = _noted_by_name(transaction, experiment, wanted[experiment])
        known |= {(experiment, *key): number for key, number in found.items()}
    return known


def _noted_by_name(transaction: Transaction, experiment: int, named: set[_Key]) -> dict[_Key, int]:
    known = _named(transaction, experiment, named)
    if new := sorted(named - known.keys()):
        transaction.many("add_dataset", [(experiment, *key, NOT_NOTED, "", None, None) for key in new])
        known = _named(transaction, experiment, named)
    return {key: number for key, (number, _) in known.items()}


def models_of(batches: Iterable[Batch]) -> list[str]:
    """The ids of the logged models that metrics of some batches are about."""
    return [each.model_id for batch in batches for each in batch.metrics if each.model_id is not None]


def known_models(transaction: Transaction, model_ids: Iterable[str]) -> dict[str, int]:
    """The numbers of those of these logged models that there are."""
    wanted = list(dict.fromkeys(model_ids))
    if not wanted:
        return {}
    asked = {"ids": transaction.listed(wanted)}
    return {model_id: number for number, model_id in transaction.rows("logged_model_ids", asked)}


def require_models(known: Container[str], model_ids: Iterable[str]) -> None:
    """Raise ``NotFound`` for a logged model that is not among those that are known."""
    for model_id in model_ids:
        if model_id not in known:
            raise NotFound(f"There is no logged model {model_id!r}.")
