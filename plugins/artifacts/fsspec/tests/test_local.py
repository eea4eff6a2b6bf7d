"""What only the disk of this machine can do to a store: fill up, be read-only, hold links; and killed writers."""

from __future__ import annotations

import io
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import textwrap
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from dovetail.errors import InvalidInput, InvalidUri, NotFound, StoreError, StoreFull, StoreReadOnly
from dovetail.testing.artifact_corpus import files, fill, names, read
from dovetail.testing.concurrency import together
from dovetail.testing.streams import generated
from dovetail_fsspec.folder import Folder
from dovetail_fsspec.local import LocalArtifactStore

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="links, limits and signals of POSIX")
BIG = 3 << 20


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "artifacts"


@pytest.fixture
def store(root: Path) -> LocalArtifactStore:
    return LocalArtifactStore(str(root))


def everything(root: Path) -> list[str]:
    """What is really on disk, hidden or not."""
    return sorted(str(path.relative_to(root)) for path in root.rglob("*"))


def python(script: str, *argv: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", textwrap.dedent(script), *map(str, argv)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


class TestAPowerCut:
    @pytest.mark.parametrize(("durability", "synced"), [("process", 0), ("power", 1)])
    def test_is_thought_of_where_that_is_asked_for(
        self, store: LocalArtifactStore, monkeypatch: pytest.MonkeyPatch, durability: str, synced: int
    ) -> None:
        monkeypatch.setenv("DOVETAIL_DURABILITY", durability)
        brought: list[int] = []  # sizes of what was brought to disk
        real = os.fsync
        monkeypatch.setattr(os, "fsync", lambda file: (brought.append(os.fstat(file).st_size), real(file)))
        fill(store, {"a": b"content"})
        assert brought == [len(b"content")] * synced


class TestThePlace:
    def test_is_a_path_or_a_file_uri(self, root: Path) -> None:
        fill(LocalArtifactStore(root.as_uri()), {"a b": b"x"})
        assert read(LocalArtifactStore(str(root)), "a b") == b"x"
        assert (root / "a b").read_bytes() == b"x"

    def test_stays_the_same_when_the_working_folder_changes(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        store = LocalArtifactStore("artifacts")
        monkeypatch.chdir("/")
        fill(store, {"a": b"x"})
        assert store.uri == (tmp_path / "artifacts").as_uri()
        assert (tmp_path / "artifacts" / "a").exists()

    def test_may_be_reached_through_a_link(self, tmp_path: Path, root: Path) -> None:
        root.mkdir()
        (tmp_path / "link").symlink_to(root)
        fill(LocalArtifactStore(str(tmp_path / "link")), {"a/b": b"x"})
        assert (root / "a" / "b").exists()

    def test_is_not_made_by_reading(self, store: LocalArtifactStore, root: Path) -> None:
        assert names(store) == []
        with pytest.raises(NotFound):
            store.open("a")
        assert store.local_path("") == root
        assert not root.exists()

    def test_gives_files_the_permissions_that_the_user_gives_files(self, store: LocalArtifactStore, root: Path) -> None:
        before = os.umask(0o027)
        try:
            fill(store, {"a/b": b"x"})
        finally:
            os.umask(before)
        assert stat.S_IMODE((root / "a" / "b").stat().st_mode) == 0o640
        assert stat.S_IMODE((root / "a").stat().st_mode) == 0o750


class TestFoldersWithoutFiles:
    def test_are_not_shown(self, store: LocalArtifactStore, root: Path) -> None:
        (root / "a" / "b" / "c").mkdir(parents=True)
        fill(store, {"d": b"x"})
        assert names(store) == ["d"]

    def test_go_with_their_last_file(self, store: LocalArtifactStore, root: Path) -> None:
        fill(store, {"a/b/c": b"x", "a/d": b"x"})
        store.delete("a/b/c")
        assert everything(root) == ["a", "a/d"]
        store.delete("a")
        assert everything(root) == []
        assert root.exists()

    def test_make_room_for_a_file(self, store: LocalArtifactStore, root: Path) -> None:
        (root / "a").mkdir(parents=True)
        fill(store, {"a": b"x"})
        assert read(store, "a") == b"x"

    def test_go_however_deep_they_are(self, store: LocalArtifactStore) -> None:
        deep = "/".join(["d"] * 1100)
        fill(store, {f"{deep}/f": b"x"})
        assert read(store, f"{deep}/f") == b"x"
        assert names(store) == ["d"]
        store.delete("d")
        assert names(store) == []

    @pytest.mark.parametrize("deleted", ["d", "whole path"])
    def test_go_in_steps_that_are_as_many_as_they_are_deep(
        self, store: LocalArtifactStore, monkeypatch: pytest.MonkeyPatch, deleted: str
    ) -> None:
        opened: list[object] = []
        open_, steps = os.open, []

        def counted(path: Any, *rest: Any, **options: Any) -> int:
            opened.append(path)
            return open_(path, *rest, **options)

        monkeypatch.setattr(os, "open", counted)
        for depth in (100, 200, 300):
            deep = "/".join(["d"] * depth) + "/f"
            fill(store, {deep: b"x"})
            opened.clear()
            store.delete(deep if deleted == "whole path" else deleted)
            assert names(store) == []
            steps.append(len(opened))
        assert steps[2] - steps[1] == steps[1] - steps[0] < 1000

    def test_go_also_while_others_remove_the_same_ones(self, store: LocalArtifactStore, root: Path) -> None:
        paths = [f"a/{'/'.join(branch)}/{depth}" for branch in ("bcdef" * 6, "ghijk" * 6) for depth in range(3)]
        for _ in range(10):
            fill(store, dict.fromkeys(paths, b"x"))

            def work(number: int) -> None:
                del number
                with suppress(NotFound):  # another one was faster
                    store.delete("a")

            together(work)
            assert everything(root) == []

    def test_that_are_moved_away_meanwhile_take_nothing_else_along(
        self, store: LocalArtifactStore, root: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        fill(store, {"a/b/c/f": b"x", "a/g": b"x", "kept/b/g": b"x", "kept/c/g": b"x"})
        remove, moved = Folder.remove, []

        def and_moved(folder: Folder, name: str) -> None:
            remove(folder, name)
            if name == "f" and not moved:
                moved.append(name)
                (root / "a/b/c").rename(root / "kept/emptied")

        monkeypatch.setattr(Folder, "remove", and_moved)
        store.delete("a")
        assert everything(root) == ["kept", "kept/b", "kept/b/g", "kept/c", "kept/c/g", "kept/emptied"]


class TestLinks:
    @pytest.fixture
    def outside(self, tmp_path: Path) -> Path:
        folder = tmp_path / "outside"
        folder.mkdir()
        (folder / "secret").write_text("secret")
        return folder

    def test_that_lead_outside_are_neither_shown_nor_followed(
        self, store: LocalArtifactStore, root: Path, outside: Path
    ) -> None:
        fill(store, {"a/b": b"x"})
        (root / "a" / "file").symlink_to(outside / "secret")
        (root / "folder").symlink_to(outside)
        (root / "up").symlink_to("..")
        assert files(store) == ["a/b"]
        for path in ("a/file", "folder/secret", "folder", "up/outside/secret"):
            with pytest.raises(InvalidUri):
                store.open(path)
            with pytest.raises(InvalidUri):
                list(store.list(path))
            with pytest.raises(InvalidUri):
                store.local_path(path)

    def test_that_lead_outside_are_not_written_through(
        self, store: LocalArtifactStore, root: Path, outside: Path
    ) -> None:
        root.mkdir()
        (root / "folder").symlink_to(outside)
        (root / "file").symlink_to(outside / "secret")
        with pytest.raises(InvalidUri):
            store.put("folder/new", io.BytesIO(b"x"))
        with pytest.raises(InvalidUri):
            store.delete("folder/secret")
        fill(store, {"file": b"in place of the link"})
        assert read(store, "file") == b"in place of the link"
        assert [path.name for path in outside.iterdir()] == ["secret"]
        assert (outside / "secret").read_text() == "secret"

    def test_are_deleted_and_not_what_they_lead_to(self, store: LocalArtifactStore, root: Path, outside: Path) -> None:
        fill(store, {"a/b": b"x", "c": b"x"})
        (root / "a" / "folder").symlink_to(outside)
        (root / "file").symlink_to(outside / "secret")
        store.delete("file")
        store.delete("a")
        assert everything(root) == ["c"]
        assert (outside / "secret").exists()

    def test_that_stay_below_are_followed(self, store: LocalArtifactStore, root: Path) -> None:
        fill(store, {"v1/model": b"x"})
        (root / "latest").symlink_to("v1")
        (root / "model").symlink_to("v1/model")
        assert names(store) == ["latest", "model", "v1"]
        assert names(store, "latest") == ["latest/model"]
        assert read(store, "latest/model") == read(store, "model") == b"x"
        fill(store, {"latest/more": b"y"})
        assert names(store, "v1") == ["v1/model", "v1/more"]
        with pytest.raises(InvalidInput):
            store.put("latest", io.BytesIO(b"x"))

    def test_in_a_circle_make_no_endless_tree(self, store: LocalArtifactStore, root: Path) -> None:
        fill(store, {"a/f": b"x", "b/g": b"x"})
        (root / "a" / "self").symlink_to("self")
        (root / "a" / "up").symlink_to("..")
        (root / "a" / "b").symlink_to("../b")
        (root / "b" / "a").symlink_to("../a")
        assert len(files(store)) < 20
        with pytest.raises(NotFound):
            store.open("a/self")

    def test_that_are_put_in_the_way_later_are_not_followed(self, root: Path, outside: Path) -> None:
        """The walk itself refuses links, whatever an earlier check has seen."""
        from dovetail_fsspec.folder import Folder

        root.mkdir()
        (root / "a").symlink_to(outside)
        (root / "f").symlink_to(outside / "secret")
        with pytest.raises(OSError, match=r"directory|symbolic"):
            Folder.at(root, ("a",))
        with Folder.at(root) as folder, pytest.raises(OSError, match="symbolic"):
            folder.read("f")


class TestSpecialFiles:
    def test_are_neither_shown_nor_waited_for(self, store: LocalArtifactStore, root: Path) -> None:
        root.mkdir()
        os.mkfifo(root / "pipe")
        assert names(store) == []
        with pytest.raises(NotFound):
            store.open("pipe")


class TestUnfinishedFiles:
    HIDDEN = f".dovetail-{'0' * 32}.part"

    def test_are_invisible_and_untouchable(self, store: LocalArtifactStore, root: Path) -> None:
        fill(store, {"a/b": b"x"})
        (root / "a" / self.HIDDEN).write_bytes(b"half")
        (root / "c").mkdir()
        (root / "c" / self.HIDDEN).write_bytes(b"half")
        assert files(store) == ["a/b"]
        assert names(store) == ["a"]
        for path in (f"a/{self.HIDDEN}", f"{self.HIDDEN}/x"):
            with pytest.raises(InvalidInput):
                store.put(path, io.BytesIO(b"x"))
            with pytest.raises(InvalidInput):
                store.open(path)

    def test_are_cleared_away_a_day_later(self, store: LocalArtifactStore, root: Path) -> None:
        (root / "a").mkdir(parents=True)
        old, fresh = root / "a" / self.HIDDEN, root / "a" / self.HIDDEN.replace("0", "1")
        for path in (old, fresh):
            path.write_bytes(b"half")
        os.utime(old, (time.time() - 2 * 86400,) * 2)
        fill(store, {"a/b": b"x"})
        assert not old.exists()
        assert fresh.exists()

    def test_of_others_survive_when_the_folder_is_deleted(self, store: LocalArtifactStore, root: Path) -> None:
        fill(store, {"a/b": b"x"})

        class Deleting(io.BytesIO):
            def read(self, size: int | None = -1, /) -> bytes:
                store.delete("a/b")
                self.read = super().read  # type: ignore[method-assign]
                return super().read(size)

        store.put("a/c", Deleting(b"y"))
        assert files(store) == ["a/c"]
        assert read(store, "a/c") == b"y"

    @pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGTERM])
    def test_of_a_killed_writer_are_not_seen(
        self, store: LocalArtifactStore, root: Path, signum: signal.Signals
    ) -> None:
        fill(store, {"old": b"former"})
        script = """
            import io, sys, time
            from dovetail_fsspec.local import LocalArtifactStore

            class Stalling(io.RawIOBase):
                blocks = 3
                def read(self, size=-1):
                    self.blocks -= 1
                    if self.blocks < 0:
                        print("writing", flush=True)
                        time.sleep(60)
                    return b"x" * (1 << 20)

            LocalArtifactStore(sys.argv[1]).put(sys.argv[2], Stalling())
        """
        for path in ("old", "new/deep/file"):
            command = [sys.executable, "-c", textwrap.dedent(script), str(root), path]
            with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
                assert writer.stdout is not None
                assert writer.stdout.readline() == "writing\n"
                assert names(store) == ["old"]
                writer.send_signal(signum)
        assert files(store) == ["old"]
        assert read(store, "old") == b"former"
        assert any(name.endswith(".part") for name in everything(root))  # there are leftovers, and they are hidden
        fill(store, {"new/deep/file": b"x"})
        assert files(store) == ["new/deep/file", "old"]


class TestAFullDisk:
    def test_leaves_nothing_where_files_may_only_have_a_certain_size(
        self, store: LocalArtifactStore, root: Path
    ) -> None:
        """A limit of the process ends a write as a full disk does, and every system has it."""
        fill(store, {"a/b": b"former"})
        script = f"""
            import resource, sys
            from dovetail.errors import StoreFull
            from dovetail.testing.streams import generated
            from dovetail_fsspec.local import LocalArtifactStore

            resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
            store = LocalArtifactStore(sys.argv[1])
            for path in ("a/b", "new/c"):
                try:
                    store.put(path, generated({BIG}))
                except StoreFull as error:
                    print(error.message)
        """
        done = python(script, root)
        assert done.stdout.count("Cannot write") == 2, done.stderr
        assert read(store, "a/b") == b"former"
        assert everything(root) == ["a", "a/b"]

    @pytest.fixture
    def small_disk(self, tmp_path: Path) -> Iterator[Path]:
        folder = tmp_path / "disk"
        folder.mkdir()
        mount = shutil.which("mount")
        command = [mount or "mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)]
        if mount is None or subprocess.run(command, capture_output=True, check=False).returncode:
            pytest.skip("mounting a small disk needs root and a machine that allows it")
        yield folder
        subprocess.run(["umount", str(folder)], check=True)

    def test_leaves_nothing_where_the_space_is_used_up(self, small_disk: Path) -> None:
        store = LocalArtifactStore(str(small_disk))
        fill(store, {"a/b": b"former"})
        for path in ("a/b", "new/c"):
            with pytest.raises(StoreFull, match="Make room"):
                store.put(path, generated(BIG))
        assert read(store, "a/b") == b"former"
        assert everything(small_disk) == ["a", "a/b"]
        fill(store, {"a/c": b"there is room for small files"})

    def test_can_be_read_and_not_written_when_it_is_read_only(self, small_disk: Path) -> None:
        store = LocalArtifactStore(str(small_disk))
        fill(store, {"a/b": b"x"})
        subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
        assert read(store, "a/b") == b"x"
        with pytest.raises(StoreReadOnly, match="Read-only"):
            store.put("a/b", io.BytesIO(b"y"))
        with pytest.raises(StoreReadOnly, match="Read-only"):
            store.delete("a/b")
        assert files(store) == ["a/b"]


class TestMissingPermission:
    @pytest.fixture
    def open_to_all(self) -> Iterator[Path]:
        """A folder that another user can reach, unlike those of pytest."""
        folder = Path(tempfile.mkdtemp())
        folder.chmod(0o755)
        yield folder
        shutil.rmtree(folder)

    def test_is_told_apart_for_reading_and_writing(self, open_to_all: Path) -> None:
        root = open_to_all / "artifacts"
        fill(LocalArtifactStore(str(root)), {"a/b": b"x", "private": b"x"})
        (root / "private").chmod(0)
        (root / "a").chmod(0o555)
        root.chmod(0o555)
        # root may do everything, so the user "nobody" takes its place
        script = """
            import io, os, sys
            from dovetail.errors import DovetailError
            from dovetail_fsspec.local import LocalArtifactStore

            if os.geteuid() == 0:
                os.seteuid(65534)
            store = LocalArtifactStore(sys.argv[1])
            print([info.path for info in store.list()])
            for verb, *arguments in (("put", "a/c", io.BytesIO(b"x")), ("put", "new/c", io.BytesIO(b"x")),
                                     ("delete", "a/b"), ("open", "private")):
                try:
                    getattr(store, verb)(*arguments)
                except DovetailError as error:
                    print(type(error).__name__)
        """
        try:
            done = python(script, root)
        finally:
            root.chmod(0o755)
            (root / "a").chmod(0o755)
        said = done.stdout.splitlines()
        assert said == ["['a', 'private']", *["StoreReadOnly"] * 3, StoreError.__name__], done.stderr
        assert everything(root) == ["a", "a/b", "private"]


class TestNamesTheDiskCannotHold:
    def test_are_refused(self, store: LocalArtifactStore, root: Path) -> None:
        for path in ("x" * 300, "a/" + "x" * 300 + "/b"):
            with pytest.raises(InvalidInput, match="too long"):
                store.put(path, io.BytesIO(b"x"))
        assert everything(root) == []

    def test_a_file_is_no_folder(self, store: LocalArtifactStore) -> None:
        fill(store, {"a": b"x"})
        with pytest.raises(InvalidInput):
            store.put("a/b", io.BytesIO(b"x"))
