"""What tests of datasets ask for: a web server that gives what it is told to, a Spark session, tables of Delta.

``DOVETAIL_TEST_FRAMES=required`` makes a test fail that would be skipped for want of a library.
"""

from __future__ import annotations

import os
import shutil
import sys
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass
class Page:
    """What the server answers at one path."""

    content: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


class Web:
    """The server: pages by path, and what it was asked."""

    def __init__(self) -> None:
        self.pages: dict[str, Page] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []
        web = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                web.asked.append((self.path, dict(self.headers)))
                page = web.pages.get(self.path, Page(status=404))
                self.send_response(page.status)
                for name, value in {"Content-Length": str(len(page.content)), **page.headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(page.content)

            def log_message(self, *words: object) -> None:
                del words

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self.server.server_port}"
        self.url = f"http://{self.host}"

    def page(
        self, path: str, content: bytes = b"a,b\n1,2\n", status: int = 200, headers: dict[str, str] | None = None
    ) -> None:
        """Answer so from now on."""
        self.pages[path] = Page(content, status, headers or {})


@pytest.fixture
def web() -> Iterator[Web]:
    web = Web()
    thread = threading.Thread(target=web.server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield web
    web.server.shutdown()
    web.server.server_close()
    thread.join()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Any:
    report = yield
    if report.skipped and os.environ.get("DOVETAIL_TEST_FRAMES") == "required":
        report.outcome, report.longrepr = "failed", f"{item.nodeid} was skipped: {report.longrepr}"
    return report


@pytest.fixture(scope="session")
def spark_of_all_tests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    sql = pytest.importorskip("pyspark.sql")
    if not (os.environ.get("JAVA_HOME") or shutil.which("java")):
        pytest.skip("Spark needs Java")
    settings = {
        "spark.ui.enabled": "false",
        "spark.driver.host": "127.0.0.1",
        "spark.sql.shuffle.partitions": "2",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.warehouse.dir": str(tmp_path_factory.mktemp("warehouse")),
        "spark.log.level": "OFF",
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYSPARK_PYTHON", sys.executable)  # else data sources in Python run in another one
        session = sql.SparkSession.builder.master("local[2]").config(map=settings).getOrCreate()
        yield session
        session.stop()


@pytest.fixture
def spark(spark_of_all_tests: Any) -> Any:
    """The session of this process."""
    return spark_of_all_tests


@pytest.fixture
def no_spark(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a process that cannot import pyspark, and so has no session."""
    for name in ("pyspark", "pyspark.sql"):
        monkeypatch.setitem(sys.modules, name, None)


@pytest.fixture
def delta(tmp_path: Path) -> Path:
    """A table of Delta with two versions: rows 1 and 2, then also 3."""
    deltalake, pd = pytest.importorskip("deltalake"), pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    folder = tmp_path / "houses"
    deltalake.write_deltalake(str(folder), pd.DataFrame({"size": [1, 2], "name": ["a", "b"]}))
    deltalake.write_deltalake(str(folder), pd.DataFrame({"size": [3], "name": ["c"]}), mode="append")
    return folder
