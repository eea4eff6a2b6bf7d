"""Images as runs log them: from arrays, lists and Pillow's own, single or as a series over steps."""

from __future__ import annotations

import io
import posixpath
import uuid
from typing import TYPE_CHECKING, Any

from dovetail.errors import InvalidInput, PluginMissing
from dovetail.values import Metric

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    import numpy as np
    import PIL.Image

__all__ = ["Image", "encoded", "pillow", "preview", "series_path"]

_CHANNELS = (1, 3, 4)
_PREVIEW_SIDE = 256  # pixels: what a page shows of many images beside each other


class Image:
    """An image, however it was made.

    Args:
        image: A Pillow image; or an array or nested list of height by width, or height by width by 1, 3 or 4 channels
            (grey, RGB, RGBA): whole numbers from 0 to 255, floats from 0 to 1, or booleans.

    Raises:
        InvalidInput: It is none of these.
        PluginMissing: Pillow, or numpy for arrays and lists, is not installed.
    """

    def __init__(self, image: np.ndarray | PIL.Image.Image | Sequence[Any] | Image) -> None:
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
        """The image in another size of (width, height) pixels."""
        return Image(self._image.resize(size))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write it to a file; the ending decides the format."""
        self._image.save(path)

    def __repr__(self) -> str:
        """Its size and kind."""
        return f"Image({self._image.width}x{self._image.height}, {self._image.mode!r})"


def series_path(key: str, step: int | None, timestamp: int | None) -> str:
    """Where an image of a series goes, without the ending: a name that tells key, step and time, as MLflow reads them.

    Args:
        key: The series, as a metric is called.
        step: The training step, 0 by default.
        timestamp: Milliseconds since 1970, UTC; by default now.
    """
    point = Metric(key, 0.0, timestamp, step)  # type: ignore[arg-type] # the value fills in what is None
    name = key.replace("/", "~")
    return f"images/{name}+step+{point.step}+timestamp+{point.timestamp}+{uuid.uuid4()}"


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


def preview(image: Image) -> bytes:
    """A small picture of it, for pages that show many: WebP, at most 256 pixels wide and high."""
    whole = image.to_pil()
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
    pixels = _pixels(image)
    if pixels.ndim == 3 and pixels.shape[2] == 1:  # noqa: PLR2004 - height, width, channels
        pixels = pixels[:, :, 0]
    return module.fromarray(_bytes(pixels))


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
