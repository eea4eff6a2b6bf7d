"""Arrays of numpy as datasets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dovetail.datasets.dataset import inferred
from dovetail.datasets.sources import source_for
from dovetail.datasets.tensor_dataset import TensorDataset
from dovetail.errors import InvalidInput
from dovetail.models.recognition import is_array, is_numpy_scalar

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping
    from typing import TypeAlias

    import numpy as np

    from dovetail.datasets.digest import Content
    from dovetail.datasets.source import DatasetSource
    from dovetail.models.schema import Schema

    Arrays: TypeAlias = "np.ndarray[Any, Any] | dict[str, np.ndarray[Any, Any]]"

__all__ = ["NumpyDataset", "from_numpy"]


class NumpyDataset(TensorDataset):
    """Arrays of numpy.

    Args:
        features: An array, or arrays by name; they are kept, not copied. The digest is made now.
        source: Where they came from.
        targets: What to predict: an array, or arrays by name.
        name: What people call the data; by default ``dataset``.
        digest: By default made from all values, names, types and shapes.

    Raises:
        InvalidInput: Something else than arrays, or values whose content cannot be told.
    """

    content = "arrays"

    def __init__(
        self,
        features: Arrays,
        source: DatasetSource,
        targets: Arrays | None = None,
        name: str | None = None,
        digest: str | None = None,
    ) -> None:
        _check("features", features)
        if targets is not None:
            _check("targets", targets)
        super().__init__(features, source, targets, name, digest)

    @property
    def profile(self) -> dict[str, Any]:
        """Shapes, numbers of values and bytes of features and targets."""
        figures: dict[str, Callable[[Any], Any]] = {
            "shape": lambda array: array.shape,
            "size": lambda array: int(array.size),
            "nbytes": lambda array: int(array.nbytes),
        }
        return {
            f"{what}_{figure}": _of_each(arrays, tell)
            for what, arrays in self._parts().items()
            for figure, tell in figures.items()
        }

    def _add(self, content: Content, data: Any) -> None:
        _add(content, data)

    def _schemas(self) -> Mapping[str, Schema | None]:
        """None where there is no name for a type, and for a single value."""
        return {what: _tensors(arrays) for what, arrays in self._parts().items()}


def from_numpy(
    features: Arrays,
    source: str | os.PathLike[str] | DatasetSource | None = None,
    targets: Arrays | None = None,
    name: str | None = None,
    digest: str | None = None,
) -> NumpyDataset:
    """Arrays of numpy as a dataset.

    Args:
        features: An array, or arrays by name.
        source: Where they came from: a path, a URI, or a source; by default the code that is running.
        targets: What to predict: an array, or arrays by name.
        name: What people call the data; by default ``dataset``.
        digest: What tells it from other data of that name; by default made from all values, types and shapes.

    Raises:
        InvalidInput: Something else than arrays, no source that is known, or values whose content cannot be told.
    """
    return NumpyDataset(features, source_for(source), targets, name, digest)


def _check(what: str, arrays: Any) -> None:
    each = arrays.values() if isinstance(arrays, dict) else [arrays]
    if all(hasattr(one, "dtype") and (is_array(one) or is_numpy_scalar(one)) for one in each):
        if isinstance(arrays, dict) and not all(isinstance(name, str) for name in arrays):
            raise InvalidInput(f"The {what} have names that are no texts.")
        return
    raise InvalidInput(f"The {what} are no numpy array and no dictionary of such.", hint="Use numpy.asarray.")


def _add(content: Content, arrays: Any) -> None:
    named = arrays if isinstance(arrays, dict) else {"": arrays}
    content.word(f"{'named' if isinstance(arrays, dict) else 'one'} {len(named)}")
    for name, array in named.items():
        content.word(name)
        content.array(array)


def _of_each(arrays: Any, tell: Callable[[Any], Any]) -> Any:
    return {name: tell(array) for name, array in arrays.items()} if isinstance(arrays, dict) else tell(arrays)


def _tensors(arrays: Any) -> Schema | None:
    each = arrays.values() if isinstance(arrays, dict) else [arrays]
    schema = inferred(arrays) if arrays is not None and all(map(is_array, each)) and len(each) else None
    return schema if schema is not None and schema.is_tensor_spec() else None
