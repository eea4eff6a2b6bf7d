"""What to install for a key that no plugin answers for, and where from.

Distributions are named with a path or not at all: an index may have a stranger's by the same name.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

__all__ = ["how_to_install", "install_hint"]

# Kind and key -> distribution where it is not called by the key, for the line that says what to install.
_DISTRIBUTIONS = {
    ("artifact_stores", "memory"): "dovetail-fsspec",
    ("artifact_stores", "file"): "dovetail-fsspec",
    ("env_managers", "local"): "dovetail-system",
    ("tracking_stores", "dir"): "dovetail-file",
    ("tracking_stores", "mariadb"): "dovetail-mysql",
    ("registry_stores", "mariadb"): "dovetail-mysql",
}
# Distributions that are ours. Others get no name to install: anybody could publish that name.
_OURS = {
    f"dovetail-{key}"
    for key in ("file", "fsspec", "local", "mysql", "null", "postgresql", "pyfunc", "sklearn", "sqlite", "system",
                "system-metrics", "tensorboard", "uv", "virtualenv")
}  # fmt: skip
# Keys that people ask for, and that no plugin answers for in this version.
_NOT_YET = {
    "azure", "catboost", "conda", "databricks", "docker", "gcs", "gs", "hdfs", "http", "https", "keras", "kubernetes",
    "lightgbm", "onnx", "pytorch", "ray", "s3", "slurm", "spark", "tensorflow", "xgboost",
}  # fmt: skip


def install_hint(kind: str, key: str) -> str | None:
    """What to say to somebody who lacks a plugin; None if there can be none.

    Args:
        kind: A key of ``dovetail.plugins.KINDS``.
        key: The scheme, name or flavor that nothing answers for.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", key):
        return None  # no distribution could be called that
    distribution = _DISTRIBUTIONS.get((kind, key), f"dovetail-{key}")
    if distribution in _OURS:
        return how_to_install(distribution)
    if key in _NOT_YET:
        return f"This version of dovetail has no plugin of its own for {key}; see `dovetail plugins list`."
    return "Install the plugin that offers it; `dovetail plugins list` shows what is there."


def how_to_install(distribution: str) -> str:
    """What to say to somebody who lacks a plugin of dovetail's own: the command, where its folder is known.

    Args:
        distribution: Such as ``dovetail-file``.
    """
    checkout = _checkout()
    folders = [] if checkout is None else _folders(checkout, distribution)
    if not folders:
        return f"Install {distribution} from where you installed dovetail."
    words = [sys.executable, "-m", "pip", "install", *map(str, folders)]
    return f"Install it with: {_command(words)}"


def _command(words: list[str]) -> str:
    import shlex
    import subprocess

    return subprocess.list2cmdline(words) if sys.platform == "win32" else shlex.join(words)


def _checkout() -> Path | None:
    """The checkout that this dovetail runs in, or was installed from; None if that is not on this machine."""
    beside = Path(__file__).resolve().parents[2]
    for folder in (beside, _installed_from()):
        if folder is not None and (folder / "plugins").is_dir() and (folder / "core" / "pyproject.toml").is_file():
            return folder
    return None


def _installed_from() -> Path | None:
    """The folder beside the core's that pip noted when it installed the core from a folder."""
    import json
    from importlib.metadata import PackageNotFoundError, distribution
    from urllib.parse import urlsplit
    from urllib.request import url2pathname

    try:
        noted = distribution("dovetail-core").read_text("direct_url.json")
        url = urlsplit(json.loads(noted or "{}").get("url", ""))
    except (PackageNotFoundError, ValueError):
        return None
    return Path(url2pathname(url.path)).parent if url.scheme == "file" else None


def _folders(checkout: Path, distribution: str) -> list[Path]:
    """A distribution's folder, behind those of ours that it stands on: an index may have others by their names."""
    for project in checkout.glob(f"plugins/[!_]*/{distribution.removeprefix('dovetail-')}/pyproject.toml"):
        listed = re.search(r"^dependencies = \[(.*?)\]$", project.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
        needed = re.findall(r'"(dovetail-[a-z-]+)', listed.group(1)) if listed else []
        below = [folder for each in needed for folder in _folders(checkout, each)]
        return [*dict.fromkeys(below), project.parent]
    return []
