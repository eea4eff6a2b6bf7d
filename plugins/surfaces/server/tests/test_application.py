"""Requests that are wrong before anybody looks at what they say, and errors that nobody foresaw."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import threading
from math import isnan
from typing import TYPE_CHECKING, Any

import pytest

from dovetail.errors import InvalidInput, StoreUnavailable
from dovetail_server.routing.asked import body_of

if TYPE_CHECKING:
    from conftest import Asking

GET = {"experiment_id": "0"}


class TestABody:
    @pytest.mark.parametrize("body", [b"{", b"[]", b"1", b'"x"', b"null", b"\xff", b'{"name": }', b"[" * 100_000])
    def test_that_is_no_object_is_refused(self, ask: Asking, body: bytes) -> None:
        answer = ask("POST", "experiments/create", body)
        assert (answer.status, answer.data["error_code"]) == (400, "INVALID_PARAMETER_VALUE")

    def test_of_another_type_is_refused(self, ask: Asking) -> None:
        answer = ask("POST", "experiments/create", b'{"name": "a"}', headers={"content-type": "text/plain"})
        assert (answer.status, answer.data["error_code"]) == (400, "INVALID_PARAMETER_VALUE")

    @pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "Application/JSON"])
    def test_may_say_more_about_its_type(self, ask: Asking, kind: str) -> None:
        answer = ask("POST", "experiments/create", b'{"name": "a"}', headers={"content-type": kind})
        assert answer.status == 200

    def test_may_be_json_within_json(self, ask: Asking) -> None:
        assert ask("POST", "experiments/create", json.dumps(json.dumps({"name": "a"})).encode()).status == 200

    @pytest.mark.parametrize("headers", [{}, {"content-length": ""}])
    def test_that_is_too_large_is_refused(self, ask: Asking, headers: dict[str, str]) -> None:
        assert ask("POST", "experiments/create", b" " * (3 << 20), headers=headers).status == 413
        assert ask("POST", "runs/log-batch", b" " * (3 << 20)).status == 400, "there batches are"

    def test_may_have_nan_without_quotes_unless_it_is_a_giant(self) -> None:
        assert isnan(body_of(b'{"a": NaN}'.ljust(1 << 20), None)["a"])
        with pytest.raises(InvalidInput, match="no JSON"):  # who else waits would wait for seconds
            body_of(b'{"a": NaN}'.ljust(5 << 20), None)

    def test_that_is_missing_lacks_its_fields(self, ask: Asking) -> None:
        answer = ask("POST", "experiments/create")
        assert answer.status == 400
        assert "Missing value for required parameter 'name'" in answer.data["message"]

    def test_may_have_fields_that_nobody_knows(self, ask: Asking) -> None:
        assert ask("POST", "experiments/create", {"name": "a", "new": {"x": [1]}}).status == 200


class TestAPath:
    def test_that_is_no_utf8_is_refused(self, ask: Asking) -> None:
        """Two such would be one and the same."""
        answer = ask("GET", "/api/2.0/mlflow-artifacts/artifacts/\ufffd")
        assert answer.status == 404
        assert ask("GET", b"/api/2.0/mlflow-artifacts/artifacts/%ff").status == 400


class TestAQuery:
    def test_lacks_its_fields(self, ask: Asking) -> None:
        assert ask("GET", "experiments/get").status == 400

    def test_that_is_no_utf8_is_refused(self, ask: Asking) -> None:
        answer = ask("GET", "experiments/get", query={"experiment_id": b"\xff"})
        assert answer.status == 400


class TestWhatNobodyForesaw:
    def test_is_told_by_its_kind_alone(
        self, ask: Asking, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        def broken(experiment_id: str) -> None:
            raise RuntimeError(f"secret of {experiment_id}")

        monkeypatch.setattr(ask.site.tracking, "get_experiment", broken)
        with caplog.at_level(logging.ERROR):
            answer = ask("GET", "experiments/get", query=GET)
        assert (answer.status, answer.data["error_code"]) == (500, "INTERNAL_ERROR")
        assert b"secret" not in answer.body
        assert b"Traceback" not in answer.body
        assert "secret of 0" in caplog.text, "whoever runs the server finds all of it"

    def test_does_not_say_where_the_server_keeps_things(self, ask: Asking) -> None:
        answer = ask("GET", "runs/get", query={"run_id": "0" * 32})
        assert answer.data["message"] == "this server has no run '00000000000000000000000000000000'."

    def test_a_store_that_is_away_is_said_to_be(self, ask: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
        def away(experiment_id: str) -> None:
            raise StoreUnavailable(f"nobody answers about {experiment_id}")

        monkeypatch.setattr(ask.site.tracking, "get_experiment", away)
        answer = ask("GET", "experiments/get", query=GET)
        assert (answer.status, answer.data["error_code"]) == (503, "TEMPORARILY_UNAVAILABLE")


class TestVerbs:
    def test_that_do_not_fit_are_told_which_do(self, ask: Asking) -> None:
        answer = ask("DELETE", "experiments/get")
        assert (answer.status, answer.headers["allow"]) == (405, "GET")

    def test_head_is_get_without_the_body(self, ask: Asking) -> None:
        answer = ask("HEAD", "/health")
        assert (answer.status, answer.headers["content-length"], answer.body) == (200, "2", b"")


class TestTheServiceItself:
    def test_is_well(self, ask: Asking) -> None:
        assert ask("GET", "/health").body == b"OK"
        assert ask("GET", "/version").body == b"3.17.2"

    def test_says_what_it_can(self, ask: Asking) -> None:
        found = ask("GET", "/api/3.0/mlflow/server-info").data
        assert found["workspaces_enabled"] is False

    def test_counts_requests_by_route(self, ask: Asking) -> None:
        ask("GET", "experiments/get", query=GET)
        ask("GET", "experiments/get")
        ask("GET", '/nowhere"\n')
        text = ask("GET", "/metrics").body.decode()
        worker = f'worker="{os.getpid()}"'
        route = f'{worker},method="GET",route="/api/2.0/mlflow/experiments/get"'
        assert f'dovetail_requests_total{{{route},status="200"}} 1' in text
        assert f'dovetail_requests_total{{{route},status="400"}} 1' in text
        assert f"dovetail_request_seconds_count{{{route}}} 2" in text
        assert f'dovetail_request_seconds_bucket{{{route},le="+Inf"}} 2' in text
        assert f'dovetail_requests_total{{{worker},method="",route="",status="404"}} 1' in text
        assert f"dovetail_commits_total{{{worker}}} 0" in text
        assert "nowhere" not in text, "paths are whatever somebody likes"

    def test_describes_every_route(self, ask: Asking) -> None:
        found = ask("GET", "/openapi.json").data
        described = {(verb.upper(), path) for path, verbs in found["paths"].items() for verb in verbs}
        assert described == {(each.verb, each.path.replace("*}", "}")) for each in ask.site.routes}
        operations = [each["operationId"] for verbs in found["paths"].values() for each in verbs.values()]
        assert len(set(operations)) == len(operations)


class TestABodyThatTakesLongToRead:
    BODIES = ((b'{"name": "small"}', False), (b'{"name": "large"}'.ljust(300_000), True))

    @pytest.fixture
    def threads(self, monkeypatch: pytest.MonkeyPatch) -> list[threading.Thread]:
        """The threads that bodies are read in, in the end."""
        found: list[threading.Thread] = []

        def noted(*given: Any) -> Any:
            found.append(threading.current_thread())
            return body_of(*given)

        monkeypatch.setattr("dovetail_server.application.body_of", noted)
        return found

    @pytest.mark.parametrize(("body", "apart"), BODIES)
    def test_is_read_in_a_thread_so_that_nobody_waits(
        self, ask: Asking, threads: list[threading.Thread], body: bytes, apart: bool
    ) -> None:
        answer = ask("POST", "experiments/create", body, headers={"content-type": "application/json"})
        assert answer.status == 200
        assert [thread is not threading.current_thread() for thread in threads] == [apart]

    @pytest.mark.parametrize(("body", "apart"), BODIES)
    def test_is_not_answered_promptly(
        self, ask: Asking, threads: list[threading.Thread], body: bytes, apart: bool
    ) -> None:
        async def story() -> bool:
            target, headers = ("/api/2.0/mlflow/runs/log-batch", b""), [(b"host", b"localhost:5000")]
            head = ask.application.head("POST", target, headers)
            assert head is not None
            return ask.application.promptly(head, body, lambda *_: None)

        assert asyncio.run(story()) is not apart
        assert len(threads) == (0 if apart else 1)

    def test_is_refused_as_any_other(self, ask: Asking) -> None:
        answer = ask("POST", "experiments/create", b"{" * 300_000)
        assert (answer.status, answer.data["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
