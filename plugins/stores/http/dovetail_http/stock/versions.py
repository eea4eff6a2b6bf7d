"""The methods of a registry over MLflow's API that deal with versions."""

# ruff: noqa: D102 - the docstrings of these methods stand in the interface

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dovetail.errors import NotFound
from dovetail.registry.store import MAX_VERSIONS
from dovetail.tracking.filters import matches, parse_filter, parse_order, sort_subjects
from dovetail.tracking.pages import page_of
from dovetail.tracking.subjects import ModelVersionSubject
from dovetail.values import ModelVersion, Page
from dovetail.wire.model_versions import dump_new_model_version
from dovetail_http.stock.filters import VERSIONS, asked_of
from dovetail_http.stock.pages import every
from dovetail_http.stock.registered import RegisteredMethods, load_version, logged_model_in

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dovetail.values import NewModelVersion, RegistryTag

__all__ = ["VersionMethods"]

_AT_A_TIME = 10_000


class VersionMethods(RegisteredMethods):
    """The methods of a registry over MLflow's API that deal with versions."""

    def create_model_version(self, version: NewModelVersion) -> ModelVersion:
        """As in ``RegistryStore``, but the server notes its own time, and not who it was."""
        if version.model_id is None:
            version = replace(version, model_id=logged_model_in(version.source))  # the server wants to be told
        made = self._api.post("model-versions/create", **dump_new_model_version(version))
        return load_version(made.get("model_version"))

    def get_model_version(self, name: str, version: int) -> ModelVersion:
        answer = self._api.get("model-versions/get", name=name, version=str(version))
        return load_version(answer.get("model_version"))

    def update_model_version(self, name: str, version: int, description: str) -> ModelVersion:
        self._api.patch("model-versions/update", name=name, version=str(version), description=description)
        return self.get_model_version(name, version)

    def delete_model_version(self, name: str, version: int, *, user_id: str = "", reason: str = "") -> None:
        """As in ``RegistryStore``, but the server keeps no history."""
        del user_id, reason
        self._api.delete("model-versions/delete", name=name, version=str(version))

    def set_model_version_tags(self, name: str, version: int, tags: Sequence[RegistryTag]) -> None:
        """As in ``RegistryStore``, but one after the other: the server takes no two at once."""
        self.get_model_version(name, version)
        for key, value in {tag.key: tag.value for tag in tags}.items():
            self._api.post("model-versions/set-tag", again=True, name=name, version=str(version), key=key, value=value)

    def delete_model_version_tag(self, name: str, version: int, key: str) -> None:
        self._api.delete("model-versions/delete-tag", name=name, version=str(version), key=key)

    def search_model_versions(
        self,
        filter_string: str | None = None,
        order_by: Sequence[str] = (),
        max_results: int = 10_000,
        page_token: str | None = None,
    ) -> Page[ModelVersion]:
        """As in ``RegistryStore``; sorted here, since the server sorts by what its database does."""
        tree, order = parse_filter(filter_string, "model_versions"), parse_order(order_by, "model_versions")
        found = [each for each in self._versions(asked_of(tree, VERSIONS, bare=True)) if _meets(tree, each)]
        found.sort(key=lambda each: (-each.last_updated_timestamp, each.name, -each.version))
        ordered = [subject.version for subject in sort_subjects(map(ModelVersionSubject, found), order)]
        page = page_of(ordered, max_results, page_token, ("model_versions", str(tree), *map(str, order)))
        return Page(self._with_aliases(page), page.token)

    # --- steps -----------------------------------------------------------------------------------------------

    def _versions(self, filter_string: str | None) -> list[ModelVersion]:
        def fetch(token: str | None, size: int) -> Page[ModelVersion]:
            answer = self._api.get("model-versions/search", filter=filter_string, max_results=size, page_token=token)
            found = [load_version(each) for each in answer.get("model_versions", ())]
            return Page(found, answer.get("next_page_token") or None)

        return every(fetch, min(_AT_A_TIME, MAX_VERSIONS))

    def _with_aliases(self, versions: Sequence[ModelVersion]) -> list[ModelVersion]:
        """The versions with their aliases, of which the server tells only with their models."""
        known = {name: self._aliases(name) for name in {each.name for each in versions}}
        return [
            ModelVersion.stored(**{**each.__dict__, "aliases": known[each.name].get(each.version, [])})
            for each in versions
        ]

    def _aliases(self, name: str) -> dict[int, list[str]]:
        found: dict[int, list[str]] = {}
        try:
            aliases = self.get_registered_model(name).aliases
        except NotFound:
            return found  # it was removed since
        for alias, number in sorted(aliases.items()):
            found.setdefault(number, []).append(alias)
        return found


def _meets(tree: Any, version: ModelVersion) -> bool:
    return matches(tree, ModelVersionSubject(version))
