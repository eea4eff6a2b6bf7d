"""One requirement as people write it, checked."""

from __future__ import annotations

import re
from dataclasses import dataclass

from dovetail import uris
from dovetail.documents import shown
from dovetail.environments.spec import requirement_name
from dovetail.errors import InvalidInput

__all__ = ["Requirement"]

_HEAD = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?(?:\s*\[[A-Za-z0-9._,\s-]*\])?"
_CLAUSE = r"(?:===|~=|==|!=|<=|>=|<|>)\s*[A-Za-z0-9._*+!-]+"
_VERSIONS = re.compile(rf"{_HEAD}\s*\(?\s*(?:{_CLAUSE}(?:\s*,\s*{_CLAUSE})*)?\s*\)?\s*")
_DIRECT = re.compile(rf"{_HEAD}\s*@\s*(?P<url>[A-Za-z][A-Za-z0-9+.-]*://\S+)\s*")
_TERM = r"(?:'[^']*'|\"[^\"]*\"|[a-z_]+)"
_TEST = rf"[(\s]*{_TERM}\s*(?:===|~=|==|!=|<=|>=|<|>|\bnot\s+in\b|\bin\b)\s*{_TERM}[)\s]*"
_MARKER = re.compile(rf"{_TEST}(?:\b(?:and|or)\b{_TEST})*")
_LONGEST = 1000
_HINT = "Write a name, with versions such as numpy>=1.26,<3 if they matter; or name @ https://…."


@dataclass(frozen=True)
class Requirement:
    """A distribution by name, with the versions of it, the extras, or the address it comes from.

    Options of pip's and paths are none: a model's requirements are read on other machines, by others, where an index
    or a folder of this one means something else.

    Args:
        name: The normalised name of the distribution.
        line: The requirement as it was written.
        marker: What stands behind its semicolon; empty if it holds everywhere.
    """

    name: str
    line: str
    marker: str = ""

    @classmethod
    def parse(cls, text: str) -> Requirement:
        """Read a requirement.

        Raises:
            InvalidInput: It is something else, such as an option, a path, or several lines.
        """
        if not isinstance(text, str) or len(text) > _LONGEST or not text.isprintable():
            raise InvalidInput(f"{shown(text)} is no requirement: it must be one line of text.", hint=_HINT)
        line = text.strip()
        head, marker = _split(line)
        if (reason := _wrong(head, marker)) is not None:
            raise InvalidInput(f"{uris.masked(shown(line))} is no requirement: {reason}.", hint=_HINT)
        return cls(requirement_name(head), line, marker)


def _split(line: str) -> tuple[str, str]:
    """What stands before the semicolon, and the marker behind it, which stands free behind an address."""
    direct = _DIRECT.match(line)
    end = direct.end() if direct else line.find(";")
    if end < 0:
        return line, ""
    rest = line[end:].strip()
    return line[:end].strip(), rest.removeprefix(";").strip() or (";" if rest else "")


def _wrong(head: str, marker: str) -> str | None:
    """Why it is no requirement; None if it is one."""
    direct = _DIRECT.fullmatch(head)
    if not head:
        return "it is empty"
    if head.startswith("-"):
        return "it is an option of pip's, which a model does not decide"
    if _is_path(head) or (direct and direct["url"].lower().startswith("file:")):
        return "it is a path of this machine, which others do not have"
    if direct is None and "://" in head:
        return "an address needs the name of what it leads to before it"
    if direct is None and (_VERSIONS.fullmatch(head) is None or head.count("(") != head.count(")")):
        return "it is not a name, perhaps with versions behind it"
    return _wrong_marker(marker)


def _is_path(head: str) -> bool:
    return head.startswith((".", "/", "~")) or "\\" in head or re.match(r"[A-Za-z]:[/\\]", head) is not None


def _wrong_marker(marker: str) -> str | None:
    if not marker:
        return None
    if _MARKER.fullmatch(marker) is None or marker.count("(") != marker.count(")"):
        return f"what stands behind its semicolon, {marker!r}, is no condition"
    return None
