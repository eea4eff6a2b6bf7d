"""What is answered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from dovetail.errors import DovetailError
from dovetail.wire.failures import dump_failure

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

__all__ = ["Answer", "TooMuch", "Unsupported", "failure", "json", "listed", "plain"]

JSON = (b"content-type", b"application/json")


class TooMuch(DovetailError):
    """The body of a request is larger than it may be."""

    status = 413
    error_code = "INVALID_PARAMETER_VALUE"


class Unsupported(DovetailError):
    """What is asked for is not offered here."""

    status = 501
    error_code = "NOT_IMPLEMENTED"


class Answer:
    """A whole answer.

    Args:
        status: HTTP status.
        body: What is sent.
        headers: Names, in lower case, and values.
    """

    __slots__ = ("body", "headers", "status")

    def __init__(self, status: int, body: bytes = b"", headers: Iterable[tuple[bytes, bytes]] = ()) -> None:
        self.status, self.body, self.headers = status, body, headers

    async def send(
        self, send: Callable[[Any], Awaitable[None]], always: Iterable[tuple[bytes, bytes]], *, head: bool = False
    ) -> None:
        """Send it, with the headers that every answer has.

        Args:
            send: ASGI's.
            always: These headers.
            head: Whether only the headers are wanted.
        """
        length = (b"content-length", str(len(self.body)).encode())
        headers = [*self.headers, length, *always]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if head else self.body})


def json(data: Any, status: int = 200) -> Answer:
    """An answer in JSON."""
    return Answer(status, orjson.dumps(data), (JSON,))


def listed(name: str, items: list[Any], token: str | None = None) -> dict[str, Any]:
    """A page of results, as MLflow answers with it: what there is none of is left out.

    Args:
        name: What the results are called.
        items: The results, in JSON.
        token: The token of the next page.
    """
    data: dict[str, Any] = {name: items} if items else {}
    return {**data, "next_page_token": token} if token else data


def plain(text: str, status: int = 200, kind: str = "text/plain; charset=utf-8") -> Answer:
    """An answer in text."""
    return Answer(status, text.encode(), ((b"content-type", kind.encode()),))


def failure(error: DovetailError, concealed: Callable[[str], str] = str) -> Answer:
    """What a client gets to hear of an error.

    Args:
        error: It.
        concealed: Takes out of a message what only whoever runs the server is to know.
    """
    headers = [JSON]
    if (after := getattr(error, "retry_after", None)) is not None:
        headers.append((b"retry-after", str(after).encode()))
    if verbs := getattr(error, "verbs", ()):
        headers.append((b"allow", ", ".join(verbs).encode()))
    if error.status == 401:  # noqa: PLR2004 - HTTP's
        headers.append((b"www-authenticate", b'Basic realm="dovetail", charset="UTF-8"'))
    told = {key: concealed(value) for key, value in dump_failure(error).items()}
    return Answer(error.status, _dumped(told), headers)


def _dumped(data: dict[str, Any]) -> bytes:
    try:
        return orjson.dumps(data)
    except orjson.JSONEncodeError:  # a message repeats half a character that a client sent
        return orjson.dumps({key: value.encode("utf-8", "backslashreplace").decode() for key, value in data.items()})
