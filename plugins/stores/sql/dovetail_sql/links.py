"""What runs used and made, and which models and datasets their metrics are about, within one transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from dovetail.errors import NotFound
from dovetail.values import Dataset, DatasetInput, InputTag, LoggedModelInput, LoggedModelOutput, RunInputs, RunOutputs

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from dovetail.values import Metric
    from dovetail_sql.database import Transaction
    from dovetail_sql.reading import RunRow

__all__ = ["NOTHING_MADE", "NOTHING_USED", "links_of", "put_links", "put_measures"]

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


def put_measures(transaction: Transaction, run: RunRow, metrics: Sequence[Metric], ids: Mapping[str, int]) -> None:
    """Add those metrics of a run that are about logged models to these.

    Args:
        transaction: Where to write.
        run: The run that logs them.
        metrics: All its metrics.
        ids: The numbers of the metrics' names.

    Raises:
        NotFound: There is no such model, or the run's experiment knows no such dataset.
    """
    linked = [each for each in metrics if each.model_id is not None or each.dataset_name is not None]
    if not linked:
        return
    datasets = _measured_on(transaction, run, linked)
    models = _model_numbers(transaction, (each.model_id for each in linked if each.model_id is not None))
    rows = [
        (
            models[each.model_id],
            ids[each.key],
            run.id,
            datasets.get((each.dataset_name or "", each.dataset_digest or "")),
            each.value if each.value == each.value else None,
            each.timestamp,
            each.step,
        )
        for each in linked
        if each.model_id is not None
    ]
    if rows:
        transaction.many("add_model_point", rows)


def _put_datasets(transaction: Transaction, run: RunRow, datasets: Sequence[DatasetInput]) -> None:
    known = _known_datasets(transaction, run, [each.dataset for each in datasets])
    numbers = [known[each.dataset.name, each.dataset.digest] for each in datasets]
    transaction.many("add_run_input", [(run.id, number) for number in dict.fromkeys(numbers)])
    labels = {(number, tag.key): tag.value for number, each in zip(numbers, datasets, strict=True) for tag in each.tags}
    if labels:
        inputs = {dataset: number for number, dataset in transaction.rows("run_inputs", {"run": run.id})}
        transaction.many("put_input_tag", [(inputs[number], key, value) for (number, key), value in labels.items()])


def _put_models(transaction: Transaction, run: RunRow, models: Sequence[LoggedModelInput | LoggedModelOutput]) -> None:
    numbers = _model_numbers(transaction, (each.model_id for each in models))
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
    transaction.many("add_dataset", [(run.experiment, *_fields(new[key])) for key in sorted(new)])
    return _numbered(transaction, run, new)


def _fields(dataset: Dataset) -> tuple[str | None, ...]:
    return dataset.name, dataset.digest, dataset.source_type, dataset.source, dataset.schema, dataset.profile


def _numbered(transaction: Transaction, run: RunRow, keys: Iterable[_Key]) -> dict[_Key, int]:
    names, digests = ({key[place] for key in keys} for place in (0, 1))
    lists = {"names": transaction.listed(list(names)), "digests": transaction.listed(list(digests))}
    found = transaction.rows("datasets_named", {"experiment": run.experiment, **lists})
    return {(name, digest): number for number, name, digest in found}


def _measured_on(transaction: Transaction, run: RunRow, metrics: Sequence[Metric]) -> dict[_Key, int]:
    named: set[_Key] = {
        (each.dataset_name, each.dataset_digest or "") for each in metrics if each.dataset_name is not None
    }
    known = _numbered(transaction, run, named) if named else {}
    for name, digest in sorted(named - known.keys()):
        raise NotFound(
            f"Experiment {run.experiment} knows no dataset {name!r} with digest {digest!r}.",
            hint="Log it as an input of the run first.",
        )
    return known


def _model_numbers(transaction: Transaction, model_ids: Iterable[str]) -> dict[str, int]:
    wanted = list(dict.fromkeys(model_ids))
    if not wanted:
        return {}
    asked = {"ids": transaction.listed(wanted)}
    known = {model_id: number for number, model_id in transaction.rows("logged_model_ids", asked)}
    for model_id in wanted:
        if model_id not in known:
            raise NotFound(f"There is no logged model {model_id!r}.")
    return known
