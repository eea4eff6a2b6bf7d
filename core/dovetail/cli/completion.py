"""What the Tab key offers as values: ids, names and keys.

Nothing here may disturb somebody who is typing: what fails offers nothing, what takes long is given up, and no
database is made. What the shell would not read as one plain word is left out: names come from others, and some shells
evaluate what they are offered.
"""

from __future__ import annotations

import os
import re
import sys
import threading
import warnings
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = [
    "backends",
    "dataset_names",
    "env_managers",
    "experiment_ids",
    "experiment_names",
    "logged_model_ids",
    "model_names",
    "plugin_keys",
    "quietly",
    "run_ids",
]

SECONDS = 2.0
OFFERED = 40

_WORD = re.compile(r"[\w@%+=./-]+\Z")
_UNSAFE = re.compile(r"[^\w .,+-]+")

Offer = tuple[str, str]
Item = TypeVar("Item")


def run_ids(incomplete: str) -> list[Offer]:
    """Ids of runs, newest first, each with its name."""
    from dovetail.cli.beginnings import runs_beginning_with

    def found() -> list[Offer]:
        return [(run.info.run_id, run.info.run_name) for run in runs_beginning_with(incomplete, OFFERED)]

    return _asked(found, incomplete)


def logged_model_ids(incomplete: str) -> list[Offer]:
    """Ids of logged models, newest first, each with its name."""
    from dovetail.cli.beginnings import logged_models_beginning_with

    def found() -> list[Offer]:
        return [(model.model_id, model.name) for model in logged_models_beginning_with(incomplete, OFFERED)]

    return _asked(found, incomplete)


def experiment_ids(incomplete: str) -> list[Offer]:
    """Ids of experiments, each with its name."""
    return _asked(lambda: [(number, name) for number, name in _experiments()], incomplete)


def experiment_names(incomplete: str) -> list[Offer]:
    """Names of experiments, each with its id."""
    return _asked(lambda: [(name, number) for number, name in _experiments()], incomplete)


def dataset_names(incomplete: str) -> list[Offer]:
    """Names of datasets that runs used lately, each with its digest."""
    return _asked(_datasets, incomplete)


def model_names(incomplete: str) -> list[Offer]:
    """Names of registered models, each with its description."""
    return _asked(_models, incomplete, registry=True)


def env_managers(incomplete: str) -> list[Offer]:
    """Keys of the environment managers that are installed."""
    return plugin_keys("env_managers", incomplete)


def backends(incomplete: str) -> list[Offer]:
    """Keys of the execution backends that are installed."""
    return plugin_keys("backends", incomplete)


def plugin_keys(kind: str, incomplete: str) -> list[Offer]:
    """Keys of a kind of plugin, each with its distribution, from metadata."""
    from dovetail import plugins

    with suppress(Exception):  # a settings file that cannot be read, say; the command itself will tell
        return _plain([(key, point.origin) for key, point in plugins.offers(kind).items()], incomplete)
    return []


@contextmanager
def quietly() -> Iterator[None]:
    """Let nothing be said on standard error, and no exception through: somebody is typing."""
    with open(os.devnull, "w", encoding="utf-8") as nowhere:  # noqa: PTH123 - pathlib takes time to import
        before, sys.stderr = sys.stderr, nowhere
        try:
            with suppress(Exception):
                yield
        finally:
            sys.stderr = before


def _experiments() -> list[Offer]:
    from dovetail.tracking.client import Client

    return [(each.experiment_id, each.name) for each in Client().search_experiments(max_results=1000)]


def _datasets() -> list[Offer]:
    from dovetail.tracking.client import Client

    client = Client()
    places = [each.experiment_id for each in client.search_experiments(max_results=1000)]
    runs = client.search_runs(places, "datasets.name LIKE '%'", max_results=OFFERED)
    used = [each.dataset for run in runs for each in run.inputs.dataset_inputs]
    return list({each.name: each.digest for each in reversed(used)}.items())[::-1]


def _models() -> list[Offer]:
    from dovetail.tracking.client import Client

    return [(each.name, each.description or "") for each in Client().search_registered_models(max_results=1000)]


def _asked(question: Callable[[], list[Offer]], incomplete: str, *, registry: bool = False) -> list[Offer]:
    """What the store answers in time; a store that would have to be made first is not asked."""
    answer: list[Offer] = []

    def ask() -> None:
        with suppress(Exception), warnings.catch_warnings():  # the command itself will tell what is wrong
            warnings.simplefilter("ignore")
            if _exists(registry=registry):
                answer.extend(question())

    # Python ends without waiting for it.
    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(SECONDS)
    return _plain(list(answer), incomplete)


def _exists(*, registry: bool) -> bool:
    """Whether there is a store: a database file appears when it is opened."""
    from urllib.parse import unquote

    from dovetail import uris
    from dovetail.tracking import places

    uri = places.get_registry_uri() if registry else places.get_tracking_uri()
    if uris.scheme_of(uri) != "sqlite":
        return True
    path = unquote(uri.removeprefix("sqlite:///").partition("?")[0])
    return os.path.isfile(path) and os.path.getsize(path) > 0  # noqa: PTH113, PTH202 - pathlib takes time to import


def _plain(offers: list[Offer], incomplete: str) -> list[Offer]:
    return [
        (value, " ".join(_UNSAFE.sub(" ", text).split()))
        for value, text in offers
        if value.startswith(incomplete) and _WORD.match(value)
    ][:OFFERED]
