"""Projects as they lie on disk: ``MLproject``, entry points, parameters, environment."""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dovetail.documents import read_yaml, shown
from dovetail.environments.spec import EnvSpec, read_python_env
from dovetail.errors import InvalidProject

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["EntryPoint", "Parameter", "Project"]

FILE = "mlproject"
TYPES = ("string", "float", "int", "path", "uri")
ENVIRONMENTS = ("python_env", "conda_env", "docker_env")
# Environment files that count although nothing names them; the first that is there.
CONVENTIONS = {"python_env": "python_env.yaml", "conda_env": "conda.yaml"}
_KEYS = ("name", *ENVIRONMENTS, "entry_points")
_IDENTIFIER = re.compile(r"[A-Za-z_][\w\-]*\Z")
# How files that are no declared entry point are run.
_INTERPRETERS = {".py": "python", ".sh": "bash"}


@dataclass(frozen=True)
class Parameter:
    """A declared parameter of an entry point.

    Args:
        name: Its name in the command.
        kind: ``string``, ``float``, ``int``, ``path`` or ``uri``.
        default: Its value when none is given; None makes it required.
    """

    name: str
    kind: str = "string"
    default: str | None = None


@dataclass(frozen=True)
class EntryPoint:
    """A command of a project.

    Args:
        name: What it is called by.
        command: The author's text, with ``{parameter}`` where values go.
        parameters: The declared parameters by name.
    """

    name: str
    command: str
    parameters: Mapping[str, Parameter] = field(default_factory=dict)


@dataclass(frozen=True)
class Project:
    """A folder of code with named entry points.

    Args:
        folder: Where it lies.
        name: Its name; the folder's if it says none.
        entry_points: The declared ones by name.
        environment: ``python_env``, ``conda_env``, ``docker_env``, or None if it names none.
        env_file: The environment file, for the first two.
        container: What stands below ``docker_env``.
    """

    folder: Path
    name: str
    entry_points: Mapping[str, EntryPoint] = field(default_factory=dict)
    environment: str | None = None
    env_file: Path | None = None
    container: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, folder: Path) -> Project:
        """Read a project folder; without an ``MLproject`` file (any case) conventions hold.

        Raises:
            InvalidProject: The file is wrong; the message says where and what was expected.
        """
        path = _project_file(folder)
        content = read_yaml(path, error=InvalidProject) if path else {}
        where = str(path or folder)
        _check_keys(where, content)
        environment = _environment(where, content) or _lying_there(folder)
        name = content.get("name")
        return cls(
            folder=folder,
            name=str(name) if name is not None else folder.resolve().name,
            entry_points=_entry_points(where, content.get("entry_points")),
            environment=environment,
            env_file=_env_file(folder, where, environment, content),
            container=_container(where, content.get("docker_env")) if environment == "docker_env" else {},
        )

    def entry_point(self, name: str) -> EntryPoint:
        """A declared entry point, or a ``.py`` or ``.sh`` file below the folder.

        Raises:
            InvalidProject: There is neither.
        """
        if name in self.entry_points:
            return self.entry_points[name]
        interpreter = _INTERPRETERS.get(Path(name).suffix)
        if interpreter and self._holds(name):
            import shlex

            # A name that starts with a dash would be an option.
            file = f"./{name}" if name.startswith("-") else name
            return EntryPoint(name, f"{interpreter} {shlex.quote(_literal(file))}")
        raise self._no_entry_point(name)

    def env_spec(self) -> EnvSpec:
        """The Python environment the project names; an empty one if it names none.

        Raises:
            InvalidProject: The environment file is wrong.
        """
        if self.env_file is None:
            return EnvSpec()
        if self.environment == "conda_env":
            from dovetail.projects.conda_env import read_conda_env

            return read_conda_env(self.env_file)
        return read_python_env(self.env_file)

    def _holds(self, name: str) -> bool:
        try:
            file = (self.folder / name).resolve()
            return file.is_file() and file.is_relative_to(self.folder.resolve())
        except (OSError, ValueError):  # no file could have this name
            return False

    def _no_entry_point(self, name: str) -> InvalidProject:
        files = [path.name for path in sorted(self.folder.glob("*")) if path.suffix in _INTERPRETERS]
        known = [*self.entry_points, *files]
        close = get_close_matches(name, known, n=1)
        return InvalidProject(
            f"Project {self.name!r} has no entry point {name!r}.{f' Did you mean {close[0]!r}?' if close else ''}",
            hint=f"It has: {', '.join(known)}; choose one with -e {known[0]}."
            if known
            else f"Add an MLproject file or a script to {self.folder}.",
        )


def _literal(name: str) -> str:
    """A file name as part of a command, whose braces would otherwise be parameters."""
    return name.replace("{", "{{").replace("}", "}}")


def _project_file(folder: Path) -> Path | None:
    if not folder.is_dir():
        raise InvalidProject(f"{folder} is no folder.", hint="Give the folder of a project.")
    try:
        found = sorted(path for path in folder.iterdir() if path.name.lower() == FILE and path.is_file())
    except OSError as error:
        raise InvalidProject(f"{folder} cannot be read: {error.strerror}.", hint="Ask for permission.") from error
    if len(found) > 1:
        names = " and ".join(path.name for path in found)
        raise InvalidProject(f"{folder} has {names}; one project file is expected.", hint="Remove one.")
    return found[0] if found else None


def _check_keys(where: str, content: Mapping[str, Any]) -> None:
    _check_known(where, content, _KEYS)
    if "name" in content and not isinstance(content["name"], (str, int, float, type(None))):
        raise InvalidProject(f"{where}: name must be text, not {type(content['name']).__name__}.", hint="name: wine")


def _check_known(where: str, content: Mapping[Any, Any], known: tuple[str, ...]) -> None:
    """A misspelt key is an error; one that is meant for other tools only gets a warning."""
    for key in content:
        if key in known:
            continue
        if close := get_close_matches(str(key).lower(), known, n=1, cutoff=0.75):
            raise InvalidProject(
                f"{where}: unknown key {shown(key)}. Did you mean {close[0]!r}?", hint=f"Known are {', '.join(known)}."
            )
        warnings.warn(f"{where}: the key {shown(key)} is not known and not looked at.", stacklevel=4)


def _environment(where: str, content: Mapping[str, Any]) -> str | None:
    named = [key for key in ENVIRONMENTS if content.get(key) is not None]
    if len(named) > 1:
        raise InvalidProject(f"{where} names {' and '.join(named)}; a project runs in one of them.", hint="Keep one.")
    return named[0] if named else None


def _lying_there(folder: Path) -> str | None:
    return next((kind for kind, name in CONVENTIONS.items() if (folder / name).is_file()), None)


def _env_file(folder: Path, where: str, environment: str | None, content: Mapping[str, Any]) -> Path | None:
    if environment not in CONVENTIONS:
        return None
    name = content.get(environment) or CONVENTIONS[environment]
    path = folder / name if isinstance(name, str) and "\x00" not in name else None
    if path is None or not path.resolve().is_relative_to(folder.resolve()):
        raise InvalidProject(
            f"{where}: {environment} must be the path of a file in the project, not {shown(name)}.",
            hint=f"{environment}: {CONVENTIONS[environment]}",
        )
    if not path.is_file():
        raise InvalidProject(
            f"{where}: {environment} names {name}, which is no file in {folder}.", hint="Correct the path, or add it."
        )
    return path


def _container(where: str, content: Any) -> Mapping[str, Any]:
    if not isinstance(content, dict) or not isinstance(content.get("image"), str):
        raise InvalidProject(
            f"{where}: docker_env must be a mapping with an image.", hint="docker_env: {image: name:tag}"
        )
    return content


def _entry_points(where: str, content: Any) -> dict[str, EntryPoint]:
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise InvalidProject(
            f"{where}: entry_points must be a mapping of names, not {type(content).__name__}.",
            hint='entry_points: {main: {command: "python train.py"}}',
        )
    return {
        str(name): _entry_point(f"{where}: entry point {shown(name)}", str(name), body)
        for name, body in content.items()
    }


def _entry_point(where: str, name: str, body: Any) -> EntryPoint:
    if not isinstance(body, dict) or not isinstance(body.get("command"), str) or not body["command"].strip():
        raise InvalidProject(f"{where} has no command.", hint='Expected `command: "python train.py"` below it.')
    if "\x00" in body["command"]:
        raise InvalidProject(f"{where}: the command holds a NUL character.", hint="Leave it out.")
    _check_known(where, body, ("command", "parameters"))
    declared = {} if body.get("parameters") is None else body["parameters"]
    if not isinstance(declared, dict):
        raise InvalidProject(
            f"{where}: parameters must be a mapping, not {type(declared).__name__}.",
            hint="parameters: {alpha: {type: float, default: 0.1}}",
        )
    parameters = {
        str(key): _parameter(f"{where}, parameter {shown(key)}", str(key), each) for key, each in declared.items()
    }
    _check_command(where, body["command"], parameters)
    return EntryPoint(name, body["command"], parameters)


def _parameter(where: str, name: str, body: Any) -> Parameter:
    if not _IDENTIFIER.match(name):
        raise InvalidProject(
            f"{where}: a parameter name is letters, digits, _ and -, starting with a letter or _.", hint="Rename it."
        )
    content = {"type": body} if isinstance(body, str) else body
    if not isinstance(content, dict):
        raise InvalidProject(
            f"{where} must be a type or {{type, default}}, not {shown(body)}.",
            hint="alpha: {type: float, default: 0.1}",
        )
    _check_known(where, content, ("type", "default"))
    default = content.get("default")
    if isinstance(default, (dict, list)):
        raise InvalidProject(f"{where}: the default must be a single value, not {shown(default)}.", hint="default: 0.1")
    return Parameter(name, _kind(where, content.get("type", "string")), None if default is None else str(default))


def _kind(where: str, kind: Any) -> str:
    if kind in TYPES:
        return str(kind)
    close = get_close_matches(str(kind).lower(), TYPES, n=1, cutoff=0.75)
    if close or not isinstance(kind, str):
        raise InvalidProject(
            f"{where} has the type {shown(kind)}.{f' Did you mean {close[0]!r}?' if close else ''}",
            hint=f"Types are {', '.join(TYPES)}.",
        )
    warnings.warn(f"{where} has the type {shown(kind)}, which is not known; its values are not checked.", stacklevel=4)
    return "string"


def _check_command(where: str, command: str, parameters: Mapping[str, Parameter]) -> None:
    from dovetail.projects.quoting import fields

    try:
        names = fields(command)
    except ValueError as error:
        raise InvalidProject(
            f"{where}: the command cannot be read: {error}.", hint="Write {{ and }} for literal braces."
        ) from error
    if unknown := sorted(names - set(parameters)):
        raise InvalidProject(
            f"{where}: the command uses {{{unknown[0]}}}, which is no declared parameter.",
            hint=f"Declare it under parameters (`{unknown[0]}: string`), or write {{{{ and }}}} for literal braces.",
        )
