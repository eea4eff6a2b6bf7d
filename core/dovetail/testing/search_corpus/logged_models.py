"""Example logged models to search, and what searches of them must find."""

from __future__ import annotations

from typing import Any, NamedTuple, TypedDict

__all__ = [
    "LOGGED_MODELS",
    "LOGGED_MODEL_ORDERS",
    "LOGGED_MODEL_SEARCHES",
    "REFUSED_DATASETS",
    "REFUSED_LOGGED_MODEL_FILTERS",
    "REFUSED_LOGGED_MODEL_ORDERS",
    "ExampleLoggedModel",
    "ExamplePoint",
]


class ExamplePoint(NamedTuple):
    """A point of a metric; ``dataset`` is the name and digest of what it was measured on."""

    key: str
    value: float
    timestamp: int
    step: int = 0
    dataset: tuple[str, str] | None = None


class ExampleLoggedModel(TypedDict):
    """A logged model to create.

    All points are logged by one run, and ``made_by_run`` says whether that run made the model, too.
    """

    name: str
    model_id: str
    model_type: str | None
    status: str
    creation_timestamp: int
    made_by_run: bool
    params: dict[str, str]
    tags: dict[str, str]
    points: list[ExamplePoint]


_D1, _D1_LATER, _D2 = ("d1", "11"), ("d1", "12"), ("d2", "22")

LOGGED_MODELS: list[ExampleLoggedModel] = [
    {
        "name": "a",
        "model_id": f"m-{1:032x}",
        "model_type": "tree",
        "status": "READY",
        "creation_timestamp": 1000,
        "made_by_run": True,
        "params": {"p": "A", "num": "1"},
        "tags": {"t": "x"},
        "points": [
            ExamplePoint("acc", 0.9, 1000, 0, _D1),
            ExamplePoint("acc", 0.1, 500, 1, _D1),
            ExamplePoint("two", 0.2, 5, 5, _D2),
            ExamplePoint("two", 0.3, 9, 1, _D1),
        ],
    },
    {
        "name": "b",
        "model_id": f"m-{2:032x}",
        "model_type": "tree",
        "status": "PENDING",
        "creation_timestamp": 2000,
        "made_by_run": True,
        "params": {"p": "B", "num": "10"},
        "tags": {"t": "y", "a b": "1"},
        "points": [
            ExamplePoint("acc", 0.5, 1000, 0, _D1),
            ExamplePoint("acc", 0.8, 1001, 0, _D2),
            ExamplePoint("two", 0.25, 7),
        ],
    },
    {
        "name": "c",
        "model_id": f"m-{3:032x}",
        "model_type": None,
        "status": "PENDING",
        "creation_timestamp": 3000,
        "made_by_run": False,
        "params": {},
        "tags": {},
        "points": [],
    },
    {
        "name": "d",
        "model_id": f"m-{4:032x}",
        "model_type": "net",
        "status": "FAILED",
        "creation_timestamp": 4000,
        "made_by_run": False,
        "params": {"num": "x"},
        "tags": {"t": "X"},
        "points": [ExamplePoint("acc", float("nan"), 1000, 0, _D1)],
    },
    {
        "name": "e",
        "model_id": f"m-{5:032x}",
        "model_type": None,
        "status": "READY",
        "creation_timestamp": 5000,
        "made_by_run": False,
        "params": {"p": "a"},
        "tags": {},
        "points": [
            ExamplePoint("acc", 0.6, 1000),
            ExamplePoint("acc", 0.7, 2000),
            ExamplePoint("two", 5.0, 1, 0, _D1_LATER),
        ],
    },
]

_ALL = "a b c d e"

_FOUND: dict[str, str] = {
    "": _ALL,
    # Metrics: one point that fits is enough, and two comparisons may be met by two of them.
    "metrics.acc > 0.85": "a",
    "metric.acc < 0.2": "a",
    "metrics.acc > 0.4": "a b e",
    "metrics.acc = 0.6": "e",
    "metrics.`acc` = 0.7": "e",
    "metrics.acc != 0.5": "a b d e",
    "metrics.acc > 0.7 AND metrics.acc < 0.6": "a b",
    "metrics.acc BETWEEN 0.55 AND 0.65": "e",
    "metrics.acc NOT BETWEEN 0.4 AND 0.85": "a",
    "metrics.acc IN (0.5, 0.1)": "a b",
    "metrics.acc NOT IN (0.6, 0.7)": "a b d",
    "metrics.acc IS NULL": "c",
    "metrics.two IS NOT NULL": "a b e",
    "NOT metrics.acc > 0": "c d",
    "params.p = 'A'": "a",
    "params.p != 'A'": "b e",
    "param.p ILIKE 'a'": "a e",
    "params.p LIKE 'A%'": "a",
    "params.p IN ('A', 'a')": "a e",
    "params.p IS NULL": "c d",
    "params.num > 2": "b",
    "params.num IN (1, 10)": "a b",
    "params.num BETWEEN 0 AND 5": "a",
    "tags.t = 'x'": "a",
    "tag.t ILIKE 'x'": "a d",
    "tags.t NOT IN ('x')": "b d",
    "tags.`a b` = '1'": "b",
    "tags.t IS NULL": "c e",
    "name = 'a'": "a",
    "attributes.name IN ('a', 'b')": "a b",
    "name LIKE '_'": _ALL,
    f"model_id = 'm-{2:032x}'": "b",
    "model_type = 'tree'": "a b",
    "model_type != 'tree'": "d",
    "model_type NOT IN ('net')": "a b",
    "model_type IS NULL": "c e",
    "status = 'READY'": "a e",
    "status != 'READY'": "b c d",
    "status IN ('FAILED', 'PENDING')": "b c d",
    "source_run_id IS NULL": "c d e",
    "source_run_id LIKE '%'": "a b",
    "source_run_id != 'x'": "a b",
    "experiment_id != '9999'": _ALL,
    "experiment_id != 9999": _ALL,
    "artifact_location LIKE '%/models/m-%'": _ALL,
    "creation_timestamp > 3000": "d e",
    "creation_timestamp BETWEEN 2000 AND 4000": "b c d",
    "creation_time IN (1000, 5000)": "a e",
    "creation_timestamp_ms = 1000": "a",
    "last_updated_timestamp > 0": _ALL,
    "name = 'a' OR NOT metrics.acc > 0": "a c d",
    "NOT (params.p IS NULL OR metrics.acc = 0.7)": "a b",
}

_ON_D1, _ON_D2 = {"dataset_name": "d1"}, {"dataset_name": "d2"}
_ON_FIRST_D1 = {"dataset_name": "d1", "dataset_digest": "11"}
_ON_LATER_D1 = {"dataset_name": "d1", "dataset_digest": "12"}
_ON_NOTHING = {"dataset_name": "d1", "dataset_digest": "13"}

_FOUND_ON: list[tuple[str, list[dict[str, str]], str]] = [
    ("metrics.acc > 0.4", [_ON_D1], "a b"),
    ("metrics.acc > 0.4", [_ON_D2], "b"),
    ("metrics.acc > 0.4", [_ON_FIRST_D1], "a b"),
    ("metrics.acc > 0.4", [_ON_LATER_D1], ""),
    ("metrics.acc > 0.4", [_ON_D1, _ON_D2], "a b"),
    ("metrics.acc = 0.5 AND metrics.acc = 0.8", [_ON_D1, _ON_D2], "b"),
    ("metrics.acc = 0.5 AND metrics.acc = 0.8", [_ON_D1], ""),
    ("metrics.acc != 0.5", [_ON_D1], "a d"),
    ("metrics.acc > 0.7 AND metrics.acc < 0.6", [_ON_D1], "a"),
    # What was not measured on any of the datasets is not found, whatever the filter says.
    ("", [_ON_D1], "a b d e"),
    ("", [_ON_FIRST_D1], "a b d"),
    ("", [_ON_D2], "a b"),
    ("", [_ON_NOTHING], ""),
    ("name = 'c'", [_ON_D1], ""),
    ("params.p = 'A'", [_ON_D2], "a"),
    ("NOT metrics.acc > 0.4", [_ON_D1], "d e"),
    ("metrics.acc IS NULL", [_ON_D2], "a"),
    ("metrics.two = 0.25 OR name = 'b'", [_ON_D1], "b"),
]

LOGGED_MODEL_SEARCHES: list[tuple[str, list[dict[str, str]], frozenset[str]]] = [
    *((text, [], frozenset(names.split())) for text, names in _FOUND.items()),
    *((text, datasets, frozenset(names.split())) for text, datasets, names in _FOUND_ON),
]
"""Filters and the datasets they are narrowed to, each with the names of the models it finds."""

_DESCENDING = {"ascending": False}
_ACC = {"field_name": "metrics.acc"}
_TWO = {"field_name": "metrics.two"}

_SORTED: list[tuple[list[dict[str, Any]], str]] = [
    ([], "e d c b a"),
    ([{"field_name": "name"}], "a b c d e"),
    ([{"field_name": "attributes.name", **_DESCENDING}], "e d c b a"),
    ([{"field_name": "creation_timestamp", "ascending": True}], "a b c d e"),
    # The point with the highest timestamp counts, then the one with the highest step; NaN, then nothing, come last.
    ([_ACC], "e b a d c"),
    ([{**_ACC, **_DESCENDING}], "a b e d c"),
    ([_TWO], "b a e d c"),
    ([{**_TWO, **_DESCENDING}], "e a b d c"),
    ([{**_ACC, **_ON_D1}], "b a d e c"),
    ([{**_ACC, **_ON_D1, **_DESCENDING}], "a b d e c"),
    ([{**_ACC, **_ON_D2}], "b e d c a"),
    ([{**_ACC, "dataset_digest": "11"}], "b a d e c"),
    ([{**_ACC, **_ON_NOTHING}], "e d c b a"),
    ([{**_TWO, **_ON_D1, **_DESCENDING}], "e a d c b"),
    ([{"field_name": "metrics.val/loss 1"}], "e d c b a"),
    ([{"field_name": "model_type"}, {"field_name": "name", **_DESCENDING}], "d b a e c"),
    ([{"field_name": "status"}, {"field_name": "name"}], "d b c a e"),
    ([{"field_name": "params.p"}], "a b e d c"),
]

LOGGED_MODEL_ORDERS = [(clauses, names.split()) for clauses, names in _SORTED]
"""Order dicts, each list with the names of all models in that order; ties go by creation time, newest first."""

REFUSED_LOGGED_MODEL_FILTERS = [
    "metrics.acc",
    "metrics.acc > '0.9'",
    "metrics.acc LIKE '1'",
    "metrics.acc IN (1, '2')",
    "name > 'a'",
    "name IS NULL",
    "status = READY",
    "run_id = 'x'",
    "artifact_uri = 'x'",
    "attr.name = 'a'",
    "creation_timestamp = '1'",
    "creation_timestamp LIKE '1'",
    "experiment_id > 0",
    "datasets.name = 'd1'",
    "name = 'a' name = 'b'",
]
"""Filters that no search of logged models answers; each is an ``InvalidFilter``."""

REFUSED_LOGGED_MODEL_ORDERS: list[list[Any]] = [
    [{}],
    [{"field": "name"}],
    [{"field_name": 5}],
    [{"field_name": ""}],
    [{"field_name": "nope"}],
    [{"field_name": "nope.acc"}],
    [{"field_name": "metrics."}],
    [{"field_name": "name DESC"}],
    [{"field_name": "name", "ascending": "yes"}],
    [{"field_name": "name", "dataset_name": "d1"}],
    [{"field_name": "metrics.acc", "dataset_name": 5}],
    [{"field_name": "metrics.acc", "dataset": "d1"}],
    [5],
]
"""Order dicts that no search of logged models answers; each list is an ``InvalidFilter``."""

REFUSED_DATASETS: list[list[Any]] = [
    [{}],
    [{"dataset_digest": "11"}],
    [{"dataset_name": 5}],
    [{"name": "d1"}],
    ["d1"],
]
"""Datasets that no search of logged models answers; each list is an ``InvalidFilter``."""
