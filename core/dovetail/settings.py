"""Every setting, in one table; where a value comes from is decided here alone.

Precedence: argument > environment variable > the same variable in a ``.env`` > ``dovetail.toml``
or ``[tool.dovetail]`` in ``pyproject.toml`` > default; files are those of the working folder or
the nearest ones above. Variables that MLflow's users already set are honoured where the dovetail
one is not. Environment and files are looked at again at each question, so changing them takes
effect at once.
"""

# Settings are asked for at many calls, and pathlib takes ten times as long.
# ruff: noqa: PTH118, PTH120

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from dovetail import setting_files
from dovetail.durations import GRAMMAR, seconds_of
from dovetail.errors import InvalidSetting

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["SETTINGS", "Setting", "get", "origin", "strength", "table"]


@dataclass(frozen=True)
class Setting:
    """One thing a user can set.

    Args:
        name: Its key in ``dovetail.toml``.
        kind: ``str``, ``bool``, ``float``, ``list`` (comma-separated in the environment), ``duration`` (seconds;
            written as ``durations`` says) or ``location``: a URI or path, which in a file is relative to that file's
            folder, elsewhere to the working folder.
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
        "registry_uri",
        "location",
        None,
        "Where models are registered; by default where runs are tracked.",
        twin="MLFLOW_REGISTRY_URI",
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
    Setting(
        "install_python",
        "bool",
        False,
        "Let pyenv or uv install a Python that a project or model asks for and that is not on this machine.",
    ),
    Setting("state_dir", "location", None, "Where logs of launched runs lie; by default the user's state folder."),
    Setting(
        "artifacts_progress",
        "bool",
        True,
        "Show long uploads and downloads of artifacts as bars on the terminal.",
        twin="MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR",
    ),
    Setting(
        "retention",
        "duration",
        0.0,
        "How long what is deleted stays in the bin before `dovetail gc` takes it away for good, such as 30d.",
    ),
    Setting("busy_timeout", "float", 60.0, "Seconds to wait for a database that another process is writing to."),
    Setting("dotenv", "bool", True, "Read settings from .env files."),
    Setting("plugins_allow", "list", None, "Only these plugins (distributions or keys) may load."),
    Setting("plugins_block", "list", (), "These plugins (distributions or keys) may not load."),
    Setting("trace_hooks", "bool", False, "Print every hook call and its answer to standard error."),
)

SETTINGS: dict[str, Setting] = {setting.name: setting for setting in _ALL}
_NAMES = frozenset(SETTINGS)
_VARIABLES = frozenset(filter(None, (name for each in _ALL for name in (each.variable, each.twin))))


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
        5 by our variable, 4 by MLflow's, 3 and 2 by these in a ``.env``, 1 by another file, 0 if nobody sets it.
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
    for strength, variable in ((5, setting.variable), (4, setting.twin)):
        # An empty variable counts as not set: that is how shells and CI systems "unset" one.
        if variable and (text := os.environ.get(variable)):
            return _Found(_converted(setting, text, variable), variable, strength)
    files = setting_files.look(_NAMES)
    return _in_dotenv(setting, files) or _in_file(setting, files) or _Found(setting.default, "default", 0)


def _in_dotenv(setting: Setting, files: setting_files.Found) -> _Found | None:
    if not files.dotenvs or not _dotenv_counts(files):
        return None
    for source in files.dotenvs:
        if entries := setting_files.entries_of_dotenv(source, _VARIABLES):
            # The nearest one with any of ours holds, unless it says itself that it is not meant.
            switch = _entry(SETTINGS["dotenv"], entries, source.path)
            meant = switch is None or switch.value or setting.name == "dotenv"
            return _entry(setting, entries, source.path) if meant else None
    return None


def _dotenv_counts(files: setting_files.Found) -> bool:
    switch = SETTINGS["dotenv"]
    if text := os.environ.get(switch.variable):
        return bool(_converted(switch, text, switch.variable))
    found = _in_file(switch, files)
    return found is None or bool(found.value)


def _entry(setting: Setting, entries: dict[str, str], path: str) -> _Found | None:
    for strength, variable in ((3, setting.variable), (2, setting.twin)):
        if variable and (text := entries.get(variable)):
            return _Found(_anchored(setting, _converted(setting, text, path), path), path, strength)
    return None


def _in_file(setting: Setting, files: setting_files.Found) -> _Found | None:
    if setting.name not in files.entries:
        return None
    value = _converted(setting, files.entries[setting.name], files.path)
    return _Found(_anchored(setting, value, files.path), files.path, 1)


# Three slashes and no fourth: sqlite's way to write a relative file. A drive of Windows is absolute.
_RELATIVE_DATABASE = re.compile(r"((?:dovetail\+)?sqlite(?:\+\w+)?:///)(?=[^/?:])(?![A-Za-z]:)", re.IGNORECASE)
_RELATIVE_FILE = re.compile(r"(file:)(?=[^/])(?![A-Za-z]:)", re.IGNORECASE)
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]+:|~")


def _anchored(setting: Setting, value: Any, path: str) -> Any:
    """A location in a file, relative to the file's folder: it means the same from every folder of a project."""
    if setting.kind != "location":
        return value
    folder = os.path.dirname(path)
    if match := _RELATIVE_DATABASE.match(value):
        escaped = folder.replace("%", "%25").replace("?", "%3F")
        return f"{match[1]}{escaped}/{value[match.end() :]}"
    if match := _RELATIVE_FILE.match(value):
        from urllib.parse import quote

        return f"{match[1]}{quote(folder)}/{value[match.end() :]}"
    return value if _URI.match(value) else os.path.join(folder, value)


def _converted(setting: Setting, value: Any, place: str) -> Any:
    try:
        return _CONVERTERS[setting.kind](value)
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidSetting(
            f"{setting.name} is set to {_shown(setting, value)} by {place}; it must be {_EXPECTED[setting.kind]}.",
            hint=setting.text,
        ) from error


def _shown(setting: Setting, value: Any) -> str:
    # Locations may have passwords in them.
    if setting.kind == "location" and not isinstance(value, str):
        return f"a {type(value).__name__}"
    return repr(value) if isinstance(value, str) else _shortened(value)


def _shortened(value: Any) -> str:
    from reprlib import repr as shortened

    return shortened(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _location(value: Any) -> str:
    if not _text(value).strip():
        raise ValueError(value)
    return str(value)


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


def _duration(value: Any) -> float:
    # A number alone would not say of what; none of anything is none.
    return seconds_of("0" if value == 0 and not isinstance(value, bool) else _text(value))


_CONVERTERS: dict[str, Callable[[Any], Any]] = {
    "str": _text,
    "location": _location,
    "bool": _switch,
    "float": _number,
    "list": _words,
    "duration": _duration,
}
_EXPECTED = {
    "str": "text",
    "location": "a URI or path",
    "bool": "true or false",
    "float": "a number of at least 0",
    "list": "a comma-separated list",
    "duration": GRAMMAR,
}
