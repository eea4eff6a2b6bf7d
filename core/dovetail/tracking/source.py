"""Where a run comes from: who started it, from which script or notebook, at which commit."""

from __future__ import annotations

import getpass
import os
import sys
import warnings
from functools import lru_cache
from typing import TYPE_CHECKING

from dovetail import plugins
from dovetail.tracking.repository import Repository

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["DIRTY_TAG", "git_commit", "git_tags", "repository", "source_tags", "tags_with", "user_name"]

DIRTY_TAG = "mlflow.source.git.dirty"


def source_tags() -> dict[str, str]:
    """Tags every new run gets; plugins' ``dovetail_run_tags`` win over ours."""
    return tags_with(repository())


def tags_with(found: Repository | None) -> dict[str, str]:
    """The same for code of a repository."""
    kind, name = _source()
    tags = {"mlflow.user": user_name(), "mlflow.source.name": _storable(name), "mlflow.source.type": kind}
    return {**tags, **git_tags(found), **_plugins_tags()}


def repository() -> Repository | None:
    """The Git repository that the running code comes from; that of the working folder where there is no script."""
    script = None if _notebook() else _script()
    return Repository.around(_folder_of(script) if script else os.curdir)


def git_tags(found: Repository | None) -> dict[str, str]:
    """What a repository's files tell of the code, by MLflow's names."""
    if found is None:
        return {}
    commit, branch = found.checked_out()
    named = {"commit": commit, "branch": branch, "repoURL": found.remote()}
    return {f"mlflow.source.git.{name}": value for name, value in named.items() if value}


def user_name() -> str:
    """The login name, ``unknown`` where the system has none for this user."""
    # Where no variable says it, it is looked up in a file, or on a network.
    return _login_name(os.getuid() if hasattr(os, "getuid") else None, *map(os.environ.get, _NAMING))


_NAMING = ("LOGNAME", "USER", "LNAME", "USERNAME")


@lru_cache(maxsize=8)
def _login_name(*known: object) -> str:
    del known
    try:
        return _storable(getpass.getuser())
    except (KeyError, OSError, ImportError):
        return "unknown"


def git_commit(folder: Path) -> str | None:
    """The commit checked out in the Git repository around a folder, read from its files; None outside of one."""
    found = Repository.around(folder)
    return None if found is None else found.checked_out()[0]


def _source() -> tuple[str, str]:
    """Kind and name."""
    if notebook := _notebook():
        return "NOTEBOOK", notebook
    return "LOCAL", _script() or "<console>"


def _script() -> str | None:
    return sys.argv[0] if sys.argv and sys.argv[0] not in ("", "-c") else None


def _notebook() -> str | None:
    """The notebook that the process is the kernel of, by its path where somebody tells it; None for scripts."""
    kernel, shell = sys.modules.get("ipykernel.kernelapp"), sys.modules.get("IPython")
    if kernel is None or shell is None or not kernel.IPKernelApp.initialized():
        return None
    there = shell.get_ipython()
    variables = {} if there is None else there.user_ns
    # VS Code tells it by a variable of the notebook's, servers of Jupyter by one of the process.
    return str(variables.get("__vsc_ipynb_file__") or os.environ.get("JPY_SESSION_NAME") or "<notebook>")


def _plugins_tags() -> dict[str, str]:
    tags: dict[str, str] = {}
    try:
        for answer in plugins.collect("dovetail_run_tags"):
            tags.update(answer)
    except Exception as error:  # noqa: BLE001 - what a plugin cannot tell about a run must not keep it from starting
        warnings.warn(f"A plugin failed in dovetail_run_tags: {error!r}", stacklevel=2)
    return tags


def _folder_of(script: str) -> str:
    # The main module knows its file in full; the argument may be relative to a folder the script has left.
    file = getattr(sys.modules.get("__main__"), "__file__", None) or script
    return os.path.dirname(file) or os.curdir  # noqa: PTH120 - at each start of a run


def _storable(text: str) -> str:
    """Names of files and users need not be Unicode; what is not becomes an escape."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
