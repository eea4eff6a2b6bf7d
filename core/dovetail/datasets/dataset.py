"""Datasets as scripts hold them: the data itself with its source, from which the record in a store is made."""

from __future__ import annotations

import json
import warnings
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from dovetail.datasets.source import DatasetSource
from dovetail.errors import InvalidInput, InvalidModel
from dovetail.models.inference import infer_schema
from dovetail.values import dataset as values

if TYPE_CHECKING:
    from dovetail.models.schema import Schema

__all__ = ["Dataset", "columns_json", "inferred", "warn_of_no_schema"]

_NAME = "dataset"


class Dataset(ABC):
    """Data with its source.

    A kind of data is a subclass that says how its digest is made, and its schema and figures where it has such::

        class AudioDataset(Dataset):
            def __init__(self, clips, source, name=None, digest=None):
                self.clips = clips
                super().__init__(source, name, digest)

            def _compute_digest(self):
                content = Content("audio")
                for clip in self.clips:
                    content.array(clip)
                return content.hexdigest()

            @property
            def profile(self):
                return {"num_clips": len(self.clips)}

    Args:
        source: Where the data came from.
        name: What people call it; by default ``dataset``.
        digest: What tells it from other data of that name, at most 36 characters; by default made from its content.

    Raises:
        InvalidInput: The source is none, name or digest cannot be kept, or the digest cannot be made.
    """

    def __init__(self, source: DatasetSource, name: str | None = None, digest: str | None = None) -> None:
        if not isinstance(source, DatasetSource):
            raise InvalidInput(
                f"The source of a dataset must be a DatasetSource, not a {type(source).__name__}.",
                hint="dovetail.data.from_pandas and the like take paths and URIs too.",
            )
        self._source = source
        self._name = _NAME if name is None else name
        self._digest = self._compute_digest() if digest is None else digest
        self._check_identity()

    def _check_identity(self) -> None:
        """Raise for a name or digest that no store takes: now, rather than when the dataset is logged."""
        values.Dataset(self._name, self._digest, self._source.source_type, "{}")

    @abstractmethod
    def _compute_digest(self) -> str:
        """The digest of the data; see ``dovetail.datasets.digest``."""

    @property
    def name(self) -> str:
        """What people call it."""
        return self._name

    @property
    def digest(self) -> str:
        """What tells it from other data of the same name."""
        return self._digest

    @property
    def source(self) -> DatasetSource:
        """Where the data came from."""
        return self._source

    @property
    def source_type(self) -> str:
        """The type of the source."""
        return self._source.source_type

    @property
    def schema(self) -> Any:
        """Its columns or tensors; None where nothing is known of them."""
        return None

    @property
    def profile(self) -> Any:
        """Figures about it, plain enough for JSON; None where there are none."""
        return None

    def to_dict(self) -> dict[str, Any]:
        """What is stored of it: texts by name, most of them JSON."""
        return {
            "name": self.name,
            "digest": self.digest,
            "source": self.source.to_json(),
            "source_type": self.source_type,
        }

    def to_json(self) -> str:
        """``to_dict`` as JSON."""
        return json.dumps(self.to_dict())

    def value(self) -> values.Dataset:
        """What a store keeps of it.

        A schema that is longer than stores take is left out, and a warning says so.

        Raises:
            InvalidInput: The source or the figures are longer than stores take.
        """
        stored = self.to_dict()
        schema = stored.get("schema")
        if schema is not None and len(schema) > values.MAX_SCHEMA:
            warnings.warn(
                f"The schema of the dataset {self.name!r} has {len(schema):,} characters, more than the "
                f"{values.MAX_SCHEMA:,} that stores keep: it is left out.",
                stacklevel=2,
            )
            stored["schema"] = None
        return values.Dataset(**stored)

    def _to_mlflow_entity(self) -> values.Dataset:
        """``value()``, as scripts written for MLflow ask for it."""
        return self.value()

    def _get_source_type(self) -> str:
        """``source_type``, as scripts written for MLflow ask for it."""
        return self.source_type

    def __repr__(self) -> str:
        return f"{type(self).__name__}(name={self.name!r}, digest={self.digest!r}, source_type={self.source_type!r})"


def inferred(data: Any) -> Schema | None:
    """The schema of data, with a warning where a column's label is nothing that a schema can hold.

    Columns of which no type can be told are ``any``.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # they are about models that check their input
            return infer_schema(data)
    except InvalidModel as error:
        warn_of_no_schema(error)
        return None


def warn_of_no_schema(error: InvalidModel) -> None:
    """Say that a dataset is kept without its schema, and why."""
    warnings.warn(f"The dataset has no schema: {error.message}", stacklevel=5)


def columns_json(schema: Schema | None) -> str | None:
    """The JSON that stores keep of a schema of columns."""
    return None if schema is None else json.dumps({"mlflow_colspec": schema.to_dict()})
