"""What a server serves: the stores behind it, and where its artifacts lie."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import TYPE_CHECKING

from dovetail import locations, uris
from dovetail.errors import DovetailError, InvalidInput, InvalidUri
from dovetail.tracking import places
from dovetail_server.committing import Committer
from dovetail_server.measuring import Measures
from dovetail_server.routing.answer import Unsupported

if TYPE_CHECKING:
    from dovetail.artifacts.store import ArtifactStore
    from dovetail.registry.store import RegistryStore
    from dovetail.tracking.store import TrackingStore
    from dovetail_server.options import Plan
    from dovetail_server.routing.route import Route

__all__ = ["PROXY", "NotServed", "Site"]

_SIMPLE = re.compile(r"(/\w[\w.-]*)+", re.ASCII)
PROXY = "mlflow-artifacts:"
"""The scheme of places that clients reach through the server."""
MOST_UPLOADS = 64
"""Large uploads that are written at the same time; others wait, and so do their clients."""


class NotServed(DovetailError):
    """This server was told not to serve that.

    MLflow's answers 503, which its clients take for a server that will be back, and try again for minutes.
    """

    status = 501
    error_code = "NOT_IMPLEMENTED"


class Site:
    """The stores and artifacts of a plan, opened when they are needed.

    Clients are told of artifacts below the root as ``mlflow-artifacts:/<path below the root>``, and reach them through
    the server; places elsewhere they are told as they are, and the server never opens them.

    Args:
        plan: What is served.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.committer = Committer(lambda: self.tracking)
        self.measures = Measures()
        self.writers = ThreadPoolExecutor(MOST_UPLOADS, thread_name_prefix="dovetail-upload")
        """Threads for what waits for clients: no other request has to wait behind it."""
        self.routes: tuple[Route, ...] = ()
        """Everything that is answered here."""

    @property
    def tracking(self) -> TrackingStore:
        """The tracking store.

        Raises:
            NotServed: The server only passes on artifacts.
        """
        self._require_more_than_artifacts()
        return places.store_at(self.plan.tracking_uri)

    @property
    def registry(self) -> RegistryStore:
        """The model registry.

        Raises:
            NotServed: The server only passes on artifacts.
            PluginMissing: There is none at that place.
        """
        self._require_more_than_artifacts()
        return places.open_registry(self.plan.registry_uri or self.plan.tracking_uri)

    @cached_property
    def root(self) -> str:
        """The URI of the folder that artifacts lie below."""
        if self.plan.artifact_root is not None:
            return self.plan.artifact_root
        return self.tracking.get_experiment("0").artifact_location.rpartition("/")[0]

    @property
    def artifacts(self) -> ArtifactStore:
        """The artifacts below the root.

        Raises:
            NotServed: The server does not pass on artifacts.
        """
        if not self.plan.serves_artifacts:
            raise NotServed(
                "This server does not pass on artifacts: it was started with --no-serve-artifacts.",
                hint="Reach them where they are.",
            )
        return self._store

    def shown(self, location: str) -> str:
        """How clients are told of a place: through the server, where it lies below the root."""
        if not self.plan.serves_artifacts or (path := below(self.root, location)) is None:
            return location
        return f"{PROXY}/{path}"

    def meant(self, location: str) -> str:
        """The place that a client means; the contrary of ``shown``.

        Raises:
            InvalidInput: It is at another server, or outside the root.
        """
        if not location.startswith(PROXY):
            return location
        rest = location.removeprefix(PROXY)
        if not self.plan.serves_artifacts or not rest.startswith("/") or rest.startswith("//"):
            raise InvalidInput(
                f"{uris.masked(location)!r} is not a place that this server reaches.",
                hint=f"Write {PROXY}/<path>, without a host.",
            )
        return uris.join(self.root, uris.artifact_path(rest.strip("/")))

    def inside(self, location: str) -> str:
        """The path below the root of a place that a store keeps, for opening it.

        Raises:
            Unsupported: It lies elsewhere, where the server opens nothing.
        """
        path = below(self.root, self.meant(location))
        if path is None:
            raise Unsupported(
                f"{uris.masked(location)} does not lie where this server keeps artifacts.", hint="Reach it there."
            )
        return path

    def concealed(self, text: str) -> str:
        """A message without the places of the stores, which concern nobody who is at the other end of the network."""
        for place in (*self._places, *self._root_places):
            text = text.replace(place, "this server")
        return text

    def close(self) -> None:
        """Store what waits, and let go of everything."""
        self.writers.shutdown()
        self.committer.close()
        places.forget_stores()

    @cached_property
    def _places(self) -> tuple[str, ...]:
        """What messages may call the stores: their URIs, and the files that these name; the longest first."""
        stores = {uris.masked(each) for each in (self.plan.tracking_uri, self.plan.registry_uri) if each}
        files = {each.partition(":///")[2] for each in stores if uris.scheme_of(each) in ("sqlite", "dir")}
        return tuple(sorted(stores | (files - {""}), key=len, reverse=True))

    @property
    def _root_places(self) -> tuple[str, ...]:
        """What messages may call the root, once it is known; before that nobody can have said anything of it."""
        root: str | None = self.__dict__.get("root")
        if root is None or not uris.is_local(root):
            return () if root is None else (uris.masked(root),)
        path = uris.path_of(root)
        return root, uris.uri_of(path), str(path)

    @cached_property
    def _store(self) -> ArtifactStore:
        return locations.artifact_store(self.root)

    def _require_more_than_artifacts(self) -> None:
        if self.plan.only_artifacts:
            raise NotServed(
                "This server only passes on artifacts: it was started with --artifacts-only.",
                hint="Track runs at another one.",
            )


def below(root: str, location: str) -> str | None:
    """The path of a place below another one, None if it lies elsewhere; of local places nothing in it is encoded."""
    if location.startswith(root) and _SIMPLE.fullmatch(location, len(root)):
        return location[len(root) + 1 :]  # nearly always: nothing in it that could be written in another way
    root, location = _plain(root), _plain(location)
    if location == root:
        return ""
    path = location.removeprefix(root.rstrip("/") + "/")
    return None if path == location else path


def _plain(location: str) -> str:
    """One form of local places: a path, ``file:/a`` and ``file:///a`` are the same; what is no place is left alone."""
    try:
        return f"file://{uris.path_of(location).as_posix()}" if uris.is_local(location) else location
    except InvalidUri:
        return location
