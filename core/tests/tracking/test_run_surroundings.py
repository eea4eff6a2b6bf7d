"""What surrounds a run: the state of its repository, its packages, its command."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("dovetail_sqlite")

import dovetail as mlflow
from dovetail import concealment
from dovetail.tracking import surroundings
from dovetail.tracking.packages import frozen
from dovetail.tracking.repository import Repository

if TYPE_CHECKING:
    from collections.abc import Callable

    from dovetail.values import Run

    Script = Callable[..., subprocess.CompletedProcess[str]]

GIT = "mlflow.source.git."
PROGRAM = """
import os, sys, time
import dovetail as mlflow
mlflow.set_tracking_uri("sqlite:///" + os.environ["PLACE"])
"""


def git(*arguments: str, folder: Path = Path()) -> str:
    options = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "init.defaultBranch=main"]
    options += ["-c", "protocol.file.allow=always"]
    done = subprocess.run(["git", *options, *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def repository(monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with one commit; runs are tracked outside of it."""
    folder = Path("project").absolute()
    folder.mkdir()
    try:
        git("init", "-q", folder=folder)
    except FileNotFoundError:
        pytest.skip("git is not installed")
    (folder / "train.py").write_text("rate = 0.1\n", encoding="utf-8")
    commit(folder)
    monkeypatch.setenv("PLACE", str(Path("runs.db").absolute()))
    mlflow.set_tracking_uri(f"sqlite:///{Path('runs.db').absolute()}")
    return folder


def commit(folder: Path, name: str = ".") -> None:
    git("add", "-f", name, folder=folder)
    git("commit", "-q", "-m", "state", folder=folder)


def at(folder: Path) -> Repository:
    found = Repository.around(folder)
    assert found is not None
    return found


def start(folder: Path, *arguments: str, body: str = "pass", env: dict[str, str] | None = None) -> Run:
    """A run of the script ``train.py`` of a repository, its own source not among the changes."""
    script = folder.parent / "outside.py"
    script.write_text(f"{PROGRAM}\nwith mlflow.start_run() as run: {body}\n", encoding="utf-8")
    program = f"import runpy, sys; sys.argv[0] = ''; exec(open({str(script)!r}).read())"
    command = [sys.executable, "-c", program, *arguments]
    subprocess.run(command, cwd=folder, check=True, env={**os.environ, **(env or {})})
    (run,) = mlflow.search_runs(output_format="list")
    return run


def kept(run: Run, name: str) -> str:
    path = Path(run.info.artifact_uri.removeprefix("file://"), surroundings.FOLDER, name)
    return path.read_text("utf-8") if path.exists() else ""


class TestTags:
    def test_a_run_at_a_commit_is_clean(self, repository: Path) -> None:
        tags = start(repository).data.tags
        assert tags[f"{GIT}commit"] == git("rev-parse", "HEAD", folder=repository)
        assert (tags[f"{GIT}branch"], tags[f"{GIT}dirty"]) == ("main", "False")
        assert f"{GIT}repoURL" not in tags

    def test_one_with_changes_is_dirty_also_if_they_are_staged(self, repository: Path) -> None:
        (repository / "train.py").write_text("rate = 0.2\n", encoding="utf-8")
        git("add", ".", folder=repository)
        assert start(repository).data.tags[f"{GIT}dirty"] == "True"

    def test_files_that_were_never_added_do_not_count(self, repository: Path) -> None:
        (repository / "notes.txt").write_text("", encoding="utf-8")
        assert start(repository).data.tags[f"{GIT}dirty"] == "False"

    def test_many_runs_ask_once(self, repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(repository)
        monkeypatch.setattr(sys, "argv", [""])
        for _ in range(20):
            with mlflow.start_run():
                time.sleep(0.005)
        surroundings._farewell()
        runs = mlflow.search_runs(output_format="list")
        assert [run.data.tags[f"{GIT}dirty"] for run in runs] == ["False"] * 20

    def test_the_users_own_tag_wins(self, repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(repository)
        monkeypatch.setattr(sys, "argv", [""])
        with mlflow.start_run(tags={f"{GIT}dirty": "mine"}) as run:
            time.sleep(0.2)
        assert mlflow.get_run(run.info.run_id).data.tags[f"{GIT}dirty"] == "mine"

    def test_a_detached_head_has_no_branch(self, repository: Path) -> None:
        git("checkout", "-q", "--detach", folder=repository)
        assert at(repository).checked_out() == (git("rev-parse", "HEAD", folder=repository), None)

    def test_before_the_first_commit_there_is_a_branch(self) -> None:
        Path("fresh").mkdir()
        git("init", "-q", folder=Path("fresh"))
        assert at(Path("fresh")).checked_out() == (None, "main")

    @pytest.mark.parametrize(
        ("url", "shown"),
        [
            ("https://github.com/acme/wine.git", "https://github.com/acme/wine.git"),
            ("https://ada:s3cret@github.com/acme/wine.git", "https://github.com/acme/wine.git"),
            ("https://ghp_s3cret@github.com/acme/wine.git", "https://github.com/acme/wine.git"),
            ("https://host/wine.git?private_token=s3cret", "https://host/wine.git?private_token=***"),
            ("git@github.com:acme/wine.git", "git@github.com:acme/wine.git"),
            ("ssh://git@host:22/acme/wine.git", "ssh://git@host:22/acme/wine.git"),
            ("../elsewhere", "../elsewhere"),
        ],
    )
    def test_the_remote_is_named_without_credentials(self, repository: Path, url: str, shown: str) -> None:
        git("remote", "add", "origin", url, folder=repository)
        assert at(repository).remote() == shown

    def test_origin_is_the_remote_there_are_many_of(self, repository: Path) -> None:
        git("remote", "add", "a", "https://a/x", folder=repository)
        assert at(repository).remote() == "https://a/x"
        git("remote", "add", "origin", "https://origin/x", folder=repository)
        assert at(repository).remote() == "https://origin/x"
        side = repository.parent / "side"
        git("worktree", "add", "-q", "-b", "team/side", str(side), folder=repository)
        assert (at(side).remote(), at(side).checked_out()[1]) == ("https://origin/x", "team/side")

    def test_changes_in_a_submodule_are_changes(self, repository: Path) -> None:
        outer = repository.parent / "outer"
        outer.mkdir()
        git("init", "-q", folder=outer)
        git("submodule", "-q", "add", str(repository), "lib", folder=outer)
        commit(outer)
        assert at(outer).dirty(30) is False
        (outer / "lib" / "train.py").write_text("rate = 0.3\n", encoding="utf-8")
        assert at(outer).dirty(30) is True
        assert b"+rate = 0.3" in (at(outer).changes(30, 10_000) or b"")


class TestTroublesWithGit:
    @pytest.fixture
    def other_git(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
        """``other_git("sleep 60")`` has a shell script take git's place."""

        def make(script: str) -> None:
            path = tmp_path / "bin" / "git"
            path.parent.mkdir()
            path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
            path.chmod(0o755)
            monkeypatch.setenv("PATH", f"{path.parent}{os.pathsep}{os.environ['PATH']}")

        return make

    def test_without_git_the_files_tell_what_they_can(self, repository: Path, tmp_path: Path) -> None:
        tags = start(repository, env={"PATH": str(tmp_path)}).data.tags
        assert f"{GIT}commit" in tags
        assert f"{GIT}dirty" not in tags

    def test_a_git_that_hangs_keeps_nobody(self, repository: Path, other_git: Callable[[str], None]) -> None:
        other_git("sleep 60 & wait")
        begun = time.monotonic()
        tags = start(repository).data.tags
        assert time.monotonic() - begun < 10
        assert f"{GIT}dirty" not in tags

    def test_its_time_is_limited(self, repository: Path, other_git: Callable[[str], None]) -> None:
        other_git("sleep 60 & wait")
        begun = time.monotonic()
        assert at(repository).dirty(0.2) is None
        assert at(repository).changes(0.2, 1000) is None
        assert time.monotonic() - begun < 5

    def test_a_git_that_fails_says_nothing(self, repository: Path, other_git: Callable[[str], None]) -> None:
        other_git("echo something; exit 128")
        assert at(repository).changes(30, 1000) is None

    def test_nothing_in_the_repository_is_written(self, repository: Path) -> None:
        (repository / "train.py").touch()
        before = (repository / ".git/index").read_bytes()
        for folder in (repository / ".git", repository):
            folder.chmod(0o555)
        try:
            assert at(repository).dirty(30) is False
        finally:
            for folder in (repository / ".git", repository):
                folder.chmod(0o755)
        assert (repository / ".git/index").read_bytes() == before

    def test_starting_a_run_does_not_wait_for_git(
        self, repository: Path, other_git: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        other_git("sleep 3; echo changed")
        monkeypatch.chdir(repository)
        monkeypatch.setattr(sys, "argv", [""])
        with mlflow.start_run():
            pass
        begun = time.monotonic()
        for _ in range(10):
            with mlflow.start_run():
                pass
        assert time.monotonic() - begun < 2


class TestFiles:
    def test_none_unless_asked(self, repository: Path) -> None:
        run = start(repository)
        assert not Path(run.info.artifact_uri.removeprefix("file://")).exists()

    @pytest.mark.parametrize("by", ["argument", "setting"])
    def test_changes_packages_and_command(self, repository: Path, by: str) -> None:
        (repository / "train.py").write_text("rate = 0.2\n", encoding="utf-8")
        env = {"DOVETAIL_LOG_ENVIRONMENT": "true"} if by == "setting" else {}
        body = "pass" if by == "setting" else "pass\nwith mlflow.start_run(run.info.run_id, log_environment=True): pass"
        run = start(repository, "--rate", "0.2", body=body, env=env)
        assert "-rate = 0.1\n+rate = 0.2\n" in kept(run, "changes.diff")
        assert f"\npytest=={pytest.__version__}\n" in kept(run, "packages.txt")
        folder, command = kept(run, "command.txt").splitlines()[0], kept(run, "command.txt")
        assert folder == f"cd {repository}"
        assert command.endswith("--rate 0.2\n")

    def test_changes_can_be_applied(self, repository: Path) -> None:
        (repository / "train.py").write_text("rate = 0.2\n", encoding="utf-8")
        (repository / "data.bin").write_bytes(bytes(range(256)))
        git("add", ".", folder=repository)
        content = at(repository).changes(30, 100_000)
        git("reset", "-q", "--hard", folder=repository)
        Path("changes.diff").write_bytes(content or b"")
        git("apply", str(Path("changes.diff").absolute()), folder=repository)
        assert (repository / "train.py").read_text("utf-8") == "rate = 0.2\n"
        assert (repository / "data.bin").read_bytes() == bytes(range(256))

    def test_secrets_are_not_among_the_changes(self, repository: Path) -> None:
        (repository / "deep").mkdir()
        names = [".env", "deep/.env.local", "deep/prod.env", "server.pem", "id_rsa", "ignored.txt"]
        for name in names:
            (repository / name).write_text("first\n", encoding="utf-8")
        for name in names[:-1]:
            git("add", "-f", name, folder=repository)
        (repository / ".gitignore").write_text("ignored.txt\n", encoding="utf-8")
        git("add", ".gitignore", folder=repository)
        git("commit", "-q", "-m", "secrets", folder=repository)
        for name in names:
            (repository / name).write_text("s3cret\n", encoding="utf-8")
        (repository / "new.txt").write_text("s3cret\n", encoding="utf-8")
        code = 'API_KEY = "s3cret"\nurl = "postgresql://ada:s3cret@host/wine"\nrate = 0.2\n'
        (repository / "train.py").write_text(code, encoding="utf-8")
        changes = kept(start(repository, env={"DOVETAIL_LOG_ENVIRONMENT": "true"}), "changes.diff")
        assert "+rate = 0.2" in changes
        assert '+API_KEY = "***"' in changes
        assert "s3cret" not in changes

    def test_changes_are_limited_and_say_so(self, repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(surroundings, "MUCH", 1000)
        (repository / "train.py").write_text("x = 1\n" * 10_000, encoding="utf-8")
        content = surroundings._changes(at(repository)) or b""
        assert len(content) < 1100
        assert content.endswith(b"# Cut here: there are more changes than are kept.\n")

    def test_other_encodings_stay_as_they_are(self, repository: Path) -> None:
        (repository / "train.py").write_bytes(b"# \xe4\nrate = 0.2\n")
        assert b"+# \xe4\n" in (surroundings._changes(at(repository)) or b"")

    def test_variables_of_a_git_hook_do_not_lead_elsewhere(
        self, repository: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setenv("GIT_DIR", str(tmp_path))
        monkeypatch.setenv("GIT_EXTERNAL_DIFF", "false")
        (repository / "train.py").write_text("rate = 0.2\n", encoding="utf-8")
        assert b"+rate = 0.2" in (at(repository).changes(30, 1000) or b"")

    def test_artifacts_that_cannot_be_kept_end_no_training(self, repository: Path) -> None:
        body = (
            "\n    from pathlib import Path; place = Path(run.info.artifact_uri.removeprefix('file://')).parent"
            "\n    place.parent.mkdir(parents=True, exist_ok=True); place.write_text('')"
            "\nwith mlflow.start_run(run.info.run_id, log_environment=True): print('trained')"
        )
        assert start(repository, body=body).info.status == "FINISHED"


class TestCommands:
    @pytest.mark.parametrize(
        ("argv", "shown"),
        [
            (["python", "train.py", "--rate", "0.1"], "python train.py --rate 0.1"),
            (["train", "a b"], "train 'a b'"),
            (["train", "--api-key", "s3cret", "--tokenizer", "bert"], "train --api-key *** --tokenizer bert"),
            (["train", "--password=s3cret"], "train --password=***"),
            (["train", "HF_TOKEN=s3cret"], "train HF_TOKEN=***"),
            (["train", "db.password=s3cret"], "train db.password=***"),
            (["train", "--n-tokens", "5"], "train --n-tokens 5"),
            (["train", "--token", "--fast"], "train --token --fast"),
            (["train", "--db", "mysql://ada:s3cret@h/d"], "train --db 'mysql://***@h/d'"),
        ],
    )
    def test_are_shown_without_secrets(self, argv: list[str], shown: str) -> None:
        assert concealment.shown_command(argv) == shown


class TestPackages:
    def test_each_is_named_once_with_where_it_is_from(self, installed: Callable[..., Path]) -> None:
        installed("acme-plain", version="1.0")
        pinned = '{"url": "https://ada:s3cret@host/x.git", "vcs_info": {"vcs": "git", "commit_id": "abc"}}'
        (installed("acme-repository") / "direct_url.json").write_text(pinned, encoding="utf-8")
        editable = '{"url": "file:///home/ada/x", "dir_info": {"editable": true}}'
        (installed("acme-editable") / "direct_url.json").write_text(editable, encoding="utf-8")
        (installed("acme-wheel") / "direct_url.json").write_text('{"url": "file:///x.whl"}', encoding="utf-8")
        (installed("acme-broken") / "direct_url.json").write_text("{", encoding="utf-8")
        acme = [line for line in frozen().splitlines() if "acme" in line]
        assert acme == [
            "acme-broken==1.2.3",
            "# editable: acme-editable==1.2.3 (file:///home/ada/x)",
            "acme-plain==1.0",
            "acme-repository @ git+https://ada:s3cret@host/x.git@abc",
            "acme-wheel @ file:///x.whl",
        ]
        assert "s3cret" not in surroundings._packages().decode()

    def test_what_is_installed_meanwhile_is_seen(self, installed: Callable[..., Path]) -> None:
        surroundings._packages()
        installed("acme-late")
        assert b"acme-late==1.2.3" in surroundings._packages()
