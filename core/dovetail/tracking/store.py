"""The seam that tracking stores fit into."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

from dovetail.tracking.bin import Bin
from dovetail.tracking.history_store import HistoryStore
from dovetail.tracking.leases import Leases
from dovetail.tracking.link_store import LinkStore
from dovetail.tracking.log_store import LogStore
from dovetail.tracking.logged_model_store import LoggedModelStore
from dovetail.tracking.walking import every
from dovetail.values.page import Page
from dovetail.values.state import ViewType

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from dovetail.values import (
        DatasetSummary,
        Experiment,
        Lease,
        NewRun,
        Run,
        RunInfo,
        Tag,
    )

__all__ = ["MAX_PAGE", "TrackingStore"]

MAX_PAGE = 50_000


class TrackingStore(LogStore, LinkStore, HistoryStore, LoggedModelStore, Leases, Bin):
    """Keeps experiments, runs, logged models, and what was logged to them.

    The methods for batches stand in ``LogStore``, those for what runs used and made in ``LinkStore``, those for logged
    models in ``LoggedModelStore``, those for what is deleted in ``Bin``.

    Guarantees every store gives, and ``dovetail.testing.TrackingStoreSuite`` checks:

    * **Atomicity.** Each method does all of its work or none, also when the process is killed or the disk is full.
    * **Durability.** What a method returned from is there for every later reader; a killed process loses nothing
      (a store says in its README what a power cut may cost).
    * **Concurrency.** Any number of threads may share one instance, and any number of processes one store, its very
      first use included. A store may wait for others; it fails only after a stated time, with ``StoreUnavailable``.
      What others broke off (a deadlock, a conflict of what was read), and what a lost connection kept from being
      stored, a method begins anew by itself. A connection lost while the work was being stored is an error that says
      so, unless doing it twice is the same as doing it once.
    * **Reading your writes.** A read that starts after a write returned sees it.
    * **Checked values.** Values arrive checked (see ``dovetail.values``); a store checks only what needs its data:
      existence, uniqueness, state. An id, key or name that could not be stored (with a NUL or a lone surrogate) is
      nobody's: it is not found, like any other that is unknown.
    * **Errors** are ``dovetail.errors`` only: ``NotFound`` for ids that do not exist, ``AlreadyExists`` for taken
      names and ids, ``InvalidState``/``RunEnded`` for the wrong state, ``StoreError`` for the store's own trouble.

    The experiment ``"0"`` named ``Default`` exists from the start.

    Attributes:
        uri: Where the store is, in a form that another process (also in another folder) opens the same store by.
        journals: The folder beside the store in which processes keep what they log until the store has it: whoever
            opens the store brings in what others left there. None for a store elsewhere: it lies with the user then.
        lasting: Whether the store outlives this process. What is logged to one that does not goes straight into it.
    """

    uri: str
    journals: Path | None = None
    lasting: bool = True

    def at_once(self) -> AbstractContextManager[None] | None:
        """A block in which what this thread writes waits for nobody.

        Where somebody else holds the store up at the moment, ``StoreUnavailable`` is raised without waiting. Whoever
        wants to know soon whether the store takes something needs no other thread for that.

        Returns:
            The block; None, as here, where nobody can promise that: across a network, say.
        """
        return None

    def artifact_place(self, location: str) -> str:
        """Where artifacts lie that the store has at a location: the same from wherever this process tracks.

        Here it is the location itself. A store that passes artifacts on names itself in it.

        Args:
            location: As the store says it of an experiment, a run or a logged model.
        """
        return location

    def catch_up(self) -> None:
        """Do what the store puts off so that nobody has to wait for it; called from time to time, by a thread apart.

        Here nothing. It need not be called, either: then it is done sooner or later by whoever writes.

        Raises:
            StoreError: It cannot be done now.
        """

    # --- experiments -----------------------------------------------------------------------------------------

    @abstractmethod
    def create_experiment(
        self,
        name: str,
        artifact_location: str | None = None,
        tags: Sequence[Tag] = (),
        creation_time: int | None = None,
    ) -> str:
        """Create an experiment and return its id, a whole number as text that counts up.

        Creation and last update time are equal at first.

        Args:
            name: What it is called.
            artifact_location: Where its artifacts go; by default to ``<the store's artifact root>/<experiment id>``.
            tags: Its labels.
            creation_time: When it was made elsewhere, in milliseconds since 1970, UTC; by default now.

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

        Its artifacts go to ``<the experiment's artifact location>/<run id>/artifacts``. With a lease, that is taken.

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
        self,
        run_id: str,
        *,
        status: str | None = None,
        end_time: int | None = None,
        name: str | None = None,
        lease: Lease | None = None,
    ) -> RunInfo:
        """Change what is given and return the run's metadata.

        A status that ends the run sets the end time (given or the present one), and nobody has its lease then; one that
        does not clears it.

        Args:
            run_id: The run.
            status: Its state from now on.
            end_time: Milliseconds since 1970, UTC.
            name: What it is called from now on.
            lease: Whose doing this is. Where it does not end the run, they have its lease from now on, whoever had it.
                Where it does, and somebody else's lease holds at this moment, nothing at all is changed.

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
        columns: Sequence[str] | None = None,
    ) -> Page[Run]:
        """A page of runs of these experiments, by ``dovetail.tracking.filters``'s grammar and semantics.

        Ties, and everything where no order is given, go by start time (latest first), then run id. Walking the pages
        by token gives every run once as long as nothing changes meanwhile. Unknown experiment ids hold no runs.

        Args:
            experiment_ids: Where to look.
            filter_string: Which runs; None for all.
            order_by: What to sort by.
            view_type: Whether to look into the bin.
            max_results: The most runs on the page.
            page_token: The token of the page before.
            columns: What the runs shall hold, as ``filters.parse_columns`` reads it: ``metrics.acc``, ``params.*``,
                ``tags.team`` …; metadata is there always, inputs and outputs are not then. None for everything.

        Raises:
            InvalidFilter: The filter, order or columns cannot be parsed, or the token is not one of this search.
        """

    def search_run_rows(
        self,
        experiment_ids: Sequence[str],
        columns: Sequence[str],
        filter_string: str | None = None,
        order_by: Sequence[str] = (),
        view_type: ViewType = ViewType.ACTIVE_ONLY,
        max_results: int = 1000,
        page_token: str | None = None,
    ) -> Page[tuple[Any, ...]]:
        """As ``search_runs``, but plain rows: for each run the values of these columns, None where it has none.

        Args:
            experiment_ids: Where to look.
            columns: Single columns such as ``run_id``, ``start_time``, ``metrics.acc`` or ``params.lr``.
            filter_string: Which runs; None for all.
            order_by: What to sort by.
            view_type: Whether to look into the bin.
            max_results: The most rows on the page.
            page_token: The token of the page before.

        Raises:
            InvalidFilter: The filter, order or columns cannot be parsed, or the token is not one of this search.
        """
        from dovetail.tracking.columns import rows_of

        page = self.search_runs(
            experiment_ids, filter_string, order_by, view_type, max_results, page_token, columns=columns
        )
        return Page(rows_of(page, columns), page.token)

    def count_runs(
        self,
        experiment_ids: Sequence[str],
        filter_string: str | None = None,
        view_type: ViewType = ViewType.ACTIVE_ONLY,
    ) -> int:
        """How many runs of these experiments meet the filter.

        Raises:
            InvalidFilter: The filter cannot be parsed.
        """
        search = experiment_ids, filter_string, (), view_type, MAX_PAGE
        return sum(1 for _ in every(lambda token: self.search_runs(*search, token, columns=("run_id",))))

    def search_datasets(self, experiment_ids: Sequence[str], max_results: int = 1000) -> Sequence[DatasetSummary]:
        """Which datasets the active runs of these experiments used, and what for; each use once, however many runs.

        They go by the datasets' names, then digests, contexts and the numbers of the experiments. Unknown experiment
        ids hold no runs. Here all runs are walked through; a store that can do better does.

        Args:
            experiment_ids: Where to look.
            max_results: The most that are given, the first ones in this order.
        """
        from dovetail.tracking.dataset_summaries import summaries_of

        return summaries_of(self, experiment_ids, max_results)

    @abstractmethod
    def move_run(self, run_id: str, experiment_id: str) -> None:
        """Put a run into another experiment, with all it logged; its artifacts stay where they are.

        Moving it to where it is changes nothing. Logged models that it made stay where they are, too.

        Raises:
            NotFound: There is no such run or experiment.
            InvalidInput: The experiment is deleted.
            RunEnded: The run is deleted.
        """

    # --- what runs log ---------------------------------------------------------------------------------------

    @abstractmethod
    def delete_tag(self, run_id: str, key: str) -> None:
        """Remove a tag.

        A tag that was removed is nobody's: a late one of that key comes in, unless the store remembers.

        Raises:
            NotFound: There is no such run or tag.
            RunEnded: The run is deleted.
        """

    def close(self) -> None:
        """Let go of connections; the instance is not used afterwards. Closing twice does nothing."""
