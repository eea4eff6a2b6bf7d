from __future__ import annotations

import os
import shlex
import signal
import stat
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from dovetail.errors import EnvironmentFailed, InvalidInput
from dovetail.posix import is_alive
from dovetail.testing import BackendSuite, PluginSuite
from dovetail_local import LocalBackend, dovetail_backends

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from dovetail.projects.backend import Job

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="signals and modes")
STUBBORN = "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint('deaf')\ntime.sleep(20)"


class TestLocalBackend(BackendSuite):
    @pytest.fixture
    def backend(self) -> LocalBackend:
        return LocalBackend()

    @posix_only
    def test_one_that_will_not_end_is_killed(self, backend: LocalBackend, job: Callable[..., Job]) -> None:
        submission = backend.submit(replace(job(STUBBORN), options={"grace_seconds": 0.3}))
        next(submission.logs())
        submission.cancel()
        assert (submission.status(), submission.exit_code) == ("KILLED", -signal.SIGKILL)

    @posix_only
    def test_a_child_that_will_not_end_is_killed_after_its_parent(
        self, backend: LocalBackend, job: Callable[..., Job]
    ) -> None:
        source = (
            "import subprocess, sys\n"
            f"child = subprocess.Popen([sys.executable, '-uc', {STUBBORN!r}], stdout=subprocess.PIPE)\n"
            "child.stdout.readline()\nprint(child.pid)\nchild.wait()"
        )
        submission = backend.submit(replace(job(source), options={"grace_seconds": 0.3}))
        child = int(next(submission.logs()))
        submission.cancel()
        assert submission.exit_code == -signal.SIGTERM
        until = time.monotonic() + 5
        while is_alive(child) and not is_zombie(child):
            assert time.monotonic() < until
            time.sleep(0.02)

    @posix_only
    def test_one_that_tidies_up_when_asked_to_end_was_killed_all_the_same(
        self, backend: LocalBackend, job: Callable[..., Job]
    ) -> None:
        source = (
            "import signal, sys, time\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit('tidied up'))\n"
            "print('ready')\ntime.sleep(20)"
        )
        submission = backend.submit(job(source))
        next(submission.logs())
        submission.cancel()
        assert (submission.status(), submission.exit_code) == ("KILLED", 1)
        assert b"tidied up" in b"".join(submission.logs())

    def test_cancelling_twice_is_cancelling(self, backend: LocalBackend, job: Callable[..., Job]) -> None:
        submission = backend.submit(job("import time; time.sleep(20)"))
        submission.cancel()
        submission.cancel()
        assert submission.status() == "KILLED"

    @posix_only
    def test_the_log_is_for_its_owner_alone(
        self, backend: LocalBackend, job: Callable[..., Job], tmp_path: Path
    ) -> None:
        asked = replace(job("print('secret')"), log=tmp_path / "a" / "b" / "job.log")
        old = os.umask(0)
        try:
            backend.submit(asked).wait()
        finally:
            os.umask(old)
        modes = [stat.S_IMODE(path.stat().st_mode) for path in (asked.log, asked.log.parent, asked.log.parent.parent)]
        assert modes == [0o600, 0o700, 0o700]

    def test_a_run_that_is_taken_up_again_keeps_what_it_wrote(
        self, backend: LocalBackend, job: Callable[..., Job]
    ) -> None:
        asked = job("import sys; print(sys.argv[1])", "first")
        backend.submit(asked).wait()
        again = backend.submit(replace(asked, argv=(*asked.argv[:-1], "second")))
        assert b"".join(again.logs()).split() == [b"second"]
        assert asked.log.read_bytes().split() == [b"first", b"second"]

    def test_what_a_job_prints_is_not_held_back(self, backend: LocalBackend, job: Callable[..., Job]) -> None:
        submission = backend.submit(job("import os; print(os.environ['PYTHONUNBUFFERED'])"))
        assert b"".join(submission.logs()).split() == [b"1"]

    def test_unless_the_user_decided_otherwise(self, backend: LocalBackend, job: Callable[..., Job]) -> None:
        source = "import os; print(repr(os.environ['PYTHONUNBUFFERED']))"
        submission = backend.submit(job(source, PYTHONUNBUFFERED=""))
        assert b"".join(submission.logs()).split() == [b"''"]

    def test_the_job_sees_the_variables_of_this_process(
        self, backend: LocalBackend, job: Callable[..., Job], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SUITE_OUTER", "outer")
        monkeypatch.setenv("SUITE_BOTH", "outer")
        source = "import os; print(os.environ['SUITE_OUTER'], os.environ['SUITE_BOTH'])"
        submission = backend.submit(job(source, SUITE_BOTH="job"))
        assert b"".join(submission.logs()).split() == [b"outer", b"job"]

    def test_nothing_waits_at_the_keyboard(self, backend: LocalBackend, job: Callable[..., Job]) -> None:
        submission = backend.submit(job("import sys; print(repr(sys.stdin.read()))"))
        assert b"".join(submission.logs()).split() == [b"''"]

    @posix_only
    def test_an_authors_shell_command_runs_by_bash(self, backend: LocalBackend, job: Callable[..., Job]) -> None:
        command = f"echo {shlex.quote('a; b')} && echo $((1 + 1)) | cat; exit 4"
        submission = backend.submit(replace(job(""), argv=("bash", "-c", command)))
        assert (submission.wait(), submission.exit_code) == ("FAILED", 4)
        assert b"".join(submission.logs()) == b"a; b\n2\n"

    @posix_only
    def test_what_a_job_leaves_behind_does_not_keep_it_running(
        self, backend: LocalBackend, job: Callable[..., Job]
    ) -> None:
        submission = backend.submit(
            replace(job(""), argv=("sh", "-c", "(while sleep 0.01; do echo x; done) & sleep 0.1"))
        )
        begun = time.monotonic()
        given = b"".join(submission.logs())
        assert time.monotonic() - begun < 10
        assert submission.status() == "FINISHED"
        assert b"x" in given
        os.killpg(submission.pid, signal.SIGKILL)

    @pytest.mark.parametrize("value", ["10", -1, True, float("nan"), float("inf"), None])
    def test_a_grace_that_is_no_number_of_seconds_is_refused(
        self, backend: LocalBackend, job: Callable[..., Job], value: object
    ) -> None:
        with pytest.raises(InvalidInput, match="grace_seconds"):
            backend.submit(replace(job(""), options={"grace_seconds": value}))

    def test_a_log_that_cannot_be_written_is_an_error(
        self, backend: LocalBackend, job: Callable[..., Job], tmp_path: Path
    ) -> None:
        (tmp_path / "file").write_text("in the way", encoding="utf-8")
        with pytest.raises(EnvironmentFailed, match=r"job\.log"):
            backend.submit(replace(job(""), log=tmp_path / "file" / "job.log"))

    def test_an_argument_no_system_can_carry_is_an_error(self, backend: LocalBackend, job: Callable[..., Job]) -> None:
        with pytest.raises(EnvironmentFailed, match="null"):
            backend.submit(job("", "nul\0byte"))


def is_zombie(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as stream:  # noqa: PTH123
            return stream.read().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return False


def test_the_plugin_offers_local() -> None:
    assert dovetail_backends() == {"local": LocalBackend}


class TestPlugin(PluginSuite):
    module = "dovetail_local"
