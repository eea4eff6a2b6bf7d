"""Paths and names that artifact stores are tested with, and the few steps that tests of them share."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dovetail.artifacts.store import ArtifactStore

__all__ = ["HOSTILE_PATHS", "ODD_NAMES", "files", "fill", "names", "read"]

HOSTILE_PATHS = (
    "..", "../secret", "a/../../secret", "a/..", "./..", "a/./../..", ".. /secret", "a/..../x",
    "/etc/passwd", "//host/share", "/", "~", "~root/x",
    "C:/secret", "c:secret", "C:\\secret", "\\secret", "..\\secret", "a\\..\\..\\secret",
    "%2e%2e/secret", "%2E%2E%2Fsecret", "..%2fsecret", "a/%2e%2e/%2e%2e/secret", "%2fetc%2fpasswd",
    "%252e%252e%252fsecret", "%25252e%25252e/secret", "..%5csecret", "%255c..%255csecret", "C%3a%2fsecret", "%7eroot",
    "a\0b", "a%00b", "a%2500b", "a\nb", "a%0d%0ab",
    "file:///etc/passwd", "file:/etc/passwd", "http://host/x", "s3://bucket/key", "file%3a%2f%2f%2fetc",
    "a/\ud800", "x" * 5000, "%" + "25" * 20 + "2e%2e/secret",
)  # fmt: skip

ODD_NAMES = (
    "with space.txt", " leading", "trailing ", "päth/ünïcode.bin", "日本/図.png", "🙂", "e\u0301", "\u00e9",
    "a#b", "a?b", "a?versions", "a%b", "100%", "%41", "a%20b", "a+b", "a&b=c;d", "a'b\"c", "$HOME", "`x`", "a*b",
    "[ab].txt", "{x}", "a,b", "a@b", "a!b", "a(b)", "-rf", ".hidden", "...x", "a..b", "folder/.hidden/x",
    "a/b:c", "x" * 200, "1",
)  # fmt: skip


def fill(store: ArtifactStore, contents: dict[str, bytes]) -> None:
    """Put files with these contents."""
    for path, content in contents.items():
        store.put(path, io.BytesIO(content))


def read(store: ArtifactStore, path: str) -> bytes:
    """The content of a file."""
    with store.open(path) as stream:
        return stream.read()


def names(store: ArtifactStore, path: str = "") -> list[str]:
    """The paths of a folder's children, in the order given."""
    return [info.path for info in store.list(path)]


def files(store: ArtifactStore, path: str = "") -> list[str]:
    """The paths of all files in a folder and below it, sorted."""
    found = list(store.list(path))
    deeper = [name for info in found if info.is_dir for name in files(store, info.path)]
    return sorted([info.path for info in found if not info.is_dir] + deeper)
