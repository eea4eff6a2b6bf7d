"""The answers of servers: read leniently, but what is no such answer at all is the server's fault, and said to be."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

from dovetail.documents import shown
from dovetail.errors import InvalidInput, StoreError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["answer"]

Loaded = TypeVar("Loaded")


def answer(what: str) -> Callable[[Callable[[Any], Loaded]], Callable[[Any], Loaded]]:
    """Make a function that reads an answer raise ``StoreError`` where that is not of the shape it must be.

    Args:
        what: The word for it in the message.
    """

    def guarded(load: Callable[[Any], Loaded]) -> Callable[[Any], Loaded]:
        @wraps(load)
        def loaded(data: Any) -> Loaded:
            try:
                return load(data)
            except (AttributeError, KeyError, TypeError, ValueError, InvalidInput) as error:
                raise StoreError(
                    f"The server's answer holds no {what} as MLflow's API gives it: {shown(data)}.",
                    hint="Check that the tracking URI is the address of an MLflow or dovetail server.",
                ) from error

        return loaded

    return guarded
