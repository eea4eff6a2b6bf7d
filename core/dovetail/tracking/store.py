"""The seam that tracking stores fit into."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from dovetail.values.state import ViewType

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dovetail.values import Batch, Experiment, JournalMark, Metric, NewRun, Page, Run, RunInfo, Tag

__all__ = ["MAX_PAGE", "TrackingStore"]

MAX_PAGE = 50_000


class TrackingStore(ABC):
    """Keeps experiments, runs and what runs logged.

    Guarantees every store gives, and ``dovetail.testing.TrackingStoreSuite`` checks:

    * **Atomicity.** Each method does all of its work or none, also when the process is killed or the disk is full.
    * **Durability.** What a method returned from is there for every later reader; a killed process loses nothing
      (a store says in its README what a power cut may cost).
    * **Concurrency.** Any number of threads may share one instance, and any number of processes one store, its very
      first use included. A store may wait for others; it fails only after a stated time, with ``StoreUnavailable``.
    * **Reading your writes.** A read that starts after a write returned sees it.
    * **Checked values.** Values arrive checked (see ``dovetail.values``); a store checks only what needs its data:
      existence, uniqueness, state.
    * **Errors** are ``dovetail.errors`` only: ``NotFound`` for ids that do not exist, ``AlreadyExists`` for taken
      names and ids, ``InvalidState``/``RunEnded`` for the wrong state, ``StoreError`` for the store's own trouble.

    The experiment ``"0"`` named ``Default`` exists from the start.

    Attributes:
        uri: Where the store is, in a form that another process (also in another folder) opens the same store by.
    """

    uri: str

    # --- experiments -----------------------------------------------------------------------------------------

    @abstractmethod
    def create_experiment(self, name: str, artifact_location: str | None = None, tags: Sequence[Tag] = ()) -> str:
        """Create an experiment and return its id, a whole number as text that counts up.

        Without a location its artifacts go to ``<the store's artifact root>/<experiment id>``. Creation and last update
        time are equal at first.

        Raises:
            AlreadyExists: The name is taken, also by a deleted experiment.
        """

    @abstractmethod
    def get_experiment(self, experiment_id: str) -> Experiment:
        """The experiment of that id, deleted ones included.

        Raises:
            NotFound: There is none.
        """

    @abstractmethod
    def get_experiment_by_name(self, name: str) -> Experiment | None:
        """The experiment of that name, deleted ones included, or None."""

    @abstractmethod
    def search_experiments(
        self,
        filter_string: str | None = None,
        order_by: Sequence[str] = (),
        view_type: ViewType = ViewType.ACTIVE_ONLY,
        max_results: int = 1000,
        page_token: str | None = None,
    ) -> Page[Experiment]:
        """A page of experiments; by default the newest (then the highest id) comes first.

        Raises:
            InvalidFilter: The filter or order cannot be parsed, or the token is not one of this search.
        """

    @abstractmethod
    def rename_experiment(self, experiment_id: str, name: str) -> None:
        """Give the experiment another name.

        Raises:
            NotFound: There is no such experiment.
            AlreadyExists: The name is taken.
            InvalidState: The experiment is deleted.
        """

    @abstractmethod
    def delete_experiment(self, experiment_id: str) -> None:
        """Put the experiment and its active runs in the bin; its name stays taken.

        Raises:
            NotFound: There is no active experiment of that id.
        """

    @abstractmethod
    def restore_experiment(self, experiment_id: str) -> None:
        """Take the experiment, and the runs that went with it, out of the bin.

        Raises:
            NotFound: There is no deleted experiment of that id.
        """

    @abstractmethod
    def set_experiment_tags(self, experiment_id: str, tags: Sequence[Tag]) -> None:
        """Set tags; those of the same key are replaced.

        Raises:
            NotFound: There is no such experiment.
            InvalidInput: It is deleted.
        """

    @abstractmethod
    def delete_experiment_tag(self, experiment_id: str, key: str) -> None:
        """Remove a tag.

        Raises:
            NotFound: There is no such experiment or tag.
        """

    # --- runs ------------------------------------------------------------------------------------------------

    @abstractmethod
    def create_run(self, run: NewRun) -> Run:
        """Create a run. Its name and the tag ``mlflow.runName`` are made equal; the name wins where both are given.

        Its artifacts go to ``<the experiment's artifact location>/<run id>/artifacts``.

        Raises:
            NotFound: There is no such experiment.
            InvalidInput: The experiment is deleted.
            AlreadyExists: A run of that id exists.
        """

    @abstractmethod
    def get_run(self, run_id: str) -> Run:
        """The run with its latest metrics, params and tags; deleted ones included.

        The latest point of a metric is the one with the highest (step, timestamp, value); NaN counts as lowest value.

        Raises:
            NotFound: There is none.
        """

    @abstractmethod
    def update_run(
        self, run_id: str, *, status: str | None = None, end_time: int | None = None, name: str | None = None
    ) -> RunInfo:
        """Change what is given and return the run's metadata.

        A status that ends the run sets the end time (given or the present one); one that does not clears it.

        Raises:
            NotFound: There is no such run.
            RunEnded: It is deleted.
        """

    @abstractmethod
    def delete_run(self, run_id: str) -> None:
        """Put the run in the bin; deleting a deleted run changes nothing.

        Raises:
            NotFound: There is no such run.
        """

    @abstractmethod
    def restore_run(self, run_id: str) -> None:
        """Take the run out of the bin; restoring an active run changes nothing.

        Raises:
            NotFound: There is no such run.
            InvalidState: Its experiment is deleted.
        """

    @abstractmethod
    def search_runs(
        self,
        experiment_ids: Sequence[str],
        filter_string: str | None = None,
        order_by: Sequence[str] = (),
        view_type: ViewType = ViewType.ACTIVE_ONLY,
        max_results: int = 1000,
        page_token: str | None = None,
    ) -> Page[Run]:
        """A page of runs of these experiments, by ``dovetail.tracking.filters``'s grammar and semantics.

        Ties, and everything where no order is given, go by start time (latest first), then run id. Walking the pages
        by token gives every run once as long as nothing changes meanwhile. Unknown experiment ids hold no runs.

        Raises:
            InvalidFilter: The filter or order cannot be parsed, or the token is not one of this search.
        """

    # --- what runs log ---------------------------------------------------------------------------------------

    @abstractmethod
    def log_batch(self, run_id: str, batch: Batch, *, mark: JournalMark | None = None, ended: bool = False) -> None:
        """Store metrics, params and tags of a run, all of them or none.

        Identical metric points (key, step, timestamp, value) are one point, whenever they were logged. A param may be
        logged again with the same value. Of two tags of one key the last one holds; the tag ``mlflow.runName`` renames
        the run.

        Args:
            run_id: The run.
            batch: What to store.
            mark: Which journal record this is. A mark whose sequence is not above the highest one stored for its writer
                was stored before: then nothing is done and nothing is wrong, whatever became of the run. The highest
                sequence is stored with the batch, atomically.
            ended: Accept metrics and params although the run has ended: for journals that arrive late.

        Raises:
            NotFound: There is no such run.
            ParamConflict: A param of that key has another value.
            RunEnded: The run is deleted; or it has ended, metrics or params are among the batch, and neither ``mark``
                nor ``ended`` is given. Tags may be set on a run that has ended.
        """

    @abstractmethod
    def delete_tag(self, run_id: str, key: str) -> None:
        """Remove a tag.

        Raises:
            NotFound: There is no such run or tag.
            RunEnded: The run is deleted.
        """

    @abstractmethod
    def get_metric_history(
        self, run_id: str, key: str, max_results: int | None = None, page_token: str | None = None
    ) -> Page[Metric]:
        """The points of a metric in order of timestamp, step, value (NaN last); empty for an unknown run or key.

        Raises:
            InvalidInput: The token is not one of this history.
        """

    @abstractmethod
    def applied(self, writer: str) -> int:
        """The highest sequence stored for a journal's writer, 0 if none."""

    def close(self) -> None:
        """Let go of connections; the instance is not used afterwards. Closing twice does nothing."""
