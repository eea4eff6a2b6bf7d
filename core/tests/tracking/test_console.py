"""Console output kept with runs: whatever prints it, whatever it goes to, however the process ends."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("dovetail_sqlite")
pytest.importorskip("pty", reason="there is no relay on Windows")

import dovetail as mlflow

if TYPE_CHECKING:
    from collections.abc import Callable

    Script = Callable[..., subprocess.CompletedProcess[str]]

HEAD = """
import os, signal, subprocess, sys, threading, time
import dovetail as mlflow
"""


def output(run_name: str = "wine") -> str:
    """What is kept of a run's output."""
    return (folder(run_name) / "output.log").read_text("utf-8")


def folder(run_name: str = "wine") -> Path:
    (run,) = mlflow.search_runs(
        filter_string=f"attributes.run_name = '{run_name}'", output_format="list", search_all_experiments=True
    )
    return Path(run.info.artifact_uri.removeprefix("file://")) / "logs"


def wait_for(condition: Callable[[], object], seconds: float = 20.0) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.05)


class TestWhatIsKept:
    def test_what_python_its_children_and_c_code_print(self, script: Script) -> None:
        done = script(
            f"""{HEAD}
import ctypes
with mlflow.start_run(run_name="wine", log_output=True):
    print("python")
    sys.stdout.flush()
    print("complaint", file=sys.stderr)
    subprocess.run([sys.executable, "-c", "print('child')"], check=True)
    os.write(1, b"descriptor\\n")
    ctypes.CDLL(None).printf(b"from C\\n")
print("afterwards")
"""
        )
        assert done.stdout.splitlines() == ["python", "child", "descriptor", "from C", "afterwards"]
        assert done.stderr == "complaint\n"
        assert sorted(output().splitlines()) == sorted(["python", "child", "descriptor", "from C", "complaint"])

    def test_in_the_order_it_was_printed_where_both_go_to_one_place(self, tmp_path: Path) -> None:
        path = tmp_path / "train.py"
        path.write_text(
            f"""{HEAD}
with mlflow.start_run(run_name="wine", log_output=True):
    for number in range(100):
        print(number, file=(sys.stdout, sys.stderr)[number % 2], flush=True)
""",
            encoding="utf-8",
        )
        done = subprocess.run(
            [sys.executable, str(path)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=True
        )
        assert output() == done.stdout == "".join(f"{number}\n" for number in range(100))

    def test_by_the_setting_unless_the_argument_says_otherwise(self, script: Script) -> None:
        source = f"{HEAD}\nwith mlflow.start_run(run_name='%s', log_output=%s): print('hello')"
        script(source % ("wine", None), DOVETAIL_LOG_OUTPUT="true")
        script(source % ("quiet", False), DOVETAIL_LOG_OUTPUT="true")
        script(source % ("unasked", None))
        assert output() == "hello\n"
        assert not any(folder(name).exists() for name in ("quiet", "unasked"))

    def test_the_last_state_of_a_progress_bar(self, script: Script) -> None:
        done = script(
            f"""{HEAD}
with mlflow.start_run(run_name="wine", log_output=True):
    for step in range(1000):
        sys.stderr.write(f"\\r{{step}} of 1000")
    sys.stderr.write("\\ndone\\r\\n")
"""
        )
        assert "\n500 of 1000\n" in done.stderr  # which is how subprocess gives them
        assert output() == "999 of 1000\ndone\n"

    def test_what_cannot_be_decoded_as_it_is(self, script: Script) -> None:
        script(
            f"""{HEAD}
os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
with mlflow.start_run(run_name="wine", log_output=True):
    os.write(1, b"\\xff\\xfe\\x1b[31mred\\x1b[0m\\x1b\\n\\x1b]dovetail;\\n")
"""
        )
        assert (folder() / "output.log").read_bytes() == b"\xff\xfe\x1b[31mred\x1b[0m\x1b\n\x1b]dovetail;\n"

    def test_nested_runs_each_have_their_part(self, script: Script) -> None:
        script(
            f"""{HEAD}
with mlflow.start_run(run_name="sweep", log_output=True):
    print("before")
    for number in range(3):
        with mlflow.start_run(run_name=f"trial {{number}}", nested=True, log_output=True):
            print("trial", number)
    print("after")
"""
        )
        assert [output(f"trial {number}") for number in range(3)] == ["trial 0\n", "trial 1\n", "trial 2\n"]
        assert output("sweep") == "before\ntrial 0\ntrial 1\ntrial 2\nafter\n"

    def test_the_parent_may_end_first(self, script: Script) -> None:
        done = script(
            f"""{HEAD}
mlflow.start_run(run_name="outer", log_output=True)
ready, go = threading.Event(), threading.Event()
def work():
    with mlflow.start_run(run_name="inner", log_output=True):
        ready.set(); go.wait(); print("inside")
thread = threading.Thread(target=work); thread.start(); ready.wait()
print("outside"); mlflow.end_run(); go.set(); thread.join(); print("free")
"""
        )
        assert (output("outer"), output("inner")) == ("outside\n", "outside\ninside\n")
        assert done.stdout == "outside\ninside\nfree\n"

    def test_a_run_that_is_taken_up_keeps_what_was_there(self, script: Script) -> None:
        script(
            f"""{HEAD}
with mlflow.start_run(run_name="wine", log_output=True) as run: print("first")
with mlflow.start_run(run.info.run_id, log_output=True): print("second")
"""
        )
        assert output() == "first\n"
        assert [path.read_text("utf-8") for path in folder().glob("output-*.log")] == ["second\n"]

    def test_it_shows_while_the_run_lasts(self, script: Script) -> None:
        script(
            f"""{HEAD}
from pathlib import Path
from dovetail.tracking import console
console.PACE = 0.05
with mlflow.start_run(run_name="wine", log_output=True) as run:
    print("under way", flush=True)
    path = Path(run.info.artifact_uri.removeprefix("file://"), "logs/output.log")
    until = time.monotonic() + 20
    while not (path.exists() and path.read_text() == "under way\\n"):
        assert time.monotonic() < until
        time.sleep(0.02)
"""
        )
        assert output() == "under way\n"


@pytest.mark.parametrize("target", ["terminal", "file"])
def test_programs_see_a_terminal_where_there_is_one(target: str, tmp_path: Path) -> None:
    path = tmp_path / "train.py"
    path.write_text(
        f"""{HEAD}
with mlflow.start_run(run_name="wine", log_output=True):
    print(sys.stdout.isatty(), os.isatty(1))
""",
        encoding="utf-8",
    )
    reader, writer = os.openpty() if target == "terminal" else os.pipe()
    subprocess.run([sys.executable, str(path)], stdout=writer, check=True)
    os.close(writer)
    assert os.read(reader, 1000).decode().split() == [str(target == "terminal")] * 2
    os.close(reader)
    assert output() == f"{target == 'terminal'} {target == 'terminal'}\n"


class TestHoweverItEnds:
    @pytest.mark.parametrize(
        ("ending", "last"),
        [
            ("", "step\n"),
            ("sys.exit('no data')", "no data\n"),
            ("raise ValueError('diverged')", "ValueError: diverged\n"),
            ("os.kill(os.getpid(), signal.SIGINT); time.sleep(5)", "KeyboardInterrupt\n"),
            ("os._exit(3)", "step\n"),
            ("os.kill(os.getpid(), signal.SIGKILL)", "step\n"),
            ("os.kill(os.getpid(), signal.SIGTERM); time.sleep(5)", "step\n"),
            ("ctypes.string_at(0)", "step\n"),
        ],
    )
    @pytest.mark.parametrize("block", [True, False])
    def test_all_that_was_handed_over_is_kept(self, ending: str, last: str, block: bool, script: Script) -> None:
        body = f"    print('step', flush=True)\n    {ending}"
        head = "with mlflow.start_run(run_name='wine', log_output=True):"
        start = head if block else "mlflow.start_run(run_name='wine', log_output=True)\nif True:"
        done = script(f"{HEAD}\nimport ctypes\n{start}\n{body}", check=False)
        assert done.stdout == "step\n"
        wait_for((folder() / "output.log").exists)
        wait_for(lambda: "step\n" in output() and last in output())
        wait_for(lambda: not list(Path(os.environ["XDG_STATE_HOME"], "dovetail/console").glob("*")))

    def test_an_exception_that_somebody_catches_is_in_it_once(self, script: Script) -> None:
        done = script(
            f"""{HEAD}
try:
    with mlflow.start_run(run_name="wine", log_output=True):
        raise ValueError("diverged")
except ValueError: pass
"""
        )
        assert done.stderr == ""
        assert output().count("ValueError: diverged") == 1

    def test_children_that_go_on_print_on(self, script: Script) -> None:
        done = script(
            f"""{HEAD}
with mlflow.start_run(run_name="wine", log_output=True):
    child = subprocess.Popen([sys.executable, "-c", "import time; print(1, flush=True); time.sleep(2); print(2)"])
    time.sleep(0.7)
print("ended", flush=True)
child.wait()
"""
        )
        assert done.stdout == "1\nended\n2\n"
        assert output() == "1\n"

    def test_a_forked_child_prints_into_its_parents_output(self, script: Script) -> None:
        script(
            f"""{HEAD}
with mlflow.start_run(run_name="wine", log_output=True):
    if (child := os.fork()) == 0:
        print("child", flush=True)
        with mlflow.start_run(run_name="own", log_output=True): print("own", flush=True)
        os._exit(0)
    os.waitpid(child, 0)
    print("parent")
"""
        )
        assert output() == "child\nown\nparent\n"
        assert output("own") == "own\n"

    def test_a_pool_of_workers(self, script: Script) -> None:
        script(
            f"""{HEAD}
import multiprocessing
def work(number): os.write(1, f"worker {{number}}\\n".encode())
if __name__ == "__main__":
    with mlflow.start_run(run_name="wine", log_output=True):
        with multiprocessing.get_context("spawn").Pool(2) as pool: pool.map(work, range(4))
"""
        )
        assert sorted(output().splitlines()) == [f"worker {number}" for number in range(4)]

    def test_the_relay_dies_and_printing_goes_on(self, script: Script) -> None:
        done = script(
            f"""{HEAD}
from dovetail.tracking import console
with mlflow.start_run(run_name="wine", log_output=True):
    print("before", flush=True)
    time.sleep(0.3)
    relay = console._capture._relay
    os.kill(relay.pid, signal.SIGKILL)
    for number in range(20000): print("line", number)
print("end")
"""
        )
        lines = done.stdout.splitlines()
        assert [lines[0], *lines[-2:]] == ["before", "line 19999", "end"]
        assert len(lines) > 10000  # it takes along what it held at that moment

    def test_the_relay_dies_and_its_children_go_on_printing(self, script: Script) -> None:
        done = script(
            f"""{HEAD}
from dovetail.tracking import console
with mlflow.start_run(run_name="wine", log_output=True):
    prints = "echo one; read answer; echo two; read answer; echo three"
    child = subprocess.Popen(["sh", "-c", prints], stdin=subprocess.PIPE)
    time.sleep(0.3)
    os.kill(console._capture._relay.pid, signal.SIGKILL)
    console._capture._relay.wait()
    for _ in range(2):
        child.stdin.write(b"\\n")
        child.stdin.flush()
        time.sleep(0.3)
    print("status", child.wait())
print("end")
"""
        )
        assert sorted(done.stdout.splitlines()) == sorted(["one", "two", "three", "status 0", "end"])

    def test_a_reader_that_leaves_ends_the_script_as_it_would_without(self, tmp_path: Path) -> None:
        path = tmp_path / "train.py"
        path.write_text(
            f"""{HEAD}
with mlflow.start_run(run_name="wine", log_output=True):
    while True: print("line", flush=True)
""",
            encoding="utf-8",
        )
        with subprocess.Popen([sys.executable, str(path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            process.stdout.readline()
            process.stdout.close()
            assert b"BrokenPipeError" in process.stderr.read()
        assert process.returncode == 1


class TestTroubles:
    def test_a_state_folder_that_cannot_be_written_ends_no_training(self, script: Script, tmp_path: Path) -> None:
        (tmp_path / "taken").write_text("", encoding="utf-8")
        done = script(
            f"{HEAD}\nwith mlflow.start_run(run_name='wine', log_output=True): print('hello')",
            DOVETAIL_STATE_DIR=str(tmp_path / "taken"),
        )
        assert done.stdout == "hello\n"
        assert "Console output is not kept with run" in done.stderr

    def test_artifacts_that_cannot_be_uploaded_wait_for_the_next_run(self, script: Script) -> None:
        done = script(
            f"""{HEAD}
from pathlib import Path
with mlflow.start_run(run_name="wine", log_output=True) as run:
    print("hello")
    place = Path(run.info.artifact_uri.removeprefix("file://"))
    place.parent.mkdir(parents=True)
    place.write_text("no folder")
"""
        )
        assert "cannot be uploaded" in done.stderr
        folder().parent.unlink()
        script(f"{HEAD}\nwith mlflow.start_run(run_name='next', log_output=True): time.sleep(1)")
        assert output() == "hello\n"

    def test_what_belongs_to_another_store_is_left_to_it(self, script: Script) -> None:
        script(
            f"""{HEAD}
from dovetail.tracking import console
console.recover = lambda folder=None: None
mlflow.start_run(run_name='wine', log_output=True)
print('hello', flush=True); time.sleep(0.5)
os.kill(console._capture._relay.pid, signal.SIGKILL); os._exit(0)
"""
        )
        source = f"{HEAD}\nwith mlflow.start_run(run_name='next', log_output=True): time.sleep(1)"
        script(source, DOVETAIL_TRACKING_URI="sqlite:///other.db")
        assert not folder().exists()
        script(source)
        assert output() == "hello\n"


class TestStreamsOfOthers:
    def test_a_stream_that_is_no_descriptor(self, capsys: pytest.CaptureFixture[str]) -> None:
        mlflow.set_tracking_uri("sqlite:///dovetail.db")
        with mlflow.start_run(run_name="wine", log_output=True):
            sys.stdout.write("captured\n")
        sys.stdout.write("afterwards\n")
        assert capsys.readouterr().out == "captured\nafterwards\n"
        assert output() == "captured\n"

    def test_where_there_can_be_no_relay_what_python_prints_is_kept(
        self, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sys, "executable", "")
        mlflow.set_tracking_uri("sqlite:///dovetail.db")
        for name in ("first", "second"):
            with mlflow.start_run(run_name=name, log_output=True):
                sys.stdout.write(f"{name}\n")
                os.write(1, b"from elsewhere\n")
        assert capfd.readouterr().out.count("from elsewhere") == 2
        assert (output("first"), output("second")) == ("first\n", "second\n")

    def test_a_notebook(self, script: Script, tmp_path: Path) -> None:
        pytest.importorskip("ipykernel")
        pytest.importorskip("jupyter_client")
        script(
            f"""
import sys
from jupyter_client.manager import KernelManager

CELLS = '''
import os, subprocess, dovetail as mlflow
run = mlflow.start_run(run_name="wine", log_output=True)
print("from its cell")
---
print("from python")
---
subprocess.run(["echo", "from a child"], check=True)
import time; time.sleep(0.5)
---
mlflow.end_run()
'''
manager = KernelManager(kernel_cmd=[{sys.executable!r}, "-m", "ipykernel_launcher", "-f", "{{connection_file}}"])
manager.start_kernel(env=dict(__import__("os").environ, JPY_SESSION_NAME="wine.ipynb"))
client = manager.blocking_client()
client.start_channels()
client.wait_for_ready(timeout=60)
for cell in CELLS.split("---"):
    reply = client.execute_interactive(cell, timeout=60, output_hook=lambda _: None)
    assert reply["content"]["status"] == "ok", reply
client.stop_channels()
manager.shutdown_kernel()
"""
        )
        assert sorted(output().splitlines()) == ["from a child", "from its cell", "from python"]
        (run,) = mlflow.search_runs(output_format="list", search_all_experiments=True)
        tags = [run.data.tags[f"mlflow.source.{name}"] for name in ("type", "name")]
        assert tags == ["NOTEBOOK", "wine.ipynb"]
