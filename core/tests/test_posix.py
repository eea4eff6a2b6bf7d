from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest

from dovetail.posix import end_group, group_is_alive, is_alive, kill_group, locked, private_folder, start_group

if TYPE_CHECKING:
    from pathlib import Path

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="signals and modes")
HOLDER = """
import sys, time
from pathlib import Path
from dovetail.posix import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(20)
"""


def python(source: str, *arguments: str) -> list[str]:
    return [sys.executable, "-c", source, *arguments]


class TestLock:
    def test_a_second_holder_has_to_wait(self, tmp_path: Path) -> None:
        with locked(tmp_path / "lock"), pytest.raises(TimeoutError), locked(tmp_path / "lock", timeout=0):
            pass

    def test_threads_exclude_each_other_too(self, tmp_path: Path) -> None:
        inside, most = [], []

        def work() -> None:
            with locked(tmp_path / "lock", timeout=20):
                inside.append(1)
                most.append(len(inside))
                time.sleep(0.01)
                inside.pop()

        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert most == [1] * 8

    def test_it_is_free_again_after_an_error(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match="oops"), locked(tmp_path / "lock"):
            raise ValueError("oops")
        with locked(tmp_path / "lock", timeout=0):
            pass

    def test_a_killed_holder_gives_it_back(self, tmp_path: Path) -> None:
        path = tmp_path / "lock"
        with subprocess.Popen(python(HOLDER, str(path)), stdout=subprocess.PIPE) as holder:
            assert holder.stdout is not None
            assert holder.stdout.readline().strip() == b"held"
            with pytest.raises(TimeoutError), locked(path, timeout=0.1):
                pass
            holder.kill()
            with locked(path, timeout=20):
                pass

    @posix_only
    def test_a_child_that_inherits_it_holds_on(self, tmp_path: Path) -> None:
        path = tmp_path / "lock"
        with locked(path) as descriptor:
            child = start_group(python("import time; time.sleep(20)"), env=os.environ, keep=[descriptor])
        with child:
            with pytest.raises(TimeoutError), locked(path, timeout=0.2):
                pass
            kill_group(child.pid)
        with locked(path, timeout=20):
            pass

    def test_a_folder_that_is_missing_is_an_error(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError), locked(tmp_path / "absent" / "lock"):
            pass


class TestPrivateFolder:
    @posix_only
    def test_what_is_made_is_for_the_owner_alone(self, tmp_path: Path) -> None:
        tmp_path.chmod(0o755)
        made = private_folder(tmp_path / "a" / "b")
        assert [path.stat().st_mode & 0o777 for path in (made, made.parent, tmp_path)] == [0o700, 0o700, 0o755]

    def test_one_that_is_there_is_fine(self, tmp_path: Path) -> None:
        assert private_folder(private_folder(tmp_path / "a")) == tmp_path / "a"

    def test_a_file_in_the_way_is_an_error(self, tmp_path: Path) -> None:
        (tmp_path / "a").write_text("", encoding="utf-8")
        with pytest.raises(OSError, match="a"):
            private_folder(tmp_path / "a" / "b")


class TestGroup:
    def test_the_program_gets_its_arguments_as_they_are(self) -> None:
        given = ["two words", "a;b", "$HOME", ""]
        source = "import sys; print(sys.argv[1:])"
        with start_group(python(source, *given), env=os.environ, stdout=subprocess.PIPE) as child:
            assert child.communicate()[0].decode().strip() == str(given)

    def test_a_program_that_is_missing_is_an_error(self) -> None:
        with pytest.raises(FileNotFoundError):
            start_group(["no-such-program-anywhere"], env=os.environ)

    @posix_only
    def test_the_child_is_in_a_group_of_its_own(self) -> None:
        with start_group(python("import time; time.sleep(20)"), env=os.environ) as child:
            assert os.getpgid(child.pid) == child.pid != os.getpgrp()
            kill_group(child.pid)

    @posix_only
    def test_ending_it_ends_grandchildren(self, tmp_path: Path) -> None:
        pulse = tmp_path / "pulse"
        script = f"(while sleep 0.01; do echo x >> '{pulse}'; done) & wait"
        with start_group(["sh", "-c", script], env=os.environ) as child:
            while not pulse.exists():
                time.sleep(0.01)
            end_group(child, grace=10)
        beats = pulse.stat().st_size
        time.sleep(0.1)
        assert pulse.stat().st_size == beats
        assert not group_is_alive(child.pid)

    @posix_only
    def test_ending_it_does_not_wait_longer_than_it_takes(self) -> None:
        begun = time.monotonic()
        with start_group(["sleep", "20"], env=os.environ) as child:
            end_group(child, grace=10)
        assert time.monotonic() - begun < 5

    def test_ending_what_has_ended_does_nothing(self) -> None:
        with start_group(python(""), env=os.environ) as child:
            child.wait()
            end_group(child, grace=1)
        assert child.returncode == 0

    def test_a_process_is_alive_until_it_was_waited_for(self) -> None:
        with start_group(python("import time; time.sleep(20)"), env=os.environ) as child:
            assert is_alive(child.pid)
            kill_group(child.pid)
            child.wait()
            assert not is_alive(child.pid)

    def test_this_process_is_alive_and_no_process_is_not(self) -> None:
        assert is_alive(os.getpid())
        assert not is_alive(0)
