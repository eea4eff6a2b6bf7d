"""What a terminal is sent: colours, sizes, live tables, and nothing that others have logged could do to it."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest
from rich.cells import cell_len

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")

TWO = "a = add('one', 0.1); b = add('two', 0.2, 'FAILED')"
WILD = r"""
a = add('\x1b]0;title\x07[red]x[/red] \x9b31m', 0.1, None{a}); b = add('emoji 🎉 模型 \u202e', 0.2, 'FINISHED'{b})
client.log_batch(a, [], [Param('p', '[bold]\x1b[2J' + 'x' * 5000)])
client.set_tag(a, 'mlflow.note.content', '\x1b[2J\nnote')
client.set_terminated(a)
"""


def plain(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)


def test_a_status_has_a_colour_and_a_heading_is_bold(screen: Any) -> None:
    out = screen("runs", "list", story=TWO, columns=200).out
    assert "\x1b[1mRun" in out
    assert "\x1b[32mFINISHED\x1b[0m" in out
    assert re.search(r"\x1b\[31mFAILED *\x1b\[0m", out)


@pytest.mark.parametrize("variables", [{"NO_COLOR": "1"}, {"TERM": "dumb"}, {"NO_COLOR": "1", "FORCE_COLOR": "1"}])
@pytest.mark.parametrize("arguments", [("runs", "list"), ("runs", "list", "--help"), ("experiments", "get", "-x", "0")])
def test_without_colours(screen: Any, variables: dict[str, str], arguments: tuple[str, ...]) -> None:
    assert "\x1b" not in screen(*arguments, story=TWO, **variables).out


def test_long_tables_have_colours_and_are_quick(screen: Any) -> None:
    began = time.monotonic()
    out = screen("runs", "list", "-m", "3000", story="for n in range(3000): client.create_run('0')", columns=100).out
    assert out.count("\x1b[36mRUNNING\x1b[0m") == 3000
    assert time.monotonic() - began < 30


def test_colours_are_forced_through_a_pipe(tmp_path: Path) -> None:
    program = (
        "import os; os.environ['DOVETAIL_TRACKING_URI'] = 'memory://x'\n"
        "from dovetail import Client\nfrom dovetail.cli.main import main\nClient().create_run('0')\nmain()"
    )
    for arguments in (("runs", "list"), ("runs", "--help"), ("experiments", "get", "-x", "0")):
        for forced in ("1", ""):
            env = {**os.environ, "FORCE_COLOR": forced, "NO_COLOR": "", "TERM": "xterm", "COLUMNS": "20"}
            done = subprocess.run(
                [sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=True, env=env
            )
            assert ("\x1b[" in done.stdout) == bool(forced)
            assert "Not shown" not in done.stdout, "nothing is left out where no terminal is"


@pytest.mark.parametrize("columns", [0, 1, 10, 60, 80, 100, 300])
def test_columns_are_left_out_where_they_do_not_fit_and_that_is_said(screen: Any, columns: int) -> None:
    shown = screen("runs", "list", story=TWO, columns=columns)
    lines = plain(shown.out).splitlines()
    assert shown.exit_code == 0
    assert ("Not shown for want of room: " in lines[-1]) == (0 < columns < 58)
    assert all(cell_len(line) <= max(columns or 80, 40) for line in lines[:3])


@pytest.mark.parametrize("size", ["0", "-5", "abc", "", "99999999999"])
def test_sizes_that_cannot_be(screen: Any, size: str) -> None:
    for arguments in (("runs", "list"), ("runs", "--help"), ("runs", "watch")):
        ended = screen(*arguments, story=TWO, COLUMNS=size, LINES=size)
        assert (ended.exit_code, "Traceback" in ended.out) == (0, False)


def test_long_cells_are_shortened_before_columns_are_left_out(screen: Any) -> None:
    story = "add('n' * 300, 0.1)"
    out = plain(screen("runs", "list", story=story, columns=120).out)
    assert "n" * 34 + "…" in out
    assert "Experiment" in out
    assert "n" * 300 in plain(screen("runs", "list", story=story, columns=400).out)


@pytest.mark.parametrize(
    "arguments",
    [("runs", "list"), ("runs", "show", "{a}"), ("runs", "compare", "{a}", "{b}"), ("runs", "watch", "{a}"),
     ("runs", "list", "--json"), ("runs", "describe", "{a}"), ("experiments", "csv", "-x", "0")],
)  # fmt: skip
@pytest.mark.parametrize("variables", [{}, {"NO_COLOR": "1"}])
def test_nothing_that_was_logged_is_a_command_or_markup(
    screen: Any, arguments: tuple[str, ...], variables: dict[str, str]
) -> None:
    ids = {"a": "a" * 32, "b": "b" * 32}
    story = WILD.replace("{a}", f", '{ids['a']}'").replace("{b}", f", '{ids['b']}'")
    shown = screen(*[each.format(**ids) for each in arguments], story=story, columns=250, **variables)
    assert shown.exit_code == 0
    assert "[red]x[/red]" in shown.out, "markup is text"
    for char in "\x07\x9b\u202e":
        assert char not in shown.out
    for command in ("\x1b]0", "\x1b[2J"):
        assert command not in shown.out


def test_rows_stay_in_their_columns_whatever_their_width(screen: Any) -> None:
    lines = plain(
        screen("runs", "list", story=WILD.replace("{a}", "").replace("{b}", ""), columns=250).out
    ).splitlines()
    assert len({cell_len(line[: line.index("FINISHED")]) for line in lines[1:]}) == 1


def test_differences_are_marked_with_and_without_colour(screen: Any) -> None:
    story = "add('one', 0.1, run_id='aaaa1111'); add('two', 0.2, run_id='aaaa2222')"
    coloured = screen("runs", "compare", "aaaa1", "aaaa2", story=story).out
    assert re.search(r"\x1b\[33m≠ param lr", coloured)
    assert "≠ param lr" in screen("runs", "compare", "aaaa1", "aaaa2", story=story, NO_COLOR="1").out
    ascii_only = screen("runs", "compare", "aaaa1", "aaaa2", story=story, PYTHONIOENCODING="ascii", NO_COLOR="1").out
    assert "! param lr" in ascii_only


LIVE = """
import pathlib, threading, time
a = add('night', 0.1, None); b = add('day', 0.2, {second})
def work():
    while not pathlib.Path("shown").exists():
        time.sleep(0.01)
    for step in range(20, 26):
        time.sleep(0.2)
        client.log_metric(a, 'loss', 0.5 * step, step=step)
    client.set_terminated(a, 'FINISHED')
    if {second} is None: client.set_terminated(b, 'FAILED')
threading.Thread(target=work, daemon=True).start()
"""


def test_a_live_table_follows_runs_to_their_end(screen: Any) -> None:
    story = LIVE.replace("{second}", "None")
    ended = screen("runs", "watch", "--interval", "0.1", story=story, awaited="night", columns=200)
    assert ended.exit_code == 0
    assert "\x1b[?25h" in ended.out, "the cursor is back"
    last = plain(ended.out.rpartition("\x1b[2K")[2])
    assert {line.split()[2] for line in last.splitlines() if "day" in line or "night" in line} == {"FAILED", "FINISHED"}


def test_one_run_is_shown_in_detail(screen: Any) -> None:
    story = LIVE.replace("{second}", "'FINISHED'")
    ended = screen("runs", "watch", "--interval", "0.1", story=story, awaited="night")
    last = plain(ended.out.rpartition("\x1b[2K")[2])
    metric = next(line for line in last.splitlines() if line.startswith("loss"))
    assert metric.split()[1:3] == ["12.5", "25"]
    assert "█" in metric


def test_watching_a_run_whose_name_the_terminal_cannot_take(screen: Any) -> None:
    ended = screen("runs", "watch", "abc", story="add('日本', 0.1, run_id='abc')", PYTHONIOENCODING="latin-1")
    assert (ended.exit_code, "\\u65e5\\u672c" in ended.out) == (0, True)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("terminal", [True, False])
def test_watching_is_left_cleanly(tmp_path: Path, number: int, code: int, terminal: bool) -> None:
    program = (
        "import os; os.environ['DOVETAIL_TRACKING_URI'] = 'memory://x'\n"
        "from dovetail import Client\nfrom dovetail.cli.main import main\nClient().create_run('0', run_name='mine')\n"
        "main(['runs', 'watch', '--interval', '60'])"
    )
    master, slave = pty.openpty() if terminal else os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdout=slave, stderr=subprocess.PIPE, env={**os.environ, "TERM": "xterm"}
    )
    os.close(slave)
    try:
        out = b""
        while b"mine" not in out:
            out += os.read(master, 4096)
        time.sleep(0.2)
        process.send_signal(number)
        assert process.stderr is not None
        said = process.stderr.read().decode()
        assert (process.wait(30), said.count("\n")) == (code, 1)
        assert said.startswith(("Error: Interrupted.", "Error: Terminated."))
        if terminal:
            assert b"\x1b[?25h" in os.read(master, 65536), "the cursor is back"
    finally:
        process.kill()
        process.wait()
        assert process.stderr is not None
        process.stderr.close()
        os.close(master)
