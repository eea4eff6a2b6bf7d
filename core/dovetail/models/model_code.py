"""The user's own code that a model brings."""

from __future__ import annotations

import importlib
import sys
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from dovetail.models.manifest import inside

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    from dovetail.models.manifest import Manifest

__all__ = ["ModelCode"]

# One thread at a time changes what is importable; ``_in_use`` is whose code that is.
_lock = threading.RLock()
_in_use: list[ModelCode] = []


class ModelCode:
    """Files that are importable while their model is in use.

    The code of one model is importable at a time, ahead of everything else, so that modules of one name in two models
    do not mix: whoever uses a model calls ``use`` first. A module that was imported from an equal file stays as it is.

    Args:
        folder: The folder that holds the files; None for a model without code.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = None if folder is None else folder.resolve()
        self._modules: dict[str, ModuleType] = {}
        self._displaced: dict[str, ModuleType] = {}

    @classmethod
    def of(cls, folder: Path, manifest: Manifest) -> ModelCode:
        """The code that a model's manifest names.

        Raises:
            InvalidModel: It names a place outside the model.
        """
        named = [conf["code"] for conf in manifest.flavors.values() if conf.get("code")]
        return cls(inside(folder, named[0], "code folder")) if named else cls()

    def use(self) -> None:
        """Make this code importable, instead of the code of the model that was in use before."""
        if self._folder is None:
            return
        with _lock:
            if [each._folder for each in _in_use] == [self._folder]:  # noqa: SLF001 - another one of these
                return
            _leave_all()
            self._enter(self._folder)
            _in_use.append(self)

    @contextmanager
    def used(self) -> Iterator[None]:
        """Make this code importable for the length of a block."""
        with _lock:
            before = list(_in_use)
            self.use()
            try:
                yield
            finally:
                if _in_use != before:
                    _leave_all()
                    for each in before:
                        each.use()

    def _enter(self, folder: Path) -> None:
        self._displaced = {name: sys.modules.pop(name) for name in _foreign(folder)}
        sys.modules.update(self._modules)
        sys.path.insert(0, str(folder))
        importlib.invalidate_caches()

    def leave(self) -> None:
        """Take this code away again; what it displaced is back."""
        folder = str(self._folder)
        own = [name for name, module in sys.modules.items() if _file(module).startswith(folder)]
        self._modules = {name: sys.modules.pop(name) for name in own}
        sys.modules.update(self._displaced)
        sys.path[:] = [entry for entry in sys.path if entry != folder]


def _leave_all() -> None:
    while _in_use:
        _in_use.pop().leave()


def _foreign(folder: Path) -> list[str]:
    """Imported modules with the names of modules in the folder, unless every one is from an equal file."""
    roots = {each.stem for each in folder.iterdir() if each.is_dir() or each.suffix == ".py"}
    imported: dict[str, list[str]] = {}
    for name in list(sys.modules):
        if (root := name.split(".")[0]) in roots:
            imported.setdefault(root, []).append(name)
    kept = {root for root, names in imported.items() if all(_is_equal(folder, name) for name in names)}
    return [name for root in imported.keys() - kept for name in imported[root]]


def _is_equal(folder: Path, name: str) -> bool:
    file = Path(_file(sys.modules[name]))
    base = folder.joinpath(*name.split("."))
    own = base / "__init__.py" if file.name == "__init__.py" else base.with_suffix(".py")
    # A package without __init__.py has no file that could differ.
    return (not file.name and base.is_dir()) or (
        own.is_file() and file.is_file() and own.read_bytes() == file.read_bytes()
    )


def _file(module: ModuleType | None) -> str:
    return str(getattr(module, "__file__", None) or "")
