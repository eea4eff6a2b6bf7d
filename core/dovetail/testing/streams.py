"""Streams that stores are tested with: generated, uneven, breaking off."""

from __future__ import annotations

import hashlib
import io
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["BrokenOffError", "breaking_off", "digest_of", "from_pieces", "generated", "uneven"]

_MIB = 1 << 20


class BrokenOffError(Exception):
    """The stream could not be read to its end; it is not the store's fault."""


class _Pieces(io.RawIOBase):
    """A stream made of pieces as they come; it can neither seek nor tell its length."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        self._rest = self._rest or next(filter(None, self._pieces), b"")
        size = min(len(buffer), len(self._rest))
        buffer[:size], self._rest = self._rest[:size], self._rest[size:]
        return size


def from_pieces(pieces: Iterator[bytes]) -> Any:
    """A stream of what an iterator gives, fetched while the stream is read."""
    return _Pieces(pieces)


def generated(size: int) -> Any:
    """A stream of that many bytes, made while it is read."""
    return _Pieces(_generate(size))


def uneven(content: bytes) -> Any:
    """A stream that gives fewer bytes at a time than it is asked for, as connections do."""
    return _Pieces(content[start : start + 7] for start in range(0, len(content), 7))


def breaking_off(content: bytes) -> Any:
    """A stream that gives its content and then fails instead of ending."""

    def pieces() -> Iterator[bytes]:
        yield content
        raise BrokenOffError

    return _Pieces(pieces())


def digest_of(stream: Any) -> tuple[int, str]:
    """Length and SHA-256 of what a stream gives, read in blocks."""
    size, digest = 0, hashlib.sha256()
    while block := stream.read(_MIB):
        size += len(block)
        digest.update(block)
    return size, digest.hexdigest()


def _generate(size: int) -> Iterator[bytes]:
    for number in range(0, size, _MIB):
        # Each block differs, so that blocks which change places are noticed.
        yield (number.to_bytes(8, "big") * (_MIB // 8))[: size - number]
