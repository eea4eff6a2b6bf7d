"""Launchers that are interrupted, terminated or killed, and what they leave behind."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from dovetail.posix import is_alive

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")

# A child with a grandchild; both leave their process ids, then sleep.
SLEEPER = """
import os, pathlib, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
pathlib.Path("pids.part").write_text(f"{os.getpid()} {child.pid}")
os.replace("pids.part", "pids")
print("ready", flush=True)
time.sleep(60)
"""
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)" + SLEEPER
SLOW = """
import time, pathlib
import dovetail as mlflow
with mlflow.start_run():
    mlflow.log_metric("before", 1)
    pathlib.Path("pids").write_text("")
    while not pathlib.Path("go").exists():
        time.sleep(0.05)
    mlflow.log_metric("after", 2)
    print("came to the end")
"""


def until(condition: Any, seconds: float = 30) -> Any:
    deadline = time.monotonic() + seconds
    while not (answer := condition()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)
    return answer


def started(folder: Any, process: Any) -> list[int]:
    """The ids of child and grandchild, as soon as they run."""

    def there() -> bool:
        assert process.poll() is None, process.communicate()
        return (folder / "pids").exists()

    until(there)
    return [int(word) for word in (folder / "pids").read_text().split()]


def ended(pid: int) -> bool:
    """Whether the process is gone; one that nobody has waited for yet is."""
    if not is_alive(pid):
        return True
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except OSError:
        return not is_alive(pid)


@pytest.mark.parametrize(
    ("number", "exit_code", "said"),
    [
        (signal.SIGINT, 130, "Interrupted."),
        (signal.SIGTERM, 143, "Terminated."),
        (signal.SIGHUP, 129, "The terminal was closed."),
    ],
    ids=["ctrl-c", "sigterm", "sighup"],
)
def test_an_interrupted_launcher_ends_all_it_started(project: Any, number: int, exit_code: int, said: str) -> None:
    sleeper = project({"sleep.py": SLEEPER})
    launcher = sleeper.start("-e", "sleep.py")
    pids = started(sleeper.folder, launcher)
    assert launcher.stdout.readline() == b"ready\n"
    launcher.send_signal(number)
    outcome = sleeper.outcome_of(launcher)
    assert outcome.exit_code == exit_code
    assert said in outcome.err
    assert "Traceback" not in outcome.err
    assert all(until(lambda pid=pid: ended(pid)) for pid in pids)
    assert outcome.run.info.status == "KILLED"
    assert outcome.run.info.end_time is not None
    assert outcome.log == b"ready\n"


DRIVER = """
import dovetail as mlflow
with mlflow.start_run():
    {step}
"""


@pytest.mark.parametrize(
    "step",
    [
        "mlflow.projects.run('.', 'sleep.py')",
        "mlflow.projects.run('.', 'sleep.py', synchronous=False).wait()",
        "mlflow.projects.run('.', 'sleep.py', synchronous=False)",
        "mlflow.projects.run('.', 'sleep.py', synchronous=False); __import__('time').sleep(60)",
    ],
    ids=["waiting", "in the background", "left alone", "beside other work"],
)
def test_what_a_driver_started_ends_with_it(project: Any, step: str) -> None:
    """The step has a process group of its own: only the driver can end it."""
    driver = project({"driver.py": DRIVER.format(step=step), "sleep.py": SLEEPER})
    launcher = driver.start("-e", "driver.py")
    pids = started(driver.folder, launcher)
    launcher.send_signal(signal.SIGINT)
    outcome = driver.outcome_of(launcher)
    assert outcome.exit_code == 130
    for pid in pids:
        until(lambda pid=pid: ended(pid))
    runs = outcome.place.runs()
    assert len(runs) == 2
    if step.endswith("False)"):  # the driver had ended its own run; nobody takes that back
        assert runs[0].info.status == "KILLED"
    else:
        assert [run.info.status for run in runs] == ["KILLED", "KILLED"]


def test_an_impatient_user_leaves_nothing_behind_either(project: Any) -> None:
    """The child does not end when asked; further Ctrl-C while it has its time do not let it live."""
    stubborn = project({"sleep.py": STUBBORN})
    launcher = stubborn.start("-e", "sleep.py", "-c", '{"grace_seconds": 2}')
    pids = started(stubborn.folder, launcher)
    for _ in range(3):
        launcher.send_signal(signal.SIGINT)
        time.sleep(0.3)
    outcome = stubborn.outcome_of(launcher)
    assert outcome.exit_code == 130
    assert "Traceback" not in outcome.err
    assert all(until(lambda pid=pid: ended(pid)) for pid in pids)
    assert outcome.run.info.status == "KILLED"


def test_interrupted_while_the_environment_is_made(project: Any, place: Any) -> None:
    """Nothing was started yet; the run is recorded as KILLED all the same."""
    files = {
        "MLproject": "python_env: env.yaml\nentry_points: {main: {command: 'true'}}",
        "env.yaml": "dependencies: []",
    }
    (place.work / "dovetail_slow.py").write_text(
        "import pathlib, time\nfrom dovetail import hookimpl\n"
        "from dovetail.environments.manager import EnvManager\n"
        "class Slow(EnvManager):\n"
        "    def prepare(self, spec, progress):\n"
        "        pathlib.Path('preparing').write_text('')\n"
        "        time.sleep(60)\n"
        "@hookimpl\ndef dovetail_env_managers():\n    return {'slow': Slow}\n"
    )
    program = (
        "import dovetail_slow\nfrom dovetail import plugins\n"
        "plugins.register(dovetail_slow, 'env_managers', 'slow')\n"
        "from dovetail.cli.main import main\nmain()"
    )
    folder = str(project(files).folder)
    launcher = place.start(sys.executable, "-c", program, "run", folder, "--env-manager", "slow")
    until((place.work / "preparing").exists)
    launcher.send_signal(signal.SIGINT)
    assert launcher.wait(30) == 130
    assert [run.info.status for run in place.runs()] == ["KILLED"]


def test_a_launcher_that_is_killed_does_not_take_the_run_down(project: Any) -> None:
    """The child goes on, records what it logs and ends its run; only the output stays where it was written."""
    slow = project({"slow.py": SLOW})
    launcher = slow.start("-e", "slow.py")
    started(slow.folder, launcher)
    os.kill(launcher.pid, signal.SIGKILL)
    launcher.wait(10)
    (slow.folder / "go").write_text("")
    run = until(lambda: next((run for run in slow.place.runs() if run.info.status == "FINISHED"), None))
    assert run.data.metrics == {"before": 1.0, "after": 2.0}
    log = slow.place.folder / "state" / "runs" / run.info.run_id / "output.log"
    until(lambda: b"came to the end" in log.read_bytes())
    assert slow.run("-e", "slow.py").exit_code == 0, "the store is as good as before"


def test_a_reader_of_the_output_who_goes_away_ends_the_run(project: Any) -> None:
    """``dovetail run … | head -1``: the launcher cannot pass on what nobody reads, and says nothing about it."""
    source = "import time\nfor i in range(100000):\n    print('line', i, flush=True)\n    time.sleep(0.01)"
    chatty = project({"chatty.py": source})
    launcher = chatty.start("-e", "chatty.py")
    assert launcher.stdout.readline() == b"line 0\n"
    launcher.stdout.close()
    launcher.wait(30)
    assert launcher.stderr.read() == b""
    assert [run.info.status for run in chatty.place.runs()] == ["KILLED"]
