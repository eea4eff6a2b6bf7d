"""The suite for registries passes on the one that is right, and fails on each that is wrong."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from dovetail.testing import RegistryStoreSuite

if TYPE_CHECKING:
    from collections.abc import Callable

BROKEN = Path(__file__).with_name("broken_registries.py")
FAULTS = {
    "CaselessNames": "test_model_names_differ_by_case_and_accents",
    "EncodedNames": "test_no_model_has_a_name_that_cannot_be_stored",
    "LentDicts": "test_what_callers_do_to_a_model_changes_nothing",
    "ForgottenTags": "test_tags_of_a_model_are_set_and_replaced",
    "HalfRenamed": "test_a_model_is_renamed_with_all_it_has",
    "RenamedTooEarly": "test_a_new_name_that_is_taken_is_refused",
    "ReusedNumbers": "test_numbers_are_not_given_again",
    "CountedNumbers": "test_numbers_are_not_given_again",
    "LatestByTime": "test_a_model_shows_the_latest_version_of_each_stage",
    "StillTimes": "test_moving_an_alias_is_an_update",
    "ModelTimesAlone": "test_a_transition_is_an_update",
    "UnexpectedMoves": "test_an_alias_that_is_elsewhere_stays",
    "SwallowedRefusals": "test_an_alias_that_is_elsewhere_stays",
    "UnexpectedTransitions": "test_a_version_in_another_stage_stays",
    "ArchivedTooEarly": "test_a_version_in_another_stage_stays",
    "DanglingAliases": "test_aliases_of_a_deleted_version_are_removed",
    "QuietRemovals": "test_aliases_of_a_deleted_version_are_removed",
    "ArchivedTooMuch": "test_all_others_of_a_stage_are_archived",
    "ArchivedAfterwards": "test_readers_see_moves_whole",
    "BareHistory": "test_a_move_says_what_it_was",
    "LostHistory": "test_the_history_outlives_its_model",
    "InheritedHistory": "test_another_model_of_the_name_takes_the_history_over",
    "HistoryLeftBehind": "test_the_history_goes_along_with_a_new_name",
    "RewrittenHistory": "test_the_history_goes_along_with_a_new_name",
    "OldestFirst": "test_the_latest_move_comes_first",
    "NumberedByModel": "test_numbers_count_up_within_a_registry",
    "PromptsAmongModels": "test_model_filters_mean_the_same_in_every_registry",
    "BareFindings": "test_a_model_is_found_with_all_it_has",
    "ForgetfulTokens": "test_a_version_token_is_good_for_its_own_search_alone",
    "OldestUpdateFirst": "test_without_an_order_the_latest_update_comes_first",
    "LateTurns": "test_one_of_several_expected_moves_wins",
    "LateTransitions": "test_one_of_several_expected_transitions_wins",
    "Unlocked": "test_versions_that_are_registered_at_once_are_numbered_one_by_one",
}
TRIAL = """
import pytest
from dovetail.testing import MemoryRegistryStore, RegistryStoreSuite

class TestTrial(RegistryStoreSuite):
    @pytest.fixture
    def store(self):
        return MemoryRegistryStore()
"""


def test_the_good_registry_passes(trial: Callable[..., Any]) -> None:
    outcome = trial(TRIAL)
    assert outcome.failed == []
    assert len(outcome.passed) > 110


@pytest.fixture(scope="module")
def failures() -> set[tuple[str, str]]:
    """Which test failed for which broken registry."""
    tests = [f"{BROKEN}::Test{broken}::{test}" for broken, test in FAULTS.items()]
    argv = [sys.executable, "-m", "pytest", "-q", "--tb=no", "-p", "no:cacheprovider", *tests]
    done = subprocess.run(argv, capture_output=True, text=True, cwd=BROKEN.parent, check=False)
    assert "error" not in done.stdout.splitlines()[-1], done.stdout
    return set(re.findall(r"^FAILED .*?::Test(\w+)::(\w+)", done.stdout, re.MULTILINE))


@pytest.mark.parametrize(("broken", "test"), FAULTS.items(), ids=list(FAULTS))
def test_a_fault_is_found(failures: set[tuple[str, str]], broken: str, test: str) -> None:
    assert (broken, test) in failures


def test_every_broken_registry_is_broken_in_a_way_that_is_named() -> None:
    broken = re.findall(r"^class (\w+)\(MemoryRegistryStore\)", BROKEN.read_text(encoding="utf-8"), re.MULTILINE)
    assert broken == list(FAULTS)


def test_a_suite_without_a_registry_says_what_to_override(trial: Callable[..., Any]) -> None:
    source = "from dovetail.testing import RegistryStoreSuite\nclass TestTrial(RegistryStoreSuite): pass\n"
    assert trial(source, "-x").failed != []


def test_a_promised_capability_wants_its_fixture(trial: Callable[..., Any]) -> None:
    source = TRIAL + "    survives_reopen = True\n    shared_between_processes = True\n"
    failed = set(trial(source, "-k", "opening_again or processes").failed)
    assert "test_everything_is_there_after_opening_again" in failed
    assert "test_processes_that_touch_a_fresh_registry_together_lose_nothing" in failed


def test_no_story_hides_another() -> None:
    stories = [base for base in RegistryStoreSuite.__mro__ if base.__module__.startswith("dovetail.testing.")]
    names = Counter(name for base in stories for name in vars(base) if name.startswith("test_"))
    assert [name for name, count in names.items() if count > 1] == []


def test_every_story_says_what_is_true() -> None:
    stories = {name: getattr(RegistryStoreSuite, name) for name in dir(RegistryStoreSuite) if name.startswith("test_")}
    assert [name for name, story in stories.items() if not (story.__doc__ or "").strip().endswith(".")] == []
