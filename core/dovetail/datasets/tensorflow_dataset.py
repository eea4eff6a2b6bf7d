"""Tensors and pipelines of TensorFlow as datasets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dovetail.datasets.dataset import warn_of_no_schema
from dovetail.datasets.sources import source_for
from dovetail.datasets.tensor_dataset import TensorDataset
from dovetail.datasets.tensorflow_content import add, is_pipeline, is_tensor
from dovetail.errors import InvalidInput, InvalidModel
from dovetail.models.schema import Schema, TensorSpec

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from dovetail.datasets.digest import Content
    from dovetail.datasets.source import DatasetSource

__all__ = ["TensorFlowDataset", "from_tensorflow"]

_PAIR = 2  # a pipeline of pairs gives features and targets together


class TensorFlowDataset(TensorDataset):
    """A tensor, or a pipeline of TensorFlow.

    Args:
        features: A ``tf.Tensor`` or a ``tf.data.Dataset``. The digest is made now, by going through it once.
        source: Where it came from.
        targets: What to predict, of the same kind as the features.
        name: What people call it; by default ``dataset``.
        digest: By default made from all values, types and shapes, in the order in which they come.

    Raises:
        InvalidInput: Something else, kinds that differ, a pipeline without an end, or values that cannot be told.
    """

    content = "tensorflow"

    def __init__(
        self,
        features: Any,
        source: DatasetSource,
        targets: Any = None,
        name: str | None = None,
        digest: str | None = None,
    ) -> None:
        _check("features", features)
        if targets is not None:
            _check("targets", targets)
            _check_same_kind(features, targets)
        super().__init__(features, source, targets, name, digest)

    @property
    def data(self) -> Any:
        """What to predict from, under the name that MLflow gives it."""
        return self._features

    @property
    def profile(self) -> dict[str, Any]:
        """How many values a tensor has, how many elements a pipeline: -1 without end, -2 if TensorFlow cannot say."""
        return {f"{what}_cardinality": _cardinality(data) for what, data in self._parts().items()}

    def _add(self, content: Content, data: Any) -> None:
        add(content, data)

    def _schemas(self) -> Mapping[str, Schema | None]:
        """Of a pipeline what its elements are; one of pairs gives features and targets, as Keras reads it."""
        specs = {what: _spec(data) for what, data in self._parts().items()}
        if list(specs) == ["features"] and isinstance(specs["features"], tuple) and len(specs["features"]) == _PAIR:
            specs = dict(zip(("features", "targets"), specs["features"], strict=True))
        return {what: _tensors(spec) for what, spec in specs.items()}


def from_tensorflow(
    features: Any,
    source: str | os.PathLike[str] | DatasetSource | None = None,
    targets: Any = None,
    name: str | None = None,
    digest: str | None = None,
) -> TensorFlowDataset:
    """A tensor or pipeline of TensorFlow as a dataset.

    Args:
        features: A ``tf.Tensor`` or a ``tf.data.Dataset``; a pipeline that shuffles has another digest each time.
        source: Where it came from: a path, a URI, or a source; by default the code that is running.
        targets: What to predict: a tensor where the features are one, a pipeline where they are.
        name: What people call it; by default ``dataset``.
        digest: What tells it from other data of that name; by default made from all values, types and shapes.

    Raises:
        InvalidInput: Something else, kinds that differ, no source that is known, a pipeline without an end, or values
            that cannot be told.
    """
    return TensorFlowDataset(features, source_for(source), targets, name, digest)


def _check(what: str, data: object) -> None:
    if not (is_tensor(data) or is_pipeline(data)):
        raise InvalidInput(
            f"The {what} are a {type(data).__name__}, no tf.Tensor and no tf.data.Dataset.",
            hint="Use tf.convert_to_tensor, or tf.data.Dataset.from_tensor_slices.",
        )


def _check_same_kind(features: object, targets: object) -> None:
    if is_pipeline(features) != is_pipeline(targets):
        raise InvalidInput("Features and targets must both be tensors, or both be of tf.data.Dataset.")


def _cardinality(data: Any) -> int:
    if is_pipeline(data):
        return int(data.cardinality())
    count = 1
    for extent in data.shape:
        count *= int(extent)
    return count


def _spec(data: Any) -> Any:
    """What TensorFlow says of a pipeline's elements, or the tensor itself, which says the same."""
    return data.element_spec if is_pipeline(data) else data


def _tensors(spec: Any) -> Schema | None:
    named = spec if isinstance(spec, dict) else {None: spec}
    if not named or not all(_is_described(each) for each in named.values()):
        return None
    try:
        return Schema(_tensor(each, name) for name, each in named.items())
    except InvalidModel as error:
        warn_of_no_schema(error)
        return None


def _is_described(spec: Any) -> bool:
    """Whether it is one tensor of known rank; ragged and sparse ones are something else."""
    return (is_tensor(spec) or type(spec).__name__ == "TensorSpec") and spec.shape.rank is not None


def _tensor(spec: Any, name: Any) -> TensorSpec:
    extents = [-1 if extent is None else int(extent) for extent in spec.shape]
    if is_tensor(spec) and extents:
        extents[0] = -1  # the first axis is that of examples
    dtype = "object" if spec.dtype.name == "string" else spec.dtype.name
    return TensorSpec(dtype, extents, name)
