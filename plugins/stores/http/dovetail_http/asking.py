"""Methods of an interface that hand their arguments on."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from dovetail.wire.calls import Call

__all__ = ["Asks", "asked"]


class Asks(Protocol):
    """Somebody who can have a call done."""

    def ask(self, call: Call, /, *args: Any, **options: Any) -> Any:
        """Do what a method does.

        Args:
            call: The method.
            args: Its arguments.
            options: Those that are named.
        """


def asked(call: Call) -> Callable[..., Any]:
    """The method of a call, for the body of a class that has ``ask``."""

    # Without what the interface's method has in its ``__dict__``: that it is abstract.
    @wraps(getattr(call.interface, call.name), updated=())
    def method(store: Asks, *args: Any, **options: Any) -> Any:
        return store.ask(call, *args, **options)

    return method
