"""Ctrl-C at any call of a short run, again and again in one process, as in a notebook: whatever comes next goes on."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

import dovetail

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from types import FrameType

STRIDE = 3
"""So many calls lie between two places where a run is interrupted."""


@pytest.fixture(autouse=True)
def _impatient(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("DOVETAIL_DRAIN_TIMEOUT", "0.5")  # what stays locked shows soon
    monkeypatch.setenv("DOVETAIL_BUSY_TIMEOUT", "0.5")
    dovetail.set_tracking_uri(f"sqlite:///{tmp_path}/runs.db")
    yield
    dovetail.flush_async_logging()


def short_run() -> str:
    with dovetail.start_run() as run:
        dovetail.log_params({"lr": 0.1})
        dovetail.log_metric("loss", 1.0, step=1)
    return run.info.run_id


def interrupted_at(call: int, story: Callable[[], Any]) -> bool:
    """Tell a story up to a call of it, the how-manieth that is made; whether there were as many.

    Handlers of signals are run where functions of Python begin and where those of C return: nowhere else.
    """
    left = call

    def profile(frame: FrameType, event: str, argument: object) -> None:
        nonlocal left
        left -= event in ("call", "c_return")
        if left < 0:
            raise KeyboardInterrupt

    sys.setprofile(profile)
    try:
        story()
    except KeyboardInterrupt:
        pass
    finally:
        sys.setprofile(None)
    return left < 0


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # where a generator was just dropped
def test_no_interrupt_leaves_anything_locked() -> None:
    short_run()
    call = 0
    with ThreadPoolExecutor(1) as elsewhere:
        while interrupted_at(call, short_run):
            while dovetail.active_run():  # as whoever uses the notebook next does
                dovetail.end_run("KILLED")
            for run_id in (short_run(), elsewhere.submit(short_run).result(timeout=10)):
                found = dovetail.get_run(run_id)
                assert (found.info.status, found.data.metrics) == ("FINISHED", {"loss": 1.0}), call
            call += STRIDE
    assert call > 50 * STRIDE
