"""The part of the client that says which version is in use: aliases, stages, and the history of both."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import TYPE_CHECKING

from dovetail.errors import InvalidInput, InvalidState, NotFound
from dovetail.registry.backtracking import Trail
from dovetail.registry.finding import aliased_version
from dovetail.registry.store import ANYWHERE, MAX_MODELS, Anywhere
from dovetail.tracking.source import user_name
from dovetail.tracking.walking import every
from dovetail.values.names import check_text
from dovetail.values.page import check_limit
from dovetail.values.registry import STAGES, check_alias, check_registered_name, check_stage, check_version

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dovetail.registry.store import RegistryStore
    from dovetail.values import ModelVersion, Page, RegistryMove

__all__ = ["MAX_REASON", "MovingClient"]

MAX_REASON = 5000
"""The most characters of a reason."""


class MovingClient(ABC):
    """Which version of a registered model is in use, who decided so, and how it was before."""

    @property
    @abstractmethod
    def registry(self) -> RegistryStore:
        """The model registry behind this client."""

    # --- aliases ---------------------------------------------------------------------------------------------

    def set_registered_model_alias(
        self,
        name: str,
        alias: str,
        version: int | str,
        *,
        expected: int | str | Anywhere | None = ANYWHERE,
        reason: str = "",
    ) -> None:
        """Point an alias at a version; it is one write, which the history keeps with your name.

        Args:
            name: The registered model.
            alias: Letters, digits, ``_`` and ``-``; not ``latest``, and nothing like ``v1``.
            version: The number of the version.
            expected: The version that it must point at now, None for no version; by default that does not matter. Of
                several who move it from the same place, one succeeds.
            reason: Why; the history keeps it.

        Raises:
            NotFound: There is no such model or version.
            AliasMoved: It is not where it was expected; nothing is changed.
            InvalidInput: The alias, version or reason breaks the rules.
        """
        self._move_alias(name, check_alias(alias), check_version(version), expected, reason)

    def delete_registered_model_alias(
        self, name: str, alias: str, *, expected: int | str | Anywhere | None = ANYWHERE, reason: str = ""
    ) -> None:
        """Remove an alias; one that is not there is none to remove.

        Args:
            name: The registered model.
            alias: The alias.
            expected: As for ``set_registered_model_alias``.
            reason: Why; the history keeps it.

        Raises:
            NotFound: There is no such model.
            AliasMoved: It is not where it was expected; nothing is changed.
        """
        self._move_alias(name, check_alias(alias), None, expected, reason)

    def _move_alias(
        self, name: str, alias: str, version: int | None, expected: int | str | Anywhere | None, reason: str
    ) -> RegistryMove | None:
        place = expected if expected is None or isinstance(expected, Anywhere) else check_version(expected)
        return self.registry.move_alias(
            check_registered_name(name), alias, version, expected=place, user_id=user_name(), reason=_checked(reason)
        )

    def get_model_version_by_alias(self, name: str, alias: str) -> ModelVersion:
        """The version that an alias points at; ``latest`` is the one with the highest number.

        Raises:
            NotFound: There is no such model.
            InvalidInput: It has no such alias.
        """
        return aliased_version(self.registry, check_registered_name(name), alias)

    def rollback_registered_model_alias(self, name: str, alias: str, *, reason: str = "") -> ModelVersion:
        """Point an alias back at the version it pointed at before it came to be where it is.

        Rolling back again goes further back, version by version, and does not return to what was just left; an alias
        that was removed comes back where it was. If somebody else moves it meanwhile, nothing is changed.

        Args:
            name: The registered model.
            alias: The alias.
            reason: Why; the history keeps it.

        Returns:
            The version that it points at now.

        Raises:
            InvalidState: There is nothing to go back to.
            NotFound: The version it pointed at before was deleted; or there is no such model.
            AliasMoved: Somebody else moved it meanwhile.
        """
        trail = Trail.of(self._moves(name, "alias", check_alias(alias)))
        if not trail.earlier:
            self.registry.get_registered_model(name)
            raise InvalidState(
                f"Alias {alias!r} of registered model {name!r} was nowhere else before; there is nothing to go back to."
            )
        target = int(trail.earlier[0])
        try:
            self._move_alias(name, alias, target, trail.here, reason)
            return self.registry.get_model_version(name, target)
        except NotFound as error:
            self.registry.get_registered_model(name)
            others = ", ".join(dict.fromkeys(trail.earlier[1:]))
            raise NotFound(
                f"Registered model {name!r} has no version {target} any more, which alias {alias!r} pointed at before.",
                hint=f"Earlier it pointed at {others}: set it yourself." if others else "Set the alias yourself.",
            ) from error

    # --- stages ----------------------------------------------------------------------------------------------

    def transition_model_version_stage(
        self,
        name: str,
        version: int | str,
        stage: str,
        archive_existing_versions: bool = False,
        *,
        reason: str = "",
    ) -> ModelVersion:
        """Put a version into a stage.

        Args:
            name: The registered model.
            version: The number of the version.
            stage: ``None``, ``Staging``, ``Production`` or ``Archived``, in any case.
            archive_existing_versions: Archive the other versions that are in that stage, in the same write; only for
                ``Staging`` and ``Production``.
            reason: Why; the history keeps it.

        Raises:
            NotFound: There is no such version.
            InvalidInput: There is no such stage, or none whose versions could be archived.
        """
        into = check_stage(stage)
        if archive_existing_versions and into not in ("Staging", "Production"):
            raise InvalidInput(
                f"Other versions cannot be archived for stage {into}.",
                hint="archive_existing_versions is for Staging and Production.",
            )
        return self._transition(name, check_version(version), into, reason, archive=bool(archive_existing_versions))

    def _transition(
        self,
        name: str,
        version: int,
        stage: str,
        reason: str,
        *,
        expected: str | Anywhere = ANYWHERE,
        archive: bool = False,
    ) -> ModelVersion:
        return self.registry.transition_stage(
            check_registered_name(name),
            version,
            stage,
            expected=expected,
            archive_existing=archive,
            user_id=user_name(),
            reason=_checked(reason),
        )

    def get_model_version_stages(self, name: str, version: int | str) -> list[str]:
        """The stages that a version can be put into. Raises ``NotFound`` for a version that is not there."""
        self.registry.get_model_version(check_registered_name(name), check_version(version))
        return list(STAGES)

    def get_latest_versions(self, name: str, stages: Sequence[str] | str | None = None) -> list[ModelVersion]:
        """The version with the highest number in each stage that has any.

        Args:
            name: The registered model.
            stages: Only these; a single one is accepted; by default all.

        Raises:
            NotFound: There is no such model.
            InvalidInput: There is no such stage.
        """
        wanted = _stages(stages)
        versions = self.registry.get_registered_model(check_registered_name(name)).latest_versions
        return [version for version in versions if version.current_stage in wanted]

    def rollback_model_version_stage(self, name: str, version: int | str, *, reason: str = "") -> ModelVersion:
        """Put a version back into the stage it was in before the present one; other versions stay where they are.

        Rolling back again goes further back, as for aliases. If somebody else moves it meanwhile, nothing is changed.

        Args:
            name: The registered model.
            version: The number of the version.
            reason: Why; the history keeps it.

        Raises:
            NotFound: There is no such version.
            InvalidState: It was in no other stage before.
            StageMoved: Somebody else moved it meanwhile.
        """
        number = check_version(version)
        self.registry.get_model_version(check_registered_name(name), number)
        trail = Trail.of(self._moves(name, "stage", str(number)))
        if not trail.earlier:
            raise InvalidState(f"Version {number} of registered model {name!r} was in no other stage before.")
        return self._transition(name, number, trail.earlier[0], reason, expected=trail.places[-1])

    # --- history ---------------------------------------------------------------------------------------------

    def get_registered_model_history(
        self, name: str, what: str | int | None = None, max_results: int = 100, page_token: str | None = None
    ) -> Page[RegistryMove]:
        """A page of what was moved, by whom and why, the latest first; ``.token`` leads to the next page.

        It includes what came before a model was renamed; that of a deleted model is found by its name until another
        model gets it.

        Args:
            name: The registered model.
            what: Only the moves of this alias, or of the version of this number; by default all.
            max_results: At most this many, up to 1 000.
            page_token: From the page before.

        Raises:
            InvalidInput: ``max_results`` is out of range, or the token is none of this history.
        """
        limit = check_limit(max_results, MAX_MODELS)
        wanted = None if what is None else str(what)
        return self.registry.get_history(check_registered_name(name), wanted, limit, page_token)

    def _moves(self, name: str, kind: str, what: str) -> list[RegistryMove]:
        """The moves of one thing, the earliest first."""
        latest_first = every(lambda token: self.get_registered_model_history(name, what, MAX_MODELS, token))
        return [move for move in latest_first if move.kind == kind][::-1]


def _stages(stages: Sequence[str] | str | None) -> set[str]:
    given = [stages] if isinstance(stages, str) else stages or STAGES
    if not isinstance(given, Iterable):
        raise InvalidInput(f"The stages are given as a list of names, not as {type(stages).__name__}.")
    return {check_stage(each) for each in given}


def _checked(reason: str) -> str:
    return check_text("reason", reason, MAX_REASON)
