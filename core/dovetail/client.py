"""The client, where MLflow's scripts look for it."""

from dovetail.tracking.client import Client, MlflowClient

__all__ = ["Client", "MlflowClient"]
