"""A folder of journals that may be read and not written: one clear error, and training decides what follows."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from typing import TYPE_CHECKING, Any

import pytest

import dovetail
from dovetail.errors import StoreUnavailable
from dovetail.tracking.journal import records
from dovetail.values import NewRun

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="folders have other rights there")


def steps(store: Any, run_id: str) -> list[int]:
    return [each.step for each in store.get_metric_history(run_id, "loss")]


@pytest.fixture
def left(distant: Any, write: Callable[..., Path]) -> str:
    """The run of a process that is gone; its journal with one point lies in the folder."""
    run_id = str(distant.create_run(NewRun("0", "left")).info.run_id)
    point = records.POINT_BODY.pack(records.POINT, 1, 1, 1000, 5, 5.0)
    write(records.named(records.RUN, 1, run_id), records.named(records.KEY, 1, "loss"), point)
    return run_id


@pytest.fixture
def read_only(left: str, folder: Path) -> Iterator[Path]:
    """The folder of journals may not be written: root, who may write anywhere, gets a disk that cannot be."""
    if os.geteuid() != 0:
        folder.chmod(0o500)
        yield folder
        folder.chmod(0o700)
        return
    if subprocess.run(["mount", "--bind", folder, folder], check=False).returncode:
        pytest.skip("nothing may be mounted here")
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", folder], check=True)
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def test_is_one_error_that_says_what_to_do(distant: Any, read_only: Path) -> None:
    with dovetail.start_run() as run:
        with pytest.raises(StoreUnavailable, match="No journal can be kept") as raised:
            dovetail.log_metric("loss", 1)
        assert str(read_only) in raised.value.message
        assert "beside its store" in str(raised.value.hint)
        with pytest.raises(StoreUnavailable, match="No journal can be kept"):
            dovetail.log_param("lr", 1)
    assert distant.get_run(run.info.run_id).info.status == "FINISHED"


def test_or_one_warning_and_training_goes_on(distant: Any, read_only: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOVETAIL_ON_ERROR", "warn")
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        with dovetail.start_run() as run:
            for step in range(200):
                dovetail.log_metric("loss", 1, step=step)
                dovetail.log_params({"lr": 1})
    assert ["No journal can be kept" in str(each.message) for each in said] == [True]
    assert distant.get_run(run.info.run_id).info.status == "FINISHED"
    assert steps(distant, run.info.run_id) == []


def test_what_others_left_there_reaches_the_store_once(
    distant: Any, left: str, read_only: Path, reopened: Callable[[], Any]
) -> None:
    for _ in range(3):
        assert steps(reopened(), left) == [5]
    assert len(list(read_only.iterdir())) == 1
