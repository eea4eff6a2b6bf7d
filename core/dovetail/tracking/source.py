"""What surrounds a run: who started it, from which file, at which commit."""

from __future__ import annotations

import getpass
import os
import re
import sys
import warnings
from pathlib import Path

from dovetail import plugins

__all__ = ["git_commit", "source_tags", "user_name"]

_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_LONGEST_CHAIN = 5  # of refs that name refs, as in Git


def source_tags() -> dict[str, str]:
    """Tags every new run gets; plugins' ``dovetail_run_tags`` win over ours."""
    script = sys.argv[0] if sys.argv and sys.argv[0] not in ("", "-c") else None
    name = _storable(script or "<console>")
    tags = {"mlflow.user": user_name(), "mlflow.source.name": name, "mlflow.source.type": "LOCAL"}
    if commit := git_commit(_folder_of(script) if script else Path()):
        tags["mlflow.source.git.commit"] = commit
    return {**tags, **_plugins_tags()}


def user_name() -> str:
    """The login name, ``unknown`` where the system has none for this user."""
    try:
        return _storable(getpass.getuser())
    except (KeyError, OSError, ImportError):
        return "unknown"


def git_commit(folder: Path) -> str | None:
    """The commit checked out in the Git repository around a folder, read from its files; None outside of one."""
    try:
        place = folder.absolute()
    except FileNotFoundError:  # the working folder was removed
        return None
    for parent in (place, *place.parents):
        if os.path.exists(git := parent / ".git"):  # noqa: PTH110 - Path.exists raises where it may not look
            return _commit_of(git)
    return None


def _plugins_tags() -> dict[str, str]:
    tags: dict[str, str] = {}
    try:
        for answer in plugins.collect("dovetail_run_tags"):
            tags.update(answer)
    except Exception as error:  # noqa: BLE001 - what a plugin cannot tell about a run must not keep it from starting
        warnings.warn(f"A plugin failed in dovetail_run_tags: {error!r}", stacklevel=2)
    return tags


def _folder_of(script: str) -> Path:
    # The main module knows its file in full; the argument may be relative to a folder the script has left.
    return Path(getattr(sys.modules.get("__main__"), "__file__", None) or script).parent


def _storable(text: str) -> str:
    """Names of files and users need not be Unicode; what is not becomes an escape."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _commit_of(git: Path) -> str | None:
    try:
        if git.is_file():  # a worktree or submodule: a line that says where the real folder is
            git = (git.parent / git.read_text(encoding="utf-8").removeprefix("gitdir:").strip()).resolve()
        found = (git / "HEAD").read_text(encoding="utf-8").strip()
        for _ in range(_LONGEST_CHAIN):
            if not found.startswith("ref:"):
                break
            found = _content_of(git, found.removeprefix("ref:").strip())
    except (OSError, ValueError):  # not there, not to be read, or no text
        return None
    return found if _COMMIT.fullmatch(found) else None


def _content_of(git: Path, ref: str) -> str:
    common = git / "commondir"
    roots = [git, (git / common.read_text(encoding="utf-8").strip()).resolve()] if common.is_file() else [git]
    for root in roots:
        if (loose := root / ref).is_file():
            return loose.read_text(encoding="utf-8").strip()
        if (packed := root / "packed-refs").is_file():
            for line in packed.read_text(encoding="utf-8").splitlines():
                if line.endswith(f" {ref}"):
                    return line.split(" ", 1)[0]
    return ""
