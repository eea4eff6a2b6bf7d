"""Paths of artifacts in requests."""

from __future__ import annotations

from dovetail import uris
from dovetail.errors import InvalidInput, InvalidUri

__all__ = ["checked", "named"]


def checked(path: str | None) -> str:
    """A path in its one form; the root is ``""``.

    Args:
        path: As it stands in the request, decoded once.

    Raises:
        InvalidUri: It leads elsewhere, also where it is decoded once more.
    """
    try:
        return uris.artifact_path(path)
    except InvalidUri as error:
        raise InvalidUri(f"Invalid path: {error.message}", hint=error.hint) from error  # the words that MLflow uses


def named(path: str | None) -> str:
    """The same for what must not be the root, as a file is not.

    Raises:
        InvalidUri: As for ``checked``.
        InvalidInput: It is the root, or ends as the path of a folder does.
    """
    found = checked(path)
    if not found or (path or "").endswith("/"):
        raise InvalidInput("Invalid path: it names no file.", hint="Add the name of a file to the path.")
    return found
