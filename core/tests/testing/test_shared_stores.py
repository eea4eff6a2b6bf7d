"""What the suite says about processes, tried on a store that they share and on some that only seem to be shared."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from dovetail.testing import TrackingStoreSuite

if TYPE_CHECKING:
    from collections.abc import Callable

STANDIN = Path(__file__).parent / "standins" / "acme_shelf.py"
SCHEMES = ("shelf", "unlocked", "lazy", "torn", "unplaced")

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the stand-in locks its file by POSIX means")

TRIAL = """
import acme_shelf, pytest
from contextlib import closing
from dovetail import plugins
from dovetail.testing import TrackingStoreSuite

plugins.register(acme_shelf, "tracking_stores", "{scheme}")
opened = acme_shelf.dovetail_tracking_stores()["{scheme}"]

class TestTrial(TrackingStoreSuite):
    survives_reopen = True
    shared_between_processes = True
    kills = 3

    @pytest.fixture
    def uri(self, tmp_path):
        return f"{scheme}:{{tmp_path}}/store"

    @pytest.fixture
    def store(self, uri):
        with closing(opened(uri)) as store:
            yield store

    @pytest.fixture
    def reopen(self):
        return lambda store: opened(store.uri)
"""


@pytest.fixture
def shelf(installed: Callable[..., Path], site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The stand-in, installed for this process and those it starts."""
    points = {"tracking_stores": dict.fromkeys(SCHEMES, "acme_shelf")}
    installed("acme-shelf", points, acme_shelf=STANDIN.read_text(encoding="utf-8"))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(site), *filter(None, sys.path)]))


@pytest.mark.usefixtures("shelf")
def test_a_store_that_is_shared_passes(trial: Callable[..., Any]) -> None:
    # The stand-in writes everything anew with each call, which long histories are no use for.
    wanted = "(process or killed or opening or instances or anywhere or closing) and not long_history"
    outcome = trial(TRIAL.format(scheme="shelf"), "-k", wanted)
    assert outcome.failed == []
    assert len(outcome.passed) >= 9


@pytest.mark.usefixtures("shelf")
@pytest.mark.parametrize(
    ("scheme", "story"),
    [
        ("unlocked", "test_processes_that_touch_a_fresh_store_together_lose_nothing"),
        ("lazy", "test_a_killed_writer_loses_no_acknowledged_batch"),
        ("torn", "test_a_killed_writer_loses_no_acknowledged_batch"),
        ("unplaced", "test_the_uri_of_a_store_opens_it_from_anywhere"),
        ("lazy", "test_two_instances_see_each_others_writes"),
    ],
)
def test_a_store_that_only_seems_shared_is_caught(trial: Callable[..., Any], scheme: str, story: str) -> None:
    assert hasattr(TrackingStoreSuite, story)
    # Where a kill strikes is chance, the more so the busier the machine is: the fault shows in one of a few trials.
    assert any(trial(TRIAL.format(scheme=scheme), "-k", story).failed == [story] for _ in range(5))
