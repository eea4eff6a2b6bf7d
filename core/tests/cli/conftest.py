"""The command line in this process, over a store of the test's own."""

from __future__ import annotations

import os
import pty
import select
import signal
import struct
import subprocess
import sys
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from dovetail import hookimpl, plugins
from dovetail.cli.main import main
from dovetail.testing.memory import MemoryTrackingStore
from dovetail.testing.memory_artifacts import MemoryArtifactStore
from dovetail.tracking import places

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


class Drawer:
    """A plugin with a tracking and an artifact store in memory, under a key nobody else has."""

    def __init__(self) -> None:
        self.artifacts: dict[str, MemoryArtifactStore] = {}

    @hookimpl
    def dovetail_tracking_stores(self) -> Any:
        return {"drawer": lambda uri: MemoryTrackingStore(uri, artifact_root="drawer://artifacts")}

    @hookimpl
    def dovetail_artifact_stores(self) -> Any:
        return {"drawer": lambda uri: self.artifacts.setdefault(uri, MemoryArtifactStore(uri))}


DRAWER = Drawer()


@dataclass(frozen=True)
class Outcome:
    exit_code: int
    out: str
    err: str


@pytest.fixture
def drawer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An empty tracking store."""
    plugins.register(DRAWER, "tracking_stores", "drawer")
    plugins.register(DRAWER, "artifact_stores", "drawer")
    for name in [name for name in os.environ if name.startswith(("DOVETAIL_", "MLFLOW_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("DOVETAIL_TRACKING_URI", f"drawer://{tmp_path.name}")
    monkeypatch.chdir(tmp_path)
    yield
    places.forget_stores()
    DRAWER.artifacts.clear()


@pytest.fixture
def dovetail(drawer: None, capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[..., Outcome]]:
    """``dovetail("runs", "list")`` runs the command line and answers with how it ended."""
    handler = signal.getsignal(signal.SIGTERM)

    def run(*arguments: str) -> Outcome:
        with warnings.catch_warnings(), pytest.raises(SystemExit) as ended:
            main(list(arguments))
        sys.stdout.flush()
        said = capsys.readouterr()
        return Outcome(int(ended.value.code or 0), said.out, said.err)

    yield run
    signal.signal(signal.SIGTERM, handler)


# Fills a store in memory, then runs the command line on it: a whole process with something to show.
PROGRAM = """
import os
os.environ["DOVETAIL_TRACKING_URI"] = "memory://screen"
from dovetail import Client
from dovetail.values import Metric, Param
from dovetail.cli.main import main
client = Client()
def add(name, lr, status="FINISHED", run_id=None):
    run = client.create_run("0", run_name=name, run_id=run_id).info.run_id
    losses = [Metric("loss", 1 / (step + 1) * lr, step=step) for step in range(20)]
    client.log_batch(run, losses, [Param("lr", str(lr))])
    if status:
        client.set_terminated(run, status)
    return run
{story}
main()
"""


@dataclass(frozen=True)
class Screen:
    """A process with a terminal of its own, of whatever size."""

    folder: Path

    def __call__(
        self,
        *arguments: str,
        story: str = "",
        typed: str = "",
        awaited: str = "",
        columns: int = 80,
        lines: int = 24,
        **variables: str,
    ) -> Any:
        """What a terminal would be sent; ``story`` fills the store with ``add(name, lr, status, run_id)``.

        ``typed`` is what a person types. When the terminal shows what is ``awaited``, there is a file ``shown``, for
        which a story may wait.
        """
        import fcntl
        import termios

        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM.replace("{story}", story), *arguments],
            stdin=slave, stdout=slave, stderr=slave, cwd=self.folder, env=plain_environment(**variables),
        )  # fmt: skip
        os.close(slave)
        os.write(master, typed.encode())
        out = self.read(master, awaited)
        os.close(master)
        return Outcome(process.wait(30), out, "")

    def read(self, master: int, awaited: str) -> str:
        content = b""
        while select.select([master], [], [], 30)[0]:
            try:
                block = os.read(master, 65536)
            except OSError:  # the other end is closed
                break
            if not block:
                break
            content += block
            if awaited and awaited.encode() in content:
                (self.folder / "shown").touch()
        return content.decode().replace("\r\n", "\n")


def plain_environment(**variables: str) -> dict[str, str]:
    """This environment without what would decide about colours, sizes and places."""
    decisive = ("DOVETAIL_", "MLFLOW_", "NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES", "COLORTERM", "TERM")
    return {name: text for name, text in os.environ.items() if not name.startswith(decisive)} | {
        "TERM": "xterm", **variables
    }  # fmt: skip


@pytest.fixture
def screen(tmp_path: Path) -> Screen:
    """Runs commands in a terminal."""
    return Screen(tmp_path)
