"""conda.yaml, as far as it can be followed without conda."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from dovetail.errors import InvalidProject
from dovetail.projects.conda_env import read_conda_env

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def conda(tmp_path: Path) -> Any:
    def read(content: Any) -> Any:
        (tmp_path / "conda.yaml").write_text(content)
        return read_conda_env(tmp_path / "conda.yaml")

    return read


@pytest.mark.parametrize(
    ("line", "python"),
    [
        ("python=3.8", "3.8"),
        ("python==3.8.15", "3.8.15"),
        ("python=3.8.15=h12debd9_1", "3.8.15"),
        ("python>=3.8", ">=3.8"),
        ("python >=3.8,<3.12", ">=3.8,<3.12"),
        ("python", None),
        ("conda-forge::python=3.10", "3.10"),
        ("'python = 3.11'", "3.11"),
        ("python=3.8.*", "3.8"),
    ],
)
def test_the_version_of_python(conda: Any, line: str, python: str | None) -> None:
    assert conda(f"dependencies:\n  - {line}\n").python == python


def test_the_part_for_pip(conda: Any) -> None:
    spec = conda("name: x\nchannels: [defaults]\ndependencies:\n  - pip\n  - pip:\n    - mlflow\n    - pandas>=2\n")
    assert spec.dependencies == ("mlflow", "pandas>=2")


def test_what_only_conda_can_install_is_left_out_and_named(conda: Any) -> None:
    with pytest.warns(UserWarning, match="cudnn=8, numpy can only be installed by conda"):
        spec = conda("dependencies: [python=3.9, pip=23, cudnn=8, numpy]")
    assert (spec.python, spec.dependencies) == ("3.9", ())


@pytest.mark.parametrize("content", ["", "dependencies:\n", "name: x\n"])
def test_it_may_be_empty(conda: Any, content: Any) -> None:
    assert conda(content).dependencies == ()


@pytest.mark.parametrize(
    "content",
    [
        "- a",
        "dependencies: python",
        "dependencies: [{conda: [a]}]",
        "dependencies: [{pip: a}]",
        "a: [",
        "dependencies: [{pip: [1]}]",
        "dependencies: [python=new]",
    ],
)
def test_a_broken_one_is_an_error_that_names_it(conda: Any, content: Any) -> None:
    with pytest.raises(InvalidProject, match=r"conda\.yaml"):
        conda(content)


def test_relative_requirement_files_are_read(conda: Any, tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("a==1\n# no\nb\n")
    assert conda("dependencies: [{pip: [-r requirements.txt, c]}]").dependencies == ("a==1", "b", "c")
