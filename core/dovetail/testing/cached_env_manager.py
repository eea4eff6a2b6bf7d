"""What every environment manager must do that keeps environments in the folder ``env_dir``."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import pytest

from dovetail import plugins
from dovetail.environments.inventory import WHOLE, cached_environments
from dovetail.environments.pruning import prune
from dovetail.environments.spec import EnvSpec
from dovetail.posix import group_is_alive
from dovetail.testing.env_manager import EnvManagerSuite

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dovetail.environments.manager import EnvManager

__all__ = ["CachedEnvManagerSuite"]

# A process that prepares an environment, as `dovetail run` would, and tells its steps line by line.
_PREPARE = """
import sys
from dovetail import plugins
from dovetail.environments.spec import EnvSpec
manager = plugins.find("env_managers", sys.argv[1])()
environment = manager.prepare(EnvSpec(dependencies=tuple(sys.argv[2:])), lambda line: print(line, flush=True))
print("ready", environment.python, flush=True)
"""
# A package that is its own build backend, and whose build takes as long as the test wants.
_PROJECT = """
[project]
name = "suite-slow"
version = "1.0"
[build-system]
requires = []
build-backend = "slow_backend"
backend-path = ["."]
"""
_BACKEND = """
import os, pathlib, sys, time
sys.path[:0] = {path!r}
from dovetail.testing.wheels import make_wheel
def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    open({started!r}, "w").write(str(os.getpgrp()))
    end = time.time() + 30
    while not os.path.exists({go!r}) and time.time() < end:
        time.sleep(0.05)
    return make_wheel(pathlib.Path(wheel_directory), "suite-slow", "1.0").name
"""
_posix = pytest.mark.skipif(sys.platform == "win32", reason="signals")


class CachedEnvManagerSuite(EnvManagerSuite):
    """Hold an installed environment manager to the guarantees of the folder of environments.

    Set ``key`` to the manager's name. Beside what every manager must do it is tried how several processes share the
    folder, what is left by one that is killed, and that what is in use stays.

    Attributes:
        key: The manager's name, under which its plugin is found.
    """

    key: ClassVar[str]

    @pytest.fixture
    def folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """The folder of environments."""
        monkeypatch.setenv("DOVETAIL_ENV_DIR", str(tmp_path / "envs"))
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
        return tmp_path / "envs"

    @pytest.fixture
    def manager(self, folder: Path) -> EnvManager:
        """The manager under test."""
        del folder
        found: EnvManager = plugins.find("env_managers", self.key)()
        return found

    @pytest.fixture
    def preparing(self, folder: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
        """``preparing(*lines)`` starts a process that prepares an environment with these requirements."""
        del folder
        started: list[subprocess.Popen[str]] = []

        def start(*lines: str) -> subprocess.Popen[str]:
            argv = [sys.executable, "-c", _PREPARE, self.key, *lines]
            started.append(subprocess.Popen(argv, stdout=subprocess.PIPE, text=True))  # noqa: S603 - a test's own
            return started[-1]

        yield start
        for process in started:
            process.kill()
            process.communicate()

    @pytest.fixture
    def slow(self, tmp_path: Path) -> tuple[str, Path, Path]:
        """A package whose build waits; the file that says it has begun, and the one that lets it go on."""
        package, started, go = tmp_path / "slow", tmp_path / "started", tmp_path / "go"
        package.mkdir()
        (package / "pyproject.toml").write_text(_PROJECT, encoding="utf-8")
        backend = _BACKEND.format(started=str(started), go=str(go), path=sys.path)
        (package / "slow_backend.py").write_text(backend, encoding="utf-8")
        return str(package), started, go

    def test_it_is_listed_and_stays_while_it_is_used(self, manager: EnvManager, folder: Path) -> None:
        """People see what there is; what somebody uses is not removed, and what is removed is made again."""
        environment = manager.prepare(EnvSpec(), _quiet)
        (listed,) = cached_environments(folder)
        assert (listed.name, listed.state, listed.in_use) == (environment.name, WHOLE, True)
        assert (listed.record.manager, listed.record.python) == (self.key, environment.python_version)
        assert prune(0, folder) == []
        del environment
        gc.collect()
        assert [each.name for each in prune(0, folder)] == [listed.name]
        assert list(folder.iterdir()) == []
        assert Path(manager.prepare(EnvSpec(), _quiet).python).exists()

    @_posix
    def test_it_stays_while_a_process_uses_it(self, manager: EnvManager, folder: Path) -> None:
        """Also when the one that prepared it is gone: what runs in it has inherited its share."""
        environment = manager.prepare(EnvSpec(), _quiet)
        argv, variables = environment.wrap(["python", "-c", "input()"], os.environ)
        with subprocess.Popen(argv, env=variables, stdin=subprocess.PIPE, pass_fds=environment.keep) as child:  # noqa: S603
            del environment
            gc.collect()
            assert prune(0, folder) == []
            child.communicate(b"\n")
        assert len(prune(0, folder)) == 1

    def test_processes_at_once_make_one(
        self, preparing: Callable[..., subprocess.Popen[str]], spec: Callable[..., EnvSpec]
    ) -> None:
        """Of several processes that ask, one makes it."""
        processes = [preparing(*spec("suite-part").dependencies) for _ in range(3)]
        said = [process.communicate(timeout=100)[0].splitlines() for process in processes]
        assert [process.returncode for process in processes] == [0] * 3
        assert len({each[-1] for each in said}) == 1
        assert sum(line.startswith("creating") for each in said for line in each) == 1

    @_posix
    def test_killed_it_is_healed_by_the_next(
        self, preparing: Callable[..., subprocess.Popen[str]], slow: tuple[str, Path, Path], folder: Path
    ) -> None:
        """The installer outlives its parent. The next one waits until it has ended, and clears up after both."""
        package, started, go = slow
        killed = preparing(package)
        _wait_for(started)
        killed.kill()
        assert prune(0, folder) == [], "the installer still works in it"
        healer = preparing(package)
        assert healer.stdout is not None
        assert "waiting for another process" in _first(healer, "waiting")
        go.touch()
        said = healer.communicate(timeout=100)[0]
        assert healer.returncode == 0
        assert "creating" in said
        python = said.splitlines()[-1].removeprefix("ready ")
        assert subprocess.run([python, "-c", "import suite_slow"], check=False).returncode == 0  # noqa: S603

    @_posix
    def test_interrupted_it_ends_the_installer_and_leaves_nothing(
        self, preparing: Callable[..., subprocess.Popen[str]], slow: tuple[str, Path, Path], folder: Path
    ) -> None:
        """Ctrl-C ends everything the installer started, at once."""
        package, started, _ = slow
        process = preparing(package)
        _wait_for(started)
        begun = time.monotonic()
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
        assert process.returncode != 0
        assert time.monotonic() - begun < 10
        assert [path for path in folder.iterdir() if path.suffix != ".lock"] == []
        assert not group_is_alive(int(started.read_text()))


def _quiet(message: str) -> None:
    del message


def _first(process: subprocess.Popen[str], word: str) -> str:
    """The first line it says that begins with the word."""
    return next((line for line in process.stdout or () if line.startswith(word)), "")


def _wait_for(path: Path) -> None:
    deadline = time.monotonic() + 60
    while not path.exists() or not path.stat().st_size:
        assert time.monotonic() < deadline, f"{path.name} did not appear"
        time.sleep(0.02)
