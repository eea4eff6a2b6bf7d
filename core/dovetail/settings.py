"""Settings (all of them stand in ``setting_table``); where a value comes from is decided here alone.

Precedence: argument > environment variable > the same variable in a ``.env`` > ``dovetail.toml``
or ``[tool.dovetail]`` in ``pyproject.toml`` > default; files are those of the working folder or
the nearest ones above. Variables that MLflow's users already set are honoured where the dovetail
one is not. Environment and files are looked at again at each question, so changing them takes
effect at once; a call that asks for many settings looks at files once (``steady``).
"""

# Settings are asked for at many calls, and pathlib takes ten times as long.
# ruff: noqa: PTH118, PTH120

from __future__ import annotations

import os
import re
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from dovetail import setting_files
from dovetail.durations import GRAMMAR, seconds_of
from dovetail.errors import InvalidSetting
from dovetail.setting_table import ALL, Setting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["SETTINGS", "Setting", "get", "origin", "steady", "strength", "table"]


SETTINGS: dict[str, Setting] = {setting.name: setting for setting in ALL}
_NAMES = frozenset(SETTINGS)
_VARIABLES = frozenset(filter(None, (name for each in ALL for name in (each.variable, each.twin))))


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
    return [(each.name, each.variable, repr(each.default), each.text) for each in ALL]


class _Found(NamedTuple):
    value: Any
    place: str
    strength: int


def _resolve(setting: Setting) -> _Found:
    for strength, variable in ((5, setting.variable), (4, setting.twin)):
        # An empty variable counts as not set: that is how shells and CI systems "unset" one.
        if variable and (text := os.environ.get(variable)):
            return _Found(_converted(setting, text, variable), variable, strength)
    files = _look()
    return _in_dotenv(setting, files) or _in_file(setting, files) or _Found(setting.default, "default", 0)


class _Steady(threading.local):
    """What a thread found when it looked at the files, for as long as it may take that for granted."""

    depth = 0
    found: setting_files.Found | None = None


_steady = _Steady()


@contextmanager
def steady() -> Iterator[None]:
    """Look at the files once for the whole block, in this thread: for calls that ask for many settings."""
    _steady.depth += 1
    try:
        yield
    finally:
        _steady.depth -= 1
        if not _steady.depth:
            _steady.found = None


def _look() -> setting_files.Found:
    if not _steady.depth:
        return setting_files.look(_NAMES)
    if _steady.found is None:
        _steady.found = setting_files.look(_NAMES)
    return _steady.found


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
_RELATIVE_FILE = re.compile(r"(file:|(?:dovetail\+)?dir:(?!~))(?=[^/])(?![A-Za-z]:)", re.IGNORECASE)
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
        return _word(value, setting.words) if setting.words else _CONVERTERS[setting.kind](value)
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidSetting(
            f"{setting.name} is set to {_shown(setting, value)} by {place}; it must be {_expected(setting)}.",
            hint=setting.text,
        ) from error


def _shown(setting: Setting, value: Any) -> str:
    if setting.kind == "secret":
        return "something else"
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


def _count(value: Any) -> int:
    if isinstance(value, (bool, float)):
        raise TypeError
    number = int(value)
    if number < 1:
        raise ValueError(number)
    return number


def _words(value: Any) -> tuple[str, ...]:
    if not isinstance(value, (str, list)):
        raise TypeError
    parts = value.split(",") if isinstance(value, str) else value
    return tuple(_text(part).strip() for part in parts if _text(part).strip())


def _word(value: Any, words: tuple[str, ...]) -> str:
    word = _text(value).strip().lower()
    if word not in words:
        raise ValueError(word)
    return word


def _expected(setting: Setting) -> str:
    return f"one of {', '.join(setting.words)}" if setting.words else _EXPECTED[setting.kind]


def _duration(value: Any) -> float:
    # A number alone would not say of what; none of anything is none.
    return seconds_of("0" if value == 0 and not isinstance(value, bool) else _text(value))


_CONVERTERS: dict[str, Callable[[Any], Any]] = {
    "str": _text,
    "secret": _text,
    "location": _location,
    "bool": _switch,
    "float": _number,
    "count": _count,
    "list": _words,
    "duration": _duration,
}
_EXPECTED = {
    "str": "text",
    "secret": "text",
    "location": "a URI or path",
    "bool": "true or false",
    "float": "a number of at least 0",
    "count": "a whole number of at least 1",
    "list": "a comma-separated list",
    "duration": GRAMMAR,
}
