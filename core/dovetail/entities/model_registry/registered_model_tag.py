"""``RegisteredModelTag`` by the longer path."""

from dovetail.entities.model_registry import RegisteredModelTag

__all__ = ["RegisteredModelTag"]
