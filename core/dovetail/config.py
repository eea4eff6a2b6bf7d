"""Where runs and models are kept: the verbs for it, where MLflow's scripts look for them."""

from dovetail.tracking.places import (
    get_registry_uri,
    get_tracking_uri,
    is_tracking_uri_set,
    set_registry_uri,
    set_tracking_uri,
)

__all__ = ["get_registry_uri", "get_tracking_uri", "is_tracking_uri_set", "set_registry_uri", "set_tracking_uri"]
