"""A virtual environment on this machine, whoever made it."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from dovetail.environments.manager import Environment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dovetail.environments.lease import Lease

__all__ = ["VirtualEnvironment", "python_in"]

# They point Python at another installation, or tell that this process itself was started in an environment.
_MISLEADING = ("PYTHONHOME", "__PYVENV_LAUNCHER__")


def python_in(root: Path) -> Path:
    """The interpreter of the virtual environment in this folder."""
    return root / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


def _version(root: Path) -> str | None:
    """The version of Python that the environment's own file names, whoever wrote it."""
    try:
        text = (root / "pyvenv.cfg").read_text(encoding="utf-8", errors="replace")
    except OSError:  # it is another kind of environment
        return None
    match = re.search(r"^version(?:_info)?\s*=\s*([0-9]+\.[0-9]+\.[0-9]+)", text, re.MULTILINE)
    return match[1] if match else None


class VirtualEnvironment(Environment):
    """A folder with an interpreter and the programs of what is installed in it.

    Args:
        root: The environment's folder.
        name: How people recognise it; by default the folder's name.
        lease: The share that keeps it from being removed.
    """

    def __init__(self, root: Path, name: str | None = None, lease: Lease | None = None) -> None:
        self.root = root
        self.name = name or root.name
        self.python = str(python_in(root))
        self.python_version = _version(root)
        self.keep = lease.keep if lease else ()
        self._lease = lease

    def wrap(self, argv: Sequence[str], env: Mapping[str, str]) -> tuple[list[str], dict[str, str]]:
        """The command and variables that run ``argv`` here, as activating the environment would."""
        programs = Path(self.python).parent
        variables = {name: value for name, value in env.items() if name not in _MISLEADING}
        variables["VIRTUAL_ENV"] = str(self.root)
        variables["PATH"] = os.pathsep.join(filter(None, (str(programs), env.get("PATH", os.defpath))))
        return [self.python if argv[0] == "python" else argv[0], *argv[1:]], variables
