"""What a stock MLflow server cannot do, in the same words everywhere."""

from __future__ import annotations

from dovetail.errors import InvalidState

__all__ = ["cannot", "cannot_collect"]


def cannot(server: str, what: str) -> InvalidState:
    """The error that a server of MLflow's cannot do something that stores of dovetail's can.

    Args:
        server: What messages call it.
        what: What it cannot do, as ``move runs``.
    """
    return InvalidState(
        f"{server} is a stock MLflow server, which cannot {what}.",
        hint=f"Bring what it has into a store of dovetail's: dovetail import mlflow {server}.",
    )


def cannot_collect(server: str) -> InvalidState:
    """The error that nothing is taken away for good by way of MLflow's API."""
    return InvalidState(
        f"{server} is a stock MLflow server, which takes nothing away for good when it is asked from afar.",
        hint="Call `mlflow gc` on the machine that it runs on.",
    )
