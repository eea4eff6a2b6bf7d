"""The suite for sources of datasets finds the faults it is there to find, and none in a source that is right."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

BROKEN = Path(__file__).with_name("broken_dataset_sources.py")
FAULTS = {
    "TestLongType": "test_a_store_takes_what_it_writes",
    "TestOtherText": "test_a_store_takes_what_it_writes",
    "TestForgetful": "test_it_comes_back",
    "TestOpenHanded": "test_what_it_gave_away_is_not_its_own",
    "TestOnce": "test_it_loads_its_data",
    "TestHidden": "test_it_loads_the_same_after_coming_back",
    "TestBeside": "test_it_loads_into_a_folder",
    "TestLitterer": "test_it_loads_into_a_folder",
    "TestStranger": "test_it_knows_its_own_locations",
    "TestGreedy": "test_it_leaves_others_locations_alone",
    "TestRash": "test_it_leaves_others_locations_alone",
    "TestTrusting": "test_it_refuses_what_it_has_not_written",
    "TestLenient": "test_it_needs_what_it_wrote",
    "TestKeeper": "test_it_survives_strange_values",
}


@pytest.fixture(scope="module")
def failures() -> set[tuple[str, str]]:
    """Which test failed for which source."""
    argv = [sys.executable, "-m", "pytest", "-q", "--tb=no", "-p", "no:cacheprovider", str(BROKEN)]
    done = subprocess.run(argv, capture_output=True, text=True, cwd=BROKEN.parent, check=False)
    assert "error" not in done.stdout.splitlines()[-1], done.stdout
    return set(re.findall(r"^FAILED .*?::(\w+)::(\w+)", done.stdout, re.MULTILINE))


@pytest.mark.parametrize(("broken", "test"), FAULTS.items(), ids=list(FAULTS))
def test_a_fault_is_found(failures: set[tuple[str, str]], broken: str, test: str) -> None:
    assert (broken, test) in failures


def test_a_source_that_is_right_passes(failures: set[tuple[str, str]]) -> None:
    assert [test for broken, test in failures if broken == "TestNotes"] == []
