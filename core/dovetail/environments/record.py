"""What is written down about an environment when it is made, beside it, for people who look after them."""

from __future__ import annotations

import json
import os
import re
import stat
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Record", "is_recorded", "read_record", "write_record"]

# Says that a file is one of these, so that nothing else in the folder is ever taken for an environment.
_SIGN = "dovetail-environment"
_TEXTS, _NUMBERS = ("manager", "python", "source"), ("requirements", "created")
_LIMIT = 1 << 16
# What managers call environments: nobody else has an empty lock file of such a name.
_NAME = re.compile(r"[0-9a-f]{20}-[0-9a-f]{8}")
# Numbers that can be meant: times up to the year 9999, in milliseconds, and as many requirements as a file holds.
_HIGHEST = {"created": 253_370_764_800_000, "requirements": 1_000_000}


@dataclass(frozen=True)
class Record:
    """Where an environment comes from; every part may be unknown.

    Args:
        manager: The environment manager that made it.
        python: The version of its Python.
        source: The file it was made from.
        requirements: How many requirements that names.
        created: When its making began, in milliseconds.
    """

    manager: str | None = None
    python: str | None = None
    source: str | None = None
    requirements: int | None = None
    created: int | None = None


def write_record(descriptor: int, record: Record) -> None:
    """Write it into a lock file, which the caller holds exclusively."""
    content = json.dumps({_SIGN: 1, **asdict(record)}).encode()
    os.ftruncate(descriptor, 0)
    os.lseek(descriptor, 0, os.SEEK_SET)
    os.write(descriptor, content)


def is_recorded(lock: Path) -> bool:
    """Whether this is the lock file of an environment that somebody made, or began to make.

    Whoever was killed before writing the record left an empty one.
    """
    return _content(lock) is not None or (bool(_NAME.fullmatch(lock.stem)) and _is_empty(lock))


def read_record(lock: Path) -> Record:
    """What a lock file says; nothing is known of what was made by other versions, or is being written just now."""
    content = _content(lock) or {}
    kinds = {**dict.fromkeys(_TEXTS, str), **dict.fromkeys(_NUMBERS, int)}
    known: dict[str, Any] = {name: content[name] for name, kind in kinds.items() if type(content.get(name)) is kind}
    return Record(**{name: value for name, value in known.items() if name in _TEXTS or 0 <= value < _HIGHEST[name]})


def _content(lock: Path) -> dict[str, object] | None:
    try:
        content = json.loads(_bytes(lock))
    except (OSError, ValueError, RecursionError):  # no lock file, or not one of these
        return None
    return content if isinstance(content, dict) and _SIGN in content else None


def _is_empty(lock: Path) -> bool:
    try:
        found = lock.lstat()
    except OSError:  # it was removed at this moment
        return False
    return stat.S_ISREG(found.st_mode) and not found.st_size


def _bytes(lock: Path) -> bytes:
    """The file's content; nothing where it is a pipe or a device, which could keep us waiting for ever."""
    descriptor = os.open(lock, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with os.fdopen(descriptor, "rb") as stream:
        return stream.read(_LIMIT) if stat.S_ISREG(os.fstat(descriptor).st_mode) else b""
