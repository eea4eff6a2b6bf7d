"""The artifacts of one run: putting files in, listing them, getting them back."""

from __future__ import annotations

import io
import json
import posixpath
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from dovetail import locations, uris
from dovetail.artifacts import transfer
from dovetail.artifacts.folder import fetched
from dovetail.errors import InvalidInput, NotFound, RunEnded
from dovetail.tracking import images, recorder, tables
from dovetail.values import Batch, LifecycleStage, Tag
from dovetail.values.names import MAX_TAG_VALUE

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from dovetail.tracking.store import TrackingStore
    from dovetail.values import FileInfo

__all__ = ["TABLES_TAG", "RunArtifacts", "tables_of"]

TABLES_TAG, IMAGES_TAG = "mlflow.loggedArtifacts", "mlflow.loggedImages"
_growing = threading.Lock()  # a table is read, extended and written again


class RunArtifacts:
    """Reads and writes a run's artifacts.

    Args:
        store: The tracking store that knows the run.
        run_id: The run.

    Raises:
        NotFound: There is no such run.
    """

    def __init__(self, store: TrackingStore, run_id: str) -> None:
        self._run, self._tracking = store.get_run(run_id), store
        self.uri = self._run.info.artifact_uri
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

    def log_stream(self, stream: BinaryIO, artifact_file: str) -> None:
        """Write what a binary stream still has to give, without holding all of it in memory."""
        path = _file(artifact_file)
        if not callable(getattr(stream, "read", None)):
            raise InvalidInput(f"log_stream takes a binary stream, not {type(stream).__name__}.")
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
        if (artifact_file is None) == (key is None):
            raise InvalidInput("log_image takes either an artifact_file or the key of a series.")
        if artifact_file is not None:
            _refuse_place_in_series(step, timestamp)
            path = _file(artifact_file)
            self.log_bytes(images.encoded(images.Image(image), path), path)
            return
        self._check_active()
        path, picture = images.series_path(cast("str", key), step, timestamp), images.Image(image)
        self.log_bytes(images.encoded(picture, f"{path}.png"), f"{path}.png")
        self.log_bytes(images.preview(picture), f"{path}+compressed.webp")
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
        with self.store.open(path) as stream:
            return tables.parse(stream.read(), path)

    def _table(self, path: str) -> tables.Table | None:
        try:
            return self.load_table(path)
        except NotFound:
            return None

    def _note_table(self, path: str) -> None:
        """Have the run name its tables, by which they are found; a tag holds some dozens of them."""
        tags = self._tracking.get_run(self._run.info.run_id).data.tags
        known = tables_of(tags)
        if path in known:
            return
        text = json.dumps([{"path": each, "type": "table"} for each in (*known, path)])
        if len(text) <= MAX_TAG_VALUE:
            self._tag(Tag(TABLES_TAG, text))
            return
        import warnings

        warnings.warn(
            f"Run {self._run.info.run_id} has more tables than its tag can name: load_table finds {path!r} only by "
            "run_ids.",
            stacklevel=2,
        )

    def _tag(self, tag: Tag) -> None:
        recorder.write(self._tracking, self._run.info.run_id, Batch(tags=(tag,)))

    def _check_active(self) -> None:
        if self._run.info.lifecycle_stage == LifecycleStage.DELETED:
            raise RunEnded(f"Run {self._run.info.run_id} is deleted.", hint="Restore it first.")

    def list(self, path: str | None = None) -> list[FileInfo]:
        """The entries of one folder."""
        return list(self.store.list(uris.artifact_path(path)))

    def download(self, path: str | None, destination: str | os.PathLike[str] | None = None) -> Path:
        """Bring a file or folder to this machine."""
        return fetched(self.store, uris.artifact_path(path), None if destination is None else Path(destination))


def tables_of(tags: Mapping[str, str]) -> tuple[str, ...]:
    """The paths of the tables that a run's tags name; whatever else the tag holds is passed over."""
    try:
        entries = json.loads(tags.get(TABLES_TAG, "[]"))
    except ValueError:  # somebody else wrote it
        return ()
    found = entries if isinstance(entries, list) else []
    return tuple(
        str(each["path"]) for each in found if isinstance(each, dict) and each.get("type") == "table" and "path" in each
    )


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
