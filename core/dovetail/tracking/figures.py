"""Figures of matplotlib and plotly as files."""

from __future__ import annotations

import io
import posixpath
from typing import Any

from dovetail.errors import InvalidInput

__all__ = ["drawn"]


def drawn(figure: Any, path: str, options: dict[str, Any]) -> bytes:
    """The bytes of a matplotlib or plotly figure's file.

    Args:
        figure: The figure.
        path: What the file is called; the ending decides the format.
        options: Passed to the library's own way of saving.

    Raises:
        InvalidInput: It is no figure, or cannot be written in that format.
    """
    suffix = posixpath.splitext(path)[1].lstrip(".").lower()
    try:
        if hasattr(figure, "savefig"):
            return _saved_by_matplotlib(figure, {"format": suffix or "png", **options})
        if hasattr(figure, "to_html") and hasattr(figure, "to_image"):
            return _saved_by_plotly(figure, suffix, options)
    except ValueError as error:  # how both say that they do not know the format
        raise InvalidInput(f"The figure cannot be written as {path!r}: {error}") from error
    raise InvalidInput(
        f"log_figure got {type(figure).__module__}.{type(figure).__name__}; it takes matplotlib and plotly figures."
    )


def _saved_by_matplotlib(figure: Any, options: dict[str, Any]) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, **options)
    return buffer.getvalue()


def _saved_by_plotly(figure: Any, suffix: str, options: dict[str, Any]) -> bytes:
    if suffix in ("", "html"):
        return str(figure.to_html(**{"include_plotlyjs": "cdn", **options})).encode("utf-8")
    content: bytes = figure.to_image(format=suffix, **options)
    return content
