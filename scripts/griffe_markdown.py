"""Docstrings as Markdown: the few marks of reStructuredText that they use are translated when the site is built."""

from __future__ import annotations

import re
import textwrap
from typing import Any

import griffe

_ROLE = re.compile(r":\w+:`~?([^`]+)`")
_BLOCK = re.compile(r"::\n\n((?:[ ]{4,}[^\n]*\n?|\n)+)")


class MarkdownDocstrings(griffe.Extension):
    """Translates each docstring as it is read."""

    def on_instance(self, *, obj: griffe.Object, **kwargs: Any) -> None:
        """Translate the docstring of a module, class, function or attribute."""
        del kwargs
        if obj.docstring is not None:
            obj.docstring.value = markdown(obj.docstring.value)


def markdown(text: str) -> str:
    """A docstring's text with Markdown's marks: code in single back-ticks, literal blocks in fences."""
    fenced = _BLOCK.sub(_fenced, text)
    return _ROLE.sub(_code, fenced).replace("``", "`").replace("`` `", "```")


def _fenced(block: re.Match[str]) -> str:
    code = textwrap.dedent(block[1]).strip("\n")
    language = "python" if re.search(r"^(class|def|from|import) ", code, re.MULTILINE) else "text"
    return f":\n\n~~~{language}\n{code}\n~~~\n\n"


def _code(role: re.Match[str]) -> str:
    return f"`{role[1].rpartition('.')[2]}`"
