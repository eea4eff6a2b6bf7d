"""The Tab key: a real shell asks, and nobody who is typing is disturbed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from dovetail import Client
from dovetail.cli import completion

RUN = "abc1" + "0" * 28

# A store in memory with something in it, then the command line: what a shell finds as `dovetail`.
PROGRAM = f"""#!{sys.executable}
import os
os.environ.setdefault("DOVETAIL_TRACKING_URI", "memory://x")
from dovetail.cli.main import main
if os.environ["DOVETAIL_TRACKING_URI"] == "memory://x":
    from dovetail import Client
    for name in ("wine", "two words", "$(touch hacked)", "`touch hacked`", "a;b", "größe"):
        made = Client().create_experiment(name)
    Client().create_run(made, run_id="{RUN}", run_name="it's \\"$(touch hacked)\\" [red]")
    Client().create_run(made, run_id="abd2")
main()
"""

ASK = """
eval "$(dovetail --show-completion)"
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
$(complete -p dovetail | sed 's/.*-F \\([^ ]*\\) .*/\\1/') dovetail
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture
def bash(tmp_path: Path) -> Any:
    """``bash("dovetail", "ru")`` presses the Tab key behind these words; the last one is what is being typed."""
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "dovetail"
    program.write_text(PROGRAM)
    program.chmod(0o755)
    (tmp_path / "ask.sh").write_text(ASK)

    def press(*words: str, **variables: str) -> list[str]:
        env = {name: text for name, text in os.environ.items() if not name.startswith(("DOVETAIL_", "MLFLOW_"))}
        env |= {"PATH": f"{tmp_path / 'bin'}{os.pathsep}{env['PATH']}", **variables}
        done = subprocess.run(
            ["bash", str(tmp_path / "ask.sh"), *words],
            capture_output=True, text=True, check=False, env=env, cwd=tmp_path,
        )  # fmt: skip
        assert done.stderr == "", "nothing is said"
        assert sorted(path.name for path in tmp_path.iterdir()) == ["ask.sh", "bin"], "nothing is made"
        return done.stdout.split("\n")[:-1]

    return press


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
class TestBash:
    @pytest.mark.parametrize(
        ("words", "offered"),
        [
            (("ru",), ["run", "runs"]),
            (("runs", "c"), ["compare", "create"]),
            (("runs", "list", "--experiment"), ["--experiment-id", "--experiment-name"]),
            (("runs", "show", "abc"), [RUN]),
            (("runs", "show", ""), ["abd2", RUN]),
            (("runs", "compare", RUN, "abd"), ["abd2"]),
            (("runs", "delete", "--run-id", "abd"), ["abd2"]),
            (("experiments", "get", "-n", "w"), ["wine"]),
            (("experiments", "rename", "--experiment-id", "0"), ["0"]),
            (("runs", "list", "-v", "a"), ["active_only", "all"]),
            (("runs", "show", "zzz"), [""]),
        ],
    )
    def test_words_are_completed(self, bash: Any, words: tuple[str, ...], offered: list[str]) -> None:
        assert bash("dovetail", *words) in (offered, offered[::-1])

    def test_names_that_a_shell_would_take_apart_are_left_out(self, bash: Any) -> None:
        assert sorted(bash("dovetail", "runs", "list", "-n", "")) == ["Default", "größe", "wine"]

    @pytest.mark.parametrize(
        "place", ["nosuchscheme://x", "sqlite:///not-there.db", "sqlite:///", "not/there.db", "/proc/self/mem", "\x01"]
    )
    def test_a_place_that_cannot_be_asked_offers_nothing(self, bash: Any, place: str) -> None:
        assert bash("dovetail", "runs", "show", "", DOVETAIL_TRACKING_URI=place) == [""]

    def test_words_that_make_no_sense_disturb_nobody(self, bash: Any) -> None:
        for words in (("nonsense", "x", ""), ("runs", "nonsense", ""), ("--env-file", "missing", "runs", "")):
            bash("dovetail", *words)


def ask(shell: str, words: str, folder: Path, **variables: str) -> str:
    env = {**os.environ, "_DOVETAIL_COMPLETE": f"complete_{shell}", "_TYPER_COMPLETE_ARGS": words, **variables}
    env.pop("DOVETAIL_TRACKING_URI", None)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False, env=env, cwd=folder
    )
    assert done.stderr == ""
    return done.stdout


def test_zsh_is_given_nothing_that_it_would_run(tmp_path: Path) -> None:
    """It evaluates what it is offered, help included."""
    out = ask("zsh", "dovetail runs show ", tmp_path)
    assert f'"{RUN}":"it s touch hacked red' in out
    for char in "$`\\;[":
        assert char not in out
    assert '"runs":"List, show, compare' in ask("zsh", "dovetail ru", tmp_path)


def test_fish_is_given_values_with_help(tmp_path: Path) -> None:
    get = {"_TYPER_COMPLETE_FISH_ACTION": "get-args"}
    assert f"{RUN}\tit s touch hacked red\n" in ask("fish", "dovetail runs show ", tmp_path, **get)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_scripts_are_for_the_shell_that_asks(tmp_path: Path, shell: str) -> None:
    env = {**os.environ, "_DOVETAIL_COMPLETE": f"source_{shell}"}
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False, env=env)
    assert f"_DOVETAIL_COMPLETE=complete_{shell}" in done.stdout


def test_installing_writes_into_the_home_folder(tmp_path: Path) -> None:
    line = "exec 3>&1; bash -c 'python -c \"$PROGRAM\" --install-completion; true'"
    (tmp_path / "python").symlink_to(sys.executable)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    env = {**os.environ, "HOME": str(tmp_path), "PROGRAM": PROGRAM, "PATH": path}
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=False, env=env)
    assert "completion installed in" in done.stdout, done.stderr
    assert "_DOVETAIL_COMPLETE=complete_bash" in (tmp_path / ".bash_completions" / "dovetail.sh").read_text()


def test_plugin_keys_come_from_metadata(installed: Any) -> None:
    offered = {"env_managers": {"cloud": "acme_cloud"}, "backends": {"cluster": "acme_cloud"}}
    site = installed("acme-cloud", offered).parent
    completing = "from dovetail.cli import completion; print(completion.env_managers('c'), completion.backends('c'))"
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(site)!r}); {completing}"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "('cloud', 'acme-cloud 1.2.3')" in done.stdout
    assert "('cluster', 'acme-cloud 1.2.3')" in done.stdout


def test_a_store_that_does_not_answer_is_given_up(drawer: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(completion, "SECONDS", 0.2)
    store = Client().store
    store.search_experiments = lambda *_, **__: time.sleep(5)  # type: ignore[assignment, method-assign]
    began = time.monotonic()
    assert completion.experiment_names("") == []
    assert time.monotonic() - began < 2
