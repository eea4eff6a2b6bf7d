"""Fills the registry that `registry.py` measures, or makes its calls; runs in the peer's interpreter.

Arguments: module, client class, module of the entities, registry URI, `fill` or `measure`, how many models.
"""

from __future__ import annotations

import json
import sys
import time
from importlib import import_module
from statistics import median
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

VERSIONS, PAGE, PAGES, CALLS = 10, 100, 20, 100


def main(module: str, client_name: str, _entities: str, uri: str, job: str, models: str) -> None:
    """Do the job."""
    client = getattr(import_module(module), client_name)(uri, uri)
    JOBS[job](client, int(models))


def fill(client: Any, models: int) -> None:
    """Register models, each with tags, versions and an alias."""
    for number in range(models):
        name = named(number)
        client.create_registered_model(name, tags={"team": f"team-{number % 50}"})
        for version in range(1, VERSIONS + 1):
            client.create_model_version(name, f"s3://models/{number}/{version}", tags={"trial": str(version)})
        client.set_registered_model_alias(name, "champion", str(VERSIONS))


def measure(client: Any, models: int) -> None:
    """Time everything once and print one JSON object."""
    newest = {"order_by": ["last_updated_timestamp DESC"]}
    like = {"filter_string": "name LIKE '%model-%' AND tag.`mlflow.prompt.is_prompt` != 'true'"}
    team = {"filter_string": "tags.team = 'team-7'"}
    expect(len(client.search_registered_models(max_results=PAGE)), min(PAGE, models))
    figures = {
        "by_name": pages(client.search_registered_models),
        "by_update": pages(client.search_registered_models, **newest),
        "by_filter": pages(client.search_registered_models, **like),
        "by_tag": pages(client.search_registered_models, **team),
        "versions": pages(client.search_model_versions),
        "versions_of": median(versions_of(client, number * models // CALLS) for number in range(CALLS)),
        "alias": median(moved(client, number % models, number) for number in range(CALLS)),
    }
    print(json.dumps({name: seconds * 1e3 for name, seconds in figures.items()}))


def pages(search: Callable[..., Any], **asked: Any) -> float:
    """Seconds that the middle one of the first pages takes."""
    search(max_results=PAGE, **asked)  # Connections, caches and prepared statements are there before the clock starts.
    taken: list[float] = []
    token: str | None = None
    while len(taken) < PAGES and (token or not taken):
        start = time.perf_counter()
        page = search(max_results=PAGE, page_token=token, **asked)
        taken.append(time.perf_counter() - start)
        token = page.token
    return median(taken)


def versions_of(client: Any, number: int) -> float:
    """Seconds to find all versions of one model."""
    start = time.perf_counter()
    found = client.search_model_versions(f"name = '{named(number)}'", max_results=PAGE)
    taken = time.perf_counter() - start
    expect(len(found), VERSIONS)
    return taken


def moved(client: Any, number: int, move: int) -> float:
    """Seconds that moving an alias takes."""
    version = 1 + move % (VERSIONS - 1)
    start = time.perf_counter()
    client.set_registered_model_alias(named(number), "champion", str(version))
    taken = time.perf_counter() - start
    expect(int(client.get_model_version_by_alias(named(number), "champion").version), version)
    return taken


def named(number: int) -> str:
    """The name of a model."""
    return f"model-{number:05}"


def expect(found: int, wanted: int) -> None:
    """Fail if what was written cannot be read."""
    if found != wanted:
        raise SystemExit(f"{found} instead of {wanted}")


JOBS = {"fill": fill, "measure": measure}

if __name__ == "__main__":
    main(*sys.argv[1:])
