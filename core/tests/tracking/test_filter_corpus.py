"""The search corpus, asked of the plain evaluator through the subjects that the reference stores use."""

from __future__ import annotations

import re
from typing import Any

import pytest

from dovetail.errors import InvalidFilter
from dovetail.testing import search_corpus as corpus
from dovetail.tracking.filters import matches, parse_datasets, parse_filter, parse_order, sort_subjects
from dovetail.tracking.subjects import (
    ExperimentSubject,
    LoggedModelSubject,
    ModelVersionSubject,
    RegisteredModelSubject,
    RunSubject,
)
from dovetail.values import (
    Dataset,
    DatasetInput,
    Experiment,
    InputTag,
    LoggedModel,
    LoggedModelStatus,
    Metric,
    ModelVersion,
    RegisteredModel,
    Run,
    RunData,
    RunInfo,
    RunInputs,
)


def run(example: corpus.ExampleRun) -> RunSubject:
    attributes: dict[str, Any] = example["attributes"]
    used = tuple(
        DatasetInput(
            Dataset(each["name"], each["digest"], "local", "x"), (InputTag("mlflow.data.context", each["context"]),)
        )
        for each in example["datasets"]
    )
    data = RunData(example["metrics"], example["params"], example["tags"])
    return RunSubject(Run(RunInfo(experiment_id="1", run_name=example["name"], **attributes), data, RunInputs(used)))


def version(example: corpus.ExampleModelVersion) -> ModelVersionSubject:
    created = example["creation_timestamp"]
    return ModelVersionSubject(
        ModelVersion(
            name=example["name"],
            version=int(example["label"].partition("/")[2]),
            creation_timestamp=created,
            last_updated_timestamp=created,
            source=example["source"],
            run_id=example["run_id"],
            model_id=example["model_id"],
            tags=example["tags"],
        )
    )


def logged_model(example: corpus.ExampleLoggedModel, datasets: Any = ()) -> LoggedModelSubject:
    points = (
        Metric(p.key, p.value, p.timestamp, p.step, None, *(p.dataset or (None, None))) for p in example["points"]
    )
    model = LoggedModel(
        experiment_id="1",
        model_id=example["model_id"],
        name=example["name"],
        artifact_location=f"file:///place/1/models/{example['model_id']}/artifacts",
        creation_timestamp=example["creation_timestamp"],
        last_updated_timestamp=example["creation_timestamp"],
        model_type=example["model_type"],
        source_run_id="f" * 32 if example["made_by_run"] else None,
        status=LoggedModelStatus(example["status"]),
        tags=example["tags"],
        params=example["params"],
        metrics=tuple(points),
    )
    return LoggedModelSubject(model, parse_datasets(datasets))


RUNS = [run(example) for example in corpus.RUNS]
DEFAULT: corpus.ExampleExperiment = {"name": "Default", "tags": {}}
EXPERIMENTS = [
    ExperimentSubject(
        Experiment(str(number), each["name"], "x", tags=each["tags"], creation_time=5000, last_update_time=5000)
    )
    for number, each in enumerate([DEFAULT, *corpus.EXPERIMENTS])
]
REGISTERED_MODELS = [
    RegisteredModelSubject(RegisteredModel(each["name"], 5000, 6000, tags=each["tags"]))
    for each in corpus.REGISTERED_MODELS
]
MODEL_VERSIONS = [version(example) for example in corpus.MODEL_VERSIONS]


def run_name(subject: RunSubject) -> str:
    return subject.run.info.run_name


def version_label(subject: ModelVersionSubject) -> str:
    return f"{subject.version.name}/{subject.version.version}"


@pytest.mark.parametrize(("text", "names"), [*corpus.SEARCHES, *corpus.DATASET_SEARCHES])
def test_a_search_finds_the_runs_worked_out_by_hand(text: str, names: frozenset[str]) -> None:
    tree = parse_filter(text)
    assert {run_name(each) for each in RUNS if matches(tree, each)} == names


@pytest.mark.parametrize(("clauses", "names"), corpus.ORDERS)
def test_an_order_sorts_runs_as_worked_out_by_hand(clauses: tuple[str, ...], names: list[str]) -> None:
    newest_first = sorted(RUNS, key=lambda each: -each.run.info.start_time)
    assert list(map(run_name, sort_subjects(newest_first, parse_order(clauses)))) == names


@pytest.mark.parametrize(("text", "names"), corpus.EXPERIMENT_SEARCHES)
def test_a_search_finds_the_experiments_worked_out_by_hand(text: str, names: frozenset[str]) -> None:
    tree = parse_filter(text, "experiments")
    assert {each.experiment.name for each in EXPERIMENTS if matches(tree, each)} == names


@pytest.mark.parametrize(("clauses", "names"), corpus.EXPERIMENT_ORDERS)
def test_an_order_sorts_experiments_as_worked_out_by_hand(clauses: tuple[str, ...], names: list[str]) -> None:
    found = sort_subjects(EXPERIMENTS[::-1], parse_order(clauses, "experiments"))
    assert [each.experiment.name for each in found] == names


@pytest.mark.parametrize(("text", "names"), corpus.REGISTERED_MODEL_SEARCHES)
def test_a_search_finds_the_registered_models_worked_out_by_hand(text: str, names: frozenset[str]) -> None:
    tree = parse_filter(text, "registered_models")
    assert {each.model.name for each in REGISTERED_MODELS if matches(tree, each)} == names


@pytest.mark.parametrize(("clauses", "names"), corpus.REGISTERED_MODEL_ORDERS)
def test_an_order_sorts_registered_models_as_worked_out_by_hand(clauses: tuple[str, ...], names: list[str]) -> None:
    by_name = sorted(REGISTERED_MODELS, key=lambda each: each.model.name)
    found = sort_subjects(by_name, parse_order(clauses, "registered_models"))
    assert [each.model.name for each in found] == names


@pytest.mark.parametrize(("text", "labels"), corpus.MODEL_VERSION_SEARCHES)
def test_a_search_finds_the_versions_worked_out_by_hand(text: str, labels: frozenset[str]) -> None:
    tree = parse_filter(text, "model_versions")
    assert {version_label(each) for each in MODEL_VERSIONS if matches(tree, each)} == labels


@pytest.mark.parametrize(("clauses", "labels"), corpus.MODEL_VERSION_ORDERS)
def test_an_order_sorts_versions_as_worked_out_by_hand(clauses: tuple[str, ...], labels: list[str]) -> None:
    newest_first = sorted(MODEL_VERSIONS, key=lambda each: -each.version.last_updated_timestamp)
    found = sort_subjects(newest_first, parse_order(clauses, "model_versions"))
    assert list(map(version_label, found)) == labels


@pytest.mark.parametrize(("text", "datasets", "names"), corpus.LOGGED_MODEL_SEARCHES)
def test_a_search_finds_the_logged_models_worked_out_by_hand(text: str, datasets: Any, names: frozenset[str]) -> None:
    tree = parse_filter(text, "logged_models")
    subjects = [logged_model(example, datasets) for example in corpus.LOGGED_MODELS]
    assert {each.model.name for each in subjects if each.measured and matches(tree, each)} == names


@pytest.mark.parametrize(("clauses", "names"), corpus.LOGGED_MODEL_ORDERS)
def test_an_order_sorts_logged_models_as_worked_out_by_hand(clauses: Any, names: list[str]) -> None:
    newest_first = [logged_model(example) for example in reversed(corpus.LOGGED_MODELS)]
    found = sort_subjects(newest_first, parse_order(clauses, "logged_models"))
    assert [each.model.name for each in found] == names


REFUSED = {
    "runs": (corpus.REFUSED_FILTERS, corpus.REFUSED_ORDERS),
    "experiments": (corpus.REFUSED_EXPERIMENT_FILTERS, corpus.REFUSED_EXPERIMENT_ORDERS),
    "registered_models": (corpus.REFUSED_REGISTERED_MODEL_FILTERS, corpus.REFUSED_REGISTERED_MODEL_ORDERS),
    "model_versions": (corpus.REFUSED_MODEL_VERSION_FILTERS, corpus.REFUSED_MODEL_VERSION_ORDERS),
    "logged_models": (corpus.REFUSED_LOGGED_MODEL_FILTERS, []),
}


@pytest.mark.parametrize(
    ("entity", "text"), [(entity, text) for entity, (texts, _) in REFUSED.items() for text in texts]
)
def test_a_bad_filter_is_refused_with_its_place(entity: str, text: str) -> None:
    with pytest.raises(InvalidFilter, match=r"at character \d+ of"):
        parse_filter(text, entity)


@pytest.mark.parametrize(
    ("entity", "clauses"), [(entity, clauses) for entity, (_, orders) in REFUSED.items() for clauses in orders]
)
def test_a_bad_order_is_refused_with_its_place(entity: str, clauses: tuple[str, ...]) -> None:
    with pytest.raises(InvalidFilter, match=r"at character \d+ of"):
        parse_order(clauses, entity)


@pytest.mark.parametrize("clauses", corpus.REFUSED_LOGGED_MODEL_ORDERS)
def test_a_bad_order_dict_is_refused(clauses: Any) -> None:
    with pytest.raises(InvalidFilter):
        parse_order(clauses, "logged_models")


@pytest.mark.parametrize("datasets", [*corpus.REFUSED_DATASETS, "d1", {"dataset_name": "d1"}])
def test_bad_datasets_are_refused(datasets: Any) -> None:
    with pytest.raises(InvalidFilter):
        parse_datasets(datasets)


ASKED = {
    "runs": [text for text, _ in [*corpus.SEARCHES, *corpus.DATASET_SEARCHES]],
    "experiments": [text for text, _ in corpus.EXPERIMENT_SEARCHES],
    "registered_models": [text for text, _ in corpus.REGISTERED_MODEL_SEARCHES],
    "model_versions": [text for text, _ in corpus.MODEL_VERSION_SEARCHES],
    "logged_models": [text for text, _, _ in corpus.LOGGED_MODEL_SEARCHES],
}


@pytest.mark.parametrize(("entity", "text"), [(entity, text) for entity, texts in ASKED.items() for text in texts])
def test_a_filter_written_back_means_the_same(entity: str, text: str) -> None:
    tree = parse_filter(text, entity)
    assert parse_filter("" if tree is None else str(tree), entity) == tree


def test_names_and_cases_are_unique_and_known() -> None:
    names = {example["name"] for example in corpus.RUNS}
    assert len(names) == len(RUNS)
    assert all(found <= names for _, found in [*corpus.SEARCHES, *corpus.DATASET_SEARCHES])
    assert all(sorted(order) == sorted(names) for _, order in corpus.ORDERS)
    labels = {example["label"] for example in corpus.MODEL_VERSIONS}
    assert all(found <= labels for _, found in corpus.MODEL_VERSION_SEARCHES)
    assert all(sorted(order) == sorted(labels) for _, order in corpus.MODEL_VERSION_ORDERS)
    for texts, _ in REFUSED.values():
        assert len(set(texts)) == len(texts)
        assert not any(re.fullmatch(r"\s*", text) for text in texts)
