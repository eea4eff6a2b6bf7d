"""Example registered models to search, and what searches of them must find."""

from __future__ import annotations

from typing import TypedDict

__all__ = [
    "REFUSED_REGISTERED_MODEL_FILTERS",
    "REFUSED_REGISTERED_MODEL_ORDERS",
    "REGISTERED_MODELS",
    "REGISTERED_MODEL_ORDERS",
    "REGISTERED_MODEL_SEARCHES",
    "ExampleRegisteredModel",
]


class ExampleRegisteredModel(TypedDict):
    """A registered model to create; times are the store's own choice."""

    name: str
    tags: dict[str, str]


REGISTERED_MODELS: list[ExampleRegisteredModel] = [
    {"name": "alpha", "tags": {"team": "vision"}},
    {"name": "Beta", "tags": {"team": "nlp", "a b": "1"}},
    {"name": "gamma", "tags": {}},
    {"name": "prompt", "tags": {"team": "Vision", "mlflow.prompt.is_prompt": "true"}},
    {"name": "größe", "tags": {"note": "", "mlflow.prompt.is_prompt": "false"}},
]

_ALL = "alpha Beta gamma prompt größe"
_MODELS = "alpha Beta gamma größe"

_FOUND: dict[str, str] = {
    "": _ALL,
    "name = 'alpha'": "alpha",
    "attribute.name != 'alpha'": "Beta gamma prompt größe",
    "name LIKE '%a'": "alpha Beta gamma",
    "name LIKE 'b%'": "",
    "name ILIKE 'b%'": "Beta",
    "name IN ('alpha', 'gamma', 'delta')": "alpha gamma",
    "name NOT IN ('alpha', 'gamma')": "Beta prompt größe",
    "creation_timestamp > 0": _ALL,
    "creation_timestamp NOT BETWEEN 0 AND 1e15": "",
    "last_updated_timestamp IN (0, 1)": "",
    "timestamp > 0 AND name = 'gamma'": "gamma",
    "tags.team = 'vision'": "alpha",
    "tag.team ILIKE 'vision'": "alpha prompt",
    # What has no such tag is not found by !=, but for the one tag that tells prompts from models.
    "tags.team != 'vision'": "Beta prompt",
    "tags.team NOT IN ('vision', 'nlp')": "prompt",
    "NOT tags.team = 'vision'": "Beta gamma prompt größe",
    "tags.team IS NULL": "gamma größe",
    "tags.`a b` IS NOT NULL": "Beta",
    "tags.note = ''": "größe",
    "tag.`mlflow.prompt.is_prompt` != 'true'": _MODELS,
    "tags.mlflow.prompt.is_prompt = 'false'": _MODELS,
    "tags.mlflow.prompt.is_prompt = 'true'": "prompt",
    "tags.mlflow.prompt.is_prompt != 'false'": "prompt",
    "tags.mlflow.prompt.is_prompt != 'other'": _ALL,
    "tags.mlflow.prompt.is_prompt IN ('false', 'other')": _MODELS,
    "tags.mlflow.prompt.is_prompt NOT IN ('false')": "prompt",
    "NOT tags.mlflow.prompt.is_prompt != 'true'": "prompt",
    "tags.mlflow.prompt.is_prompt IS NULL": "alpha Beta gamma",
    "tags.mlflow.prompt.is_prompt LIKE '%'": "prompt größe",
    "name LIKE '%a%' AND tags.mlflow.prompt.is_prompt != 'true' AND NOT (tags.team = 'nlp')": "alpha gamma",
    "tags.team = 'nlp' OR name = 'gamma'": "Beta gamma",
}

REGISTERED_MODEL_SEARCHES = [(text, frozenset(names.split())) for text, names in _FOUND.items()]
"""Filters, each with the names of the registered models it finds."""

REGISTERED_MODEL_ORDERS: list[tuple[tuple[str, ...], list[str]]] = [
    # Ties go by name.
    ((), ["Beta", "alpha", "gamma", "größe", "prompt"]),
    (("name",), ["Beta", "alpha", "gamma", "größe", "prompt"]),
    (("name DESC",), ["prompt", "größe", "gamma", "alpha", "Beta"]),
    (("name ASC", "timestamp DESC"), ["Beta", "alpha", "gamma", "größe", "prompt"]),
]
"""Order clauses, each with the names of all registered models in that order."""

REFUSED_REGISTERED_MODEL_FILTERS = [
    "name",
    "name = alpha",
    "name > 'a'",
    "name IS NULL",
    "name = 5",
    "description = 'x'",
    "aliases = 'a'",
    "latest_versions > 1",
    "version_number > 1",
    "model.name = 'alpha'",
    "metrics.acc > 1",
    "tags.team NOT LIKE 'v%'",
    "tags.team > 'a'",
    "creation_timestamp = '1'",
    "name = 'a' name = 'b'",
]
"""Filters that no search of registered models answers; each is an ``InvalidFilter``."""

REFUSED_REGISTERED_MODEL_ORDERS: list[tuple[str, ...]] = [
    ("",),
    ("version",),
    ("description",),
    ("tags.team",),
    ("name UP",),
]
"""Orders that no search of registered models answers; each is an ``InvalidFilter``."""
