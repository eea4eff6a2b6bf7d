"""Errors by the names that MLflow's scripts catch; ``dovetail.errors`` has the whole tree."""

from dovetail.errors import DovetailError as RestException  # what a server answered is raised as what it is
from dovetail.errors import MlflowException
from dovetail.errors import RunFailed as ExecutionException

__all__ = ["ExecutionException", "MlflowException", "RestException"]
