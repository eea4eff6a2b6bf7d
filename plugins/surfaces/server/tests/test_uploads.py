"""Uploads in parts: begun, gone on with after a broken connection, completed, given up."""

from __future__ import annotations

import base64
import hashlib
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from dovetail import posix
from dovetail_server.resumable import KEPT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

UPLOADS = "/api/dovetail/1/uploads"
PARTS = [b"first " * 1000, b"second " * 300_000, b"third"]
WHOLE = b"".join(PARTS)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Where the artifacts lie."""
    return tmp_path / "kept"


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the server keeps parts."""
    monkeypatch.setenv("DOVETAIL_STATE_DIR", str(tmp_path / "state"))
    return tmp_path / "state" / "uploads"


@pytest.fixture
def ask(opened: Callable[..., Any], root: Path, state: Path) -> Any:
    return opened(artifact_root=root.as_uri())


def begin(ask: Any, path: str = "0/model.bin", **more: Any) -> str:
    return str(ask("POST", UPLOADS, {"path": path, **more}).data["upload_id"])


def put(
    ask: Any, upload_id: str, number: object, part: bytes, path: str = "0/model.bin", digest: bytes | None = None
) -> Any:
    shown = base64.b64encode(hashlib.sha256(part).digest() if digest is None else digest).decode()
    headers = {"repr-digest": f"sha-256=:{shown}:", "content-type": "application/octet-stream"}
    return ask("PUT", f"{UPLOADS}/{upload_id}/parts/{number}", part, {"path": path}, headers)


def shown(ask: Any, upload_id: str, path: str = "0/model.bin") -> Any:
    return ask("GET", f"{UPLOADS}/{upload_id}", query={"path": path})


def complete(ask: Any, upload_id: str, parts: int, path: str = "0/model.bin", **more: Any) -> Any:
    return ask("POST", f"{UPLOADS}/{upload_id}/complete", {"path": path, "parts": parts, **more})


class TestAnUploadInParts:
    def test_becomes_a_file_when_it_is_completed(self, ask: Any, root: Path, state: Path) -> None:
        upload_id = begin(ask, size=len(WHOLE), sha256=hashlib.sha256(WHOLE).hexdigest())
        for number in (2, 1, 3):  # in any order
            assert put(ask, upload_id, number, PARTS[number - 1]).status == 200
        assert not root.exists(), "nothing is seen of it before"
        assert complete(ask, upload_id, 3).data == {}
        assert (root / "0" / "model.bin").read_bytes() == WHOLE
        assert not any(each.name.isdecimal() for each in (state / upload_id).iterdir()), "the parts are gone"

    def test_tells_what_has_arrived(self, ask: Any) -> None:
        upload_id = begin(ask)
        assert shown(ask, upload_id).data == {
            "upload_id": upload_id,
            "path": "0/model.bin",
            "state": "open",
            "parts": [],
        }
        put(ask, upload_id, 2, PARTS[1])
        put(ask, upload_id, 10, b"x")
        assert shown(ask, upload_id).data["parts"] == [
            {"number": 2, "size": len(PARTS[1])},
            {"number": 10, "size": 1},
        ]

    def test_goes_on_after_the_server_was_started_anew(self, ask: Any, opened: Callable[..., Any], root: Path) -> None:
        upload_id = begin(ask)
        put(ask, upload_id, 1, PARTS[0])
        ask.application._close()
        again = opened(artifact_root=root.as_uri())
        assert [part["number"] for part in shown(again, upload_id).data["parts"]] == [1]
        put(again, upload_id, 2, PARTS[1])
        put(again, upload_id, 3, PARTS[2])
        assert complete(again, upload_id, 3).status == 200
        assert (root / "0" / "model.bin").read_bytes() == WHOLE

    def test_may_replace_a_part(self, ask: Any, root: Path) -> None:
        upload_id = begin(ask)
        put(ask, upload_id, 1, b"wrong, and longer")
        put(ask, upload_id, 1, b"right")
        complete(ask, upload_id, 1)
        assert (root / "0" / "model.bin").read_bytes() == b"right"

    def test_may_be_completed_twice(self, ask: Any, root: Path) -> None:
        """The answer to the first time may have been lost."""
        upload_id = begin(ask)
        put(ask, upload_id, 1, b"x")
        assert complete(ask, upload_id, 1).status == 200
        (root / "0" / "model.bin").write_bytes(b"newer")
        assert complete(ask, upload_id, 1).status == 200
        assert (root / "0" / "model.bin").read_bytes() == b"newer", "a second time nothing happens"
        assert shown(ask, upload_id).data["state"] == "done"

    def test_of_an_empty_file_has_no_parts(self, ask: Any, root: Path) -> None:
        assert complete(ask, begin(ask, size=0), 0).status == 200
        assert (root / "0" / "model.bin").read_bytes() == b""

    def test_replaces_the_former_file_at_once(self, ask: Any, root: Path) -> None:
        (root / "0").mkdir(parents=True)
        (root / "0" / "model.bin").write_bytes(b"former")
        upload_id = begin(ask)
        put(ask, upload_id, 1, b"x")
        assert (root / "0" / "model.bin").read_bytes() == b"former"
        complete(ask, upload_id, 1)
        assert (root / "0" / "model.bin").read_bytes() == b"x"

    def test_takes_parts_from_many_at_once(self, ask: Any, root: Path) -> None:
        parts = [os.urandom(100_000) for _ in range(24)]
        upload_id = begin(ask)
        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(lambda number: put(ask, upload_id, number + 1, parts[number]).status, range(24)))
        assert set(found) == {200}
        complete(ask, upload_id, 24)
        assert (root / "0" / "model.bin").read_bytes() == b"".join(parts)

    def test_is_seen_by_nobody_else(self, ask: Any, state: Path) -> None:
        upload_id = begin(ask)
        put(ask, upload_id, 1, b"x")
        assert state.stat().st_mode & 0o077 == 0
        assert (state / upload_id).stat().st_mode & 0o077 == 0


class TestAPart:
    def test_that_arrives_otherwise_than_sent_is_not_kept(self, ask: Any, state: Path) -> None:
        upload_id = begin(ask)
        put(ask, upload_id, 1, b"right")
        for part in (b"wrong", PARTS[1]):
            refused = put(ask, upload_id, 1, part, digest=hashlib.sha256(b"other").digest())
            assert refused.status == 400
            assert "digest" in refused.data["message"]
        assert shown(ask, upload_id).data["parts"] == [{"number": 1, "size": 5}]
        assert sorted(each.name for each in (state / upload_id).iterdir()) == ["1", "upload.json"]

    def test_without_a_digest_is_refused(self, ask: Any) -> None:
        upload_id = begin(ask)
        headers = {"content-type": "application/octet-stream"}
        found = ask("PUT", f"{UPLOADS}/{upload_id}/parts/1", b"x", {"path": "0/model.bin"}, headers)
        assert found.status == 400
        assert "Repr-Digest" in str(found.data)

    @pytest.mark.parametrize("number", ["0", "-1", "x", "10001", "1" * 30, "1.5", "٣", "..", "upload.json"])
    def test_has_a_number(self, ask: Any, number: str) -> None:
        upload_id = begin(ask)
        assert put(ask, upload_id, number, b"x").status == 400
        assert shown(ask, upload_id).data["parts"] == []


class TestACompletion:
    @pytest.mark.parametrize(
        ("sent", "count", "more", "word"),
        [
            ((1, 3), 3, {}, "parts 2 of"),
            ((), 2, {}, "parts 1, 2 of"),
            ((1, 2, 3), 2, {}, "3 parts, not 2"),
            ((1, 2, 3), 3, {"size": 7}, "7 bytes"),
            ((1, 2, 3), 3, {"sha256": "0" * 64}, "digest"),
            ((1, 2, 3), -1, {}, "at most"),
            ((1, 2, 3), 10_001, {}, "at most"),
            ((1, 2, 3), 3, {"size": -1}, "-1 bytes"),
            ((1, 2, 3), 3, {"sha256": "abc"}, "no SHA-256"),
        ],
    )
    def test_of_what_is_not_all_there_is_refused(
        self, ask: Any, root: Path, sent: tuple[int, ...], count: int, more: dict[str, Any], word: str
    ) -> None:
        upload_id = begin(ask)
        for number in sent:
            put(ask, upload_id, number, PARTS[number - 1])
        refused = complete(ask, upload_id, count, **more)
        assert refused.status == 400
        assert word in refused.data["message"]
        assert not root.exists() or list(root.iterdir()) == []
        assert len(shown(ask, upload_id).data["parts"]) == len(sent), "it can be gone on with"

    def test_is_held_to_what_was_said_at_the_beginning(self, ask: Any) -> None:
        upload_id = begin(ask, size=5, sha256=hashlib.sha256(b"right").hexdigest())
        put(ask, upload_id, 1, b"wrong")
        assert complete(ask, upload_id, 1).status == 400
        put(ask, upload_id, 1, b"right")
        assert complete(ask, upload_id, 1, size=6).status == 400
        assert complete(ask, upload_id, 1).status == 200

    def test_goes_on_only_once_at_a_time(self, ask: Any, state: Path) -> None:
        upload_id = begin(ask)
        put(ask, upload_id, 1, b"x")
        with posix.locked(state / upload_id / "lock"):  # as whoever puts it together holds it, here or elsewhere
            assert shown(ask, upload_id).data["state"] == "completing"
            assert complete(ask, upload_id, 1).status == 503
        assert shown(ask, upload_id).data["state"] == "open"
        assert complete(ask, upload_id, 1).status == 200

    def test_where_a_folder_is_does_no_harm(self, ask: Any, root: Path) -> None:
        (root / "0" / "model.bin").mkdir(parents=True)
        (root / "0" / "model.bin" / "kept").write_bytes(b"x")
        upload_id = begin(ask)
        put(ask, upload_id, 1, b"x")
        assert complete(ask, upload_id, 1).status == 400
        assert (root / "0" / "model.bin" / "kept").exists()
        assert len(shown(ask, upload_id).data["parts"]) == 1


class TestAnUploadThatIsGivenUp:
    def test_is_gone(self, ask: Any, state: Path) -> None:
        upload_id = begin(ask)
        put(ask, upload_id, 1, b"x")
        assert ask("DELETE", f"{UPLOADS}/{upload_id}", {"path": "0/model.bin"}).data == {}
        assert list(state.iterdir()) == []
        for answered in (shown(ask, upload_id), put(ask, upload_id, 2, b"x"), complete(ask, upload_id, 1)):
            assert answered.status == 404

    def test_while_it_is_put_together_makes_no_file(
        self, ask: Any, root: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        upload_id = begin(ask)
        for number, part in enumerate(PARTS, 1):
            put(ask, upload_id, number, part)
        store, reached = ask.site.artifacts, threading.Event()
        real = store.put

        def slow(path: str, stream: Any) -> None:
            def first() -> bytes:
                reached.set()
                time.sleep(0.5)
                return b""

            first()
            real(path, stream)

        monkeypatch.setattr(store, "put", slow)
        with ThreadPoolExecutor(1) as pool:
            answered = pool.submit(complete, ask, upload_id, 3)
            assert reached.wait(10)
            ask("DELETE", f"{UPLOADS}/{upload_id}", {"path": "0/model.bin"})
            assert answered.result().status == 404
        assert list(root.iterdir()) == []

    def test_by_nobody_going_on_with_it_is_swept_after_a_day(self, ask: Any, state: Path) -> None:
        old, young = begin(ask), begin(ask)
        put(ask, old, 1, b"x")
        long_ago = time.time() - KEPT - 60
        os.utime(state / old, (long_ago, long_ago))
        begin(ask)
        assert shown(ask, old).status == 404
        assert shown(ask, young).status == 200


class TestTheIdOfAnUpload:
    def test_is_good_for_its_own_path_only(self, ask: Any) -> None:
        upload_id = begin(ask, "0/a")
        for path in ("0/b", "0", "0/a/b"):
            assert shown(ask, upload_id, path).status == 404
            assert put(ask, upload_id, 1, b"x", path).status == 404
            assert complete(ask, upload_id, 0, path).status == 404
            assert ask("DELETE", f"{UPLOADS}/{upload_id}", {"path": path}).status == 404
        assert shown(ask, upload_id, "./0//a").status == 200

    def test_is_good_at_its_own_server_only(self, ask: Any, opened: Callable[..., Any], tmp_path: Path) -> None:
        other = opened(artifact_root=(tmp_path / "other").as_uri())
        upload_id = begin(ask)
        assert shown(other, upload_id).status == 404

    @pytest.mark.parametrize("upload_id", ["0" * 32, "x", "..", "../uploads", "%2e%2e", "0" * 31 + "/"])
    def test_is_one_that_was_given_out(self, ask: Any, upload_id: str) -> None:
        begin(ask)
        assert shown(ask, upload_id).status == 404

    @pytest.mark.parametrize("path", ["../x", "/x", "%2e%2e/x", "", "a/", None])
    def test_is_given_for_good_paths_only(self, ask: Any, state: Path, path: str | None) -> None:
        assert ask("POST", UPLOADS, {"path": path}).status == 400
        assert not state.exists()
