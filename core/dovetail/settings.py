"""Every setting, in one table; where a value comes from is decided here alone.

Precedence: argument > environment variable > ``dovetail.toml`` or ``[tool.dovetail]`` in
``pyproject.toml`` (working folder or the nearest one above) > default. Variables that MLflow's
users already set are honoured where the dovetail one is not.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dovetail.errors import InvalidSetting

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["SETTINGS", "Setting", "get", "origin", "table"]


@dataclass(frozen=True)
class Setting:
    """One thing a user can set.

    Args:
        name: Its key in ``dovetail.toml``.
        kind: ``str``, ``bool``, ``float`` or ``list`` (comma-separated in the environment).
        default: What holds when nobody sets it.
        text: One sentence for people.
        twin: MLflow's variable for the same thing, read when ours is not set.
    """

    name: str
    kind: str
    default: Any
    text: str
    twin: str | None = None

    @property
    def variable(self) -> str:
        """The environment variable that sets it."""
        return f"DOVETAIL_{self.name.upper()}"


_ALL = (
    Setting(
        "tracking_uri", "str", None, "Where runs are tracked; by default ./dovetail.db.", twin="MLFLOW_TRACKING_URI"
    ),
    Setting(
        "artifact_root",
        "str",
        None,
        "Where new experiments keep artifacts; by default dovetail-artifacts beside the store.",
    ),
    Setting("run_id", "str", None, "The run that start_run() takes up.", twin="MLFLOW_RUN_ID"),
    Setting("experiment_id", "str", None, "The experiment that new runs go into.", twin="MLFLOW_EXPERIMENT_ID"),
    Setting("experiment_name", "str", None, "The same by name; created if absent.", twin="MLFLOW_EXPERIMENT_NAME"),
    Setting(
        "truncate_long_values",
        "bool",
        True,
        "Cut over-long param and tag values with a warning instead of refusing them.",
        twin="MLFLOW_TRUNCATE_LONG_VALUES",
    ),
    Setting(
        "allow_ended_runs",
        "bool",
        False,
        "Accept metrics and params for a run that has ended instead of refusing them.",
    ),
    Setting("env_manager", "str", None, "Environment manager for projects and models; by default uv if installed."),
    Setting("env_dir", "str", None, "Where cached environments lie; by default the user's cache folder."),
    Setting("state_dir", "str", None, "Where logs of launched runs lie; by default the user's state folder."),
    Setting("busy_timeout", "float", 60.0, "Seconds to wait for a database that another process is writing to."),
    Setting("plugins_allow", "list", None, "Only these plugins (distributions or keys) may load."),
    Setting("plugins_block", "list", (), "These plugins (distributions or keys) may not load."),
    Setting("trace_hooks", "bool", False, "Print every hook call and its answer to standard error."),
)

SETTINGS: dict[str, Setting] = {setting.name: setting for setting in _ALL}


def get(name: str, argument: Any = None) -> Any:
    """The value in force for a setting.

    Args:
        name: A key of ``SETTINGS``.
        argument: What the caller was given; wins unless None.

    Raises:
        InvalidSetting: A variable or file entry has the wrong type.
    """
    return argument if argument is not None else _resolve(SETTINGS[name])[0]


def origin(name: str) -> str:
    """Where the value in force comes from: a variable, a file, or ``default``."""
    return _resolve(SETTINGS[name])[1]


def table() -> list[tuple[str, str, str, str]]:
    """All settings as (name, variable, default, sentence), for documentation."""
    return [(each.name, each.variable, repr(each.default), each.text) for each in _ALL]


def _resolve(setting: Setting) -> tuple[Any, str]:
    for variable in (setting.variable, setting.twin):
        # An empty variable counts as not set: that is how shells and CI systems "unset" one.
        if variable and (text := os.environ.get(variable)):
            return _converted(setting, text, variable), variable
    path = _file()
    if path is not None and setting.name in (entries := _entries(path)):
        return _converted(setting, entries[setting.name], str(path)), str(path)
    return setting.default, "default"


def _file() -> Path | None:
    """The nearest file with our settings, from the working folder up to a repository's root or the home folder."""
    folder = Path.cwd()
    for place in (folder, *folder.parents):
        if (own := place / "dovetail.toml").is_file():
            return own
        if (shared := place / "pyproject.toml").is_file() and _entries(shared):
            return shared
        if (place / ".git").exists() or place == Path.home():
            return None
    return None


_parsed: dict[tuple[str, int], dict[str, Any]] = {}


def _entries(path: Path) -> dict[str, Any]:
    key = (str(path), path.stat().st_mtime_ns)
    if key not in _parsed:
        _parsed[key] = _parse(path)
    return _parsed[key]


def _parse(path: Path) -> dict[str, Any]:
    text = path.read_text(encoding="utf-8")
    if path.name == "pyproject.toml" and "tool.dovetail" not in text:
        return {}
    content = _toml(path, text)
    entries: dict[str, Any] = content if path.name == "dovetail.toml" else content.get("tool", {}).get("dovetail", {})
    return entries


def _toml(path: Path, text: str) -> dict[str, Any]:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidSetting(
            f"{path} is not valid TOML: {error}.", hint="Correct the file, or move it away."
        ) from error


def _converted(setting: Setting, value: Any, place: str) -> Any:
    try:
        return _CONVERTERS[setting.kind](value)
    except (TypeError, ValueError) as error:
        raise InvalidSetting(
            f"{setting.name} is set to {value!r} by {place}; it must be {_EXPECTED[setting.kind]}.", hint=setting.text
        ) from error


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


_YES, _NO = {"true", "1", "yes", "on"}, {"false", "0", "no", "off"}


def _switch(value: Any) -> bool:
    word = str(value).strip().lower()
    if word not in _YES | _NO:
        raise ValueError(word)
    return word in _YES


def _words(value: Any) -> tuple[str, ...]:
    parts = value.split(",") if isinstance(value, str) else value
    return tuple(_text(part).strip() for part in parts if _text(part).strip())


_CONVERTERS: dict[str, Callable[[Any], Any]] = {"str": _text, "bool": _switch, "float": float, "list": _words}
_EXPECTED = {"str": "text", "bool": "true or false", "float": "a number", "list": "a comma-separated list"}
