"""A model registry on a server that is MLflow's and nothing else."""

from __future__ import annotations

from dovetail_http.stock.moves import MoveMethods

__all__ = ["MlflowRegistry"]


class MlflowRegistry(MoveMethods):
    """Keeps registered models on a stock MLflow server, by MLflow's own REST API.

    It does what a server of MLflow's 2.9 or later can do, with these differences to other registries:

    * **Moves** of aliases and stages that expect a place are read, compared and written one after the other.
    * **History** is not kept: it is empty.
    * **Numbers** of deleted versions: that of the latest one may be given again.
    """

    def close(self) -> None:
        """Let go of the connections."""
        self._transport.close()
