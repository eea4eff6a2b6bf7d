"""``RegisteredModel`` by the longer path."""

from dovetail.entities.model_registry import RegisteredModel

__all__ = ["RegisteredModel"]
