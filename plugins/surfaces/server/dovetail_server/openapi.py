"""The description of all routes in the format of OpenAPI 3.1, made from the table that requests are answered by."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from dovetail_server.routing.route import Way

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dovetail_server.routing.fields import Field
    from dovetail_server.routing.route import Route

__all__ = ["document"]

_FAILURE = {
    "type": "object",
    "required": ["error_code", "message"],
    "properties": {"error_code": {"type": "string"}, "message": {"type": "string"}},
}


def document(routes: Iterable[Route], version: str) -> dict[str, Any]:
    """The description.

    Args:
        routes: What is described.
        version: The server's.
    """
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path.replace("*}", "}"), {})[route.verb.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "dovetail",
            "version": version,
            "description": "A tracking server that speaks MLflow's wire.",
        },
        "paths": paths,
        "components": {"schemas": {"Failure": _FAILURE}},
    }


def _operation(route: Route) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": _name(route),
        "summary": route.summary,
        "x-action": route.action,
        "x-resource": route.resource,
        "parameters": [_in_path(name) for name in route.places],
        "responses": _responses(route),
    }
    if route.verb == "GET" or route.way is Way.STREAMING:
        operation["parameters"] += [_in_query(each) for each in route.fields]
    if route.verb != "GET":
        operation["requestBody"] = _body(route)
    return operation


def _name(route: Route) -> str:
    return re.sub(r"\W+", "_", f"{route.verb.lower()} {route.path}").strip("_")


def _in_path(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}


def _in_query(field: Field) -> dict[str, Any]:
    schema = {"type": "array", "items": _schema(field)} if field.many else _schema(field)
    return {"name": field.name, "in": "query", "required": field.required, "schema": schema}


def _body(route: Route) -> dict[str, Any]:
    if route.way is Way.STREAMING:
        return {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}}
    properties = {
        each.name: {"type": "array", "items": _schema(each)} if each.many else _schema(each) for each in route.fields
    }
    required = [each.name for each in route.fields if each.required]
    schema = {"type": "object", "properties": properties, "required": required}
    return {"required": bool(required), "content": {"application/json": {"schema": schema}}}


def _schema(field: Field) -> dict[str, Any]:
    if field.kind == "integer":  # protocol buffers write whole numbers of 64 bits as text, too
        return {"type": ["integer", "string"], "format": "int64"}
    return {"type": ["number", "string"]} if field.kind == "number" else {"type": field.kind}


def _responses(route: Route) -> dict[str, Any]:
    content: dict[str, Any] = (
        {"application/octet-stream": {}} if route.way is Way.STREAMING else {"application/json": {}}
    )
    if not route.path.startswith(("/api", "/ajax-api", "/openapi")):
        content = {"*/*": {}}
    failure = {
        "description": "An error.",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Failure"}}},
    }
    return {"200": {"description": "Done.", "content": content}, "default": failure}
