"""Answers leave in one piece where they are one."""

from __future__ import annotations

from typing import Any

import pytest

from dovetail_server.joining import Joined

HEAD = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n"


class Wire:
    """A transport that notes what is written to it, piece by piece."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self.is_closed = False

    def write(self, data: bytes) -> None:
        assert not self.is_closed
        self.pieces.append(data)

    def close(self) -> None:
        self.is_closed = True

    def is_closing(self) -> bool:
        return self.is_closed

    def get_extra_info(self, name: str) -> str:
        return f"the {name}"


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.fixture
def later() -> list[Any]:
    return []


@pytest.fixture
def joined(wire: Wire, later: list[Any]) -> Any:
    return Joined(wire, later.append)  # type: ignore[arg-type]


class TestAnAnswer:
    def test_leaves_in_one_piece(self, wire: Wire, joined: Any, later: list[Any]) -> None:
        joined.write(HEAD)
        joined.write(b"{}")
        assert wire.pieces == [HEAD + b"{}"]
        for each in later:
            each()
        assert wire.pieces == [HEAD + b"{}"], "and not once more"

    def test_that_goes_on_later_begins_soon(self, wire: Wire, joined: Any, later: list[Any]) -> None:
        joined.write(HEAD)
        assert wire.pieces == []
        later[0]()
        assert wire.pieces == [HEAD]
        joined.write(b"a")
        joined.write(b"b")
        assert wire.pieces == [HEAD, b"a", b"b"]

    def test_without_a_body_leaves_before_the_connection_closes(self, wire: Wire, joined: Any) -> None:
        joined.write(HEAD)
        joined.close()
        assert wire.pieces == [HEAD]
        assert wire.is_closed

    def test_follows_another_in_order(self, wire: Wire, joined: Any) -> None:
        for body in (b"1", b"2"):
            joined.write(HEAD)
            joined.write(body)
        assert b"".join(wire.pieces) == HEAD + b"1" + HEAD + b"2"

    def test_to_a_client_that_has_gone_is_not_written(self, wire: Wire, joined: Any, later: list[Any]) -> None:
        joined.write(HEAD)
        wire.is_closed = True
        later[0]()
        joined.write(HEAD)
        joined.write(b"{}")
        assert wire.pieces == []


class TestEverythingElse:
    def test_is_the_transports(self, joined: Any) -> None:
        assert joined.get_extra_info("peername") == "the peername"
