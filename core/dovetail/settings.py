"""Every setting, in one table; where a value comes from is decided here alone.

Precedence: argument > environment variable > ``dovetail.toml`` or ``[tool.dovetail]`` in
``pyproject.toml`` (working folder or the nearest one above) > default. Variables that MLflow's
users already set are honoured where the dovetail one is not. Environment and files are looked at
again at each question, so changing them takes effect at once.
"""

# Settings are asked for at many calls, and pathlib takes ten times as long to look for files.
# ruff: noqa: PTH109, PTH110, PTH111, PTH113, PTH116, PTH118, PTH119, PTH120

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from dovetail.errors import InvalidSetting

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["SETTINGS", "Setting", "get", "origin", "strength", "table"]


@dataclass(frozen=True)
class Setting:
    """One thing a user can set.

    Args:
        name: Its key in ``dovetail.toml``.
        kind: ``str``, ``bool``, ``float``, ``list`` (comma-separated in the environment) or ``location``: a URI or
            path, which in a file is relative to that file's folder, elsewhere to the working folder.
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
        "tracking_uri",
        "location",
        None,
        "Where runs are tracked; by default ./dovetail.db.",
        twin="MLFLOW_TRACKING_URI",
    ),
    Setting(
        "artifact_root",
        "location",
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
    Setting("env_dir", "location", None, "Where cached environments lie; by default the user's cache folder."),
    Setting("state_dir", "location", None, "Where logs of launched runs lie; by default the user's state folder."),
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
        InvalidSetting: A variable or file entry has the wrong type, or the file cannot be read.
    """
    return argument if argument is not None else _resolve(SETTINGS[name]).value


def origin(name: str) -> str:
    """Where the value in force comes from: a variable, a file, or ``default``."""
    return _resolve(SETTINGS[name]).place


def strength(name: str) -> int:
    """How strongly a setting is set, for settings that exclude each other.

    Returns:
        3 by our variable, 2 by MLflow's, 1 by a file, 0 if nobody sets it.
    """
    return _resolve(SETTINGS[name]).strength


def table() -> list[tuple[str, str, str, str]]:
    """All settings as (name, variable, default, sentence), for documentation."""
    return [(each.name, each.variable, repr(each.default), each.text) for each in _ALL]


class _Found(NamedTuple):
    value: Any
    place: str
    strength: int


def _resolve(setting: Setting) -> _Found:
    for strength, variable in ((3, setting.variable), (2, setting.twin)):
        # An empty variable counts as not set: that is how shells and CI systems "unset" one.
        if variable and (text := os.environ.get(variable)):
            return _Found(_converted(setting, text, variable), variable, strength)
    path = _file()
    if path is not None and setting.name in (entries := _entries(path)):
        value = _converted(setting, entries[setting.name], path)
        return _Found(_anchored(value, path) if setting.kind == "location" else value, path, 1)
    return _Found(setting.default, "default", 0)


def _file() -> str | None:
    """The nearest file with our settings, from the working folder up to a repository's root or the home folder."""
    try:
        folder = os.getcwd()
    except FileNotFoundError:  # the working folder was removed
        return None
    home = os.path.expanduser("~")
    while True:
        if os.path.isfile(own := os.path.join(folder, "dovetail.toml")):
            return own
        if os.path.isfile(shared := os.path.join(folder, "pyproject.toml")) and _entries(shared):
            return shared
        above = os.path.dirname(folder)
        if folder in (home, above) or os.path.exists(os.path.join(folder, ".git")):
            return None
        folder = above


def _entries(path: str) -> dict[str, Any]:
    try:
        status = os.stat(path)
        return _parse(path, status.st_mtime_ns, status.st_size, status.st_ino)
    except OSError as error:
        raise InvalidSetting(f"{path} cannot be read: {error.strerror}.", hint="Correct the file's rights.") from error


@lru_cache(maxsize=16)
def _parse(path: str, *state: int) -> dict[str, Any]:
    """The entries of a file in one state of it, so that it is read again only when it has changed."""
    del state
    content = Path(path).read_bytes()
    own = os.path.basename(path) == "dovetail.toml"
    if not own and b"dovetail" not in content:
        return {}  # somebody else's file, which may be as broken as they like
    document = _toml(path, content)
    entries = document if own else _below(_below(document, "tool", path), "dovetail", path)
    _warn_of_strangers(path, entries)
    return entries


def _toml(path: str, content: bytes) -> dict[str, Any]:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        return tomllib.loads(content.decode("utf-8"))
    except ValueError as error:  # neither UTF-8 nor TOML
        raise InvalidSetting(
            f"{path} is not valid TOML: {error}.", hint="Correct the file, or move it away."
        ) from error


def _below(table: dict[str, Any], key: str, path: str) -> dict[str, Any]:
    inner = table.get(key, {})
    if not isinstance(inner, dict):
        raise InvalidSetting(f"{key} in {path} is {inner!r}; it must be a table.", hint="Write [tool.dovetail].")
    return inner


def _warn_of_strangers(path: str, entries: dict[str, Any]) -> None:
    """A setting that nobody reads is a slip of the pen, or meant for another version: it is said, once a state."""
    from difflib import get_close_matches

    for name in entries.keys() - SETTINGS.keys():
        import warnings

        near = get_close_matches(name, SETTINGS, n=1)
        meant = f"; did you mean {near[0]}?" if near else "."
        warnings.warn(f"{path} sets {name!r}, which is no setting of dovetail{meant}", stacklevel=2)


# Three slashes and no fourth: sqlite's way to write a relative file. A drive of Windows is absolute.
_RELATIVE_DATABASE = re.compile(r"(sqlite(?:\+\w+)?:///)(?=[^/?:])(?![A-Za-z]:)", re.IGNORECASE)
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]+:|~")


def _anchored(location: str, path: str) -> str:
    """A location in a file, relative to the file's folder: it means the same from every folder of a project."""
    folder = os.path.dirname(path)
    if match := _RELATIVE_DATABASE.match(location):
        escaped = folder.replace("%", "%25").replace("?", "%3F")
        return f"{match[1]}{escaped}/{location[match.end() :]}"
    return location if _URI.match(location) else os.path.join(folder, location)


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


def _number(value: Any) -> float:
    if isinstance(value, bool):
        raise TypeError
    number = float(value)
    if not number >= 0:  # NaN is not either
        raise ValueError(number)
    return number


def _words(value: Any) -> tuple[str, ...]:
    if not isinstance(value, (str, list)):
        raise TypeError
    parts = value.split(",") if isinstance(value, str) else value
    return tuple(_text(part).strip() for part in parts if _text(part).strip())


_CONVERTERS: dict[str, Callable[[Any], Any]] = {
    "str": _text,
    "location": _text,
    "bool": _switch,
    "float": _number,
    "list": _words,
}
_EXPECTED = {
    "str": "text",
    "location": "text",
    "bool": "true or false",
    "float": "a number of at least 0",
    "list": "a comma-separated list",
}
