"""``MLmodel``: the file that says what a model folder holds, in MLflow's format."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dovetail import uris
from dovetail.documents import dump_yaml, read_yaml
from dovetail.errors import InvalidModel
from dovetail.models.signature import ModelSignature

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["FILE", "FUNCTION", "Manifest", "inside"]

FILE = "MLmodel"
# The flavor every model has beside its own: how to load it as something that predicts.
FUNCTION = "python_function"

_FLAVOR = re.compile(r"[A-Za-z0-9_.\-]{1,100}\Z")


@dataclass(frozen=True)
class Manifest:
    """What ``MLmodel`` says.

    Args:
        flavors: Flavor key -> that flavor's plain data; ``python_function`` among them.
        model_uuid: The model's own id, 32 hexadecimal digits.
        utc_time_created: When it was saved, such as ``2026-01-31 12:00:00.000000``.
        artifact_path: Where it lies below its run; None for models saved to a folder.
        run_id: The run that logged it; None for models saved to a folder.
        signature: Its inputs and outputs.
        saved_input_example_info: Where and how the input example is kept.
        metadata: The author's own data.
        model_size_bytes: Size of the model's files.
        digests: SHA-256 of the files it is loaded from, by path; checked before loading.
        other: Keys of other writers, kept as they are.
    """

    flavors: Mapping[str, Mapping[str, Any]]
    model_uuid: str = ""
    utc_time_created: str = ""
    artifact_path: str | None = None
    run_id: str | None = None
    signature: ModelSignature | None = None
    saved_input_example_info: Mapping[str, Any] | None = None
    metadata: Mapping[str, Any] | None = None
    model_size_bytes: int | None = None
    digests: Mapping[str, str] = field(default_factory=dict)
    other: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        """Read a model folder's ``MLmodel``; nothing it names is imported or opened.

        Raises:
            InvalidModel: There is none, it is no YAML, or its parts have the wrong shape.
        """
        path = folder / FILE
        if not path.is_file():
            raise InvalidModel(
                f"{folder} is no model: it has no {FILE} file.", hint="Give the folder that save_model wrote."
            )
        content = read_yaml(path, error=InvalidModel)
        known = {name: content[name] for name in _FIELDS if content.get(name) is not None}
        _check(path, known)
        if "signature" in known:
            known["signature"] = ModelSignature.from_dict(known["signature"])
        known["other"] = {name: value for name, value in content.items() if name not in _FIELDS}
        return cls(**known)

    def write(self, folder: Path) -> None:
        """Write ``MLmodel``; what is None or empty is left out.

        Raises:
            InvalidModel: Flavors or metadata hold something else than plain data.
        """
        content: dict[str, Any] = {name: getattr(self, name) for name in _FIELDS}
        content["signature"] = self.signature.to_dict() if self.signature else None
        content = {name: value for name, value in {**content, **self.other}.items() if value not in (None, {}, "")}
        plain = {name: _plain(value, name) for name, value in sorted(content.items())}
        (folder / FILE).write_text(dump_yaml(plain), encoding="utf-8")

    def conf(self, flavor: str) -> dict[str, Any]:
        """A flavor's part.

        Raises:
            InvalidModel: The model has no such flavor.
        """
        if flavor not in self.flavors:
            raise InvalidModel(f"The model has no flavor {flavor!r}; it has {', '.join(sorted(self.flavors))}.")
        return dict(self.flavors[flavor])


_FIELDS = (
    "artifact_path",
    "digests",
    "flavors",
    "metadata",
    "model_size_bytes",
    "model_uuid",
    "run_id",
    "saved_input_example_info",
    "signature",
    "utc_time_created",
)


def inside(folder: Path, path: Any, what: str = "path") -> Path:
    """A place below a model's folder that its ``MLmodel`` names.

    Args:
        folder: The model's folder.
        path: What ``MLmodel`` says; anybody may have written it.
        what: The word for the message.

    Raises:
        InvalidModel: It is no text, or leads out of the folder, through links too.
    """
    if not isinstance(path, str) or not path:
        raise InvalidModel(f"{folder / FILE}: the {what} must be a path below the model, not {path!r}.")
    place = folder / uris.artifact_path(path, f"{what} of the model")
    if not place.resolve().is_relative_to(folder.resolve()):
        raise InvalidModel(f"{folder / FILE}: the {what} {path!r} leads out of the model's folder.")
    return place


def _plain(value: Any, where: str) -> Any:
    if hasattr(value, "items"):
        return {str(key): _plain(each, f"{where}.{key}") for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each, where) for each in value]
    if value is None or isinstance(value, (bool, int, float, str)):
        # Subclasses, such as numpy's float64, are written as what they are a kind of.
        return next((kind(value) for kind in (bool, int, float, str) if isinstance(value, kind)), None)
    raise InvalidModel(
        f"{FILE} holds plain data only, and {where} is a {type(value).__name__}.",
        hint="Use texts, numbers, lists and mappings.",
    )


def _check(path: Path, content: dict[str, Any]) -> None:
    flavors = content.get("flavors")
    if not isinstance(flavors, dict) or not flavors:
        raise InvalidModel(f"{path} names no flavors; expected `flavors:` with a mapping below it.")
    for key, conf in flavors.items():
        if not isinstance(key, str) or not _FLAVOR.match(key) or not isinstance(conf, dict):
            raise InvalidModel(f"{path}: flavor {key!r} must be a name with a mapping of its data below it.")
    for name in ("signature", "metadata", "saved_input_example_info", "digests"):
        if not isinstance(content.get(name, {}), dict):
            raise InvalidModel(f"{path}: {name} must be a mapping, not {type(content[name]).__name__}.")
    for name in ("run_id", "artifact_path", "model_uuid"):
        if not isinstance(content.get(name, ""), str):
            raise InvalidModel(f"{path}: {name} must be text, not {content[name]!r}.")
    if not all(isinstance(digest, str) for digest in content.get("digests", {}).values()):
        raise InvalidModel(f"{path}: digests must be a mapping of paths to SHA-256 digests.")
    # Other writers may note a time object; everybody here wants its text.
    if "utc_time_created" in content:
        content["utc_time_created"] = str(content["utc_time_created"])
