"""What commands of plugins are for, in the words of their distributions' metadata; nothing is imported."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from dovetail.cli import output

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dovetail.entrypoints import EntryPoint

__all__ = ["summary"]

_SUMMARY = re.compile(r"^Summary:[ \t]*(\S.*)$", re.MULTILINE | re.IGNORECASE)
# Headers stand at the beginning, a whole README may follow.
_HEADERS = 16 * 1024


def summary(point: EntryPoint) -> str:
    """One line on the distribution that claims a command."""
    found = next(filter(None, map(_SUMMARY.search, _headers(point))), None)
    if found is None:
        return f"From {point.origin}."
    return f"{output.one_line(found[1].strip()).rstrip('.')} ({point.origin})."


def _headers(point: EntryPoint) -> Iterator[str]:
    """The headers of the distribution's metadata, whatever their file is called; none where it lies in a zip file."""
    folder = Path(point.location)
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        name = re.sub(r"[-_.]+", "-", path.stem.partition("-")[0]).lower()
        if path.suffix in {".dist-info", ".egg-info"} and name == point.distribution:
            for file in filter(Path.is_file, (path / "METADATA", path / "PKG-INFO")):
                # One distribution's strange bytes must not keep all commands from being listed.
                with file.open(encoding="utf-8", errors="replace") as stream:
                    yield stream.read(_HEADERS).partition("\n\n")[0]
