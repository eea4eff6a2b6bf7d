"""The part of the client that keeps registered models and their versions."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

from dovetail import locations
from dovetail.errors import InvalidInput
from dovetail.registry.finding import latest_of_stage, named_version
from dovetail.registry.model_uri import ModelUri
from dovetail.registry.moving import MovingClient
from dovetail.registry.registering import Registrar
from dovetail.registry.store import MAX_MODELS, MAX_VERSIONS
from dovetail.registry.tags import as_registry_tags
from dovetail.tracking.source import user_name
from dovetail.values.names import check_key
from dovetail.values.page import check_limit
from dovetail.values.registry import check_described, check_registered_name, check_stage, check_version

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

    from dovetail.tracking.store import TrackingStore
    from dovetail.values import ModelVersion, Page, RegisteredModel

__all__ = ["RegistryClient"]


class RegistryClient(MovingClient):
    """Registered models and their versions, by name and number; calls go straight to the registry."""

    @property
    @abstractmethod
    def store(self) -> TrackingStore:
        """The tracking store behind this client."""

    # --- registered models -----------------------------------------------------------------------------------

    def create_registered_model(
        self, name: str, tags: Mapping[str, Any] | None = None, description: str | None = None
    ) -> RegisteredModel:
        """Create a registered model, without versions.

        Args:
            name: Unique in the registry; no slash and no colon.
            tags: Labels.
            description: For people.

        Raises:
            AlreadyExists: The name is taken.
            InvalidInput: The name, a tag or the description breaks the rules.
        """
        labels = as_registry_tags(tags)
        return self.registry.create_registered_model(check_registered_name(name), check_described(description), labels)

    def get_registered_model(self, name: str) -> RegisteredModel:
        """The registered model of that name. Raises ``NotFound``."""
        return self.registry.get_registered_model(check_registered_name(name))

    def rename_registered_model(self, name: str, new_name: str) -> RegisteredModel:
        """Give a registered model another name; its versions, aliases and history go along.

        Raises:
            NotFound: There is none of that name.
            AlreadyExists: The new name is taken.
        """
        return self.registry.update_registered_model(
            check_registered_name(name), new_name=check_registered_name(new_name)
        )

    def update_registered_model(self, name: str, description: str | None = None) -> RegisteredModel:
        """Give a registered model another description; None takes it away. Raises ``NotFound``."""
        return self.registry.update_registered_model(
            check_registered_name(name), description=check_described(description) or ""
        )

    def delete_registered_model(self, name: str) -> None:
        """Remove a registered model with its versions; its history stays, and what they were made of.

        Raises:
            NotFound: There is none of that name.
        """
        self.registry.delete_registered_model(check_registered_name(name))

    def search_registered_models(
        self,
        filter_string: str | None = None,
        max_results: int = 100,
        order_by: Sequence[str] | str | None = None,
        page_token: str | None = None,
    ) -> Page[RegisteredModel]:
        """A page of registered models, by name unless told otherwise; ``.token`` leads to the next one.

        Args:
            filter_string: Such as ``name LIKE 'wine%' AND tags.team = 'a'``.
            max_results: At most this many, up to 1 000.
            order_by: Such as ``["last_updated_timestamp DESC"]``.
            page_token: From the page before.

        Raises:
            InvalidFilter: The filter, order or token cannot be read.
        """
        limit = check_limit(max_results, MAX_MODELS)
        return self.registry.search_registered_models(filter_string or None, _clauses(order_by), limit, page_token)

    def set_registered_model_tag(self, name: str, key: str, value: Any) -> None:
        """Set one tag of a registered model."""
        tags = as_registry_tags({check_key("tag", key): value})
        self.registry.set_registered_model_tags(check_registered_name(name), tags)

    def delete_registered_model_tag(self, name: str, key: str) -> None:
        """Remove one tag of a registered model; one that is not there is none to remove."""
        self.registry.delete_registered_model_tag(check_registered_name(name), check_key("tag", key))

    # --- versions --------------------------------------------------------------------------------------------

    def create_model_version(
        self,
        name: str,
        source: str | os.PathLike[str],
        run_id: str | None = None,
        tags: Mapping[str, Any] | None = None,
        run_link: str | None = None,
        description: str | None = None,
        await_creation_for: float | None = 300,
        model_id: str | None = None,
    ) -> ModelVersion:
        """Register a version of a registered model that exists; ``dovetail.register_model`` also creates the name.

        Args:
            name: The registered model.
            source: Where the files are: ``runs:/<run id>/<path>``, ``models:/<model id>``, another registered version,
                a path, or a URI in an artifact store. A relative path is so to the present working folder. Runs, logged
                models and versions must be there; whether there are files is not looked at.
            run_id: The run that made it; by default that of the source.
            tags: Labels.
            run_link: A page about the run, elsewhere.
            description: For people.
            await_creation_for: Seconds to wait at most until a registry that takes its time has made it ready; None and
                0 do not wait.
            model_id: The logged model it is; by default that of the source.

        Returns:
            The version; its number is one higher than the highest there was.

        Raises:
            NotFound: There is no such registered model, run, logged model or version.
            InvalidInput: An argument breaks the rules, or says something else than the source does.
            InvalidState: It failed, or is not ready in time.
        """
        new = self._registrar.version_of(
            name, source, run_id, model_id, tags, run_link=run_link, description=description
        )
        return self._registrar.create(new, await_creation_for)

    @property
    def _registrar(self) -> Registrar:
        return Registrar(self.store, self.registry)

    def get_model_version(self, name: str, version: int | str) -> ModelVersion:
        """The version of that number. Raises ``NotFound``."""
        return self.registry.get_model_version(check_registered_name(name), check_version(version))

    def get_model_version_download_uri(self, name: str, version: int | str) -> str:
        """Where the version's files are, as a URI in an artifact store.

        Raises:
            NotFound: There is no such version, or what it was made of is gone.
        """
        uri = f"models:/{check_registered_name(name)}/{check_version(version)}"
        return locations.location_of(uri, self.store, self.registry)

    def update_model_version(self, name: str, version: int | str, description: str | None = None) -> ModelVersion:
        """Give a version another description.

        Raises:
            NotFound: There is no such version.
            InvalidInput: No description is given, or one that is too long.
        """
        checked = check_described(description)
        if checked is None:
            raise InvalidInput("There is nothing to change.", hint="Pass description=; '' takes it away.")
        return self.registry.update_model_version(check_registered_name(name), check_version(version), checked)

    def delete_model_version(self, name: str, version: int | str) -> None:
        """Remove a version; aliases that point at it are removed, too. Its files stay.

        Raises:
            NotFound: There is no such version.
        """
        self.registry.delete_model_version(check_registered_name(name), check_version(version), user_id=user_name())

    def search_model_versions(
        self,
        filter_string: str | None = None,
        max_results: int = 10_000,
        order_by: Sequence[str] | str | None = None,
        page_token: str | None = None,
    ) -> Page[ModelVersion]:
        """A page of versions of all models, last updated first; ``.token`` leads to the next one.

        Args:
            filter_string: Such as ``name = 'wine' AND version_number > 3``.
            max_results: At most this many, up to 200 000.
            order_by: Such as ``["version_number DESC"]``.
            page_token: From the page before.

        Raises:
            InvalidFilter: The filter, order or token cannot be read.
        """
        limit = check_limit(max_results, MAX_VERSIONS)
        return self.registry.search_model_versions(filter_string or None, _clauses(order_by), limit, page_token)

    def copy_model_version(self, src_model_uri: str, dst_name: str) -> ModelVersion:
        """Register a version under another name as well, which is created if it is new.

        The copy has the run, source, description and tags of the original, and a tag ``dovetail.copiedFrom`` that names
        it; it stays what it is when the original is deleted. Stages and aliases are not copied, and neither are files.

        Args:
            src_model_uri: ``models:/<name>/<version>``, or by stage or alias.
            dst_name: The registered model that gets a new version.

        Raises:
            NotFound: There is no such version.
            InvalidInput: The URI names no registered version.
        """
        check_registered_name(dst_name)
        uri = ModelUri.parse(src_model_uri)
        if uri.model_id is not None or uri.path:
            raise InvalidInput(
                f"{src_model_uri!r} names no version of a registered model.",
                hint="Write models:/<name>/<version>; dovetail.register_model takes anything else.",
            )
        original = named_version(self.registry, uri)
        return self._registrar.register(self._registrar.copy_of(original, dst_name))

    def set_model_version_tag(
        self,
        name: str,
        version: int | str | None = None,
        key: str | None = None,
        value: Any = None,
        stage: str | None = None,
    ) -> None:
        """Set one tag of a version.

        Args:
            name: The registered model.
            version: The number of the version.
            key: The tag's name.
            value: Kept as text.
            stage: Instead of the number: the latest version in that stage.

        Raises:
            NotFound: There is no such version.
            InvalidInput: Both or none of version and stage are given, or the key breaks the rules.
        """
        tags = as_registry_tags({check_key("tag", key): value})
        self.registry.set_model_version_tags(name, self._number(name, version, stage), tags)

    def delete_model_version_tag(
        self, name: str, version: int | str | None = None, key: str | None = None, stage: str | None = None
    ) -> None:
        """Remove one tag of a version, named as for ``set_model_version_tag``; one not there is none to remove."""
        checked = check_key("tag", key)
        self.registry.delete_model_version_tag(name, self._number(name, version, stage), checked)

    def _number(self, name: str, version: int | str | None, stage: str | None) -> int:
        check_registered_name(name)
        if (version is None) == (stage is None):
            raise InvalidInput("A version is named either by version= or by stage=.")
        if stage is not None:
            return latest_of_stage(self.registry, name, check_stage(stage)).version
        return check_version(version)


def _clauses(order_by: Sequence[str] | str | None) -> Sequence[str]:
    # A single clause is what people mean by a text, not its letters.
    return (order_by,) if isinstance(order_by, str) else order_by or ()
