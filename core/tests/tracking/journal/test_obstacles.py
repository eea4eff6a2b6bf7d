"""Places where nothing can be kept: one clear error, or a warning, as the setting ``on_error`` says."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

import dovetail
from dovetail.errors import StoreFull, StoreUnavailable

if TYPE_CHECKING:
    from pathlib import Path


def steps(store: Any, run_id: str) -> list[int]:
    return [each.step for each in store.get_metric_history(run_id, "loss")]


@pytest.mark.skipif(not sys.platform.startswith("linux") or os.geteuid() != 0, reason="only root may mount a disk")
class TestAFullDisk:
    @pytest.fixture
    def disk(self, folder: Path, distant: Any) -> Any:
        """The folder of journals lies on a disk of one megabyte, which is full."""
        folder.mkdir()
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", folder], check=False).returncode:
            pytest.skip("nothing may be mounted here")
        try:
            ballast = folder / "ballast"
            with ballast.open("wb", buffering=0) as file, suppress(OSError):
                while file.write(bytes(4096)):
                    pass
            yield ballast
        finally:
            subprocess.run(["umount", "--lazy", folder], check=True)

    def test_is_an_error_that_says_what_to_do(self, distant: Any, disk: Path) -> None:
        with dovetail.start_run():
            with pytest.raises(StoreFull, match="cannot grow"):
                dovetail.log_metric("loss", 1)
            disk.unlink()
            dovetail.log_metric("loss", 2, step=1)

    def test_or_a_warning_and_training_goes_on(self, distant: Any, disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DOVETAIL_ON_ERROR", "warn")
        before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
        with dovetail.start_run() as run:
            with pytest.warns(UserWarning, match="lost"):
                dovetail.log_metric("loss", 1)
            with warnings.catch_warnings(record=True) as more:
                warnings.simplefilter("always")
                for step in range(500):
                    dovetail.log_metric("loss", 1, step=step)
                    dovetail.log_params({"lr": 1})
            assert more == []
            assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208
            disk.unlink()
            dovetail.log_metric("loss", 2, step=1000)
        assert steps(distant, run.info.run_id) == [1000]

    def test_a_param_that_was_not_kept_was_not_logged(self, distant: Any, disk: Path) -> None:
        with dovetail.start_run() as run:
            with pytest.raises(StoreFull):
                dovetail.log_param("lr", 1)
            disk.unlink()
            dovetail.log_param("lr", 2)
        assert distant.get_run(run.info.run_id).data.params == {"lr": "2"}

    def test_keeps_no_run_from_ending(self, distant: Any, disk: Path) -> None:
        with dovetail.start_run() as run, pytest.raises(StoreFull):
            dovetail.log_metric("loss", 1)
        assert distant.get_run(run.info.run_id).info.status == "FINISHED"


class TestAPlaceThatCannotBeWritten:
    def test_is_an_error_that_says_what_to_do(self, distant: Any, folder: Path) -> None:
        folder.write_text("a file")
        with dovetail.start_run(), pytest.raises(StoreUnavailable, match="No journal can be kept") as raised:
            dovetail.log_metric("loss", 1)
        assert "beside its store" in str(raised.value.hint)

    def test_or_a_warning(self, distant: Any, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DOVETAIL_ON_ERROR", "warn")
        folder.write_text("a file")
        with dovetail.start_run() as run, pytest.warns(UserWarning, match="No journal can be kept"):
            dovetail.log_metric("loss", 1)
        assert distant.get_run(run.info.run_id).info.status == "FINISHED"
