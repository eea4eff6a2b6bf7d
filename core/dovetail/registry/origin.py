"""Where a version comes from: its files, the run and the logged model behind them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dovetail import locations, uris
from dovetail.errors import InvalidInput, NotFound
from dovetail.registry.finding import named_version
from dovetail.registry.model_uri import ModelUri
from dovetail.tracking.made_models import made_model
from dovetail.values import LifecycleStage

if TYPE_CHECKING:
    from dovetail.registry.store import RegistryStore
    from dovetail.tracking.store import TrackingStore
    from dovetail.values import ModelVersion

__all__ = ["Origin", "Origins"]


@dataclass(frozen=True)
class Origin:
    """Where a version comes from.

    Attributes:
        source: Where its files lie, in a form that keeps its meaning.
        run_id: The run that made it.
        model_id: The logged model it is.
    """

    source: str
    run_id: str | None = None
    model_id: str | None = None

    def named(self, run_id: str | None, model_id: str | None) -> Origin:
        """This, with what the caller says besides.

        Raises:
            InvalidInput: The caller says something else than the source does.
        """
        for what, said, found in (("run", run_id, self.run_id), ("logged model", model_id, self.model_id)):
            if None not in (said, found) and said != found:
                raise InvalidInput(
                    f"The source {uris.masked(self.source)!r} is of {what} {found}, and {said} is named besides.",
                    hint=f"Leave out the {what}, or name that one.",
                )
        return Origin(self.source, self.run_id or run_id, self.model_id or model_id)


class Origins:
    """Reads what people name as the source of a version.

    Where models are registered elsewhere than runs are tracked, runs and logged models are written down as the places
    of their files, since whoever reads the registry may track somewhere else. Otherwise they stay what they are, also
    when the whole is moved.

    Args:
        tracking: Knows the runs and logged models.
        registry: Knows the versions.
    """

    def __init__(self, tracking: TrackingStore, registry: RegistryStore) -> None:
        self.tracking, self.registry = tracking, registry
        self.apart = tracking.uri != registry.uri

    def of(self, uri: str) -> Origin:
        """Where a version comes from that somebody registers from a URI.

        Args:
            uri: As for ``locations.locate``. A registered version leads to where that one comes from, so that it can be
                deleted or renamed; runs and logged models must be there, other places are not looked at.

        Raises:
            NotFound: There is no such run, logged model or version.
            InvalidUri: It cannot be read as a location.
        """
        scheme = uris.scheme_of(uri)
        if scheme == "runs":
            return self._of_run(*locations.split_run_uri(uri))
        if scheme == "models":
            return self._of_model(ModelUri.parse(uri))
        return Origin(uris.uri_of(uris.path_of(uri)) if scheme == "file" else uri)

    def _of_run(self, run_id: str, path: str) -> Origin:
        run = self.tracking.get_run(run_id)
        if run.info.lifecycle_stage == LifecycleStage.DELETED:
            raise NotFound(f"Run {run_id} is deleted, and its files may go.", hint="Restore it first.")
        artifacts = locations.artifact_store(run.info.artifact_uri, self.tracking)
        made = made_model(self.tracking, run, artifacts, path)
        if made is not None:
            model, below = made
            self.tracking.get_logged_model(model.model_id)  # not of the bin: its files may go
            source = uris.join(model.artifact_location, below) if self.apart or below else model.model_uri
            return Origin(source, run_id, model.model_id)
        source = uris.join(run.info.artifact_uri, path) if self.apart else uris.join(f"runs:/{run_id}", path)
        return Origin(source, run_id)

    def _of_model(self, model: ModelUri) -> Origin:
        if model.model_id is None:
            return self._of_version(named_version(self.registry, model), model.path)
        logged = self.tracking.get_logged_model(model.model_id)
        source = logged.artifact_location if self.apart else f"models:/{model.model_id}"
        return Origin(source, logged.source_run_id, model.model_id)

    def _of_version(self, version: ModelVersion, path: str) -> Origin:
        source = version.source
        if path and uris.scheme_of(source) == "models":
            # A part of a logged model has no URI but that of its files.
            source = locations.location_of(f"models:/{version.name}/{version.version}", self.tracking, self.registry)
        return Origin(uris.join(source, path), version.run_id, version.model_id)
