"""An honest backend, and dishonest ones that the suite must catch; ``test_backend_suite.py`` runs this file."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from dovetail.errors import EnvironmentFailed, InvalidInput
from dovetail.posix import end_group, start_group
from dovetail.projects.backend import Backend, Submission
from dovetail.testing.backend import BackendSuite

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dovetail.projects.backend import Job


class PlainSubmission(Submission):
    def __init__(self, job: Job, process: subprocess.Popen[bytes]) -> None:
        self.run_id = job.run_id
        self.job = job
        self.process = process
        self.cancelled = False

    def wait(self) -> str:
        self.process.wait()
        return self.status()

    def cancel(self) -> None:
        if self.process.poll() is None:
            self.cancelled = True
            end_group(self.process, grace=5)

    def status(self) -> str:
        code = self.process.poll()
        if code is None:
            return "RUNNING"
        return "FINISHED" if code == 0 else "KILLED" if self.cancelled else "FAILED"

    def logs(self) -> Iterator[bytes]:
        with self.job.log.open("rb") as stream:
            ended = False
            while not ended:
                ended = self.process.poll() is not None
                while chunk := stream.read(65536):
                    yield chunk

    @property
    def exit_code(self) -> int | None:
        return self.process.poll()


class PlainBackend(Backend):
    submission: type[PlainSubmission] = PlainSubmission

    def submit(self, job: Job) -> Submission:
        if job.options:
            raise InvalidInput(f"unknown option {min(job.options)}")
        argv, variables = self.wrapped(job)
        job.log.parent.mkdir(parents=True, exist_ok=True)
        with job.log.open("wb") as log:
            try:
                process = self.start(argv, env=variables, cwd=job.folder, stdout=log, stderr=subprocess.STDOUT)
            except OSError as error:
                raise EnvironmentFailed(f"{argv[0]} in {job.folder}: {error}") from error
        return self.submission(job, process)

    def wrapped(self, job: Job) -> tuple[list[str], dict[str, str]]:
        return job.environment.wrap(job.argv, {**os.environ, "PYTHONUNBUFFERED": "1", **job.env})

    def start(self, argv: list[str], **options: Any) -> subprocess.Popen[bytes]:
        return start_group(argv, **options)


class TestHonest(BackendSuite):
    @pytest.fixture
    def backend(self) -> Backend:
        return PlainBackend()


class TestGoesThroughAShell(BackendSuite):
    class Broken(PlainBackend):
        def start(self, argv: list[str], **options: Any) -> subprocess.Popen[bytes]:
            quoted = [f'"{word}"' for word in argv]  # as if quotation marks made any text safe
            return super().start(["sh", "-c", " ".join(quoted)], **options)

    @pytest.fixture
    def backend(self) -> Backend:
        return self.Broken()


class TestEndsOnlyTheFirstProcess(BackendSuite):
    class Broken(PlainBackend):
        class submission(PlainSubmission):  # noqa: N801 - stands where the attribute does
            def cancel(self) -> None:
                if self.process.poll() is None:
                    self.cancelled = True
                    self.process.terminate()
                    self.process.wait()

    @pytest.fixture
    def backend(self) -> Backend:
        return self.Broken()


class TestStopsReadingAtTheEnd(BackendSuite):
    class Broken(PlainBackend):
        class submission(PlainSubmission):  # noqa: N801 - as above
            def logs(self) -> Iterator[bytes]:
                with self.job.log.open("rb") as stream:
                    while self.process.poll() is None:
                        yield stream.read(65536)

    @pytest.fixture
    def backend(self) -> Backend:
        return self.Broken()


class TestGivesOutputOnlyAtTheEnd(BackendSuite):
    class Broken(PlainBackend):
        class submission(PlainSubmission):  # noqa: N801 - as above
            def logs(self) -> Iterator[bytes]:
                self.process.wait(timeout=2)
                yield self.job.log.read_bytes()

    @pytest.fixture
    def backend(self) -> Backend:
        return self.Broken()


class TestCallsEveryEndFinished(BackendSuite):
    class Broken(PlainBackend):
        class submission(PlainSubmission):  # noqa: N801 - as above
            def status(self) -> str:
                return "RUNNING" if self.process.poll() is None else "FINISHED"

    @pytest.fixture
    def backend(self) -> Backend:
        return self.Broken()


class TestForgetsTheEnvironment(BackendSuite):
    class Broken(PlainBackend):
        def wrapped(self, job: Job) -> tuple[list[str], dict[str, str]]:
            return [job.environment.python, *job.argv[1:]], {**os.environ, **job.env}

    @pytest.fixture
    def backend(self) -> Backend:
        return self.Broken()


class TestIgnoresOptions(BackendSuite):
    class Broken(PlainBackend):
        def submit(self, job: Job) -> Submission:
            from dataclasses import replace

            return super().submit(replace(job, options={}))

    @pytest.fixture
    def backend(self) -> Backend:
        return self.Broken()
