"""``models:/`` URIs, taken apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dovetail import uris
from dovetail.errors import InvalidInput, InvalidUri
from dovetail.values.names import check_model_id
from dovetail.values.registry import STAGES, check_registered_name, check_stage, check_version

__all__ = ["LATEST", "ModelUri"]

LATEST = "latest"
_FORMS = "Write models:/<name>/<version>, models:/<name>@<alias>, models:/<name>/latest or models:/<model id>."


@dataclass(frozen=True)
class ModelUri:
    """What a ``models:/`` URI names: a version of a registered model in one of four ways, or a logged model by its id.

    Names and aliases stand in it as they are, nothing is percent-encoded. A name may hold ``@``: where a version, a
    stage or ``latest`` follows, the whole first part is the name (``models:/a@b/1`` is version 1 of ``a@b``); anywhere
    else the last ``@`` parts name and alias (``models:/a@b`` and ``models:/a@b/data`` mean the alias ``b`` of ``a``).
    So a file called like a version or stage right below an alias is reached by the version's number only.

    Attributes:
        name: The registered model's; empty for a logged model.
        version: The number of the version.
        stage: The stage whose latest version is meant.
        alias: The alias that points at the version; ``latest`` means the one with the highest number.
        model_id: The logged model's.
        path: A file or folder in it; empty for all of it.
    """

    name: str = ""
    version: int | None = None
    stage: str | None = None
    alias: str | None = None
    model_id: str | None = None
    path: str = ""

    @classmethod
    def parse(cls, uri: str) -> ModelUri:
        """Take a URI apart.

        Raises:
            InvalidUri: It has none of the forms, or its path leads elsewhere.
            InvalidInput: A part of it is no name, version or stage.
        """
        scheme, (_, _, rest) = uris.scheme_of(uri), uri.partition(":")
        if scheme != "models" or not rest.startswith("/") or rest.startswith("//"):
            raise InvalidUri(f"{uris.masked(uri)!r} names no model.", hint=_FORMS)
        first, *others = rest[1:].split("/")
        # Names may hold an @: what is followed by a version or stage is a name.
        if "@" in first and not _is_version_or_stage(others[0] if others else ""):
            name, _, alias = first.rpartition("@")
            return cls(check_registered_name(name), alias=_alias(alias, uri), path=_path(others))
        if not any(others):
            return cls(model_id=_model_id(first, uri))
        return cls(check_registered_name(first), **_version_or_stage(others[0], uri), path=_path(others[1:]))


def _path(parts: list[str]) -> str:
    return uris.artifact_path("/".join(parts).strip("/"))


def _alias(alias: str, uri: str) -> str:
    if not alias:
        raise InvalidUri(f"{uris.masked(uri)!r} names no alias behind the @.", hint=_FORMS)
    return LATEST if alias.lower() == LATEST else alias


def _model_id(text: str, uri: str) -> str:
    try:
        return check_model_id(text)
    except InvalidInput:
        raise InvalidUri(f"{uris.masked(uri)!r} names neither a version nor an alias.", hint=_FORMS) from None


def _is_version_or_stage(text: str) -> bool:
    return (text.isascii() and text.isdigit()) or text.lower() in (LATEST, *(stage.lower() for stage in STAGES))


def _version_or_stage(text: str, uri: str) -> dict[str, Any]:
    if text.lower() == LATEST:
        return {"alias": LATEST}
    if text.isascii() and text.isdigit():
        return {"version": check_version(text)}
    try:
        return {"stage": check_stage(text)}
    except InvalidInput:
        raise InvalidUri(f"{uris.masked(uri)!r}: {text!r} is neither a version nor a stage.", hint=_FORMS) from None
