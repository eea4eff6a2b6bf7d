"""``ModelVersionTag`` by the longer path."""

from dovetail.entities.model_registry import ModelVersionTag

__all__ = ["ModelVersionTag"]
