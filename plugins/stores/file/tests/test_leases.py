"""Who sees to runs: processes that are killed, copies, and what was left half done."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

import pytest

from dovetail.errors import AlreadyExists
from dovetail.tracking.journal.records import sealed
from dovetail.values import Batch, Lease, Metric, NewRun
from dovetail_file import open_dir
from dovetail_file.folder import Folder
from dovetail_file.leases import Leases

if TYPE_CHECKING:
    from pathlib import Path

    from dovetail.tracking.store import TrackingStore

LONG, SHORT = Lease("here", 600), Lease("here", 0.2)
HOLDER = """
import os, signal, sys
from dovetail.values import Batch, Lease, Metric, NewRun
from dovetail_file import open_dir
store = open_dir(sys.argv[1])
store.create_run(NewRun("0", run_id="killed", lease=Lease("there", 0.3)))
store.log_batch("killed", Batch((Metric("loss", 0.5),)))
os.kill(os.getpid(), signal.SIGKILL)
"""


def opened(folder: Path) -> closing[TrackingStore]:
    return closing(open_dir(f"dir://{folder}"))


def run_out() -> None:
    time.sleep(SHORT.seconds + 0.15)


def status_of(folder: Path, run_id: str = "run") -> str:
    with opened(folder) as store:
        return store.get_run(run_id).info.status


def kinds(folder: Path) -> list[str]:
    """Which files there are of leases, without what is random in their names."""
    return sorted(f"{path.name.partition('.')[0]}{path.suffix}" for path in (folder / "leases").iterdir())


def purge(store: TrackingStore, run_id: str) -> None:
    store.delete_run(run_id)
    (item,) = store.discarded()
    assert store.condemn(item)
    assert store.purge(item)


class TestFiles:
    def test_only_what_goes_on_or_crashed_has_one(self, tmp_path: Path) -> None:
        with opened(tmp_path) as store:
            for run_id in ("ended", "live", "lost", "none"):
                lease = None if run_id == "none" else Lease(run_id, 600)
                store.create_run(NewRun("0", run_id=run_id, lease=lease))
            store.update_run("ended", status="FINISHED", lease=Lease("ended", 600))
            store.reap_runs("lost")
            assert kinds(tmp_path) == ["live.held", "lost.lapsed"]
            store.update_run("live", status="RUNNING", lease=Lease("another", 600))
            store.update_run("lost", status="RUNNING", lease=Lease("another", 600))
            assert kinds(tmp_path) == ["live.held", "lost.held"]
            store.reap_runs("another")
            store.update_run("live", status="FAILED")
            assert kinds(tmp_path) == ["lost.lapsed"]
            purge(store, "lost")
            assert kinds(tmp_path) == []

    def test_runs_of_any_id_have_them(self, tmp_path: Path) -> None:
        ids, holder = ["ABC", "x" * 256, "a日本", "con"], '"\n' + "ü" * 60
        with opened(tmp_path) as store:
            for run_id in ids:
                store.create_run(NewRun("0", run_id=run_id, lease=Lease(holder, 600)))
            assert len(kinds(tmp_path)) == len(ids)
            assert sorted(store.reap_runs(holder)) == sorted(ids)
            store.beat(holder, 600)
            assert {store.get_run(run_id).info.status for run_id in ids} == {"RUNNING"}

    def test_who_fails_to_create_a_run_does_not_get_its_lease(self, tmp_path: Path) -> None:
        with opened(tmp_path) as store:
            store.create_run(NewRun("0", run_id="run", lease=LONG))
            with pytest.raises(AlreadyExists):
                store.create_run(NewRun("0", run_id="run", lease=Lease("there", 0.01)))
            assert kinds(tmp_path) == ["run.held"]
            assert list(store.reap_runs("there")) == []
            assert list(store.reap_runs("here")) == ["run"]

    def test_reaping_looks_at_no_other_run(self, tmp_path: Path) -> None:
        with opened(tmp_path) as store:
            for run_id, lease in (("broken", None), ("run", SHORT)):
                store.create_run(NewRun("0", run_id=run_id, lease=lease))
        (tmp_path / "runs" / "broken" / "other.log").write_bytes(sealed(b"z"))
        run_out()
        with opened(tmp_path) as store:
            assert list(store.reap_runs()) == ["run"]

    def test_how_long_signs_hold_may_change_even_behind_a_line_that_was_cut_short(self, tmp_path: Path) -> None:
        with opened(tmp_path) as store:
            store.create_run(NewRun("0", run_id="run", lease=LONG))
            with (tmp_path / "leases" / "run.held").open("ab") as file:
                file.write(b'12345678 {"holder":"he')
            store.beat("here", 0.05)
            time.sleep(0.2)
            assert list(store.reap_runs()) == ["run"]

    @pytest.mark.parametrize("content", [b"", b"\0" * 40, b"00000000 {}\n"])
    def test_one_that_nobody_can_read_is_nobodys(self, tmp_path: Path, content: bytes) -> None:
        with opened(tmp_path) as store:
            store.create_run(NewRun("0", run_id="run", lease=LONG))
            (tmp_path / "leases" / "run.held").write_bytes(content)
            assert list(store.reap_runs()) == ["run"]


class TestClocks:
    @pytest.mark.parametrize("hours", [-2, 2])
    def test_what_the_time_is_here_does_not_matter(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hours: int
    ) -> None:
        with opened(tmp_path) as one, opened(tmp_path) as other:
            one.create_run(NewRun("0", run_id="live", lease=LONG))
            one.create_run(NewRun("0", run_id="lost", lease=SHORT))
            run_out()
            shifted = time.time_ns() + hours * 3600 * 10**9
            before = time.time()
            monkeypatch.setattr(time, "time_ns", lambda: shifted)
            monkeypatch.setattr(time, "time", lambda: shifted / 10**9)
            other.beat("here", 600)
            assert list(other.reap_runs()) == []
            os.utime(tmp_path / "leases" / "lost.held", (before - 700, before - 700))
            assert list(other.reap_runs()) == ["lost"]
            info = one.get_run("lost").info
            assert (info.status, info.end_time) == ("CRASHED", int((before - 700) * 1000))


class TestHalfDone:
    """A process was killed between two steps."""

    def test_the_lease_of_a_run_that_ended_is_removed(self, tmp_path: Path) -> None:
        with opened(tmp_path) as store:
            store.create_run(NewRun("0", run_id="run", lease=SHORT))
            shutil.copy2(tmp_path / "leases" / "run.held", tmp_path / "kept")
            store.update_run("run", status="FINISHED")
            shutil.copy2(tmp_path / "kept", tmp_path / "leases" / "run.held")
            run_out()
            assert list(store.reap_runs()) == []
            assert (status_of(tmp_path), kinds(tmp_path)) == ("FINISHED", [])

    def test_the_lease_of_a_run_that_is_gone_is_removed(self, tmp_path: Path) -> None:
        with opened(tmp_path) as store:
            store.create_run(NewRun("0", run_id="run", lease=SHORT))
            shutil.rmtree(tmp_path / "runs" / "run")
            store.beat("here", 0.01)
            time.sleep(0.1)
            assert list(store.reap_runs()) == []
            assert kinds(tmp_path) == []

    def test_a_run_that_crashed_and_whose_lease_was_not_marked(self, tmp_path: Path) -> None:
        with opened(tmp_path) as store:
            store.create_run(NewRun("0", run_id="run", lease=SHORT))
            run_out()
            store.reap_runs()
            (lapsed,) = (tmp_path / "leases").iterdir()
            lapsed.rename(tmp_path / "leases" / "run.held")
            store.reap_runs()
            assert (status_of(tmp_path), kinds(tmp_path)) == ("CRASHED", ["run.lapsed"])
            lapsed.rename(tmp_path / "leases" / "run.held")
            store.beat("here", 600)
            assert (status_of(tmp_path), kinds(tmp_path)) == ("RUNNING", ["run.held"])

    @pytest.mark.parametrize(("created", "left"), [(True, ["run.lapsed"]), (False, [])])
    def test_a_run_that_was_being_created(self, tmp_path: Path, *, created: bool, left: list[str]) -> None:
        with opened(tmp_path) as store:
            killed = ExitStack()
            killed.enter_context(Leases(Folder(tmp_path)).taking("run", SHORT))
            if created:
                store.create_run(NewRun("0", run_id="run"))
            assert kinds(tmp_path) == ["run.new"]
            run_out()
            assert list(store.reap_runs()) == (["run"] if created else [])
            assert kinds(tmp_path) == left
            killed.close()  # it was only slow, and has the run now
            assert kinds(tmp_path) == ["run.held"]

    def test_a_lease_that_has_two_names(self, tmp_path: Path) -> None:
        with opened(tmp_path) as store:
            store.create_run(NewRun("0", run_id="run", lease=SHORT))
            store.reap_runs("here")
            (lapsed,) = (tmp_path / "leases").iterdir()
            os.link(lapsed, tmp_path / "leases" / "run.held")
            assert [list(store.reap_runs("here")) for _ in range(2)] == [["run"], []]
            assert kinds(tmp_path) == ["run.lapsed"]

    def test_a_run_that_was_being_taken_up_is_still_the_others(self, tmp_path: Path) -> None:
        with opened(tmp_path) as store:
            store.create_run(NewRun("0", run_id="run", lease=SHORT))
            shutil.copy2(tmp_path / "leases" / "run.held", tmp_path / "leases" / "run.0123.new")
            store.update_run("run", lease=Lease("there", 600))
            run_out()
            assert list(store.reap_runs()) == []
            assert (status_of(tmp_path), kinds(tmp_path)) == ("RUNNING", ["run.held"])


class TestAtOnce:
    def test_a_sign_of_life_while_a_run_is_taken_for_crashed_counts(self, tmp_path: Path) -> None:
        with opened(tmp_path) as store:
            store.create_run(NewRun("0", run_id="run", lease=SHORT))
            run_out()
            leases = Leases(Folder(tmp_path))
            ((run, held),) = leases.gone(None)
            store.beat("here", 600)
            assert not leases.lapse(run, held)
            assert (kinds(tmp_path), list(store.reap_runs())) == (["run.held"], [])

    def test_who_takes_a_run_up_meanwhile_keeps_it(self, tmp_path: Path) -> None:
        with opened(tmp_path) as store:
            store.create_run(NewRun("0", run_id="run", lease=SHORT))
            run_out()
            leases = Leases(Folder(tmp_path))
            ((run, held),) = leases.gone(None)
            store.update_run("run", status="RUNNING", lease=Lease("there", 600))
            assert not leases.lapse(run, held)
            assert list(store.reap_runs("there")) == ["run"]

    def test_a_sign_of_life_that_comes_too_late_is_nobody_elses(self, tmp_path: Path) -> None:
        with opened(tmp_path) as store:
            store.create_run(NewRun("0", run_id="run", lease=SHORT))
            store.reap_runs("here")
            (lapsed,) = (tmp_path / "leases").iterdir()
            store.update_run("run", status="RUNNING", lease=Lease("there", 600))
            lapsed.write_bytes(b"")  # the process that took it up was killed before it removed this
            store.beat("here", 600)
            assert kinds(tmp_path) == ["run.held"]
            assert list(store.reap_runs("here")) == []
            assert list(store.reap_runs("there")) == ["run"]

    def test_a_killed_process_is_noticed_by_another(self, tmp_path: Path) -> None:
        killed = subprocess.run([sys.executable, "-c", HOLDER, f"dir://{tmp_path}"], check=False, timeout=60)
        assert killed.returncode == -signal.SIGKILL
        time.sleep(0.5)
        with opened(tmp_path) as store:
            assert list(store.reap_runs()) == ["killed"]
            assert store.get_run("killed").data.metrics == {"loss": 0.5}
        assert status_of(tmp_path, "killed") == "CRASHED"

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows forks nothing")
    def test_of_several_reapers_one_has_ended_a_run(self, tmp_path: Path) -> None:
        ids = [f"run{number}" for number in range(60)]
        with opened(tmp_path) as store:
            for run_id in ids:
                store.create_run(NewRun("0", run_id=run_id, lease=SHORT))
        run_out()
        context = multiprocessing.get_context("fork")
        found: multiprocessing.Queue[list[str]] = context.Queue()

        def reap() -> None:
            with opened(tmp_path) as store:
                found.put(list(store.reap_runs()))

        with ExitStack() as stack:
            for _ in range(3):
                process = context.Process(target=reap)
                process.start()
                stack.callback(process.join, 60)
            reaped = [run_id for _ in range(3) for run_id in found.get(timeout=60)]
        assert sorted(reaped) == sorted(ids)
        with opened(tmp_path) as store:
            assert {run.info.status for run in store.search_runs(["0"])} == {"CRASHED"}


@pytest.mark.skipif(shutil.which("rsync") is None, reason="needs rsync")
class TestCopies:
    @pytest.fixture
    def copies(self, tmp_path: Path) -> tuple[Path, Path]:
        """A store with a run that goes on, and a copy of it."""
        source, copy = tmp_path / "source", tmp_path / "copy"
        with opened(source) as store:
            store.create_run(NewRun("0", run_id="run", lease=SHORT))
        synchronize(source, copy)
        run_out()
        return source, copy

    def test_what_was_done_holds_against_what_was_only_concluded(self, copies: tuple[Path, Path]) -> None:
        """The copy knows nothing of the end, and looks later."""
        source, copy = copies
        with opened(source) as store:
            store.update_run("run", status="FINISHED", end_time=5000, lease=SHORT)
        with opened(copy) as store:
            assert list(store.reap_runs()) == ["run"]
        synchronize(copy, source)
        synchronize(source, copy)
        for folder in copies:
            with opened(folder) as store:
                assert list(store.reap_runs()) == []
                info = store.get_run("run").info
                assert (info.status, info.end_time) == ("FINISHED", 5000)

    def test_a_run_that_goes_on_survives_what_its_copy_says(self, copies: tuple[Path, Path]) -> None:
        source, copy = copies
        with opened(copy) as store:
            store.reap_runs()
        synchronize(copy, source)
        assert status_of(source) == "CRASHED"
        with opened(source) as store:
            store.beat("here", 600)
            assert (status_of(source), list(store.reap_runs())) == ("RUNNING", [])
            store.log_batch("run", Batch((Metric("loss", 0.5),)))
        synchronize(source, copy)
        assert status_of(copy) == "RUNNING"

    def test_a_lease_that_a_copy_brings_back_ends_nothing(self, copies: tuple[Path, Path]) -> None:
        """Copies are made without removing what is there."""
        source, copy = copies
        with opened(source) as store:
            store.update_run("run", status="FINISHED", lease=SHORT)
        synchronize(copy, source)
        with opened(source) as store:
            assert list(store.reap_runs()) == []
        assert (status_of(source), kinds(source)) == ("FINISHED", [])


def synchronize(source: Path, target: Path) -> None:
    """Bring what is in one folder into another, and remove nothing there."""
    subprocess.run(["rsync", "-a", f"{source}/", f"{target}/"], check=True)
