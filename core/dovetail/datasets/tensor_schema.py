"""The schema of data that is arrays: features, and targets beside them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from dovetail.errors import InvalidInput
from dovetail.models.schema import Schema

__all__ = ["TensorDatasetSchema"]

_KEY = "mlflow_tensorspec"


@dataclass(frozen=True)
class TensorDatasetSchema:
    """What features and targets are like.

    Args:
        features: The tensors of the features.
        targets: The tensors of the targets; None where there are none.

    Raises:
        InvalidInput: One is no schema.
    """

    features: Schema
    targets: Schema | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.features, Schema) or not isinstance(self.targets, (Schema, type(None))):
            raise InvalidInput("Features and targets of a TensorDatasetSchema must be Schemas.")

    def to_dict(self) -> dict[str, Any]:
        """What stores keep of it, as JSON."""
        targets = None if self.targets is None else self.targets.to_json()
        return {_KEY: {"features": self.features.to_json(), "targets": targets}}

    @classmethod
    def from_dict(cls, schema_dict: dict[str, Any]) -> TensorDatasetSchema:
        """The schema that was stored.

        Raises:
            InvalidInput: It is none of this kind.
        """
        try:
            stored = schema_dict[_KEY]
            features, targets = stored["features"], stored.get("targets")
        except (TypeError, KeyError, AttributeError) as error:
            raise InvalidInput("What is stored is no schema of features and targets.") from error
        return cls(Schema.from_json(features), None if targets is None else Schema.from_json(targets))

    def to_json(self) -> str:
        """``to_dict`` as JSON."""
        return json.dumps(self.to_dict())
