"""Changing what a saved model requires, where it lies."""

from __future__ import annotations

import errno
import io
import os
import shutil
import tempfile
from abc import ABC, abstractmethod
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dovetail import locations, uris
from dovetail.documents import read_yaml
from dovetail.environments.spec import requirement_name
from dovetail.errors import DovetailError, InvalidInput, InvalidModel, NotFound, StoreError, StoreReadOnly
from dovetail.models.amendment import Amendment
from dovetail.models.manifest import FILE, inside
from dovetail.models.requirement import Requirement

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from dovetail.artifacts.store import ArtifactStore

__all__ = ["RequirementsChange", "update_model_requirements"]

_READ_ONLY = {errno.EACCES, errno.EPERM, errno.EROFS}
PIP, CONDA, PYTHON_ENV = "requirements.txt", "conda.yaml", "python_env.yaml"


@dataclass(frozen=True)
class RequirementsChange:
    """What ``update_model_requirements`` did.

    Args:
        before: The requirement lines there were.
        after: Those there are now.
        files: The files that were written.
        absent: Distributions that were to be removed and were not named anywhere.
    """

    before: tuple[str, ...]
    after: tuple[str, ...]
    files: tuple[str, ...]
    absent: tuple[str, ...] = ()


def update_model_requirements(
    model_uri: str | os.PathLike[str], operation: str, requirement_list: Sequence[str]
) -> RequirementsChange:
    """Add requirements to a saved model, or remove some, in each of its files that says them.

    A requirement that is added takes the place of those for the same distribution, however its name is spelt; others
    keep their order, and comments stay. Versions do not matter for removing. Conda's own packages are left alone.

    Every file appears whole; if one cannot be written, those before it are put back. Only a process that is killed
    between two of them leaves some changed: calling this again finishes the work. Those who change one
    folder of this machine at the same moment take turns, each user's processes among themselves. In an artifact store,
    which has no locks, the one that writes last wins, and what the other one changed may be lost.

    Args:
        model_uri: A folder of this machine, ``runs:/<run id>/<path>``, or a folder in an artifact store.
        operation: ``"add"`` or ``"remove"``.
        requirement_list: Requirements such as ``numpy>=1.26,<3`` or ``name @ https://…``; options of pip's and paths
            of this machine are refused.

    Raises:
        InvalidInput: A requirement is none, or the model lies in a registry, where models do not change.
        InvalidModel: There is no model at that place, or none of its files says what it requires.
        StoreReadOnly: It may not be written to.
        StoreError: It cannot be read or written for another reason.
    """
    uri = os.fspath(model_uri)
    amendment = _amendment(operation, requirement_list)
    place = _place(uri)
    with place.alone():
        return _update(place, amendment)


def _update(place: _Place, amendment: Amendment) -> RequirementsChange:
    with tempfile.TemporaryDirectory(prefix="dovetail-model-") as scratch:
        found = _read(place, Path(scratch))
        changed = _changed(found, Path(scratch), amendment, place.name)
    written = {name: text for name, text in changed.items() if text != found[name]}
    _write(place, written, found)
    before, after = (_lines(texts) for texts in (found, {**found, **written}))
    named = {requirement_name(line) for line in (*before, *_conda_lines(found))}
    return RequirementsChange(before, after, tuple(written), tuple(sorted(amendment.remove - named)))


def _amendment(operation: str, requirements: Sequence[str]) -> Amendment:
    if operation not in ("add", "remove"):
        raise InvalidInput(f"The operation is {operation!r}.", hint="Use 'add' or 'remove'.")
    if isinstance(requirements, str) or not requirements:
        raise InvalidInput(
            f"requirement_list is {requirements!r}; expected one requirement or more.", hint="Such as ['numpy>=1.26']."
        )
    parsed = [Requirement.parse(each) for each in requirements]
    if operation == "remove":
        return Amendment(remove=frozenset(each.name for each in parsed))
    for each in parsed:
        if sum(other.name == each.name for other in parsed) > 1 and not each.marker:
            raise InvalidInput(
                f"{each.name} is named twice, and one of the two would be lost.", hint="Give each distribution once."
            )
    return Amendment(add=tuple(parsed))


# --- the files ------------------------------------------------------------------------------------------------


def _read(place: _Place, scratch: Path) -> dict[str, str]:
    """The files that say what the model requires, copied to ``scratch`` as well."""
    if place.read(FILE) is None:
        raise InvalidModel(f"There is no model at {place.name}: it has no {FILE} file.", hint="Check the location.")
    found: dict[str, str] = {}
    for name in (PIP, CONDA, PYTHON_ENV):
        content = place.read(name)
        if content is not None:
            (scratch / name).write_bytes(content)
            found[name] = _text(content, f"{place.name}/{name}")
    if not found.keys() & {PIP, CONDA}:
        raise InvalidModel(f"The model at {place.name} has neither {PIP} nor {CONDA}.", hint="Save the model again.")
    return found


def _text(content: bytes, name: str) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidModel(f"{name} is no text in UTF-8: {error}.") from error


def _changed(found: Mapping[str, str], scratch: Path, amendment: Amendment, where: str) -> dict[str, str]:
    """The texts afterwards."""
    changed = dict(found)
    try:
        if PIP in found:
            changed[PIP] = amendment.of_requirements(found[PIP])
        if CONDA in found:
            content = read_yaml(scratch / CONDA, error=InvalidModel)
            changed[CONDA] = amendment.of_yaml(found[CONDA], content, "dependencies", "pip")
        if PYTHON_ENV in found:
            content = read_yaml(scratch / PYTHON_ENV, error=InvalidModel)
            changed[PYTHON_ENV] = _python_env(found, content, amendment)
    except InvalidModel as error:
        # What is wrong is wrong in the model, not in our copy of its files.
        raise InvalidModel(error.message.replace(str(scratch), where), hint=error.hint) from error
    return changed


def _python_env(found: Mapping[str, str], content: dict[str, object], amendment: Amendment) -> str:
    """It mostly names ``requirements.txt``; then only lines of its own that would contradict it are taken out."""
    lines = content.get("dependencies")
    if not isinstance(lines, list):
        return found[PYTHON_ENV]
    includes = any(isinstance(line, str) and line.split()[-1:] == [PIP] for line in lines)
    change = amendment.without_adding() if includes and PIP in found else amendment
    return change.of_yaml(found[PYTHON_ENV], content, "dependencies")


def _lines(texts: Mapping[str, str]) -> tuple[str, ...]:
    """The requirement lines of a model's files."""
    if PIP not in texts:
        return _conda_lines(texts)
    content = (line.split(" #")[0].strip() for line in texts[PIP].splitlines())
    return tuple(line for line in content if line and not line.startswith("#"))


def _conda_lines(texts: Mapping[str, str]) -> tuple[str, ...]:
    import yaml

    dependencies = (yaml.safe_load(texts.get(CONDA, "")) or {}).get("dependencies") or []
    named = [each["pip"] for each in dependencies if isinstance(each, dict) and isinstance(each.get("pip"), list)]
    return tuple(str(line) for line in (named[0] if named else []))


def _write(place: _Place, texts: Mapping[str, str], before: Mapping[str, str]) -> None:
    done: list[str] = []
    try:
        for name, text in texts.items():
            done.append(name)
            place.write(name, text.encode("utf-8"))
    except BaseException as error:
        _put_back(place, done, before, error)
        raise


def _put_back(place: _Place, names: Sequence[str], before: Mapping[str, str], error: BaseException) -> None:
    # The last one failed: a store leaves the former content in its place, so it needs no putting back.
    waiting = list(names[:-1])
    try:
        while waiting:
            place.write(waiting[0], before[waiting[0]].encode("utf-8"))
            waiting.pop(0)
    except DovetailError:
        raise StoreError(
            f"{place.name}: {waiting[0]} was changed, the rest could not be ({error}), and it could not be put back.",
            hint="Repeat the same command when the place can be written to: it finishes the work.",
        ) from error


# --- the place ------------------------------------------------------------------------------------------------


class _Place(ABC):
    """Where a model lies."""

    name: str

    def alone(self) -> AbstractContextManager[object]:
        """Keeps others from changing the model, where that is possible."""
        return nullcontext()

    @abstractmethod
    def read(self, name: str) -> bytes | None:
        """A file, None if there is none."""

    @abstractmethod
    def write(self, name: str, content: bytes) -> None:
        """Put a file in its place, whole or not at all."""


def _place(uri: str) -> _Place:
    if uris.scheme_of(uri) == "models":
        raise InvalidInput(
            f"{uri!r} names a model of a registry, and those do not change.",
            hint="Change the model where it was logged, runs:/<run id>/<path>, and register it as a new version.",
        )
    if uris.is_local(uri):
        return _Folder(uris.path_of(uri))
    return _Stored(uris.masked(uri), *locations.locate(uri))


class _Folder(_Place):
    """A folder of this machine."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.name = str(folder)

    def alone(self) -> AbstractContextManager[object]:
        return _turn(os.path.realpath(self._folder))

    def read(self, name: str) -> bytes | None:
        path = inside(self._folder, name)
        try:
            return path.read_bytes() if path.is_file() else None
        except OSError as error:
            raise StoreError(f"{path} cannot be read: {error.strerror}.") from error

    def write(self, name: str, content: bytes) -> None:
        path = inside(self._folder, name).resolve()
        try:
            _replace(path, content)
        except OSError as error:
            message = f"{path} cannot be written: {error.strerror}."
            if error.errno in _READ_ONLY:
                raise StoreReadOnly(message, hint="Check who may write to the model's folder.") from error
            raise StoreError(message, hint="Check the disk that it lies on; the model is as it was.") from error


@contextmanager
def _turn(folder: str) -> Iterator[None]:
    """Wait until no other process of this user changes the folder; the lock lies outside the model.

    Where the user has no cache folder, as in some containers, nobody waits: a shared folder would be no place for it.
    """
    import hashlib

    from dovetail.environments.cache import cache_folder
    from dovetail.posix import locked, private_folder

    name = hashlib.sha256(os.fsencode(folder)).hexdigest()[:20]
    with ExitStack() as held:
        with suppress(OSError):
            held.enter_context(locked(private_folder(cache_folder() / "locks") / f"{name}.lock"))
        yield


def _replace(path: Path, content: bytes) -> None:
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    partial = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
        shutil.copymode(path, partial)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


class _Stored(_Place):
    """A folder in an artifact store."""

    def __init__(self, name: str, store: ArtifactStore, path: str) -> None:
        self.name = name
        self._store, self._path = store, path

    def read(self, name: str) -> bytes | None:
        try:
            with self._store.open(self._below(name)) as stream:
                return stream.read()
        except NotFound:
            return None

    def write(self, name: str, content: bytes) -> None:
        self._store.put(self._below(name), io.BytesIO(content))

    def _below(self, name: str) -> str:
        return f"{self._path}/{name}".lstrip("/")
