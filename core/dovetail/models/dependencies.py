"""The files that say what a model requires, brought to this machine."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from dovetail import locations, uris
from dovetail.artifacts import transfer
from dovetail.documents import read_yaml
from dovetail.errors import InvalidInput, InvalidModel, NotFound

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["get_model_dependencies"]

_FILES = {"pip": "requirements.txt", "conda": "conda.yaml"}
# What a requirements file of ours refers to, and so has to lie beside it.
_BESIDE = {"pip": ("constraints.txt",), "conda": ("constraints.txt",)}


def get_model_dependencies(model_uri: str | os.PathLike[str], format: str = "pip") -> str:  # noqa: A002 - MLflow's name
    """The path of a file that says what a model requires, for ``pip install -r`` or ``conda env create -f``.

    A file of a model on this machine is the model's own, to be read only; any other is brought to a new temporary
    folder, which is the caller's to remove.

    Args:
        model_uri: A folder of this machine, ``runs:/<run id>/<path>``, or a folder in an artifact store.
        format: ``pip`` for a requirements file, made from the conda file where a model has no other, or ``conda``.

    Raises:
        InvalidInput: The format is another.
        InvalidModel: The model has no such file.
    """
    if format not in _FILES:
        raise InvalidInput(f"The format is {format!r}.", hint="Use 'pip' or 'conda'.")
    uri = os.fspath(model_uri)
    found = _brought(uri, [_FILES[format], *_BESIDE[format]])
    if found is not None:
        return str(found)
    conda = _brought(uri, [_FILES["conda"]]) if format == "pip" else None
    if conda is None:
        raise InvalidModel(
            f"There is no {_FILES[format]} at {uris.masked(uri)}.", hint="Check the location, or save the model again."
        )
    return str(_requirements_of(conda))


def _brought(uri: str, names: Iterable[str]) -> Path | None:
    """The first of the files, with the others beside it; None if there is no such file."""
    first, *beside = names
    if uris.is_local(uri):
        path = uris.path_of(uri) / first
        return path if path.is_file() else None
    store, folder = locations.locate(uri)
    if (local := store.local_path(f"{folder}/{first}".lstrip("/"))) is not None:
        return local if local.is_file() else None
    scratch = Path(tempfile.mkdtemp(prefix="dovetail-model-"))
    try:
        found = transfer.download(store, f"{folder}/{first}".lstrip("/"), scratch)
    except NotFound:
        scratch.rmdir()
        return None
    present = {entry.path for entry in store.list(folder)}
    for name in beside:
        if (wanted := f"{folder}/{name}".lstrip("/")) in present:
            transfer.download(store, wanted, scratch)
    return found


def _requirements_of(conda: Path) -> Path:
    """The requirements of pip's that a conda file lists, as a file of their own."""
    dependencies = read_yaml(conda, error=InvalidModel).get("dependencies")
    named = [each.get("pip") for each in dependencies or [] if isinstance(each, dict)]
    lines = [str(line) for line in next((each for each in named if isinstance(each, list)), [])]
    path = Path(tempfile.mkdtemp(prefix="dovetail-model-")) / _FILES["pip"]
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path
