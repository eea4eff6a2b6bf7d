"""Servers of launches: they start when somebody connects, let in who has the token, and end by themselves."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from dovetail_server.launching import dovetail_serve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dovetail.projects.served import Served

pytestmark = pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="processes are looked for in /proc")


def processes(served: Served) -> list[list[str]]:
    """The command lines of the processes that have the server's port in their hands."""
    port = int(served.url.rpartition(":")[2])
    inode = next(
        (
            line.split()[9]
            for line in Path("/proc/net/tcp").read_text().splitlines()[1:]
            if int(line.split()[1][9:], 16) == port and line.split()[3] == "0A"
        ),
        None,
    )
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            links = [str(each.readlink()) for each in (folder / "fd").iterdir()]
            argv = (folder / "cmdline").read_text().split("\0")[:-1]
        except OSError:
            continue
        if inode is not None and f"socket:[{inode}]" in links:
            found.append(argv)
    return found


def until(condition: Callable[[], Any], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.05)


def get(served: Served, path: str, token: str | None) -> Any:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    request = urllib.request.Request(served.url + path, headers={**headers, "Connection": "close"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.loads(answer.read())


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    uri = f"sqlite:///{tmp_path}/launch.db"
    found = dovetail_serve(uri, uri)
    assert found is not None
    yield found
    with suppress(OSError):  # the test has let go of it
        os.close(*found.keep)
    until(lambda: not processes(found))


class TestALaunch:
    def test_has_a_stand_by_that_becomes_a_server_when_somebody_connects(self, served: Served) -> None:
        (argv,) = processes(served)
        assert any(each.endswith("standby.py") for each in argv)
        experiment = get(served, "/api/2.0/mlflow/experiments/get?experiment_id=0", served.token)
        assert experiment["experiment"]["name"] == "Default"
        (argv,) = processes(served)
        assert "dovetail_server.loopback" in argv

    def test_tells_no_process_list_its_token(self, served: Served) -> None:
        (argv,) = processes(served)
        assert served.token not in " ".join(argv)
        assert served.token not in repr(served)

    @pytest.mark.parametrize("token", [None, "wrong", ""])
    def test_lets_nobody_in_without_the_token(self, served: Served, token: str | None) -> None:
        with pytest.raises(urllib.error.HTTPError) as told:
            get(served, "/api/2.0/mlflow/experiments/get?experiment_id=0", token)
        with told.value as answer:
            assert answer.code == 401

    @pytest.mark.parametrize("connects", [False, True])
    def test_ends_when_nobody_holds_on_to_it_any_more(self, served: Served, connects: bool) -> None:
        if connects:
            get(served, "/api/2.0/mlflow/experiments/get?experiment_id=0", served.token)
        with served:
            assert processes(served)
        until(lambda: not processes(served))

    def test_lasts_as_long_as_what_was_launched(self, served: Served) -> None:
        """Whoever launched it may be killed."""
        with subprocess.Popen(
            [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, pass_fds=served.keep
        ) as launched:
            with served:
                pass
            time.sleep(0.3)
            assert get(served, "/api/2.0/mlflow/experiments/get?experiment_id=0", served.token)
            launched.communicate(b"\n")
        until(lambda: not processes(served))
