"""What versions are made of: what clients may name, in which form it is kept, and where the files lie.

Clients say where a model is, and whoever may read the version reads those files by it. So nothing is kept that a
client says of this machine, of this server's artifacts, or of a run or model, unless it is so: places among the
artifacts become the run or model whose artifacts they are. Other places are text that the server never opens.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING

from dovetail import locations, uris
from dovetail.artifacts.folder import ArtifactFolder
from dovetail.errors import InvalidInput, InvalidUri, NotFound, PluginMissing
from dovetail.registry.finding import named_version
from dovetail.registry.model_uri import ModelUri
from dovetail.registry.origin import Origin, Origins
from dovetail.tracking import places
from dovetail.tracking.made_models import made_model
from dovetail.values import LifecycleStage
from dovetail_server.placing import HOSTS
from dovetail_server.site import PROXY, below

if TYPE_CHECKING:
    from collections.abc import Callable

    from dovetail.tracking.store import TrackingStore
    from dovetail.values import LoggedModel, ModelVersion, Run
    from dovetail_server.site import Site

    Require = Callable[[str, str], None]

__all__ = ["Sources"]

_LOCAL = ("file", "local")
_LONGEST_CHAIN = 20
_SEPARATORS = re.compile("[?#&;=]")


class Sources:
    """The sources of versions at a site.

    Args:
        site: Its runs, logged models and registered models.
    """

    def __init__(self, site: Site) -> None:
        self._site, self._tracking = site, site.tracking
        self._origins = Origins(site.tracking, site.registry)

    # --- what clients name -----------------------------------------------------------------------------------

    def of(self, source: str, run_id: str | None, model_id: str | None, require: Require) -> Origin:
        """What a version is made of that a client registers, in the form that it is kept in.

        Args:
            source: ``runs:/<run id>/<path>``, ``models:/<model id>``, a registered version, a place among the artifacts
                of the run or model that is named besides, or a place in an object store.
            run_id: The run that made it.
            model_id: The logged model it is.
            require: Told ``read`` and a subject, refuses who may not do that: whoever may read the version reads that.

        Raises:
            Denied: The client may not read what it names.
            InvalidInput: It may not be named, or is not of the run or model that is named besides.
            NotFound: There is no such run, logged model or version.
        """
        _require_plain(source)
        scheme = uris.scheme_of(source)
        if scheme == "runs":
            return self._of_run(*locations.split_run_uri(source), require).named(run_id, model_id)
        if scheme == "models":
            return self._of_model(source, require).named(run_id, model_id)
        if scheme in _LOCAL or f"{scheme}:" == PROXY or self._is_served(source):
            return self._of_place(source, run_id, model_id, require)
        return self._elsewhere(source, scheme, run_id, model_id)

    def original(self, source: str, require: Require) -> str | None:
        """The registered version that a source names, by its number; None if it names something else.

        Args:
            source: As for ``of``.
            require: As for ``of``.

        Raises:
            Denied: The client may not read it.
            NotFound: There is no such version.
            InvalidUri: It names no model.
        """
        if uris.scheme_of(source) != "models":
            return None
        model = ModelUri.parse(source)
        if model.model_id is not None or model.path:
            return None
        require("read", f"model_version/{model.name}")
        return f"models:/{model.name}/{named_version(self._site.registry, model).version}"

    def _of_run(self, run_id: str, path: str, require: Require) -> Origin:
        require("read", f"run/{run_id}")
        run = self._tracking.get_run(run_id)
        if run.info.lifecycle_stage == LifecycleStage.DELETED:
            raise NotFound(f"Run {run_id} is deleted, and its files may go.", hint="Restore it first.")
        if (made := self._made(self._tracking, run, path)) is None:
            return self._in_run(run, path)
        model, path_in_it = made
        require("read", f"logged_model/{model.model_id}")
        return self._in_model(self._tracking.get_logged_model(model.model_id), path_in_it)

    def _of_model(self, source: str, require: Require) -> Origin:
        model = ModelUri.parse(source)
        if model.path:
            raise InvalidInput(f"{source!r} is a part of a model.", hint="Register the whole model.")
        require("read", f"model_version/{model.name}" if model.model_id is None else f"logged_model/{model.model_id}")
        return self._origins.of(source)

    def _of_place(self, source: str, run_id: str | None, model_id: str | None, require: Require) -> Origin:
        place = self._site.meant(source)
        if model_id is not None:
            require("read", f"logged_model/{model_id}")
            model = self._tracking.get_logged_model(model_id)
            if (path := _path(model.artifact_location, place)) is not None:
                return self._in_model(model, path).named(run_id, model_id)
        elif run_id is not None:
            require("read", f"run/{run_id}")
            run = self._tracking.get_run(run_id)
            if (path := _path(run.info.artifact_uri, place)) is not None:
                return self._in_run(run, path)
        raise InvalidInput(
            f"{uris.masked(source)!r} is not among the artifacts of the run or logged model that is named with it.",
            hint="Name it by run_id or model_id, or write runs:/<run id>/<path> or models:/<model id>.",
        )

    def _elsewhere(self, source: str, scheme: str, run_id: str | None, model_id: str | None) -> Origin:
        if scheme in HOSTS:
            raise InvalidInput(
                f"The source {uris.masked(source)!r} names a host that whoever loads the model would call.",
                hint="Log the model to this server, or name a place in an object store.",
            )
        if model_id is not None:
            run_id = run_id or self._tracking.get_logged_model(model_id).source_run_id
        return Origin(source, run_id, model_id)

    # --- what is kept ----------------------------------------------------------------------------------------

    def _in_run(self, run: Run, path: str) -> Origin:
        run_id = run.info.run_id
        return Origin(uris.join(run.info.artifact_uri if self._origins.apart else f"runs:/{run_id}", path), run_id)

    def _in_model(self, model: LoggedModel, path: str) -> Origin:
        known = not self._origins.apart and not path
        source = f"models:/{model.model_id}" if known else uris.join(model.artifact_location, path)
        return Origin(source, model.source_run_id, model.model_id)

    # --- where the files lie ---------------------------------------------------------------------------------

    def place(self, version: ModelVersion) -> str:
        """The URI of a version's files.

        Raises:
            NotFound: What it is made of is gone.
            InvalidUri: It leads to no files.
        """
        source, path = version.source, ""
        for _ in range(_LONGEST_CHAIN):
            if not source or uris.scheme_of(source) != "models":
                return self._below_run(source, path)
            model = ModelUri.parse(source)
            path = f"{model.path}/{path}".strip("/")
            if model.model_id is not None:
                logged = self._beside.get_logged_model(model.model_id, allow_deleted=True)
                return uris.join(logged.artifact_location, path)
            source = named_version(self._site.registry, model).source
        raise InvalidUri(f"Version {version.version} of {version.name!r} leads to no files, only to other versions.")

    def _below_run(self, source: str, path: str) -> str:
        if not source or uris.scheme_of(source) != "runs":
            return uris.join(source, path)
        run_id, first = locations.split_run_uri(source)
        run, path = self._beside.get_run(run_id), f"{first}/{path}".strip("/")
        if (made := self._made(self._beside, run, path)) is None:
            return uris.join(run.info.artifact_uri, path)
        return uris.join(made[0].artifact_location, made[1])

    @cached_property
    def _beside(self) -> TrackingStore:
        """The tracking store whose runs and models the kept sources name: the one at the registry's place."""
        if not self._origins.apart:
            return self._tracking
        try:
            return places.open_store(self._site.registry.uri)
        except PluginMissing:  # a place that only keeps models
            return self._tracking

    # --- what the server opens -------------------------------------------------------------------------------

    def _made(self, store: TrackingStore, run: Run, path: str) -> tuple[LoggedModel, str] | None:
        """The logged model that a path below a run means; where the server opens nothing a path is a path."""
        if not run.outputs.model_outputs or not self._is_served(run.info.artifact_uri):
            return None
        return made_model(
            store, run, ArtifactFolder(self._site.artifacts, self._site.inside(run.info.artifact_uri)), path
        )

    def _is_served(self, location: str) -> bool:
        return self._site.plan.serves_artifacts and below(self._site.root, location) is not None


def _require_plain(source: str) -> None:
    """Refuse what leads elsewhere than it says, also if it is decoded as often as one likes.

    Raises:
        InvalidUri: It does, or has a scheme and nothing at its root.
    """
    scheme, colon, rest = source.partition(":")
    remote = bool(colon) and uris.scheme_of(source) != "file"
    if remote and (not rest.startswith("/") or "::" in rest):  # the latter chains file systems, local ones, too
        raise InvalidUri(f"The source {uris.masked(source)!r} of a version is no URI.", hint=f"Write {scheme}:/<path>.")
    # What stands behind a question mark or the like is looked at as if it were part of the path.
    uris.artifact_path("x/" + _SEPARATORS.sub("/", rest if remote else source), "source of a version")


def _path(root: str, place: str) -> str | None:
    """The path of a place below another one, None if it lies elsewhere."""
    found = below(root, place)
    return None if found is None else uris.artifact_path(found.strip("/"))
