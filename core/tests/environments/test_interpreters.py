from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from dovetail.environments.interpreters import (
    PythonVersion,
    installed_interpreters,
    matching_interpreter,
    running_interpreter,
)

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("python", "fits", "fits_not"),
    [
        ("3", [(3, 8, 0), (3, 13, 1)], [(2, 7, 18)]),
        ("3.1", [(3, 1, 5)], [(3, 10, 0), (3, 11, 0)]),
        ("3.11", [(3, 11, 0), (3, 11, 7)], [(3, 10, 9), (3, 12, 0)]),
        ("3.11.7", [(3, 11, 7)], [(3, 11, 6), (3, 11, 70)]),
        ("=3.11", [(3, 11, 7)], [(3, 12, 0)]),
        ("==3.11", [(3, 11, 7)], [(3, 12, 0)]),
        ("!=3.11", [(3, 12, 0)], [(3, 11, 7)]),
        (">=3.10", [(3, 10, 0), (4, 0, 0)], [(3, 9, 18)]),
        (">3.10", [(3, 10, 1)], [(3, 10, 0)]),
        ("<3.12", [(3, 11, 9)], [(3, 12, 0)]),
        ("<=3.11", [(3, 11, 0)], [(3, 11, 1)]),
        ("~=3.10", [(3, 10, 0), (3, 12, 1)], [(3, 9, 9), (4, 0, 0)]),
        ("~=3.10.2", [(3, 10, 2), (3, 10, 9)], [(3, 10, 1), (3, 11, 0)]),
        (">=3.9, <3.12", [(3, 9, 0), (3, 11, 9)], [(3, 8, 9), (3, 12, 0)]),
        ("nonsense", [], [(3, 11, 7)]),
    ],
)
def test_a_version_allows(python: str, fits: list[tuple[int, int, int]], fits_not: list[tuple[int, int, int]]) -> None:
    assert [each for each in fits if not PythonVersion(python).allows(each)] == []
    assert [each for each in fits_not if PythonVersion(python).allows(each)] == []


@pytest.fixture
def pyenv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A pyenv with three Pythons, an environment of somebody's and a broken version."""
    for name in ("3.2.1", "3.2.10", "4.0.1", "my-env"):
        program = tmp_path / "versions" / name / ("python.exe" if sys.platform == "win32" else "bin/python")
        program.parent.mkdir(parents=True)
        program.touch()
    (tmp_path / "versions" / "3.3.3").mkdir()
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    return tmp_path / "versions"


def test_the_running_one_is_first_then_pyenvs_newest_first(pyenv: Path) -> None:
    here = ".".join(map(str, sys.version_info[:3]))
    assert [str(each) for each in installed_interpreters()] == [here, "4.0.1", "3.2.10", "3.2.1"]
    assert installed_interpreters()[1].path.is_relative_to(pyenv / "4.0.1")


def test_without_a_wish_it_is_the_running_one(pyenv: Path) -> None:
    del pyenv
    assert matching_interpreter(None) == running_interpreter()


def test_the_running_one_wins_where_it_will_do(pyenv: Path) -> None:
    del pyenv
    assert matching_interpreter(">=3") == running_interpreter()


def test_else_the_newest_that_will_do(pyenv: Path) -> None:
    del pyenv
    assert str(matching_interpreter("3.2")) == "3.2.10"
    assert str(matching_interpreter("3.2.1")) == "3.2.1"


def test_else_none(pyenv: Path) -> None:
    del pyenv
    assert matching_interpreter("3.3.3") is None


def test_without_pyenv_there_is_the_running_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "absent"))
    assert installed_interpreters() == (running_interpreter(),)
