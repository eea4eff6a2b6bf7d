"""Which distributions a piece of code needs, pinned to the versions that are here."""

from __future__ import annotations

import ast
import builtins
import json
import os
import re
import sys
import threading
import warnings
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from dovetail.environments.pickles import modules_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from importlib.metadata import Distribution
    from pathlib import Path

__all__ = [
    "distributions_of",
    "homeless",
    "imports_in",
    "of_this_machine",
    "pickled_modules",
    "pinned",
    "pinned_all",
    "unmet",
    "watched_imports",
]


# One thread at a time takes the place of the import statement, and gives it back.
_watching = threading.RLock()


def pickled_modules(path: Path) -> set[str]:
    """The modules that a pickle refers to, found by reading its opcodes; nothing in it is executed."""
    return modules_in(path)


def imports_in(folder: Path) -> set[str]:
    """The root packages that the Python files below a folder import, found by parsing; nothing is executed.

    What the folder holds itself is left out. A file that this Python cannot parse is warned about.
    """
    found: set[str] = set()
    for file in folder.rglob("*.py"):
        try:
            tree = ast.parse(file.read_bytes())
        except (SyntaxError, ValueError) as error:
            warnings.warn(f"{file.name} is no Python, so that its imports are not known: {error}", stacklevel=2)
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                found.update(alias.name.split(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module.split(".")[0])
    return found - {each.stem for each in folder.iterdir()}


@contextmanager
def watched_imports() -> Iterator[set[str]]:
    """The root packages that import statements name while the block runs, those in functions of libraries too."""
    found: set[str] = set()
    with _watching:
        original = builtins.__import__

        def watching(name: str, *arguments: Any, **options: Any) -> Any:
            module = original(name, *arguments, **options)
            level = options.get("level", arguments[3] if len(arguments) > 3 else 0)  # noqa: PLR2004 - the last argument
            if not level:
                found.add(name.partition(".")[0])
            return module

        builtins.__import__ = watching
        try:
            yield found
        finally:
            builtins.__import__ = original


def distributions_of(modules: Iterable[str]) -> dict[str, str]:
    """Root package -> distribution, for those that come from one; of several, the one named like the package."""
    table = _packages()
    found = {}
    for module in modules:
        root = module.split(".")[0]
        if names := table.get(root):
            same = [name for name in names if _normal(name) == _normal(root)]
            found[root] = (same or sorted(names))[0]
    return found


def homeless(modules: Iterable[str]) -> list[str]:
    """Root packages that belong to neither Python nor a distribution: the user's own files."""
    roots = {module.split(".")[0] for module in modules}
    own = roots - sys.stdlib_module_names - set(_packages()) - {"", "__main__", "__mp_main__", "builtins"}
    return sorted(own)


def unmet(modules: Iterable[str], distributions: Iterable[str]) -> set[str]:
    """Those root packages whose distributions are neither among these nor required by them, extras left aside."""
    there = _closure(distributions)
    return {root for root, name in distributions_of(modules).items() if _normal(name) not in there}


def pinned(distribution: str) -> str | None:
    """The requirement line for exactly what is installed here, None if it is not installed.

    ``name==version`` for what an index serves, without the local part of the version (``2.3+cpu``); ``name @ address``
    for what was installed from an address that others can reach too.
    """
    found = _installed(distribution)
    if found is None:
        return None
    address = _address(found)
    name = _normal(distribution)
    return f"{name} @ {address}" if address else f"{name}=={found.version.split('+')[0]}"


def pinned_all(modules: Iterable[str], distributions: Iterable[str] = ()) -> list[str]:
    """Pinned requirements of the distributions behind packages, and of further distributions; sorted, each once."""
    names = {*distributions_of(modules).values(), *distributions}
    return sorted({line for name in names if (line := pinned(name))}, key=str.lower)


def of_this_machine(modules: Iterable[str]) -> list[str]:
    """The distributions behind packages that were installed from a folder or file here: no index may have them.

    Those of dovetail are left out: they are packed into wheels for whoever needs them.
    """
    names = {_normal(name) for name in distributions_of(modules).values()}
    found = [
        name for name in names if not name.startswith("dovetail") and (each := _installed(name)) and _is_local(each)
    ]
    return sorted(found)


def _installed(name: str) -> Distribution | None:
    from importlib import metadata

    try:
        return metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return None


def _origin(distribution: Distribution) -> dict[str, Any]:
    """Where an installer says it took the distribution from; nothing for an index."""
    text = distribution.read_text("direct_url.json")
    try:
        origin = json.loads(text) if text else {}
    except ValueError:  # written by somebody else than an installer: it says nothing
        return {}
    return origin if isinstance(origin, dict) else {}


def _address(distribution: Distribution) -> str | None:
    origin = _origin(distribution)
    url = str(origin.get("url", ""))
    if not url or url.startswith("file:"):
        return None
    version_control = origin.get("vcs_info")
    if not version_control:
        return url
    return f"{version_control.get('vcs')}+{url}@{version_control.get('commit_id')}"


def _is_local(distribution: Distribution) -> bool:
    return str(_origin(distribution).get("url", "")).startswith("file:")


def _closure(distributions: Iterable[str]) -> set[str]:
    waiting, seen = [_normal(name) for name in distributions], set[str]()
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            found = _installed(name)
            waiting += [_required(line) for line in (found.requires if found else None) or [] if "extra ==" not in line]
    return seen


def _required(line: str) -> str:
    match = re.match(r"[A-Za-z0-9._-]+", line.strip())
    return _normal(match.group()) if match else ""


def _packages() -> Mapping[str, list[str]]:
    return _packages_at(tuple(_stamp(entry) for entry in sys.path))


@lru_cache(maxsize=1)
def _packages_at(places: tuple[tuple[str, float], ...]) -> Mapping[str, list[str]]:
    # Reading all metadata takes a while; an installation changes the time of its folder.
    del places
    from importlib import metadata

    if sys.version_info >= (3, 11):
        return metadata.packages_distributions()
    table: dict[str, list[str]] = {}
    for distribution in metadata.distributions():
        for package in _top_level(distribution):
            table.setdefault(package, []).append(distribution.metadata["Name"])
    return table


def _top_level(distribution: Distribution) -> set[str]:
    """The import packages of a distribution; Python 3.10 itself knows only those that setuptools built."""
    if listed := distribution.read_text("top_level.txt"):
        return set(listed.split())
    files = [path for path in distribution.files or () if path.suffix in (".py", ".so", ".pyd")]
    return {path.parts[0].split(".")[0] for path in files} - {"", "__pycache__"}


def _stamp(entry: str) -> tuple[str, float]:
    try:
        return entry, os.stat(entry or os.curdir).st_mtime  # noqa: PTH116 - not every entry is a path
    except OSError:
        return entry, 0.0


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
