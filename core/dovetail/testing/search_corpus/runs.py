"""Example runs to search."""

from __future__ import annotations

from typing import TypedDict

__all__ = ["RUNS", "ExampleDataset", "ExampleRun"]


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
