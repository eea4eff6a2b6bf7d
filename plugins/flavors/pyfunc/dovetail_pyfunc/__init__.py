"""Models written as plain Python, for dovetail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dovetail import hookimpl
from dovetail.models.dependencies import get_model_dependencies
from dovetail_pyfunc.flavor import PyfuncFlavor, PyfuncOptions, load_model
from dovetail_pyfunc.runtime import PythonModel, PythonModelContext

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dovetail.models.flavor import Flavor

__all__ = [
    "PyfuncFlavor",
    "PyfuncOptions",
    "PythonModel",
    "PythonModelContext",
    "get_model_dependencies",
    "load_model",
]


@hookimpl
def dovetail_flavors() -> Mapping[str, Callable[[], Flavor]]:
    """What this plugin offers."""
    return {"pyfunc": PyfuncFlavor}
