"""Tracking: experiments, runs and what runs log.

``dovetail.tracking.MlflowClient()`` and the few verbs that scripts call by this path are the package's own ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dovetail import lazy

if TYPE_CHECKING:
    from dovetail.tracking.client import Client, MlflowClient
    from dovetail.tracking.places import (
        get_registry_uri,
        get_tracking_uri,
        is_tracking_uri_set,
        set_registry_uri,
        set_tracking_uri,
    )

_HOMES = {
    "Client": "client",
    "MlflowClient": "client",
    "get_registry_uri": "places",
    "get_tracking_uri": "places",
    "is_tracking_uri_set": "places",
    "set_registry_uri": "places",
    "set_tracking_uri": "places",
}

__all__ = [
    "Client",
    "MlflowClient",
    "get_registry_uri",
    "get_tracking_uri",
    "is_tracking_uri_set",
    "set_registry_uri",
    "set_tracking_uri",
]

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazy.attributes(__name__, _HOMES), lazy.names(__name__, _HOMES)
