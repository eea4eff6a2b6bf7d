"""Servers of MLflow's older releases, which lack some of what newer ones have."""

from __future__ import annotations

import threading
import urllib.error
import urllib.request
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Protocol

import pytest

from dovetail.errors import NotFound
from dovetail.values import Batch, LoggedModelOutput, Metric, NewLoggedModel, NewRun
from dovetail_http import open_tracking

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dovetail.tracking.store import TrackingStore

    class Served(Protocol):
        uri: str


LATER = ("logged-models", "runs/outputs", "get-history-bulk-interval")
"""Paths that MLflow 2.9 does not have."""


class Older(BaseHTTPRequestHandler):
    """Passes on what MLflow 2.9 knows, and answers like it for the rest."""

    behind = ""

    def answer(self) -> None:
        if self.path == "/version":
            self.told(200, b"2.9.2", "text/html")
        elif any(each in self.path for each in LATER):
            self.told(404, b"<!doctype html>\n<title>404 Not Found</title>", "text/html; charset=utf-8")
        else:
            self.passed_on()

    def passed_on(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        headers = {name: value for name, value in self.headers.items() if name == "Content-Type"}
        request = urllib.request.Request(
            self.behind + self.path, self.rfile.read(length) or None, headers, method=self.command
        )
        try:
            with urllib.request.urlopen(request) as response:
                self.told(response.status, response.read(), "application/json")
        except urllib.error.HTTPError as refusal:
            self.told(refusal.code, refusal.read(), refusal.headers["Content-Type"])

    def told(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PATCH = do_DELETE = answer  # noqa: N815 - their names in the base class

    def log_message(self, *args: object) -> None:
        """Nothing."""


@pytest.fixture
def store(server: Served) -> Iterator[TrackingStore]:
    """The store on a server of MLflow 2.9."""
    handler = type("Handler", (Older,), {"behind": server.uri})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as proxy:
        thread = threading.Thread(target=proxy.serve_forever)
        thread.start()
        with closing(open_tracking(f"http://127.0.0.1:{proxy.server_port}")) as store:
            yield store
        proxy.shutdown()
        thread.join()


class TestAServerBeforeLoggedModels:
    def test_says_what_it_lacks_where_one_is_to_be_made(self, store: TrackingStore) -> None:
        with pytest.raises(NotFound, match=r"is MLflow 2\.9\.2, which has no logged models") as raised:
            store.create_logged_model(NewLoggedModel("0"))
        assert "from 3.0 on" in str(raised.value.hint)
        with pytest.raises(NotFound, match="no logged models"):
            store.get_logged_model("m-1")
        run_id = store.create_run(NewRun("0", run_name="a")).info.run_id
        with pytest.raises(NotFound, match="no logged models"):
            store.log_outputs(run_id, [LoggedModelOutput("m-1", 0)])
        with pytest.raises(NotFound, match="no logged models"):
            store.log_batch(run_id, Batch((Metric("acc", 1.0, 1, 0, "m-1"),)))
        assert store.get_run(run_id).data.metrics == {}

    def test_has_none_to_be_found(self, store: TrackingStore) -> None:
        assert list(store.search_logged_models(["0"], "name = 'x'")) == []

    def test_keeps_runs_as_others_do(self, store: TrackingStore) -> None:
        runs = [store.create_run(NewRun("0", run_name=name)).info.run_id for name in ("a", "b")]
        for run_id in runs:
            store.log_batch(run_id, Batch(tuple(Metric("loss", 1.0, step, step) for step in range(3))))
        series = store.get_metric_series(runs, "loss")
        assert {run_id: list(each.steps) for run_id, each in series.items()} == {run_id: [0, 1, 2] for run_id in runs}
