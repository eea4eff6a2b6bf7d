"""``RegisteredModelAlias`` by the longer path."""

from dovetail.entities.model_registry import RegisteredModelAlias

__all__ = ["RegisteredModelAlias"]
