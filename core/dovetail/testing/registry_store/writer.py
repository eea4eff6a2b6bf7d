"""A process that writes to a registry: ``python -m dovetail.testing.registry_store.writer <uri> <job> …``.

It says ``ready`` once it is up and has not touched the registry, waits for a line on its standard input, opens the
registry, and prints a line after each call that returned. What it printed is acknowledged: no crash may lose it.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from dovetail import plugins, uris
from dovetail.errors import AliasMoved, AlreadyExists
from dovetail.testing.registry_store.base import TAGS, added, labels

if TYPE_CHECKING:
    from collections.abc import Callable

    from dovetail.registry.store import RegistryStore

__all__ = ["main"]


def main(uri: str, job: str, *arguments: str) -> None:
    """Do one of the jobs with the registry at the URI."""
    say("ready")
    sys.stdin.readline()
    store: RegistryStore = plugins.find("registry_stores", uris.scheme_of(uri))(uri)
    JOBS[job](store, *arguments)
    store.close()


def say(line: str) -> None:
    """Print a line that has left the process when this returns."""
    print(line, flush=True)  # noqa: T201 - the parent process reads it


def touch(store: RegistryStore, name: str, count: str) -> None:
    """Create the model unless others were first, register versions, and try to be the first with the alias."""
    with suppress(AlreadyExists):
        store.create_registered_model(name)
    numbers = [added(store, name, tags=TAGS) for _ in range(int(count))]
    say(" ".join(map(str, numbers)))
    try:
        store.move_alias(name, "champion", numbers[0], expected=None)
        say("won")
    except AliasMoved:
        say("lost")


def release(store: RegistryStore, name: str) -> None:
    """Register a version, put it into production and point an alias at it, over and over, until killed."""
    while True:
        version = added(store, name, tags=TAGS)
        say(f"version {version}")
        store.transition_stage(name, version, "Production", archive_existing=True)
        say(f"stage {version}")
        store.move_alias(name, "champion", version)
        say(f"alias {version}")
        store.create_registered_model(f"{name}-{version}", tags=TAGS)
        say(f"model {version}")


def tag(store: RegistryStore, name: str, key: str) -> None:
    """Set one tag of a model."""
    store.set_registered_model_tags(name, labels(**{key: "1"}))
    say("tagged")


JOBS: dict[str, Callable[..., None]] = {"touch": touch, "release": release, "tag": tag}

if __name__ == "__main__":
    main(*sys.argv[1:])
