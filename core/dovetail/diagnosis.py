"""What there is to know about an installation before asking why something does not work.

``gather`` looks, and changes nothing: no database is made, no folder, no run. ``doctor`` prints what it found.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import platform
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dovetail
from dovetail import inspection, plugins, settings, uris
from dovetail.concealment import HIDDEN, cleaned, is_secret, shown, shown_variable, variables
from dovetail.errors import DovetailError, InvalidSetting, StoreUnavailable
from dovetail.tracking import places
from dovetail.tracking.answering import Answering
from dovetail.tracking.schema import SchemaKeeper
from dovetail.values import DEFAULT_EXPERIMENT_ID

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping
    from importlib.metadata import Distribution

    from dovetail.inspection import Inspection
    from dovetail.tracking.schema import SchemaReport

__all__ = ["Diagnosis", "Distributed", "InForce", "StoreState", "doctor", "gather"]

#: What ``StoreState.state`` may be.
READY, TO_BE_MADE, TO_BE_UPGRADED, BROKEN = "ready", "will be created", "will be upgraded", "broken"
UNREACHABLE = "unreachable"

_REQUIRED = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True)
class InForce:
    """A place or a setting, and who says so.

    Args:
        name: Such as ``tracking_uri``.
        value: As it may be shown: passwords are hidden.
        origin: A variable, a file, or ``default``.
        problem: Why it cannot be told or used, in one line; empty if all is well.
    """

    name: str
    value: str
    origin: str
    problem: str = ""


@dataclass(frozen=True)
class StoreState:
    """Whether the tracking store opens.

    Args:
        state: ``ready``, ``will be created``, ``will be upgraded``, ``unreachable`` or ``broken``.
        detail: Why, in one line; empty if there is nothing to add.
    """

    state: str
    detail: str = ""


@dataclass(frozen=True)
class Distributed:
    """An installed distribution: one of ours, or one that brings plugins.

    Args:
        name: Such as ``dovetail-sqlite``.
        version: Its version.
        offers: What it plugs in, such as ``tracking store sqlite``.
        blocked: Whether the allow or block list keeps it out.
        problems: What is wrong with it, a line each.
    """

    name: str
    version: str
    offers: tuple[str, ...] = ()
    blocked: bool = False
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class Diagnosis:
    """Everything ``doctor`` prints; no secret is in it.

    Args:
        versions: ``dovetail``, ``python``, ``platform``, and ``location`` and ``executable``, which are paths.
        places: ``tracking_uri``, ``registry_uri`` and ``artifact_root``.
        store: Whether the tracking store opens.
        settings: The other settings that somebody set.
        distributions: Ours and those with plugins, by name.
        libraries: Version of each installed library that these need.
        variables: The DOVETAIL_* and MLFLOW_* variables of this process.
    """

    versions: dict[str, str]
    places: tuple[InForce, ...]
    store: StoreState
    settings: tuple[InForce, ...] = ()
    distributions: tuple[Distributed, ...] = ()
    libraries: dict[str, str] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def problems(self) -> tuple[str, ...]:
        """All that is wrong, a line each and each once; empty if nothing is."""
        found = [each.problem for each in (*self.places, *self.settings) if each.problem]
        if self.store.state in (BROKEN, UNREACHABLE) and self.store.detail not in found:
            found.append(f"tracking store: {self.store.detail}")
        found += [f"{each.name}: {problem}" for each in self.distributions for problem in each.problems]
        return tuple(dict.fromkeys(found))

    def to_dict(self) -> dict[str, Any]:
        """All of it as plain dicts and lists, for JSON."""
        return {**dataclasses.asdict(self), "problems": list(self.problems)}


def doctor(mask_envs: bool = False) -> None:
    """Print what others need to know to help: versions, plugins, places, settings, and whether the store opens.

    Passwords in locations, and variables that hold secrets by their names, are never printed. Installed plugins are
    loaded, which runs their code; nothing is created.

    Args:
        mask_envs: Hide the values of all variables, also where a setting comes from one. The tracking, registry and
            artifact places are shown all the same.
    """
    for line in _lines(gather(mask_envs=mask_envs)):
        print(_printable(line))  # noqa: T201 - what it is for


def gather(*, mask_envs: bool = False, taken: Mapping[str, Collection[str]] | None = None) -> Diagnosis:
    """Find out what ``doctor`` prints.

    What is broken becomes a line of ``problems`` instead of an error. What plugins print while they are loaded goes to
    standard error.

    Args:
        mask_envs: As in ``doctor``.
        taken: Plugin kind -> keys that the caller answers for itself, such as the commands of the command line.
    """
    with contextlib.redirect_stdout(sys.stderr):
        distributions = list(_distributions())
        return Diagnosis(
            versions=_versions(),
            places=_places(mask_envs),
            store=_store(mask_envs),
            settings=tuple(_settings(mask_envs)),
            distributions=tuple(_distributed(distributions, taken or {})),
            libraries=_libraries(distributions),
            variables=_variables(mask_envs),
        )


def _versions() -> dict[str, str]:
    return {
        "dovetail": dovetail.__version__,
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "platform": platform.platform(),
        "location": str(Path(__file__).parent),
        "executable": sys.executable,
    }


# --- places and settings --------------------------------------------------------------------------------------


def _artifact_root() -> str:
    if uris.scheme_of(places.get_tracking_uri()) in ("http", "https"):
        return "where the tracking server says"
    return settings.get("artifact_root") or "dovetail-artifacts beside the tracking store"


_PLACES: dict[str, Callable[[], str]] = {
    "tracking_uri": places.get_tracking_uri,
    "registry_uri": places.get_registry_uri,
    "artifact_root": _artifact_root,
}


def _places(mask_envs: bool) -> tuple[InForce, ...]:
    return tuple(_place(name, mask_envs) for name in _PLACES)


def _place(name: str, mask_envs: bool) -> InForce:
    try:
        return InForce(name, shown(_PLACES[name]()), settings.origin(name))
    except DovetailError as error:
        return InForce(name, "", "", _line(error, mask_envs))


def _settings(mask_envs: bool) -> Iterator[InForce]:
    """The settings that somebody set. What keeps all of them from being read is said by the places already."""
    said = {each.problem for each in _places(mask_envs)}
    for name in sorted(settings.SETTINGS.keys() - _PLACES.keys()):
        found = _setting(name, mask_envs)
        if found.origin != "default" and (not found.problem or found.problem not in said):
            yield found


def _setting(name: str, mask_envs: bool) -> InForce:
    try:
        origin, value = settings.origin(name), settings.get(name)
    except InvalidSetting as error:
        return InForce(name, "", "", _line(error, mask_envs))
    text = ",".join(value) if isinstance(value, tuple) else str(value)
    hidden = is_secret(name) or (mask_envs and origin in os.environ)
    return InForce(name, HIDDEN if hidden else shown(text), origin)


def _variables(mask_envs: bool) -> dict[str, str]:
    return {name: HIDDEN if mask_envs else shown_variable(name) for name in variables()}


# --- the tracking store ---------------------------------------------------------------------------------------


def _store(mask_envs: bool) -> StoreState:
    try:
        return _opened(places.get_tracking_uri())
    except StoreUnavailable as error:
        return StoreState(UNREACHABLE, _line(error, mask_envs))
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a plugin raises is what we report
        return StoreState(BROKEN, _line(error, mask_envs))


def _opened(uri: str) -> StoreState:
    with contextlib.closing(plugins.find("tracking_stores", uris.scheme_of(uri))(uri)) as store:
        if isinstance(store, SchemaKeeper):
            return _kept(store.check_schema(quick=True))
        answered = store.answered_by() if isinstance(store, Answering) else ""
        store.get_experiment(DEFAULT_EXPERIMENT_ID)  # every store has it from the start
        return StoreState(READY, answered)


def _kept(report: SchemaReport) -> StoreState:
    if report.faults:
        return StoreState(BROKEN, cleaned("; ".join(report.faults), *_locations()))
    if report.version == 0:
        return StoreState(TO_BE_MADE, "at its first use")
    if report.version != report.newest:
        return StoreState(TO_BE_UPGRADED, f"from schema version {report.version} to {report.newest}, at its first use")
    return StoreState(READY, f"schema version {report.version}")


def _line(error: BaseException, mask_envs: bool) -> str:
    text = error.message if isinstance(error, DovetailError) else f"{type(error).__name__}: {error}"
    return cleaned(text, *_locations(), mask_envs=mask_envs)


def _locations() -> Iterator[str]:
    """What somebody set a location to, however wrong it is: errors may quote it."""
    for name, setting in settings.SETTINGS.items():
        if setting.kind == "location":
            with contextlib.suppress(InvalidSetting):
                yield settings.get(name) or ""


# --- distributions --------------------------------------------------------------------------------------------


def _distributions() -> Iterator[Distribution]:
    """Our own distributions and those that bring plugins, each once, where Python would import it from."""
    from importlib import metadata

    bringing = {point.distribution for point in plugins.installed()}
    seen = set()
    for each in metadata.distributions():
        name = _normal(each.metadata["Name"] or "")
        if name not in seen and (name in bringing or name == "dovetail" or name.startswith("dovetail-")):
            seen.add(name)
            yield each


def _distributed(distributions: list[Distribution], taken: Mapping[str, Collection[str]]) -> Iterator[Distributed]:
    looked = _inspected(taken)
    for each in sorted(distributions, key=lambda each: _normal(each.metadata["Name"])):
        name = _normal(each.metadata["Name"])
        mine = [one for one in looked if one.point.distribution == name]
        problems = dict.fromkeys(cleaned(problem, *_locations()) for one in mine for problem in one.problems)
        offers = tuple(sorted({_offer(one) for one in mine} - {""}))
        yield Distributed(name, each.version, offers, any(one.blocked for one in mine), tuple(problems))


def _inspected(taken: Mapping[str, Collection[str]]) -> list[Inspection]:
    points = plugins.installed()
    try:
        return inspection.inspected(points, points, taken)
    except (
        InvalidSetting
    ):  # the settings cannot be read, so nobody knows who is blocked; the settings say so themselves
        return [inspection.Inspection(point) for point in points]


def _offer(looked: Inspection) -> str:
    kind = next((kind for kind in plugins.KINDS.values() if kind.group == looked.point.group), None)
    if kind is not None:
        return f"{kind.noun} {looked.point.name}"
    return "hooks" if looked.point.group == plugins.BROADCAST else ""


def _libraries(distributions: list[Distribution]) -> dict[str, str]:
    from importlib import metadata

    lines = {line for each in distributions for line in each.requires or [] if "extra ==" not in line}
    names = {_normal(match[0]) for line in lines if (match := _REQUIRED.match(line))}
    found = {}
    for name in sorted(names - {_normal(each.metadata["Name"]) for each in distributions}):
        with contextlib.suppress(metadata.PackageNotFoundError):  # needed on other systems or Pythons only
            found[name] = metadata.version(name)
    return found


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


# --- printing -------------------------------------------------------------------------------------------------


def _lines(found: Diagnosis) -> Iterator[str]:
    for name, value in found.versions.items():
        yield f"{name}: {value}"
    for each in found.places:
        yield f"{each.name.replace('_', ' ')}: {_said(each)}"
    yield f"tracking store: {found.store.state}" + (f" ({found.store.detail})" if found.store.detail else "")
    yield from _section("settings", {each.name: _said(each) for each in found.settings})
    yield from _section("variables", found.variables)
    yield from _section("distributions", {each.name: _described(each) for each in found.distributions})
    yield from _section("libraries", found.libraries)
    yield from ("problems:", *(f"  {each}" for each in found.problems)) if found.problems else ("problems: none",)


def _printable(line: str) -> str:
    """What would move the cursor, or is no text, as its escape."""
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in line)


def _section(title: str, entries: Mapping[str, str]) -> Iterator[str]:
    if entries:
        yield f"{title}:"
        yield from (f"  {name}: {entries[name]}" for name in sorted(entries))


def _said(each: InForce) -> str:
    return f"broken: {each.problem}" if each.problem else f"{each.value}  ({each.origin})"


def _described(each: Distributed) -> str:
    state = " (blocked)" if each.blocked else " (broken)" if each.problems else ""
    return f"{each.version}{state}" + (f": {', '.join(each.offers)}" if each.offers else "")
