"""Removing environments, with small ones that stand in for real ones: a folder of files, made file by file."""

from __future__ import annotations

import gc
import os
import random
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from dovetail.environments import wheelhouse
from dovetail.environments.cache import discard, lock_of, make_once, mark_of
from dovetail.environments.inventory import BEING_MADE, BROKEN, WHOLE, cached_environments
from dovetail.environments.pruning import prune
from dovetail.environments.record import Record, read_record
from dovetail.environments.virtual import python_in
from dovetail.posix import locked

if TYPE_CHECKING:
    from pathlib import Path

    from dovetail.environments.lease import Lease

MONTH = 30 * 86400
NAME = "0123456789abcdef0123-89abcdef"  # as managers call them
posix_only = pytest.mark.skipif(sys.platform == "win32", reason="signals")
# Takes the environment again and again, uses it for a moment, and says so if any part of it is missing meanwhile.
USER = """
import random, sys, time
from pathlib import Path
from dovetail.environments.cache import make_once
from dovetail.environments.virtual import python_in
root = Path(sys.argv[1])
parts = [python_in(root), *(root / f"part-{number}" for number in range(8))]
def make(lock):
    for part in parts:
        part.parent.mkdir(parents=True, exist_ok=True)
        part.write_text("whole")
        time.sleep(random.random() / 200)
end = time.monotonic() + float(sys.argv[2])
times = 0
while time.monotonic() < end:
    lease = make_once(root, make, lambda line: None, whole=parts[0].exists)
    for _ in range(3):
        time.sleep(random.random() / 200)
        missing = [part.name for part in parts if part.read_text() != "whole"]
        assert not missing, missing
    lease.close()
    times += 1
    time.sleep(random.random() / 20)
print(times)
"""
PRUNER = """
import sys, time
from pathlib import Path
from dovetail.environments.pruning import prune
end = time.monotonic() + float(sys.argv[2])
times = 0
while time.monotonic() < end:
    found = prune(0, Path(sys.argv[1]).parent)
    assert not [each for each in found if each.failure], found
    times += len(found)
print(times)
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    folder = tmp_path / "envs"
    folder.mkdir()
    return folder


def made(folder: Path, *, unused_for: float = 0) -> Lease:
    """An environment that was taken so many seconds ago."""

    def make(lock: int) -> None:
        del lock
        python_in(folder).parent.mkdir(parents=True)
        python_in(folder).write_text("python", encoding="utf-8")

    record = Record("plain", "3.11.7", "python_env.yaml", 3, 1_700_000_000_000)
    lease = make_once(folder, make, lambda _: None, whole=python_in(folder).exists, record=record)
    moment = time.time() - unused_for
    os.utime(mark_of(folder), (moment, moment))
    return lease


class TestTheList:
    def test_says_where_each_comes_from(self, place: Path) -> None:
        made(place / "one").close()
        (found,) = cached_environments(place)
        assert found.record == Record("plain", "3.11.7", "python_env.yaml", 3, 1_700_000_000_000)
        assert (found.name, found.state, found.in_use, found.size) == ("one", WHOLE, False, len("python"))

    def test_of_one_made_by_an_older_version_little_is_known(self, place: Path) -> None:
        made(place / "one").close()
        lock_of(place / "one").write_bytes(b"")
        (found,) = cached_environments(place)
        assert (found.state, found.record) == (WHOLE, Record())

    def test_one_that_is_used_is_said_to_be(self, place: Path) -> None:
        lease = made(place / "one")
        assert cached_environments(place)[0].in_use
        lease.close()
        assert not cached_environments(place)[0].in_use

    def test_a_share_ends_when_nobody_refers_to_it(self, place: Path) -> None:
        made(place / "one")
        gc.collect()
        assert not cached_environments(place)[0].in_use

    def test_one_without_interpreter_is_broken(self, place: Path) -> None:
        made(place / "one").close()
        python_in(place / "one").unlink()
        assert cached_environments(place)[0].state == BROKEN

    def test_one_that_is_made_is_said_to_be_by_whom(self, place: Path) -> None:
        def make(lock: int) -> None:
            del lock
            (place / "one").mkdir()
            (found,) = cached_environments(place)
            assert (found.state, found.in_use, found.record.manager) == (BEING_MADE, True, "plain")

        make_once(place / "one", make, lambda _: None, whole=lambda: True, record=Record("plain")).close()

    def test_other_folders_are_none_of_ours(self, place: Path) -> None:
        (place / "photos").mkdir()
        (place / "photos.lock").write_text("somebody's", encoding="utf-8")
        (place / "notes.lock").touch()
        assert cached_environments(place) == []
        assert prune(0, place) == []
        assert sorted(path.name for path in place.iterdir()) == ["notes.lock", "photos", "photos.lock"]

    def test_where_there_is_no_folder_there_is_nothing(self, tmp_path: Path) -> None:
        assert cached_environments(tmp_path / "absent") == []
        assert prune(0, tmp_path / "absent") == []

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "{",
            "[]",
            '{"dovetail-environment": 1, "manager": 5, "created": "x"}',
            '{"dovetail-environment": 1, "created": 1' + "0" * 400 + "}",
            '{"dovetail-environment": 1, "created": -99999999999999999999}',
        ],
    )
    def test_a_record_that_is_none_says_nothing(self, tmp_path: Path, text: str) -> None:
        (tmp_path / "one.lock").write_text(text, encoding="utf-8")
        assert read_record(tmp_path / "one.lock") == Record()

    @posix_only
    def test_a_pipe_keeps_nobody_waiting(self, place: Path) -> None:
        (place / "y").mkdir()
        mark_of(place / "y").touch()
        os.mkfifo(place / "y.lock")
        assert read_record(place / "y.lock") == Record()
        assert cached_environments(place) == []
        assert prune(0, place) == []


class TestPruning:
    def test_removes_what_was_unused_for_long(self, place: Path) -> None:
        made(place / "old", unused_for=MONTH + 60).close()
        made(place / "new", unused_for=MONTH - 60).close()
        assert [(each.name, each.reason) for each in prune(MONTH, place)] == [("old", "unused")]
        assert sorted(path.name for path in place.iterdir()) == ["new", "new.lock"]

    def test_each_use_counts(self, place: Path) -> None:
        made(place / "one", unused_for=MONTH + 60).close()
        make_once(place / "one", lambda _: None, lambda _: None, whole=lambda: True).close()
        assert prune(MONTH, place) == []

    def test_a_dry_run_changes_nothing(self, place: Path) -> None:
        made(place / "old", unused_for=MONTH).close()
        before = sorted(place.rglob("*"))
        assert [each.name for each in prune(MONTH, place, dry_run=True)] == ["old"]
        assert sorted(place.rglob("*")) == before

    def test_what_is_used_stays_however_old(self, place: Path) -> None:
        lease = made(place / "old", unused_for=MONTH)
        assert prune(0, place) == []
        lease.close()
        assert len(prune(0, place)) == 1

    def test_what_is_made_stays(self, place: Path) -> None:
        (place / "one").mkdir()
        made(place / "one").close()
        mark_of(place / "one").unlink()
        with locked(lock_of(place / "one")):
            assert prune(0, place) == []
        assert [each.reason for each in prune(MONTH, place)] == ["its making was cut short"]

    def test_what_lost_its_interpreter_goes_however_new(self, place: Path) -> None:
        made(place / "one").close()
        python_in(place / "one").unlink()
        assert [each.reason for each in prune(MONTH, place)] == ["its interpreter is gone"]

    def test_what_a_killed_removal_left_goes(self, place: Path) -> None:
        (place / ".trash-abc").mkdir()
        (place / ".trash-abc" / "file").write_text("1234", encoding="utf-8")
        assert [(each.reason, each.size) for each in prune(MONTH, place)] == [
            ("left by a removal that was cut short", 4)
        ]
        assert list(place.iterdir()) == []

    def test_locks_of_what_is_gone_go(self, place: Path) -> None:
        made(place / "one").close()
        discard(place / "one")
        assert prune(MONTH, place) == []
        assert list(place.iterdir()) == []

    def test_the_lock_of_one_whose_making_was_cut_short_at_the_first_step_goes(self, place: Path) -> None:
        lock_of(place / NAME).touch()
        with locked(lock_of(place / NAME)):
            prune(0, place)
            assert lock_of(place / NAME).exists(), "somebody is about to make it"
        assert prune(MONTH, place) == []
        assert list(place.iterdir()) == []

    def test_what_was_cut_short_while_it_was_noted_goes(self, place: Path) -> None:
        (place / NAME / "bin").mkdir(parents=True)
        lock_of(place / NAME).touch()
        assert [each.reason for each in prune(MONTH, place)] == ["its making was cut short"]
        assert list(place.iterdir()) == []

    def test_one_that_somebody_else_removes_at_this_moment_leaves_no_lock(self, place: Path) -> None:
        """Each removal sees it listed; the slower one finds neither it nor its lock."""
        for _ in range(20):
            made(place / "one", unused_for=MONTH).close()
            with ThreadPoolExecutor(4) as pool:
                found = [each.name for removed in pool.map(lambda _: prune(0, place), range(4)) for each in removed]
            assert found.count("one") == 1
            assert list(place.iterdir()) == []

    def test_what_cannot_be_removed_is_said_and_does_not_look_whole(self, place: Path) -> None:
        if sys.platform == "win32" or os.geteuid() == 0:
            pytest.skip("this user may remove anything")
        made(place / "one", unused_for=MONTH).close()
        (place / "one" / "bin").chmod(0o500)
        (found,) = prune(MONTH, place)
        assert found.failure == "Permission denied"
        assert cached_environments(place) == []


class TestWheels:
    @pytest.fixture
    def wheels(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
        return wheelhouse.wheel_folder()

    def test_those_that_nobody_packed_for_long_go(self, wheels: Path, place: Path) -> None:
        (packed,) = wheelhouse.local_wheels(["dovetail-core"], wheels)
        assert prune(0, place) == [], "somebody may be about to install it"
        old = time.time() - 2 * 86400
        os.utime(packed.path.parent, (old, old))
        assert prune(3 * 86400, place) == []
        assert [each.name for each in prune(0, place)] == ["packed wheels of dovetail (1)"]
        assert list(wheels.iterdir()) == []

    def test_folders_that_are_not_wheels_stay(self, wheels: Path, place: Path, tmp_path: Path) -> None:
        (packed,) = wheelhouse.local_wheels(["dovetail-core"], wheels)
        mine = [tmp_path / "photos", wheels / "photos", wheels / ("a" * 20)]
        for folder in mine:
            folder.mkdir()
            (folder / "photo.png").touch()
        (wheels / ("b" * 20)).symlink_to(packed.path.parent.rename(tmp_path / "elsewhere"))
        (packed,) = wheelhouse.local_wheels(["dovetail-core"], wheels)
        for folder in (*mine, packed.path.parent):
            os.utime(folder, (0, 0))
        assert [(each.name, each.failure) for each in prune(0, place)] == [("packed wheels of dovetail (1)", None)]
        assert all((folder / "photo.png").exists() for folder in mine)
        assert (wheels / ("b" * 20)).exists()

    def test_a_linked_place_of_wheels_is_not_followed(self, wheels: Path, place: Path) -> None:
        (packed,) = wheelhouse.local_wheels(["dovetail-core"], wheels)
        os.utime(packed.path.parent, (0, 0))
        wheels.symlink_to(wheels.rename(wheels.with_name("other")))
        assert prune(0, place) == []
        assert packed.path.exists()

    def test_packing_one_again_counts(self, wheels: Path, place: Path) -> None:
        (packed,) = wheelhouse.local_wheels(["dovetail-core"], wheels)
        os.utime(packed.path.parent, (0, 0))
        wheelhouse.local_wheels(["dovetail-core"], wheels)
        assert prune(0, place) == []


@posix_only
def test_shells_that_make_use_and_prune_at_once_never_see_half_of_it(place: Path) -> None:
    """Also when they are killed at whatever moment."""
    seconds = 6.0
    argument = [str(place / NAME), str(seconds)]
    sources = [USER, USER, USER, PRUNER, PRUNER]
    lasting = [_started(source, *argument) for source in sources]
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        victims = [_started(source, *argument) for source in (USER, PRUNER)]
        time.sleep(0.3 + random.random() / 2)
        for victim in victims:
            victim.send_signal(signal.SIGKILL)
            victim.communicate()
    said = [process.communicate(timeout=60) for process in lasting]
    assert [process.returncode for process in lasting] == [0] * 5, [err for _, err in said]
    assert all(int(out) > 3 for out, _ in said), said
    prune(0, place)
    assert list(place.iterdir()) == []


def _started(source: str, *arguments: str) -> subprocess.Popen[str]:
    argv = [sys.executable, "-c", source, *arguments]
    return subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
