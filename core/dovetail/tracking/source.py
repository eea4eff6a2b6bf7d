"""What surrounds a run: who started it, from which file, at which commit."""

from __future__ import annotations

import getpass
import sys
from pathlib import Path

from dovetail import plugins

__all__ = ["git_commit", "source_tags", "user_name"]


def source_tags() -> dict[str, str]:
    """Tags every new run gets; plugins' ``dovetail_run_tags`` win over ours."""
    name = sys.argv[0] if sys.argv and sys.argv[0] not in ("", "-c") else "<console>"
    tags = {"mlflow.user": user_name(), "mlflow.source.name": name, "mlflow.source.type": "LOCAL"}
    if commit := git_commit(Path(name).parent if name != "<console>" else Path.cwd()):
        tags["mlflow.source.git.commit"] = commit
    for answer in plugins.collect("dovetail_run_tags"):
        tags.update(answer)
    return tags


def user_name() -> str:
    """The login name, ``unknown`` where the system has none for this user."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return "unknown"


def git_commit(folder: Path) -> str | None:
    """The commit checked out in the Git repository around a folder, read from its files; None outside of one."""
    place = folder.absolute()
    for parent in (place, *place.parents):
        if (git := parent / ".git").exists():
            return _commit_of(git)
    return None


def _commit_of(git: Path) -> str | None:
    try:
        if git.is_file():  # a worktree or submodule: a line that says where the real folder is
            git = (git.parent / git.read_text(encoding="utf-8").removeprefix("gitdir:").strip()).resolve()
        head = (git / "HEAD").read_text(encoding="utf-8").strip()
        return _resolve_ref(git, head.removeprefix("ref:").strip()) if head.startswith("ref:") else head or None
    except (OSError, UnicodeDecodeError):
        return None


def _resolve_ref(git: Path, ref: str) -> str | None:
    common = git / "commondir"
    roots = [git, (git / common.read_text(encoding="utf-8").strip()).resolve()] if common.is_file() else [git]
    for root in roots:
        if (loose := root / ref).is_file():
            return loose.read_text(encoding="utf-8").strip()
        if (packed := root / "packed-refs").is_file():
            for line in packed.read_text(encoding="utf-8").splitlines():
                if line.endswith(f" {ref}"):
                    return line.split(" ", 1)[0]
    return None
