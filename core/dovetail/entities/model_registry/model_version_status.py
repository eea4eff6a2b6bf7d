"""``ModelVersionStatus``, which MLflow keeps here alone."""

from dovetail.values import ModelVersionStatus

__all__ = ["ModelVersionStatus"]
