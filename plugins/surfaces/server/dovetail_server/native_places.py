"""Places in dovetail's own calls: what clients name, as the store keeps it, and what they are told."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from dovetail import uris
from dovetail.errors import InvalidUri, NotFound
from dovetail.registry.model_uri import ModelUri
from dovetail.tracking.bin import Discarded
from dovetail.values import Experiment, LoggedModel, ModelVersion, NewModelVersion, Page, RegisteredModel, Run, RunInfo
from dovetail.values.value import Value
from dovetail_server.placing import place_of
from dovetail_server.site import PROXY
from dovetail_server.sources import Sources

if TYPE_CHECKING:
    from collections.abc import Callable

    from dovetail.registry.origin import Origin
    from dovetail_server.routing.asked import Asked
    from dovetail_server.site import Site

__all__ = ["Telling", "taken"]

Kept = TypeVar("Kept", bound=Value)

# --- what clients name ---------------------------------------------------------------------------------------


def taken(name: str, asked: Asked) -> dict[str, Any]:
    """The arguments of a call as the store is to get them: places as it keeps them, and who asks by the right name.

    Args:
        name: The call's.
        asked: The request.

    Raises:
        InvalidInput: A place may not be named.
    """
    fields = dict(asked.fields)
    if (change := _CHANGES.get(name)) is not None:
        change(asked, fields)
    if "user_id" in fields:
        fields["user_id"] = asked.user or fields["user_id"]
    return fields


def _place_experiment(asked: Asked, fields: dict[str, Any]) -> None:
    if fields["artifact_location"]:
        fields["artifact_location"] = place_of(asked.site, fields["artifact_location"])


def _place_version(asked: Asked, fields: dict[str, Any]) -> None:
    version: NewModelVersion = fields["version"]
    fields["version"] = _with(version, **_origin(asked, version), user_id=asked.user or version.user_id)


def _origin(asked: Asked, version: NewModelVersion) -> dict[str, Any]:
    """What a version is made of, as it is kept.

    Clients of dovetail's own have looked at it themselves. What is said of this server's artifacts and of its machine
    has to be so all the same. Names of runs and models that are not known here are text: they may be known elsewhere.
    """
    source, scheme = version.source, uris.scheme_of(version.source)
    if scheme in ("models", "runs"):
        uris.artifact_path(source.partition(":")[2].strip("/"), "source of a version")
        with suppress(NotFound, InvalidUri):
            # Also of what is not there yet: it may come to be, and is followed then.
            if scheme == "models" and (name := ModelUri.parse(source).name):
                asked.require("read", f"registered_model/{name}")
            return _of(asked, source, version.run_id, version.model_id).__dict__
        return {}
    if scheme in ("file", "local", PROXY.rstrip(":")) or asked.site.shown(source) != source:
        return _of(asked, source, version.run_id, version.model_id).__dict__
    return {"source": _of(asked, source).source}


def _of(asked: Asked, source: str, run_id: str | None = None, model_id: str | None = None) -> Origin:
    return Sources(asked.site).of(source, run_id, model_id, asked.require)


def _place_discarded(asked: Asked, fields: dict[str, Any]) -> None:
    item: Discarded = fields["item"]
    fields["item"] = _with(item, artifact_uri=asked.site.meant(item.artifact_uri))


_CHANGES: dict[str, Callable[[Asked, dict[str, Any]], None]] = {
    "create_experiment": _place_experiment,
    "create_model_version": _place_version,
    "condemn": _place_discarded,
    "purge": _place_discarded,
}

# --- what they are told --------------------------------------------------------------------------------------


class Telling:
    """Tells one client of places: of those among the server's artifacts as they are reached through it.

    Args:
        site: What is served.
    """

    def __init__(self, site: Site) -> None:
        self._site = site
        self._known: dict[str, str] = {}
        self._ways: dict[type, Callable[[Any], Any]] = {
            Experiment: self._experiment,
            Run: self._run,
            RunInfo: self._info,
            LoggedModel: self._model,
            ModelVersion: self._version,
            RegisteredModel: self._registered,
            Discarded: self._discarded,
        }

    def told(self, answer: Any) -> Any:
        """The answer of a store, as a client is told it."""
        several = isinstance(answer, (list, tuple)) and len(answer) > 0
        if (tell := self._ways.get(type(answer[0] if several else answer))) is None:
            return answer
        if not several:
            return tell(answer)
        found = [tell(each) for each in answer]
        return Page(found, answer.token) if isinstance(answer, Page) else found

    def rows(self, answer: Page[tuple[Any, ...]], columns: list[str]) -> Page[tuple[Any, ...]]:
        """Rows of ``search_run_rows``, as a client is told them."""
        places = {number for number, column in enumerate(columns) if column.rpartition(".")[2] == "artifact_uri"}
        if not places:
            return answer
        return Page([self._row(row, places) for row in answer], answer.token)

    def _row(self, row: tuple[Any, ...], places: set[int]) -> tuple[Any, ...]:
        return tuple(self._site.shown(each) if number in places else each for number, each in enumerate(row))

    def _experiment(self, experiment: Experiment) -> Experiment:
        return _with(experiment, artifact_location=self._site.shown(experiment.artifact_location))

    def _run(self, run: Run) -> Run:
        return Run.stored(**{**run.__dict__, "info": self._info(run.info)})

    def _info(self, info: RunInfo) -> RunInfo:
        return _with(info, artifact_uri=self._below(info.artifact_uri, info.run_id))

    def _model(self, model: LoggedModel) -> LoggedModel:
        return _with(model, artifact_location=self._below(model.artifact_location, model.model_id))

    def _version(self, version: ModelVersion) -> ModelVersion:
        return _with(version, source=self._site.shown(version.source))

    def _registered(self, model: RegisteredModel) -> RegisteredModel:
        return _with(model, latest_versions=[self._version(each) for each in model.latest_versions])

    def _discarded(self, item: Discarded) -> Discarded:
        return _with(item, artifact_uri=self._below(item.artifact_uri, item.id))

    def _below(self, location: str, own: str) -> str:
        """A place with an id of its own; what is before it is the same for many, and takes long to tell."""
        place, slash, rest = location.rpartition(f"/{own}/")
        if not slash:
            return self._site.shown(location)
        if place not in self._known:
            self._known[place] = self._site.shown(place)
        return f"{self._known[place]}/{own}/{rest}"


def _with(value: Kept, **changes: Any) -> Kept:
    return type(value).stored(**{**value.__dict__, **changes})
