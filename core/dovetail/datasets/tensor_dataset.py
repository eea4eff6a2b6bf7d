"""What datasets of arrays and tensors have in common: features and targets, described as tensors."""

from __future__ import annotations

import json
from abc import abstractmethod
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from dovetail.datasets.dataset import Dataset
from dovetail.datasets.digest import Content
from dovetail.datasets.tensor_schema import TensorDatasetSchema

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dovetail.datasets.source import DatasetSource
    from dovetail.models.schema import Schema

__all__ = ["TensorDataset"]


class TensorDataset(Dataset):
    """Features, and what to predict from them.

    Args:
        features: What to predict from, as its kind has checked it; it is kept, not copied.
        source: Where it came from.
        targets: What to predict; None if there is nothing.
        name: What people call it.
        digest: By default made from all of it.

    Attributes:
        content: What the content of a digest begins with, so that other kinds of the same values have others.
    """

    content: ClassVar[str]

    def __init__(
        self, features: Any, source: DatasetSource, targets: Any, name: str | None, digest: str | None
    ) -> None:
        self._features = features
        self._targets = targets
        super().__init__(source, name, digest)

    @property
    def features(self) -> Any:
        """What to predict from."""
        return self._features

    @property
    def targets(self) -> Any:
        """What to predict."""
        return self._targets

    @property
    @abstractmethod
    def profile(self) -> dict[str, Any]:
        """Figures of features and targets."""

    @cached_property
    def schema(self) -> TensorDatasetSchema | None:
        """The tensors with their types; None where they cannot be described."""
        schemas = self._schemas()
        if None in schemas.values():
            return None
        return TensorDatasetSchema(**schemas)  # type: ignore[arg-type] # none of them is None

    def to_dict(self) -> dict[str, Any]:
        """What is stored of it."""
        schema = None if self.schema is None else self.schema.to_json()
        return {**super().to_dict(), "schema": schema, "profile": json.dumps(self.profile)}

    # --- what a kind says ------------------------------------------------------------------------------------

    @abstractmethod
    def _add(self, content: Content, data: Any) -> None:
        """Add all values of features or targets to the content of a digest."""

    @abstractmethod
    def _schemas(self) -> Mapping[str, Schema | None]:
        """The schema of features, and of targets if there are any; None for what has none."""

    # --- steps -----------------------------------------------------------------------------------------------

    def _compute_digest(self) -> str:
        content = Content(self.content)
        for what, data in self._parts().items():
            content.word(what)
            self._add(content, data)
        return content.hexdigest()

    def _parts(self) -> dict[str, Any]:
        parts = {"features": self._features, "targets": self._targets}
        return {what: data for what, data in parts.items() if data is not None}
