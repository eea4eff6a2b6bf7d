"""The suite for tracking stores passes on the store that is right, and fails on each that is wrong."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from dovetail.testing import MemoryTrackingStore, TrackingStoreSuite
from dovetail.testing.broken import FAULTS

if TYPE_CHECKING:
    from collections.abc import Callable

TRIAL = """
import pytest
from {module} import {name}
from dovetail.testing import TrackingStoreSuite

class TestTrial(TrackingStoreSuite):
    @pytest.fixture
    def store(self):
        return {name}()
"""


def trial_of(store: type[MemoryTrackingStore]) -> str:
    return TRIAL.format(module=store.__module__, name=store.__name__)


def test_the_good_store_passes(trial: Callable[..., Any]) -> None:
    outcome = trial(trial_of(MemoryTrackingStore))
    assert outcome.failed == []
    assert len(outcome.passed) > 150


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_every_fault_is_caught_by_its_story(trial: Callable[..., Any], fault: type[MemoryTrackingStore]) -> None:
    story = FAULTS[fault]
    assert set(trial(trial_of(fault), "-k", story).failed) == {story}, f"not caught: {fault.__doc__}"


def test_a_suite_without_a_store_says_what_to_override(trial: Callable[..., Any]) -> None:
    source = "from dovetail.testing import TrackingStoreSuite\nclass TestTrial(TrackingStoreSuite): pass\n"
    assert trial(source, "-x").failed != []


def test_a_promised_capability_wants_its_fixture(trial: Callable[..., Any]) -> None:
    source = trial_of(MemoryTrackingStore) + "    survives_reopen = True\n    shared_between_processes = True\n"
    failed = set(trial(source, "-k", "opening_again or processes").failed)
    assert "test_everything_is_there_after_opening_again" in failed
    assert "test_processes_that_touch_a_fresh_store_together_lose_nothing" in failed


def test_no_story_hides_another() -> None:
    stories = [base for base in TrackingStoreSuite.__mro__ if base.__module__.startswith("dovetail.testing.")]
    names = Counter(name for base in stories for name in vars(base) if name.startswith("test_"))
    assert [name for name, count in names.items() if count > 1] == []


def test_every_story_says_what_is_true() -> None:
    stories = {name: getattr(TrackingStoreSuite, name) for name in dir(TrackingStoreSuite) if name.startswith("test_")}
    assert [name for name, story in stories.items() if not (story.__doc__ or "").strip().endswith(".")] == []
