"""What the command line may import before it does anything: counted in modules, since times differ by machine."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

# Libraries that help and the Tab key must do without; each takes longer to import than help takes to print.
HEAVY = {
    "asyncio", "dotenv", "importlib.metadata", "numpy", "pandas", "pydantic", "requests", "rich", "sqlalchemy",
    "tomllib", "urllib.request", "yaml",
}  # fmt: skip
# As few as there are now, and some more for other versions of Python and typer.
BUDGETS = {
    ("--version",): 45,
    ("--help",): 180,
    ("runs", "--help"): 185,
    ("experiments", "--help"): 185,
    ("runs", "list", "--help"): 185,
    ("runs", "watch", "--help"): 185,
    ("registry", "--help"): 185,
}


def imported(*arguments: str, variables: str = "") -> set[str]:
    program = f"""if True:
        import atexit, os, sys
        {variables}
        atexit.register(lambda: print(*sys.modules, file=sys.__stderr__))
        from dovetail.cli.main import main
        main()
    """
    done = subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=False)
    return set(done.stderr.split())


@pytest.fixture(scope="module")
def bare() -> set[str]:
    """What Python imports by itself."""
    program = "import atexit, os, sys; print(*sys.modules)"
    return set(
        subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    )


@pytest.mark.parametrize("arguments", BUDGETS, ids=" ".join)
def test_help_is_within_its_budget(bare: set[str], arguments: tuple[str, ...]) -> None:
    modules = imported(*arguments) - bare
    assert modules & HEAVY == set()
    assert len(modules) <= BUDGETS[arguments], f"{len(modules)} modules"


def test_help_imports_no_command_but_the_one_that_is_asked() -> None:
    own = {name for name in imported("--help") if name.startswith("dovetail.")}
    assert not [name for name in own if name.startswith(("dovetail.values", "dovetail.tracking", "dovetail.models"))]
    below = {name for name in imported("runs", "--help") if name.startswith("dovetail.")}
    needed = ("beginnings", "completion", "export", "reaping", "run_ids", "runs", "selection")
    assert below - own <= {f"dovetail.cli.{name}" for name in needed}


@pytest.mark.parametrize("words", ["dovetail ru", "dovetail runs ", "dovetail runs list --exp", "dovetail run . -b "])
def test_so_are_names_and_keys_behind_the_tab_key(words: str) -> None:
    count = len(words.split(" ")) - 1
    asked = {"_DOVETAIL_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(count)}
    assert imported(variables=f"os.environ.update({asked!r})") & HEAVY == set()


@pytest.mark.parametrize("arguments", [("runs", "list"), ("runs", "list", "--json"), ("experiments", "get", "-x", "0")])
def test_commands_convert_and_draw_without_libraries_where_nobody_looks(arguments: tuple[str, ...]) -> None:
    """Text is text already, a default is what it is, and a pipe has no colours."""
    place = "os.environ['DOVETAIL_TRACKING_URI'] = 'memory://x'"
    assert imported(*arguments, variables=place) & {"pydantic", "rich.console", "rich.table", "pandas"} == set()


def test_values_that_need_it_are_still_converted(dovetail: Any) -> None:
    assert "'-m'" in dovetail("runs", "list", "-m", "0").err
    assert dovetail("runs", "list", "-m", "7").exit_code == 0
    assert dovetail("runs", "list", "-m", "seven").exit_code == 2
    assert dovetail("runs", "list", "-o", "attributes.start_time", "-o", "attributes.run_id").exit_code == 0
    assert dovetail("experiments", "create").exit_code == 2
