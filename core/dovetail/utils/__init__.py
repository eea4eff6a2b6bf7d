"""Nothing but ``mlflow_tags``, which scripts reach by this path."""

from typing import TYPE_CHECKING

from dovetail import lazy

__all__ = ["mlflow_tags"]

if TYPE_CHECKING:
    from dovetail.utils import mlflow_tags
else:
    __getattr__ = lazy.attributes(__name__, {})
