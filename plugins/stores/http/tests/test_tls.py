"""Servers that speak TLS, and those that are only thought to."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dovetail.errors import (
    InvalidSetting,
    StoreError,
    StoreUnavailable,
)
from dovetail_http.testing import answer
from dovetail_http.transport import Transport

if TYPE_CHECKING:
    from collections.abc import Callable

    from dovetail_http.testing import StandIn

CERTIFICATE = Path(__file__).with_name("localhost.pem")
pytestmark = pytest.mark.usefixtures("quick")


class TestAServerThatSpeaksTls:
    def test_is_trusted_by_the_certificate_that_a_setting_names(
        self, stand_in: Callable[..., StandIn], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("MLFLOW_TRACKING_SERVER_CERT_PATH", str(CERTIFICATE))
        assert Transport(stand_in(answer({"a": 1}), secure=True).uri).get("/api") == {"a": 1}

    def test_is_not_trusted_without(self, stand_in: Callable[..., StandIn]) -> None:
        server = stand_in(answer({}), secure=True)
        begin = time.monotonic()
        with pytest.raises(StoreError, match=r"TLS: .*certificate") as raised:
            Transport(server.uri).get("/api")
        assert not isinstance(raised.value, StoreUnavailable)
        assert "DOVETAIL_TRACKING_SERVER_CERT_PATH" in str(raised.value)
        assert (server.heard, time.monotonic() - begin < 3) == ([], True)

    def test_is_talked_to_in_any_case_where_somebody_wants_that(
        self, stand_in: Callable[..., StandIn], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("MLFLOW_TRACKING_INSECURE_TLS", "true")
        assert Transport(stand_in(answer({"a": 1}), secure=True).uri).get("/api") == {"a": 1}

    @pytest.mark.parametrize("name", ["tracking_server_cert_path", "tracking_client_cert_path"])
    def test_needs_certificates_that_are_there(self, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        monkeypatch.setenv(f"DOVETAIL_{name.upper()}", "/nowhere/cert.pem")
        with pytest.raises(InvalidSetting, match=f"{name} is '/nowhere/cert.pem', by DOVETAIL_{name.upper()}"):
            Transport("https://127.0.0.1:1").get("/api")


class TestAnAddressThatSpeaksOtherwise:
    def test_than_by_tls_is_told_to_be_plain(self, uri: str) -> None:
        secured = uri.replace("http:", "https:")
        with pytest.raises(StoreError, match="does not speak TLS") as raised:
            Transport(secured).get("/api")
        assert raised.value.hint == f"Write {uri}."

    def test_than_plainly_is_told_to_speak_tls(self, stand_in: Callable[..., StandIn]) -> None:
        server = stand_in(answer({}), secure=True)
        with pytest.raises(StoreError, match="speaks TLS") as raised:
            Transport(server.uri.replace("https:", "http:")).get("/api")
        assert not isinstance(raised.value, StoreUnavailable)
        assert raised.value.hint == f"Write {server.uri}."

    def test_than_anybody_may_be_either(self, stand_in: Callable[..., StandIn]) -> None:
        server = stand_in(answer({}))
        with pytest.raises(StoreError, match="by TLS") as raised:
            Transport(server.uri.replace("http:", "https:")).get("/api")
        assert f"plain HTTP, write {server.uri}." in str(raised.value)
