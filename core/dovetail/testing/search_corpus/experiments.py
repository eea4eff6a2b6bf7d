"""Example experiments to search, and what searches of them must find."""

from __future__ import annotations

from typing import TypedDict

__all__ = [
    "EXPERIMENTS",
    "EXPERIMENT_ORDERS",
    "EXPERIMENT_SEARCHES",
    "REFUSED_EXPERIMENT_FILTERS",
    "REFUSED_EXPERIMENT_ORDERS",
    "ExampleExperiment",
]


class ExampleExperiment(TypedDict):
    """An experiment to create, in this order; ids and times are the store's own choice."""

    name: str
    tags: dict[str, str]


EXPERIMENTS: list[ExampleExperiment] = [
    {"name": "wine", "tags": {"team": "vision", "a b": "1"}},
    {"name": "Iris", "tags": {"team": "nlp"}},
    {"name": "größe", "tags": {"team": "Vision", "note": ""}},
    {"name": "bare", "tags": {}},
]

_ALL = "wine Iris größe bare Default"

_FOUND: dict[str, str] = {
    "": _ALL,
    "name = 'Iris'": "Iris",
    "attributes.name != 'Iris'": "wine größe bare Default",
    "name IN ('Iris', 'bare', 'none')": "Iris bare",
    "name NOT IN ('Iris', 'Default')": "wine größe bare",
    "name LIKE '%e'": "wine größe bare",
    "name LIKE 'I%'": "Iris",
    "name ILIKE 'i%'": "Iris",
    "attribute.name ILIKE 'GRÖ%'": "größe",
    "experiment_id = '0'": "Default",
    "experiment_id NOT IN ('0')": "wine Iris größe bare",
    "creation_time BETWEEN 0 AND 1e15": _ALL,
    "creation_time NOT BETWEEN 0 AND 1e15": "",
    "last_update_time IN (0, 1)": "",
    "creation_time > 1000 AND name LIKE 'w%'": "wine",
    "tags.team = 'vision'": "wine",
    "tag.team != 'vision'": "Iris größe",
    "NOT tags.team = 'vision'": "Iris größe bare Default",
    "tags.team IN ('vision', 'nlp')": "wine Iris",
    "tags.team NOT IN ('vision', 'nlp')": "größe",
    "tags.team ILIKE 'vision'": "wine größe",
    "tags.team IS NULL": "bare Default",
    "tags.team IS NOT NULL": "wine Iris größe",
    "tags.`a b` = '1'": "wine",
    "tags.note = ''": "größe",
    "tags.team = 'nlp' OR name = 'Default'": "Iris Default",
    "NOT (tags.team = 'nlp' OR name = 'Default')": "wine größe bare",
}

EXPERIMENT_SEARCHES = [(text, frozenset(names.split())) for text, names in _FOUND.items()]
"""Filters, each with the names of the experiments it finds; ``Default`` is there from the start."""

EXPERIMENT_ORDERS: list[tuple[tuple[str, ...], list[str]]] = [
    # Ties go by creation time, newest first, then by id, highest first.
    ((), ["bare", "größe", "Iris", "wine", "Default"]),
    (("name",), ["Default", "Iris", "bare", "größe", "wine"]),
    (("name DESC",), ["wine", "größe", "bare", "Iris", "Default"]),
    (("attributes.name ASC", "creation_time"), ["Default", "Iris", "bare", "größe", "wine"]),
]
"""Order clauses, each with the names of all experiments in that order."""

REFUSED_EXPERIMENT_FILTERS = [
    "name",
    "name = ",
    "name = 5",
    "nome = 'a'",
    "name = 'a' name = 'b'",
    "name > 'a'",
    "name IS NULL",
    "metrics.acc > 1",
    "params.lr = '1'",
    "datasets.name = 'x'",
    "status = 'FINISHED'",
    "run.name = 'x'",
    "experiment_id LIKE '1%'",
    "experiment_id = 0",
    "creation_time = '1'",
    "creation_time LIKE '1'",
    "tags.team > 'a'",
    "tags.team BETWEEN 'a' AND 'b'",
]
"""Filters that no search of experiments answers; each is an ``InvalidFilter``."""

REFUSED_EXPERIMENT_ORDERS: list[tuple[str, ...]] = [
    ("",),
    ("nome",),
    ("name UP",),
    ("metrics.acc",),
    ("tags.team",),
]
"""Orders that no search of experiments answers; each is an ``InvalidFilter``."""
