"""Artifacts that go through the server, by their paths."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pytest

from dovetail.testing.artifact_corpus import HOSTILE_PATHS, ODD_NAMES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PROXY = "/api/2.0/mlflow-artifacts/artifacts"
PAGES = "/ajax-api/2.0/mlflow-artifacts/artifacts"
HOSTILE = [path for path in HOSTILE_PATHS if "\ud800" not in path]  # half a character comes over no wire


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Where the artifacts lie."""
    return tmp_path / "kept"


@pytest.fixture
def ask(opened: Callable[..., Any], root: Path) -> Any:
    """Requests to a server that keeps artifacts there."""
    return opened(artifact_root=root.as_uri())


def put(ask: Any, path: str, content: bytes = b"x", **headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return ask("PUT", f"{PROXY}/{path}", content, headers={"content-type": "application/octet-stream", **named})


def get(ask: Any, path: str, verb: str = "GET", **headers: str) -> Any:
    return ask(verb, f"{PROXY}/{path}", headers={name.replace("_", "-"): value for name, value in headers.items()})


def everything(root: Path) -> list[str]:
    """What is really on disk, hidden or not."""
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


def code(answered: Any) -> tuple[int, str]:
    return answered.status, answered.data["error_code"]


class TestAFile:
    def test_comes_back_as_it_was_put(self, ask: Any, root: Path) -> None:
        assert put(ask, "0/run/model.bin", b"\r\n\x00\xff" * 1000).status == 200
        assert get(ask, "0/run/model.bin").body == b"\r\n\x00\xff" * 1000
        assert everything(root) == ["0/run/model.bin"]

    @pytest.mark.parametrize("content", [b"", bytes(3 << 20)], ids=["empty", "of several blocks"])
    def test_may_have_any_size(self, ask: Any, content: bytes, root: Path) -> None:
        assert put(ask, "a", content).data == {}
        assert (root / "a").read_bytes() == content
        assert get(ask, "a").headers["content-length"] == str(len(content))

    def test_is_reached_by_the_pages_of_a_browser_as_well(self, ask: Any) -> None:
        put(ask, "a/b.txt", b"x")
        assert ask("GET", f"{PAGES}/a/b.txt").body == b"x"
        assert ask("GET", PAGES, query={"path": "a"}).data == {
            "files": [{"path": "b.txt", "is_dir": False, "file_size": 1}]
        }

    def test_is_replaced_as_a_whole(self, ask: Any, root: Path) -> None:
        put(ask, "a", b"a long first version")
        put(ask, "a", b"short")
        assert get(ask, "a").body == b"short"
        assert everything(root) == ["a"]

    def test_that_is_not_there_is_not_found(self, ask: Any) -> None:
        put(ask, "a/b", b"x")
        for path in ("missing", "a/missing", "a/b/below"):
            assert code(get(ask, path)) == (404, "RESOURCE_DOES_NOT_EXIST")

    def test_is_no_folder(self, ask: Any) -> None:
        put(ask, "a/b", b"x")
        for path in ("a", "", "a/"):
            assert code(get(ask, path)) == (400, "INVALID_PARAMETER_VALUE")
        for path in ("a", "", "a/", "c/", "."):
            assert code(put(ask, path, b"y")) == (400, "INVALID_PARAMETER_VALUE")
        assert get(ask, "a/b").body == b"x"

    def test_is_deleted_alone_or_with_its_folder(self, ask: Any, root: Path) -> None:
        for path in ("a/b", "a/c/d", "a/c/e", "z"):
            put(ask, path)
        assert ask("DELETE", f"{PROXY}/a/b").data == {}
        assert everything(root) == ["a/c/d", "a/c/e", "z"]
        assert ask("DELETE", f"{PROXY}/a").data == {}
        assert everything(root) == ["z"]

    def test_that_is_gone_already_counts_as_deleted(self, ask: Any) -> None:
        """As with MLflow, whose clients clean up without looking."""
        assert ask("DELETE", f"{PROXY}/missing").status == 200

    def test_is_not_deleted_with_all_others_at_once(self, ask: Any, root: Path) -> None:
        put(ask, "a")
        for path in ("", ".", "./"):
            assert code(ask("DELETE", f"{PROXY}/{path}")) == (400, "INVALID_PARAMETER_VALUE")
        assert everything(root) == ["a"]

    @pytest.mark.parametrize("name", ODD_NAMES)
    def test_may_have_a_strange_name(self, ask: Any, name: str) -> None:
        assert put(ask, f"a/{name}", b"x").status == 200
        answered = get(ask, f"a/{name}")
        assert answered.body == b"x"
        disposition = answered.headers["content-disposition"]
        assert disposition.isascii()
        assert disposition.isprintable()
        kind, plain, encoded = disposition.split("; ")
        assert kind == "attachment"
        assert plain.count('"') == 2
        assert unquote(encoded.removeprefix("filename*=UTF-8''")) == name.rpartition("/")[2]


class TestAFolder:
    def test_lists_its_direct_children_by_name(self, ask: Any) -> None:
        for path, content in {"m/MLmodel": b"12", "m/data/w.bin": b"123", "m/empty": b""}.items():
            put(ask, path, content)
        assert ask("GET", PROXY).data == {"files": [{"path": "m", "is_dir": True}]}
        assert ask("GET", PROXY, query={"path": "m"}).data == {
            "files": [
                {"path": "MLmodel", "is_dir": False, "file_size": 2},
                {"path": "data", "is_dir": True},
                {"path": "empty", "is_dir": False},
            ]
        }

    def test_that_is_a_file_or_missing_lists_nothing(self, ask: Any) -> None:
        put(ask, "a/b")
        for path in ("a/b", "missing", "missing/deeper"):
            assert ask("GET", PROXY, query={"path": path}).data == {}

    def test_is_not_shown_with_unfinished_files(self, ask: Any, root: Path) -> None:
        put(ask, "a/b")
        (root / "a" / f".dovetail-{'0' * 32}.part").write_bytes(b"half")
        assert [each["path"] for each in ask("GET", PROXY, query={"path": "a"}).data["files"]] == ["b"]


class TestAPathThatLeadsElsewhere:
    @pytest.mark.parametrize("path", HOSTILE, ids=lambda path: ascii(path[:40]))
    def test_is_refused_by_every_verb(self, ask: Any, root: Path, path: str) -> None:
        put(ask, "a/kept", b"x")
        (root.parent / "secret").write_text("secret")
        attempts = [ask(verb, f"{PROXY}/{path}", b"y" if verb == "PUT" else None) for verb in ("GET", "PUT", "DELETE")]
        if path.isprintable() and path.isascii():  # what a query can hold
            attempts += [
                ask("GET", PROXY, query={"path": path}),
                ask("POST", f"/api/2.0/mlflow-artifacts/mpu/create/{path}", {"path": "a", "num_parts": 2}),
                ask("POST", "/api/2.0/mlflow-artifacts/mpu/create/a", {"path": path, "num_parts": 2}),
                ask("GET", f"/api/2.0/mlflow-artifacts/presigned/{path}"),
            ]
        for each in attempts:
            assert code(each) == (400, "INVALID_PARAMETER_VALUE")
            assert "Invalid path" in each.data["message"]
        assert everything(root) == ["a/kept"]

    def test_is_not_followed_through_a_link(self, ask: Any, root: Path, tmp_path: Path) -> None:
        (tmp_path / "secret").mkdir()
        (tmp_path / "secret" / "file").write_text("secret")
        root.mkdir()
        (root / "link").symlink_to(tmp_path / "secret")
        (root / "file").symlink_to(tmp_path / "secret" / "file")
        attempts = [get(ask, "link/file"), get(ask, "file"), put(ask, "link/new"), put(ask, "link/file")]
        attempts.append(ask("DELETE", f"{PROXY}/link/file"))
        assert {each.status for each in attempts} == {400}
        assert not any(each.body == b"secret" for each in attempts)
        assert ask("GET", PROXY).data == {}
        assert (tmp_path / "secret" / "file").read_text() == "secret"
        assert not (tmp_path / "secret" / "new").exists()


class TestADownload:
    @pytest.mark.parametrize(
        ("wanted", "part", "where"),
        [
            ("bytes=2-4", b"234", "2-4"),
            ("bytes=0-0", b"0", "0-0"),
            ("bytes=7-", b"789", "7-9"),
            ("bytes=-3", b"789", "7-9"),
            ("bytes=-99", b"0123456789", "0-9"),
            ("bytes=5-99", b"56789", "5-9"),
            (" Bytes = 2 - 4 ", b"234", "2-4"),
        ],
    )
    def test_of_a_part_sends_that_part(self, ask: Any, wanted: str, part: bytes, where: str) -> None:
        put(ask, "a", b"0123456789")
        answered = get(ask, "a", range=wanted)
        assert (answered.status, answered.body) == (206, part)
        assert answered.headers["content-range"] == f"bytes {where}/10"
        assert answered.headers["content-length"] == str(len(part))

    @pytest.mark.parametrize(
        "wanted",
        ["", "bytes", "bytes=", "bytes=-", "bytes=4-2", "bytes=0-1,3-4", "lines=1-2", "bytes=x-2", "bytes=--1"],
    )
    def test_of_what_is_no_single_part_sends_everything(self, ask: Any, wanted: str) -> None:
        put(ask, "a", b"0123456789")
        answered = get(ask, "a", range=wanted)
        assert (answered.status, answered.body) == (200, b"0123456789")
        assert "content-range" not in answered.headers

    @pytest.mark.parametrize("wanted", ["bytes=10-", "bytes=10-20", "bytes=-0", "bytes=999999999999999999-"])
    def test_of_a_part_behind_the_end_is_refused(self, ask: Any, wanted: str) -> None:
        put(ask, "a", b"0123456789")
        answered = get(ask, "a", range=wanted)
        assert code(answered) == (416, "INVALID_PARAMETER_VALUE")
        assert answered.headers["content-range"] == "bytes */10"

    def test_of_a_file_that_was_replaced_begins_anew(self, ask: Any) -> None:
        put(ask, "a", b"0123456789")
        known = get(ask, "a").headers["etag"]
        assert get(ask, "a", range="bytes=5-", if_range=known).status == 206
        put(ask, "a", b"ABCDEFGHIJ")
        answered = get(ask, "a", range="bytes=5-", if_range=known)
        assert (answered.status, answered.body) == (200, b"ABCDEFGHIJ")
        assert answered.headers["etag"] != known

    def test_of_a_file_that_is_known_already_sends_nothing(self, ask: Any) -> None:
        put(ask, "a", b"0123456789")
        known = get(ask, "a").headers["etag"]
        assert (get(ask, "a", if_none_match=known).status, get(ask, "a", if_none_match=known).body) == (304, b"")
        assert get(ask, "a", if_none_match='"other"').status == 200

    def test_asked_for_by_head_is_only_described(self, ask: Any) -> None:
        put(ask, "a.txt", bytes(3 << 20))
        answered = get(ask, "a.txt", "HEAD", range="bytes=0-1")
        assert (answered.status, answered.body) == (200, b"")
        assert answered.headers["content-length"] == str(3 << 20)
        assert answered.headers["accept-ranges"] == "bytes"

    @pytest.mark.parametrize("name", ["page.html", "image.svg", "data.xml", "script.js", "page.xhtml", "PAGE.HTML"])
    def test_is_nothing_that_a_browser_would_carry_out(self, ask: Any, name: str) -> None:
        put(ask, name, b"<script>alert(1)</script>")
        headers = get(ask, name).headers
        assert headers["content-type"] == "text/plain"
        assert headers["content-disposition"].startswith("attachment; ")
        assert headers["content-security-policy"] == "sandbox; default-src 'none'"
        assert headers["x-content-type-options"] == "nosniff"

    @pytest.mark.parametrize(
        ("name", "kind"),
        [
            ("a.png", "image/png"),
            ("a.json", "application/json"),
            ("a.csv", "text/csv"),
            ("MLmodel", "text/plain"),
            ("conda.yaml", "text/plain"),
            ("a.tar.gz", "application/octet-stream"),
            ("a.unknown", "application/octet-stream"),
        ],
    )
    def test_has_the_type_that_its_name_says(self, ask: Any, name: str, kind: str) -> None:
        put(ask, name)
        assert get(ask, name).headers["content-type"] == kind

    def test_works_where_files_are_not_of_this_machine(self, opened: Callable[..., Any]) -> None:
        """In memory they have no place on disk, and therefore no ETag."""
        ask = opened(artifact_root="memory://served")
        put(ask, "a/b.txt", b"0123456789")
        answered = get(ask, "a/b.txt")
        assert (answered.status, answered.body) == (200, b"0123456789")
        assert "etag" not in answered.headers
        assert get(ask, "a/b.txt", range="bytes=-2").body == b"89"
        ask("DELETE", f"{PROXY}/a")


class TestAnUploadWithADigest:
    CONTENT = b"0123456789" * 300_000

    @staticmethod
    def digest(name: str, content: bytes) -> str:
        return base64.b64encode(hashlib.new(name, content).digest()).decode()

    @pytest.mark.parametrize("size", [10, 3_000_000], ids=["small", "large"])
    @pytest.mark.parametrize(
        ("header", "form", "name"),
        [
            ("content-md5", "{}", "md5"),
            ("digest", "SHA-256={}", "sha256"),
            ("digest", "md5={}", "md5"),
            ("digest", "unixsum=1, sha-512={}", "sha512"),
            ("repr-digest", "sha-256=:{}:", "sha256"),
            ("content-digest", "sha-512=:{}:;x=1, sha-999=:AA==:", "sha512"),
        ],
    )
    def test_is_kept_only_if_that_is_right(
        self, ask: Any, root: Path, size: int, header: str, form: str, name: str
    ) -> None:
        content = self.CONTENT[:size]
        right, wrong = self.digest(name, content), self.digest(name, content + b"!")
        refused = put(ask, "new/a", content, **{header.replace("-", "_"): form.format(wrong)})
        assert code(refused) == (400, "INVALID_PARAMETER_VALUE")
        assert "digest" in refused.data["message"]
        assert not root.exists() or list(root.iterdir()) == []
        assert put(ask, "new/a", content, **{header.replace("-", "_"): form.format(right)}).status == 200
        assert get(ask, "new/a", range="bytes=0-9").body == content[:10]

    def test_that_is_wrong_leaves_the_former_file(self, ask: Any, root: Path) -> None:
        put(ask, "a", b"former")
        assert put(ask, "a", b"new", content_md5=self.digest("md5", b"old")).status == 400
        assert get(ask, "a").body == b"former"
        assert everything(root) == ["a"]

    @pytest.mark.parametrize(
        ("header", "value"),
        [
            ("content-md5", "no base64"),
            ("content-md5", "AAAA"),
            ("digest", "sha-256="),
            ("repr-digest", "sha-256=AAAA"),
        ],
    )
    def test_that_nobody_can_read_is_refused(self, ask: Any, root: Path, header: str, value: str) -> None:
        assert put(ask, "a", b"x", **{header.replace("-", "_"): value}).status == 400
        assert not root.exists()

    def test_of_a_part_of_a_file_is_refused(self, ask: Any) -> None:
        """HTTP's own way to send a part would put it in the place of the whole."""
        put(ask, "a", b"0123456789")
        assert put(ask, "a", b"x", content_range="bytes 0-0/10").status == 400
        assert get(ask, "a").body == b"0123456789"

    def test_of_another_length_than_it_says_is_refused(self, ask: Any, root: Path) -> None:
        for said, size in ((11, 10), (9, 10), (3 << 20, 2 << 20)):
            assert put(ask, "a", bytes(size), content_length=str(said)).status == 400
        assert not root.exists() or list(root.iterdir()) == []


class TestWhatIsNotOffered:
    @pytest.mark.parametrize(
        ("verb", "path", "body"),
        [
            ("POST", "mpu/create/0/model", {"path": "x", "num_parts": 2}),
            ("POST", "mpu/complete/0/model", {"path": "x", "upload_id": "y", "parts": [{"part_number": 1}]}),
            ("POST", "mpu/abort/0/model", {"path": "x", "upload_id": "y"}),
            ("GET", "presigned/0/model", None),
        ],
    )
    def test_is_said_so_that_clients_take_another_way(self, ask: Any, verb: str, path: str, body: Any) -> None:
        for base in ("/api/2.0/mlflow-artifacts", "/ajax-api/2.0/mlflow-artifacts"):
            answer = ask(verb, f"{base}/{path}", body)
            assert code(answer) == (501, "NOT_IMPLEMENTED")
            assert "ArtifactStore" not in answer.data["message"], "no word of the code's own"

    @pytest.mark.parametrize(
        ("verb", "path"),
        [
            ("GET", PROXY),
            ("GET", f"{PROXY}/a"),
            ("PUT", f"{PROXY}/a"),
            ("DELETE", f"{PROXY}/a"),
            ("POST", "/api/2.0/mlflow-artifacts/mpu/create/a"),
            ("GET", "/api/2.0/mlflow-artifacts/presigned/a"),
            ("POST", "/api/dovetail/1/uploads"),
        ],
    )
    def test_is_everything_without_artifacts(
        self, opened: Callable[..., Any], root: Path, verb: str, path: str
    ) -> None:
        ask = opened(artifact_root=root.as_uri(), serves_artifacts=False)
        answered = ask(verb, path, {"path": "a"} if verb in ("PUT", "POST") else None)
        assert answered.status == 501
        assert "--no-serve-artifacts" in answered.data["message"]
        assert not root.exists()

    def test_is_tracking_where_only_artifacts_are_served(self, opened: Callable[..., Any], root: Path) -> None:
        ask = opened(artifact_root=root.as_uri(), only_artifacts=True)
        assert put(ask, "a", b"x").status == 200
        assert get(ask, "a").body == b"x"
        answered = ask("GET", "artifacts/list", query={"run_id": "0" * 32})
        assert answered.status == 501
        assert "--artifacts-only" in answered.data["message"]
