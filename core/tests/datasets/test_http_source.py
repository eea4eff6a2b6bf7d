"""Data behind web addresses, fetched from a real server on this machine."""

from __future__ import annotations

import base64
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from dovetail.data.http_dataset_source import HTTPDatasetSource
from dovetail.errors import InvalidInput, NotFound, StoreError, StoreUnavailable

if TYPE_CHECKING:
    from core.tests.datasets.conftest import Web

CSV = b"a,b\n1,2\n"


class TestLoading:
    def test_gives_the_file(self, web: Web, tmp_path: Path) -> None:
        web.page("/data/train.csv?version=1")
        source = HTTPDatasetSource(f"{web.url}/data/train.csv?version=1#top")
        assert web.asked == []
        loaded = Path(source.load(tmp_path / "new"))
        assert loaded == tmp_path / "new" / "train.csv"
        assert loaded.read_bytes() == CSV
        assert list(loaded.parent.iterdir()) == [loaded]

    def test_without_a_folder_makes_one_for_this_user(self, web: Web) -> None:
        web.page("/train.csv")
        loaded = Path(HTTPDatasetSource(f"{web.url}/train.csv").load())
        assert loaded.read_bytes() == CSV
        if sys.platform != "win32":
            assert stat.S_IMODE(loaded.parent.stat().st_mode) == 0o700
        loaded.unlink()
        loaded.parent.rmdir()

    @pytest.mark.parametrize(
        ("path", "said", "name"),
        [
            ("/", None, "dataset_source"), ("/folder/", None, "dataset_source"), ("/a/b.csv", None, "b.csv"),
            ("/..", None, "dataset_source"), ("/%2e%2e%2fx", None, "dataset_source"), ("/a%20b.csv", None, "a%20b.csv"),
            (f"/{'x' * 300}", None, "dataset_source"), ("/get?id=1", "wine.csv", "wine.csv"),
        ],
    )  # fmt: skip
    def test_names_the_file(self, web: Web, tmp_path: Path, path: str, said: str | None, name: str) -> None:
        web.page(path, headers={} if said is None else {"Content-Disposition": f'attachment; filename="{said}"'})
        assert Path(HTTPDatasetSource(web.url + path).load(tmp_path)) == tmp_path / name

    @pytest.mark.parametrize("said", ["../up", "/etc/x", "..", "a/b", "..\\up", "C:evil", "%2e%2e%2fup", "", "x" * 300])
    def test_refuses_names_that_lead_elsewhere(self, web: Web, tmp_path: Path, said: str) -> None:
        web.page("/x", headers={"Content-Disposition": f'attachment; filename="{said}"'})
        place = tmp_path / "deep" / "place"
        place.mkdir(parents=True)
        with pytest.raises(InvalidInput, match="no name of a file"):
            HTTPDatasetSource(f"{web.url}/x").load(place)
        assert [each for each in tmp_path.rglob("*") if each.is_file()] == []

    def test_follows_the_server_within_the_web(self, web: Web, tmp_path: Path) -> None:
        web.page("/old.csv", status=302, headers={"Location": f"{web.url}/new.csv"})
        web.page("/new.csv")
        assert Path(HTTPDatasetSource(f"{web.url}/old.csv").load(tmp_path)).read_bytes() == CSV

    @pytest.mark.parametrize("place", ["file:///etc/passwd", "ftp://host/x", "http://", "gopher://x"])
    def test_follows_the_server_nowhere_else(self, web: Web, tmp_path: Path, place: str) -> None:
        web.page("/x", status=302, headers={"Location": place})
        with pytest.raises((InvalidInput, StoreError)):
            HTTPDatasetSource(f"{web.url}/x").load(tmp_path)
        assert list(tmp_path.iterdir()) == []

    def test_logs_in_and_tells_nobody_else(self, web: Web, tmp_path: Path) -> None:
        web.page("/old.csv", status=302, headers={"Location": f"{web.url}/new.csv"})
        web.page("/new.csv")
        HTTPDatasetSource(f"http://user:se%20cret@{web.host}/old.csv").load(tmp_path)
        (_, first), (_, second) = web.asked
        assert first["Authorization"] == f"Basic {base64.b64encode(b'user:se cret').decode()}"
        assert "Authorization" not in second

    def test_replaces_an_older_file(self, web: Web, tmp_path: Path) -> None:
        (tmp_path / "x").write_text("older", encoding="utf-8")
        web.page("/x")
        assert Path(HTTPDatasetSource(f"{web.url}/x").load(tmp_path)).read_bytes() == CSV


class TestTrouble:
    @pytest.mark.parametrize(
        ("status", "error"), [(404, NotFound), (410, NotFound), (403, StoreError), (500, StoreError)]
    )
    def test_the_servers_answer_is_told(self, web: Web, tmp_path: Path, status: int, error: type[Exception]) -> None:
        web.page("/x", status=status)
        with pytest.raises(error, match=str(status)) as caught:
            HTTPDatasetSource(f"http://user:secret@{web.host}/x").load(tmp_path)
        assert "secret" not in str(caught.value)
        assert list(tmp_path.iterdir()) == []

    def test_a_connection_that_breaks_off_leaves_nothing(self, web: Web, tmp_path: Path) -> None:
        web.page("/x", headers={"Content-Length": "1000", "Connection": "close"})
        (tmp_path / "x").write_text("older", encoding="utf-8")
        with pytest.raises(StoreUnavailable, match="8 of 1000 bytes"):
            HTTPDatasetSource(f"{web.url}/x").load(tmp_path)
        assert [each.read_text(encoding="utf-8") for each in tmp_path.iterdir()] == ["older"]

    def test_a_server_that_is_away_is_unavailable(self, web: Web, tmp_path: Path) -> None:
        url = f"{web.url}/x"
        web.server.server_close()
        web.server.shutdown()
        with pytest.raises(StoreUnavailable, match="cannot be reached"):
            HTTPDatasetSource(url).load(tmp_path)

    def test_a_folder_that_is_a_file_is_an_error(self, web: Web, tmp_path: Path) -> None:
        web.page("/x")
        (tmp_path / "taken").write_text("", encoding="utf-8")
        with pytest.raises(StoreError, match="choose another folder"):
            HTTPDatasetSource(f"{web.url}/x").load(tmp_path / "taken")

    @pytest.mark.parametrize(
        "url",
        [
            "", "x", "file:///etc/passwd", "http://", "https:///x", "ftp://host/x", "http://host:port/x", "//host/x",
            "http://[::1/x", "http://host/a b", "http://host/\r\nX: y", "http://host:0/", "http://host:99999/", None, 5,
        ],
    )  # fmt: skip
    def test_what_is_no_web_address_is_refused(self, url: Any) -> None:
        with pytest.raises(InvalidInput, match="no web address"):
            HTTPDatasetSource(url)
