"""Inspection of installed plugins: each is really loaded and held against its contract.

``dovetail plugins check`` and ``dovetail.testing.PluginSuite`` ask the same questions, here.
"""

from __future__ import annotations

import inspect
import pkgutil
import re
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from typing import TYPE_CHECKING, Any

import dovetail
from dovetail.errors import DovetailError
from dovetail.plugins import BROADCAST, KINDS, PACKAGES, Plugins, blocked

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from dovetail.entrypoints import EntryPoint
    from dovetail.plugins import Kind

__all__ = ["Fit", "Inspection", "core_problems", "fit", "hidden_names", "inspected", "unknown_groups"]

#: Kind -> the interface that what its factories make has to fit.
INTERFACES = {
    "tracking_stores": "dovetail.tracking.store:TrackingStore",
    "registry_stores": "dovetail.registry.store:RegistryStore",
    "artifact_stores": "dovetail.artifacts.store:ArtifactStore",
    "env_managers": "dovetail.environments.manager:EnvManager",
    "backends": "dovetail.projects.backend:Backend",
    "flavors": "dovetail.models.flavor:Flavor",
    "dataset_sources": "dovetail.datasets.source:DatasetSource",
}
_CORE = re.compile(r"dovetail[-_.]core\s*\(?(?P<bounds>[^;\[)]*)", re.IGNORECASE)
_BOUND = re.compile(r"\s*(>=|<=|==|!=|~=|>|<)\s*(\d+(?:\.\d+)*)(\.\*)?\s*\Z")


@dataclass(frozen=True)
class Inspection:
    """What was found out about one entry point.

    Args:
        point: The entry point.
        problems: What is wrong with it, each said in a sentence.
        blocked: Whether it is kept out; it was not loaded then.
        notes: What could not be looked at, and why.
    """

    point: EntryPoint
    problems: tuple[str, ...] = ()
    blocked: bool = False
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Fit:
    """Whether what a plugin hands out fits the interface of its kind.

    Args:
        problems: Why it does not.
        notes: Why that could not be told.
    """

    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def inspected(
    chosen: Iterable[EntryPoint], points: Sequence[EntryPoint], taken: Mapping[str, Collection[str]] | None = None
) -> list[Inspection]:
    """Load plugins and say what is wrong with each.

    Loading runs the plugins' code, in this process.

    Args:
        chosen: The entry points to look at.
        points: All that are installed; others may claim the same keys.
        taken: Kind -> keys that the core itself answers for, beside the names of its own modules.
    """
    plugins = Plugins(points)
    return [_inspected(point, plugins, taken or {}) for point in chosen]


def unknown_groups(points: Iterable[EntryPoint]) -> dict[str, str]:
    """Group -> what is wrong with it, for the groups of entry points that dovetail does not read."""
    known = [kind.group for kind in KINDS.values()] + [BROADCAST, PACKAGES]
    wrong = sorted({point.group for point in points} - set(known))
    return {group: f"Nothing reads the entry-point group {group!r}.{_meant(group, known)}" for group in wrong}


def hidden_names(keys: Collection[str]) -> set[str]:
    """Those keys that are names of the core's: ``dovetail.<flavor>`` must mean the flavor."""
    modules = {module.name for module in pkgutil.iter_modules(dovetail.__path__)}
    return set(keys) & (modules | set(dovetail.__all__))


def fit(kind: str, factory: Any) -> Fit:
    """Hold what a factory makes against its kind's interface: every abstract method must be there.

    A class is looked at as it is; a function is called if it takes no argument.

    Args:
        kind: A key of ``KINDS``.
        factory: What the plugin hands out under a key.
    """
    if kind not in INTERFACES:
        return Fit()
    needed = _needed(factory)
    if needed:
        return Fit(notes=(f"its interface was not looked at: it is opened with a {needed[0]}",))
    made = factory if inspect.isclass(factory) else factory()
    missing = _missing_methods(kind, made)
    if not missing:
        return Fit()
    name = made.__name__ if inspect.isclass(made) else type(made).__name__
    return Fit((f"{name} is no complete {KINDS[kind].noun}: it lacks {', '.join(missing)}.",))


def core_problems(requirements: Iterable[str], version: str = dovetail.__version__) -> list[str]:
    """What is wrong with the versions of ``dovetail-core`` that a distribution asks for.

    Args:
        requirements: The distribution's requirements.
        version: The version of the core.
    """
    lines = [line for line in requirements if "extra ==" not in line]
    bounds = [match["bounds"] for line in lines if (match := _CORE.match(line))]
    refused = [each.strip() for each in bounds if not all(_admits(bound, version) for bound in each.split(","))]
    return [f"It is made for dovetail-core {each}, and this is dovetail-core {version}." for each in refused]


def _inspected(point: EntryPoint, plugins: Plugins, taken: Mapping[str, Collection[str]]) -> Inspection:
    if blocked(point):
        return Inspection(point, blocked=True)
    kind = next((kind for kind in KINDS.values() if kind.group == point.group), None)
    loaded = _loaded(point, kind, plugins)
    problems = [
        *unknown_groups([point]).values(),
        *core_problems(_requirements(point)),
        *_name_problems(point, kind, taken),
        *loaded.problems,
    ]
    return Inspection(point, tuple(problems), notes=loaded.notes)


def _loaded(point: EntryPoint, kind: Kind | None, plugins: Plugins) -> Fit:
    try:
        if kind is not None:
            return fit(kind.name, plugins.find(kind.name, point.name))
        if point.group == BROADCAST:
            return Fit(tuple(_hook_problems(point, plugins)))
        return Fit(tuple(_package_problems(point, plugins)) if point.group == PACKAGES else ())
    except DovetailError as error:
        return Fit((error.message,))
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a plugin does is what we report
        return Fit((f"What it hands out cannot be made: {type(error).__name__}: {error}",))


def _requirements(point: EntryPoint) -> list[str]:
    from importlib import metadata

    found = metadata.Distribution.discover(name=point.distribution, path=[point.location])
    return next((each.requires or [] for each in found), [])


def _name_problems(point: EntryPoint, kind: Kind | None, taken: Mapping[str, Collection[str]]) -> list[str]:
    if kind is None:
        return []
    if kind.name == "flavors" and hidden_names([point.name]):
        return [f"dovetail.{point.name} is a name of dovetail's own, which this flavor could not be reached by."]
    if point.name in taken.get(kind.name, ()):
        return [f"dovetail has a {kind.noun} {point.name!r} itself, which wins."]
    return []


def _needed(factory: Any) -> list[str]:
    """The arguments that a function must be given; a class need not be called."""
    if inspect.isclass(factory):
        return []
    try:
        parameters = inspect.signature(factory).parameters.values()
    except (TypeError, ValueError):  # something callable that does not tell
        return []
    variable = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return [each.name for each in parameters if each.default is each.empty and each.kind not in variable]


def _missing_methods(kind: str, made: Any) -> list[str]:
    module, _, name = INTERFACES[kind].partition(":")
    interface = getattr(import_module(module), name)
    found = {each: getattr(made, each, None) for each in sorted(interface.__abstractmethods__)}
    return [each for each, method in found.items() if method is None or getattr(method, "__isabstractmethod__", False)]


def _hook_problems(point: EntryPoint, plugins: Plugins) -> list[str]:
    if plugins.hooks(plugins.load(point)):
        return []
    return [f"{point.value} implements no hook; functions need the mark `@dovetail.hookimpl`."]


def _package_problems(point: EntryPoint, plugins: Plugins) -> list[str]:
    flavors = plugins.offers("flavors").values()
    rivals = {each.origin for each in plugins.installed() if (each.group, each.name) == (PACKAGES, point.name)}
    if len(rivals) > 1:
        return [f"The package {point.name!r} is claimed by {' and by '.join(sorted(rivals))}."]
    if point.value not in {each.value for each in flavors}:
        return [f"{point.value} is no module that an installed flavor comes from."]
    return []


def _admits(bound: str, version: str) -> bool:
    """Whether a version lies within a bound; a bound of another form than we write admits everything."""
    match = _BOUND.match(bound)
    if match is None:
        return True
    limit, mine = _numbers(match[2]), _numbers(version)
    if match[3] or match[1] == "~=":
        start = limit if match[3] else limit[:-1]
        within = mine[: len(start)] == start and (match[1] != "~=" or mine >= limit)
        return within != (match[1] == "!=")
    width = max(len(limit), len(mine))
    left, right = (each + (0,) * (width - len(each)) for each in (mine, limit))
    return {">=": left >= right, "<=": left <= right, "==": left == right, "!=": left != right,
            ">": left > right, "<": left < right}[match[1]]  # fmt: skip


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version.partition("+")[0])[:3])


def _meant(group: str, known: Sequence[str]) -> str:
    close = get_close_matches(group, known, n=1)
    return f" Did you mean {close[0]!r}?" if close else ""
