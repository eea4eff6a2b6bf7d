"""The stage that only stores know of, beside those of ``dovetail.values.LifecycleStage``."""

from __future__ import annotations

__all__ = ["CONDEMNED"]

CONDEMNED = "condemned"
"""The stage of what is being taken away for good: nobody finds it any more."""
