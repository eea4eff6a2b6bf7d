"""The root of the command line: help, versions, misspellings, commands of plugins."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

import dovetail as package

if TYPE_CHECKING:
    from pathlib import Path

GROUPS = ["run", "runs", "experiments", "artifacts", "models", "plugins"]


@pytest.mark.parametrize("arguments", [(), ("-h",), ("--help",)])
def test_help_names_every_command(dovetail: Any, arguments: tuple[str, ...]) -> None:
    shown = dovetail(*arguments)
    assert (shown.exit_code, shown.err) == (0, "")
    for name in GROUPS:
        assert f"\n  {name} " in shown.out
    assert "\x1b" not in shown.out, "no colours where no terminal is"


@pytest.mark.parametrize("name", GROUPS)
def test_every_command_has_help(dovetail: Any, name: str) -> None:
    for option in ("-h", "--help"):
        shown = dovetail(name, option)
        assert shown.exit_code == 0
        assert f"Usage: dovetail {name}" in shown.out
    assert "--install-completion" not in shown.out


@pytest.mark.parametrize("arguments", [("--version",), ("-V",), ("--version", "runs")])
def test_the_version(dovetail: Any, arguments: tuple[str, ...]) -> None:
    assert dovetail(*arguments).out == f"dovetail {package.__version__}\n"


@pytest.mark.parametrize(("wrong", "right"), [("rn", "run"), ("artefacts", "artifacts"), ("modles", "models")])
def test_a_misspelt_command_is_answered_with_the_right_one(dovetail: Any, wrong: str, right: str) -> None:
    ended = dovetail(wrong)
    assert ended.exit_code == 2
    assert f"Did you mean '{right}'?" in ended.err
    assert "Try 'dovetail -h'" in ended.err


def test_and_so_is_one_of_a_group(dovetail: Any) -> None:
    ended = dovetail("runs", "lst")
    assert (ended.exit_code, ended.out) == (2, "")
    assert "Did you mean 'list'?" in ended.err


@pytest.mark.parametrize(
    "arguments",
    [("nonsense",), ("run",), ("runs",), ("--nonsense",), ("runs", "show"),
     ("runs", "list", "-n", "0"), ("runs", "list", "-n", "x"),
     ("runs", "list", "-v", "some"), ("experiments", "create"), ("artifacts", "list"), ("models", "predict")],
)  # fmt: skip
def test_wrong_usage_exits_2_and_says_how_to_go_on(dovetail: Any, arguments: tuple[str, ...]) -> None:
    ended = dovetail(*arguments)
    assert (ended.exit_code, ended.out) == (2, "")
    assert "Usage: dovetail" in ended.err
    assert "-h" in ended.err


COMMAND = """
import typer
from dovetail import hookimpl

app = typer.Typer()

@app.command()
def greet(name: str) -> None:
    typer.echo(f"hello {name}")

@hookimpl
def dovetail_commands() -> None:
    return {"greet": app}
"""


def test_commands_of_plugins_stand_beside_and_are_imported_only_to_run(installed: Any, tmp_path: Path) -> None:
    installed("acme-greet", {"commands": {"greet": "acme_greet"}}, acme_greet=COMMAND)
    installed("acme-broken", {"commands": {"broken": "acme_broken"}}, acme_broken="raise RuntimeError('broken')")

    def call(*arguments: str) -> Any:
        program = (
            f"import sys; sys.path.insert(0, {str(tmp_path / 'site')!r})\nfrom dovetail.cli.main import main\nmain()"
        )
        return subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=False)

    shown = call("-h")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "From acme-greet 1.2.3." in shown.stdout
    assert "From acme-broken 1.2.3." in shown.stdout
    assert call("greet", "you").stdout == "hello you\n"
    assert "Did you mean 'greet'?" in call("gret").stderr
    broken = call("broken")
    assert broken.returncode == 6
    assert "acme-broken 1.2.3" in broken.stderr
    assert "Traceback" not in broken.stderr


def loaded(*arguments: str) -> set[str]:
    program = """if True:
        import sys
        from dovetail.cli.main import main
        try:
            main()
        finally:
            print(*sys.modules, file=sys.stderr)
    """
    done = subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=False)
    return set(done.stderr.split())


def test_help_costs_little() -> None:
    """No libraries for tables, data or databases, and none of the commands' modules."""
    modules = loaded("--help")
    heavy = {"rich", "yaml", "numpy", "pandas", "sqlalchemy", "asyncio", "importlib.metadata", "pydantic"}
    assert modules & heavy == set()
    assert not [
        name for name in modules if name.startswith(("dovetail.cli.ru", "dovetail.tracking", "dovetail.projects"))
    ]


def test_the_version_costs_nothing() -> None:
    assert "typer" not in loaded("--version")


def test_a_warning_is_a_line(dovetail: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Warnings of ours are for people; where they were raised is not."""
    program = """if True:
        import warnings
        from dovetail.cli.app import run_app
        try:
            run_app(["-h"])
        finally:
            warnings.warn("beware")
    """
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stderr == "Warning: beware\n"
