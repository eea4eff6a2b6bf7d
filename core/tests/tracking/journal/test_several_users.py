"""A store that several people log to: everybody who may write to it may leave a journal beside it, and nobody else."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

import dovetail
from dovetail.errors import StoreUnavailable
from dovetail.tracking.journal.folder import orphans
from dovetail.tracking.journal.writer import begin

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.skipif(
    sys.platform == "win32" or os.geteuid() != 0, reason="only root may be one user after the other"
)

LAB, ELSEWHERE = 52_100, 52_101


class User(NamedTuple):
    """Somebody on this machine."""

    id: int
    group: int


ALICE, BOB, EVE, ROOT = User(52_001, LAB), User(52_002, LAB), User(52_003, ELSEWHERE), User(0, 0)
HEAD = """
    import importlib, logging, os, pkgutil, pwd, shutil, signal, sys, tempfile, traceback
    import dovetail
    import dovetail.tracking
    from dovetail.tracking import places

    # Python itself may lie where only root may read: what is needed later is imported, and tried, before.
    for each in pkgutil.walk_packages(dovetail.tracking.__path__, "dovetail.tracking."):
        importlib.import_module(each.name)
    warm = tempfile.mkdtemp()
    dovetail.set_tracking_uri(os.environ["DOVETAIL_TRACKING_URI"].partition("://")[0] + f":///{warm}/runs.db")
    with dovetail.start_run():
        dovetail.log_metric("loss", 1.0)
        dovetail.log_param("lr", 1)
    places.forget_places()
    del os.environ["DOVETAIL_STATE_DIR"]
    os.environ["DOVETAIL_TRACKING_URI"] = sys.argv[5]
    os.environ["DOVETAIL_STATE_DIR"] = sys.argv[6]
    shutil.rmtree(warm)

    os.umask(int(sys.argv[1], 8))
    os.setgroups([])
    os.setegid(int(sys.argv[2]))
    os.seteuid(int(sys.argv[3]))
"""
LOG = """
    with dovetail.start_run(run_name=sys.argv[4]):
        dovetail.log_metric("loss", 1.0)
        dovetail.log_param("lr", 1)
"""
DIE = """
    dovetail.start_run(run_name=sys.argv[4])
    dovetail.flush_async_logging()
    dovetail.log_metric("loss", 1.0)
    os.kill(os.getpid(), signal.SIGKILL)
"""
Script = "Callable[..., subprocess.CompletedProcess[str]]"


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that others may come to; those of pytest are the user's own."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name)
        path.chmod(0o755)
        (path / "shared").mkdir()
        yield path / "shared"


@pytest.fixture(params=["sqlite", "dir"])
def uri(request: pytest.FixtureRequest, place: Path) -> str:
    pytest.importorskip({"sqlite": "dovetail_sqlite", "dir": "dovetail_file"}[request.param])
    return {"sqlite": f"sqlite:///{place}/runs.db", "dir": f"dir://{place}/runs"}[request.param]


@pytest.fixture
def script(place: Path) -> Script:
    """``script(user, uri, text, run_name)`` is what a user does."""

    def run(user: User, uri: str, text: str, name: str = "a", umask: int = 0) -> subprocess.CompletedProcess[str]:
        state = place.parent / f"state-{user.id}"
        state.mkdir(exist_ok=True)
        os.chown(state, user.id, user.group)
        env = {**os.environ, "DOVETAIL_TRACKING_URI": uri, "DOVETAIL_STATE_DIR": str(state), "HOME": str(state)}
        env |= {"DOVETAIL_STATE_DIR": str(place.parent / "warm")}
        argv = [sys.executable, "-c", textwrap.dedent(HEAD) + textwrap.dedent(text)]
        argv += [f"{umask:o}", str(user.group), str(user.id), name, uri, str(state)]
        return subprocess.run(argv, env=env, cwd=state, capture_output=True, text=True, check=False, timeout=60)

    return run


def share(place: Path, mode: int, group: int = 0, owner: int = 0) -> None:
    os.chown(place, owner, group)
    place.chmod(mode)


def open_store(place: Path, mode: int) -> None:
    """Let others write to what lies in a folder; sqlite and others make their files for their user alone to write."""
    for path in place.rglob("*"):
        path.chmod(mode if path.is_dir() else mode & 0o666)


def journals(place: Path) -> Path:
    return next(place.rglob("*journals"))


def modes(folder: Path) -> tuple[int, set[int]]:
    return folder.stat().st_mode & 0o777, {path.stat().st_mode & 0o777 for path in folder.iterdir()}


def losses(uri: str) -> dict[str, float | None]:
    """The metric of each run, by the run's name, as root sees it."""
    dovetail.set_tracking_uri(uri)
    return {run.info.run_name: run.data.metrics.get("loss") for run in dovetail.search_runs(output_format="list")}


class TestAStoreForEverybody:
    def test_takes_what_everybody_logs(self, uri: str, place: Path, script: Script) -> None:
        share(place, 0o777)
        script(ALICE, uri, LOG, "first")
        open_store(place, 0o777)
        for name, user in (("a", ALICE), ("b", BOB), ("e", EVE)):
            assert script(user, uri, LOG, name).stderr == ""
        assert losses(uri) == dict.fromkeys(("first", "a", "b", "e"), 1.0)

    def test_is_given_by_anybody_what_somebody_left_behind(self, uri: str, place: Path, script: Script) -> None:
        share(place, 0o777)
        script(ALICE, uri, LOG, "first")
        open_store(place, 0o777)
        assert script(ALICE, uri, DIE, "killed").returncode < 0
        assert modes(journals(place)) == (0o777, {0o666})
        assert script(EVE, uri, LOG, "e").stderr == ""
        assert list(place.rglob("*.journal")) == []
        assert losses(uri) == dict.fromkeys(("first", "killed", "e"), 1.0)

    def test_keeps_the_journals_of_others_where_nobody_may_remove_them(
        self, uri: str, place: Path, script: Script
    ) -> None:
        """They are in the store all the same, once; who wrote them removes them."""
        share(place, 0o1777)
        script(ALICE, uri, LOG, "first")
        open_store(place, 0o777)
        journals = {"sqlite": "runs.db.journals", "dir": "runs/journals"}[uri.partition(":")[0]]
        (place / journals).mkdir(exist_ok=True)
        share(place / journals, 0o1777)
        assert script(ALICE, uri, DIE, "killed").returncode < 0
        left = list(place.rglob("*.journal"))
        for name in ("e1", "e2"):
            done = script(EVE, uri, LOG, name)
            assert done.returncode == 0, done.stderr
            assert "only who wrote it" in done.stderr
            assert list(place.rglob("*.journal")) == left
        assert script(ALICE, uri, LOG, "last").stderr == ""
        assert list(place.rglob("*.journal")) == []
        assert losses(uri) == dict.fromkeys(("first", "killed", "e1", "e2", "last"), 1.0)


class TestAStoreOfAGroup:
    def test_takes_what_its_members_log(self, uri: str, place: Path, script: Script) -> None:
        share(place, 0o2775, LAB)
        script(ALICE, uri, LOG, "first", 0o002)
        open_store(place, 0o2775)
        assert script(ALICE, uri, DIE, "killed", 0o002).returncode < 0
        folder = journals(place)
        assert modes(folder) == (0o770, {0o660})
        assert {path.stat().st_gid for path in (folder, *folder.iterdir())} == {LAB}
        assert script(BOB, uri, LOG, "b", 0o002).stderr == ""
        assert list(place.rglob("*.journal")) == []
        assert losses(uri) == dict.fromkeys(("first", "killed", "b"), 1.0)

    def test_is_one_of_its_members_although_root_logged_there(self, place: Path, script: Script) -> None:
        pytest.importorskip("dovetail_sqlite")
        uri = f"sqlite:///{place}/runs.db"
        share(place, 0o2770, LAB, ALICE.id)
        script(ALICE, uri, LOG, "a", 0o007)
        assert script(ROOT, uri, DIE, "root").returncode < 0
        assert journals(place).stat().st_uid == ALICE.id
        assert script(ALICE, uri, LOG, "again", 0o007).stderr == ""
        assert losses(uri) == {"a": 1.0, "root": 1.0, "again": 1.0}


class TestAStoreOfOneUser:
    def test_shows_nobody_what_is_logged(self, uri: str, place: Path, script: Script) -> None:
        share(place, 0o755, ALICE.group, ALICE.id)
        assert script(ALICE, uri, DIE, umask=0o022).returncode < 0
        assert modes(journals(place)) == (0o700, {0o600})

    def test_that_was_opened_later_opens_its_journals(self, place: Path, script: Script) -> None:
        pytest.importorskip("dovetail_sqlite")
        uri = f"sqlite:///{place}/runs.db"
        share(place, 0o777)
        script(ALICE, uri, DIE, umask=0o022)
        for path in place.glob("runs.db*"):
            if path.is_file():
                path.chmod(0o666)
        refused = script(BOB, uri, LOG, "b")
        assert "No journal can be kept" in refused.stderr
        assert f"user {ALICE.id}'s" in refused.stderr
        assert f"chmod 777 {place}/runs.db.journals" in refused.stderr
        assert "journal_dir" not in refused.stderr
        assert script(ALICE, uri, DIE).returncode < 0
        assert script(BOB, uri, LOG, "b").stderr == ""


class TestJournalsWithTheUser:
    def test_are_the_users_own_however_open_the_place_is(self, place: Path) -> None:
        share(place, 0o777)
        journal = begin(place / "here", "distant://a")
        assert modes(place / "here") == (0o700, {0o600})
        journal.close(journal.end)

    def test_that_cannot_be_kept_may_go_elsewhere(self, place: Path) -> None:
        (place / "here").write_text("a file")
        with pytest.raises(StoreUnavailable) as raised:
            begin(place / "here", "distant://a")
        assert "journal_dir" in str(raised.value.hint)
        assert orphans(place / "here") == []


class TestALinkThatSomebodyPutThere:
    def test_leads_nobody_to_another_folder(self, place: Path, tmp_path: Path) -> None:
        dovetail.set_tracking_uri(f"sqlite:///{place}/runs.db")
        run_id = dovetail.Client().create_run("0").info.run_id
        target = tmp_path / "target"
        target.mkdir(mode=0o700)
        (place / "runs.db.journals").symlink_to(target)
        os.chown(place / "runs.db", ALICE.id, ALICE.group)
        with pytest.raises(StoreUnavailable, match="symbolic link"):
            dovetail.log_metric("loss", 1.0, run_id=run_id)
        assert (target.stat().st_uid, target.stat().st_mode & 0o777, list(target.iterdir())) == (0, 0o700, [])
