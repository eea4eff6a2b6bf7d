"""Hooks and settings are documented as they are, and every hook can be called."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from dovetail import hookimpl, hookspecs, settings
from dovetail.plugins import KINDS, Plugins

ROOT = Path(__file__).parents[2]
HOOKS = {name: hook for name, hook in vars(hookspecs).items() if name.startswith("dovetail_")}


def page(name: str) -> str:
    return (ROOT / "docs" / "reference" / name).read_text(encoding="utf-8")


def test_the_reference_pages_are_fresh() -> None:
    done = subprocess.run(
        [sys.executable, "scripts/reference.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", sorted(HOOKS))
def test_each_hook_is_documented_with_its_arguments(name: str) -> None:
    arguments = ", ".join(inspect.signature(HOOKS[name]).parameters)
    assert f"`{name}({arguments})`" in page("hooks.md")
    assert inspect.getdoc(HOOKS[name])


@pytest.mark.parametrize("setting", settings.SETTINGS.values(), ids=list(settings.SETTINGS))
def test_each_setting_is_documented(setting: settings.Setting) -> None:
    assert f"`{setting.variable}`" in page("settings.md")
    assert setting.text in page("settings.md")


@pytest.mark.parametrize("name", sorted(HOOKS))
def test_each_hook_reaches_a_plugin_with_all_its_arguments(name: str) -> None:
    """A plugin that takes every argument of the hook is registered, and the hook is called the way its kind is."""
    arguments = list(inspect.signature(HOOKS[name]).parameters)
    seen: list[dict[str, Any]] = []
    answer = {"key": list} if name.removeprefix("dovetail_") in KINDS else "answer"
    plugin = ModuleType("plugin")
    setattr(plugin, name, hookimpl(implementation(name, arguments, seen, answer)))
    plugins = Plugins(points=())

    given = {argument: f"the {argument}" for argument in arguments}
    if name.removeprefix("dovetail_") in KINDS:
        plugins.register(plugin, name.removeprefix("dovetail_"), "key")
        assert plugins.find(name.removeprefix("dovetail_"), "key") is list
    else:
        plugins.register(plugin)
        if HOOKS[name].dovetail_spec["firstresult"]:
            assert plugins.ask(name, **given) == "answer"
        elif name in {"dovetail_run_started", "dovetail_run_ended", "dovetail_event"}:
            plugins.tell(name, **given)
        else:
            assert plugins.collect(name, **given) == ["answer"]
    assert seen == [given]


def implementation(name: str, arguments: list[str], seen: list[dict[str, Any]], answer: object) -> Any:
    """A function of that name with exactly these arguments, which notes what it was given."""
    names = ", ".join(arguments)
    pairs = ", ".join(f"{argument!r}: {argument}" for argument in arguments)
    scope: dict[str, Any] = {"seen": seen, "answer": answer}
    exec(f"def {name}({names}):\n    seen.append({{{pairs}}})\n    return answer\n", scope)
    return scope[name]
