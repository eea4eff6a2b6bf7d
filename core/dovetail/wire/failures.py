"""Errors in MLflow's JSON: its codes for every client, and for dovetail's own the very class and the hint."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from dovetail import errors
from dovetail.errors import (
    AlreadyExists,
    DovetailError,
    InvalidInput,
    InvalidState,
    NotFound,
    StoreError,
    StoreFull,
    StoreReadOnly,
    StoreUnavailable,
)
from dovetail.values.summary import shortened

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["dump_failure", "load_failure"]

# The closed table of what a server may make a client raise.
_CLASSES: Mapping[str, type[DovetailError]] = {
    name: getattr(errors, name) for name in errors.__all__ if getattr(errors, name).__name__ == name
}
_CODES: Mapping[str, type[DovetailError]] = {
    "BAD_REQUEST": InvalidInput,
    "INVALID_PARAMETER_VALUE": InvalidInput,
    "MALFORMED_REQUEST": InvalidInput,
    "INVALID_STATE": InvalidState,
    "RESOURCE_ALREADY_EXISTS": AlreadyExists,
    "RESOURCE_DOES_NOT_EXIST": NotFound,
    "PERMISSION_DENIED": StoreReadOnly,
    "REQUEST_LIMIT_EXCEEDED": StoreUnavailable,
    "TEMPORARILY_UNAVAILABLE": StoreUnavailable,
    "INTERNAL_ERROR": StoreError,
    "NOT_IMPLEMENTED": StoreError,
    "UNAUTHENTICATED": StoreError,
}
_STATUSES: Mapping[int, type[DovetailError]] = {
    400: InvalidInput,
    403: StoreReadOnly,
    404: NotFound,
    429: StoreUnavailable,
    502: StoreUnavailable,
    503: StoreUnavailable,
    504: StoreUnavailable,
    507: StoreFull,
}
_CREDENTIALS = "Set DOVETAIL_TRACKING_TOKEN, or DOVETAIL_TRACKING_USERNAME and DOVETAIL_TRACKING_PASSWORD."
_NO_SERVER = "Check that the tracking URI is the address of an MLflow or dovetail server, and what stands before it."


def dump_failure(error: DovetailError) -> dict[str, str]:
    """The body of an answer that says what went wrong; its status is the error's ``status``.

    Of a class that is not dovetail's, a plugin's own say, the nearest that is goes out.
    """
    kind = next(each.__name__ for each in type(error).__mro__ if _CLASSES.get(each.__name__) is each)
    data = {"error_code": error.error_code, "message": str(error), "error_type": kind}
    return {**data, "hint": error.hint} if error.hint else data


def load_failure(status: int, data: object) -> DovetailError:
    """The error that an answer tells of, to be raised.

    Args:
        status: The answer's HTTP status.
        data: Its body: what its JSON holds, the text where it is no JSON, None where there is none.

    Returns:
        An error of the class that a dovetail server named; else of the one that MLflow's code stands for; else of
        the one that the status stands for. Text that is no JSON comes from whatever stands between, a proxy say, and
        is never about what was asked for.
    """
    if isinstance(data, dict):
        return _told(status, data)
    kind = _STATUSES.get(status, StoreError)
    if isinstance(data, str) and data.strip():
        kind = kind if issubclass(kind, StoreError) else StoreError
        return kind(f"{_headline(status)}: {shortened(data.strip())}", hint=_advice(status, _NO_SERVER))
    return kind(f"{_headline(status)}.", hint=_advice(status))


def _told(status: int, data: dict[str, Any]) -> DovetailError:
    kind = _class(status, data)
    message, hint = data.get("message"), data.get("hint")
    hint = hint if isinstance(hint, str) and hint else None
    if not isinstance(message, str) or not message.strip():
        return kind(f"{_headline(status)}.", hint=hint or _advice(status))
    return kind(message.removesuffix(f"\n{hint}"), hint=hint or _advice(status))


def _class(status: int, data: dict[str, Any]) -> type[DovetailError]:
    named, code = data.get("error_type"), data.get("error_code")
    if isinstance(named, str) and named in _CLASSES and not _says_less(named, code):
        return _CLASSES[named]
    if isinstance(code, str) and code in _CODES:
        return _CODES[code]
    return _STATUSES.get(status, StoreError)


def _says_less(named: str, code: object) -> bool:
    """Whether a class says less than the code beside it: the root of all, for a class of a plugin's or the server's."""
    return _CLASSES[named] is DovetailError and code != DovetailError.error_code


def _headline(status: int) -> str:
    known = status in HTTPStatus._value2member_map_
    return f"The server answered {status} {HTTPStatus(status).phrase}" if known else f"The server answered {status}"


def _advice(status: int, otherwise: str | None = None) -> str | None:
    return _CREDENTIALS if status == HTTPStatus.UNAUTHORIZED else otherwise
