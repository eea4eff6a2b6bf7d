"""scikit-learn models for dovetail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dovetail import hookimpl
from dovetail_sklearn.flavor import SklearnFlavor, SklearnOptions, load_model

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dovetail.models.flavor import Flavor

__all__ = ["SklearnFlavor", "SklearnOptions", "load_model"]


@hookimpl
def dovetail_flavors() -> Mapping[str, Callable[[], Flavor]]:
    """What this plugin offers."""
    return {"sklearn": SklearnFlavor}
