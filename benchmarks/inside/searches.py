"""Logs and searches the runs that `search.py` reports; runs in the peer's interpreter.

Arguments: module, client class, module of the entities, tracking URI, a job of JOBS, and the number of runs.
"""

from __future__ import annotations

import json
import random
import sys
import time
from importlib import import_module
from statistics import median
from typing import TYPE_CHECKING, Any

from copies import copy

if TYPE_CHECKING:
    from collections.abc import Callable

PARAMS, METRICS = 10, 10
PAGE, TIMES = 1000, 5
ENOUGH = 10.0
"""Seconds after which no call is repeated any more."""
RARE = 10
BOTH = {
    "metric": ("metrics.m0 > 0.5 AND params.model = 'rf'", ["metrics.m0 DESC"], 100),
    "rare": ("tags.rare = 'yes'", ["metrics.m1 DESC"], RARE),
}
OWN = {
    "pattern": ("tags.note LIKE '%needle%'", ["metrics.m1 DESC"], RARE),
    "number": (f"params.number < {RARE}", ["metrics.m1"], RARE),
    "mixed": (
        "(params.model LIKE 's%' OR tags.note ILIKE '%HAY 7%') AND NOT tags.team = 'a' AND params.number < 500",
        ["metrics.m1"],
        100,
    ),
}
COLUMNS = ["run_id", "start_time", "metrics.m0", "params.model", "tags.team"]


def main(module: str, client_name: str, entities: str, uri: str, job: str, count: str) -> None:
    """Do one job and print one JSON object."""
    mlflow: Any = import_module(module)
    mlflow.set_tracking_uri(uri)
    client = getattr(mlflow, client_name)()
    print(json.dumps(JOBS[job](mlflow, client, import_module(entities), int(count))))


def fill(mlflow: Any, client: Any, entities: Any, count: int) -> dict[str, Any]:
    """Log so many runs, each with as many params, metrics and tags."""
    experiment_id = mlflow.set_experiment("search").experiment_id
    chance = random.Random(7)
    wanted = ((f"run-{number}", batch(entities, chance, number, count)) for number in range(count))

    def log(name: str, held: dict[str, list[Any]]) -> str:
        run_id = client.create_run(experiment_id, run_name=name).info.run_id
        client.log_batch(run_id, **held)
        client.set_terminated(run_id)
        return str(run_id)

    first = log(*next(wanted))
    if mlflow.__name__ == "dovetail":
        for name, held in wanted:
            log(name, held)
    else:
        copy(mlflow.get_tracking_uri().removeprefix("sqlite:///"), first, wanted)
    return {}


def batch(entities: Any, chance: random.Random, number: int, count: int) -> dict[str, list[Any]]:
    """What one run logs; ten runs, spread evenly, hold what is looked for."""
    rare = number % (count // RARE) == 0
    params = {"model": chance.choice(["rf", "svm", "mlp"]), "number": str(number)}
    params |= {f"p{each}": f"value-{chance.randrange(1000)}" for each in range(PARAMS - len(params))}
    tags = {"team": chance.choice("abcd"), "note": f"hay {number % 1000} {'needle' if rare else 'straw'}"}
    tags |= {"rare": "yes"} if rare else {"rare": "no"}
    return {
        "metrics": [entities.Metric(f"m{each}", chance.random(), 1_700_000_000_000, 0) for each in range(METRICS)],
        "params": [entities.Param(key, value) for key, value in params.items()],
        "tags": [entities.RunTag(key, value) for key, value in tags.items()]
        if hasattr(entities, "RunTag")
        else [entities.Tag(key, value) for key, value in tags.items()],
    }


def measure(mlflow: Any, client: Any, _: Any, count: int) -> dict[str, float]:
    """The middle of some searches each, in ms, and what a run costs where all are read, in µs."""
    experiment_id = mlflow.get_experiment_by_name("search").experiment_id
    own = mlflow.__name__ == "dovetail"

    def found(text: str, order: list[str], wanted: int) -> None:
        expect(len(client.search_runs([experiment_id], text, order_by=order, max_results=100)), wanted)

    values = {name: timed(found, *asked) for name, asked in (BOTH | (OWN if own else {})).items()}

    def objects(token: str | None) -> Any:
        return client.search_runs([experiment_id], max_results=PAGE, page_token=token)

    values["objects"] = walked(objects, count)
    if not own:
        return values
    store = client.store

    def rows(token: str | None) -> Any:
        return store.search_run_rows([experiment_id], COLUMNS, max_results=PAGE, page_token=token)

    values["rows"] = walked(rows, count)
    values["count"] = timed(lambda: expect(store.count_runs([experiment_id], "metrics.m0 >= 0"), count))
    return values


def timed(call: Callable[..., object], *args: Any) -> float:
    """Milliseconds of the middle one of some calls, after one that does not count."""
    taken: list[float] = []
    first = once(call, *args)
    while not taken or (len(taken) < TIMES and first + sum(taken) < ENOUGH):
        taken.append(once(call, *args))
    return median(taken) * 1e3


def once(call: Callable[..., object], *args: Any) -> float:
    """Seconds that a call takes."""
    start = time.perf_counter()
    call(*args)
    return time.perf_counter() - start


def walked(page_of: Callable[[str | None], Any], count: int) -> float:
    """Microseconds a run of reading all pages."""
    start, read, token = time.perf_counter(), 0, None
    while read == 0 or token:
        page = page_of(token)
        read, token = read + len(page), page.token
    taken = time.perf_counter() - start
    expect(read, count)
    return taken / count * 1e6


def expect(found: int, wanted: int) -> None:
    """A figure for work that was not done would be worth nothing."""
    if found != wanted:
        sys.exit(f"expected {wanted} runs, found {found}")


JOBS = {"fill": fill, "measure": measure}

if __name__ == "__main__":
    main(*sys.argv[1:])
