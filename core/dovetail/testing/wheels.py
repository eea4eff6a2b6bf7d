"""Small wheels to try environment managers with: made in a moment, needing no network."""

from __future__ import annotations

import base64
import hashlib
import zipfile
from typing import TYPE_CHECKING

from dovetail.environments.spec import LocalWheel

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

__all__ = ["local_wheel", "make_wheel"]


def make_wheel(
    folder: Path,
    name: str,
    version: str = "1.0",
    *,
    requires: Sequence[str] = (),
    extras: Sequence[str] = (),
    files: Mapping[str, str] | None = None,
) -> Path:
    """Write a pure-Python wheel and return its path.

    Args:
        folder: Where it is put; made where absent.
        name: Distribution name. By default it holds one module of this name, whose ``VERSION`` is the version.
        version: Its version.
        requires: Its requirement lines.
        extras: Names of its extras.
        files: What it holds instead of the one module: path -> text.
    """
    stem = name.replace("-", "_")
    content = dict(files if files is not None else {f"{stem}.py": f"VERSION = {version!r}\n"})
    info = f"{stem}-{version}.dist-info"
    fields = [f"Requires-Dist: {line}" for line in requires] + [f"Provides-Extra: {extra}" for extra in extras]
    metadata = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", *fields]
    content[f"{info}/METADATA"] = "\n".join(metadata) + "\n"
    content[f"{info}/WHEEL"] = "Wheel-Version: 1.0\nGenerator: dovetail\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    content[f"{info}/RECORD"] = "".join(_record(path, text) for path, text in content.items()) + f"{info}/RECORD,,\n"
    folder.mkdir(parents=True, exist_ok=True)
    wheel = folder / f"{stem}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in content.items():
            archive.writestr(path, text)
    return wheel


def local_wheel(wheel: Path) -> LocalWheel:
    """The wheel as part of a spec."""
    name = wheel.name.split("-", 1)[0].replace("_", "-")
    return LocalWheel(name, wheel, hashlib.sha256(wheel.read_bytes()).hexdigest())


def _record(path: str, text: str) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
    return f"{path},sha256={digest},{len(text.encode())}\n"
