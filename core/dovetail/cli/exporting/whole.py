"""Files that are complete or not there."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING, Any

from dovetail.errors import DovetailError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["whole_file"]


@contextmanager
def whole_file(path: Path, *, binary: bool = False) -> Iterator[IO[Any]]:
    """A file to write that takes its place when the block is done; pipes and devices are written to as they are.

    Args:
        path: The file; one that exists is replaced.
        binary: Whether bytes are written to it.

    Raises:
        DovetailError: It cannot be written; what was there is as it was.
    """
    with _named(path):
        opened = _opened(path, "w", binary=binary) if _is_stream(path) else _replacement(path.resolve(), binary=binary)
        with opened as file:
            yield file


def _is_stream(path: Path) -> bool:
    """Whether it is a pipe or a device."""
    with suppress(FileNotFoundError):  # it is a new one
        path.stat()  # says what is wrong with a link that leads round in a circle
    return path.exists() and not path.is_file() and not path.is_dir()


@contextmanager
def _replacement(target: Path, *, binary: bool) -> Iterator[IO[Any]]:
    """A file beside the target, which takes its place at last; what a link points at is replaced, not the link."""
    partial = target.with_name(f".{os.urandom(8).hex()}.part")
    try:
        with _opened(partial, "x", binary=binary) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileNotFoundError):  # it is a new one
            shutil.copymode(target, partial)
        partial.replace(target)
    except BaseException:
        with suppress(OSError):  # it was not even made
            partial.unlink()
        raise


def _opened(path: Path, mode: str, *, binary: bool) -> IO[Any]:
    return path.open(f"{mode}b") if binary else path.open(mode, encoding="utf-8", newline="")


@contextmanager
def _named(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DovetailError(
            f"{path} cannot be written: {error.strerror or error}.", hint="Nothing was changed; choose another file."
        ) from error
