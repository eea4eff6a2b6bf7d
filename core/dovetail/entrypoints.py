"""Which installed distribution claims which key, read from metadata without importing anything.

``importlib.metadata`` costs some 35 ms to import and is needed only for distributions in zip files and eggs;
reading the ``entry_points.txt`` of each ``*.dist-info`` folder ourselves costs 1-4 ms for 300 of them.
"""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass

__all__ = ["EntryPoint", "read_all", "read_path"]

# ``name-1.0.dist-info``; older tools also write ``name-1.0-py3.11.egg-info`` and, in a checkout, ``name.egg-info``.
_FOLDER = re.compile(r"(?P<name>[^-]+)(?:-(?P<version>[^-]+))?(?:-[^-]+)*\.(?:dist|egg)-info\Z")
_VERSION = re.compile(r"^Version:\s*(\S+)", re.MULTILINE)


@dataclass(frozen=True)
class EntryPoint:
    """One line of a distribution's entry points.

    Args:
        group: Such as ``dovetail.flavors``.
        name: The key.
        value: The module that carries the hook implementations.
        distribution: The distribution's name, with dashes.
        version: Its version.
        location: The folder it was found in.
    """

    group: str
    name: str
    value: str
    distribution: str
    version: str
    location: str

    @property
    def origin(self) -> str:
        """Distribution and version, for messages."""
        return f"{self.distribution} {self.version}".strip()


def read_all(prefix: str = "dovetail.") -> tuple[EntryPoint, ...]:
    """The entry points of every distribution on ``sys.path`` whose group starts with the prefix.

    A distribution found twice counts once, where Python would import it from: at its first place.
    """
    found: list[EntryPoint] = []
    seen: set[str] = set()
    for entry in sys.path:
        for point_set in read_path(entry or os.curdir, prefix):
            name, points = point_set
            if name not in seen:
                seen.add(name)
                found.extend(points)
    return tuple(found)


def read_path(folder: str, prefix: str) -> list[tuple[str, list[EntryPoint]]]:
    """The distributions in one place of ``sys.path`` and their entry points of interest."""
    if os.path.isdir(folder):
        return _read_folder(folder, prefix)
    return _read_archive(folder, prefix) if os.path.isfile(folder) else []


def _read_folder(folder: str, prefix: str) -> list[tuple[str, list[EntryPoint]]]:
    try:
        names = sorted(os.listdir(folder))
    except OSError:  # a place on sys.path that may not be read holds nothing importable either
        return []
    found = []
    for name in names:
        if name.endswith((".dist-info", ".egg-info")) and (match := _FOLDER.match(name)):
            text = _text(os.path.join(folder, name, "entry_points.txt"))
            distribution = re.sub(r"[-_.]+", "-", match["name"]).lower()
            version = match["version"] or (_version(os.path.join(folder, name)) if prefix in text else "")
            found.append((distribution, _parse(text, prefix, distribution, version, folder)))
    return found


def _version(folder: str) -> str:
    """The version that metadata tells where the folder's name does not."""
    found = _VERSION.search(_text(os.path.join(folder, "PKG-INFO")))
    return found[1] if found else ""


def _text(path: str) -> str:
    try:
        # One distribution's strange bytes must not keep all others from being found.
        with open(path, encoding="utf-8", errors="replace") as stream:
            return stream.read()
    except OSError:  # most distributions have no entry points
        return ""


def _parse(text: str, prefix: str, distribution: str, version: str, folder: str) -> list[EntryPoint]:
    if prefix not in text:
        return []
    points, group = [], ""
    for raw in text.splitlines():
        line = raw.strip()
        if line.startswith("["):
            group = line.strip("[]").strip()
        elif group.startswith(prefix) and "=" in line and not line.startswith(("#", ";")):
            name, _, value = line.partition("=")
            points.append(EntryPoint(group, name.strip(), value.split("[")[0].strip(), distribution, version, folder))
    return points


def _read_archive(path: str, prefix: str) -> list[tuple[str, list[EntryPoint]]]:
    from importlib import metadata

    found = []
    for each in metadata.distributions(path=[path]):
        text = each.read_text("entry_points.txt") or ""
        name = re.sub(r"[-_.]+", "-", each.metadata["Name"] or "").lower()
        found.append((name, _parse(text, prefix, name, each.version, path)))
    return found
