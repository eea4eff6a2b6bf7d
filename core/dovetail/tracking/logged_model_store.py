"""The part of the seam of tracking stores that logged models fit into."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from dovetail.values.state import ViewType

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from dovetail.values import LoggedModel, NewLoggedModel, Page, Param, Tag

__all__ = ["LoggedModelStore"]


class LoggedModelStore(ABC):
    """Keeps logged models; what ``TrackingStore`` guarantees holds here, too."""

    @abstractmethod
    def create_logged_model(self, model: NewLoggedModel) -> LoggedModel:
        """Create a logged model.

        Its files go to ``<the experiment's artifact location>/models/<model id>/artifacts``.

        Raises:
            NotFound: There is no such experiment.
            InvalidInput: The experiment is deleted.
            AlreadyExists: A model of that id exists.
        """

    @abstractmethod
    def get_logged_model(self, model_id: str, *, allow_deleted: bool = False) -> LoggedModel:
        """The model with its params, tags and every metric point measured on it.

        Args:
            model_id: Its id.
            allow_deleted: Look into the bin, too.

        Raises:
            NotFound: There is none, or it is deleted and that does not do.
        """

    @abstractmethod
    def update_logged_model(
        self,
        model_id: str,
        *,
        status: str | None = None,
        status_message: str | None = None,
        params: Sequence[Param] = (),
        tags: Sequence[Tag] = (),
    ) -> LoggedModel:
        """Change what is given, all of it or nothing, and return the model.

        Args:
            model_id: Its id.
            status: How far it is now.
            status_message: Why it is so.
            params: Params to add; the same value again is fine.
            tags: Tags to set; those of the same keys are replaced.

        Raises:
            NotFound: There is no such model, or it is deleted.
            ParamConflict: A param of that key has another value.
        """

    @abstractmethod
    def delete_logged_model_tag(self, model_id: str, key: str) -> None:
        """Remove a tag.

        Raises:
            NotFound: There is no such model or tag.
        """

    @abstractmethod
    def delete_logged_model(self, model_id: str) -> None:
        """Put the model in the bin.

        Raises:
            NotFound: There is no such model, or it is deleted.
        """

    @abstractmethod
    def restore_logged_model(self, model_id: str) -> None:
        """Take the model out of the bin, as it was; restoring one that is not there changes nothing.

        Raises:
            NotFound: There is no such model.
            InvalidState: Its experiment is deleted.
        """

    @abstractmethod
    def search_logged_models(
        self,
        experiment_ids: Sequence[str],
        filter_string: str | None = None,
        datasets: Sequence[Mapping[str, Any]] = (),
        order_by: Sequence[Mapping[str, Any] | str] = (),
        max_results: int = 1000,
        page_token: str | None = None,
        view_type: ViewType = ViewType.ACTIVE_ONLY,
    ) -> Page[LoggedModel]:
        """A page of logged models of these experiments.

        Ties, and everything where no order is given, go by creation time (latest first), then model id.

        Args:
            experiment_ids: Where to look; unknown ids hold no models.
            filter_string: Which models, in the grammar of ``dovetail.tracking.filters``, entity ``logged_models``.
            datasets: Each ``{"dataset_name": …, "dataset_digest": …}``, the digest optional: conditions on metrics look
                only at points measured on one of these. None given: at all points.
            order_by: Clauses such as ``metrics.acc DESC``, or dicts ``{"field_name": …, "ascending": …,
                "dataset_name": …, "dataset_digest": …}``, all but the first optional; ascending by default; the dataset
                restricts which points of a metric count.
            max_results: The most models on the page.
            page_token: The token of the page before.
            view_type: Whether to look into the bin; models of deleted experiments are found in no view.

        Raises:
            InvalidFilter: Filter, datasets or order cannot be read, or the token is not one of this search.
        """
