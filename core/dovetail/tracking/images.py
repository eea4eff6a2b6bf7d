"""Images as runs log them: from arrays, lists and Pillow's own, single or as a series over steps."""

from __future__ import annotations

import io
import os
import posixpath
import struct
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from dovetail.errors import InvalidInput, InvalidName, NotFound, PluginMissing
from dovetail.values import Metric

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import PIL.Image

__all__ = ["Image", "encoded", "image_of", "pillow", "preview", "preview_path", "read", "series_path"]

_CHANNELS = (1, 3, 4)
_PREVIEW_SIDE = 256  # pixels: what a page shows of many images beside each other
_PREVIEW_ENDING = "+compressed.webp"
_LONGEST_NAME = 255  # bytes: what file systems and object stores can keep
# What Pillow raises for a broken file depends on its format.
_BROKEN = (EOFError, LookupError, OSError, RuntimeError, SyntaxError, ValueError, struct.error)


class Image:
    """An image, however it was made.

    Args:
        image: A Pillow image; the path of an image file; or an array or nested list of height by width, or height by
            width by 1, 3 or 4 channels (grey, RGB, RGBA): whole numbers from 0 to 255, floats from 0 to 1, or booleans.

    Raises:
        InvalidInput: It is none of these.
        NotFound: There is no such file.
        PluginMissing: Pillow, or numpy for arrays and lists, is not installed.
    """

    def __init__(self, image: np.ndarray | PIL.Image.Image | str | os.PathLike[str] | Sequence[Any] | Image) -> None:
        self._image: PIL.Image.Image = image.to_pil() if isinstance(image, Image) else _opened(image)

    def to_pil(self) -> PIL.Image.Image:
        """The image as Pillow has it."""
        return self._image

    def to_array(self) -> np.ndarray:
        """The image as an array of height by width, and channels where there are several."""
        return _numpy().asarray(self._image)  # type: ignore[no-any-return]

    def to_list(self) -> list[Any]:
        """The image as nested lists."""
        return self.to_array().tolist()  # type: ignore[no-any-return]

    def resize(self, size: tuple[int, int]) -> Image:
        """The image in another size of (width, height) pixels. Raises ``InvalidInput`` for what is no size."""
        try:
            return Image(self._image.resize(size))
        except (TypeError, ValueError) as error:
            raise InvalidInput(f"An image cannot have the size {size!r}: {error}.") from error

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write it to a file of this machine; the ending decides the format. Raises ``InvalidInput`` if it cannot."""
        content = encoded(self, os.fspath(path))
        try:
            Path(path).write_bytes(content)
        except OSError as error:
            raise InvalidInput(f"{os.fspath(path)!r} cannot be written: {error.strerror}.") from error

    def __repr__(self) -> str:
        """Its size and kind."""
        return f"Image({self._image.width}x{self._image.height}, {self._image.mode!r})"


def image_of(image: Any) -> Image:
    """The image that somebody logs: as ``Image`` takes it, except that text is not taken for the path of a file."""
    if isinstance(image, (str, bytes, os.PathLike)):
        raise InvalidInput(
            f"An image cannot be made from {type(image).__name__}.",
            hint="Open a file with dovetail.Image(path), or upload it as it is with log_artifact(path).",
        )
    return Image(image)


def read(file: BinaryIO, name: str) -> Any:
    """The image in a file as Pillow has it, read to its end.

    Args:
        file: The open file.
        name: The word for it in messages.

    Raises:
        InvalidInput: It is no image that Pillow knows, a broken one, or so large that it may be a trap.
    """
    module = pillow()
    try:
        image = module.open(file)
        image.load()
    except (module.DecompressionBombError, *_BROKEN) as error:
        reason = "no format of Pillow's fits" if type(error).__name__ == "UnidentifiedImageError" else error
        raise InvalidInput(f"{name} cannot be read as an image: {reason}.") from error
    return image


def series_path(key: str, step: int | None, timestamp: int | None) -> str:
    """Where an image of a series goes, without the ending: a name that tells key, step and time, as MLflow reads them.

    Args:
        key: The series, as a metric is called.
        step: The training step, 0 by default.
        timestamp: Milliseconds since 1970, UTC; by default now.

    Raises:
        InvalidInput: Key, step or time break the rules of a metric's.
        InvalidName: The key is so long that files could not be called after it.
    """
    point = Metric(key, 0.0, timestamp, step)  # the value fills in what is None
    place = f"+step+{point.step}+timestamp+{point.timestamp}+{uuid.uuid4()}"
    room = _LONGEST_NAME - len(place) - len(_PREVIEW_ENDING)
    if (size := len(key.encode())) > room:
        raise InvalidName(f"The key {key[:40]!r}… of a series of images has {size} bytes; {room} are left for it.")
    return f"images/{key.replace('/', '~')}{place}"


def encoded(image: Image, artifact_file: str) -> bytes:
    """The bytes of the file; its ending decides the format.

    Raises:
        InvalidInput: The ending is that of no format, or the format cannot hold such an image.
    """
    ending = posixpath.splitext(artifact_file)[1].lower()
    formats = pillow().registered_extensions()
    if ending not in formats:
        raise InvalidInput(f"{artifact_file!r} does not end as an image does.", hint="Write .png, .jpg or .webp.")
    return _written(image.to_pil(), formats[ending], artifact_file)


def preview_path(path: str) -> str:
    """Where the preview of an image of a series goes, by ``series_path``."""
    return f"{path}{_PREVIEW_ENDING}"


def preview(image: Image) -> bytes:
    """A small picture of it, for pages that show many: WebP, at most 256 pixels wide and high."""
    whole = image.to_pil()
    if whole.mode.startswith("I;16"):
        whole = whole.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    # WebP holds neither palettes nor pixels of more than eight bits.
    small = whole.convert("RGBA" if "A" in whole.getbands() or "transparency" in whole.info else "RGB")
    small.thumbnail((_PREVIEW_SIDE, _PREVIEW_SIDE))
    return _written(small, "WEBP", "the preview")


def pillow() -> Any:
    """The library for images.

    Raises:
        PluginMissing: It is not installed.
    """
    try:
        import PIL.Image
    except ImportError as error:
        raise _missing("Pillow", "pillow", error) from error
    return PIL.Image


def _numpy() -> Any:
    try:
        import numpy as np
    except ImportError as error:
        raise _missing("numpy", "numpy", error) from error
    return np


def _missing(name: str, package: str, error: ImportError) -> PluginMissing:
    return PluginMissing(
        f"Images need {name}, which cannot be imported: {error}.", hint=f"Install it with `pip install {package}`."
    )


def _written(image: Any, kind: str, name: str) -> bytes:
    buffer = io.BytesIO()
    try:
        image.save(buffer, format=kind)
    except (OSError, ValueError, KeyError) as error:  # how Pillow says that a format cannot hold it
        hint = "Convert it first, such as with image.convert('RGB')."
        raise InvalidInput(f"The image cannot be written as {name}: {error}.", hint=hint) from error
    return buffer.getvalue()


def _opened(image: Any) -> Any:
    module = pillow()
    if isinstance(image, module.Image):
        return image
    if isinstance(image, (str, os.PathLike)):
        return _from_file(Path(image))
    pixels = _pixels(image)
    if pixels.ndim == 3 and pixels.shape[2] == 1:  # noqa: PLR2004 - height, width, channels
        pixels = pixels[:, :, 0]
    return module.fromarray(_bytes(pixels))


def _from_file(path: Path) -> Any:
    try:
        file = path.open("rb")
    except FileNotFoundError as error:
        raise NotFound(f"There is no file {path}.", hint="Give the path of an image on this machine.") from error
    except (OSError, ValueError) as error:
        raise InvalidInput(f"{str(path)!r} cannot be read: {error}.") from error
    with file:
        return read(file, str(path))


def _pixels(image: Any) -> Any:
    if not isinstance(image, (list, tuple)) and not hasattr(image, "__array__"):
        raise InvalidInput(
            f"An image cannot be made from {type(image).__name__}.", hint="Give an array or a Pillow image."
        )
    try:
        pixels = _numpy().asarray(image)
    except (ValueError, TypeError, RuntimeError) as error:  # rows of unequal length, a tensor on a device
        raise InvalidInput(f"The image cannot be read as an array: {error}.") from error
    flat = pixels.ndim == 2 or (pixels.ndim == 3 and pixels.shape[2] in _CHANNELS)  # noqa: PLR2004 - as above
    if not flat or 0 in pixels.shape:
        raise InvalidInput(
            f"The image has the shape {pixels.shape}; it must be height by width, or height by width by 1, 3 or 4."
        )
    return pixels


def _bytes(pixels: Any) -> Any:
    """The pixels as numbers from 0 to 255."""
    np = _numpy()
    if pixels.dtype.kind == "b":
        return pixels.astype(np.uint8) * np.uint8(255)
    if pixels.dtype.kind not in "iuf":
        raise InvalidInput(f"The image has pixels of the type {pixels.dtype}; they must be numbers.")
    most = 1 if pixels.dtype.kind == "f" else 255
    if not ((pixels >= 0) & (pixels <= most)).all():  # NaN is neither
        raise InvalidInput(
            f"The image has pixels from {pixels.min()} to {pixels.max()}; "
            f"{'floats' if most == 1 else 'whole numbers'} must lie between 0 and {most}.",
            hint="Scale it first.",
        )
    return np.rint(pixels * 255).astype(np.uint8) if most == 1 else pixels.astype(np.uint8)
