"""From an entry point and values to the command line that runs."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dovetail import locations, uris
from dovetail.artifacts import transfer
from dovetail.documents import shown
from dovetail.errors import InvalidProject
from dovetail.projects.quoting import substituted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dovetail.projects.project import EntryPoint, Parameter

__all__ = ["Command"]

_NUMBER = re.compile(
    r"\s*[+-]?(([0-9]+(\.[0-9]*)?|\.[0-9]+)(e[+-]?[0-9]+)?|inf|infinity|nan)\s*", re.IGNORECASE | re.ASCII
)
# What may stand behind the two dashes of an undeclared parameter.
_KEY = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\-]*")


class Command:
    """The command of an entry point with its values.

    Args:
        entry_point: What to run.
        given: Values by parameter name; None counts as not given, and declared defaults fill the rest. Relative
            ``path`` and ``uri`` values are relative to the working folder.
        folder: The project's folder, which relative defaults are relative to; by default the working folder.
        storage: Where remote ``path`` values are downloaded to; by default a private temporary folder each.

    Attributes:
        values: Every parameter with its value as it was given or declared, to be logged.
        text: The command line for the shell.

    Raises:
        InvalidProject: Values are missing or ill-typed; all missing ones are named.
    """

    def __init__(
        self,
        entry_point: EntryPoint,
        given: Mapping[str, Any],
        *,
        folder: Path | None = None,
        storage: Path | None = None,
    ) -> None:
        declared = entry_point.parameters
        chosen = {name: str(value) for name, value in given.items() if value is not None}
        _check_missing(entry_point, chosen)
        defaults = {name: each.default for name, each in declared.items() if each.default is not None}
        self.values: dict[str, str] = {**defaults, **chosen}
        for name, value in self.values.items():
            _check(name, value, declared.get(name))
        places = {name: Path() if name in chosen else folder or Path() for name in declared}
        resolved = {name: _resolved(each, self.values[name], places[name], storage) for name, each in declared.items()}
        extra = {name: value for name, value in self.values.items() if name not in declared}
        # A block of YAML ends with a line break, which would part the flags from their command.
        self.text = " ".join([substituted(entry_point.command, resolved).rstrip(), *_flags(extra)])


def _check_missing(entry_point: EntryPoint, chosen: Mapping[str, str]) -> None:
    required = [name for name, each in entry_point.parameters.items() if each.default is None]
    if missing := [name for name in required if name not in chosen]:
        raise InvalidProject(
            f"Entry point {entry_point.name!r} needs a value for {', '.join(missing)}.",
            hint=f"Add {' '.join(f'-P {name}=…' for name in missing)}",
        )


def _check(name: str, value: str, parameter: Parameter | None) -> None:
    if parameter is None and not _KEY.fullmatch(name):
        raise InvalidProject(
            f"{name!r} is no parameter name.", hint="A name has letters, digits, dots, dashes and underscores."
        )
    if "\x00" in value:
        raise InvalidProject(f"The value of parameter {name!r} holds a NUL character.", hint="Leave it out.")
    if parameter and parameter.kind in ("float", "int") and not _NUMBER.fullmatch(value):
        raise InvalidProject(f"Parameter {name!r} must be a number, not {shown(value)}.", hint=f"-P {name}=0.5")
    if parameter and parameter.kind == "int" and not float(value).is_integer():
        raise InvalidProject(f"Parameter {name!r} must be a whole number, not {shown(value)}.", hint=f"-P {name}=5")


def _resolved(parameter: Parameter, value: str, place: Path, storage: Path | None) -> str:
    if parameter.kind == "path":
        return str(_local(parameter, value, place, storage))
    if parameter.kind == "uri" and uris.is_local(value) and not value.lower().startswith("file:"):
        return str(_path(value, place))
    return value


def _local(parameter: Parameter, value: str, place: Path, storage: Path | None) -> Path:
    if uris.is_local(value):
        path = _path(value, place)
        if not _exists(path):
            raise InvalidProject(
                f"Parameter {parameter.name!r} names {shown(str(path))}, which does not exist.",
                hint="Relative paths are relative to the working folder, and defaults to the project's folder.",
            )
        return path
    import tempfile

    store, path_in_store = locations.locate(value)
    if storage is not None:
        storage.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix="dovetail-path-", dir=storage)).absolute()
    return transfer.download(store, path_in_store, scratch)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # longer than a path can be
        return False


def _path(value: str, place: Path) -> Path:
    """The local path that a value names, relative to a folder."""
    # An absolute path or URI wins over the folder it is joined to.
    return uris.path_of(value if value.startswith("~") or ":" in value else str(place.absolute() / value))


def _flags(extra: Mapping[str, str]) -> list[str]:
    return [part for name, value in extra.items() for part in (f"--{name}", shlex.quote(value))]
