"""The artifacts of one run: putting files in, listing them, getting them back."""

from __future__ import annotations

import io
import json
import os
import threading
import warnings
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from dovetail import uris
from dovetail.artifacts import transfer
from dovetail.artifacts.folder import fetched
from dovetail.errors import InvalidInput, NotFound, RunEnded
from dovetail.tracking import figures, images, recorder, tables, texts
from dovetail.tracking.artifact_files import ArtifactFiles
from dovetail.values import Batch, LifecycleStage, Tag
from dovetail.values.names import MAX_TAG_VALUE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from dovetail.tracking.store import TrackingStore

__all__ = ["TABLES_TAG", "RunArtifacts", "tables_of"]

TABLES_TAG, IMAGES_TAG = "mlflow.loggedArtifacts", "mlflow.loggedImages"
_growing = threading.RLock()  # a table is read, extended and written again, and so is the tag that names a run's tables


class RunArtifacts(ArtifactFiles):
    """Reads and writes a run's artifacts.

    Args:
        store: The tracking store that knows the run.
        run_id: The run.

    Raises:
        NotFound: There is no such run.
    """

    def __init__(self, store: TrackingStore, run_id: str) -> None:
        self._run, self._tracking = store.get_run(run_id), store
        super().__init__(self._run.info.artifact_uri, store)

    def log_text(self, text: str, artifact_file: str) -> None:
        """Write text, in UTF-8."""
        self.log_bytes(texts.encoded(text), artifact_file)

    def log_bytes(self, content: bytes, artifact_file: str) -> None:
        """Write bytes."""
        self.store.put(_file(artifact_file), io.BytesIO(content))

    def log_dict(self, dictionary: Any, artifact_file: str) -> None:
        """Write a dict or list: YAML for ``.yaml``/``.yml``, otherwise JSON."""
        path = _file(artifact_file)
        self.log_text(texts.document(dictionary, path), path)

    def log_figure(self, figure: Any, artifact_file: str, *, save_kwargs: Mapping[str, Any] | None = None) -> None:
        """Write a matplotlib or plotly figure in the format its file name ends with."""
        path = _file(artifact_file)
        self.log_bytes(figures.drawn(figure, path, dict(save_kwargs or {})), path)

    def log_stream(self, stream: BinaryIO, artifact_file: str) -> None:
        """Write what a binary stream still has to give, without holding all of it in memory."""
        path = _file(artifact_file)
        if not callable(getattr(stream, "read", None)):
            raise InvalidInput(f"log_stream takes a binary stream, not {type(stream).__name__}.")
        if getattr(stream, "closed", False):
            raise InvalidInput("log_stream got a stream that is closed already.", hint="Call it before closing it.")
        self.store.put(path, cast("BinaryIO", _Binary(stream)))

    def log_image(
        self,
        image: Any,
        artifact_file: str | None = None,
        key: str | None = None,
        step: int | None = None,
        timestamp: int | None = None,
    ) -> None:
        """Write an image: as a file, or as one of the series ``key`` at a step, with a small preview beside it."""
        if artifact_file is not None and key is None:
            _refuse_place_in_series(step, timestamp)
            path = _file(artifact_file)
            self.log_bytes(images.encoded(images.image_of(image), path), path)
        elif key is not None and artifact_file is None:
            self._check_active()
            self._log_in_series(images.image_of(image), images.series_path(key, step, timestamp))
        else:
            raise InvalidInput("log_image takes either an artifact_file or the key of a series.")

    def _log_in_series(self, image: images.Image, path: str) -> None:
        whole, small = images.encoded(image, f"{path}.png"), images.preview(image)
        self.log_bytes(whole, f"{path}.png")
        self.log_bytes(small, images.preview_path(path))
        self._tag(Tag(IMAGES_TAG, "True"))

    def log_table(self, data: Any, artifact_file: str) -> None:
        """Write a table, or add its rows to the one that is there.

        Two processes that add to one table at the same moment each write a whole table; the later one's holds.
        """
        path = _file(artifact_file)
        pictures: list[tuple[tables.ImagePaths, images.Image]] = []
        table = tables.table_of(data).with_images(lambda image: _set_aside(image, path, pictures))
        self._check_active()
        with _growing:
            there = self._table(path)
            content = tables.written(there.extended(table) if there else table, path)
            for paths, image in pictures:  # before the table that names them
                self.log_bytes(images.encoded(image, paths.whole), paths.whole)
                self.log_bytes(images.preview(image), paths.small)
            self.log_bytes(content, path)
            self._note_table(path)

    def load_table(self, artifact_file: str) -> tables.Table:
        """The table in a file. Raises ``NotFound``."""
        path = _file(artifact_file)
        return tables.parse(transfer.read(self.store, path), path)

    def _table(self, path: str) -> tables.Table | None:
        try:
            return self.load_table(path)
        except NotFound:
            return None

    def _note_table(self, path: str) -> None:
        """Have the run name its tables, by which they are found; a tag holds some dozens of them."""
        tags = self._tracking.get_run(self._run.info.run_id).data.tags
        if path in tables_of(tags):
            return
        text = json.dumps([*_entries(tags), {"path": path, "type": "table"}])
        if len(text) <= MAX_TAG_VALUE:
            self._tag(Tag(TABLES_TAG, text))
            return
        warnings.warn(
            f"Run {self._run.info.run_id} has more tables than its tag can name: load_table finds {path!r} only by "
            "run_ids.",
            stacklevel=4,
        )

    def _tag(self, tag: Tag) -> None:
        recorder.write(self._tracking, self._run.info.run_id, Batch(tags=(tag,)))

    def _check_active(self) -> None:
        if self._run.info.lifecycle_stage == LifecycleStage.DELETED:
            run_id = self._run.info.run_id
            raise RunEnded(f"Run {run_id} is deleted.", hint=f"Bring it back: dovetail runs restore {run_id}")

    def download(self, path: str | None, destination: str | os.PathLike[str] | None = None) -> Path:
        """Bring a file or folder to this machine."""
        return fetched(self.store, uris.artifact_path(path), destination)


def tables_of(tags: Mapping[str, str]) -> tuple[str, ...]:
    """The paths of the tables that a run's tags name; whatever else the tag holds is passed over."""
    return tuple(str(each["path"]) for each in _entries(tags) if each.get("type") == "table" and "path" in each)


def _entries(tags: Mapping[str, str]) -> list[dict[str, Any]]:
    """What the run says it logged, of every type."""
    try:
        entries = json.loads(tags.get(TABLES_TAG, "[]"))
    except (ValueError, RecursionError):  # somebody else wrote it
        return []
    return [each for each in entries if isinstance(each, dict)] if isinstance(entries, list) else []


def _set_aside(
    image: images.Image, table_file: str, pictures: list[tuple[tables.ImagePaths, images.Image]]
) -> dict[str, str]:
    """Keep an image of a table for later, and answer what stands in its cell."""
    paths = tables.image_paths(table_file)
    pictures.append((paths, image))
    return {"type": "image", "filepath": paths.whole, "compressed_filepath": paths.small}


class _Binary:
    """A stream that is asked for bytes, and says so where it gives something else."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def read(self, size: int = -1) -> bytes:
        block = self._stream.read(size)
        if not isinstance(block, (bytes, bytearray, memoryview)):
            raise InvalidInput(
                f"log_stream reads {type(block).__name__} from the stream, not bytes.",
                hint='Open the file with mode "rb"; use log_text for text.',
            )
        return bytes(block)


def _refuse_place_in_series(step: int | None, timestamp: int | None) -> None:
    if step is not None or timestamp is not None:
        raise InvalidInput("step and timestamp are of a series of images.", hint="Give a key instead of a file.")


def _file(artifact_file: str | os.PathLike[str]) -> str:
    path = uris.artifact_path(artifact_file)
    if not path or str(artifact_file).endswith("/"):
        raise InvalidInput(f"{artifact_file!r} names a folder; give the artifact a file name.")
    return path


def _begin_anew_after_fork() -> None:
    """Another thread may have held the lock when the process forked; in the child nobody would ever release it."""
    global _growing  # noqa: PLW0603 - the module's state
    _growing = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew_after_fork)
