"""Who asks: by the URI, by settings, by plugins."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dovetail import hookimpl, plugins
from dovetail.errors import (
    StoreError,
    StoreReadOnly,
)
from dovetail_http.testing import answer
from dovetail_http.transport import Transport

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dovetail_http.testing import StandIn

pytestmark = pytest.mark.usefixtures("quick")


class TestWhoAsks:
    def authorization(self, server: StandIn) -> str | None:
        return server.heard[-1].headers.get("authorization")

    def test_is_said_by_the_uri_before_the_settings(
        self, stand_in: Callable[..., StandIn], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        server = stand_in(answer({}))
        Transport(server.uri).get("/api")
        assert self.authorization(server) is None
        monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "t0ken")
        Transport(server.uri).get("/api")
        assert self.authorization(server) == "Bearer t0ken"
        monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "ada")
        monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "pä:ss")
        Transport(server.uri).get("/api")
        assert self.authorization(server) == "Basic YWRhOnDDpDpzcw=="
        Transport(server.uri.replace("//", "//b%40b:p%2Fw@")).get("/api")
        assert self.authorization(server) == "Basic YkBiOnAvdw=="

    def test_may_change_while_the_process_lives(
        self, stand_in: Callable[..., StandIn], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        server = stand_in(answer({}))
        transport = Transport(server.uri)
        for token in ("one", "two"):
            monkeypatch.setenv("DOVETAIL_TRACKING_TOKEN", token)
            transport.get("/api")
            assert self.authorization(server) == f"Bearer {token}"

    def test_and_is_not_known_is_told_what_to_set(self, stand_in: Callable[..., StandIn]) -> None:
        server = stand_in(answer({"error_code": "UNAUTHENTICATED", "message": "Who are you?"}, 401))
        with pytest.raises(StoreError, match="Who are you") as raised:
            Transport(server.uri.replace("//", "//ada:wr0ng@")).get("/api")
        assert "DOVETAIL_TRACKING_TOKEN" in str(raised.value)
        assert "wr0ng" not in f"{raised.value!r} {raised.value.__cause__!r} {raised.value.__context__!r}"
        assert len(server.heard) == 1

    def test_and_may_not_is_told_so(self, stand_in: Callable[..., StandIn]) -> None:
        with pytest.raises(StoreReadOnly, match="You may not"):
            Transport(stand_in(answer({"error_code": "PERMISSION_DENIED", "message": "You may not."}, 403)).uri).get(
                "/a"
            )

    @pytest.mark.parametrize("token", ["s3cret\nx: y", "s3cret\u2028"])
    def test_with_a_token_that_no_header_can_hold_hears_of_it_but_not_which(
        self, stand_in: Callable[..., StandIn], monkeypatch: pytest.MonkeyPatch, token: str
    ) -> None:
        server = stand_in(answer({}))
        monkeypatch.setenv("DOVETAIL_TRACKING_TOKEN", token)
        with pytest.raises(StoreError, match="DOVETAIL_TRACKING_TOKEN") as raised:
            Transport(server.uri).get("/api")
        assert "s3cret" not in f"{raised.value} {raised.value.__cause__}"
        assert server.heard == []

    def test_may_be_said_by_plugins(self, stand_in: Callable[..., StandIn], monkeypatch: pytest.MonkeyPatch) -> None:
        asked: list[str] = []

        class Gate:
            @hookimpl
            def dovetail_request_headers(self, uri: str) -> Mapping[str, str]:
                asked.append(uri)
                return {"authorization": "Gate 1", "X-Team": "wine"}

        monkeypatch.setattr(plugins, "collect", plugins.Plugins([]).collect)
        known = plugins.Plugins([])
        known.register(Gate())
        monkeypatch.setattr(plugins, "collect", known.collect)
        monkeypatch.setenv("DOVETAIL_TRACKING_TOKEN", "t0ken")
        server = stand_in(answer({}))
        Transport(server.uri.replace("//", "//ada:s3cret@")).get("/api")
        assert (self.authorization(server), server.heard[0].headers["x-team"]) == ("Gate 1", "wine")
        assert asked == [server.uri]
