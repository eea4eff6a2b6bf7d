"""Whatever is logged comes back, and whatever is searched finds what the reference store finds."""

from __future__ import annotations

import math
import random
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dovetail.testing import MemoryTrackingStore
from dovetail.tracking.filters import And, Comparison, Not, Or, OrderKey
from dovetail.values import Batch, Dataset, DatasetInput, InputTag, Metric, NewRun, Param, Tag, ViewType
from dovetail_sql.search import run_search
from dovetail_sql.walks import Pace
from dovetail_sqlite import open_sqlite

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dovetail.tracking.store import TrackingStore
    from dovetail_sql.search import Search
    from dovetail_sql.store import SqlTrackingStore

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=30)
keys = st.text(st.sampled_from("abcß日 ._-:"), min_size=1, max_size=5).filter(lambda key: key.strip(".") == key)
wholes = st.integers(-(2**63), 2**63 - 1)
points = st.builds(
    Metric, keys, st.floats(), timestamp=st.integers(0, 2**63 - 1) | st.integers(0, 3), step=wholes | st.integers(0, 3)
)


@pytest.fixture(scope="module")
def store() -> Iterator[SqlTrackingStore]:
    with closing(open_sqlite("sqlite://")) as store:
        yield store


def comparable(value: float) -> Any:
    return "nan" if math.isnan(value) else value


@settings(deadline=None)
@given(
    metrics=st.lists(points, max_size=8),
    params=st.dictionaries(keys, texts, max_size=4),
    tags=st.dictionaries(keys, texts, max_size=4),
)
def test_what_is_logged_is_what_the_reference_keeps(
    store: TrackingStore, metrics: list[Metric], params: dict[str, str], tags: dict[str, str]
) -> None:
    texts = tuple(Param(*each) for each in params.items()), tuple(Tag(*each) for each in tags.items())
    batch = Batch(tuple(metrics), *texts)
    kept: list[Any] = []
    for each in (store, MemoryTrackingStore()):
        run_id = each.create_run(NewRun("0")).info.run_id
        each.log_batch(run_id, batch)
        each.log_batch(run_id, batch)
        data = each.get_run(run_id).data
        histories = {
            key: [(p.timestamp, p.step, comparable(p.value)) for p in each.get_metric_history(run_id, key)]
            for key in data.metrics
        }
        latest = {(p.key, p.timestamp, p.step, comparable(p.value)) for p in data.latest}
        kept.append((data.params, data.tags, histories, latest))
    assert kept[0] == kept[1]


NAMES = ("a", "b")
NUMBERS = (0.0, -1.0, 2.5, 1e300, math.inf, -math.inf)
TEXTS = ("x", "", "X", "xy", "10", "9", " 1e1 ", "-.5", "1e", "%", "_", "é", "É", "*[?", "it's")
PATTERNS = ("", "%", "x%", "%Y", "_", "__", "%1%", "É", "%É%", "X", "*%", "[_?", "%[%")

ORDERINGS = ("=", "!=", "<", "<=", ">", ">=")


def number_terms(kind: Any, names: tuple[str, ...], numbers: tuple[float, ...]) -> st.SearchStrategy[Comparison]:
    one = st.sampled_from(numbers)
    several = st.lists(one, min_size=1, max_size=5).map(tuple)
    about = st.just(kind), st.sampled_from(names)
    return (
        st.builds(Comparison, *about, st.sampled_from(ORDERINGS), one)
        | st.builds(Comparison, *about, st.sampled_from(("IN", "NOT IN")), several)
        | st.builds(Comparison, *about, st.sampled_from(("BETWEEN", "NOT BETWEEN")), st.tuples(one, one))
    )


def text_terms(kind: Any, names: tuple[str, ...]) -> st.SearchStrategy[Comparison]:
    about = st.just(kind), st.sampled_from(names)
    several = st.lists(st.sampled_from((*TEXTS, "RUNNING", "FAILED")), min_size=1, max_size=3).map(tuple)
    return (
        st.builds(Comparison, *about, st.sampled_from(("=", "!=")), st.sampled_from(TEXTS))
        | st.builds(Comparison, *about, st.sampled_from(("LIKE", "ILIKE")), st.sampled_from(PATTERNS))
        | st.builds(Comparison, *about, st.sampled_from(("IN", "NOT IN")), several)
    )


def presence_terms(kind: Any, names: tuple[str, ...] = NAMES) -> st.SearchStrategy[Comparison]:
    operators = st.sampled_from(("IS NULL", "IS NOT NULL"))
    return st.builds(Comparison, st.just(kind), st.sampled_from(names), operators, st.none())


terms = (
    number_terms("metric", NAMES, NUMBERS)
    | number_terms("param", NAMES, (0.0, -1.0, 9.0, 10.0, 11.5, 1e300))
    | number_terms("attribute", ("start_time", "end_time"), (0, 5, 5.5, 2**62))
    | text_terms("param", NAMES)
    | text_terms("tag", NAMES)
    | text_terms("attribute", ("run_name", "user_id", "status"))
    | text_terms("dataset", ("name", "digest", "context"))
    | presence_terms("metric")
    | presence_terms("param")
    | presence_terms("tag")
    | presence_terms("attribute", ("end_time",))
)
filters = st.recursive(
    terms,
    lambda inner: (
        st.lists(inner, min_size=2, max_size=4).map(lambda found: And(tuple(found)))
        | st.lists(inner, min_size=2, max_size=4).map(lambda found: Or(tuple(found)))
        | inner.map(Not)
    ),
    max_leaves=6,
)
orders = st.lists(
    st.builds(OrderKey, st.sampled_from(("metric", "param", "tag")), st.sampled_from(NAMES), st.booleans())
    | st.builds(
        OrderKey,
        st.just("attribute"),
        st.sampled_from(("start_time", "end_time", "run_name", "status", "artifact_uri")),
        st.booleans(),
    ),
    max_size=3,
)


@pytest.fixture(scope="module")
def twins(store: SqlTrackingStore) -> tuple[str, tuple[SqlTrackingStore, TrackingStore]]:
    """Two stores that hold the same forty runs in one experiment, ours and the reference."""
    reference = MemoryTrackingStore(artifact_root=store.get_experiment("0").artifact_location.rpartition("/")[0])
    experiment_id = store.create_experiment("twins")
    assert reference.create_experiment("twins") == experiment_id
    chance = random.Random(7)
    for number in range(40):
        run = NewRun(
            experiment_id,
            run_id=f"{number:032x}",
            run_name=chance.choice(TEXTS),
            user_id=chance.choice(TEXTS),
            start_time=chance.choice((0, 5, 6)),
        )
        some = Batch(
            tuple(Metric(name, chance.choice((*NUMBERS, math.nan)), 1) for name in NAMES if chance.random() < 0.7),
            tuple(Param(name, chance.choice(TEXTS)) for name in NAMES if chance.random() < 0.7),
            tuple(Tag(name, chance.choice(TEXTS)) for name in NAMES if chance.random() < 0.7),
        )
        end = chance.choice((None, 5, 9))
        used = _datasets(chance)
        for each in (store, reference):
            each.create_run(run)
            each.log_batch(run.run_id, some)
            if end is not None:
                each.update_run(run.run_id, status="FAILED", end_time=end)
            if used:
                each.log_inputs(run.run_id, used)
    return experiment_id, (store, reference)


def _datasets(chance: random.Random) -> list[DatasetInput]:
    names = chance.sample(TEXTS[:1] + TEXTS[2:], chance.choice((0, 0, 1, 2)))
    labels = [InputTag("mlflow.data.context", chance.choice(TEXTS)), InputTag("other", "x")]
    return [DatasetInput(Dataset(name, "x", "local", ""), tuple(labels[: chance.choice((0, 1, 2))])) for name in names]


# Everything is much to this one, and little enough.
HASTY = Pace(few=3, stretch=2, ahead=0, long=4, still_few=8, asked=12)


@settings(max_examples=600, deadline=None)
@given(tree=filters | st.none(), order=orders, size=st.sampled_from((3, 7, 100)), pace=st.sampled_from((Pace(), HASTY)))
def test_any_search_finds_what_the_reference_finds(
    twins: tuple[str, tuple[SqlTrackingStore, TrackingStore]], tree: Any, order: list[OrderKey], size: int, pace: Pace
) -> None:
    experiment_id, (store, reference) = twins
    text, clauses = str(tree) if tree else "", [str(key) for key in order]
    root = store.database.artifact_root
    search = replace(run_search({int(experiment_id)}, text, clauses, ViewType.ACTIVE_ONLY, root), pace=pace)
    wanted = [run.info.run_id for run in reference.search_runs([experiment_id], text, clauses)]
    assert list(_found(store, search, size)) == wanted
    with store.database.read() as transaction:
        assert search.count(transaction) == len(wanted)


def test_the_two_experiments_and_the_bin_are_searched_with_haste_too(
    twins: tuple[str, tuple[SqlTrackingStore, TrackingStore]],
) -> None:
    experiment_id, (store, reference) = twins
    for clauses in ([], ["start_time"], ["metrics.a"], ["metrics.a DESC", "tags.b"], ["metrics.none DESC"]):
        for view in ViewType:
            for text in ("", "metrics.a >= 0", "NOT metrics.a >= 0", "metrics.a != 0", "tags.a LIKE '%'"):
                search = run_search({0, int(experiment_id)}, text, clauses, view, store.database.artifact_root)
                wanted = reference.search_runs([experiment_id], text, clauses, view)
                found = list(_found(store, replace(search, pace=HASTY), 7))
                assert [run.info.run_id for run in wanted] == [each for each in found if each.startswith("0" * 20)]


def test_long_values_that_begin_alike_are_told_apart(store: TrackingStore) -> None:
    experiment_id = store.create_experiment("long")
    values = ["x" * 5999, "x" * 6000, "x" * 200 + "y"]
    runs = [store.create_run(NewRun(experiment_id)).info.run_id for _ in values]
    for run_id, value in zip(runs, values, strict=True):
        store.log_batch(run_id, Batch(params=(Param("text", value),)))
    for run_id, value in zip(runs, values, strict=True):
        found = store.search_runs([experiment_id], f"params.text = '{value}'")
        assert [run.info.run_id for run in found] == [run_id]


def _found(store: SqlTrackingStore, search: Search, size: int) -> Iterator[str]:
    """The ids of all runs a search finds, page by page."""
    token = None
    while True:
        with store.database.read() as transaction:
            rows, token = search.page(transaction, size, token)
        yield from (row[1] for row in rows)
        if token is None:
            return
