"""Finding the plugin that answers for a key.

Discovery reads metadata and imports nothing; ``find`` imports exactly the one module that claims the key, checks it
against the hook specs and takes the key out of its mapping. So a broken plugin hurts only its own key, and an
installed but unused one costs nothing.
"""

from __future__ import annotations

import importlib
import reprlib
import sys
import threading
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from dovetail import entrypoints, hookspecs, settings
from dovetail.errors import PluginBlocked, PluginBroken, PluginConflict, PluginMissing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from types import ModuleType

    import pluggy

    from dovetail.entrypoints import EntryPoint

__all__ = [
    "BROADCAST",
    "KINDS",
    "PACKAGES",
    "Kind",
    "Plugins",
    "ask",
    "blocked",
    "collect",
    "find",
    "installed",
    "listens",
    "offers",
    "register",
    "tell",
]

ANY = "*"
BROADCAST = "dovetail.hooks"
PACKAGES = "dovetail.flavor_packages"


@dataclass(frozen=True)
class Kind:
    """One kind of thing that can be plugged in under a key.

    Args:
        name: Such as ``flavors``; the entry-point group is ``dovetail.<name>``, the hook ``dovetail_<name>``.
        noun: What people call one of them.
    """

    name: str
    noun: str

    @property
    def group(self) -> str:
        """The entry-point group."""
        return f"dovetail.{self.name}"

    @property
    def hook(self) -> str:
        """The hook that hands out the mapping."""
        return f"dovetail_{self.name}"


KINDS = {
    name: Kind(name, noun)
    for name, noun in {
        "tracking_stores": "tracking store",
        "registry_stores": "registry store",
        "artifact_stores": "artifact store",
        "env_managers": "environment manager",
        "backends": "execution backend",
        "flavors": "model flavor",
        "autologgers": "autologger",
        "commands": "command",
        "deployment_targets": "deployment target",
        "dataset_sources": "dataset source",
        "evaluators": "evaluator",
        "samplers": "sampler",
    }.items()
}


class Plugins:
    """The installed plugins and those of them that are loaded.

    One instance serves the process; tests make their own over entry points of their choosing. All methods may be
    called from several threads at once.

    Args:
        points: Entry points to use; by default those on ``sys.path``, read at first need.
    """

    def __init__(self, points: Iterable[EntryPoint] | None = None) -> None:
        self._points = None if points is None else tuple(points)
        self._found: dict[tuple[str, str], Any] = {}
        self._modules: dict[str, EntryPoint | None] = {}
        self._manager: pluggy.PluginManager | None = None
        self._broadcast_loaded = False
        self._lock = threading.RLock()

    def offers(self, kind: str) -> dict[str, EntryPoint]:
        """The keys of a kind that are installed and not blocked, each with who claims it; nothing is imported."""
        group = KINDS[kind].group
        return {point.name: point for point in self.installed() if point.group == group and not blocked(point)}

    def installed(self) -> tuple[EntryPoint, ...]:
        """All entry points of dovetail's groups, blocked ones included."""
        with self._lock:
            if self._points is None:
                self._points = entrypoints.read_all()
            return self._points

    def find(self, kind: str, key: str) -> Any:
        """The factory (or app) behind a key.

        Args:
            kind: A key of ``KINDS``.
            key: A scheme, name or flavor.

        Raises:
            PluginMissing: Nothing installed claims the key.
            PluginConflict: Two distributions claim it.
            PluginBlocked: The allow or block list keeps the only one out.
            PluginBroken: It cannot be imported, implements an unknown hook, or does not hand out the key.
        """
        with self._lock:
            if (kind, key) not in self._found:
                self._found[kind, key] = self._load(KINDS[kind], key)
            return self._found[kind, key]

    def register(self, module: ModuleType | object, kind: str | None = None, key: str | None = None) -> None:
        """Take in a plugin by hand, without an entry point: for tests and for plugins defined in a script.

        Args:
            module: What carries the hook implementations.
            kind: With ``key``, make this key available; otherwise only broadcast hooks and questions see it.
            key: The key.

        Raises:
            PluginBroken: It implements an unknown hook, or does not hand out the key.
        """
        with self._lock:
            self._register(module, None)
            if kind is not None and key is not None:
                self._found[kind, key] = self._handed_out(KINDS[kind], key, module, "A plugin registered by hand")

    def load(self, point: EntryPoint) -> ModuleType:
        """Import the module that an entry point names and take in its hook implementations.

        Raises:
            PluginBroken: It cannot be imported, or implements an unknown hook.
        """
        with self._lock:
            return self._import(point)

    def hooks(self, module: ModuleType | object) -> list[str]:
        """The hooks that a plugin which was taken in implements."""
        return sorted(each.name for each in self._pluggy().get_hookcallers(module) or ())

    def ask(self, hook: str, **arguments: Any) -> Any:
        """Put a question to every plugin until one answers with something other than None."""
        return getattr(self._all().hook, hook)(**arguments)

    def collect(self, hook: str, **arguments: Any) -> list[Any]:
        """Ask every plugin and gather the answers that are not None; the earliest registered comes first."""
        answers: list[Any] = getattr(self._all().hook, hook)(**arguments)
        return answers[::-1]

    def listens(self, hook: str) -> bool:
        """Whether any plugin implements a hook, so that nobody needs to make up what nobody hears."""
        return bool(getattr(self._all().hook, hook).get_hookimpls())

    def tell(self, hook: str, **arguments: Any) -> None:
        """Bring news to every plugin. One that fails is reported as a warning and hurts nobody else."""
        import warnings

        manager = self._all()
        for plugin in [each.plugin for each in getattr(manager.hook, hook).get_hookimpls()]:
            others = [each for each in manager.get_plugins() if each is not plugin]
            try:
                manager.subset_hook_caller(hook, remove_plugins=others)(**arguments)
            except Exception as error:  # noqa: BLE001 - an observer must never break what it observes
                warnings.warn(
                    f"Plugin {self._origin(manager.get_name(plugin))} failed in {hook}: {error!r}", stacklevel=2
                )

    def _load(self, kind: Kind, key: str) -> Any:
        point = self._point(kind, key)
        return self._handed_out(kind, point.name, self._import(point), f"{point.value} ({point.origin})")

    def _point(self, kind: Kind, key: str) -> EntryPoint:
        claims = [point for point in self.installed() if point.group == kind.group and point.name == key]
        claims = claims or [point for point in self.installed() if point.group == kind.group and point.name == ANY]
        open_claims = [point for point in claims if not blocked(point)]
        if len({point.distribution for point in open_claims}) > 1:
            raise _conflict(kind, key, open_claims)
        if open_claims:
            return open_claims[0]
        raise _kept_out(kind, key, claims[0]) if claims else self._missing(kind, key)

    def _missing(self, kind: Kind, key: str) -> PluginMissing:
        from dovetail.install_hint import install_hint

        keys = sorted(set(self.offers(kind.name)) - {ANY})
        close = get_close_matches(key, keys, n=1)
        meant = f" Did you mean {close[0]!r}?" if close else ""
        return PluginMissing(
            f"No {kind.noun} answers for {key!r}.{meant} Installed: {', '.join(keys) or 'none'}.",
            hint=install_hint(kind.name, key),
        )

    def _import(self, point: EntryPoint) -> ModuleType:
        try:
            module = importlib.import_module(point.value)
        except KeyboardInterrupt:
            raise  # somebody does not want to wait
        except BaseException as error:  # a script that is no module ends the interpreter, and who knows what else
            raise PluginBroken(
                f"The plugin {point.name!r} ({point.origin}) cannot be imported: {type(error).__name__}: {error}",
                hint=f"Upgrade {point.distribution} from where you installed it, or block it: {_block(point)}.",
            ) from error
        self._register(module, point)
        return module

    def _register(self, module: ModuleType | object, point: EntryPoint | None) -> None:
        manager = self._pluggy()
        if manager.is_registered(module):
            return
        name = point.value if point else f"by-hand-{id(module)}"
        try:
            manager.register(module, name=name)
            manager.check_pending()
        except Exception as error:
            if manager.is_registered(module):  # some versions of pluggy have taken it out already
                manager.unregister(module)
            reason = " ".join(str(error).split())
            raise PluginBroken(
                f"{point.origin if point else repr(module)} does not fit the hook specifications: {reason}",
                hint="Hook names and arguments are listed in dovetail.hookspecs.",
            ) from error
        self._modules[name] = point

    def _handed_out(self, kind: Kind, key: str, module: ModuleType | object, origin: str) -> Any:
        mapping = self._mapping(kind, module, origin)
        if key not in mapping:
            raise PluginBroken(
                f"{origin} claims the {kind.noun} {key!r}, but hands out only {sorted(mapping)}.",
                hint="Report this to the plugin's authors.",
            )
        if not callable(mapping[key]):
            raise PluginBroken(
                f"{origin} hands out {reprlib.repr(mapping[key])} for the {kind.noun} {key!r}, which cannot be called.",
                hint="Report this to the plugin's authors.",
            )
        return mapping[key]

    def _mapping(self, kind: Kind, module: ModuleType | object, origin: str) -> Any:
        manager = self._pluggy()
        others = [plugin for plugin in manager.get_plugins() if plugin is not module]
        try:
            answers = manager.subset_hook_caller(kind.hook, remove_plugins=others)()
        except (Exception, SystemExit) as error:
            raise PluginBroken(
                f"{origin} failed in {kind.hook}(): {type(error).__name__}: {error}",
                hint="Report this to the plugin's authors.",
            ) from error
        if len(answers) != 1 or not hasattr(answers[0], "keys"):
            raise PluginBroken(
                f"{origin} has no {kind.hook}() that answers with a mapping.",
                hint=f"Add it; see {kind.hook} in dovetail.hookspecs.",
            )
        return answers[0]

    def _origin(self, name: str | None) -> str:
        point = self._modules.get(name or "")
        return f"{name} ({point.origin})" if point else f"{name}"

    def _pluggy(self) -> pluggy.PluginManager:
        if self._manager is None:
            import pluggy

            self._manager = pluggy.PluginManager("dovetail")
            self._manager.add_hookspecs(hookspecs)
            if settings.get("trace_hooks"):
                _trace(self._manager)
        return self._manager

    def _all(self) -> pluggy.PluginManager:
        """The manager, with the plugins of the broadcast group loaded."""
        with self._lock:
            if not self._broadcast_loaded:
                self._broadcast_loaded = True
                self._load_broadcast()
            return self._pluggy()

    def _load_broadcast(self) -> None:
        import warnings

        for point in self.installed():
            if point.group == BROADCAST and not blocked(point):
                try:
                    self._import(point)
                except PluginBroken as error:
                    warnings.warn(str(error), stacklevel=4)


def blocked(point: EntryPoint) -> bool:
    """Whether the allow or block list keeps a plugin out."""
    names = {_listed(point.distribution), _listed(point.name)}
    allow = settings.get("plugins_allow")
    if names & set(map(_listed, settings.get("plugins_block"))):
        return True
    return allow is not None and not names & set(map(_listed, allow))


def _listed(name: str) -> str:
    """A name as the lists compare it: ``Dovetail_S3`` on a block list must not let ``dovetail-s3`` through."""
    return name.strip().replace("_", "-").lower()


def _conflict(kind: Kind, key: str, claims: list[EntryPoint]) -> PluginConflict:
    origins = sorted({point.origin for point in claims})
    return PluginConflict(
        f"The {kind.noun} {key!r} is claimed by {' and by '.join(origins)}.",
        hint=f"Uninstall one, or block it: {' or '.join(sorted({_block(point) for point in claims}))}.",
    )


def _block(point: EntryPoint) -> str:
    return f"DOVETAIL_PLUGINS_BLOCK={point.distribution}"


def _kept_out(kind: Kind, key: str, point: EntryPoint) -> PluginBlocked:
    return PluginBlocked(
        f"The {kind.noun} {key!r} ({point.origin}) is installed but kept out by "
        "DOVETAIL_PLUGINS_ALLOW or DOVETAIL_PLUGINS_BLOCK.",
        hint=f"Take {point.distribution} off the block list, or put it on the allow list.",
    )


def _trace(manager: pluggy.PluginManager) -> None:
    def before(name: str, implementations: Sequence[Any], arguments: Mapping[str, Any]) -> None:
        names = [implementation.plugin_name for implementation in implementations]
        print(f"dovetail: {name}({', '.join(arguments)}) -> {names}", file=sys.stderr)  # noqa: T201

    def after(outcome: Any, name: str, implementations: Sequence[Any], arguments: Mapping[str, Any]) -> None:
        del implementations, arguments
        came = repr(outcome.exception or outcome.get_result())
        print(f"dovetail: {name} = {came}", file=sys.stderr)  # noqa: T201

    manager.add_hookcall_monitoring(before, after)


_process = Plugins()

offers: Callable[[str], dict[str, EntryPoint]] = _process.offers
installed: Callable[[], tuple[EntryPoint, ...]] = _process.installed
find: Callable[[str, str], Any] = _process.find
ask: Callable[..., Any] = _process.ask
collect: Callable[..., list[Any]] = _process.collect
listens: Callable[[str], bool] = _process.listens
tell: Callable[..., None] = _process.tell
register: Callable[..., None] = _process.register
