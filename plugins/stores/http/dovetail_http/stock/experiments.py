"""The methods of a store over MLflow's API that deal with experiments."""

# ruff: noqa: D102 - the docstrings of these methods stand in the interface

from __future__ import annotations

from typing import TYPE_CHECKING

from dovetail.errors import InvalidInput, InvalidName, NotFound
from dovetail.tracking.filters import matches, parse_filter, parse_order, sort_subjects
from dovetail.tracking.pages import page_of
from dovetail.tracking.stages import require_free
from dovetail.tracking.subjects import ExperimentSubject
from dovetail.values import Page, ViewType
from dovetail.values.names import check_experiment_id
from dovetail.wire.experiments import load_experiment
from dovetail.wire.labels import dump_labels
from dovetail_http.stock.filters import NAMED, asked_of
from dovetail_http.stock.pages import every, sifted
from dovetail_http.stock.parts import MOST_EXPERIMENTS, Parts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dovetail.values import Experiment, Tag

__all__ = ["ExperimentMethods"]


class ExperimentMethods(Parts):
    """The methods of a store over MLflow's API that deal with experiments."""

    def create_experiment(
        self,
        name: str,
        artifact_location: str | None = None,
        tags: Sequence[Tag] = (),
        creation_time: int | None = None,
    ) -> str:
        """As in ``TrackingStore``, but the server notes its own time."""
        del creation_time
        made = self._api.post(
            "experiments/create", name=name, artifact_location=artifact_location, tags=dump_labels(_last(tags))
        )
        return str(made["experiment_id"])

    def get_experiment(self, experiment_id: str) -> Experiment:
        answer = self._api.get("experiments/get", experiment_id=_existing(experiment_id))
        return load_experiment(answer.get("experiment"))

    def get_experiment_by_name(self, name: str) -> Experiment | None:
        try:
            answer = self._api.get("experiments/get-by-name", experiment_name=name)
        except NotFound:
            return None
        return load_experiment(answer.get("experiment"))

    def search_experiments(
        self,
        filter_string: str | None = None,
        order_by: Sequence[str] = (),
        view_type: ViewType = ViewType.ACTIVE_ONLY,
        max_results: int = 1000,
        page_token: str | None = None,
    ) -> Page[Experiment]:
        tree, order = parse_filter(filter_string, "experiments"), parse_order(order_by, "experiments")
        search = ("experiments", str(tree), *map(str, order), view_type.name)
        fetch = self._experiment_pages(view_type, asked_of(tree, NAMED, bare=True))
        meets = None if tree is None else lambda each: matches(tree, ExperimentSubject(each))
        if not order:
            return sifted(fetch, meets, (max_results, MOST_EXPERIMENTS), page_token, search)
        # What the server sorts it sorts as its database does, so it is done here; experiments are not so many.
        found = [each for each in every(fetch, MOST_EXPERIMENTS) if meets is None or meets(each)]
        ordered = [subject.experiment for subject in sort_subjects(map(ExperimentSubject, found), order)]
        return page_of(ordered, max_results, page_token, search)

    def rename_experiment(self, experiment_id: str, name: str) -> None:
        where = _existing(experiment_id)
        try:
            self._api.post("experiments/update", experiment_id=where, new_name=name)
        except InvalidInput:
            holder = self.get_experiment_by_name(name)
            require_free(name, holder if holder is not None and holder.experiment_id != where else None)
            raise

    def delete_experiment(self, experiment_id: str) -> None:
        self._api.post("experiments/delete", experiment_id=_existing(experiment_id))

    def restore_experiment(self, experiment_id: str) -> None:
        self._api.post("experiments/restore", experiment_id=_existing(experiment_id))

    def set_experiment_tags(self, experiment_id: str, tags: Sequence[Tag]) -> None:
        """As in ``TrackingStore``, but one after the other: the server takes no two at once."""
        where = _existing(experiment_id)
        if not tags:
            self.get_experiment(where)
        for key, value in _last(tags).items():
            self._api.post("experiments/set-experiment-tag", again=True, experiment_id=where, key=key, value=value)

    def delete_experiment_tag(self, experiment_id: str, key: str) -> None:
        self._api.post("experiments/delete-experiment-tag", experiment_id=_existing(experiment_id), key=key)


def _existing(experiment_id: str) -> str:
    """An id that there may be an experiment of.

    Raises:
        NotFound: There cannot.
    """
    try:
        return check_experiment_id(experiment_id)
    except InvalidName:
        raise NotFound(f"There is no experiment {experiment_id!r:.80}.") from None


def _last(tags: Sequence[Tag]) -> dict[str, str]:
    """Of two tags of one key the last one holds."""
    return {tag.key: tag.value for tag in tags}
