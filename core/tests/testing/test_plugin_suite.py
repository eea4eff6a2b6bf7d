"""The suite for plugins passes on a plugin as it should be, and names what is wrong with others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

TRIAL = """
from dovetail.testing import PluginSuite

class TestPlugin(PluginSuite):
    module, heavy = "{module}", ["acme_heavy"]
    {more}
"""

GOOD = """
from dovetail import hookimpl

class Notes:
    def save(self, model, path, options): ...
    def load(self, path, conf): ...

@hookimpl
def dovetail_flavors():
    return {"notes": Notes}
"""


@pytest.fixture
def suite(installed: Callable[..., Path], site: Path, trial: Callable[..., Any]) -> Callable[..., Any]:
    """``suite(source, …)`` installs a plugin package of that source, runs the suite on it and gives what failed."""

    def run(
        source: str = GOOD,
        points: Mapping[str, Mapping[str, str]] | None = None,
        *,
        module: str = "dovetail_notes",
        more: str = "",
        without: str = "",
    ) -> list[str]:
        installed(module.replace("_", "-"), {"flavors": {"notes": module}} if points is None else points, acme_heavy="")
        package = site / module
        package.mkdir()
        for name, text in {"__init__.py": source, "py.typed": "", "README.md": "# notes\n"}.items():
            if name != without:
                (package / name).write_text(text, encoding="utf-8")
        outcome = trial(TRIAL.format(module=module, more=more))
        assert len(outcome.failed) + len(outcome.passed) == 8
        failed: list[str] = outcome.failed
        return failed

    return run


def test_a_good_plugin_passes(suite: Callable[..., list[str]]) -> None:
    assert suite() == []


def test_a_key_of_another_name_is_given(suite: Callable[..., list[str]]) -> None:
    assert suite(module="acme_flavors", more="key = 'notes'") == []


def test_hooks_alone_make_a_plugin(suite: Callable[..., list[str]]) -> None:
    source = GOOD.replace("dovetail_flavors", "dovetail_run_tags")
    assert suite(source, {"hooks": {"anything": "dovetail_notes"}}) == []


def test_no_entry_point(suite: Callable[..., list[str]]) -> None:
    assert "test_its_distribution_has_entry_points_in_groups_there_are" in suite(points={})


def test_a_group_there_is_not(suite: Callable[..., list[str]]) -> None:
    failed = suite(points={"flavors": {"notes": "dovetail_notes"}, "flavours": {"notes": "dovetail_notes"}})
    assert failed == ["test_its_distribution_has_entry_points_in_groups_there_are"]


def test_a_key_that_is_not_the_plugins_word(suite: Callable[..., list[str]]) -> None:
    source = GOOD.replace('"notes"', '"poems"')
    assert suite(source, {"flavors": {"poems": "dovetail_notes"}}) == ["test_its_key_is_among_them"]


def test_a_key_that_is_not_handed_out(suite: Callable[..., list[str]]) -> None:
    assert suite(GOOD.replace('"notes"', '"poems"')) == ["test_every_key_is_handed_out"]


def test_a_missing_method(suite: Callable[..., list[str]]) -> None:
    assert suite(GOOD.replace("def load", "def read")) == ["test_every_key_is_handed_out"]


def test_a_misspelt_hook(suite: Callable[..., list[str]]) -> None:
    source = GOOD + "\n@hookimpl\ndef dovetail_run_stared(run): ...\n"
    assert "test_its_hooks_are_ones_there_are" in suite(source)


@pytest.mark.parametrize("library", ["acme_heavy", "numpy"])
def test_a_heavy_import(suite: Callable[..., list[str]], site: Path, library: str) -> None:
    (site / "numpy.py").write_text("", encoding="utf-8")  # a stand-in: what counts is the name
    assert suite(f"if __import__('sys').argv[0] == '-c': import {library}\n{GOOD}") == ["test_importing_it_is_light"]


def test_an_import_that_is_allowed(suite: Callable[..., list[str]], site: Path) -> None:
    (site / "numpy.py").write_text("", encoding="utf-8")
    source = f"if __import__('sys').argv[0] == '-c': import numpy\n{GOOD}"
    assert suite(source, more="allowed = ['numpy']") == []


def test_an_import_that_fails(suite: Callable[..., list[str]]) -> None:
    assert "test_importing_it_is_light" in suite("import no_such_library_anywhere")


@pytest.mark.parametrize(("file", "story"), [("py.typed", "test_it_is_typed"), ("README.md", "test_it_has_a_readme")])
def test_a_missing_file(suite: Callable[..., list[str]], file: str, story: str) -> None:
    assert suite(without=file) == [story]


@pytest.mark.parametrize("key", ["models", "projects", "log_metric"])
def test_a_key_that_hides_a_name_of_the_cores(suite: Callable[..., list[str]], key: str) -> None:
    source = GOOD.replace('"notes"', f'"{key}"')
    failed = suite(source, {"flavors": {key: f"dovetail_{key}"}}, module=f"dovetail_{key}")
    assert failed == ["test_its_key_is_no_name_of_the_cores"]
