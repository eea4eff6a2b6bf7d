"""Entries of artifact listings in MLflow's JSON."""

from __future__ import annotations

from typing import Any

from dovetail.values.file_info import FileInfo
from dovetail.wire.answers import answer
from dovetail.wire.numbers import load_int

__all__ = ["dump_file", "load_file"]


def dump_file(file: FileInfo) -> dict[str, Any]:
    """An entry as MLflow's servers give it, without the size of what is empty or a folder."""
    data: dict[str, Any] = {"path": file.path, "is_dir": file.is_dir}
    if file.file_size and not file.is_dir:
        data["file_size"] = file.file_size
    return data


@answer("file")
def load_file(data: Any) -> FileInfo:
    """An entry as a server answered with it; a file without a size is empty.

    Raises:
        StoreError: That is none.
    """
    is_dir = bool(data.get("is_dir", False))
    size = None if is_dir else load_int(data.get("file_size", 0), "file_size")
    return FileInfo.stored(path=data["path"], is_dir=is_dir, file_size=size)
