"""What a request asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import orjson

from dovetail.errors import InvalidInput
from dovetail_server.access import Denied, user_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dovetail_server.access import Access
    from dovetail_server.routing.route import Route
    from dovetail_server.site import Site

__all__ = ["Asked", "body_of", "fields_of", "query_of"]

_MOST_FIELDS = 10_000
_LENIENT = 4 << 20
"""Bytes of a body that Python's own reader looks at: it takes ten times as long, and nothing else goes on meanwhile."""


class Asked:
    """A request whose fields are read and checked.

    Args:
        site: What is served.
        access: Who may do what.
        route: Which kind of request it is.
        fields: The values of the route's fields, and of the open pieces of its path.
        headers: The request's headers, their names in lower case.
        principal: Who asks; None where nobody needs to say so.
        verb: The request's own verb, ``HEAD`` where the route says ``GET``.
    """

    __slots__ = ("_access", "fields", "headers", "principal", "route", "site", "verb")

    def __init__(
        self,
        site: Site,
        access: Access,
        route: Route,
        fields: dict[str, Any],
        headers: Mapping[str, str],
        principal: Any = None,
        verb: str = "",
    ) -> None:
        self.site, self._access, self.route, self.fields = site, access, route, fields
        self.headers, self.principal, self.verb = headers, principal, verb

    def __getitem__(self, name: str) -> Any:
        """The value of a field; None, or an empty list, where it was not given."""
        return self.fields[name]

    @property
    def run_id(self) -> str:
        """The run it is about: clients send the id under its old name, too, or only there.

        Raises:
            InvalidInput: It is missing.
        """
        run_id: str | None = self.fields.get("run_id") or self.fields.get("run_uuid")
        if not run_id:
            raise InvalidInput("Missing value for required parameter 'run_id'.")
        return run_id

    def require(self, action: str, subject: str) -> None:
        """Refuse who may not do that, for what a request is about besides its route's own subject.

        Args:
            action: One of ``routing.route.ACTIONS``.
            subject: The thing, as ``run/<id>``.

        Raises:
            Denied: They may not.
        """
        if not self._access.may(self.principal, action, subject):
            raise Denied(f"You may not {action} {subject}.")

    @property
    def user(self) -> str:
        """The name of whoever asks; empty if nobody says it."""
        return user_of(self.principal, self.headers)


def body_of(data: bytes, content_type: str | None) -> dict[str, Any]:
    """The object that a body is.

    Raises:
        InvalidInput: It is of another type, no JSON, or no object.
    """
    if not data:
        return {}
    if content_type is not None and content_type.partition(";")[0].strip().lower() != "application/json":
        raise InvalidInput(f"The body is {content_type!r:.80}; it must be application/json.")
    found = _parsed(data)
    if isinstance(found, str):  # JSON within JSON, as some clients send it
        found = _parsed(found.encode("utf-8", "surrogatepass"))
    if not isinstance(found, dict):
        raise InvalidInput(f"The body must be a JSON object, not a {type(found).__name__}.")
    return found


def query_of(query: bytes) -> dict[str, list[str]]:
    """The fields of a query, each with all its values.

    Raises:
        InvalidInput: It is not UTF-8, or there are too many.
    """
    try:
        return parse_qs(query.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS)
    except ValueError as error:
        raise InvalidInput(f"The query of the request cannot be read: {error}.") from error


def fields_of(route: Route, body: Mapping[str, Any] | None, query: Mapping[str, list[str]]) -> dict[str, Any]:
    """The values of a route's fields.

    Args:
        route: The route.
        body: The body; None for requests that have none.
        query: The query.

    Raises:
        InvalidInput: One is missing, or of another kind.
    """
    if body is None:
        return {field.name: field.of_query(query.get(field.name, ())) for field in route.fields}
    found = route.defaults | {field.name: field.of_body(body) for field in route.others}
    for name in route.loose.keys() & body.keys():
        found[name] = route.loose[name].of_body(body)
    return found


def _parsed(data: bytes) -> Any:
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as error:
        if len(data) > _LENIENT:
            raise InvalidInput(f"The body is no JSON: {error}.") from error
        return _parsed_leniently(data)


def _parsed_leniently(data: bytes) -> Any:
    """What Python's own reader makes of it: it knows NaN and Infinity without quotes, which old clients send."""
    import json

    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"The body is no JSON: {error}.") from error
