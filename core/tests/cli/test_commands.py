"""What each command does and prints, over a store in memory."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dovetail import Client
from dovetail.values import Metric, Param, Tag


@pytest.fixture
def run(drawer: None) -> Any:
    made = Client().create_run("0", run_name="one", start_time=1_700_000_000_000).info.run_id
    Client().log_batch(
        made,
        metrics=[Metric("loss", 0.123456789), Metric("gone", float("-inf"))],
        params=[Param("lr", "0.1")],
        tags=[Tag("stage", "try"), Tag("mlflow.note.content", "first try")],
    )
    Client().set_terminated(made, "FINISHED", end_time=1_700_000_150_000)
    return made


def test_no_runs_yet_says_how_to_start(dovetail: Any) -> None:
    shown = dovetail("runs", "list")
    assert (shown.exit_code, "dovetail run FOLDER" in shown.out) == (0, True)


def test_a_table_of_runs(dovetail: Any, run: str) -> None:
    heading, line = dovetail("runs", "list").out.splitlines()
    assert heading.split() == ["Run", "Name", "Status", "Started", "Took", "gone", "loss", "Experiment"]
    assert [run, "one", "FINISHED"] == line.split()[:3]
    assert "2 min 30 s" in line
    assert "0.123457" in line


def test_many_metrics_are_cut(dovetail: Any, run: str) -> None:
    Client().log_batch(
        Client().create_run("0").info.run_id, metrics=[Metric(f"m{number}", number) for number in range(9)]
    )
    heading = dovetail("runs", "list").out.splitlines()[0]
    assert heading.split()[5:] == ["m0", "m1", "m2", "m3", "Experiment"]


def test_filters_orders_and_counts(dovetail: Any, run: str) -> None:
    for number in range(3):
        made = Client().create_run("0", run_name=f"n{number}").info.run_id
        Client().log_metric(made, "score", number)
    listed = dovetail("runs", "list", "-f", "metrics.score >= 1", "-o", "metrics.score ASC", "-m", "1")
    assert [line.split()[1] for line in listed.out.splitlines()[1:]] == ["n1"]
    wrong = dovetail("runs", "list", "-f", "metrics.score >")
    assert (wrong.exit_code, wrong.err.startswith("Error: ")) == (2, True)


def test_one_run(dovetail: Any, run: str) -> None:
    out = dovetail("runs", "show", run).out
    for line in ("Params\n  lr  0.1", "Metrics\n  gone  -inf\n  loss  0.123457", "Tags\n  stage  try", "first try"):
        assert line in out
    assert f"dovetail artifacts list -r {run}" in out


def test_json(dovetail: Any, run: str) -> None:
    shown = json.loads(dovetail("runs", "show", run, "--json").out)
    assert shown["data"]["metrics"] == {"loss": 0.123456789, "gone": "-Infinity"}
    assert json.loads(dovetail("runs", "describe", "--run-id", run).out) == shown
    assert json.loads(dovetail("runs", "list", "--json").out) == [shown]


def test_the_beginning_of_an_id_is_enough(dovetail: Any, drawer: None) -> None:
    for run_id in ("abc1" + "0" * 28, "abc2" + "0" * 28, "a_c3" + "0" * 28):
        Client().create_run("0", run_id=run_id)
    assert "abc1000" in dovetail("runs", "show", "abc1").out
    assert "a_c3000" in dovetail("runs", "show", "a_c").out
    several = dovetail("runs", "show", "abc")
    assert (several.exit_code, "Several runs begin with 'abc'" in several.err) == (2, True)
    assert dovetail("runs", "show", "abd").exit_code == 3
    Client().delete_run("abc1" + "0" * 28)
    assert "deleted" in dovetail("runs", "show", "abc1").out


def test_artifacts(dovetail: Any, run: str) -> None:
    assert "Nothing under the root" in dovetail("artifacts", "list", "-r", run).out
    Client().log_text(run, "x" * 1500, "a/b.txt")
    assert dovetail("artifacts", "list", "-r", run).out.split() == ["Path", "Size", "a/"]
    assert dovetail("artifacts", "list", "-r", run[:8], "-a", "a").out.split() == [
        "Path",
        "Size",
        "a/b.txt",
        "1.5",
        "kB",
    ]
    path = dovetail("artifacts", "download", "-r", run, "-a", "a/b.txt", "-d", "down").out.strip()
    assert len(Path(path).read_text()) == 1500
    assert dovetail("artifacts", "download", "-u", f"runs:/{run}/a/b.txt", "-d", "again").exit_code == 0
    assert dovetail("artifacts", "download", "-r", run, "-u", "runs:/x/y").exit_code == 2
    assert dovetail("artifacts", "download", "-r", run, "-a", "../x").exit_code == 2
    assert dovetail("artifacts", "log-artifact", "-l", "missing", "-r", run).exit_code == 3


def test_plugins_are_listed_from_metadata(dovetail: Any) -> None:
    out = dovetail("plugins", "list").out
    assert "tracking store" in out
    assert "dovetail-core" in out
    assert {"name", "group", "distribution"} <= set(json.loads(dovetail("plugins", "list", "--json").out)[0])


def test_nothing_that_was_logged_reaches_the_terminal_as_a_command(dovetail: Any, drawer: None) -> None:
    made = Client().create_run("0", run_name="\x1b]0;title\x07 \u202egnp").info.run_id
    Client().log_batch(made, params=[Param("a", "\x1b[2J")], tags=[Tag("t", "two\nlines")])
    for arguments in (("runs", "list"), ("runs", "show", made)):
        out = dovetail(*arguments).out
        for char in "\x1b\x07\u202e":
            assert char not in out
    assert "two\\nlines" in out


def test_names_of_any_width_stay_in_their_columns(dovetail: Any, drawer: None) -> None:
    for name in ("plain", "模型训练", "cafe\u0301"):
        Client().create_run("0", run_name=name)
    lines = dovetail("runs", "list").out.splitlines()
    starts = [
        sum(2 if char > "\u2fff" else 0 if char == "\u0301" else 1 for char in line[: line.index("RUNNING")])
        for line in lines[1:]
    ]
    assert len(set(starts)) == 1


@pytest.mark.parametrize(
    "arguments",
    [("-P", "x"), ("-P", "=1"), ("-P", "a=1", "-P", "a=2"), ("-c", "{"), ("-e", "none")],
)
def test_run_refuses_what_cannot_be_right(dovetail: Any, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    (tmp_path / "main.py").write_text("")
    ended = dovetail("run", str(tmp_path), *arguments)
    assert ended.exit_code == 2
    assert ended.err.startswith("Error: ")
    assert ended.err.count("\n") == 2, "one line, and one with what to do"


def test_a_models_signature_stands_on_lines_of_its_own(dovetail: Any, drawer: None, tmp_path: Path) -> None:
    signature = {"inputs": '[{"type": "double", "name": "x"}]', "outputs": '[{"type": "long"}]'}
    content = {"flavors": {"python_function": {"loader_module": "mlflow.sklearn"}}, "signature": signature}
    (tmp_path / "MLmodel").write_text(json.dumps(content), encoding="utf-8")  # JSON is YAML
    out = dovetail("models", "show", "-m", str(tmp_path)).out
    assert [line.split(maxsplit=1) for line in out.splitlines()][-3:-1] == [
        ["signature", "inputs: ['x': double (required)]"],
        ["outputs:", "[long (required)]"],
    ]
    assert "\\n" not in out
