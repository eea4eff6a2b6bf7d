"""The suite for artifact stores finds the faults it is there to find."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

BROKEN = Path(__file__).with_name("broken_artifact_stores.py")
FAULTS = {
    "TestInPlace": "test_nothing_is_seen_of_a_file_that_is_being_written",
    "TestUnordered": "test_children_are_ordered_by_path",
    "TestFoldersFirst": "test_children_are_ordered_by_path",
    "TestTrusting": "test_no_path_leads_outside",
    "TestPrefixDelete": "test_a_folder_is_deleted_with_everything_in_it",
    "TestFolderMissing": "test_a_folder_cannot_be_opened",
    "TestSilentDelete": "test_what_is_not_there_cannot_be_deleted",
    "TestOneRead": "test_an_uneven_stream_is_read_to_its_end",
    "TestForgetful": "test_many_threads_put_many_files",
    "TestHalfKept": "test_of_a_stream_that_breaks_off_nothing_is_left",
    "TestHungry": "test_a_large_file_needs_little_memory",
}


@pytest.fixture(scope="module")
def failures() -> set[tuple[str, str]]:
    """Which test failed for which broken store."""
    tests = [f"{BROKEN}::{broken}::{test}" for broken, test in FAULTS.items()]
    argv = [sys.executable, "-m", "pytest", "-q", "--tb=no", "-p", "no:cacheprovider", *tests]
    done = subprocess.run(argv, capture_output=True, text=True, cwd=BROKEN.parent, check=False)
    assert "error" not in done.stdout.splitlines()[-1], done.stdout
    return set(re.findall(r"^FAILED .*?::(\w+)::(\w+)", done.stdout, re.MULTILINE))


@pytest.mark.parametrize(("broken", "test"), FAULTS.items(), ids=list(FAULTS))
def test_a_fault_is_found(failures: set[tuple[str, str]], broken: str, test: str) -> None:
    assert (broken, test) in failures


def test_every_broken_store_is_broken_in_a_way_that_is_named() -> None:
    assert set(re.findall(r"^class (Test\w+)", BROKEN.read_text(encoding="utf-8"), re.MULTILINE)) == set(FAULTS)
