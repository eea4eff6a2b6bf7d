"""Logging from everywhere that Python runs: children of all kinds, threads, loops, notebooks, and ends of all kinds."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("dovetail_sqlite")

import dovetail

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

    Script = Callable[..., subprocess.CompletedProcess[str]]

HEAD = """
import asyncio, atexit, concurrent.futures, multiprocessing, os, signal, sys, threading, time
import dovetail as mlflow
def log(count, first=0, key="loss", **options):
    for step in range(first, first + count):
        mlflow.log_metric(key, float(step), step=step, **options)
"""
METHODS = ["spawn", *(["fork", "forkserver"] if hasattr(os, "fork") else [])]
forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")


def steps(name: str | None = None, key: str = "loss") -> list[int]:
    """The steps of the only run, or of the one of that name."""
    runs = dovetail.search_runs(output_format="list")
    [run] = [run for run in runs if name in (None, run.info.run_name)]
    return [point.step for point in dovetail.Client().get_metric_history(run.info.run_id, key)]


def nothing_waits() -> bool:
    return not Path("dovetail.db.journals").exists()


class TestTheEndOfAProcess:
    @pytest.mark.parametrize(
        ("ending", "status"),
        [
            ("pass", "FINISHED"),
            ("sys.exit(0)", "FINISHED"),
            ("1 / 0", "FAILED"),
            ("raise KeyboardInterrupt", "KILLED"),
            ("mlflow.end_run('FAILED'); os._exit(0)", "FAILED"),
            ("os._exit(0)", "CRASHED"),
            ("os.abort()", "CRASHED"),
            ("os.kill(os.getpid(), 9)", "CRASHED"),
        ],
    )
    def test_loses_nothing(self, ending: str, status: str, script: Script) -> None:
        script(f"{HEAD}\nlog(5000)\n{ending}", check=False)
        assert steps() == list(range(5000))
        assert [run.info.status for run in dovetail.search_runs(output_format="list")] == [status]
        assert nothing_waits()

    def test_includes_what_is_logged_at_the_exit(self, script: Script) -> None:
        script(
            f"""{HEAD}
log(10)
atexit.register(log, 10, 10)
"""
        )
        assert steps() == list(range(20))
        assert nothing_waits()

    def test_includes_what_is_logged_at_the_exit_behind_everything_else(self, script: Script) -> None:
        """Functions are called in the reverse order in which they were registered: this one when all seems over."""
        done = script(
            f"""{HEAD}
atexit.register(lambda: log(10, 10, run_id=run.info.run_id))
run = mlflow.MlflowClient().create_run("0")
log(10, run_id=run.info.run_id)
"""
        )
        assert done.stderr == ""
        assert steps() == list(range(20))

    def test_includes_what_threads_log_that_nobody_waits_for(self, script: Script) -> None:
        done = script(
            f"""{HEAD}
from pathlib import Path
run = mlflow.MlflowClient().create_run("0")
def go_on():
    step = 0
    while True:
        mlflow.log_metric("loss", step, step=step, run_id=run.info.run_id)
        os.pwrite(said, b"%10d" % step, 0)
        step += 1
said = os.open("said", os.O_RDWR | os.O_CREAT)
threading.Thread(target=go_on, daemon=True).start()
while os.fstat(said).st_size == 0: time.sleep(0.01)
time.sleep(0.5)
"""
        )
        assert done.stderr == ""
        logged = int(Path("said").read_text())
        assert logged > 50
        found = steps()
        assert found == list(range(len(found)))
        assert len(found) >= logged + 1
        assert nothing_waits()

    def test_takes_no_noticeable_time(self, script: Script) -> None:
        begin = time.monotonic()
        script(f"{HEAD}\nlog(1)")
        assert time.monotonic() - begin < 20


@forks
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
class TestForks:
    def test_parent_and_child_log_to_one_run(self, script: Script) -> None:
        script(
            f"""{HEAD}
run_id = mlflow.start_run().info.run_id
log(500)
child = os.fork()
if child == 0:
    log(500, 500, run_id=run_id)
    sys.exit()
log(500, 1000)
assert os.waitpid(child, 0)[1] == 0
""",
            "-W",
            "ignore",
        )
        assert sorted(steps()) == list(range(1500))
        assert nothing_waits()

    def test_at_any_moment_of_a_busy_parent(self, script: Script) -> None:
        """Its threads deliver and log, and hold whatever locks they hold, when it forks."""
        script(
            f"""{HEAD}
run_id = mlflow.start_run(run_name="main").info.run_id
stop = threading.Event()
def go_on(number):
    step = number
    while not stop.is_set():
        mlflow.log_metric("busy", step, step=step, run_id=run_id)
        step += 2
threads = [threading.Thread(target=go_on, args=(number,)) for number in range(2)]
for each in threads: each.start()
children = []
for number in range(15):
    time.sleep(0.03)
    child = os.fork()
    if child == 0:
        signal.alarm(40)
        log(20, 20 * number, run_id=run_id)
        mlflow.flush_async_logging()
        os._exit(0)
    children.append(child)
ended = [os.waitpid(child, 0)[1] for child in children]
stop.set()
for each in threads: each.join()
assert ended == [0] * 15, ended
""",
            "-W",
            "ignore",
        )
        assert sorted(steps("main")) == list(range(300))
        busy = steps("main", "busy")
        assert len(busy) == len(set(busy)) > 100
        assert nothing_waits()

    def test_a_child_that_outlives_its_parent_keeps_nobody_from_the_parents_journal(self, script: Script) -> None:
        done = script(
            f"""{HEAD}
log(100)
if os.fork() == 0:
    os.close(1); os.close(2)
    time.sleep(60)
    os._exit(0)
log(100, 100)
os._exit(0)
""",
            "-W",
            "ignore",
        )
        assert done.stderr == ""
        assert steps() == list(range(200))

    def test_a_child_that_is_killed_leaves_its_journal_to_the_next(self, script: Script) -> None:
        script(
            f"""{HEAD}
run_id = mlflow.start_run().info.run_id
log(10)
child = os.fork()
if child == 0:
    log(10, 10, run_id=run_id)
    os.kill(os.getpid(), 9)
os.waitpid(child, 0)
""",
            "-W",
            "ignore",
        )
        assert steps() == list(range(20))
        assert nothing_waits()


@pytest.mark.parametrize("method", METHODS)
class TestMultiprocessing:
    def test_workers_log_to_one_run(self, method: str, script: Script) -> None:
        script(
            f"""{HEAD}
def work(task):
    run_id, first = task
    log(50, first, run_id=run_id)
if __name__ == "__main__":
    with mlflow.start_run() as run, multiprocessing.get_context("{method}").Pool(3) as pool:
        log(50)
        pool.map(work, [(run.info.run_id, 50 * number) for number in range(1, 10)], chunksize=1)
        pool.close()
        pool.join()
""",
            "-W",
            "ignore",
        )
        assert sorted(steps()) == list(range(500))
        assert nothing_waits()

    @pytest.mark.parametrize("ending", ["terminate", "kill"])
    def test_workers_that_are_ended_by_force_lose_nothing(self, method: str, ending: str, script: Script) -> None:
        script(
            f"""{HEAD}
def work(run_id, done):
    log(50, run_id=run_id)
    done.set()
    time.sleep(60)
if __name__ == "__main__":
    context = multiprocessing.get_context("{method}")
    with mlflow.start_run() as run:
        done = context.Event()
        worker = context.Process(target=work, args=(run.info.run_id, done))
        worker.start()
        assert done.wait(30)
        worker.{ending}()
        worker.join()
""",
            "-W",
            "ignore",
        )
        assert steps() == list(range(50))
        assert nothing_waits()


class TestThreads:
    def test_of_an_executor_log_to_one_run(self, script: Script) -> None:
        script(
            f"""{HEAD}
with mlflow.start_run() as run, concurrent.futures.ThreadPoolExecutor(8) as pool:
    list(pool.map(lambda number: log(50, 50 * number, run_id=run.info.run_id), range(20)))
"""
        )
        assert sorted(steps()) == list(range(1000))
        assert nothing_waits()

    def test_have_runs_of_their_own(self, script: Script) -> None:
        script(
            f"""{HEAD}
def work(number):
    with mlflow.start_run(run_name=f"run {{number}}"):
        log(50)
with concurrent.futures.ThreadPoolExecutor(8) as pool:
    list(pool.map(work, range(8)))
"""
        )
        for number in range(8):
            assert steps(f"run {number}") == list(range(50))


class TestLoops:
    def test_tasks_log_to_one_run_and_the_loop_goes_on(self, script: Script) -> None:
        script(
            f"""{HEAD}
async def work(number, run_id):
    for step in range(100):
        mlflow.log_metric("loss", step, step=10 * step + number, run_id=run_id)
        await asyncio.sleep(0)
async def main():
    with mlflow.start_run() as run:
        await asyncio.gather(*(work(number, run.info.run_id) for number in range(10)))
        await asyncio.to_thread(log, 5, 1000, run_id=run.info.run_id)
        return run.info.run_id
asyncio.run(main())
"""
        )
        assert sorted(steps()) == list(range(1005))
        assert nothing_waits()

    def test_a_task_that_is_cancelled_loses_nothing(self, script: Script) -> None:
        script(
            f"""{HEAD}
async def work():
    step = 0
    with mlflow.start_run():
        while True:
            mlflow.log_metric("loss", step, step=step)
            step += 1
            if step == 50: asyncio.current_task().cancel()
            await asyncio.sleep(0)
async def main():
    try:
        await asyncio.create_task(work())
    except asyncio.CancelledError:
        pass
asyncio.run(main())
"""
        )
        assert steps() == list(range(50))
        assert [run.info.status for run in dovetail.search_runs(output_format="list")] == ["FAILED"]


class TestSignals:
    @pytest.mark.skipif(not hasattr(os, "setpgid"), reason="there is no SIGUSR1")
    def test_handlers_log_while_the_loop_they_interrupt_logs(self, script: Script) -> None:
        """As where a scheduler says by a signal that a job is about to be ended."""
        done = script(
            f"""{HEAD}
import itertools
count = itertools.count()
def handle(*_):
    mlflow.log_metric("signals", 1.0, step=next(count))
    mlflow.log_metrics({{"a": 1, "b": 2}}, step=next(count))
    mlflow.set_tag("checkpoint", "saved")
signal.signal(signal.SIGALRM, handle)
faulthandler = __import__("faulthandler"); faulthandler.dump_traceback_later(40, exit=True)
mlflow.start_run()
handle()  # what is imported at first use is there: a handler cannot wait for an import that it interrupted
signal.setitimer(signal.ITIMER_REAL, 0.002, 0.002)
try:
    log(60_000)
finally:
    signal.setitimer(signal.ITIMER_REAL, 0)
mlflow.log_param("signals", next(count) // 2)
""",
            check=False,
        )
        assert (done.stderr, done.returncode) == ("", 0)
        assert steps() == list(range(60_000))
        [run] = dovetail.search_runs(output_format="list")
        assert len(steps(key="signals")) == int(run.data.params["signals"]) > 10


class TestNotebooks:
    CELLS = (
        "import dovetail as mlflow\nrun = mlflow.start_run()",
        "for step in range(50): mlflow.log_metric('loss', step, step=step)",
        "1/0",
        "mlflow.log_metric('loss', 50, step=50)",
        "assert mlflow.active_run().info.run_id == run.info.run_id",
    )

    def test_a_run_goes_on_from_cell_to_cell(self, script: Script) -> None:
        pytest.importorskip("IPython")
        script(
            f"""
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
for cell in {self.CELLS!r}:
    done = shell.run_cell(cell)
    assert done.success or cell == "1/0", done
"""
        )
        assert steps() == list(range(51))
        assert [run.info.status for run in dovetail.search_runs(output_format="list")] == ["FINISHED"]
        assert nothing_waits()

    def test_in_kernels_of_their_own(self, script: Script) -> None:
        for needed in ("ipykernel", "jupyter_client"):
            pytest.importorskip(needed)
        script(
            f"""
from jupyter_client.manager import KernelManager
command = [{sys.executable!r}, "-m", "ipykernel_launcher", "-f", "{{connection_file}}"]
managers = {{ending: KernelManager(kernel_cmd=command) for ending in ("shutdown", "kill")}}
for manager in managers.values(): manager.start_kernel()
for ending, manager in managers.items():
    client = manager.client()
    client.start_channels(); client.wait_for_ready(timeout=40)
    for cell in {self.CELLS!r}:
        cell = cell.replace("start_run()", f"start_run(run_name='{{ending}}')")
        answer = client.execute_interactive(cell, timeout=40, output_hook=lambda _: None)["content"]
        assert answer["status"] == ("error" if cell == "1/0" else "ok"), answer
    client.stop_channels(); manager.shutdown_kernel(now=ending == "kill")
""",
            "-W",
            "ignore",
        )
        for ending in ("shutdown", "kill"):
            assert steps(ending) == list(range(51))
        assert nothing_waits()
