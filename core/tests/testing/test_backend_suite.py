from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

STANDINS = Path(__file__).with_name("backend_standins.py")
FAULTS = [
    ("TestGoesThroughAShell", "test_arguments_arrive_as_they_are"),
    ("TestEndsOnlyTheFirstProcess", "test_cancelling_ends_what_the_job_started"),
    ("TestStopsReadingAtTheEnd", "test_logs_may_be_walked_again"),
    ("TestGivesOutputOnlyAtTheEnd", "test_output_is_given_while_the_job_runs"),
    ("TestCallsEveryEndFinished", "test_a_job_that_exits_with_an_error_failed"),
    ("TestCallsEveryEndFinished", "test_a_cancelled_job_was_killed"),
    ("TestForgetsTheEnvironment", "test_the_environment_wraps_the_command"),
    ("TestIgnoresOptions", "test_an_unknown_option_is_refused"),
]


@pytest.fixture(scope="module")
def failures() -> set[tuple[str, str]]:
    """What the suite says about the honest backend, and of each other one where it goes wrong: stand-ins and tests."""
    tests = [f"{STANDINS}::TestHonest", *(f"{STANDINS}::{standin}::{test}" for standin, test in FAULTS)]
    command = [sys.executable, "-m", "pytest", "-q", "-rf", "-p", "no:cacheprovider", *tests]
    said = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    assert re.search(r"\d+ failed, \d+ passed", said), said
    return set(re.findall(r"^FAILED .*::(\w+)::(\w+)", said, re.MULTILINE))


def test_an_honest_backend_passes(failures: set[tuple[str, str]]) -> None:
    assert [test for standin, test in failures if standin == "TestHonest"] == []


@pytest.mark.parametrize(("standin", "test"), FAULTS)
def test_a_dishonest_backend_is_caught(failures: set[tuple[str, str]], standin: str, test: str) -> None:
    assert (standin, test) in failures
