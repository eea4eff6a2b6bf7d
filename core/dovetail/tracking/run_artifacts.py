"""The artifacts of one run: putting files in, listing them, getting them back."""

from __future__ import annotations

import io
import json
import posixpath
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dovetail import locations, uris
from dovetail.artifacts import transfer
from dovetail.errors import InvalidInput, NotFound

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from dovetail.tracking.store import TrackingStore
    from dovetail.values import FileInfo

__all__ = ["RunArtifacts"]


class RunArtifacts:
    """Reads and writes a run's artifacts.

    Args:
        store: The tracking store that knows the run.
        run_id: The run.

    Raises:
        NotFound: There is no such run.
    """

    def __init__(self, store: TrackingStore, run_id: str) -> None:
        self.uri = store.get_run(run_id).info.artifact_uri
        self.store = locations.artifact_store(self.uri)

    def log_artifact(self, local_path: str | os.PathLike[str], artifact_path: str | None = None) -> None:
        """Upload a file, or a folder under its own name."""
        local = _existing(local_path)
        target = posixpath.join(uris.artifact_path(artifact_path), uris.artifact_path(local.name))
        transfer.upload(self.store, local, target)

    def log_artifacts(self, local_dir: str | os.PathLike[str], artifact_path: str | None = None) -> None:
        """Upload what is in a folder."""
        local = _existing(local_dir)
        if not local.is_dir():
            raise InvalidInput(f"{local} is a file.", hint="Use log_artifact for a single file.")
        transfer.upload(self.store, local, uris.artifact_path(artifact_path))

    def log_text(self, text: str, artifact_file: str) -> None:
        """Write text, in UTF-8."""
        self.log_bytes(_encoded(text), artifact_file)

    def log_bytes(self, content: bytes, artifact_file: str) -> None:
        """Write bytes."""
        self.store.put(_file(artifact_file), io.BytesIO(content))

    def log_dict(self, dictionary: Any, artifact_file: str) -> None:
        """Write a dict or list: YAML for ``.yaml``/``.yml``, otherwise JSON."""
        path = _file(artifact_file)
        self.log_text(_document(dictionary, path), path)

    def log_figure(self, figure: Any, artifact_file: str, *, save_kwargs: Mapping[str, Any] | None = None) -> None:
        """Write a matplotlib or plotly figure in the format its file name ends with."""
        path = _file(artifact_file)
        self.log_bytes(_picture(figure, path, dict(save_kwargs or {})), path)

    def list(self, path: str | None = None) -> list[FileInfo]:
        """The entries of one folder."""
        return list(self.store.list(uris.artifact_path(path)))

    def download(self, path: str | None, destination: str | os.PathLike[str] | None = None) -> Path:
        """Bring a file or folder to this machine."""
        where = None if destination is None else Path(destination)
        return transfer.download(self.store, uris.artifact_path(path), where)


def _existing(local_path: str | os.PathLike[str]) -> Path:
    local = Path(local_path)
    if not local.exists():
        raise NotFound(f"There is no file or folder {local}.", hint="Give the path of something on this machine.")
    return local if local.name not in ("", "..") else local.resolve()


def _file(artifact_file: str | os.PathLike[str]) -> str:
    path = uris.artifact_path(artifact_file)
    if not path or str(artifact_file).endswith("/"):
        raise InvalidInput(f"{artifact_file!r} names a folder; give the artifact a file name.")
    return path


def _encoded(text: str) -> bytes:
    if not isinstance(text, str):
        raise InvalidInput(f"log_text takes text, not {type(text).__name__}.", hint="Use log_dict, or log_artifact.")
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise InvalidInput(f"The text holds half a character and cannot be written as UTF-8: {error}.") from error


def _document(dictionary: Any, path: str) -> str:
    write = _yaml if path.lower().endswith((".yaml", ".yml")) else _json
    try:
        return write(dictionary)
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidInput(f"{path!r} cannot be written: {error}.", hint="Log plain dicts and lists.") from error


def _json(dictionary: Any) -> str:
    return json.dumps(dictionary, indent=2, ensure_ascii=False, default=_plain)


def _yaml(dictionary: Any) -> str:
    from yaml.representer import RepresenterError

    from dovetail.documents import dump_yaml

    try:
        return dump_yaml(dictionary)
    except RepresenterError:  # it holds something that is no plain data
        return dump_yaml(json.loads(_json(dictionary)))


def _plain(value: Any) -> Any:
    """What JSON does not know: arrays and their scalars as numbers, sets as lists, anything else as its text."""
    if hasattr(value, "tolist"):
        return value.tolist()
    return sorted(value, key=str) if isinstance(value, (set, frozenset)) else str(value)


def _picture(figure: Any, path: str, save_kwargs: dict[str, Any]) -> bytes:
    suffix = posixpath.splitext(path)[1].lstrip(".").lower()
    try:
        if hasattr(figure, "savefig"):
            return _saved_by_matplotlib(figure, {"format": suffix or "png", **save_kwargs})
        if hasattr(figure, "to_html") and hasattr(figure, "to_image"):
            return _saved_by_plotly(figure, suffix, save_kwargs)
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
