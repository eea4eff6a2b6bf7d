"""What an installed distribution's metadata say about it."""

from __future__ import annotations

import json
from typing import Any

__all__ = ["described"]


def described(name: str, place: str) -> dict[str, Any]:
    """Name, version, summary, home page, requirements, and where an editable one has its source.

    Args:
        name: The distribution.
        place: The folder of ``sys.path`` that it was found in.
    """
    from importlib import metadata

    found = next(iter(metadata.Distribution.discover(name=name, path=[place])))
    about: Any = found.metadata
    return {
        "distribution": name,
        "version": found.version,
        "summary": about["Summary"],
        "home_page": about["Home-page"] or _home(about.get_all("Project-URL") or []),
        "source": _source(found),
        "requires": [line for line in found.requires or [] if "extra ==" not in line],
    }


def _home(urls: list[str]) -> str | None:
    """The address of those that are given which is most of a home page."""
    named = {label.strip().lower(): url.strip() for label, _, url in (each.partition(",") for each in urls)}
    known = [named[label] for label in ("homepage", "home", "documentation", "repository", "source") if label in named]
    return next(iter([*known, *named.values()]), None)


def _source(found: Any) -> str | None:
    """The folder that an editable installation leads to."""
    text = found.read_text("direct_url.json")
    content = json.loads(text) if text else {}
    return content.get("url") if content.get("dir_info", {}).get("editable") else None
