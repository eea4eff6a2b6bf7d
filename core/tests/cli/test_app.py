"""The root of the command line: help, versions, misspellings, commands of plugins."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

import dovetail as package
from dovetail import errors
from dovetail.cli.app import COMMANDS

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


def test_exit_codes_stand_in_the_help_and_are_those_of_errors(dovetail: Any) -> None:
    shown = set(
        map(
            int,
            re.findall(r"(?:^|  |, )(\d+)(?=  |,|$)", dovetail("--help").out.partition("Exit codes:")[2], re.MULTILINE),
        )
    )
    kinds = [
        each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, errors.DovetailError)
    ]
    assert shown == {0, 129, 130, 143} | {each.exit_code for each in kinds}


@pytest.mark.parametrize("name", COMMANDS)
def test_the_table_says_what_a_group_says_of_itself(dovetail: Any, name: str) -> None:
    assert COMMANDS[name][1].removesuffix(".") in " ".join(dovetail(name, "--help").out.split())


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
     ("runs", "list", "-m", "0"), ("runs", "list", "-m", "x"),
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
    metadata = installed("acme-greet", {"commands": {"greet": "acme_greet"}}, acme_greet=COMMAND)
    with (metadata / "METADATA").open("a", encoding="utf-8") as file:
        file.write("Summary: Greets people\n\nSummary: no header but text\n")
    installed("acme-broken", {"commands": {"broken": "acme_broken"}}, acme_broken="raise RuntimeError('broken')")

    def call(*arguments: str) -> Any:
        program = (
            f"import sys; sys.path.insert(0, {str(tmp_path / 'site')!r})\nfrom dovetail.cli.main import main\nmain()"
        )
        return subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=False)

    shown = call("-h")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "Greets people (acme-greet 1.2.3)." in shown.stdout, "in the words of its metadata"
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


def called(arguments: str, redirection: str, **variables: str) -> subprocess.CompletedProcess[str]:
    line = (
        f"exec {shlex.quote(sys.executable)} -c 'from dovetail.cli.main import main; main()' {arguments} {redirection}"
    )
    env = {**os.environ, **variables}
    return subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=False, env=env)


@pytest.mark.parametrize("arguments", ["--help", "--version", "plugins list"])
@pytest.mark.parametrize("redirection", [">&-", "> /dev/full", ">&- 2>&-"])
def test_output_that_nobody_takes_is_one_line(arguments: str, redirection: str) -> None:
    ended = called(arguments, redirection)
    assert ended.returncode == 1
    assert ended.stderr.count("Error:") == (0 if "2>" in redirection else 1)
    assert "Traceback" not in ended.stderr
    assert "Exception" not in ended.stderr


def test_a_place_that_is_no_text_is_one_line() -> None:
    ended = called("runs list", "", DOVETAIL_TRACKING_URI="sqlite:///\udcff.db")
    assert ended.returncode in {1, 2, 6}
    assert "Error:" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143), ("SIGHUP", 129)])
@pytest.mark.parametrize("where", ["at_once", "by_exception"])
def test_signals_end_it_with_a_line_wherever_they_land(name: str, code: int, where: str) -> None:
    """While it starts up (an import, say) and while its command runs."""
    program = f"""if True:
        import os, signal, sys
        from dovetail.cli import app
        from dovetail.cli.main import main

        def hit(*arguments):
            os.kill(os.getpid(), signal.{name})
        setattr(app.LazyGroup, "parse_args" if {where!r} == "at_once" else "get_command", hit)
        main(["runs", "list"])
    """
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr.count("\n")) == (code, "", 1)
    assert ended.stderr.startswith("Error: ")


def test_nohup_is_respected() -> None:
    program = """if True:
        import os, signal
        from dovetail.cli import interruption
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        with interruption.at_once(), interruption.by_exception():
            os.kill(os.getpid(), signal.SIGHUP)
        print("still here")
    """
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert ended.stdout == "still here\n"


def test_what_others_wrote_does_nothing_to_the_terminal(dovetail: Any) -> None:
    shown = dovetail("run", "nowhere\x1b[31m\x07\nsecond line")
    assert shown.exit_code != 0
    assert "\\x1b[31m\\x07" in shown.err
    assert not {"\x1b", "\x07"} & set(shown.err)


@pytest.mark.parametrize(("name", "what"), [("ui", "a UI"), ("deployments", "deployments")])
def test_what_is_not_here_yet_is_said(dovetail: Any, name: str, what: str) -> None:
    shown = dovetail(name)
    assert shown.exit_code == 2
    assert f"No such command {name!r}. This version of dovetail does not have {what}." in " ".join(shown.err.split())
