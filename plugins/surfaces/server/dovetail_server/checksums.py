"""What an upload must be, as its headers say: its length and its digests."""

from __future__ import annotations

import hashlib
from base64 import b64decode
from binascii import Error as NotBase64
from typing import TYPE_CHECKING, Any

from dovetail.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

__all__ = ["Expected"]

_ALGORITHMS = {"md5": "md5", "sha": "sha1", "sha-256": "sha256", "sha-512": "sha512"}
"""What headers call them, and what Python does. Others are left alone, as HTTP says."""


class Expected:
    """What is to arrive, and what has arrived so far.

    Args:
        size: Bytes; None where nobody said.
        digests: Digests by the names that headers give to their algorithms.
    """

    def __init__(self, size: int | None, digests: Iterable[tuple[str, bytes]] = ()) -> None:
        self.size = size
        self._arrived = 0
        self._digests = [(name, given, _counting(name)) for name, given in digests]

    @classmethod
    def of(cls, headers: Mapping[str, str]) -> Expected:
        """What the headers of a request say: ``Content-Length``, ``Content-MD5``, ``Digest`` and its successors.

        Args:
            headers: Their names in lower case.

        Raises:
            InvalidInput: A digest cannot be read, or only a part of a file is to be sent.
        """
        if "content-range" in headers:
            raise InvalidInput("A part of a file cannot be put in its place.", hint="Leave out Content-Range.")
        length = headers.get("content-length", "")
        return cls(int(length) if length.isdecimal() else None, _digests_in(headers))

    @property
    def algorithms(self) -> set[str]:
        """The algorithms of the digests that are compared."""
        return {name for name, _, _ in self._digests}

    def update(self, data: bytes) -> None:
        """Take note of what has arrived."""
        self._arrived += len(data)
        for _, _, digest in self._digests:
            digest.update(data)

    def confirm(self) -> None:
        """Compare, when everything has arrived.

        Raises:
            InvalidInput: It is not what was to arrive.
        """
        if self.size is not None and self._arrived != self.size:
            raise InvalidInput(
                f"The request was to have {self.size} bytes and has {self._arrived}.", hint="Send the file again."
            )
        for name, given, digest in self._digests:
            if digest.digest() != given:
                raise InvalidInput(
                    f"The {name} digest of what arrived is not the one that the request names.",
                    hint="Send the file again.",
                )


def _counting(name: str) -> Any:
    return hashlib.new(_ALGORITHMS[name], usedforsecurity=False)


def _digests_in(headers: Mapping[str, str]) -> Iterator[tuple[str, bytes]]:
    if (text := headers.get("content-md5")) is not None:
        yield "md5", _decoded("md5", text)
    for header in ("digest", "repr-digest", "content-digest"):
        for member in headers.get(header, "").split(","):
            name, _, text = member.strip().partition("=")
            if (name := name.lower()) in _ALGORITHMS:
                yield name, _decoded(name, _bare(text) if header != "digest" else text)


def _bare(text: str) -> str:
    """The base64 of ``:base64:``, behind which parameters may stand."""
    colon, _, rest = text.partition(":")
    inside, end, _ = rest.partition(":")
    return inside if not colon and end else ""


def _decoded(name: str, text: str) -> bytes:
    try:
        found = b64decode(text.strip(), validate=True)
    except (NotBase64, ValueError):
        found = b""
    if len(found) != _counting(name).digest_size:
        raise InvalidInput(f"{text!r:.100} is no {name} digest.", hint="Write it in base64.")
    return found
