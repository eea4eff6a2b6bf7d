"""Two machines that log to one run on a server: each keeps what waits in a folder of its own, and both resume it."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING, NamedTuple

import pytest

import dovetail
from dovetail.tracking import places

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# Takes a run up, logs every second step of some, and ends as it is told to.
SCRIPT = textwrap.dedent("""
    import os, sys
    import dovetail
    run_id, name, ending = sys.argv[1], sys.argv[2], sys.argv[3]
    first, end = map(int, sys.argv[4:])
    dovetail.start_run(**({"key": run_id[4:]} if run_id.startswith("key:") else {"run_id": run_id}))
    print("resumed", flush=True)
    sys.stdin.readline()
    for step in range(first, end, 2):
        dovetail.log_metric("loss", float(step), step=step)
        dovetail.log_metrics({name: step}, step=step)
        if step - first == 50:
            dovetail.log_param(f"{name}-{first}", step)
            dovetail.set_tag(name, step)
    if ending == "cut":
        os._exit(1)
    dovetail.flush_async_logging()
    print("logged", flush=True)
    sys.stdin.readline()
""")


class Machine(NamedTuple):
    """A machine as far as the user's own folder makes one."""

    name: str
    home: Path
    uri: str

    def resume(self, run_id: str, steps: tuple[int, int], ending: str = "end") -> subprocess.Popen[str]:
        variables = {"DOVETAIL_TRACKING_URI": self.uri, "DOVETAIL_STATE_DIR": str(self.home / "state")}
        return subprocess.Popen(
            [sys.executable, "-c", SCRIPT, run_id, self.name, ending, *map(str, steps)],
            env={**os.environ, **variables}, cwd=self.home, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def journals(self) -> list[Path]:
        return list(self.home.rglob("*.journal"))


@pytest.fixture
def machines(tmp_path: Path, uri: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Machine, Machine]]:
    """Two of them; this process is a third."""
    monkeypatch.delenv("DOVETAIL_JOURNAL_DIR", raising=False)
    monkeypatch.setenv("DOVETAIL_STATE_DIR", str(tmp_path / "here"))
    made = tuple(Machine(name, tmp_path / name, uri) for name in ("one", "two"))
    for each in made:
        each.home.mkdir()
    dovetail.set_tracking_uri(uri)
    yield made[0], made[1]
    places.forget_places()


@pytest.fixture(params=["id", "key"])
def named(request: pytest.FixtureRequest, machines: object) -> str:
    """What the machines know a run by: the id of one that is there, or a key, by which the first one makes it."""
    del machines
    return dovetail.Client().create_run("0").info.run_id if request.param == "id" else "key:night 7"


def the_run() -> str:
    """The id of the one run there is."""
    [run] = dovetail.Client().search_runs(["0"])
    return run.info.run_id


def heard(process: subprocess.Popen[str], word: str) -> None:
    """Wait until it says so."""
    assert process.stdout is not None
    said = process.stdout.readline()
    assert said == f"{word}\n", (said, process.communicate()[1])


def told(process: subprocess.Popen[str]) -> None:
    """Let it go on."""
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def assert_logged(run_id: str, until: int) -> None:
    """All steps are there, once, whoever logged them."""
    client = dovetail.Client()
    points = client.get_metric_history(run_id, "loss")
    assert sorted((point.step, point.value) for point in points) == [(step, float(step)) for step in range(until)]
    for number, name in enumerate(("one", "two")):
        found = sorted(point.step for point in client.get_metric_history(run_id, name))
        assert found == list(range(number, until, 2))


def test_both_log_to_it_at_a_time(machines: tuple[Machine, Machine], named: str) -> None:
    working = [each.resume(named, (number, 1000)) for number, each in enumerate(machines)]
    for word in ("resumed", "logged"):
        for process in working:
            heard(process, word)
        if word == "logged":
            assert_logged(the_run(), 1000)  # while both go on
        for process in working:
            told(process)
    assert [process.communicate(timeout=60)[1] for process in working] == ["", ""]
    run = dovetail.get_run(the_run())
    assert run.info.status == "FINISHED"
    assert run.data.params == {"one-0": "50", "two-1": "51"}
    assert (run.data.tags["one"], run.data.tags["two"]) == ("50", "51")
    assert [each.journals() for each in machines] == [[], []]


def test_what_one_left_when_it_was_cut_off_comes_when_it_is_back(machines: tuple[Machine, Machine], named: str) -> None:
    """Meanwhile the other machine resumes the run and brings in nothing that is not its own."""
    one, two = machines
    finish(one.resume(named, (0, 400), "cut"), 1)
    assert len(one.journals()) == 1
    finish(two.resume(named, (1, 400)))
    assert len(one.journals()) == 1
    finish(one.resume(named, (400, 800)))
    finish(two.resume(named, (401, 800)))
    assert_logged(the_run(), 800)
    assert dovetail.get_run(the_run()).data.params == {"one-0": "50", "two-1": "51", "one-400": "450", "two-401": "451"}
    assert [each.journals() for each in machines] == [[], []]


def test_both_may_be_cut_off_at_a_time(machines: tuple[Machine, Machine], named: str) -> None:
    for begin in (0, 300, 600):
        working = [each.resume(named, (begin + number, begin + 300), "cut") for number, each in enumerate(machines)]
        for process in working:
            heard(process, "resumed")
        for process in working:
            told(process)
        assert [(process.communicate(timeout=60)[1], process.returncode) for process in working] == [("", 1)] * 2
    working = [each.resume(named, (900 + number, 1000)) for number, each in enumerate(machines)]
    for process in working:
        finish(process)
    assert_logged(the_run(), 1000)
    assert [each.journals() for each in machines] == [[], []]


def finish(process: subprocess.Popen[str], code: int = 0) -> None:
    """Let it go on to its end."""
    said = process.communicate("\n\n", timeout=60)
    assert (said[1], process.returncode) == ("", code)
