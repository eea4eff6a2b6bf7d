"""The suite for flavors passes on one that is right, and fails on each that is wrong."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

STANDINS = Path(__file__).with_name("flavor_standins.py")
FAULTS = [
    ("TestRounds", "test_a_loaded_model_predicts_the_same"),
    ("TestRounds", "test_a_loaded_function_predicts_the_same"),
    ("TestRemembers", "test_a_process_of_its_own_predicts_the_same"),
    ("TestWritesAside", "test_saving_writes_only_below_its_path"),
    ("TestLeavesScratch", "test_saving_writes_only_below_its_path"),
    ("TestMarks", "test_saving_leaves_the_model_as_it_was"),
    ("TestBare", "test_what_cannot_be_saved_is_refused"),
    ("TestFollows", "test_paths_do_not_lead_out_of_the_model"),
    ("TestStumbles", "test_values_of_another_kind_are_refused"),
    ("TestLies", "test_mlmodel_says_all"),
]


def said(*tests: str) -> str:
    """What the suite says about stand-ins."""
    command = [sys.executable, "-m", "pytest", "-q", "-rf", "-p", "no:cacheprovider", *tests]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


@pytest.fixture(scope="module")
def failures() -> set[tuple[str, str]]:
    """Which test failed for which dishonest stand-in."""
    text = said(*[f"{STANDINS}::{standin}::{test}" for standin, test in FAULTS])
    assert re.search(r"\d+ failed", text), text
    assert " error" not in text.splitlines()[-1], text
    return set(re.findall(r"^FAILED .*::(\w+)::(\w+)", text, re.MULTILINE))


def test_an_honest_flavor_passes() -> None:
    text = said(f"{STANDINS}::TestHonest")
    assert re.search(r"^\d{2,} passed", text.splitlines()[-1].strip("= ")), text


@pytest.mark.parametrize(("standin", "test"), FAULTS)
def test_a_dishonest_flavor_is_caught(failures: set[tuple[str, str]], standin: str, test: str) -> None:
    assert (standin, test) in failures
