"""``LifecycleStage`` by the longer path."""

from dovetail.entities import LifecycleStage

__all__ = ["LifecycleStage"]
