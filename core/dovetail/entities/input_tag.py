"""``InputTag`` by the longer path."""

from dovetail.entities import InputTag

__all__ = ["InputTag"]
