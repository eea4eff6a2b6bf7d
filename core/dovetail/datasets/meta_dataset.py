"""Datasets of which only the description is at hand."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from dovetail.datasets.dataset import Dataset, columns_json
from dovetail.datasets.digest import Content
from dovetail.errors import InvalidInput
from dovetail.models.schema import Schema

if TYPE_CHECKING:
    from dovetail.datasets.source import DatasetSource

__all__ = ["MetaDataset"]


class MetaDataset(Dataset):
    """Data that is too large to look at, or elsewhere: it is known by its source, name and schema only.

    Args:
        source: Where the data is.
        name: What people call it; by default ``dataset``.
        digest: By default made from source, name and schema, since there is no content to make it from.
        schema: Its columns or tensors, where they are known.

    Raises:
        InvalidInput: The source or schema is none.
    """

    def __init__(
        self,
        source: DatasetSource,
        name: str | None = None,
        digest: str | None = None,
        schema: Schema | None = None,
    ) -> None:
        if schema is not None and not isinstance(schema, Schema):
            raise InvalidInput(f"A {type(schema).__name__} is no Schema.")
        self._schema = schema
        super().__init__(source, name, digest)

    def _compute_digest(self) -> str:
        content = Content("description")
        described = [self.name, self.source_type, self.source.to_json(), self._schema and self._schema.to_json()]
        content.cell(json.dumps(described))
        return content.hexdigest()

    @property
    def schema(self) -> Schema | None:
        """Its columns or tensors, where they are known."""
        return self._schema

    def to_dict(self) -> dict[str, Any]:
        """What is stored of it."""
        schema = {} if self._schema is None else {"schema": columns_json(self._schema)}
        return {**super().to_dict(), **schema}
