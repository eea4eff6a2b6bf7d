"""``ExperimentTag`` by the longer path."""

from dovetail.entities import ExperimentTag

__all__ = ["ExperimentTag"]
