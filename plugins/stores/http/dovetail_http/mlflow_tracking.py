"""A tracking store on a server that is MLflow's and nothing else."""

from __future__ import annotations

from dovetail_http.stock.bin import BinMethods

__all__ = ["MlflowTracking"]


class MlflowTracking(BinMethods):
    """Keeps experiments, runs and logged models on a stock MLflow server, by MLflow's own REST API.

    It does what a server of MLflow's 2.9 or later can do, with these differences to other stores:

    * **Ids.** The server makes them. What is created has the id that is returned; by the id that the client made, which
      a tag keeps there, it is found as well.
    * **Searches.** The whole grammar holds. What MLflow's own does not know is asked here, of what the server finds by
      the rest.
    * **Atomicity.** Each request is stored or not; what needs several of them (a batch of more than 1 000 values, say)
      may be there in part if it is broken off. Logging it again brings the rest, and nothing twice.
    * **Marks, leases and times of tags** are not kept: journals are sent again whole, of runs whose process is gone
      nobody learns, and of tags the last one that comes holds.
    * **Numbers.** Infinities come back as such, though the server's database has none. Of what was measured on a logged
      model, NaN comes back as 0, and of two points with the same metric, step and time the second is refused.
    * **Moving runs, restoring logged models, taking points back and emptying the bin** the server cannot do:
      ``InvalidState``.
    """

    def close(self) -> None:
        """Let go of the connections."""
        self._transport.close()
