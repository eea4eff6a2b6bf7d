"""Which packages Python finds, as ``pip freeze`` lists them, without a process of its own.

The file is also run by itself, by the Python of a project's environment, where dovetail need not be installed: it
imports the standard library alone.
"""

from __future__ import annotations

import json
import platform
import re
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from importlib.metadata import Distribution

__all__ = ["frozen"]


def frozen() -> str:
    """A line for each package that this interpreter finds, in the form of a requirements file.

    What was installed from a repository, a folder or a file is named with it. Passwords are not hidden.
    """
    from importlib.metadata import distributions

    found: dict[str, str] = {}
    for each in distributions():
        name = each.metadata["Name"]
        if name:  # folders that a broken installation leaves behind have none
            # What is found first is what is imported.
            found.setdefault(re.sub(r"[-_.]+", "-", name).lower(), _line(name, each))
    lines = [line for _, line in sorted(found.items())]
    return "".join(f"{line}\n" for line in [f"# {_python()}", *lines])


def _python() -> str:
    return f"{platform.python_implementation()} {platform.python_version()} on {platform.platform()}"


def _line(name: str, distribution: Distribution) -> str:
    direct = _direct_url(distribution)
    if (url := direct.get("url")) is None:
        return f"{name}=={distribution.version}"
    repository, folder = direct.get("vcs_info"), direct.get("dir_info")
    if isinstance(repository, dict):
        return f"{name} @ {repository.get('vcs')}+{url}@{repository.get('commit_id')}"
    if isinstance(folder, dict) and folder.get("editable"):
        return f"# editable: {name}=={distribution.version} ({url})"
    return f"{name} @ {url}"


def _direct_url(distribution: Distribution) -> dict[str, Any]:
    """What an installer noted of where it had the package from; empty for those of an index."""
    try:
        noted = json.loads(distribution.read_text("direct_url.json") or "{}")
    except ValueError:
        return {}
    return noted if isinstance(noted, dict) else {}


if __name__ == "__main__":
    sys.stdout.write(frozen())
