"""``dovetail.<flavor>``: a module the core makes for each installed flavor."""

from __future__ import annotations

import importlib
import inspect
import sys
from difflib import get_close_matches
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import TYPE_CHECKING, Any

import dovetail
from dovetail import plugins
from dovetail.errors import PluginMissing
from dovetail.models import flavors, loading, saving

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dovetail.models.flavor import Flavor
    from dovetail.models.info import ModelInfo

__all__ = ["Facade", "flavor_facade"]

# What `log_model` does not take from its caller: it fills them in itself.
_OWN = ("flavor", "model", "path", "options", "run_id", "artifact_path")
_DETAILS = [each for each in inspect.signature(saving.save_with).parameters.values() if each.name not in _OWN]
_LOGGING = [
    each
    for each in inspect.signature(saving.log_with).parameters.values()
    if each.name in ("run_id", "step", "registered_model_name", "await_registration_for")
]

# Verbs of MLflow's that one of ours, or a flavor, could be taken for.
_NOT_YET = {
    "add_trace", "autolog", "create_workspace", "delete_trace_tag", "delete_workspace", "deployments", "evaluate",
    "flush_trace_async_logging", "get_active_trace_id", "get_current_active_span", "get_last_active_trace_id",
    "get_trace", "get_workspace", "list_workspaces", "log_assessment", "log_expectation", "log_feedback", "log_trace",
    "search_traces", "set_trace_tag", "set_workspace", "start_span", "start_span_no_context", "trace",
    "update_current_trace", "update_workspace", "validate_evaluation_results",
}  # fmt: skip


def flavor_facade(key: str) -> ModuleType:
    """The façade of an installed flavor.

    Raises:
        AttributeError: No installed flavor has that key, as for any name a module does not have.
    """
    name = f"dovetail.{key}"
    if name in sys.modules:
        return sys.modules[name]
    point = plugins.offers("flavors").get(key)
    if point is not None:
        # Among the modules it can be pickled by name, and is one object however it is imported.
        sys.modules[name] = Facade(key, point.value)
        return sys.modules[name]
    try:
        plugins.find("flavors", key)
    except PluginMissing:
        raise AttributeError(f"module 'dovetail' has no attribute {key!r}.{_advice(key)}") from None
    return Facade(key)


def _advice(name: str) -> str:
    """What may have been meant: a verb that is not there yet, one that is, or a flavor that is not installed."""
    if name in _NOT_YET:
        return " It is not part of dovetail yet."
    offered = sorted(plugins.offers("flavors"))
    close = get_close_matches(name, [*dovetail.__all__, *offered], n=1)
    return f" Did you mean {close[0]!r}?" if close else f" Installed flavors: {', '.join(offered) or 'none'}."


class Facade(ModuleType):
    """``save_model``, ``log_model`` and ``load_model`` of one flavor, and whatever its plugin makes public itself.

    Args:
        key: The flavor's key.
        plugin: The module whose public names stand beside the verbs; None for a flavor registered by hand.
    """

    def __init__(self, key: str, plugin: str | None = None) -> None:
        super().__init__(f"dovetail.{key}", f"Models of the flavor {key!r}.")
        self.__spec__ = ModuleSpec(f"dovetail.{key}", None)
        self._key = key
        self._plugin = plugin

    def __getattr__(self, name: str) -> Any:
        """What the plugin makes public stands beside the verbs, and ahead of them where it has one of that name."""
        if not name.startswith("_") and name in self._public():
            return getattr(importlib.import_module(str(self._plugin)), name)
        if name not in _VERBS:
            raise AttributeError(f"module 'dovetail.{self._key}' has no attribute {name!r}")
        verb = _VERBS[name](flavors.flavor(self._key))
        setattr(self, name, verb)
        return verb

    def __dir__(self) -> list[str]:
        """The verbs and the plugin's public names."""
        return sorted({*_VERBS, *self._public()})

    def __reduce__(self) -> tuple[Any, ...]:
        return flavor_facade, (self._key,)

    def _public(self) -> tuple[str, ...]:
        module = importlib.import_module(self._plugin) if self._plugin else None
        return tuple(getattr(module, "__all__", ()))


def _save_model(flavor: Flavor) -> Callable[..., None]:
    signature = _signature(flavor, "path", inspect.Parameter.empty, [])

    def save_model(*args: Any, **kwargs: Any) -> None:
        given = _bound(signature, flavor, "save_model", args, kwargs)
        model, path = given.pop(flavor.argument), given.pop("path")
        options, details = saving.split_options(flavor, given)
        saving.save_with(flavor, model, path, options=options, **details)

    return _shown(save_model, flavor, signature, saving.save_with)


def _log_model(flavor: Flavor) -> Callable[..., ModelInfo]:
    signature = _signature(flavor, "name", "model", _LOGGING)

    def log_model(*args: Any, **kwargs: Any) -> ModelInfo:
        given = _bound(signature, flavor, "log_model", args, _renamed(kwargs))
        model, name = given.pop(flavor.argument), given.pop("name", None)
        options, details = saving.split_options(flavor, given)
        return saving.log_with(flavor, model, name="model" if name is None else name, options=options, **details)

    return _shown(log_model, flavor, signature, saving.log_with)


def _load_model(flavor: Flavor) -> Callable[..., Any]:
    def load_model(model_uri: str, dst_path: str | None = None, *, trust: str = "own") -> Any:
        return loading.load_with(flavor, model_uri, dst_path, trust=trust)

    return _shown(load_model, flavor, inspect.signature(load_model), loading.load_model)


_VERBS: dict[str, Callable[[Flavor], Callable[..., Any]]] = {
    "load_model": _load_model,
    "log_model": _log_model,
    "save_model": _save_model,
}


def _signature(flavor: Flavor, place: str, default: Any, more: list[inspect.Parameter]) -> inspect.Signature:
    """Model and place, then by name only the flavor's options and what is the same for every flavor."""
    positional, by_name = inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY
    options = inspect.signature(flavor.options).parameters.values() if flavor.options else ()
    return inspect.Signature(
        [
            inspect.Parameter(flavor.argument, positional, annotation="Any"),
            inspect.Parameter(place, positional, default=default, annotation="str"),
            *(each.replace(kind=by_name) for each in options),
            *_DETAILS,
            *more,
        ]
    )


def _bound(
    signature: inspect.Signature, flavor: Flavor, verb: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> dict[str, Any]:
    """The arguments by name; one given by position is the place if the model is given by name."""
    given = dict(kwargs)
    if args and flavor.argument in given:
        args = (given.pop(flavor.argument), *args)
    try:
        return signature.bind(*args, **given).arguments
    except TypeError as error:
        raise TypeError(f"{verb}() {error}; it takes {', '.join(signature.parameters)}") from None


def _renamed(kwargs: dict[str, Any]) -> dict[str, Any]:
    if "artifact_path" not in kwargs:
        return kwargs
    if kwargs.get("name") is not None:
        raise TypeError("log_model() takes name or artifact_path, which mean the same, not both")
    return {**{key: value for key, value in kwargs.items() if key != "artifact_path"}, "name": kwargs["artifact_path"]}


def _shown(
    verb: Callable[..., Any], flavor: Flavor, signature: inspect.Signature, documented: Callable[..., Any]
) -> Callable[..., Any]:
    """The verb with what `help` shows: its arguments, and the documentation of what does the work."""
    verb.__signature__ = signature  # type: ignore[attr-defined]  # what inspect looks for
    verb.__doc__ = documented.__doc__
    verb.__qualname__ = verb.__name__
    verb.__module__ = f"dovetail.{flavor.key}"
    return verb
