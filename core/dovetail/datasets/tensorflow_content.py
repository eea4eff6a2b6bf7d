"""The content of TensorFlow's tensors and pipelines, added to a digest element by element."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dovetail.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dovetail.datasets.digest import Content

__all__ = ["add", "is_pipeline", "is_tensor"]

_INFINITE = -1  # what a pipeline without an end gives as its length
_VALUES = 1 << 20  # values asked of a pipeline at a time
_ELEMENTS = 256  # elements asked of it at a time


@dataclass(frozen=True)
class _Values:
    """The values of one tensor, out of TensorFlow."""

    dtype: str
    array: Any


def is_tensor(value: object) -> bool:
    """Whether it is a tensor or variable with values, not one of a graph that is yet to run."""
    return any(_is(value, name) for name in ("Tensor", "Variable")) and hasattr(value, "numpy")


def is_pipeline(value: object) -> bool:
    """Whether it is a ``tf.data.Dataset``."""
    return _is(value, "DatasetV2")


def add(content: Content, value: Any) -> None:
    """Add a tensor, a pipeline, or an element of one.

    Raises:
        InvalidInput: A pipeline has no end, or what it gives cannot be told.
    """
    if is_pipeline(value):
        _pipeline(content, value)
    elif isinstance(value, dict):
        _parts(content, "dict", value)
    elif isinstance(value, (list, tuple)):
        _parts(content, "tuple", dict(enumerate(value)))
    elif value is None:
        content.word("none")
    else:
        _leaf(content, value)


def _pipeline(content: Content, pipeline: Any) -> None:
    if int(pipeline.cardinality()) == _INFINITE:
        raise InvalidInput(
            "A tf.data.Dataset has no end, and so no digest.", hint="Give it before .repeat(), or give the digest."
        )
    content.word("pipeline")
    elements = 0
    for elements, element in enumerate(_elements(pipeline), 1):  # noqa: B007 - the last one is how many there are
        add(content, element)
    content.word(f"{elements} elements")


def _elements(pipeline: Any) -> Iterator[Any]:
    """The elements; those that are all of one shape come many at a time, since asking costs more than reading."""
    leaves = list(_leaves(pipeline.element_spec))
    if not leaves or not all(type(leaf).__name__ == "TensorSpec" and leaf.shape.is_fully_defined() for leaf in leaves):
        yield from pipeline
        return
    values = sum(leaf.shape.num_elements() for leaf in leaves)
    for batch in pipeline.batch(max(1, min(_ELEMENTS, _VALUES // max(1, values)))):
        yield from _rows(batch)


def _leaves(spec: Any) -> Iterator[Any]:
    parts = spec.values() if isinstance(spec, dict) else spec
    if isinstance(spec, (dict, list, tuple)) and parts:
        for part in parts:
            yield from _leaves(part)
    else:
        yield spec  # also what has no parts, of which a batch would not say how often


def _rows(batch: Any) -> Iterable[Any]:
    """The elements that a batch was made of."""
    if isinstance(batch, dict):
        return (dict(zip(batch, parts, strict=True)) for parts in zip(*map(_rows, batch.values()), strict=True))
    if isinstance(batch, (list, tuple)):
        return zip(*map(_rows, batch), strict=True)
    array = _array(batch)
    return (_Values(batch.dtype.name, array[row, ...]) for row in range(len(array)))


def _parts(content: Content, kind: str, parts: dict[Any, Any]) -> None:
    content.word(f"{kind} {len(parts)}")
    for name, part in parts.items():
        content.word(name)
        add(content, part)


def _leaf(content: Content, value: Any) -> None:
    if is_tensor(value):
        value = _Values(value.dtype.name, _array(value))
    if isinstance(value, _Values):
        content.word(f"tensor {value.dtype}")
        content.array(value.array)
    elif _is(value, "SparseTensor"):
        _parts(content, "sparse", {"places": value.indices, "values": value.values, "shape": value.dense_shape})
    elif _is(value, "RaggedTensor"):
        _parts(content, "ragged", {"values": value.flat_values, "rows": list(value.nested_row_splits)})
    else:
        raise InvalidInput(
            f"A tf.data.Dataset gives a {type(value).__name__}, and what is in it cannot be told.",
            hint="Leave it out by .map(), or give the digest yourself.",
        )


def _array(tensor: Any) -> Any:
    """The values as numpy has them; texts as objects, and numbers that numpy does not know as their bits."""
    import numpy as np

    if tensor.dtype.name == "string":
        return np.array(tensor.numpy(), dtype=object)
    array = np.asarray(tensor.numpy())
    return array if array.dtype.kind in "biufc" else array.view(f"u{array.dtype.itemsize}")


def _is(value: object, name: str) -> bool:
    kinds = type(value).__mro__
    return any(kind.__name__ == name and kind.__module__.partition(".")[0] == "tensorflow" for kind in kinds)
