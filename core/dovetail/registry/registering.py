"""Registering versions."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING, Any

from dovetail.errors import AlreadyExists, InvalidInput, InvalidState, NotFound
from dovetail.registry.origin import Origins
from dovetail.registry.tags import as_registry_tags
from dovetail.tracking.source import user_name
from dovetail.values import ModelVersionStatus, NewModelVersion
from dovetail.values.registry import check_registered_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dovetail.registry.store import RegistryStore
    from dovetail.tracking.store import TrackingStore
    from dovetail.values import ModelVersion

__all__ = ["COPIED_FROM", "Registrar", "check_wait"]

COPIED_FROM = "dovetail.copiedFrom"
"""The tag that says of which version another one is a copy."""

_BETWEEN_LOOKS = 0.2  # seconds
_LONGEST_WAIT = 1e9  # seconds; what is larger may be more than a float holds


def check_wait(seconds: float | None) -> float | None:
    """Return how long to wait for a version, if it is a number of seconds from 0 on, or None.

    Raises:
        InvalidInput: It is not.
    """
    if seconds is not None and not (isinstance(seconds, Real) and 0 <= seconds <= _LONGEST_WAIT):
        raise InvalidInput(
            f"{seconds!r:.60} is no time to wait for a version.",
            hint="Give a number of seconds; 0 and None do not wait.",
        )
    return seconds


@dataclass(frozen=True)
class Registrar:
    """Makes versions of registered models.

    Args:
        tracking: Knows the runs and logged models that they are made of.
        registry: Where they go.
    """

    tracking: TrackingStore
    registry: RegistryStore

    def version_of(
        self,
        name: str,
        source: str | os.PathLike[str],
        run_id: str | None = None,
        model_id: str | None = None,
        tags: Mapping[str, Any] | None = None,
        **details: Any,
    ) -> NewModelVersion:
        """A version to be registered; see ``RegistryClient.create_model_version``.

        Args:
            name: The registered model's.
            source: Where the files are.
            run_id: The run that made it.
            model_id: The logged model it is.
            tags: Labels.
            details: Other fields of ``NewModelVersion``.
        """
        check_registered_name(name)
        labels = as_registry_tags(tags)
        uri = os.fspath(source) if isinstance(source, os.PathLike) else source
        origin = Origins(self.tracking, self.registry).of(uri).named(run_id, model_id)
        return NewModelVersion(name, **origin.__dict__, user_id=user_name(), tags=labels, **details)

    def copy_of(self, original: ModelVersion, name: str) -> NewModelVersion:
        """A copy of a version, to be registered under another name.

        Args:
            original: What is copied.
            name: The registered model that gets it.
        """
        return NewModelVersion(
            check_registered_name(name),
            original.source,
            run_id=original.run_id,
            model_id=original.model_id,
            run_link=original.run_link,
            description=original.description,
            user_id=user_name(),
            tags=as_registry_tags({**original.tags, COPIED_FROM: f"models:/{original.name}/{original.version}"}),
        )

    def create(self, new: NewModelVersion, seconds: float | None = None) -> ModelVersion:
        """Register a version under a name that exists, and wait at most so many seconds until it is ready.

        Raises:
            NotFound: There is no such registered model.
            InvalidInput: The time to wait is none; nothing is registered.
            InvalidState: It failed, or is not ready in time.
        """
        check_wait(seconds)
        return self._awaited(self.registry.create_model_version(new), seconds)

    def register(self, new: NewModelVersion, seconds: float | None = None) -> ModelVersion:
        """As ``create``, under a new name, too; of several who make that name at once, all succeed.

        Raises:
            InvalidInput: The time to wait is none; nothing is registered.
            InvalidState: It failed, or is not ready in time.
        """
        try:
            return self.create(new, seconds)
        except NotFound:
            with suppress(AlreadyExists):
                self.registry.create_registered_model(new.name)
            return self.create(new, seconds)

    def _awaited(self, version: ModelVersion, seconds: float | None) -> ModelVersion:
        end = time.monotonic() + (seconds or 0)
        while version.status == ModelVersionStatus.PENDING_REGISTRATION and seconds:
            if time.monotonic() >= end:
                raise InvalidState(
                    f"Version {version.version} of registered model {version.name!r} is not ready after {seconds} s.",
                    hint="Look again later with get_model_version, or wait longer.",
                )
            time.sleep(_BETWEEN_LOOKS)
            version = self.registry.get_model_version(version.name, version.version)
        if version.status == ModelVersionStatus.FAILED_REGISTRATION:
            reason = version.status_message or "the registry does not say why"
            raise InvalidState(f"Registering version {version.version} of {version.name!r} failed: {reason}.")
        return version
