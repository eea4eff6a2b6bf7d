"""DataFrames: the one place that imports pandas for the tracking verbs, at the call that needs it."""

from __future__ import annotations

from typing import Any

from dovetail.errors import PluginMissing

__all__ = ["pandas"]


def pandas(purpose: str, otherwise: str = "") -> Any:
    """The library pandas.

    Args:
        purpose: What it is needed for: the beginning of the error's sentence.
        otherwise: What could be done without it.

    Raises:
        PluginMissing: It is not installed.
    """
    try:
        import pandas as pd
    except ImportError as error:
        raise PluginMissing(
            f"{purpose}, and pandas cannot be imported: {error}.",
            hint=f"Install it with `pip install pandas`{otherwise and f', or {otherwise}'}.",
        ) from error
    return pd
