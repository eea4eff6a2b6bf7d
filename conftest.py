"""What tests everywhere in the repository may ask for."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, TypeVar

import hypothesis
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)
# What needs heavy libraries runs in a session of its own, in which nothing is skipped.
HEAVY = "core/tests/datasets/"

# Machines that test are shared: how long an example takes says nothing.
hypothesis.settings.register_profile("dovetail", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("dovetail")


def pytest_configure() -> None:
    """Let the interrupt key mean something: what runs in a shell's background starts with it switched off."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # Programs that tests start inherit what is switched off, and nothing else.
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def service() -> Callable[[str], str]:
    """The address of a real service, by the environment variable that holds it.

    ``service("AWS_ENDPOINT_URL")`` gives the address, or skips the test where nobody started the service. With
    ``DOVETAIL_TEST_SERVICES=required`` it fails instead, so that continuous integration cannot pass by skipping.
    ``tests/services/compose.yaml`` starts the services and names their variables.
    """

    def address(variable: str) -> str:
        if value := os.environ.get(variable):
            return value
        reason = f"{variable} is not set: start the services as tests/services/compose.yaml says"
        if os.environ.get("DOVETAIL_TEST_SERVICES") == "required":
            pytest.fail(reason)
        pytest.skip(reason)

    return address


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where every library should be, a test that misses one has failed."""
    return with_its_libraries((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """The same for a whole module of tests."""
    return with_its_libraries((yield))


def with_its_libraries(report: Report) -> Report:
    """A skip for want of a library becomes a failure with ``DOVETAIL_TEST_LIBRARIES=required``."""
    reason = str(report.longrepr[2]) if report.skipped and isinstance(report.longrepr, tuple) else ""
    required = os.environ.get("DOVETAIL_TEST_LIBRARIES") == "required" and not report.nodeid.startswith(HEAVY)
    if required and reason.startswith("Skipped: could not import"):
        report.outcome, report.longrepr = "failed", f"{report.nodeid}: {reason}"
    return report
