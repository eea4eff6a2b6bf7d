"""The methods of a registry over MLflow's API that move aliases and stages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dovetail.registry.refusals import alias_moved, stage_moved
from dovetail.registry.store import ANYWHERE, Anywhere
from dovetail.tracking.filter_tree import Comparison
from dovetail.tracking.pages import page_of
from dovetail.tracking.walking import every
from dovetail.values import Page, RegistryMove
from dovetail.values.measure import now_ms
from dovetail_http.stock.registered import load_version
from dovetail_http.stock.versions import VersionMethods

if TYPE_CHECKING:
    from dovetail.values import ModelVersion

__all__ = ["MoveMethods"]

_ARCHIVING = ("Staging", "Production")


class MoveMethods(VersionMethods):
    """The methods of a registry over MLflow's API that move aliases and stages."""

    def move_alias(
        self,
        name: str,
        alias: str,
        version: int | None,
        *,
        expected: int | Anywhere | None = ANYWHERE,
        user_id: str = "",
        reason: str = "",
    ) -> RegistryMove | None:
        """As in ``RegistryStore``, but not in one step: where the alias is, is read, compared, and only then written.

        Of two who expect the same place at the same moment both may succeed; the last one holds. The server keeps no
        history: the move is only told to the caller.
        """
        here = self.get_registered_model(name).aliases.get(alias)
        if version is not None:
            self.get_model_version(name, version)
        if not isinstance(expected, Anywhere) and here != expected:
            raise alias_moved(name, alias, here, expected)
        if here == version:
            return None
        if version is None:
            self._api.delete("registered-models/alias", name=name, alias=alias)
        else:
            self._api.post("registered-models/alias", again=True, name=name, alias=alias, version=str(version))
        before, after = (None if each is None else str(each) for each in (here, version))
        return RegistryMove(name, "alias", alias, before, after, now_ms(), user_id, reason)

    def transition_stage(
        self,
        name: str,
        version: int,
        stage: str,
        *,
        expected: str | Anywhere = ANYWHERE,
        archive_existing: bool = False,
        user_id: str = "",
        reason: str = "",
    ) -> ModelVersion:
        """As in ``RegistryStore``, but read, compared and written one after the other, and the server keeps no history.

        MLflow archives others in Staging and Production alone; in another stage that is done here, one by one.
        """
        del user_id, reason
        held = self.get_model_version(name, version)
        if not isinstance(expected, Anywhere) and held.current_stage != expected:
            raise stage_moved(name, version, held.current_stage, expected)
        if archive_existing and stage not in _ARCHIVING:
            for other in self._others(name, version, stage):
                self._stage(name, other, "Archived")
        if held.current_stage == stage and not archive_existing:
            return held
        return self._stage(name, version, stage, archive=archive_existing and stage in _ARCHIVING)

    def get_history(
        self, name: str, what: str | None = None, max_results: int = 100, page_token: str | None = None
    ) -> Page[RegistryMove]:
        """An empty page: the server keeps no history."""
        return page_of([], max_results, page_token, ("moves", name, str(what)))

    # --- steps -----------------------------------------------------------------------------------------------

    def _others(self, name: str, version: int, stage: str) -> list[int]:
        of_name = str(Comparison("attribute", "name", "=", name))
        found = every(lambda token: self.search_model_versions(of_name, page_token=token))
        return [each.version for each in found if each.current_stage == stage and each.version != version]

    def _stage(self, name: str, version: int, stage: str, *, archive: bool = False) -> ModelVersion:
        answer = self._api.post(
            "model-versions/transition-stage",
            again=True,
            name=name,
            version=str(version),
            stage=stage,
            archive_existing_versions=archive,
        )
        return load_version(answer.get("model_version"))
