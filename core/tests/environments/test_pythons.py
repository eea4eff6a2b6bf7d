from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dovetail.environments.interpreters import Interpreter, PythonVersion, found_interpreter, running_interpreter
from dovetail.environments.manager import Environment, EnvManager
from dovetail.environments.pythons import python_for, with_python
from dovetail.environments.spec import EnvSpec, read_python_env
from dovetail.errors import EnvironmentFailed, InvalidInput, InvalidProject

if TYPE_CHECKING:
    from pathlib import Path

HOSTILE = [
    *["3.11; rm -rf", "../../x", "9" * 10**6, "3." + "1" * 10**6],
    *["", " ", "latest", "3.11.7.1", "3.11\n", "-h", "\u0663.\u0661\u0661", "3.11rc1", "\x00", "pypy3.10"],
]


class Maker(EnvManager):
    def prepare(self, spec: EnvSpec, progress: Any) -> Environment:
        raise NotImplementedError


class Taker(Maker):
    chooses_python = False


def chosen(python: str | None, spec: EnvSpec | None = None, **options: Any) -> EnvSpec:
    said = options.pop("said", [])
    return with_python(spec or EnvSpec(), python, options.pop("install", None), options.pop("by", Maker()), said.append)


class TestAChoice:
    def test_it_wins_over_the_spec_and_is_said(self) -> None:
        said: list[str] = []
        spec = chosen("3.12", EnvSpec(python="3.8.15", source="python_env.yaml"), said=said)
        assert (spec.python, spec.instead_of) == ("3.12", "3.8.15")
        assert said == ["taking Python 3.12, where python_env.yaml asks for 3.8.15"]

    def test_it_is_part_of_what_decides_on_the_environment(self) -> None:
        spec = EnvSpec(python="3.8.15")
        assert len({spec.key, chosen("3.12", spec).key, chosen("3.12.1", spec).key}) == 3
        assert chosen("3.8.15", spec).key == chosen(None, spec).key == chosen(None, spec, install=True).key == spec.key

    @pytest.mark.parametrize("python", HOSTILE)
    def test_what_is_no_version_is_refused(self, python: str) -> None:
        with pytest.raises(InvalidInput, match="is no version of Python") as caught:
            chosen(python)
        assert len(caught.value.message) < 300
        assert "3.11.7" in (caught.value.hint or "")

    @pytest.mark.parametrize("options", [{"python": "3.12"}, {"python": None, "install": True}])
    def test_where_the_python_is_given_none_can_be_chosen(self, options: Any) -> None:
        with pytest.raises(InvalidInput, match="needs an environment that is made for the purpose"):
            chosen(by=Taker(), **options)

    def test_the_setting_holds_where_nobody_says(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert not chosen(None).install_python
        monkeypatch.setenv("DOVETAIL_INSTALL_PYTHON", "yes")
        assert chosen(None).install_python
        assert not chosen(None, install=False).install_python
        assert chosen(None, by=Taker()) == EnvSpec(), "a setting for all does not disturb those it cannot matter to"


class TestFiles:
    @pytest.mark.parametrize("python", [*HOSTILE[:4], ",".join(["3.11"] * 1000)])
    def test_what_is_no_version_is_refused(self, tmp_path: Path, python: str) -> None:
        (tmp_path / "python_env.yaml").write_text(f'python: "{python}"\n', encoding="utf-8")
        with pytest.raises(InvalidProject, match="is no version of Python") as caught:
            read_python_env(tmp_path / "python_env.yaml")
        assert len(caught.value.message) < 500


@given(st.text(alphabet="0123456789.,=<>!~ x") | st.text())
def test_any_text_can_be_asked_whether_it_allows_a_version(text: str) -> None:
    assert PythonVersion(text).allows((3, 11, 7)) in (True, False)
    assert len(PythonVersion(text).series) <= 2


class TestFinding:
    def test_one_on_the_path_is_found_if_nothing_else_is(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        program = self.program(tmp_path, "python3.97", "echo 3.97.2")
        monkeypatch.setenv("PATH", str(tmp_path))
        assert found_interpreter("3.97") == Interpreter((3, 97, 2), program)
        assert found_interpreter("3.97.2") == Interpreter((3, 97, 2), program)
        assert found_interpreter("3.97.3") is None

    @pytest.mark.parametrize("does", ["exit 1", "echo nonsense", "echo 3.97.2; echo more"])
    def test_one_that_does_not_answer_is_none(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, does: str) -> None:
        self.program(tmp_path, "python3.97", does)
        monkeypatch.setenv("PATH", str(tmp_path))
        assert found_interpreter("3.97") is None

    def test_those_whose_names_mean_another_version_are_not_started(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.program(tmp_path, "python3.98", f"touch {tmp_path}/started")
        monkeypatch.setenv("PATH", str(tmp_path))
        assert found_interpreter("3.97") is None
        assert not (tmp_path / "started").exists()

    def program(self, folder: Path, name: str, does: str) -> Path:
        if sys.platform == "win32":
            pytest.skip("a script stands in for an interpreter")
        (folder / name).write_text(f"#!/bin/sh\n{does}\n", encoding="utf-8")
        (folder / name).chmod(0o755)
        return folder / name


class TestOneForASpec:
    def test_it_is_installed_only_if_that_is_allowed(self) -> None:
        fetched = Interpreter((3, 99, 0), running_interpreter().path)
        with pytest.raises(EnvironmentFailed, match=r"3\.99"):
            python_for(EnvSpec(python="3.99"), lambda: fetched)
        assert python_for(EnvSpec(python="3.99", install_python=True), lambda: fetched) == fetched

    def test_it_is_looked_for_elsewhere_first(self) -> None:
        elsewhere = Interpreter((3, 99, 0), running_interpreter().path)
        assert python_for(EnvSpec(python="3.99"), pytest.fail, lambda: elsewhere) == elsewhere

    def test_the_error_says_who_asks_what_is_here_and_both_ways_out(self) -> None:
        here = ".".join(map(str, sys.version_info[:3]))
        with pytest.raises(EnvironmentFailed) as caught:
            python_for(EnvSpec(python="3.99", source="python_env.yaml"), pytest.fail)
        assert caught.value.message.startswith("python_env.yaml asks for Python 3.99, which is not on this machine")
        assert here in caught.value.message
        assert "--install-python" in (caught.value.hint or "")
        assert f"--python {here}" in (caught.value.hint or "")

    def test_who_chose_it_is_who_asks(self) -> None:
        with pytest.raises(EnvironmentFailed, match=r"^--python asks for Python 3\.99"):
            python_for(chosen("3.99", EnvSpec(python="3.11", source="python_env.yaml")), pytest.fail)
