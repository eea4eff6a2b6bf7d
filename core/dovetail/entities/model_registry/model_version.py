"""``ModelVersion`` by the longer path."""

from dovetail.entities.model_registry import ModelVersion

__all__ = ["ModelVersion"]
