"""An entry of an artifact listing."""

from __future__ import annotations

from dataclasses import dataclass

from dovetail.values.value import Value

__all__ = ["FileInfo"]


@dataclass(frozen=True, repr=False)
class FileInfo(Value):
    """A file or folder among artifacts.

    Args:
        path: POSIX path relative to the store's root.
        is_dir: Whether it is a folder.
        file_size: Bytes; None for folders.
    """

    path: str
    is_dir: bool
    file_size: int | None = None
