"""What surrounds a run: user, script, commit."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import dovetail as mlflow
from dovetail.tracking.run_names import generated_name
from dovetail.tracking.source import git_commit, source_tags, user_name

if TYPE_CHECKING:
    from collections.abc import Callable


def git(*arguments: str, folder: Path = Path()) -> str:
    options = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "init.defaultBranch=main"]
    done = subprocess.run(["git", *options, *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def repository() -> Path:
    """A repository with one commit."""
    folder = Path("project").absolute()
    folder.mkdir()
    try:
        git("init", "-q", folder=folder)
    except FileNotFoundError:
        pytest.skip("git is not installed")
    (folder / "src").mkdir()
    (folder / "src" / "train.py").write_text("", encoding="utf-8")
    git("add", ".", folder=folder)
    git("commit", "-q", "-m", "first", folder=folder)
    return folder


def head(folder: Path) -> str:
    return git("rev-parse", "HEAD", folder=folder)


class TestCommits:
    def test_of_a_branch_from_any_folder_in_it(self, repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        commit = head(repository)
        assert git_commit(repository) == git_commit(repository / "src") == commit
        monkeypatch.chdir(repository / "src")
        assert git_commit(Path()) == commit

    def test_of_packed_refs(self, repository: Path) -> None:
        git("pack-refs", "--all", folder=repository)
        assert not (repository / ".git/refs/heads/main").exists()
        assert git_commit(repository) == head(repository)

    def test_a_loose_ref_is_newer_than_a_packed_one(self, repository: Path) -> None:
        git("pack-refs", "--all", folder=repository)
        git("commit", "-q", "--allow-empty", "-m", "second", folder=repository)
        assert git_commit(repository) == head(repository)

    def test_of_a_branch_with_slashes_and_of_a_tag_with_a_similar_name(self, repository: Path) -> None:
        git("checkout", "-q", "-b", "team/wine", folder=repository)
        git("commit", "-q", "--allow-empty", "-m", "second", folder=repository)
        git("tag", "-a", "team/wine", "-m", "tag", "HEAD~1", folder=repository)
        git("pack-refs", "--all", folder=repository)
        assert git_commit(repository) == git("rev-parse", "refs/heads/team/wine", folder=repository)

    def test_of_a_detached_head(self, repository: Path) -> None:
        git("checkout", "-q", "--detach", folder=repository)
        assert git_commit(repository) == head(repository)

    @pytest.mark.parametrize("packed", [False, True])
    def test_of_a_worktree(self, repository: Path, packed: bool) -> None:
        other = repository.parent / "other"
        git("worktree", "add", "-q", "-b", "side", str(other), folder=repository)
        git("commit", "-q", "--allow-empty", "-m", "second", folder=other)
        if packed:
            git("pack-refs", "--all", folder=repository)
        assert git_commit(other) == head(other) != head(repository)

    def test_of_a_submodule(self, repository: Path) -> None:
        outer = repository.parent / "outer"
        outer.mkdir()
        git("init", "-q", folder=outer)
        git("-c", "protocol.file.allow=always", "submodule", "-q", "add", str(repository), "lib", folder=outer)
        assert (outer / "lib" / ".git").is_file()
        assert git_commit(outer / "lib") == head(repository)

    def test_of_a_branch_that_stands_for_another(self, repository: Path) -> None:
        git("symbolic-ref", "refs/heads/alias", "refs/heads/main", folder=repository)
        (repository / ".git/HEAD").write_text("ref: refs/heads/alias\n", encoding="utf-8")
        assert git_commit(repository) == head(repository)

    def test_none_before_the_first_commit_and_outside_of_a_repository(self) -> None:
        Path("fresh").mkdir()
        assert git_commit(Path("fresh")) is None
        git("init", "-q", folder=Path("fresh"))
        assert git_commit(Path("fresh")) is None

    @pytest.mark.parametrize(
        "content",
        [b"", b"\xff\xfe", b"ref: ", b"ref: ../../../secret", b"ref: refs/heads/a\0b", b"not a commit", b"ref: HEAD"],
    )
    def test_a_damaged_repository_has_none(self, content: bytes) -> None:
        Path("x/.git").mkdir(parents=True)
        Path("secret").write_text("a password", encoding="utf-8")
        Path("x/.git/HEAD").write_bytes(content)
        assert git_commit(Path("x")) is None

    @pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no named pipes")
    def test_a_pipe_in_the_place_of_a_file_is_not_waited_for(self, repository: Path) -> None:
        (repository / ".git" / "HEAD").unlink()
        os.mkfifo(repository / ".git" / "HEAD")
        assert git_commit(repository) is None
        other = repository.with_name("other")
        other.mkdir()
        os.mkfifo(other / ".git")
        assert git_commit(other) is None

    def test_follows_a_commit_that_is_made_meanwhile(self, repository: Path) -> None:
        """What was read is remembered, for as long as the files look the same."""
        for number in range(5):
            assert git_commit(repository) == head(repository)
            git("commit", "-q", "--allow-empty", "-m", f"next {number}", folder=repository)
        git("checkout", "-q", "-b", "another", "HEAD~3", folder=repository)
        assert git_commit(repository) == head(repository)

    def test_a_worktree_whose_repository_is_gone_has_none(self) -> None:
        Path("x").mkdir()
        Path("x/.git").write_text("gitdir: /nowhere/at/all\n", encoding="utf-8")
        assert git_commit(Path("x")) is None

    @pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps the working folder from being removed")
    def test_a_working_folder_that_was_removed_has_none(self, monkeypatch: pytest.MonkeyPatch) -> None:
        Path("gone").mkdir()
        monkeypatch.chdir("gone")
        Path("../gone").rmdir()
        assert git_commit(Path()) is None


class TestScripts:
    def run(self, folder: Path, *command: str) -> list[str]:
        done = subprocess.run([sys.executable, *command], cwd=folder, capture_output=True, text=True, check=True)
        return done.stdout.splitlines()

    PROGRAM = """
import os, dovetail
os.chdir("/")
dovetail.set_tracking_uri("memory://")
with dovetail.start_run() as run:
    for name in ("source.name", "source.type", "source.git.commit", "user"):
        print(run.data.tags.get(f"mlflow.{name}"))
"""

    def test_a_script_is_named_with_its_commit_also_when_it_changes_its_folder(self, repository: Path) -> None:
        (repository / "src/train.py").write_text(self.PROGRAM, encoding="utf-8")
        assert self.run(repository / "src", "train.py") == ["train.py", "LOCAL", head(repository), user_name()]

    def test_a_command_line_is_the_console(self, repository: Path) -> None:
        program = self.PROGRAM.replace('os.chdir("/")', "")
        assert self.run(repository, "-c", program)[:3] == ["<console>", "LOCAL", head(repository)]

    @pytest.mark.skipif(sys.platform != "linux", reason="file names are Unicode there")
    def test_a_script_whose_name_is_no_unicode(self, tmp_path: Path) -> None:
        path = os.path.join(os.fsencode(tmp_path), b"tr\xe4in.py")  # noqa: PTH118 - bytes
        with open(path, "w", encoding="utf-8") as file:  # noqa: PTH123 - bytes
            file.write(self.PROGRAM)
        assert self.run(tmp_path, os.fsdecode(path))[0].endswith("tr\\udce4in.py")


def test_a_plugin_that_fails_does_not_keep_a_run_from_starting(observer: Any, store: Any) -> None:
    observer.fails = True
    with pytest.warns(UserWarning, match="dovetail_run_tags.*no surroundings"):
        tags = source_tags()
    assert tags["mlflow.source.type"] == "LOCAL"


@pytest.mark.parametrize("variable", ["LOGNAME", "USER"])
def test_the_user_is_who_logged_in(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, "ada")
    assert user_name() == "ada"


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="only the superuser can become nobody known")
def test_a_user_whom_the_system_does_not_know() -> None:
    program = """
import os
os.setuid(12345)
from dovetail.tracking.source import user_name
print(user_name())
"""
    environment = {
        name: value for name, value in os.environ.items() if name not in ("LOGNAME", "USER", "LNAME", "USERNAME")
    }
    import dovetail

    environment["PYTHONPATH"] = str(Path(str(dovetail.__file__)).parents[1])
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip("this interpreter lies where only the superuser may look")
    assert done.stdout.strip() == "unknown"


class TestNames:
    def test_they_are_an_adjective_a_noun_and_a_number(self) -> None:
        adjective, noun, number = generated_name().split("-")
        assert adjective.isalpha()
        assert noun.isalpha()
        assert 0 <= int(number) < 1000

    def test_a_script_that_seeds_its_random_numbers_gets_different_ones(self, store: Any) -> None:
        import random

        names = set()
        for _ in range(5):
            random.seed(0)
            with mlflow.start_run() as run:
                names.add(run.info.run_name)
        assert len(names) > 1


def test_the_scripts_random_numbers_are_left_alone(store: Any, script: Callable[..., Any]) -> None:
    import random

    random.seed(0)
    expected = random.random()
    random.seed(0)
    with mlflow.start_run():
        mlflow.log_metric("loss", 1)
    assert random.random() == expected
