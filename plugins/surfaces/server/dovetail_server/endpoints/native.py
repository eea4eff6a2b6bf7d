"""Dovetail's own calls: the methods of the store interfaces, made from the table of ``dovetail.wire.calls``."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any

from dovetail import __version__
from dovetail.registry.store import MAX_VERSIONS
from dovetail.tracking.store import MAX_PAGE
from dovetail.values import LogEntry
from dovetail.values.page import check_limit
from dovetail.wire.calls import BASE, REGISTRY, TRACKING, Call
from dovetail.wire.codec import codec_of
from dovetail_server.native_places import Telling, taken
from dovetail_server.routing.fields import Field
from dovetail_server.routing.route import MB, Route, Way

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from dovetail_server.routing.asked import Asked

__all__ = ["ROUTES"]

_TYPES = {str: "string", int: "integer", float: "number", bool: "boolean", list: "array", dict: "object"}


@dataclass(frozen=True)
class Argument(Field):
    """An argument of a call; unlike MLflow's fields, null is a value of its own, and what is unknown is refused.

    Args:
        call: The call.
    """

    call: Call = field(kw_only=True)

    @property
    def is_loose(self) -> bool:
        """Never: each argument sees to it that no unknown one stands beside it."""
        return False

    def of_body(self, data: Mapping[str, Any]) -> Any:
        """Its value in a body.

        Raises:
            InvalidInput: It is missing or of another kind, or beside it stands an unknown one.
        """
        self.call.require_arguments(data)
        return self.read(data[self.name], self.name) if self.name in data else self.default


@dataclass(frozen=True)
class CallRoute(Route):
    """A route that is a call.

    Args:
        asks: The call.
    """

    asks: Call = field(kw_only=True)

    def subject(self, fields: dict[str, Any]) -> str:
        """What the call is about, the first where there are several; the kind alone where there is none."""
        return next(_subjects(self.asks, fields), self.resource)


def server(asked: Asked) -> dict[str, Any]:
    """That this is a server of dovetail's own, and which one."""
    del asked
    return {"name": "dovetail", "version": __version__, "gzip": False}


_LONGEST = {"tracking": MAX_PAGE, "registry": MAX_VERSIONS}
"""The most members on a page."""

# --- calls ---------------------------------------------------------------------------------------------------


_LARGEST = 64 * MB
"""Bytes of a call: a journal's batches go in one."""


def _subjects(call: Call, fields: Mapping[str, Any]) -> Iterator[str]:
    """What a call is about, each once."""
    return (f"{call.resource}/{each}" for each in dict.fromkeys(call.subjects(fields)) if each)


def _require(call: Call, asked: Asked) -> None:
    """Refuse who may not do that to all of what the call is about; of the first that is known already.

    Raises:
        Denied: They may not.
        InvalidInput: They want more on a page than there may be.
    """
    if asked.fields.get("max_results") is not None and call is not TRACKING["get_metric_history"]:
        check_limit(asked["max_results"], _LONGEST[call.seam])
    for subject in islice(_subjects(call, asked.fields), 1, None):
        asked.require(call.action, subject)
    if call is TRACKING["move_run"]:
        asked.require("update", f"experiment/{asked['experiment_id']}")


def _answered(call: Call, asked: Asked) -> dict[str, Any]:
    _require(call, asked)
    store = getattr(asked.site, call.seam)
    answer = getattr(store, call.name)(**taken(call.name, asked))
    return call.dump_answer(Telling(asked.site).told(answer))


def _rows(call: Call, asked: Asked) -> dict[str, Any]:
    _require(call, asked)
    found = asked.site.tracking.search_run_rows(**asked.fields)
    return call.dump_answer(Telling(asked.site).rows(found, asked["columns"]))


def _logged(call: Call, asked: Asked) -> LogEntry:
    del call
    return LogEntry(**asked.fields)


def _all_logged(call: Call, asked: Asked) -> dict[str, Any]:
    _require(call, asked)
    answer = call.dump_answer(asked.site.committer.commit_all(asked["entries"]))
    # Refusals are told to whoever is at the other end of the network, as other errors are.
    conceal = asked.site.concealed
    told = [each and {name: conceal(text) for name, text in each.items()} for each in answer["answer"]]
    return {"answer": told}


_SPECIAL: dict[str, tuple[Callable[[Call, Asked], Any], Way]] = {
    "search_run_rows": (_rows, Way.IN_THREAD),
    "log_batch": (_logged, Way.IN_GROUP),
    "log_batches": (_all_logged, Way.IN_THREAD),
}


def _route(call: Call) -> Route:
    answer, way = _SPECIAL.get(call.name, (_answered, Way.IN_THREAD))
    answering = partial(answer, call)
    answering.__doc__ = call.summary
    arguments = tuple(_argument(call, name) for name in call.parameters)
    return CallRoute("POST", call.path, call.action, call.resource, answering, arguments, way, _LARGEST, asks=call)


def _argument(call: Call, name: str) -> Argument:
    default = call.parameters[name].default
    required = default is call.parameters[name].empty
    kinds = codec_of(call.hints[name]).kinds
    kind = next((word for each, word in _TYPES.items() if each in kinds), "object")

    def read(data: Any, what: str) -> Any:
        return call.load_argument(what, data)

    return Argument(name, kind, read, required, default=None if required else default, call=call)


ROUTES = [
    Route("GET", BASE, "read", "server", server, way=Way.AT_ONCE),
    *(_route(call) for call in (*TRACKING.values(), *REGISTRY.values())),
]
