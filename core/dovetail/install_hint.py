"""What to install for a key that no plugin answers for."""

from __future__ import annotations

import re
import sys
from pathlib import Path

__all__ = ["install_hint"]

# Kind and key -> distribution where it is not called by the key, for the line that says what to install.
_DISTRIBUTIONS = {
    ("artifact_stores", "memory"): "dovetail-fsspec",
    ("artifact_stores", "file"): "dovetail-fsspec",
    ("env_managers", "local"): "dovetail-system",
    ("tracking_stores", "mariadb"): "dovetail-mysql",
    ("registry_stores", "mariadb"): "dovetail-mysql",
}
# Keys whose distribution is one of ours. Others get no name to install: anybody could publish that name.
_OURS = {
    "file", "fsspec", "local", "mariadb", "memory", "mysql", "null", "postgresql", "pyfunc", "sklearn", "sqlite",
    "system", "uv", "virtualenv",
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
    # A checkout has the plugins lying beside the core; there the path installs what the index may not have.
    checkout = Path(__file__).resolve().parents[2] / "plugins"
    for project in sorted(checkout.glob("[!_]*/*/pyproject.toml")):
        if project.parent.name == distribution.removeprefix("dovetail-"):
            return f"Install it with: {sys.executable} -m pip install {project.parent}"
    if key in _NOT_YET:
        return f"This version of dovetail has no plugin of its own for {key}; see `dovetail plugins list`."
    if key not in _OURS:
        return "Install the plugin that offers it; `dovetail plugins list` shows what is there."
    return f"Its plugin, where it is published, is installed with: {sys.executable} -m pip install {distribution}"
