"""What is known of a saved model, where MLflow's scripts look for it."""

from dovetail.models.info import ModelInfo
from dovetail.models.loading import get_model_info

__all__ = ["ModelInfo", "get_model_info"]
