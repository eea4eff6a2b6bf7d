"""The methods of a store over MLflow's API that deal with logged models."""

# ruff: noqa: D102 - the docstrings of these methods stand in the interface

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from dovetail.errors import InvalidName, NotFound
from dovetail.tracking.filters import matches, parse_datasets, parse_filter, parse_order, sort_subjects
from dovetail.tracking.model_changes import with_points
from dovetail.tracking.pages import page_of
from dovetail.tracking.params import with_params
from dovetail.tracking.stages import require_active
from dovetail.tracking.subjects import LoggedModelSubject
from dovetail.values import LoggedModel, LoggedModelStatus, Page, Tag, ViewType
from dovetail.values.names import check_model_id
from dovetail.wire.labels import dump_labels
from dovetail.wire.logged_models import dump_new_logged_model, load_logged_model
from dovetail.wire.states import dump_model_status
from dovetail_http.stock.filters import LOGGED_MODELS, asked_of
from dovetail_http.stock.ids import TAG
from dovetail_http.stock.pages import every, sifted
from dovetail_http.stock.points import with_infinities
from dovetail_http.stock.refusals import cannot
from dovetail_http.stock.runs import RunMethods

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from dovetail.values import NewLoggedModel, Param

__all__ = ["ModelMethods"]

_MOST = 1000
_MESSAGE = "dovetail.status.message"
"""The tag that keeps why a model is in its state, of which MLflow's API takes no word."""


class ModelMethods(RunMethods):
    """The methods of a store over MLflow's API that deal with logged models, which servers have from MLflow 3.0 on."""

    def create_logged_model(self, model: NewLoggedModel) -> LoggedModel:
        """As in ``TrackingStore``, but the server makes the id and notes its own time; see ``create_run``."""
        with_params({}, model.params, f"logged model {model.model_id}")
        require_active(self.get_experiment(model.experiment_id))
        self._model_ids.require_free(model.model_id)
        run_id = None if model.source_run_id is None else self._ids.known(model.source_run_id)
        tags = {tag.key: tag for tag in (*model.tags, Tag(TAG, model.model_id))}
        params = {param.key: param for param in model.params}
        new = replace(model, source_run_id=run_id, params=tuple(params.values()), tags=tuple(tags.values()))
        answer = self._about_models(lambda: self._api.post("logged-models", **dump_new_logged_model(new)))
        made = _load_model(answer.get("model"))
        self._model_ids.note(model.model_id, made.model_id)
        return made if model.status == made.status else self.update_logged_model(made.model_id, status=model.status)

    def get_logged_model(self, model_id: str, *, allow_deleted: bool = False) -> LoggedModel:
        _require_id(model_id)
        also = "true" if allow_deleted else None
        answer = self._about_models(
            lambda: self._model_ids.asking(model_id, lambda known: self._api.get(_path(known), allow_deleted=also))
        )
        return _load_model(answer.get("model"))

    def update_logged_model(
        self,
        model_id: str,
        *,
        status: str | None = None,
        status_message: str | None = None,
        params: Sequence[Param] = (),
        tags: Sequence[Tag] = (),
    ) -> LoggedModel:
        """As in ``TrackingStore``, but params, tags and status one after the other."""
        checked = None if status is None else LoggedModelStatus.check(status)
        held = self.get_logged_model(model_id)
        known, lacking = held.model_id, with_params(held.params, params, f"logged model {model_id}")
        fresh = {key: value for key, value in lacking.items() if key not in held.params}
        labels = {tag.key: tag.value for tag in tags}
        if status_message is not None:
            labels[_MESSAGE] = status_message
        if fresh:
            self._api.post(_path(known, "params"), model_id=known, params=dump_labels(fresh))
        if labels:
            self._api.patch(_path(known, "tags"), model_id=known, tags=dump_labels(labels))
        if checked is not None:
            self._api.patch(_path(known), model_id=known, status=dump_model_status(checked))
        return self.get_logged_model(known)

    def delete_logged_model_tag(self, model_id: str, key: str) -> None:
        known = self.get_logged_model(model_id)
        if key not in known.tags:
            raise NotFound(f"Logged model {model_id} has no tag {key!r}.")
        if "/" in key:
            raise cannot(self._api.server, "remove tags of logged models that have a slash in their keys")
        self._api.delete(_path(known.model_id, "tags", key))

    def delete_logged_model(self, model_id: str) -> None:
        self._api.delete(_path(self.get_logged_model(model_id).model_id))

    def restore_logged_model(self, model_id: str) -> None:
        """Nothing, where the model is in use.

        Raises:
            InvalidState: It is deleted.
        """
        held = self.get_logged_model(model_id, allow_deleted=True)
        try:
            self.get_logged_model(held.model_id)
        except NotFound:
            raise cannot(self._api.server, "restore logged models") from None

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
        """As in ``TrackingStore``, but deleted models are in no view: the server does not tell which there are.

        Raises:
            InvalidState: Deleted models alone are asked for.
        """
        tree, order = parse_filter(filter_string, "logged_models"), parse_order(order_by, "logged_models")
        choices = parse_datasets(datasets)
        if view_type == ViewType.DELETED_ONLY:
            raise cannot(self._api.server, "say which logged models are deleted")
        active = set(self._experiment_ids(ViewType.ACTIVE_ONLY))
        where = sorted(active.intersection(experiment_ids))
        search = ("models", *where, str(tree), *map(str, choices), *map(str, order), view_type.name)
        fetch = self._model_pages(where, asked_of(tree, LOGGED_MODELS, bare=True))

        def meets(model: LoggedModel) -> bool:
            subject = LoggedModelSubject(model, choices)
            return subject.measured and matches(tree, subject)

        if not order:
            sifting = meets if tree is not None or choices else None
            return sifted(fetch, sifting, (max_results, _MOST), page_token, search)
        found = [LoggedModelSubject(each, choices) for each in every(fetch, _MOST) if meets(each)]
        return page_of([subject.model for subject in sort_subjects(found, order)], max_results, page_token, search)

    def _model_pages(
        self, experiment_ids: list[str], filter_string: str | None
    ) -> Callable[[str | None, int], Page[LoggedModel]]:
        def fetch(token: str | None, size: int) -> Page[LoggedModel]:
            if not experiment_ids:
                return Page([])
            asked = {
                "experiment_ids": experiment_ids,
                "filter": filter_string,
                "max_results": size,
                "page_token": token,
            }
            answer = self._about_models(lambda: self._api.search("logged-models/search", **asked), {})
            return Page([_load_model(each) for each in answer.get("models", ())], answer.get("next_page_token") or None)

        return fetch


def _path(model_id: str, *rest: str) -> str:
    return "/".join(["logged-models", *(quote(part, safe="") for part in (model_id, *rest))])


def _require_id(model_id: str) -> None:
    try:
        check_model_id(model_id)
    except InvalidName:
        raise NotFound(f"There is no logged model {model_id!r:.80}.") from None


def _load_model(data: Any) -> LoggedModel:
    logged = (data or {}).get("data") or {}
    whole = {**(data or {}), "data": {**logged, "metrics": with_infinities(logged.get("metrics"))}}
    model = load_logged_model(whole)
    message = model.tags.pop(_MESSAGE, None) or model.status_message
    model.tags.pop(TAG, None)
    return with_points(replace(model, status_message=message, metrics=()), model.metrics)
