"""Who sees to runs: processes that are killed, asked to end, slow or gone, and those that go on with their runs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("dovetail_sqlite")

import dovetail as mlflow
from dovetail.tracking.places import tracking_store
from dovetail.values import Lease

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Start = Callable[..., subprocess.Popen[str]]
    Script = Callable[..., subprocess.CompletedProcess[str]]

HEAD = """
import multiprocessing, os, signal, sys, threading, time
import dovetail as mlflow
"""
FAST = {"DOVETAIL_HEARTBEAT_INTERVAL": "0.2"}
LONG_GONE = 1.5
"""Seconds after which a sign of life by this interval holds no more."""


@pytest.fixture
def begun() -> Iterator[Start]:
    """Starts a script and returns its process once it has said ``ready``; killed when the test is over."""
    processes = []

    def start(source: str, **variables: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(HEAD + source)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **variables},
        )
        processes.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n", process.communicate()[1]
        return process

    yield start
    for process in processes:
        process.kill()
        process.communicate()


def status_of(name: str) -> str:
    """The status of the run of that name."""
    [run] = mlflow.search_runs(filter_string=f"attributes.run_name = '{name}'", output_format="list")
    return run.info.status


def wait_for(status: str, name: str = "a") -> None:
    """Wait until the run of that name has a status."""
    for _ in range(200):
        if status_of(name) == status:
            return
        time.sleep(0.05)
    assert status_of(name) == status


def set_interval(text: str) -> None:
    """Change the file of settings at once: whoever reads half of it, or nothing, would take the default."""
    Path("next.toml").write_text(f"heartbeat_interval = {text}\n")
    Path("next.toml").replace("dovetail.toml")


LOGS = (
    "mlflow.start_run(run_name='a'); mlflow.log_metric('loss', 1, step=0); print('ready', flush=True); time.sleep(60)"
)
IDLE = "mlflow.start_run(run_name='a'); print('ready', flush=True); time.sleep(60)"


def runs_list() -> str:
    """What the command says."""
    argv = [sys.executable, "-c", "from dovetail.cli.main import main; main()", "runs", "list"]
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout


class TestAProcessThatIsKilled:
    def test_leaves_a_crashed_run_to_whoever_opens_its_store_next(self, begun: Start) -> None:
        process = begun(LOGS)
        process.kill()
        process.wait()
        [run] = mlflow.search_runs(output_format="list")
        assert run.info.status == "CRASHED"
        assert run.info.start_time <= run.info.end_time <= time.time_ns() // 1_000_000
        assert run.data.metrics == {"loss": 1.0}

    def test_was_there_when_its_last_point_was_measured(self, begun: Start) -> None:
        process = begun(
            """
mlflow.start_run()
for step in range(5):
    mlflow.log_metric("loss", 1, step=step)
    time.sleep(0.2)
print("ready", flush=True)
time.sleep(60)
"""
        )
        process.kill()
        process.wait()
        [run] = mlflow.search_runs(output_format="list")
        [last] = run.data.latest
        assert run.info.end_time >= last.timestamp >= run.info.start_time + 700

    @pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="nothing tells of processes that ended here")
    def test_is_gone_although_nobody_has_waited_for_it_yet(self, begun: Start) -> None:
        process = begun(LOGS)
        process.kill()
        stat = Path(f"/proc/{process.pid}/stat")
        while stat.read_text().rpartition(")")[2].split()[0] != "Z":
            time.sleep(0.05)
        assert "CRASHED" in runs_list()
        process.wait()

    def test_leaves_one_to_other_processes_if_nothing_was_logged(self, begun: Start) -> None:
        process = begun(IDLE, **FAST)
        process.kill()
        process.wait()
        assert status_of("a") == "RUNNING", "nobody can know it yet"
        begun(LOGS.replace("'a'", "'b'"), **FAST)
        wait_for("CRASHED")
        assert status_of("b") == "RUNNING"

    def test_leaves_one_to_the_command_line(self, begun: Start) -> None:
        process = begun(IDLE, **FAST)
        assert "RUNNING" in runs_list()
        process.kill()
        process.wait()
        time.sleep(LONG_GONE)
        assert "CRASHED" in runs_list()

    def test_that_never_gave_a_sign_of_life_leaves_its_run_as_it_was(self, begun: Start) -> None:
        process = begun(LOGS, DOVETAIL_HEARTBEAT_INTERVAL="0")
        process.kill()
        process.wait()
        assert status_of("a") == "RUNNING"
        assert list(tracking_store().reap_runs()) == []

    def test_takes_nobody_elses_run_along(self, begun: Start) -> None:
        mine = mlflow.start_run(run_name="mine")
        process = begun(LOGS)
        process.kill()
        process.wait()
        tracking_store().reap_runs()
        assert mlflow.get_run(mine.info.run_id).info.status == "RUNNING"
        mlflow.end_run()
        assert status_of("mine") == "FINISHED"

    def test_leaves_a_run_that_somebody_took_up_to_them(self, begun: Start) -> None:
        process = begun(LOGS)
        [run] = mlflow.search_runs(output_format="list")
        with mlflow.start_run(run_id=run.info.run_id):
            process.kill()
            process.wait()
            runs_list()
            assert status_of("a") == "RUNNING"
        assert status_of("a") == "FINISHED"


class TestAProcessThatLives:
    def test_keeps_its_runs_however_long_they_take(self, begun: Start) -> None:
        begun(IDLE, **FAST)
        for _ in range(10):
            time.sleep(0.3)
            assert list(tracking_store().reap_runs()) == []
        assert status_of("a") == "RUNNING"

    def test_and_was_asleep_goes_on(self, begun: Start) -> None:
        process = begun(IDLE, **FAST)
        process.send_signal(signal.SIGSTOP)
        time.sleep(LONG_GONE)
        assert len(tracking_store().reap_runs()) == 1
        assert status_of("a") == "CRASHED"
        process.send_signal(signal.SIGCONT)
        wait_for("RUNNING")

    def test_gives_no_signs_of_life_between_runs(self, script: Script) -> None:
        done = script(
            f"""{HEAD}
os.environ["DOVETAIL_HEARTBEAT_INTERVAL"] = "0.05"
def beating(): return [each.name for each in threading.enumerate() if "heartbeat" in each.name]
for _ in range(2):
    with mlflow.start_run(): print(len(beating()))
    for _ in range(100):
        if not beating(): break
        time.sleep(0.05)
    print(len(beating()))
"""
        )
        assert done.stdout.split() == ["1", "0"] * 2

    def test_goes_on_giving_signs_although_settings_were_broken_for_a_while(self, begun: Start) -> None:
        set_interval("0.1")
        begun(IDLE)
        set_interval("[")
        time.sleep(0.5)
        set_interval("0.1")
        time.sleep(1)
        tracking_store().reap_runs()
        wait_for("RUNNING")
        time.sleep(1)
        assert list(tracking_store().reap_runs()) == []

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
    @pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
    def test_is_another_one_than_its_children(self, script: Script) -> None:
        done = script(
            f"""{HEAD}
from dovetail.tracking.holder import holder_id
mlflow.start_run(run_name="parent")
mine = holder_id()
if (child := os.fork()) == 0:
    mlflow.start_run(run_name="child")
    mlflow.log_metric("loss", 1)
    print(holder_id() != mine, flush=True)
    os._exit(9)
os.waitpid(child, 0)
mlflow.MlflowClient().store.reap_runs(mine)
mlflow.end_run()
"""
        )
        assert done.stdout == "True\n"
        assert status_of("parent") == "FINISHED"
        assert status_of("child") == "CRASHED"


class TestAStoreWithAMistake:
    def test_hides_no_error_of_the_script_and_keeps_no_other_run_from_its_end(self, script: Script) -> None:
        done = script(
            f"""{HEAD}
from dovetail.testing import MemoryTrackingStore
from dovetail import hookimpl, plugins
class Odd(MemoryTrackingStore):
    lasting = True
    def log_batch(self, *args, **options): raise ValueError("odd")
class Places:
    @hookimpl
    def dovetail_tracking_stores(self): return {{"odd": Odd}}
plugins.register(Places(), "tracking_stores", "odd")
os.environ["DOVETAIL_DRAIN_TIMEOUT"] = "0.5"
mlflow.start_run(run_name="good")
mlflow.set_tracking_uri("odd://store")
with mlflow.start_run(nested=True):
    mlflow.log_metric("loss", 1)
    raise RuntimeError("the script's own")
""",
            check=False,
        )
        assert "RuntimeError: the script's own" in done.stderr
        assert "odd" in done.stderr
        assert status_of("good") == "FAILED"


class TestManyThreads:
    def test_end_the_runs_that_each_of_them_began(self, script: Script) -> None:
        for _ in range(4):
            script(
                f"""{HEAD}
from concurrent.futures import ThreadPoolExecutor
gate = threading.Barrier(8)
def work(number):
    gate.wait()
    with mlflow.start_run(run_name=str(number)): mlflow.log_metric("loss", number)
with ThreadPoolExecutor(8) as pool: list(pool.map(work, range(8)))
"""
            )
        statuses = {run.info.status for run in mlflow.search_runs(output_format="list")}
        assert statuses == {"FINISHED"}

    def test_are_heard_by_each_store_though_another_one_hangs(self, script: Script) -> None:
        done = script(
            f"""{HEAD}
from dovetail.testing import MemoryTrackingStore
from dovetail import hookimpl, plugins
beats = []
class Hangs(MemoryTrackingStore):
    lasting = True
    def beat(self, holder, seconds):
        beats.append(self.uri)
        time.sleep(60) if "hangs" in self.uri else None
        super().beat(holder, seconds)
class Places:
    @hookimpl
    def dovetail_tracking_stores(self): return {{"slow": Hangs}}
plugins.register(Places(), "tracking_stores", "slow")
os.environ["DOVETAIL_HEARTBEAT_INTERVAL"] = "0.1"
mlflow.set_tracking_uri("slow://hangs")
mlflow.start_run()
mlflow.set_tracking_uri("slow://answers")
mlflow.start_run(nested=True)
time.sleep(1.5)
print(beats.count("slow://hangs"), beats.count("slow://answers") > 3, flush=True)
os._exit(0)
"""
        )
        assert done.stdout == "1 True\n"


class TestSigterm:
    def test_ends_runs_as_killed(self, begun: Start) -> None:
        process = begun(LOGS)
        process.terminate()
        assert process.wait() == 143
        assert status_of("a") == "KILLED"

    def test_lets_blocks_put_their_things_away(self, begun: Start) -> None:
        process = begun(
            """
with mlflow.start_run(run_name="a"):
    try:
        print("ready", flush=True)
        time.sleep(60)
    finally:
        mlflow.log_metric("put away", 1)
"""
        )
        process.terminate()
        process.communicate()
        [run] = mlflow.search_runs(output_format="list")
        assert (run.info.status, run.data.metrics) == ("KILLED", {"put away": 1.0})

    def test_is_left_to_a_program_that_handles_it(self, begun: Start) -> None:
        process = begun(
            """
signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
mlflow.start_run(run_name="a")
print("ready", flush=True)
time.sleep(60)
"""
        )
        process.terminate()
        assert process.wait() == 7

    def test_has_its_own_effect_when_no_run_is_active(self, script: Script) -> None:
        done = script(
            f"""{HEAD}
before = signal.getsignal(signal.SIGTERM)
with mlflow.start_run():
    with mlflow.start_run(nested=True): pass
    print(signal.getsignal(signal.SIGTERM) is before)
print(signal.getsignal(signal.SIGTERM) is before)
"""
        )
        assert done.stdout.split() == ["False", "True"]

    def test_ends_children_on_the_spot(self, script: Script) -> None:
        done = script(
            f"""{HEAD}
with mlflow.start_run():
    child = multiprocessing.get_context("fork").Process(target=time.sleep, args=(60,))
    child.start()
    child.terminate()
    child.join()
    print(child.exitcode)
"""
        )
        assert done.stdout == "-15\n"

    def test_in_another_thread_than_the_first_one_changes_nothing(self, script: Script) -> None:
        done = script(
            f"""{HEAD}
def work():
    with mlflow.start_run(): print(signal.getsignal(signal.SIGTERM) is signal.SIG_DFL)
thread = threading.Thread(target=work)
thread.start()
thread.join()
"""
        )
        assert done.stdout == "True\n"


class TestAKey:
    def test_goes_on_with_the_run_that_it_began(self) -> None:
        with mlflow.start_run(key="night", run_name="a", tags={"n": "1"}) as first:
            mlflow.log_metric("loss", 1, step=0)
        with mlflow.start_run(key="night", tags={"n": "2"}) as second:
            mlflow.log_metric("loss", 0.5, step=1)
        run = mlflow.get_run(first.info.run_id)
        assert second.info.run_id == first.info.run_id
        assert (run.info.run_name, run.info.status, run.data.tags["n"]) == ("a", "FINISHED", "2")
        assert run.data.tags["dovetail.key"] == "night"
        assert len(mlflow.Client().get_metric_history(run.info.run_id, "loss")) == 2

    def test_belongs_to_its_experiment(self) -> None:
        with mlflow.start_run(key="night") as one:
            pass
        mlflow.set_experiment("other")
        with mlflow.start_run(key="night") as other:
            pass
        assert one.info.run_id != other.info.run_id

    def test_of_a_run_that_is_active_is_refused(self) -> None:
        with mlflow.start_run(key="night") as run:
            with pytest.raises(mlflow.errors.InvalidState, match="already active"):
                mlflow.start_run(key="night", nested=True, from_step=0)
            mlflow.log_metric("loss", 1)
        assert mlflow.get_run(run.info.run_id).data.metrics == {"loss": 1.0}

    def test_is_the_same_run_in_another_place(self, tmp_path: Path) -> None:
        ids = []
        for name in ("a", "b"):
            mlflow.set_tracking_uri(f"sqlite:///{tmp_path}/{name}.db")
            if name == "b":
                mlflow.create_experiment("first")  # so that the numbers of experiments differ
            mlflow.set_experiment("wine")
            with mlflow.start_run(key="night") as run:
                ids.append(run.info.run_id)
        assert ids[0] == ids[1]

    def test_goes_on_after_a_kill(self, begun: Start) -> None:
        process = begun(LOGS.replace("run_name='a'", "run_name='a', key='night'"))
        process.kill()
        process.wait()
        with mlflow.start_run(key="night", resume="must") as run:
            assert run.info.run_name == "a"
            assert run.data.metrics == {"loss": 1.0}
        assert status_of("a") == "FINISHED"

    def test_that_is_started_by_many_at_once_is_one_run(self) -> None:
        source = """
print("ready", flush=True)
input()
mlflow.start_run(key="k")
mlflow.log_metric("m", 1, step=int(sys.argv[1]))
"""
        started = [
            subprocess.Popen(
                [sys.executable, "-c", HEAD + source, str(number)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for number in range(4)
        ]
        for process in started:
            assert process.stdout is not None
            process.stdout.readline()
        for process in started:
            process.communicate("\n")
        assert [process.returncode for process in started] == [0] * 4
        [run] = mlflow.search_runs(output_format="list")
        assert sorted(point.step for point in mlflow.Client().get_metric_history(run.info.run_id, "m")) == [0, 1, 2, 3]

    @pytest.mark.parametrize(
        ("asked", "error", "said"),
        [
            ({"key": "known", "resume": "never"}, mlflow.errors.AlreadyExists, "already"),
            ({"key": "unknown", "resume": "must"}, mlflow.errors.NotFound, "'unknown'"),
            ({"key": ""}, mlflow.errors.InvalidInput, "empty"),
            ({"key": 5}, mlflow.errors.InvalidInput, "text"),
            ({"key": "a\0"}, mlflow.errors.InvalidInput, "NUL"),
            ({"key": "a", "run_id": "b"}, mlflow.errors.InvalidInput, "twice"),
            ({"key": "a", "resume": "perhaps"}, mlflow.errors.InvalidInput, "allow"),
            ({"resume": "must"}, mlflow.errors.InvalidInput, "key"),
            ({"from_step": 3}, mlflow.errors.InvalidInput, "run_id"),
            ({"key": "a", "from_step": "3"}, mlflow.errors.InvalidInput, "whole number"),
            ({"key": "a", "from_step": 2**80}, mlflow.errors.InvalidInput, "whole number"),
        ],
    )
    def test_that_makes_no_sense_starts_nothing(
        self, asked: dict[str, object], error: type[Exception], said: str
    ) -> None:
        with mlflow.start_run(key="known"):
            pass
        with pytest.raises(error, match=said):
            mlflow.start_run(**asked)
        assert mlflow.active_run() is None
        assert len(mlflow.search_runs(output_format="list")) == 1

    def test_of_a_deleted_run_says_so(self) -> None:
        with mlflow.start_run(key="night") as run:
            pass
        mlflow.delete_run(run.info.run_id)
        with pytest.raises(mlflow.errors.RunEnded, match="Restore"):
            mlflow.start_run(key="night")


class TestGoingOnFromAStep:
    def test_takes_away_what_was_logged_behind_the_checkpoint(self) -> None:
        with mlflow.start_run(key="night") as run:
            for step in range(10):
                mlflow.log_metric("loss", 1 / (step + 1), step=step)
        with mlflow.start_run(key="night", from_step=6):
            for step in range(6, 8):
                mlflow.log_metric("loss", 0.0, step=step)
        points = mlflow.Client().get_metric_history(run.info.run_id, "loss")
        assert [point.step for point in points] == list(range(8))
        assert [point.value for point in points][-2:] == [0.0, 0.0]

    def test_also_of_a_process_that_was_killed(self, begun: Start) -> None:
        process = begun(
            """
mlflow.start_run(run_name="a")
for step in range(100): mlflow.log_metric("loss", step, step=step)
print("ready", flush=True)
time.sleep(60)
"""
        )
        [run] = mlflow.search_runs(output_format="list")
        process.kill()
        process.wait()
        with mlflow.start_run(run_id=run.info.run_id, from_step=50):
            pass
        points = mlflow.Client().get_metric_history(run.info.run_id, "loss")
        assert [point.step for point in points] == list(range(50))

    def test_of_a_new_run_takes_nothing_away(self) -> None:
        with mlflow.start_run(key="night", from_step=6) as run:
            mlflow.log_metric("loss", 0.5, step=6)
        assert mlflow.get_run(run.info.run_id).data.metrics == {"loss": 0.5}


class TestAProcessWhoseRunWentToAnother:
    def test_cannot_end_it(self) -> None:
        with mlflow.start_run(run_name="a") as run:
            tracking_store().update_run(run.info.run_id, status="RUNNING", lease=Lease("somebody", 600))
        assert status_of("a") == "RUNNING"

    def test_ends_it_once_the_other_is_gone(self) -> None:
        with mlflow.start_run(run_name="a") as run:
            tracking_store().update_run(run.info.run_id, status="RUNNING", lease=Lease("somebody", 0.05))
            time.sleep(0.2)
        assert status_of("a") == "FINISHED"

    def test_may_end_it_by_its_id(self) -> None:
        with mlflow.start_run(run_name="a") as run:
            tracking_store().update_run(run.info.run_id, status="RUNNING", lease=Lease("somebody", 600))
            mlflow.Client().set_terminated(run.info.run_id, "FAILED")
        assert status_of("a") == "FINISHED"
