"""Example versions of registered models to search, and what searches of them must find."""

from __future__ import annotations

from typing import TypedDict

__all__ = [
    "MODEL_VERSIONS",
    "MODEL_VERSION_ORDERS",
    "MODEL_VERSION_SEARCHES",
    "REFUSED_MODEL_VERSION_FILTERS",
    "REFUSED_MODEL_VERSION_ORDERS",
    "ExampleModelVersion",
]


class ExampleModelVersion(TypedDict):
    """A version to create, in this order: its registry numbers it.

    ``label`` is the model's name, a slash and the number; times are milliseconds.
    """

    label: str
    name: str
    source: str
    run_id: str | None
    model_id: str | None
    creation_timestamp: int
    tags: dict[str, str]


def _version(
    label: str,
    source: str,
    created: int,
    *,
    run: int | None = None,
    model: int | None = None,
    tags: dict[str, str] | None = None,
) -> ExampleModelVersion:
    return {
        "label": label,
        "name": label.partition("/")[0],
        "source": source,
        "run_id": None if run is None else f"{run:032x}",
        "model_id": None if model is None else f"m-{model:032x}",
        "creation_timestamp": created,
        "tags": tags or {},
    }


MODEL_VERSIONS: list[ExampleModelVersion] = [
    _version("wine/1", "s3://bucket/wine/1", 1000, run=1, tags={"stage": "dev", "mlflow.prompt.is_prompt": "true"}),
    _version("iris/1", "runs:/1/model", 1500, run=1, tags={"stage": "Prod", "größe": "1"}),
    _version(
        "wine/2",
        "s3://bucket/wine/2",
        2000,
        run=2,
        model=2,
        tags={"stage": "prod", "mlflow.prompt.is_prompt": "false"},
    ),
    _version("wine/3", "models:/3", 3000, model=3),
    *(_version(f"many/{number}", "s3://bucket/many", 10_000 + number) for number in range(1, 11)),
]

_FEW = "wine/1 wine/2 wine/3 iris/1"
_MANY = " ".join(f"many/{number}" for number in range(1, 11))
_RUN, _OTHER = f"{1:032x}", f"{2:032x}"

_FOUND: dict[str, str] = {
    "": f"{_FEW} {_MANY}",
    "name = 'wine'": "wine/1 wine/2 wine/3",
    "attributes.name != 'many'": _FEW,
    "name IN ('wine', 'iris')": _FEW,
    "name NOT IN ('many', 'wine')": "iris/1",
    "name LIKE 'w%'": "wine/1 wine/2 wine/3",
    "name ILIKE 'IRIS'": "iris/1",
    f"run_id = '{_RUN}'": "wine/1 iris/1",
    f"run_id != '{_RUN}'": "wine/2",
    f"run_id NOT IN ('{_RUN}')": "wine/2",
    f"name = 'wine' AND run_id IN ('{_RUN}', '{_OTHER}')": "wine/1 wine/2",
    "run_id LIKE '%2'": "wine/2",
    "run_id IS NULL AND name != 'many'": "wine/3",
    "run_id IS NOT NULL": "wine/1 wine/2 iris/1",
    f"NOT run_id = '{_RUN}' AND name = 'wine'": "wine/2 wine/3",
    "model_id IS NOT NULL": "wine/2 wine/3",
    f"model_id = 'm-{3:032x}'": "wine/3",
    # Numbers count as numbers, in quotes too.
    "version_number > 9": "many/10",
    "attribute.version_number >= '10'": "many/10",
    "version_number = '3'": "wine/3 many/3",
    "version_number != 1 AND name = 'wine'": "wine/2 wine/3",
    "version_number IN (3, 10)": "wine/3 many/3 many/10",
    "version_number NOT IN ('1', '2') AND name = 'wine'": "wine/3",
    "version_number BETWEEN 3 AND 4 AND name = 'many'": "many/3 many/4",
    "version_number NOT BETWEEN 2 AND 9 AND name = 'many'": "many/1 many/10",
    "version = 10": "many/10",
    "version_number > 9.5": "many/10",
    "source_path = 'models:/3'": "wine/3",
    "source_path LIKE 's3://bucket/wine/%'": "wine/1 wine/2",
    "source ILIKE 'MODELS:%'": "wine/3",
    "source_path NOT IN ('s3://bucket/many')": _FEW,
    "creation_timestamp < 2000": "wine/1 iris/1",
    "creation_timestamp IN (2000, 3000)": "wine/2 wine/3",
    "creation_timestamp BETWEEN 1500 AND 2000": "wine/2 iris/1",
    "last_updated_timestamp > 0": f"{_FEW} {_MANY}",
    "current_stage = 'None' AND name = 'iris'": "iris/1",
    "current_stage LIKE 'Prod%'": "",
    "status = 'READY' AND version_number = 10": "many/10",
    "tags.stage = 'prod'": "wine/2",
    "tag.stage != 'prod'": "wine/1 iris/1",
    "tags.stage ILIKE 'prod'": "wine/2 iris/1",
    "tags.stage IN ('dev', 'Prod')": "wine/1 iris/1",
    "tags.stage IS NULL AND name = 'wine'": "wine/3",
    "tags.größe = '1'": "iris/1",
    "tags.`mlflow.prompt.is_prompt` != 'true' AND name != 'many'": "wine/2 wine/3 iris/1",
    "tags.mlflow.prompt.is_prompt = 'false' AND name = 'wine'": "wine/2 wine/3",
    "tags.mlflow.prompt.is_prompt != 'false'": "wine/1",
    "tags.mlflow.prompt.is_prompt IS NULL AND name = 'wine'": "wine/3",
    "tags.stage = 'dev' OR version_number = 10": "wine/1 many/10",
}

MODEL_VERSION_SEARCHES = [(text, frozenset(labels.split())) for text, labels in _FOUND.items()]
"""Filters, each with the labels of the versions it finds."""

_SORTED: dict[tuple[str, ...], str] = {
    ("creation_timestamp",): f"wine/1 iris/1 wine/2 wine/3 {_MANY}",
    ("name", "version_number"): f"iris/1 {_MANY} wine/1 wine/2 wine/3",
    ("name DESC", "version_number"): f"wine/1 wine/2 wine/3 {_MANY} iris/1",
    ("version_number DESC", "name"): (
        "many/10 many/9 many/8 many/7 many/6 many/5 many/4 many/3 wine/3 many/2 wine/2 iris/1 many/1 wine/1"
    ),
    # What no run made comes last.
    ("run_id", "creation_timestamp"): f"wine/1 iris/1 wine/2 wine/3 {_MANY}",
    ("run_id DESC", "creation_timestamp"): f"wine/2 wine/1 iris/1 wine/3 {_MANY}",
    # Ties go by the last update, latest first, then by name, then by number, highest first.
    ("name",): ("iris/1 many/10 many/9 many/8 many/7 many/6 many/5 many/4 many/3 many/2 many/1 wine/3 wine/2 wine/1"),
}

MODEL_VERSION_ORDERS: list[tuple[tuple[str, ...], list[str]]] = [
    (clauses, labels.split()) for clauses, labels in _SORTED.items()
]
"""Order clauses, each with the labels of all versions in that order."""

REFUSED_MODEL_VERSION_FILTERS = [
    "name",
    "name > 'a'",
    "name IS NULL",
    "version_number = 'x'",
    "version_number > '1.5'",
    "version_number LIKE '1'",
    "version_number IS NULL",
    "version_number IN (1, 'x')",
    "run_id > 'a'",
    "run_id = 1",
    "description = 'x'",
    "aliases = 'x'",
    "storage_location = 'x'",
    "metrics.acc > 1",
    "params.lr = '1'",
    "run.run_id = 'x'",
    "tags.stage NOT LIKE 'x'",
    "tags.stage > 'a'",
    "creation_timestamp = '1'",
]
"""Filters that no search of versions answers; each is an ``InvalidFilter``."""

REFUSED_MODEL_VERSION_ORDERS: list[tuple[str, ...]] = [
    ("",),
    ("description",),
    ("tags.stage",),
    ("metrics.acc",),
    ("name UP",),
]
"""Orders that no search of versions answers; each is an ``InvalidFilter``."""
