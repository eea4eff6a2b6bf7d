"""What datasets of tables have in common, whichever library the table is of."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from dovetail.datasets.dataset import Dataset, columns_json
from dovetail.errors import InvalidInput

if TYPE_CHECKING:
    from dovetail.datasets.source import DatasetSource

__all__ = ["TableDataset"]


class TableDataset(Dataset):
    """A table, some of whose columns have a meaning.

    Args:
        columns: The names of its columns.
        source: Where it came from.
        targets: The column to predict.
        predictions: The column with what a model predicted.
        name: What people call it; by default ``dataset``.
        digest: By default made from its content.

    Raises:
        InvalidInput: No such columns, or cells whose content cannot be told.
    """

    def __init__(
        self,
        columns: Any,
        source: DatasetSource,
        *,
        targets: str | None = None,
        predictions: str | None = None,
        name: str | None = None,
        digest: str | None = None,
    ) -> None:
        _check_column(columns, targets, "targets")
        _check_column(columns, predictions, "predictions")
        self._targets = targets
        self._predictions = predictions
        super().__init__(source, name, digest)

    @property
    def targets(self) -> str | None:
        """The column to predict."""
        return self._targets

    @property
    def predictions(self) -> str | None:
        """The column with what a model predicted."""
        return self._predictions

    def to_dict(self) -> dict[str, Any]:
        """What is stored of it."""
        return {**super().to_dict(), "schema": columns_json(self.schema), "profile": json.dumps(self.profile)}


def _check_column(columns: Any, name: Any, what: str) -> None:
    if name is not None and name not in columns:
        listed = ", ".join(map(repr, list(columns)[:20]))
        raise InvalidInput(f"There is no column {name!r} for the {what}.", hint=f"There are: {listed or 'no columns'}.")
