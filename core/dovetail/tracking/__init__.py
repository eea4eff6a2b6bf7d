"""Tracking: experiments, runs and what runs log.

``dovetail.tracking.MlflowClient()`` and the few verbs that scripts call by this path are the package's own ones.
"""

from __future__ import annotations

from typing import Any

__all__ = ["Client", "MlflowClient", "get_tracking_uri", "is_tracking_uri_set", "set_tracking_uri"]


def __getattr__(name: str) -> Any:
    import dovetail

    if name in __all__:
        return getattr(dovetail, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
