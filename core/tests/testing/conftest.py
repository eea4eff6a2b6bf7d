"""Suites under test: they are run as their users run them, and must fail where they should."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class Outcome:
    """What became of the tests of one run, by their names without parameters."""

    def __init__(self) -> None:
        self.passed: list[str] = []
        self.failed: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        name = report.location[2].partition("[")[0].rpartition(".")[2]
        if report.failed:
            self.failed.append(name)
        elif report.passed and report.when == "call":
            self.passed.append(name)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        assert not report.failed, report.longrepr


@pytest.fixture
def trial(tmp_path: Path) -> Callable[..., Outcome]:
    """``trial(source, *options)`` runs a test file in this process and says what became of its tests."""

    def run(source: str, *options: str) -> Outcome:
        (tmp_path / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
        file = tmp_path / f"test_trial_{uuid.uuid4().hex}.py"  # modules of one name would be taken for one module
        file.write_text(source, encoding="utf-8")
        outcome = Outcome()
        # The run inside must leave output, caches and alarms to the run outside.
        quiet = [f"-pno:{name}" for name in ("terminal", "cacheprovider", "timeout", "faulthandler", "logging")]
        status = pytest.main(
            [str(file), "-c", str(tmp_path / "pytest.ini"), "-s", "--import-mode=importlib", *quiet, *options],
            plugins=[outcome],
        )
        assert status in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)
        return outcome

    return run
