"""Having the real pyenv build Pythons, in a folder of the test's own.

What it builds is a stand-in: definitions of the test's own link an interpreter that is there already, since sources
would have to be fetched and take minutes to compile.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from dovetail.environments.interpreters import matching_interpreter
from dovetail.environments.pyenv import install_python
from dovetail.environments.spec import EnvSpec
from dovetail.errors import EnvironmentFailed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from dovetail.environments.interpreters import Interpreter

PYENV = shutil.which("pyenv")
needs_pyenv = pytest.mark.skipif(PYENV is None or sys.platform == "win32", reason="there is no pyenv here")
STAND_IN = """
echo "Installing a stand-in..." >&2
echo built >> "{log}"
mkdir -p "${{PREFIX_PATH}}/bin"
sleep 0.3
ln -s "{python}" "${{PREFIX_PATH}}/bin/python"
"""
WITHOUT_COMPILER = """
echo "configure: error: no acceptable C compiler found" >&4
false
"""
SLOW = """
mkdir -p "${PREFIX_PATH}/bin"
touch "${PREFIX_PATH}/bin/half-of-it"
sleep 60
"""
# A process that has a Python installed, as `dovetail run --install-python` would.
INSTALL = """
import sys
from dovetail.environments.pyenv import install_python
from dovetail.environments.spec import EnvSpec
print(install_python(EnvSpec(python=sys.argv[1]), lambda line: print(line, flush=True)).path)
"""


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder of pyenv's."""
    (tmp_path / "pyenv").mkdir()
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    monkeypatch.setenv("TMPDIR", str(tmp_path))  # for pyenv's logs
    return tmp_path / "pyenv"


@pytest.fixture
def define(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """``define("3.97.1", text)`` adds a version to those that pyenv can build."""
    definitions = tmp_path / "definitions"
    definitions.mkdir()
    monkeypatch.setenv("PYTHON_BUILD_DEFINITIONS", str(definitions))

    def add(version: str, text: str = STAND_IN) -> None:
        if text is STAND_IN:
            text = text.format(python=sys.executable, log=tmp_path / "log")
        (definitions / version).write_text(text, encoding="utf-8")

    return add


def installed(python: str, said: list[str] | None = None) -> Interpreter:
    spec = EnvSpec(python=python, source="python_env.yaml", install_python=True)
    return install_python(spec, [].append if said is None else said.append)


@needs_pyenv
@pytest.mark.usefixtures("root")
class TestBuilding:
    def test_a_version_is_built_and_found_afterwards(self, define: Callable[..., None], root: Path) -> None:
        define("3.97.1")
        said: list[str] = []
        found = installed("3.97.1", said)
        assert (str(found), found.path) == ("3.97.1", root / "versions" / "3.97.1" / "bin" / "python")
        assert (
            subprocess.run([found.path, "-c", "print('alive')"], capture_output=True, check=True).stdout == b"alive\n"
        )
        assert said == ["having pyenv install Python 3.97.1", "pyenv: Installing a stand-in..."]
        assert matching_interpreter("3.97") == found

    def test_of_a_series_it_is_the_newest_release_that_pyenv_knows(self, define: Callable[..., None]) -> None:
        for version in ("3.97.9", "3.97.10", "3.97.11rc1", "3.97-dev", "3.97.12t", "pypy3.97-7.3.99"):
            define(version)
        assert str(installed("3.97")) == "3.97.10"
        assert str(installed("<3.97.10, >=3.97.1")) == "3.97.9"

    def test_several_that_ask_at_once_build_it_once(self, define: Callable[..., None], tmp_path: Path) -> None:
        define("3.97.1")
        argv = [sys.executable, "-c", INSTALL, "3.97"]
        processes = [subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) for _ in range(3)]
        said = {process.communicate(timeout=60)[0].splitlines()[-1] for process in processes}
        assert [process.returncode for process in processes] == [0] * 3
        assert len(said) == 1
        assert (tmp_path / "log").read_text() == "built\n"

    def test_interrupted_it_leaves_nothing_that_pyenv_would_take_for_whole(
        self, define: Callable[..., None], root: Path
    ) -> None:
        define("3.97.1", SLOW)
        process = subprocess.Popen([sys.executable, "-c", INSTALL, "3.97.1"], stderr=subprocess.PIPE)
        half = root / "versions" / "3.97.1" / "bin" / "half-of-it"
        deadline = time.monotonic() + 30
        while not half.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, words = process.communicate(timeout=30)
        assert b"KeyboardInterrupt" in words
        assert list((root / "versions").iterdir()) == []

    def test_settings_that_choose_a_python_do_not_disturb_it(
        self, define: Callable[..., None], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        define("3.97.1")
        monkeypatch.setenv("PYENV_VERSION", "9.9.9")
        assert str(installed("3.97.1")) == "3.97.1"


@pytest.mark.usefixtures("root")
class TestFailures:
    @needs_pyenv
    def test_a_build_that_fails_shows_the_end_of_its_log(self, define: Callable[..., None], root: Path) -> None:
        define("3.97.2", WITHOUT_COMPILER)
        with pytest.raises(EnvironmentFailed, match="no acceptable C compiler") as caught:
            installed("3.97.2")
        assert caught.value.message.startswith("python_env.yaml asks for Python 3.97.2, which is not on this machine")
        assert "pyenv could not install it" in caught.value.message
        assert "headers" in (caught.value.hint or "")
        assert not (root / "versions" / "3.97.2").exists()

    @needs_pyenv
    def test_a_version_that_pyenv_does_not_know_is_said_to_be_unknown(self) -> None:
        with pytest.raises(EnvironmentFailed, match="pyenv cannot build it") as caught:
            installed("3.99")
        assert "Update pyenv" in (caught.value.hint or "")

    @needs_pyenv
    def test_half_a_python_is_no_python(self, root: Path, define: Callable[..., None]) -> None:
        define("3.97.1")
        (root / "versions" / "3.97.1" / "bin").mkdir(parents=True)
        with pytest.raises(EnvironmentFailed, match="there is no") as caught:
            installed("3.97.1")
        assert "pyenv install --force 3.97.1" in (caught.value.hint or "")

    def test_without_pyenv_the_other_way_is_named(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))
        with pytest.raises(EnvironmentFailed, match="pyenv, which would install it, is not here") as caught:
            installed("3.97")
        assert "--env-manager uv" in (caught.value.hint or "")

    @pytest.mark.skipif(sys.platform == "win32", reason="a script stands in for it")
    @pytest.mark.parametrize("text", ["#!/bin/sh\necho its shell is broken >&2\nexit 1\n", "no program"])
    def test_a_broken_pyenv_is_quoted(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
        (tmp_path / "bin").mkdir()
        broken = tmp_path / "bin" / "pyenv"
        broken.write_text(text, encoding="utf-8")
        broken.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
        with pytest.raises(EnvironmentFailed, match=r"its shell is broken|Exec format error"):
            installed("3.97")
