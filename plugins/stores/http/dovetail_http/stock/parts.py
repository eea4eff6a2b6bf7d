"""What the methods of a store over MLflow's API share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from dovetail.errors import InvalidInput, NotFound, RunEnded, StoreError, StoreUnavailable
from dovetail.tracking.store import TrackingStore
from dovetail.values import LifecycleStage, Page, ViewType
from dovetail.wire.experiments import load_experiment
from dovetail_http.stock.api import Api
from dovetail_http.stock.ids import TAG, Ids
from dovetail_http.stock.pages import every

if TYPE_CHECKING:
    from collections.abc import Callable

    from dovetail.values import Experiment
    from dovetail_http.transport import Transport

__all__ = ["MOST_EXPERIMENTS", "Parts"]

Result = TypeVar("Result")

MOST_EXPERIMENTS = 1000
"""Experiments that are asked for at a time."""
_BEFORE_MODELS = ("1.", "2.")


class Parts(TrackingStore):
    """The server, and the ids it gave.

    Args:
        transport: What brings requests to the server.
    """

    def __init__(self, transport: Transport) -> None:
        self.uri = transport.uri
        self._transport = transport
        self._api = Api(transport)
        self._ids = Ids("run", self._find_run)
        self._model_ids = Ids("logged model", self._find_model)

    def _experiment_pages(
        self, view_type: ViewType, filter_string: str | None = None
    ) -> Callable[[str | None, int], Page[Experiment]]:
        def fetch(token: str | None, size: int) -> Page[Experiment]:
            answer = self._api.search(
                "experiments/search",
                view_type=view_type.name,
                filter=filter_string,
                max_results=size,
                page_token=token,
            )
            found = [load_experiment(each) for each in answer.get("experiments", ())]
            return Page(found, answer.get("next_page_token") or None)

        return fetch

    def _experiment_ids(self, view_type: ViewType = ViewType.ALL) -> list[str]:
        return [each.experiment_id for each in every(self._experiment_pages(view_type), MOST_EXPERIMENTS)]

    def _find_run(self, run_id: str) -> str | None:
        answer = self._api.search(
            "runs/search",
            experiment_ids=self._experiment_ids(),
            filter=f"tags.`{TAG}` = '{run_id}'",
            run_view_type=ViewType.ALL.name,
            max_results=1,
        )
        runs = answer.get("runs")
        return str(runs[0]["info"]["run_id"]) if runs else None

    def _find_model(self, model_id: str) -> str | None:
        ids, named = self._experiment_ids(), f"tags.`{TAG}` = '{model_id}'"
        found = self._about_models(
            lambda: self._api.search("logged-models/search", experiment_ids=ids, filter=named, max_results=1), {}
        )
        models = found.get("models")
        return str(models[0]["info"]["model_id"]) if models else None

    def _about_models(self, ask: Callable[[], dict[str, Any]], none: dict[str, Any] | None = None) -> dict[str, Any]:
        """What a server says about logged models.

        Args:
            ask: Asks it.
            none: What a server says that has none, since MLflow had none before 3.0; by default there is an error.

        Raises:
            NotFound: It is such a server.
        """
        try:
            return ask()
        except StoreUnavailable:
            raise
        except StoreError as failure:
            # A path that a server does not know is answered with a page for people.
            version = self._api.version()
            if not version.startswith(_BEFORE_MODELS):
                raise
            if none is not None:
                return none
            raise NotFound(
                f"{self._api.server} is MLflow {version}, which has no logged models.",
                hint="MLflow has them from 3.0 on; register the model of a run there, or track on another server.",
            ) from failure

    def _writing(self, run_id: str, write: Callable[[str], Result]) -> Result:
        """What comes of writing to a run.

        Raises:
            RunEnded: It is deleted, which MLflow's servers say as they say of anything else that it is wrong.
        """
        try:
            return self._ids.asking(run_id, write)
        except InvalidInput as refusal:
            if self.get_run(run_id).info.lifecycle_stage == LifecycleStage.DELETED:
                raise RunEnded(f"Run {run_id} is deleted.", hint="Restore it first.") from refusal
            raise
