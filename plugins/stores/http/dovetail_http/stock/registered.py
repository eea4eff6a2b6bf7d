"""The methods of a registry over MLflow's API that deal with registered models."""

# ruff: noqa: D102 - the docstrings of these methods stand in the interface

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from dovetail.registry.store import MAX_MODELS, RegistryStore
from dovetail.tracking.filters import matches, parse_filter, parse_order, sort_subjects
from dovetail.tracking.pages import page_of
from dovetail.tracking.subjects import RegisteredModelSubject
from dovetail.values import ModelVersion, Page, RegisteredModel
from dovetail.wire.labels import dump_labels
from dovetail.wire.model_versions import load_model_version
from dovetail.wire.registered_models import load_registered_model
from dovetail_http.stock.api import Api
from dovetail_http.stock.filters import NAMED, asked_of
from dovetail_http.stock.pages import every, sifted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from dovetail.values import RegistryTag
    from dovetail_http.transport import Transport

__all__ = ["RegisteredMethods", "load_version", "logged_model_in"]

_LOGGED_MODEL = re.compile(r"models:/(m-[\w\-]+)")


class RegisteredMethods(RegistryStore):
    """The methods of a registry over MLflow's API that deal with registered models.

    Args:
        transport: What brings requests to the server.
    """

    def __init__(self, transport: Transport) -> None:
        self.uri = transport.uri
        self._transport = transport
        self._api = Api(transport)

    def create_registered_model(
        self, name: str, description: str | None = None, tags: Sequence[RegistryTag] = ()
    ) -> RegisteredModel:
        made = self._api.post(
            "registered-models/create",
            name=name,
            description=description,
            tags=dump_labels({tag.key: tag.value for tag in tags}),
        )
        return _load_model(made.get("registered_model"))

    def get_registered_model(self, name: str) -> RegisteredModel:
        return _load_model(self._api.get("registered-models/get", name=name).get("registered_model"))

    def update_registered_model(
        self, name: str, *, new_name: str | None = None, description: str | None = None
    ) -> RegisteredModel:
        """As in ``RegistryStore``, but name and description one after the other."""
        if new_name is not None and new_name != name:
            self._api.post("registered-models/rename", name=name, new_name=new_name)
        known = new_name or name
        if description is not None:
            self._api.patch("registered-models/update", name=known, description=description)
        return self.get_registered_model(known)

    def delete_registered_model(self, name: str) -> None:
        self._api.delete("registered-models/delete", name=name)

    def set_registered_model_tags(self, name: str, tags: Sequence[RegistryTag]) -> None:
        """As in ``RegistryStore``, but one after the other: the server takes no two at once."""
        self.get_registered_model(name)
        for key, value in {tag.key: tag.value for tag in tags}.items():
            self._api.post("registered-models/set-tag", again=True, name=name, key=key, value=value)

    def delete_registered_model_tag(self, name: str, key: str) -> None:
        self._api.delete("registered-models/delete-tag", name=name, key=key)

    def search_registered_models(
        self,
        filter_string: str | None = None,
        order_by: Sequence[str] = (),
        max_results: int = 100,
        page_token: str | None = None,
    ) -> Page[RegisteredModel]:
        tree, order = parse_filter(filter_string, "registered_models"), parse_order(order_by, "registered_models")
        search = ("registered_models", str(tree), *map(str, order))
        fetch = self._model_pages(asked_of(tree, NAMED, bare=True))
        meets = None if tree is None else lambda each: matches(tree, RegisteredModelSubject(each))
        if not order:
            return sifted(fetch, meets, (max_results, MAX_MODELS), page_token, search)
        # The server sorts as its database does; registered models are not so many.
        found = [each for each in every(fetch, MAX_MODELS) if meets is None or meets(each)]
        ordered = [subject.model for subject in sort_subjects(map(RegisteredModelSubject, found), order)]
        return page_of(ordered, max_results, page_token, search)

    def _model_pages(self, filter_string: str | None) -> Callable[[str | None, int], Page[RegisteredModel]]:
        def fetch(token: str | None, size: int) -> Page[RegisteredModel]:
            answer = self._api.get("registered-models/search", filter=filter_string, max_results=size, page_token=token)
            found = [_load_model(each) for each in answer.get("registered_models", ())]
            return Page(found, answer.get("next_page_token") or None)

        return fetch


def load_version(data: Any) -> ModelVersion:
    """A version as the server gives it; the logged model that it is, is known by its source alone.

    Raises:
        StoreError: That is none.
    """
    return _with_model(load_model_version(data))


def logged_model_in(source: str) -> str | None:
    """The id of the logged model that is a version's source; None if it has another one."""
    named = _LOGGED_MODEL.fullmatch(source)
    return named[1] if named else None


def _with_model(version: ModelVersion) -> ModelVersion:
    model_id = version.model_id or logged_model_in(version.source)
    return ModelVersion.stored(**{**version.__dict__, "model_id": model_id})


def _load_model(data: Any) -> RegisteredModel:
    """A registered model as the server gives it, with the aliases that its versions do not tell of there."""
    model = load_registered_model(data)
    latest = [_with_aliases(each, model.aliases) for each in model.latest_versions]
    latest.sort(key=lambda each: each.version)
    return RegisteredModel.stored(**{**model.__dict__, "latest_versions": latest})


def _with_aliases(version: ModelVersion, aliases: Mapping[str, int]) -> ModelVersion:
    own = sorted(alias for alias, number in aliases.items() if number == version.version)
    return ModelVersion.stored(**{**_with_model(version).__dict__, "aliases": own})
