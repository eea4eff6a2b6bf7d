"""What those hear who store artifacts while the store is away: what became of the artifact, before why."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from dovetail.documents import shown
from dovetail.errors import StoreUnavailable

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator

    from dovetail.tracking.run_artifacts import RunArtifacts

__all__ = ["naming", "storing"]

_NOT = "was not stored"
_MAYBE = "may not have been stored"


@contextmanager
def storing(what: str | os.PathLike[str] | None, opened: Callable[[], RunArtifacts]) -> Iterator[RunArtifacts]:
    """The artifacts of a run, to store something among them.

    Args:
        what: The artifact, as errors name it.
        opened: Looks the run up.

    Raises:
        StoreUnavailable: The run could not be looked up, or the artifact not be stored.
    """
    with naming(what, _NOT):
        run = opened()
    with naming(what):
        yield run


@contextmanager
def naming(what: str | os.PathLike[str] | None, fate: str = _MAYBE) -> Iterator[None]:
    """Say of an artifact what became of it if its store cannot be reached meanwhile.

    Args:
        what: The artifact.
        fate: What became of it: whoever is cut off while it is sent cannot know.

    Raises:
        StoreUnavailable: The same that was raised within, which says so.
    """
    try:
        yield
    except StoreUnavailable as failure:
        said = f"The artifact {shown(str(what))} {fate}: {failure.message}"
        raise StoreUnavailable(said, hint=failure.hint) from failure
