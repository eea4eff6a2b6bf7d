"""Wheels of the dovetail that runs here, so that other environments get exactly it.

An environment whose requirements name ``dovetail`` or one of its plugins must run the same code as the process that
prepares it, be that installed from an index, from a wheel or as a checkout. So the installed distributions are packed
into wheels again, without network and without a build backend.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from dovetail.environments.cache import TRASH, cache_folder, lock_of
from dovetail.environments.packing import pack
from dovetail.environments.spec import LocalWheel, requirement_name
from dovetail.posix import locked, private_folder

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from importlib.metadata import Distribution

    from dovetail.environments.spec import EnvSpec

__all__ = ["bind", "local_wheels", "pinned", "wheel_folder", "wheels_not_packed_since"]

_PARTS = re.compile(r"\s*(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[(?P<extras>[^\]]*)\])?(?P<rest>.*)")
_DIGITS = 20  # of a wheel's digest, as its folder's name
_EXTRA = re.compile(r"""extra\s*==\s*['"]([^'"]+)['"]""")


def bind(spec: EnvSpec) -> EnvSpec:
    """The spec with wheels for those dovetail distributions it needs that are installed here.

    What is not installed here is left to the index, and so is what the spec asks for by address (``name @ url``).
    A spec that needs nothing of dovetail is returned as it is.

    Args:
        spec: What an environment is to contain.

    Raises:
        EnvironmentFailed: An installed distribution is damaged, so that it cannot be packed.
    """
    lines = [line for line in (*spec.dependencies, *spec.build_dependencies) if _is_ours(requirement_name(line))]
    wanted = [line for line in lines if not _has_address(line)]
    elsewhere = {requirement_name(line) for line in lines} - {requirement_name(line) for line in wanted}
    wheels = local_wheels(wanted, wheel_folder()) if wanted else ()
    kept = tuple(wheel for wheel in wheels if wheel.name not in elsewhere)
    return spec.with_wheels(kept) if kept else spec


def pinned(spec: EnvSpec) -> EnvSpec:
    """The spec in words that installers understand: its wheels as the addresses of these names.

    A requirement line that names a wheel asks for the wheel, with the extras and markers it had. A constraint holds
    what others require of that name to the wheel too. Other constraints on the name are dropped: the wheel it is.

    Args:
        spec: A spec, with wheels or without.
    """
    addresses = {wheel.name: wheel.path.absolute().as_uri() for wheel in spec.wheels}
    kept = [line for line in spec.constraints if requirement_name(line) not in addresses]
    return replace(
        spec,
        dependencies=tuple(_addressed(line, addresses) for line in spec.dependencies),
        build_dependencies=tuple(_addressed(line, addresses) for line in spec.build_dependencies),
        constraints=(*kept, *(f"{name} @ {address}" for name, address in sorted(addresses.items()))),
        wheels=(),
    )


def local_wheels(names: Iterable[str], cache: Path) -> tuple[LocalWheel, ...]:
    """Pack distributions of the running installation, and the dovetail distributions they depend on.

    Args:
        names: Distribution names or requirement lines, such as ``dovetail-sklearn`` or ``dovetail[sklearn]>=0.1``.
            Versions and markers in them are not looked at: what is installed here is what there is.
        cache: Folder that keeps the wheels; several processes may use it at once.

    Returns:
        One wheel a distribution, by name. Equal content gives equal files with equal digests.

    Raises:
        EnvironmentFailed: A distribution is damaged: files that it recorded are gone.
    """
    here = _installed()
    needed = sorted(_needed(names, here))
    with locked(lock_of(private_folder(cache)), shared=True):
        return tuple(_wheel(name, here[name], cache) for name in needed)


def wheel_folder() -> Path:
    """Where the wheels of this user lie."""
    return cache_folder() / "wheels"


@contextmanager
def wheels_not_packed_since(moment: float) -> Iterator[list[Path]]:
    """The folders of wheels that no environment was prepared with since then; nobody packs any while they are held.

    Only what is certain to be ours is among them: a folder of wheels alone that is named as we name them. Where the
    place of the wheels is a link, it may lead to anything, and there are none.

    Args:
        moment: In seconds since 1970.
    """
    place = wheel_folder()
    if place.is_symlink() or not place.is_dir():
        yield []
        return
    with locked(lock_of(place)):
        yield [each for each in sorted(place.iterdir()) if _is_packed(each) and each.stat().st_mtime <= moment]


@dataclass(frozen=True)
class _Requirement:
    """The parts of a requirement line that matter here."""

    name: str
    extras: frozenset[str]
    only_with: frozenset[str]

    @classmethod
    def read(cls, line: str) -> _Requirement:
        """Take a line apart; the markers but ``extra`` are for the installer to judge."""
        match = _PARTS.match(line)
        if match is None:
            return cls("", frozenset(), frozenset())
        extras = (part.strip() for part in (match["extras"] or "").split(","))
        return cls(
            _normal(match["name"]),
            frozenset(_normal(extra) for extra in extras if extra),
            frozenset(_normal(extra) for extra in _EXTRA.findall(match["rest"])),
        )


def _needed(names: Iterable[str], here: dict[str, Distribution]) -> set[str]:
    """The installed distributions that these names lead to, through requirements and extras."""
    waiting = [_Requirement.read(name) for name in names]
    seen: set[_Requirement] = set()
    while waiting:
        wanted = waiting.pop()
        if wanted in seen or wanted.name not in here:
            continue
        seen.add(wanted)
        waiting += _requirements(here[wanted.name], wanted.extras)
    return {wanted.name for wanted in seen}


def _requirements(distribution: Distribution, extras: frozenset[str]) -> Iterator[_Requirement]:
    for line in distribution.metadata.get_all("Requires-Dist") or []:
        requirement = _Requirement.read(line)
        if not requirement.only_with or requirement.only_with & extras:
            yield replace(requirement, only_with=frozenset())


def _installed() -> dict[str, Distribution]:
    """The dovetail distributions by name, each from where Python would import it: the first place wins."""
    from importlib.metadata import distributions

    found: dict[str, Distribution] = {}
    for each in distributions():
        name = _normal(each.metadata["Name"] or "")
        if _is_ours(name):
            found.setdefault(name, each)
    return found


def _wheel(name: str, distribution: Distribution, cache: Path) -> LocalWheel:
    packed = pack(distribution)
    digest = hashlib.sha256(packed.content).hexdigest()
    path = private_folder(cache / digest[:_DIGITS]) / packed.filename
    # A power cut can leave a file shorter than it was written.
    if not path.exists() or path.stat().st_size != len(packed.content):
        _write(path, packed.content)
    os.utime(path.parent)  # says that it is in use
    return LocalWheel(name, path, digest)


def _is_packed(folder: Path) -> bool:
    """Whether it is a folder that ``_wheel`` made, and holds nothing else."""
    if not re.fullmatch(rf"[0-9a-f]{{{_DIGITS}}}|{re.escape(TRASH)}[0-9a-f]{{12}}", folder.name):
        return False
    if folder.is_symlink() or not folder.is_dir():
        return False
    try:
        return all(_is_wheel(each) for each in folder.iterdir())
    except OSError:  # what cannot be looked into is left alone
        return False


def _is_wheel(path: Path) -> bool:
    return path.suffix == ".whl" and path.is_file() and not path.is_symlink()


def _write(path: Path, content: bytes) -> None:
    """Write the whole file or none: others may look for it at this moment."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _addressed(line: str, addresses: dict[str, str]) -> str:
    address = addresses.get(requirement_name(line))
    match = _PARTS.match(line)
    if address is None or match is None:
        return line
    extras = f"[{match['extras']}]" if match["extras"] else ""
    # Options that follow, such as hashes of what an index has, do not fit the wheel.
    marker = match["rest"].partition(";")[2].split(" --", 1)[0].strip()
    return f"{match['name']}{extras} @ {address}" + (f" ; {marker}" if marker else "")


def _is_ours(name: str) -> bool:
    return name == "dovetail" or name.startswith("dovetail-")


def _has_address(line: str) -> bool:
    return "@" in line.split(";", 1)[0]


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
