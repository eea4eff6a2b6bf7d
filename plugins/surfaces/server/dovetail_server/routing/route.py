"""Routes: which request is answered by what, and what it does to which kind of thing."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum
from posixpath import normpath
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dovetail_server.routing.fields import Field

__all__ = ["ACTIONS", "RESOURCES", "Route", "Routes", "Way"]

ACTIONS = ("read", "create", "update", "delete")
"""What requests may do; who may do what is decided by these words."""
RESOURCES = {
    "server": (),
    "experiment": ("experiment_id", "experiment_name", "name"),
    "run": ("run_id", "run_uuid"),
    "logged_model": ("model_id",),
    "registered_model": ("name",),
    "model_version": ("name",),
    "artifact": ("path",),
}
"""Kinds of things that requests are about, and the fields that say which one."""

MB = 1 << 20
_PLACE = re.compile(r"\{(\w+)(\*?)\}")


class Way(Enum):
    """How a request is answered."""

    AT_ONCE = "at once"
    """In the event loop: it touches neither disk nor network."""
    BRIEF = "briefly"
    """It reads little of the tracking store: in the event loop where that lies beside the server and lets nobody wait,
    since a change of threads would take longer; else in a thread."""
    IN_THREAD = "in a thread"
    """By a plain function in a thread of the pool."""
    IN_GROUP = "in a group"
    """The function says what is to be logged, and that is committed together with what others log."""
    STREAMING = "streaming"
    """By a coroutine that reads the body and sends the answer piece by piece."""


@dataclass(frozen=True)
class Route:
    """A kind of request.

    Args:
        verb: ``GET``, ``POST``, …
        path: Where; ``{name}`` stands for one piece of it, and ``{name*}`` at the end for all the rest.
        action: What it does, one of ``ACTIONS``.
        resource: To what, a key of ``RESOURCES``.
        call: What answers it, see ``Way``; its docstring is the route's summary.
        fields: What the body, or the query where there is none, may hold.
        way: How it is answered.
        largest: Bytes of the largest body: all of it is read at once, and JSON takes thirty times the room at worst.

    Attributes:
        loose: The fields that are their defaults where a body leaves them out, by name.
        defaults: These defaults.
        others: The other fields.

    Raises:
        ValueError: Action or resource is unknown: nothing can be reached without anybody being asked whether it may be.
    """

    verb: str
    path: str
    action: str
    resource: str
    call: Callable[..., Any]
    fields: tuple[Field, ...] = ()
    way: Way = Way.IN_THREAD
    largest: int = 2 * MB
    loose: dict[str, Field] = field(init=False, repr=False, compare=False)
    defaults: dict[str, Any] = field(init=False, repr=False, compare=False)
    others: tuple[Field, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.action not in ACTIONS or self.resource not in RESOURCES:
            raise ValueError(f"The route {self.verb} {self.path} does {self.action!r} to {self.resource!r}.")
        if not self.path.startswith("/") or not self.call.__doc__:
            raise ValueError(f"The route {self.verb} {self.path} has no absolute path, or nothing that explains it.")
        # Worked out once: most fields of most requests are left out.
        loose = [each for each in self.fields if each.is_loose]
        object.__setattr__(self, "loose", {each.name: each for each in loose})
        object.__setattr__(self, "defaults", {each.name: each.default for each in loose})
        object.__setattr__(self, "others", tuple(each for each in self.fields if not each.is_loose))

    @property
    def places(self) -> tuple[str, ...]:
        """The names of the pieces of the path that may be anything."""
        return tuple(found[1] for found in _PLACE.finditer(self.path))

    @property
    def pattern(self) -> re.Pattern[str]:
        """What paths of this route look like."""
        pieces, at = [], 0
        for found in _PLACE.finditer(self.path):
            pieces += [re.escape(self.path[at : found.start()]), f"(?P<{found[1]}>{'.*' if found[2] else '[^/]+'})"]
            at = found.end()
        return re.compile("".join(pieces) + re.escape(self.path[at:]), re.DOTALL)

    @property
    def summary(self) -> str:
        """One line about it."""
        return (self.call.__doc__ or "").strip().partition("\n")[0]

    def subject(self, fields: dict[str, Any]) -> str:
        """What a request is about, for those who decide whether it may be done: ``run/<its id>``, or its kind."""
        for name in RESOURCES[self.resource]:
            if isinstance(value := fields.get(name), str) and value:
                # One place has one name, whatever a client writes between its slashes.
                return f"{self.resource}/{normpath(value) if self.resource == 'artifact' else value}"
        return self.resource


class Routes:
    """The routes of one module, each under several bases.

    Args:
        bases: What their paths begin with, such as ``/api/2.0/mlflow/``.
    """

    def __init__(self, *bases: str) -> None:
        self._bases = bases
        self._routes: list[Route] = []

    def __iter__(self) -> Iterator[Route]:
        return iter(self._routes)

    def add(
        self,
        verb: str,
        path: str,
        action: str,
        resource: str,
        *fields: Field,
        way: Way = Way.IN_THREAD,
        largest: int = 2 * MB,
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Decorate what answers requests of this kind; several may be put on one function."""

        def added(call: Callable[..., Any]) -> Callable[..., Any]:
            for base in self._bases:
                self._routes.append(Route(verb, base + path, action, resource, call, fields, way, largest))
            return call

        return added
