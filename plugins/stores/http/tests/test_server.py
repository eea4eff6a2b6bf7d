"""Whose server it is that answers."""

from __future__ import annotations

import gzip
import json
import re
from typing import TYPE_CHECKING

import pytest

import dovetail
from dovetail.diagnosis import gather
from dovetail.errors import (
    StoreError,
    StoreUnavailable,
)
from dovetail_http.registry import HttpRegistry
from dovetail_http.testing import answer, free_port
from dovetail_http.tracking import HttpTracking, NativeTracking
from dovetail_server.options import Plan

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from dovetail_http.testing import StandIn

pytestmark = pytest.mark.usefixtures("quick")


class TestWhoseServerItIs:
    @pytest.mark.parametrize(
        "said", [answer(b"<html>Not found", 404), answer(b"", 405), answer(b"<html>App"), answer({"status": "OK"})]
    )
    def test_is_mlflows_where_it_does_not_say_that_it_is_ours(
        self, stand_in: Callable[..., StandIn], said: bytes
    ) -> None:
        server = stand_in(said)
        assert type(HttpTracking(server.uri).chosen).__name__ == "MlflowTracking"
        assert type(HttpRegistry(server.uri).chosen).__name__ == "MlflowRegistry"
        assert [each.path for each in server.heard] == ["/api/dovetail/1"] * 2

    def test_is_ours_where_it_says_so(self, stand_in: Callable[..., StandIn]) -> None:
        server = stand_in(answer({"version": "0.1.0", "gzip": True}), answer({"answer": 5}))
        store = HttpTracking(server.uri)
        assert store.applied("w" * 5000) == 5
        assert server.heard[1].headers["content-encoding"] == "gzip"
        assert json.loads(gzip.decompress(server.heard[1].body)) == {"writer": "w" * 5000}

    def test_is_not_guessed_where_it_does_not_let_us_in(self, stand_in: Callable[..., StandIn]) -> None:
        server = stand_in(answer({"message": "Who?"}, 401), answer({"version": "0.1.0"}))
        store = HttpTracking(server.uri)
        with pytest.raises(StoreError, match="Who"):
            store.chosen  # noqa: B018 - asks
        assert isinstance(store.chosen, NativeTracking)


class TestAServerThatOnlyPassesOnArtifacts:
    SAID = b"Endpoint: /api disabled due to the mlflow server running in `--artifacts-only` mode. To enable it"

    def test_as_ours_says_so_at_once(self, serve: Callable[..., str], tmp_path: Path) -> None:
        store = HttpTracking(serve(Plan("", artifact_root=tmp_path.as_uri(), only_artifacts=True)))
        with pytest.raises(StoreError, match="only passes on artifacts") as raised:
            store.search_experiments()
        assert not isinstance(raised.value, StoreUnavailable)

    def test_as_mlflows_is_asked_once(self, stand_in: Callable[..., StandIn]) -> None:
        server = stand_in(answer(b"<html>", 404), answer(self.SAID, 503))
        with pytest.raises(StoreError, match="--artifacts-only"):
            HttpTracking(server.uri).search_experiments()
        assert len(server.heard) == 2


class TestTheDoctor:
    """``dovetail doctor`` where runs are tracked at a server."""

    def test_says_whose_server_answers_and_how_soon(self, uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DOVETAIL_TRACKING_URI", uri)
        found = gather()
        assert found.store.state == "ready"
        (artifacts,) = [each for each in found.places if each.name == "artifact_root"]
        assert artifacts.value == "where the tracking server says", "and not beside a store that is not here"
        assert re.fullmatch(rf"dovetail {re.escape(dovetail.__version__)}, answers in \d+ ms", found.store.detail)

    def test_says_which_mlflow_it_is(self, stand_in: Callable[..., StandIn]) -> None:
        server = stand_in(answer(b"<html>", 404), answer(b"3.17.2"), answer(b"OK"))
        assert re.fullmatch(r"MLflow 3\.17\.2, answers in \d+ ms", HttpTracking(server.uri).answered_by())
        assert [each.path for each in server.heard] == ["/api/dovetail/1", "/version", "/health"]

    def test_says_that_nobody_answers_there(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DOVETAIL_TRACKING_URI", f"http://ada:tops3cret@127.0.0.1:{free_port()}")
        monkeypatch.setenv("DOVETAIL_HTTP_RETRY_SECONDS", "0")
        found = gather()
        assert found.store.state == "unreachable"
        assert "refused" in found.problems[0]
        assert "tops3cret" not in str(found)
