"""Getting artifacts back by where they are: by URI, or by run and path."""

from __future__ import annotations

import io
import json
import os
from typing import TYPE_CHECKING, Any

from dovetail import locations, uris
from dovetail.artifacts import transfer
from dovetail.artifacts.folder import fetched
from dovetail.documents import parse_yaml
from dovetail.errors import InvalidInput, NotFound
from dovetail.tracking import images, places
from dovetail.values.names import check_run_id

if TYPE_CHECKING:
    from dovetail.artifacts.store import ArtifactStore
    from dovetail.values import FileInfo

__all__ = ["download_artifacts", "list_artifacts", "load_dict", "load_image", "load_text"]


def download_artifacts(
    artifact_uri: str | os.PathLike[str] | None = None,
    run_id: str | None = None,
    artifact_path: str | os.PathLike[str] | None = None,
    dst_path: str | os.PathLike[str] | None = None,
    tracking_uri: str | os.PathLike[str] | None = None,
) -> str:
    """Bring an artifact file or folder to this machine.

    Args:
        artifact_uri: ``runs:/<run id>/<path>``, ``models:/<name>/<version>`` or another name of a model, with a path
            in it or without, a local path, or a URI in any artifact store; instead of ``run_id``.
        run_id: The run; instead of ``artifact_uri``.
        artifact_path: The file or folder among the run's artifacts; by default all of them. Only with ``run_id``.
        dst_path: The folder to put it in, under its own name without the folders above it; made if absent. A run's
            artifacts and a model as a whole have no name: they go right into it. By default what is on this machine is
            not copied, and what is elsewhere goes to a new temporary folder, which is the caller's to remove.
        tracking_uri: Where the run is tracked; by default the place in force.

    Returns:
        The absolute local path. Without ``dst_path`` it may be the stored file itself: do not write to it.

    Raises:
        InvalidInput: Both or neither of ``artifact_uri`` and ``run_id`` are given.
        InvalidUri: The location cannot be read, or leads out of the run.
        NotFound: There is no such run, model or artifact.
        StoreError: The store, or writing to this machine, fails.
    """
    store, path = _located(artifact_uri, run_id, artifact_path, tracking_uri)
    if run_id is None and not path:
        _require_files(store, str(artifact_uri))
    return str(fetched(store, path, dst_path))


def list_artifacts(
    artifact_uri: str | os.PathLike[str] | None = None,
    run_id: str | None = None,
    artifact_path: str | os.PathLike[str] | None = None,
    tracking_uri: str | os.PathLike[str] | None = None,
) -> list[FileInfo]:
    """The direct entries of one artifact folder, ordered by path; none for a file or a missing folder.

    Args:
        artifact_uri: As for ``download_artifacts``.
        run_id: As for ``download_artifacts``.
        artifact_path: The folder among the run's artifacts; by default their root. Only with ``run_id``.
        tracking_uri: As for ``download_artifacts``.

    Returns:
        Entries with paths relative to the run, by whatever of the two it was named, or to the model; for other URIs
        relative to the folder above the one listed.

    Raises:
        InvalidInput: Both or neither of ``artifact_uri`` and ``run_id`` are given.
        InvalidUri: The location cannot be read, or leads out of the run.
        NotFound: There is no such run or model.
    """
    store, path = _located(artifact_uri, run_id, artifact_path, tracking_uri)
    return list(store.list(path))


def load_text(artifact_uri: str | os.PathLike[str]) -> str:
    """The text of an artifact in UTF-8.

    Args:
        artifact_uri: As for ``download_artifacts``.

    Raises:
        InvalidInput: It is a folder, or no text in UTF-8.
        NotFound: There is no such run or artifact.
    """
    try:
        return _content(artifact_uri).decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidInput(
            f"{_shown(artifact_uri)} is no text in UTF-8: byte {error.start} cannot be read.",
            hint="Fetch it with download_artifacts and open it in the encoding it was written in.",
        ) from error


def load_dict(artifact_uri: str | os.PathLike[str]) -> Any:
    """The dict or list that an artifact holds: YAML where its name ends in ``.yaml`` or ``.yml``, otherwise JSON.

    Args:
        artifact_uri: As for ``download_artifacts``.

    Raises:
        InvalidInput: It is a folder, or cannot be read as what its ending says.
        NotFound: There is no such run or artifact.
    """
    if str(artifact_uri).lower().endswith((".yaml", ".yml")):
        return parse_yaml(_content(artifact_uri), _shown(artifact_uri), error=InvalidInput)
    try:
        return json.loads(load_text(artifact_uri))
    except (ValueError, RecursionError) as error:  # numbers of very many digits are a ValueError
        raise InvalidInput(f"{_shown(artifact_uri)} is not valid JSON: {error}.") from error


def load_image(artifact_uri: str | os.PathLike[str]) -> Any:
    """An image artifact as a ``PIL.Image.Image``, read to its end.

    Args:
        artifact_uri: As for ``download_artifacts``.

    Raises:
        PluginMissing: Pillow is not installed.
        InvalidInput: It is a folder, no image that Pillow knows, a broken one, or so large that it may be a trap.
        NotFound: There is no such run or artifact.
    """
    images.pillow()  # before anything is fetched
    return images.read(io.BytesIO(_content(artifact_uri)), _shown(artifact_uri))


def _located(
    artifact_uri: object,
    run_id: str | None,
    artifact_path: str | os.PathLike[str] | None,
    tracking_uri: str | os.PathLike[str] | None,
) -> tuple[ArtifactStore, str]:
    _check_one_is_given(artifact_uri, run_id, artifact_path)
    tracking = None if tracking_uri is None else places.open_store(tracking_uri)
    if run_id is None:
        return locations.locate(_uri(artifact_uri), tracking)
    path = uris.artifact_path(artifact_path)
    return locations.run_artifacts(check_run_id(run_id), tracking), path


def _check_one_is_given(artifact_uri: object, run_id: object, artifact_path: object) -> None:
    if (artifact_uri is None) == (run_id is None):
        raise InvalidInput(
            f"{'Neither' if run_id is None else 'Both'} of artifact_uri and run_id given; exactly one is needed.",
            hint="Give artifact_uri='runs:/<run id>/<path>', or run_id with an artifact_path.",
        )
    if artifact_uri is not None and artifact_path is not None:
        raise InvalidInput("artifact_path belongs to run_id.", hint="With artifact_uri, write the path into the URI.")


def _require_files(store: ArtifactStore, location: str) -> None:
    """Refuse a model without files: an empty folder is none."""
    if uris.scheme_of(location) == "models" and next(iter(store.list("")), None) is None:
        raise NotFound(
            f"The model {_shown(location)} has no files: there is nothing at {uris.masked(store.uri)}.",
            hint="They were removed, or never logged; `dovetail models show` says where a version came from.",
        )


def _content(artifact_uri: object) -> bytes:
    store, path = locations.locate(_uri(artifact_uri))
    return transfer.read(store, path)


def _uri(location: object) -> str:
    """The location as text; what is none is refused where URIs are read."""
    return os.fspath(location) if isinstance(location, os.PathLike) else location  # type: ignore[return-value]


def _shown(location: object) -> str:
    return uris.masked(str(location))
