"""What every execution backend must do."""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from dovetail.environments.manager import Environment
from dovetail.errors import EnvironmentFailed, InvalidInput
from dovetail.projects.backend import Job

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from dovetail.projects.backend import Backend, Submission

__all__ = ["BackendSuite", "RunningEnvironment"]

_PATIENCE = 30.0
_NASTY = (
    "two words",
    "it's",
    'say "hi"',
    "a;b",
    "$HOME",
    "`id`",
    "*",
    "a&b|c>d",
    "back\\slash",
    "-x",
    "",
    "line\nbreak",
    "é",
)


class RunningEnvironment(Environment):
    """The interpreter that runs the tests.

    Args:
        marks: Variables it adds, so that a job can see that it was wrapped.
    """

    def __init__(self, marks: Mapping[str, str] | None = None) -> None:
        self.name = "running"
        self.python = sys.executable
        self._marks = dict(marks or {})

    def wrap(self, argv: Sequence[str], env: Mapping[str, str]) -> tuple[list[str], dict[str, str]]:
        """The command with ``python`` made this interpreter, and the variables with the marks."""
        return [self.python if argv[0] == "python" else argv[0], *argv[1:]], {**env, **self._marks}


class BackendSuite:
    """Hold a backend to the guarantees of ``dovetail.projects.backend.Backend``.

    Override ``backend``; where jobs do not run on this machine, also ``environment``, whose ``python`` must answer to
    ``python``, and the capabilities.

    Attributes:
        shares_files: Jobs see the files of this machine under the same paths.
        starts_late: A command that is missing is noticed only after ``submit``.
    """

    shares_files = True
    starts_late = False

    @pytest.fixture
    def backend(self) -> Backend:
        """The backend under test."""
        raise NotImplementedError("Override the fixture `backend`.")

    @pytest.fixture
    def environment(self) -> Environment:
        """What jobs run inside."""
        return RunningEnvironment()

    @pytest.fixture
    def job(self, environment: Environment, tmp_path: Path) -> Callable[..., Job]:
        """A job that runs Python source, with arguments."""
        folder = tmp_path / "work"
        folder.mkdir()

        def make(source: str, *arguments: str, **env: str) -> Job:
            argv = ("python", "-c", source, *arguments)
            return Job("run-1", argv, env, folder, environment, tmp_path / "state" / "job.log")

        return make

    def test_a_job_that_ends_well_is_finished(self, backend: Backend, job: Callable[..., Job]) -> None:
        """Exit code 0 is FINISHED, for whoever waits and for whoever asks afterwards."""
        submission = backend.submit(job("print('done')"))
        assert submission.run_id == "run-1"
        assert submission.wait() == "FINISHED"
        assert (submission.status(), submission.exit_code) == ("FINISHED", 0)

    def test_a_job_that_exits_with_an_error_failed(self, backend: Backend, job: Callable[..., Job]) -> None:
        """Any other exit code is FAILED, and the code is kept."""
        submission = backend.submit(job("raise SystemExit(3)"))
        assert submission.wait() == "FAILED"
        assert (submission.status(), submission.exit_code) == ("FAILED", 3)

    def test_a_job_that_something_else_killed_failed(self, backend: Backend, job: Callable[..., Job]) -> None:
        """A signal that nobody sent through ``cancel`` is a failure, not a wish."""
        submission = backend.submit(job("import os, signal; os.kill(os.getpid(), signal.SIGTERM)"))
        assert submission.wait() == "FAILED"
        assert submission.exit_code not in (0, None)

    def test_submit_does_not_wait(self, backend: Backend, job: Callable[..., Job]) -> None:
        """The caller goes on while the job runs; it has no exit code yet."""
        submission = backend.submit(job("import time; time.sleep(20)"))
        assert submission.status() in ("RUNNING", "SCHEDULED")
        assert submission.exit_code is None
        submission.cancel()

    def test_arguments_arrive_as_they_are(self, backend: Backend, job: Callable[..., Job]) -> None:
        """No shell reads them: spaces, quotes, semicolons and line breaks are ordinary characters."""
        submission = backend.submit(job("import sys; print(ascii(sys.argv[1:]))", *_NASTY))
        assert submission.wait() == "FINISHED"
        assert _output(submission).strip() == ascii(list(_NASTY))

    def test_the_job_sees_its_variables(self, backend: Backend, job: Callable[..., Job]) -> None:
        """``Job.env`` reaches the command, values unchanged."""
        value = "a=b; $HOME 'x'"
        submission = backend.submit(job("import os; print(os.environ['SUITE_VALUE'])", SUITE_VALUE=value))
        assert submission.wait() == "FINISHED"
        assert _output(submission).strip() == value

    def test_the_environment_wraps_the_command(self, backend: Backend, job: Callable[..., Job]) -> None:
        """The command that is run is the one ``Environment.wrap`` answers."""
        marked = replace(
            job("import os; print(os.environ['SUITE_MARK'])"), environment=RunningEnvironment({"SUITE_MARK": "here"})
        )
        submission = backend.submit(marked)
        assert submission.wait() == "FINISHED"
        assert _output(submission).strip() == "here"

    def test_the_job_runs_in_its_folder(self, backend: Backend, job: Callable[..., Job]) -> None:
        """The working folder is ``Job.folder``."""
        asked = job("import os; print(os.path.exists('here.txt'))")
        (asked.folder / "here.txt").write_text("x", encoding="utf-8")
        submission = backend.submit(asked)
        assert submission.wait() == "FINISHED"
        assert _output(submission).strip() == "True"

    def test_standard_error_is_kept_too(self, backend: Backend, job: Callable[..., Job]) -> None:
        """Error messages stand in the same log."""
        submission = backend.submit(job("import sys; sys.stderr.write('oh no')"))
        submission.wait()
        assert "oh no" in _output(submission)

    def test_none_of_much_output_is_lost(self, backend: Backend, job: Callable[..., Job]) -> None:
        """10 MiB come out as they went in, by ``logs`` and in the file."""
        size = 10 * 1024 * 1024
        source = f"import sys\nfor i in range({size // 1024}): sys.stdout.write(f'{{i:<1023}}\\n')"
        asked = job(source)
        submission = backend.submit(asked)
        given = b"".join(submission.logs())
        assert (len(given), submission.wait()) == (size, "FINISHED")
        assert asked.log.read_bytes() == given

    def test_what_is_printed_last_is_given(self, backend: Backend, job: Callable[..., Job]) -> None:
        """The end of the job does not cut off what it wrote just before."""
        for _ in range(5):  # the last words race with the end of the job
            asked = job("import os; os.write(1, b'x' * 60000 + b'last words'); os._exit(0)")
            assert b"".join(backend.submit(asked).logs()).endswith(b"last words")

    def test_output_is_given_while_the_job_runs(
        self, backend: Backend, job: Callable[..., Job], tmp_path: Path
    ) -> None:
        """People see how far a job is; they need not wait for its end."""
        if not self.shares_files:
            pytest.skip("jobs do not see this machine's files")
        go = tmp_path / "go"
        source = (
            "import os, sys, time\nos.write(1, b'first')\nend = time.time() + 10\n"
            "while not os.path.exists(sys.argv[1]) and time.time() < end: time.sleep(0.02)"
        )
        submission = backend.submit(job(source, str(go)))
        chunks = submission.logs()
        assert next(chunks) == b"first"
        assert submission.status() == "RUNNING"
        go.touch()
        assert list(chunks) == []
        assert submission.wait() == "FINISHED"

    def test_logs_may_be_walked_again(self, backend: Backend, job: Callable[..., Job]) -> None:
        """Each walk begins at the beginning."""
        submission = backend.submit(job("print('once')"))
        submission.wait()
        assert _output(submission) == _output(submission) != ""

    def test_a_cancelled_job_was_killed(self, backend: Backend, job: Callable[..., Job]) -> None:
        """After ``cancel`` the job is over and its status says who ended it."""
        submission = backend.submit(job("import time; time.sleep(20)"))
        submission.cancel()
        assert (submission.wait(), submission.status()) == ("KILLED", "KILLED")
        assert submission.exit_code not in (0, None)

    def test_cancelling_ends_what_the_job_started(
        self, backend: Backend, job: Callable[..., Job], tmp_path: Path
    ) -> None:
        """No child of the job works on after ``cancel`` has returned."""
        if not self.shares_files:
            pytest.skip("jobs do not see this machine's files")
        pulse = tmp_path / "pulse"
        beating = "import sys, time\nfor _ in range(500): open(sys.argv[1], 'a').write('x'); time.sleep(0.02)"
        source = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {beating!r}, sys.argv[1]])"
        submission = backend.submit(job(source, str(pulse)))
        _until(pulse.exists, submission)
        submission.cancel()
        beats = pulse.stat().st_size
        time.sleep(0.3)
        assert pulse.stat().st_size == beats

    def test_cancelling_leaves_a_job_that_has_ended(self, backend: Backend, job: Callable[..., Job]) -> None:
        """What has finished stays finished."""
        submission = backend.submit(job("print('done')"))
        submission.wait()
        submission.cancel()
        assert (submission.status(), submission.exit_code) == ("FINISHED", 0)

    def test_a_missing_program_is_an_error_of_submit(self, backend: Backend, job: Callable[..., Job]) -> None:
        """The caller learns at once, and by name, that the command cannot be started."""
        if self.starts_late:
            pytest.skip("commands are started later, elsewhere")
        with pytest.raises(EnvironmentFailed, match="no-such-program-anywhere"):
            backend.submit(replace(job(""), argv=("no-such-program-anywhere",)))

    def test_a_missing_folder_is_an_error_of_submit(
        self, backend: Backend, job: Callable[..., Job], tmp_path: Path
    ) -> None:
        """So with a working folder that is not there."""
        with pytest.raises(EnvironmentFailed, match="absent"):
            backend.submit(replace(job(""), folder=tmp_path / "absent"))

    def test_an_unknown_option_is_refused(self, backend: Backend, job: Callable[..., Job]) -> None:
        """A misspelt option is an error that names it; none is accepted and ignored."""
        with pytest.raises(InvalidInput, match="no_such_option"):
            backend.submit(replace(job(""), options={"no_such_option": 1}))


def _output(submission: Submission) -> str:
    return b"".join(submission.logs()).decode().replace("\r\n", "\n")


def _until(true: Callable[[], bool], submission: Submission) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not true():
        assert submission.exit_code is None, f"the job ended: {_output(submission)}"
        assert time.monotonic() < deadline, "the job did not get going"
        time.sleep(0.02)
