"""Runs to search, and what each search must find: the search contract as plain data.

Every store is held to it. A suite creates :data:`RUNS` in one experiment and asks everything in
:data:`SEARCHES`, :data:`DATASET_SEARCHES`, :data:`ORDERS`, :data:`REFUSED_FILTERS` and
:data:`REFUSED_ORDERS`. All answers were worked out by hand from the documented meaning, none by running
an implementation.
"""

from __future__ import annotations

from typing import TypedDict

__all__ = [
    "DATASET_SEARCHES",
    "ORDERS",
    "REFUSED_FILTERS",
    "REFUSED_ORDERS",
    "RUNS",
    "SEARCHES",
    "ExampleDataset",
    "ExampleRun",
]


class ExampleDataset(TypedDict):
    """A dataset a run has used."""

    name: str
    digest: str
    context: str


class ExampleRun(TypedDict):
    """A run to create; attributes that are not named here are the store's own choice.

    A run without ``end_time`` has not ended. Times are milliseconds.
    """

    name: str
    metrics: dict[str, float]
    params: dict[str, str]
    tags: dict[str, str]
    attributes: dict[str, str | int]
    datasets: list[ExampleDataset]


def _attributes(number: int, status: str, user: str, start: int, end: int | None = None) -> dict[str, str | int]:
    known: dict[str, str | int] = {"run_id": f"{number:032x}", "status": status, "user_id": user, "start_time": start}
    return known if end is None else {**known, "end_time": end}


_TRAIN: ExampleDataset = {"name": "train", "digest": "d1", "context": "fit"}
_TEST: ExampleDataset = {"name": "test", "digest": "d2", "context": "eval"}
_CAPITAL_TRAIN: ExampleDataset = {"name": "Train", "digest": "d3", "context": "fit"}
_NAN, _INFINITY = float("nan"), float("inf")

RUNS: list[ExampleRun] = [
    {
        "name": "alpha",
        "metrics": {"acc": 0.9, "loss": 0.1, "val loss": 0.2, "eval/f1.macro": 0.7},
        "params": {"lr": "0.01", "model": "RandomForest", "depth": "10"},
        "tags": {"team": "vision", "release.stage": "prod", "note": "it's fine"},
        "attributes": _attributes(1, "FINISHED", "ada", 1000, 2000),
        "datasets": [_TRAIN, _TEST],
    },
    {
        "name": "beta",
        "metrics": {"acc": 0.5, "loss": _NAN, "val loss": 0.4},
        "params": {"lr": "1e-1", "model": "randomforest", "depth": "9"},
        "tags": {"team": "Vision", "note": 'say "hi"'},
        "attributes": _attributes(2, "FAILED", "bob", 2000, 3000),
        "datasets": [_TEST],
    },
    {
        "name": "gamma",
        "metrics": {"acc": 0.75, "loss": _INFINITY},
        "params": {"lr": "0.10", "model": "SVM"},
        "tags": {"team": "nlp", "git commit": "abc123"},
        "attributes": _attributes(3, "RUNNING", "ada", 3000),
        "datasets": [],
    },
    {
        "name": "delta",
        "metrics": {"acc": -1.5, "loss": -_INFINITY},
        "params": {"lr": "auto", "model": "100%", "depth": " 7 "},
        "tags": {"team": "a_b", "note": ""},
        "attributes": _attributes(4, "KILLED", "Zoë", 4000, 4500),
        "datasets": [],
    },
    {
        "name": "epsilon",
        "metrics": {},
        "params": {},
        "tags": {},
        "attributes": _attributes(5, "FINISHED", "eve", 5000, 9000),
        "datasets": [],
    },
    {
        "name": "zeta",
        "metrics": {"acc": _NAN, "steps": 9007199254740992.0},
        "params": {"lr": "-.5", "größe": "groß", "data/path:v1": r"C:\data\x"},
        "tags": {"team": "aXb", "city": "ÉCOLE", "größe": "1"},
        "attributes": _attributes(6, "SCHEDULED", "bob", 6000),
        "datasets": [],
    },
    {
        "name": "eta",
        "metrics": {"acc": 0.9, "loss": 0.0},
        # Neither is a number here, though some languages read them as one.
        "params": {"lr": "1_000", "depth": "0x10"},
        "tags": {"city": "école", "note": "first\nsecond"},
        "attributes": _attributes(7, "FINISHED", "Ada", 7000, 7500),
        "datasets": [_CAPITAL_TRAIN],
    },
    {
        "name": "theta",
        "metrics": {"acc": 1e300},
        # The Arabic digit three, infinity and NaN: no numbers either.
        "params": {"lr": "\u0663", "depth": "inf", "model": "nan"},
        "tags": {"team": "日本", "note": "🎉 done"},
        "attributes": _attributes(8, "FINISHED", "eve", 8000, 8000),
        "datasets": [],
    },
]

_ALL = "alpha beta gamma delta epsilon zeta eta theta"

_FOUND: dict[str, str] = {
    "": _ALL,
    " \n ": _ALL,
    # Metrics: NaN differs from every number and is neither below nor above one.
    "metrics.acc > 0.7": "alpha gamma eta theta",
    "metrics.acc >= 0.9": "alpha eta theta",
    "metrics.acc < 0.75": "beta delta",
    "metrics.acc <= 0.75": "beta gamma delta",
    "metrics.acc = 0.9": "alpha eta",
    "metrics.acc != 0.9": "beta gamma delta zeta theta",
    "metric.acc=.9": "alpha eta",
    "metrics.acc = 9e-1": "alpha eta",
    "metrics.acc < -1": "delta",
    "metrics.acc > 1E2": "theta",
    "metrics.loss > 1e300": "gamma",
    "metrics.loss < -1e300": "delta",
    "metrics.loss <= 0": "delta eta",
    "metrics.loss >= -0.": "alpha gamma eta",
    "metrics.loss != 0": "alpha beta gamma delta",
    "NOT metrics.loss >= 0": "beta delta epsilon zeta theta",
    "metrics.steps = 9007199254740992": "zeta",
    "metrics.`val loss` < 0.3": "alpha",
    'metrics."val loss" < 0.5': "alpha beta",
    "metrics.`eval/f1.macro` > 0.5": "alpha",
    "metrics.nothing != 1": "",
    "metrics.ACC > 0": "",
    # Params as text.
    "params.model = 'RandomForest'": "alpha",
    'params.model = "SVM"': "gamma",
    "params.model != 'SVM'": "alpha beta delta theta",
    "param.model LIKE 'random%'": "beta",
    "parameters.model ILIKE 'random%'": "alpha beta",
    "parameter.model like '%'": "alpha beta gamma delta theta",
    "params.model LIKE '___'": "gamma theta",
    "params.model LIKE '%o%o%'": "alpha beta",
    "params.model LIKE '100%'": "delta",
    "params.model LIKE 'SV'": "",
    "params.model IS NULL": "epsilon zeta eta",
    "params.model is not null": "alpha beta gamma delta theta",
    "params.größe = 'groß'": "zeta",
    r"params.`data/path:v1` = 'C:\data\x'": "zeta",
    r"params.'data/path:v1' LIKE 'C:\%'": "zeta",
    # Params as numbers: what does not read as one never matches.
    "params.lr > 0.05": "beta gamma",
    "params.lr = 0.1": "beta gamma",
    "params.lr = '0.10'": "gamma",
    "params.lr != 0.1": "alpha zeta",
    "params.lr < 0": "zeta",
    "params.lr >= -1e3": "alpha beta gamma zeta",
    "NOT params.lr > 0.05": "alpha delta epsilon zeta eta theta",
    "params.depth > 8": "alpha beta",
    "params.depth = 7": "delta",
    "params.depth <= 9": "beta delta",
    # Tags: only IS NULL is true of a tag that is not there.
    "tags.team = 'vision'": "alpha",
    "tag.team ILIKE 'vision'": "alpha beta",
    "tags.team != 'vision'": "beta gamma delta zeta theta",
    "NOT tags.team = 'vision'": "beta gamma delta epsilon zeta eta theta",
    "tags.team LIKE 'a_b'": "delta zeta",
    "tags.team = 'a_b'": "delta",
    "tags.team = '日本'": "theta",
    "tags.team LIKE '__'": "theta",
    "tags.release.stage = 'prod'": "alpha",
    "tags.`release.stage` = 'prod'": "alpha",
    "tags.'git commit' LIKE 'abc%'": "gamma",
    "tags.city ILIKE 'École'": "zeta eta",
    "tags.city LIKE 'é%'": "eta",
    "tags.note = 'it''s fine'": "alpha",
    'tags.note = "it\'s fine"': "alpha",
    "tags.note = 'say \"hi\"'": "beta",
    'tags.note = "say ""hi"""': "beta",
    "tags.note = ''": "delta",
    "tags.note LIKE ''": "delta",
    "tags.note LIKE 'first%second'": "eta",
    "tags.note LIKE '_ done'": "theta",
    "tags.note IS NULL": "gamma epsilon zeta",
    "tags.größe = '1'": "zeta",
    # Attributes.
    "status = 'FINISHED'": "alpha epsilon eta theta",
    "attributes.status != 'FINISHED'": "beta gamma delta zeta",
    "status = 'finished'": "",
    "attribute.status ILIKE 'fin%'": "alpha epsilon eta theta",
    "status IN ('FAILED', \"KILLED\")": "beta delta",
    "status NOT IN ('FINISHED', 'FAILED', 'KILLED',)": "gamma zeta",
    "user_id = 'ada'": "alpha gamma",
    "attr.user_id ILIKE 'ADA'": "alpha gamma eta",
    "user_id = 'Zoë'": "delta",
    "run_name = 'alpha'": "alpha",
    "`run name` LIKE '%eta'": "beta zeta eta theta",
    "\"Run name\" = 'eta'": "eta",
    "run.run_name LIKE '_eta'": "beta zeta",
    "run_id = '00000000000000000000000000000003'": "gamma",
    "run_id IN ('00000000000000000000000000000001','00000000000000000000000000000002')": "alpha beta",
    "attributes.run_id LIKE '%01'": "alpha",
    "start_time > 5000": "zeta eta theta",
    "created >= 5000 and Created <= 6000": "epsilon zeta",
    "start_time != 1000": "beta gamma delta epsilon zeta eta theta",
    "start_time > 6999.5": "eta theta",
    "start_time < 99999999999999999999": _ALL,
    "end_time < 4500": "alpha beta",
    "end_time != 2000": "beta delta epsilon eta theta",
    "NOT end_time >= 0": "gamma zeta",
    # Logic: NOT binds tighter than AND, AND tighter than OR.
    "metrics.acc > 0.7 AND params.model = 'SVM'": "gamma",
    "metrics.acc > 0.5 AND metrics.acc < 0.9": "gamma",
    "tags.team = 'nlp' OR params.model = 'nan'": "gamma theta",
    "status = 'FAILED' OR status = 'FINISHED' AND metrics.acc > 0.95": "beta theta",
    "(status = 'FAILED' OR status = 'FINISHED') AND metrics.acc < 0.95": "alpha beta eta",
    "NOT status = 'FINISHED' AND user_id = 'bob'": "beta zeta",
    "NOT (status = 'FINISHED' OR user_id = 'bob')": "gamma delta",
    "not not user_id = 'eve'": "epsilon theta",
    "NOT(tags.team IS NULL)AND(metrics.loss>0)": "alpha gamma",
    "params.model IS NULL AND tags.team IS NULL": "epsilon eta",
}

_FOUND_BY_DATASET: dict[str, str] = {
    # Datasets: one that fits is enough, and two conditions may be met by two of them.
    "datasets.name = 'train'": "alpha",
    "dataset.name ILIKE 'TRAIN'": "alpha eta",
    "datasets.name != 'train'": "alpha beta eta",
    "NOT datasets.name = 'test'": "gamma delta epsilon zeta eta theta",
    "datasets.digest IN ('d2', 'd3')": "alpha beta eta",
    "datasets.context NOT IN ('eval')": "alpha eta",
    "datasets.name = 'train' AND datasets.context = 'eval'": "alpha",
}


def _cases(found: dict[str, str]) -> list[tuple[str, frozenset[str]]]:
    return [(text, frozenset(names.split())) for text, names in found.items()]


SEARCHES = _cases(_FOUND)
"""Filters, each with the names of the runs it finds."""
DATASET_SEARCHES = _cases(_FOUND_BY_DATASET)
"""The same for filters about datasets, for stores that keep what datasets a run has used."""

_NEWEST_FIRST = "theta eta zeta epsilon delta gamma beta alpha"

_SORTED: dict[tuple[str, ...], str] = {
    (): _NEWEST_FIRST,
    ("start_time",): _ALL,
    ("start_time DESC",): _NEWEST_FIRST,
    ("Created",): _ALL,
    ("run_id",): _ALL,
    # Numbers, then NaN, then nothing, in both directions.
    ("metrics.acc",): "delta beta gamma eta alpha theta zeta epsilon",
    ("metrics.acc DESC",): "theta eta alpha gamma beta delta zeta epsilon",
    ("metric.loss asc",): "delta eta alpha gamma beta theta zeta epsilon",
    ("metrics.loss desc",): "gamma alpha eta delta beta theta zeta epsilon",
    ("metrics.`val loss`",): "alpha beta theta eta zeta epsilon delta gamma",
    # Text by code point.
    ("params.model",): "delta alpha gamma theta beta eta zeta epsilon",
    ("params.model DESC",): "beta theta gamma alpha delta eta zeta epsilon",
    ("params.depth",): "delta eta alpha beta theta zeta epsilon gamma",
    ("tags.team",): "beta zeta delta gamma alpha theta eta epsilon",
    ("tags.nothing DESC",): _NEWEST_FIRST,
    ("`Run name`",): "alpha beta delta epsilon eta gamma theta zeta",
    # Attributes without a value.
    ("end_time",): "alpha beta delta eta theta epsilon zeta gamma",
    ("attributes.end_time DESC",): "epsilon theta eta delta beta alpha zeta gamma",
    # Several keys.
    ("status", "metrics.acc DESC"): "beta theta eta alpha epsilon delta gamma zeta",
    ("user_id",): "eta delta gamma alpha zeta beta theta epsilon",
    ("user_id DESC", "start_time"): "epsilon theta beta zeta alpha gamma delta eta",
    ("metrics.acc", "metrics.loss DESC"): "delta beta gamma alpha eta theta zeta epsilon",
}

ORDERS: list[tuple[tuple[str, ...], list[str]]] = [(clauses, names.split()) for clauses, names in _SORTED.items()]
"""Order clauses, each with the names of all runs in that order; ties go by start time, newest first."""

REFUSED_FILTERS: list[str] = [
    # No comparison.
    "metrics.acc",
    "metrics.acc >",
    "= 1",
    "metrics.",
    "0.9 < metrics.acc",
    "metrics.acc = metrics.loss",
    # Unknown names; prefixes and attributes have a case.
    "acc > 0.9",
    "foo.acc > 0.9",
    "METRICS.acc > 0.9",
    "Status = 'FINISHED'",
    "experiment_id = '1'",
    "lifecycle_stage = 'active'",
    "duration > 5",
    "datasets.source = 'x'",
    # Keys with odd characters want quotes.
    "params.learning-rate = '1'",
    "params.data/path = '1'",
    "params.two words = '1'",
    "run name = 'alpha'",
    "`metrics.acc` > 0.9",
    # Operators the identifier does not take, or nothing takes.
    "metrics.acc == 0.9",
    "params.lr <> '0.1'",
    "metrics.acc LIKE '0.9'",
    "metrics.acc IS NULL",
    "metrics.acc IN (1, 2)",
    "metrics.acc BETWEEN 0 AND 1",
    "params.lr IN ('0.1')",
    "params.lr > '0.05'",
    "tags.team > 'a'",
    "tags.team = 5",
    "tags.team NOT LIKE 'a%'",
    "status IS NULL",
    "run_id > 'a'",
    "start_time LIKE '1%'",
    "start_time IN (1000)",
    "datasets.name IS NULL",
    "params.lr IS 'x'",
    "params.lr LIKE 5",
    # Values of the wrong make.
    "metrics.acc > '0.9'",
    "metrics.acc > nan",
    "metrics.acc > inf",
    "metrics.acc > +1",
    "metrics.acc > - 1",
    "metrics.acc > 1_000",
    "metrics.acc > 0x10",
    "metrics.acc > 1AND metrics.loss > 1",
    "start_time > '5000'",
    "status = FINISHED",
    "status = `FINISHED`",
    "status = 5",
    "params.lr = None",
    "tags.team = true",
    "tags.team = 'vision",
    "tags.`team = 'vision'",
    # Lists.
    "run_id IN ()",
    "run_id IN 'a'",
    "run_id IN (1)",
    "run_id IN ('a'",
    "run_id IN ('a' 'b')",
    "run_id IN (,'a')",
    # Logic and rubbish.
    "(metrics.acc > 0.9",
    "metrics.acc > 0.9)",
    "()",
    "AND metrics.acc > 0.9",
    "metrics.acc > 0.9 AND",
    "metrics.acc > 0.9 OR OR metrics.acc < 0.1",
    "metrics.acc > 0.9 metrics.loss < 1",
    "metrics.acc NOT > 0.9",
    "NOT",
    "metrics.acc > 0.9;",
    "metrics.acc > 0.9; DROP TABLE runs",
    "metrics.acc > 0.9 -- all",
    "metrics.acc > 0.9 /* all */",
    "metrics.acc > 0.9,",
    "tags.team = 'a\0b'",
]
"""Filters that no store answers; each is an ``InvalidFilter``."""

REFUSED_ORDERS: list[tuple[str, ...]] = [
    ("",),
    ("DESC",),
    ("acc",),
    ("foo.acc",),
    ("metrics",),
    ("metrics.acc UP",),
    ("metrics.acc ASC DESC",),
    ("metrics.acc DESC NULLS FIRST",),
    ("metrics.acc, metrics.loss",),
    ("metrics.eval/f1",),
    ("METRICS.acc",),
    ("datasets.name",),
    ("start_time", "metrics.acc > 0.9"),
    ("start_time; DROP TABLE runs",),
]
"""Orders that no store answers; each is an ``InvalidFilter``."""
