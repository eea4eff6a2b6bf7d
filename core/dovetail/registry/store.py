"""The seam that model registries fit into."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dovetail.values import ModelVersion, NewModelVersion, Page, RegisteredModel, RegistryMove, RegistryTag

__all__ = ["ANYWHERE", "MAX_MODELS", "MAX_VERSIONS", "Anywhere", "RegistryStore"]

MAX_MODELS = 1000
"""The most registered models on a page."""
MAX_VERSIONS = 200_000
"""The most versions on a page."""


class Anywhere:
    """The type of ``ANYWHERE``."""

    def __repr__(self) -> str:
        return "ANYWHERE"


ANYWHERE: Final = Anywhere()
"""Said of an alias: wherever it points now, or nowhere; said of a version: whatever stage it is in."""


class RegistryStore(ABC):
    """Keeps registered models, their versions, aliases and stages, and the history of every move.

    Guarantees every registry gives, and ``dovetail.testing.RegistryStoreSuite`` checks:

    * **Atomicity, durability, concurrency, reading your writes, checked values** as in ``TrackingStore``.
    * **Numbers.** Versions of a model count up from 1, one by one, also when many register at once; the number of a
      deleted version is not given again.
    * **Moves.** An alias points at one version that exists, or is not there. Each change of an alias or stage and its
      entry in the history are one write. Of moves that expect the same place, one succeeds.
    * **Times.** Whatever changes a model, its tags, aliases or versions sets its ``last_updated_timestamp``; likewise
      for a version.
    * **Errors** are ``dovetail.errors`` only: ``NotFound`` for names and versions that do not exist,
      ``AlreadyExists`` for taken names, ``AliasMoved`` and ``StageMoved`` where an alias or a version is not where it
      was expected, ``StoreError``.

    Attributes:
        uri: Where the registry is, in a form that another process (also in another folder) opens the same one by.
    """

    uri: str

    # --- registered models -----------------------------------------------------------------------------------

    @abstractmethod
    def create_registered_model(
        self, name: str, description: str | None = None, tags: Sequence[RegistryTag] = ()
    ) -> RegisteredModel:
        """Create a registered model, without versions.

        Raises:
            AlreadyExists: The name is taken.
        """

    @abstractmethod
    def get_registered_model(self, name: str) -> RegisteredModel:
        """The registered model with its tags, aliases and the latest version of each stage.

        Raises:
            NotFound: There is none of that name.
        """

    @abstractmethod
    def update_registered_model(
        self, name: str, *, new_name: str | None = None, description: str | None = None
    ) -> RegisteredModel:
        """Change what is given; versions, aliases and history go along with a new name.

        Raises:
            NotFound: There is none of that name.
            AlreadyExists: The new name is taken.
        """

    @abstractmethod
    def delete_registered_model(self, name: str) -> None:
        """Remove a registered model with its versions, tags and aliases; the history stays, and the name is free.

        Raises:
            NotFound: There is none of that name.
        """

    @abstractmethod
    def set_registered_model_tags(self, name: str, tags: Sequence[RegistryTag]) -> None:
        """Set tags; those of the same keys are replaced.

        Raises:
            NotFound: There is none of that name.
        """

    @abstractmethod
    def delete_registered_model_tag(self, name: str, key: str) -> None:
        """Remove a tag; one that is not there is none to remove.

        Raises:
            NotFound: There is none of that name.
        """

    @abstractmethod
    def search_registered_models(
        self,
        filter_string: str | None = None,
        order_by: Sequence[str] = (),
        max_results: int = 100,
        page_token: str | None = None,
    ) -> Page[RegisteredModel]:
        """A page of registered models, by ``dovetail.tracking.filters``'s grammar; by default in order of their names.

        Raises:
            InvalidFilter: The filter or order cannot be parsed, or the token is not one of this search.
        """

    # --- versions --------------------------------------------------------------------------------------------

    @abstractmethod
    def create_model_version(self, version: NewModelVersion) -> ModelVersion:
        """Register a version; it gets the next number, the stage ``None``, and is ready.

        Raises:
            NotFound: There is no registered model of that name.
        """

    @abstractmethod
    def get_model_version(self, name: str, version: int) -> ModelVersion:
        """The version with its tags and aliases.

        Raises:
            NotFound: There is none.
        """

    @abstractmethod
    def update_model_version(self, name: str, version: int, description: str) -> ModelVersion:
        """Give a version another description.

        Raises:
            NotFound: There is none.
        """

    @abstractmethod
    def delete_model_version(self, name: str, version: int, *, user_id: str = "", reason: str = "") -> None:
        """Remove a version; aliases that point at it are removed, too, which the history notes.

        Raises:
            NotFound: There is none.
        """

    @abstractmethod
    def set_model_version_tags(self, name: str, version: int, tags: Sequence[RegistryTag]) -> None:
        """Set tags; those of the same keys are replaced.

        Raises:
            NotFound: There is no such version.
        """

    @abstractmethod
    def delete_model_version_tag(self, name: str, version: int, key: str) -> None:
        """Remove a tag; one that is not there is none to remove.

        Raises:
            NotFound: There is no such version.
        """

    @abstractmethod
    def search_model_versions(
        self,
        filter_string: str | None = None,
        order_by: Sequence[str] = (),
        max_results: int = 10_000,
        page_token: str | None = None,
    ) -> Page[ModelVersion]:
        """A page of versions of all models.

        Ties, and everything where no order is given, go by the time of the last update (latest first), then name, then
        number (highest first).

        Raises:
            InvalidFilter: The filter or order cannot be parsed, or the token is not one of this search.
        """

    # --- moves -----------------------------------------------------------------------------------------------

    @abstractmethod
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
        """Point an alias at a version, or remove it.

        Args:
            name: The registered model.
            alias: The alias.
            version: Where it shall point; None removes it.
            expected: Where it must point now, None for nowhere; by default that does not matter.
            user_id: Who moves it.
            reason: Why.

        Returns:
            The move as the history has it; None if the alias points there already, or there is none to remove.

        Raises:
            NotFound: There is no such model or version.
            AliasMoved: It is not where it was expected; nothing is changed.
        """

    @abstractmethod
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
        """Put a version into a stage.

        Args:
            name: The registered model.
            version: The version.
            stage: One of ``dovetail.values.registry.STAGES``.
            expected: The stage it must be in now; by default that does not matter.
            archive_existing: Archive all other versions that are in that stage, in the same write.
            user_id: Who does it.
            reason: Why.

        Raises:
            NotFound: There is no such version.
            StageMoved: It is not in the stage where it was expected; nothing is changed.
        """

    @abstractmethod
    def get_history(
        self, name: str, what: str | None = None, max_results: int = 100, page_token: str | None = None
    ) -> Page[RegistryMove]:
        """A page of the moves of a model's aliases and stages, the latest first.

        The history of a model that was renamed includes what came before. That of a deleted model is still found by
        its name, until another model gets it; empty for a name that never was one.

        Args:
            name: The registered model.
            what: Only the moves of this alias, or of the version of this number; None for all.
            max_results: The most moves on the page.
            page_token: The token of the page before.

        Raises:
            InvalidFilter: The token is not one of this history.
        """

    def close(self) -> None:
        """Let go of connections; the instance is not used afterwards. Closing twice does nothing."""
