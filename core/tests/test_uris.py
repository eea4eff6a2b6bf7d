"""Locations: what a URI names, and which artifact paths are let through."""

from __future__ import annotations

import os
import posixpath
import string
import sys
from pathlib import Path, PurePosixPath, PureWindowsPath
from urllib.parse import quote, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dovetail import uris
from dovetail.errors import InvalidUri
from dovetail.testing.artifact_corpus import HOSTILE_PATHS, ODD_NAMES

# Any text, with plenty of what paths are attacked with.
MARKS = [
    "..",
    ".",
    "/",
    "\\",
    "%",
    "%2e",
    "%2F",
    "%25",
    "%5c",
    "%00",
    "\0",
    "~",
    "C:",
    "file:",
    "://",
    " ",
    "\n",
    "a",
    "é",
]
attacks = st.lists(st.one_of(st.sampled_from(MARKS), st.text(max_size=3)), max_size=8).map("".join)
segments = st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=20)
absolute = st.lists(segments, min_size=1, max_size=4).map(lambda names: posixpath.normpath("/" + "/".join(names)))
posix_only = pytest.mark.skipif(sys.platform == "win32", reason="paths of POSIX")


class TestSchemeOf:
    @pytest.mark.parametrize(
        ("uri", "scheme"),
        [
            ("s3://bucket/key", "s3"),
            ("S3://bucket", "s3"),
            ("memory:", "memory"),
            ("postgresql+psycopg2://user@host/db", "postgresql"),
            ("git+ssh://host/x", "git"),
            ("/plain/path", "file"),
            ("relative/path", "file"),
            ("./odd:name", "file"),
            ("~/x", "file"),
            ("file:///x", "file"),
            ("C:\\data", "file"),
            ("c:/data", "file"),
        ],
    )
    def test_is_what_stands_before_the_colon(self, uri: str, scheme: str) -> None:
        assert uris.scheme_of(uri) == scheme
        assert uris.is_local(uri) == (scheme == "file")

    @pytest.mark.parametrize("uri", ["", "  ", None, 5, b"s3://x"])
    def test_needs_text(self, uri: str) -> None:
        with pytest.raises(InvalidUri):
            uris.scheme_of(uri)


class TestPathOf:
    @posix_only
    @pytest.mark.parametrize(
        ("uri", "path"),
        [
            ("/a/b", "/a/b"),
            ("/a//b/../c/", "/a/c"),
            ("file:///a/b", "/a/b"),
            ("FILE:///a", "/a"),
            ("file:/a/b", "/a/b"),
            ("file://localhost/a", "/a"),
            ("file://LOCALHOST/a", "/a"),
            ("file:/a b/%C3%A9", "/a b/é"),
            ("file:///a/", "/a"),
            ("file:///with%20space%23%3F%25", "/with space#?%"),
            ("/with%20percent", "/with%20percent"),
        ],
    )
    def test_is_absolute(self, uri: str, path: str) -> None:
        assert uris.path_of(uri) == Path(path)

    def test_starts_where_the_process_is(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("HOME", str(tmp_path / "home"))
        assert uris.path_of("a/b") == tmp_path / "a" / "b"
        assert uris.path_of("~/x") == tmp_path / "home" / "x"

    @pytest.mark.parametrize(
        "uri",
        ["s3://b/x", "file://host/share", "file:///a?b", "file:///a#b", "file://[x/a", "/a\0b", "file:///a%00b"],
    )
    def test_refuses_what_is_not_a_local_path(self, uri: str) -> None:
        with pytest.raises(InvalidUri):
            uris.path_of(uri)

    def test_may_be_relative_in_a_uri_too(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        assert uris.path_of("file:a/b") == tmp_path / "a" / "b"
        assert uris.path_of("file:a%20b/") == tmp_path / "a b"

    @pytest.mark.parametrize(
        "uri",
        ["ftp://me:hunter2@host/x", "file://me:hunter2@host/x", "file://me:hunter2@[x/y", "file:///x?password=hunter2"],
    )
    def test_tells_no_password(self, uri: str) -> None:
        with pytest.raises(InvalidUri) as caught:
            uris.path_of(uri)
        assert "hunter2" not in str(caught.value)

    @posix_only
    @given(absolute)
    def test_undoes_uri_of(self, path: str) -> None:
        assert uris.path_of(uris.uri_of(path)) == Path(path)

    @posix_only
    def test_undoes_uri_of_for_names_that_are_no_text(self) -> None:
        path = os.fsdecode(b"/data/\xff\xfe")
        assert uris.path_of(uris.uri_of(path)) == Path(path)


class TestJoin:
    @pytest.mark.parametrize(
        ("uri", "parts", "joined"),
        [
            ("s3://bucket", ["a", "b/c"], "s3://bucket/a/b/c"),
            ("s3://bucket/x/", ["a"], "s3://bucket/x/a"),
            ("s3://bucket/x?region=eu", ["a"], "s3://bucket/x/a?region=eu"),
            ("s3://bucket", ["", "a", ""], "s3://bucket/a"),
            ("s3://bucket/x", [], "s3://bucket/x"),
            ("s3://bucket", ["a#b?c"], "s3://bucket/a#b?c"),
            ("memory://", ["a"], "memory://a"),
            ("file:///", ["a"], "file:///a"),
            ("file:///x", ["a b#c"], "file:///x/a%20b%23c"),
            ("/", ["a"], "/a"),
            ("data", ["a#b"], "data/a#b"),
        ],
    )
    def test_puts_parts_below(self, uri: str, parts: list[str], joined: str) -> None:
        assert uris.join(uri, *parts) == joined

    @posix_only
    @given(absolute, segments)
    def test_agrees_with_path_of(self, root: str, name: str) -> None:
        assert uris.path_of(uris.join(uris.uri_of(root), name)) == Path(
            posixpath.normpath(f"{root.rstrip('/')}/{name}")
        )


class TestMasked:
    @pytest.mark.parametrize(
        ("text", "shown"),
        [
            ("ftp://me:hunter2@host/x", "ftp://me:***@host/x"),
            ("ftp://me:hunter@2@host/x", "ftp://me:***@host/x"),
            ("postgresql+psycopg2://me:hunter2@host:5432/db", "postgresql+psycopg2://me:***@host:5432/db"),
            ("https://host/x?sig=hunter2&sv=1", "https://host/x?sig=***&sv=1"),
            ("https://host/x?X-Amz-Signature=hunter2#top", "https://host/x?X-Amz-Signature=***#top"),
            ("postgresql://host/db?user=me&password=hunter2", "postgresql://host/db?user=me&password=***"),
            ("no ftp://a:hunter2@b and no ftp://c:hunter2@d", "no ftp://a:***@b and no ftp://c:***@d"),
            ("https://host/x#token=hunter2&top", "https://host/x#token=***&top"),
            ("postgresql:/me:hunter2@host/d", "postgresql:***@host/d"),
            ("models:/wine@champion", "models:/wine@champion"),
            ("postgresql://me:a/hunter2@host/d", "postgresql://me:***@host/d"),
            ("postgresql://me:a hunter2@host/d", "postgresql://me:***@host/d"),
            ("foo:hunter2@host", "foo:***@host"),
            ("memory:me:hunter2@x", "memory:***@x"),
            ("http://[::1]:80/a@b", "http://[::1]:80/a@b"),
            ("models:/wine@best", "models:/wine@best"),
            ("s3://bucket/a:b@c", "s3://bucket/a:b@c"),
            ("http://host:80/a@b", "http://host:80/a@b"),
            ("/plain/path", "/plain/path"),
        ],
    )
    def test_hides_passwords_and_nothing_else(self, text: str, shown: str) -> None:
        assert uris.masked(text) == shown

    @given(st.text(string.ascii_letters + string.digits + "@:!$%&'()*+,;=-._~", min_size=4))
    def test_hides_any_password(self, password: str) -> None:
        assert uris.masked(f"s3://key:{password}@host/x") == "s3://key:***@host/x"


class TestSplitFragment:
    def test_takes_a_uri_apart(self) -> None:
        assert uris.split_fragment("https://host/x.git#sub/folder") == ("https://host/x.git", "sub/folder")
        assert uris.split_fragment("https://host/x.git") == ("https://host/x.git", "")


class TestArtifactPath:
    @pytest.mark.parametrize(
        ("given", "path"),
        [
            (None, ""), ("", ""), (".", ""), ("./", ""), ("./.", ""), ("a", "a"), ("a/", "a"), ("./a//b/.", "a/b"),
            (PurePosixPath("a/b"), "a/b"), (PureWindowsPath("a\\b"), "a/b"), ("a..b/.c", "a..b/.c"),
        ],
    )  # fmt: skip
    def test_has_one_form(self, given: str | os.PathLike[str] | None, path: str) -> None:
        assert uris.artifact_path(given) == path

    @pytest.mark.parametrize("name", ODD_NAMES)
    def test_lets_names_through_as_they_are(self, name: str) -> None:
        assert uris.artifact_path(name) == name

    @pytest.mark.parametrize("path", HOSTILE_PATHS, ids=lambda path: ascii(path[:40]))
    def test_refuses_what_leads_outside(self, path: str) -> None:
        with pytest.raises(InvalidUri):
            uris.artifact_path(path)

    @pytest.mark.parametrize("path", [5, b"a", ["a"], Path], ids=repr)
    def test_refuses_what_is_no_path(self, path: str) -> None:
        with pytest.raises(InvalidUri):
            uris.artifact_path(path)

    def test_names_what_was_wrong(self) -> None:
        with pytest.raises(InvalidUri, match=r"The model file '\.\./x' is not allowed"):
            uris.artifact_path("../x", "model file")

    def test_does_not_decode_for_ever(self) -> None:
        with pytest.raises(InvalidUri):
            uris.artifact_path("a%" + "25" * 2000)

    @given(attacks)
    def test_what_is_let_through_stays_below_however_often_it_is_decoded(self, text: str) -> None:
        try:
            path = uris.artifact_path(text)
        except InvalidUri:
            return
        for _ in range(10):
            for spelled in (path, path.replace("\\", "/")):
                assert posixpath.normpath(f"/root/{spelled}").startswith("/root")
                assert not spelled.startswith(("/", "~"))
                assert "\0" not in spelled
                assert ".." not in spelled.split("/")
            path = unquote(path)

    @given(attacks)
    def test_is_the_same_the_second_time(self, text: str) -> None:
        try:
            path = uris.artifact_path(text)
        except InvalidUri:
            return
        assert uris.artifact_path(path) == path

    @given(st.sampled_from(HOSTILE_PATHS), st.integers(0, 6))
    def test_encoding_makes_nothing_hostile_harmless(self, path: str, times: int) -> None:
        encoded = path
        for _ in range(times):
            encoded = quote(encoded, safe="", errors="surrogatepass")
        if not path.isascii() or "\ud800" in path or len(path) > 4096:
            return
        with pytest.raises(InvalidUri):
            uris.artifact_path(encoded)


@pytest.mark.timeout(30)  # reading such a text anew from each separator takes minutes
@pytest.mark.parametrize(
    "text", ["?key" * 20_000, "?" * 50_000, "&a" * 50_000, "x://a:b" * 20_000, "?" + "key" * 20_000, "#key" * 20_000]
)
def test_long_texts_are_masked_in_one_go(text: str) -> None:
    assert len(uris.masked(text)) == len(text)


def test_a_secret_behind_another_question_mark_is_masked() -> None:
    assert uris.masked("s3://b?a=b?token=x?y&c=d") == "s3://b?a=b?token=***&c=d"
