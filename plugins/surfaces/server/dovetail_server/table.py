"""All routes of the server."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dovetail_server.routing.route import Route

__all__ = ["NOUNS", "all_routes"]

NOUNS = (
    "service",
    "experiments",
    "runs",
    "logging",
    "histories",
    "datasets",
    "logged_models",
    "registered_models",
    "model_versions",
    "artifacts",
    "artifact_files",
    "uploads",
    "native",
)
"""The modules of ``endpoints``, each with its ``ROUTES``."""


def all_routes() -> list[Route]:
    """The routes of every module."""
    return [route for noun in NOUNS for route in import_module(f"dovetail_server.endpoints.{noun}").ROUTES]
