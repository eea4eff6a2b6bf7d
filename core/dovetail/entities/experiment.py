"""``Experiment`` by the longer path."""

from dovetail.entities import Experiment

__all__ = ["Experiment"]
