"""Requests on bad days: servers that are away, busy or slow, and connections that are cut."""

from __future__ import annotations

import re
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from dovetail.errors import StoreError, StoreUnavailable
from dovetail_http.testing import answer, cut, cut_within, free_port, wait
from dovetail_http.transport import Transport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dovetail_http.testing import StandIn

pytestmark = pytest.mark.usefixtures("quick")


@contextmanager
def silent() -> Iterator[str]:
    """An address at which nothing answers, not even by refusing: whoever listens there takes no more connections."""
    with ExitStack() as closing:
        full = closing.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(4):
            waiting = closing.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        yield f"127.0.0.1:{full.getsockname()[1]}"


class TestAServerThatIsAway:
    def test_is_said_to_be_after_a_while(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DOVETAIL_HTTP_RETRY_SECONDS", "0.5")
        uri = f"http://ada:tops3cret@127.0.0.1:{free_port()}/team"
        begin = time.monotonic()
        with pytest.raises(StoreUnavailable, match=r"cannot be reached: .*refused") as raised:
            Transport(uri).get("/api")
        assert 0.2 < time.monotonic() - begin < 3
        assert "tops3cret" not in str(raised.value)
        assert "127.0.0.1" in str(raised.value)
        assert "DOVETAIL_HTTP_RETRY_SECONDS is how many seconds" in str(raised.value), "who wants to wait longer may"

    @pytest.mark.parametrize("again", [True, False])
    def test_and_comes_back_has_done_everything(self, stand_in: Callable[..., StandIn], again: bool) -> None:
        port = free_port()
        transport = Transport(f"http://127.0.0.1:{port}")
        with ThreadPoolExecutor(1) as pool:
            asked = pool.submit(transport.post, "/api", {"a": 1}, again=again)
            time.sleep(0.3)
            back = stand_in(answer({"done": True}), port=port)
            assert asked.result(10) == {"done": True}
        assert [each.data for each in back.heard] == [{"a": 1}]

    def test_is_tried_once_where_nobody_wants_to_wait(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DOVETAIL_HTTP_RETRY_SECONDS", "0")
        begin = time.monotonic()
        with pytest.raises(StoreUnavailable):
            Transport(f"http://127.0.0.1:{free_port()}").get("/api")
        assert time.monotonic() - begin < 0.3

    def test_because_nobody_has_its_name_is_not_tried_again(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DOVETAIL_HTTP_RETRY_SECONDS", "60")
        begin = time.monotonic()
        with pytest.raises(StoreUnavailable, match=r"http://nobody\.invalid cannot be reached: Failed to resolve"):
            Transport("http://nobody.invalid").get("/api")
        assert time.monotonic() - begin < 30

    def test_because_nobody_could_be_asked_for_its_name_is_tried_again(
        self, stand_in: Callable[..., StandIn], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        server, real = stand_in(answer({"done": True})), socket.getaddrinfo
        failures = [socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")]

        def ask(*args: Any, **options: Any) -> Any:
            if failures:
                raise failures.pop()
            return real(*args, **options)

        monkeypatch.setattr(socket, "getaddrinfo", ask)
        assert Transport(server.uri).get("/api") == {"done": True}

    def test_is_not_waited_for_a_second_time_by_who_asks_again_at_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DOVETAIL_HTTP_RETRY_SECONDS", "2")
        transport = Transport(f"http://127.0.0.1:{free_port()}")
        with pytest.raises(StoreUnavailable):
            transport.get("/api")
        begin = time.monotonic()
        with pytest.raises(StoreUnavailable, match="cannot be reached"):
            transport.get("/api")
        assert time.monotonic() - begin < 1


class TestSomebodyWhoWaits:
    def test_is_told_once_for_what_and_how_long(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setenv("DOVETAIL_HTTP_RETRY_SECONDS", "3")
        uri = f"http://127.0.0.1:{free_port()}"
        with pytest.raises(StoreUnavailable):
            Transport(uri.replace("//", "//ada:tops3cret@")).get("/api")
        (told,) = caplog.messages
        assert re.fullmatch(rf"{uri} cannot be reached: .*refused\. Trying for [23] s more\.", told)

    def test_for_an_address_where_nobody_answers_is_told_before_that_is_given_up(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setenv("DOVETAIL_HTTP_RETRY_SECONDS", "3")
        with silent() as place, pytest.raises(StoreUnavailable, match="timed out"):
            Transport(f"http://{place}").get("/api")
        (told,) = caplog.messages
        assert re.search(r"timed out.* Trying for [12] s more", told)

    def test_for_a_busy_server_is_told_which_one(
        self, stand_in: Callable[..., StandIn], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setenv("DOVETAIL_HTTP_RETRY_SECONDS", "1.5")
        server = stand_in(answer({"message": "Full."}, 429))
        with pytest.raises(StoreUnavailable, match="Full"):
            Transport(server.uri).get("/api")
        (told,) = caplog.messages
        assert told.startswith(f"{server.uri}: Full. Trying for ")

    def test_for_less_than_a_moment_hears_nothing(
        self, stand_in: Callable[..., StandIn], caplog: pytest.LogCaptureFixture
    ) -> None:
        Transport(stand_in(answer({}, 503), answer({}, 503), answer({})).uri).get("/api")
        assert caplog.messages == []

    def test_is_not_in_a_thread_that_delivers_what_waits_in_a_journal(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        failures: list[Exception] = []

        def deliver() -> None:
            try:
                Transport(f"http://127.0.0.1:{free_port()}").get("/api")
            except StoreUnavailable as failure:
                failures.append(failure)

        monkeypatch.setenv("DOVETAIL_HTTP_RETRY_SECONDS", "2")
        thread = threading.Thread(target=deliver, daemon=True)
        thread.start()
        thread.join(60)
        assert (len(failures), caplog.messages) == (1, [])
        assert "DOVETAIL_HTTP_RETRY_SECONDS" not in str(failures[0]), "who waits for it does so by another setting"


class TestAServerThatIsBusy:
    @pytest.mark.parametrize("status", [429, 502, 503, 504])
    def test_is_asked_again_for_what_may_be_repeated(self, stand_in: Callable[..., StandIn], status: int) -> None:
        server = stand_in(answer(b"", status), answer(b"busy", status), answer({"a": 1}))
        assert Transport(server.uri).post("/api", {}, again=True) == {"a": 1}
        assert len(server.heard) == 3

    def test_says_when_to_come_back(self, stand_in: Callable[..., StandIn]) -> None:
        server = stand_in(answer({}, 503, retry_after="1"), answer({"a": 1}))
        begin = time.monotonic()
        assert Transport(server.uri).get("/api") == {"a": 1}
        assert time.monotonic() - begin >= 1
        assert len(server.heard) == 2

    @pytest.mark.parametrize("after", ["60", "Fri, 31 Dec 2100 23:59:59 GMT"])
    def test_and_stays_so_longer_than_we_wait_is_not_waited_for(
        self, stand_in: Callable[..., StandIn], after: str
    ) -> None:
        server = stand_in(
            answer({"error_code": "TEMPORARILY_UNAVAILABLE", "message": "Later."}, 503, retry_after=after)
        )
        begin = time.monotonic()
        with pytest.raises(StoreUnavailable, match="Later"):
            Transport(server.uri).get("/api")
        assert (time.monotonic() - begin < 2, len(server.heard)) == (True, 1)

    @pytest.mark.parametrize("after", ["soon", "9" * 5000])
    def test_and_talks_nonsense_of_when_is_asked_again_all_the_same(
        self, stand_in: Callable[..., StandIn], after: str
    ) -> None:
        server = stand_in(answer({}, 503, retry_after=after), answer({"a": 1}))
        assert Transport(server.uri).get("/api") == {"a": 1}

    def test_is_given_some_time_even_if_it_asks_for_none(
        self, stand_in: Callable[..., StandIn], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("DOVETAIL_HTTP_RETRY_SECONDS", "0.5")
        server = stand_in(answer({}, 503, retry_after="0"))
        with pytest.raises(StoreUnavailable):
            Transport(server.uri).get("/api")
        assert len(server.heard) < 10

    def test_is_not_asked_again_for_what_must_not_be_done_twice(self, stand_in: Callable[..., StandIn]) -> None:
        server = stand_in(answer({}, 503), answer({}))
        with pytest.raises(StoreUnavailable):
            Transport(server.uri).post("/api", {})
        assert len(server.heard) == 1

    def test_that_does_not_stop_is_given_up(
        self, stand_in: Callable[..., StandIn], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("DOVETAIL_HTTP_RETRY_SECONDS", "0.7")
        server = stand_in(answer({"message": "Full."}, 429))
        with pytest.raises(StoreUnavailable, match="Full"):
            Transport(server.uri).get("/api")
        assert 2 <= len(server.heard) <= 8

    def test_in_front_of_which_a_gateway_gave_up_may_have_done_it(self, stand_in: Callable[..., StandIn]) -> None:
        with pytest.raises(StoreError, match="Nobody knows whether") as raised:
            Transport(stand_in(answer(b"<html>timeout", 504)).uri).post("/api", {})
        assert not isinstance(raised.value, StoreUnavailable)


class TestAConnectionThatIsCut:
    @pytest.mark.parametrize("behaviour", [cut, cut_within])
    def test_is_made_anew_for_what_may_be_repeated(self, stand_in: Callable[..., StandIn], behaviour: Any) -> None:
        server = stand_in(behaviour, behaviour, answer({"a": 1}))
        assert Transport(server.uri).post("/api", {"b": 2}, again=True) == {"a": 1}
        assert [each.data for each in server.heard] == [{"b": 2}] * 3

    @pytest.mark.parametrize("behaviour", [cut, cut_within])
    def test_leaves_open_whether_the_rest_was_done(self, stand_in: Callable[..., StandIn], behaviour: Any) -> None:
        server = stand_in(behaviour, answer({}))
        with pytest.raises(StoreError, match=r"was lost.*Nobody knows whether the server did") as raised:
            Transport(server.uri).post("/api", {})
        assert not isinstance(raised.value, StoreUnavailable)
        assert len(server.heard) == 1

    def test_while_nothing_was_asked_is_noticed_before_something_is(self, stand_in: Callable[..., StandIn]) -> None:
        def then_cut(connection: socket.socket) -> None:
            connection.sendall(answer({"first": 1}))
            cut(connection)

        server = stand_in(then_cut, answer({"second": 2}))
        transport = Transport(server.uri)
        assert transport.get("/api") == {"first": 1}
        time.sleep(0.1)
        assert transport.post("/api", {}) == {"second": 2}

    def test_that_nobody_used_for_long_is_not_used_again(
        self, stand_in: Callable[..., StandIn], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        server = stand_in(answer({}))
        transport = Transport(server.uri)
        for _ in range(3):
            transport.get("/api")
        monkeypatch.setattr(time, "monotonic", lambda now=time.monotonic: now() + 60)
        transport.get("/api")
        assert [each.connection for each in server.heard] == [0, 0, 0, 1]


class TestASlowServer:
    def test_is_waited_for_only_so_long(
        self, stand_in: Callable[..., StandIn], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("DOVETAIL_HTTP_REQUEST_TIMEOUT", "0.2")
        monkeypatch.setenv("DOVETAIL_HTTP_RETRY_SECONDS", "0.1")
        with pytest.raises(StoreUnavailable, match=r"gave no answer in time.*\nDOVETAIL_HTTP_REQUEST_TIMEOUT"):
            Transport(stand_in(wait).uri).get("/api")
        with pytest.raises(StoreError, match="Nobody knows whether"):
            Transport(stand_in(wait).uri).post("/api")

    def test_may_answer_the_next_time(self, stand_in: Callable[..., StandIn], monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DOVETAIL_HTTP_REQUEST_TIMEOUT", "0.3")
        assert Transport(stand_in(wait, answer({"a": 1})).uri).get("/api") == {"a": 1}

    def test_may_take_for_ever(self, stand_in: Callable[..., StandIn], monkeypatch: pytest.MonkeyPatch) -> None:
        def late(connection: socket.socket) -> None:
            time.sleep(0.5)
            connection.sendall(answer({"late": 1}))

        monkeypatch.setenv("DOVETAIL_HTTP_REQUEST_TIMEOUT", "0")
        assert Transport(stand_in(late).uri).post("/api") == {"late": 1}
