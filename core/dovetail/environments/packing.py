"""An installed distribution as a wheel: the same files, in a fixed order with fixed times."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import os
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import url2pathname

from dovetail.errors import EnvironmentFailed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.metadata import Distribution

__all__ = ["Packed", "pack"]

# What an installer adds to the metadata of what it installs; none of it is the distribution's own.
_INSTALLERS = frozenset(
    {"RECORD", "RECORD.jws", "RECORD.p7s", "WHEEL", "INSTALLER", "REQUESTED", "direct_url.json"}
    | {"uv_build.json", "uv_cache.json"}
)
_BYTECODE = (".pyc", ".pyo")
_EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Packed:
    """A wheel in memory.

    Args:
        filename: As the wheel format wants it.
        content: The file; equal for equal files, whenever and wherever it is packed.
    """

    filename: str
    content: bytes


def pack(distribution: Distribution) -> Packed:
    """Make a wheel of an installed distribution.

    Programs that the installer made from entry points are left out, since the next installer makes them again; so is
    what lies outside the folder of packages. Of an editable distribution the package is taken from where it is
    edited, the metadata as it was installed.

    Args:
        distribution: Installed with a ``dist-info`` folder.

    Raises:
        EnvironmentFailed: Files that belong to it are gone.
    """
    name = re.sub(r"[-_.]+", "_", distribution.metadata["Name"]).lower()
    version = distribution.version.replace("-", "_")
    folder = f"{name}-{version}.dist-info"
    files = dict(_metadata(distribution, folder))
    files.update(_edited(distribution) if _is_editable(distribution) else _recorded(distribution))
    tags = sorted(_tags(distribution))
    files[f"{folder}/WHEEL"] = _wheel_file(tags, pure=_is_pure(distribution))
    return Packed(f"{name}-{version}-{_compressed(tags)}.whl", _archive(files, folder))


def _metadata(distribution: Distribution, folder: str) -> Iterator[tuple[str, bytes]]:
    """What the distribution says about itself: METADATA, entry points, licences."""
    place = _info_folder(distribution)
    for path in sorted(place.rglob("*")):
        relative = path.relative_to(place).as_posix()
        if path.is_file() and relative not in _INSTALLERS and "__pycache__" not in path.parts:
            yield f"{folder}/{relative}", _read(distribution, path)


def _recorded(distribution: Distribution) -> Iterator[tuple[str, bytes]]:
    """The files of a distribution that was installed as usual, as its RECORD names them."""
    if distribution.read_text("RECORD") is None:
        yield from _packages(distribution, [_site(distribution)])
        return
    for file in _record(distribution):
        inside = not file.is_absolute() and ".." not in file.parts and not file.parts[0].endswith(".dist-info")
        if inside and file.suffix not in _BYTECODE:
            yield file.as_posix(), _read(distribution, _site(distribution) / file)


def _record(distribution: Distribution) -> list[PurePosixPath]:
    """What RECORD names; ``Distribution.files`` would keep quiet about files that are gone."""
    rows = csv.reader((distribution.read_text("RECORD") or "").splitlines())
    return [PurePosixPath(row[0].replace("\\", "/")) for row in rows if row]


def _edited(distribution: Distribution) -> Iterator[tuple[str, bytes]]:
    """The packages of an editable distribution, from the folders it points Python to."""
    root = _edited_root(distribution)
    yield from _packages(distribution, [*_pointed_to(distribution), root, root / "src"])


def _packages(distribution: Distribution, places: list[Path]) -> Iterator[tuple[str, bytes]]:
    """Every file of the distribution's packages and modules, each from the first place that has it."""
    names = _package_names(distribution)
    found = {name: (place, files) for place in places[::-1] for name in names if (files := _files(place, name))}
    missing = _required_names(distribution) - found.keys()
    if missing:
        raise _damaged(distribution, f"its package {min(missing)} is in none of {', '.join(map(str, places))}")
    for place, files in found.values():
        for path in files:
            yield path.relative_to(place).as_posix(), _read(distribution, path)


def _files(place: Path, name: str) -> list[Path]:
    """The files of the package of this name, or the module; none if neither is in this place."""
    module = place / f"{name}.py"
    found = [module] if module.is_file() else []
    for folder, folders, files in os.walk(place / name):
        folders[:] = [each for each in folders if each not in ("__pycache__", "tests") and not each.startswith(".")]
        found += [Path(folder, each) for each in files if not each.endswith(_BYTECODE) and not each.startswith(".")]
    return found


def _required_names(distribution: Distribution) -> set[str]:
    """The top-level packages that its entry points lead to: without them it would be broken."""
    return {point.value.split(":")[0].split(".")[0].strip() for point in distribution.entry_points}


def _package_names(distribution: Distribution) -> set[str]:
    name = re.sub(r"[-_.]+", "_", distribution.metadata["Name"]).lower()
    own = {"dovetail_core": "dovetail", "dovetail": ""}.get(name, name)
    listed = (distribution.read_text("top_level.txt") or "").split()
    return {each for each in (own, *listed, *_required_names(distribution)) if each}


def _is_editable(distribution: Distribution) -> bool:
    return _edited_root(distribution) != Path()


def _edited_root(distribution: Distribution) -> Path:
    """The folder an editable distribution is edited in; the empty path if it is none."""
    origin = json.loads(distribution.read_text("direct_url.json") or "{}")
    if not origin.get("dir_info", {}).get("editable"):
        return Path()
    return Path(url2pathname(urlsplit(origin["url"]).path))


def _pointed_to(distribution: Distribution) -> list[Path]:
    """The folders that its .pth files put on Python's path."""
    links = [_site(distribution) / file for file in _record(distribution) if file.suffix == ".pth"]
    text = b"\n".join(_read(distribution, link) for link in links).decode()
    lines = [line.strip() for line in text.splitlines()]
    return [Path(line) for line in lines if line and not line.startswith(("#", "import ", "import\t"))]


def _site(distribution: Distribution) -> Path:
    return Path(str(distribution.locate_file("")))


def _info_folder(distribution: Distribution) -> Path:
    version = re.escape(distribution.version)
    name = re.sub(r"[-_.]+", "[-_.]+", re.escape(distribution.metadata["Name"]).replace(r"\-", "-"))
    wanted = re.compile(rf"{name}-{version}\.dist-info", re.IGNORECASE)
    for path in sorted(_site(distribution).iterdir()):
        if wanted.fullmatch(path.name):
            return path
    raise _damaged(distribution, f"there is no dist-info folder for it in {_site(distribution)}")


def _tags(distribution: Distribution) -> list[str]:
    lines = (distribution.read_text("WHEEL") or "").splitlines()
    return [line.partition(":")[2].strip() for line in lines if line.startswith("Tag:")] or ["py3-none-any"]


def _is_pure(distribution: Distribution) -> bool:
    return "Root-Is-Purelib: false" not in (distribution.read_text("WHEEL") or "")


def _compressed(tags: list[str]) -> str:
    """The tags as a file name has them: each of the three parts lists its alternatives."""
    columns = zip(*(tag.split("-") for tag in tags), strict=True)
    return "-".join(".".join(dict.fromkeys(column)) for column in columns)


def _wheel_file(tags: list[str], *, pure: bool) -> bytes:
    lines = ["Wheel-Version: 1.0", "Generator: dovetail", f"Root-Is-Purelib: {str(pure).lower()}"]
    return "".join(f"{line}\n" for line in [*lines, *(f"Tag: {tag}" for tag in tags)]).encode()


def _archive(files: dict[str, bytes], folder: str) -> bytes:
    record = f"{folder}/RECORD"
    # The metadata stands last, as the wheel format recommends, and nothing is compressed: what a compressor makes
    # of the same bytes differs between versions of it, and the digest must not.
    ordered = sorted(files, key=lambda path: (path.startswith(f"{folder}/"), path))
    lines = [_record_line(path, files[path]) for path in ordered]
    content = {**{path: files[path] for path in ordered}, record: "".join([*lines, f"{record},,\n"]).encode()}
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for path, data in content.items():
            archive.writestr(_entry(path), data)
    return stream.getvalue()


def _record_line(path: str, content: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
    name = f'"{path}"' if "," in path else path
    return f"{name},sha256={digest},{len(content)}\n"


def _entry(path: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(PurePosixPath(path).as_posix(), _EPOCH)
    entry.create_system = 3  # POSIX, also when packed on Windows: the permissions below are in its form
    entry.external_attr = 0o100644 << 16
    return entry


def _read(distribution: Distribution, path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise _damaged(distribution, f"{path} cannot be read: {error.strerror}") from error


def _damaged(distribution: Distribution, reason: str) -> EnvironmentFailed:
    name = distribution.metadata["Name"]
    return EnvironmentFailed(
        f"{name} {distribution.version} is needed in another environment, but cannot be packed: {reason}.",
        hint=f"Install {name} again, or keep it out of the environment's requirements.",
    )
