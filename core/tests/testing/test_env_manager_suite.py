from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

STANDINS = Path(__file__).with_name("env_manager_standins.py")
FAULTS = [
    ("TestLeavesHalfMadeOnes", "test_an_interrupted_preparation_leaves_nothing_that_looks_ready"),
    ("TestLeavesHalfMadeOnes", "test_a_requirement_that_is_nowhere_is_named"),
    ("TestMakesItAgain", "test_equal_specs_are_one_environment"),
    ("TestMakesItAgain", "test_those_who_ask_at_once_get_one_environment"),
    ("TestLooksAtNamesOnly", "test_another_requirement_is_another_environment"),
    ("TestLooksAtNamesOnly", "test_a_wheel_of_other_content_is_another_environment"),
    ("TestPrefersTheIndex", "test_local_wheels_win"),
    ("TestPrefersTheIndex", "test_local_wheels_win_in_what_others_require"),
    ("TestShowsTheOutside", "test_nothing_else_is_installed"),
    ("TestLeavesOutWhatItCannotFind", "test_a_requirement_that_is_nowhere_is_named"),
]


@pytest.fixture(scope="module")
def failures() -> set[tuple[str, str]]:
    """What the suite says about the honest manager, and of each other one where it goes wrong: stand-ins and tests."""
    tests = [f"{STANDINS}::TestHonest", *(f"{STANDINS}::{standin}::{test}" for standin, test in FAULTS)]
    command = [sys.executable, "-m", "pytest", "-q", "-rf", "-p", "no:cacheprovider", *tests]
    said = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    assert re.search(r"\d+ failed, \d+ passed", said), said
    return set(re.findall(r"^FAILED .*::(\w+)::(\w+)", said, re.MULTILINE))


def test_an_honest_manager_passes(failures: set[tuple[str, str]]) -> None:
    assert [test for standin, test in failures if standin == "TestHonest"] == []


@pytest.mark.parametrize(("standin", "test"), FAULTS)
def test_a_dishonest_manager_is_caught(failures: set[tuple[str, str]], standin: str, test: str) -> None:
    assert (standin, test) in failures
