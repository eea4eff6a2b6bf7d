"""The part of the seam of tracking stores that deals with what runs used and made."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dovetail.values import DatasetInput, LoggedModelInput, LoggedModelOutput

__all__ = ["LinkStore"]


class LinkStore(ABC):
    """Notes what runs used and made. What ``TrackingStore`` guarantees holds here, too."""

    @abstractmethod
    def log_inputs(
        self, run_id: str, datasets: Sequence[DatasetInput] = (), models: Sequence[LoggedModelInput] = ()
    ) -> None:
        """Note which datasets and logged models a run used, all of them or none; also of runs that have ended.

        What is noted already is not noted twice, and stays so: an input that has tags gets no others. An experiment
        knows one dataset by a name and digest: what is noted first of its source, schema and profile holds.

        Raises:
            NotFound: There is no such run or logged model.
            RunEnded: The run is deleted.
        """

    @abstractmethod
    def log_outputs(self, run_id: str, models: Sequence[LoggedModelOutput]) -> None:
        """Note which logged models a run made, all of them or none; also of runs that have ended.

        A model noted already gets the new step.

        Raises:
            NotFound: There is no such run or logged model.
            RunEnded: The run is deleted.
        """
