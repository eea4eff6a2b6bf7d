"""How long it is tried again what others, or the network, were in the way of."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from dovetail_sql.retrying import Displaced, Lost, Retry, Transient, Unsure, retried

if TYPE_CHECKING:
    from collections.abc import Callable


def failing(*failures: Exception, after: float = 0.0) -> Callable[[], str]:
    """An attempt that takes some seconds and fails in these ways, one after the other, before it succeeds."""
    waiting = list(failures)

    def attempt() -> str:
        time.sleep(after)
        if waiting:
            raise waiting.pop(0)
        return "done"

    return attempt


def test_a_server_that_goes_away_late_is_waited_for_as_long_as_one_that_goes_early() -> None:
    attempt = failing(Lost("gone"), after=0.3)
    assert Retry(patience=0.2).call(attempt, repeatable=False) == "done"


def test_locks_are_waited_for_from_the_beginning() -> None:
    with pytest.raises(Transient, match="locked"):
        Retry(patience=0.2).call(failing(Transient("locked"), after=0.3), repeatable=False)


def test_a_server_that_stays_away_is_given_up() -> None:
    began = time.monotonic()
    with pytest.raises(Lost):
        Retry(patience=0.3).call(failing(*[Lost("gone")] * 1000), repeatable=True)
    assert time.monotonic() - began < 2


def test_tables_that_stay_away_are_given_up_sooner() -> None:
    began = time.monotonic()
    with pytest.raises(Displaced):
        Retry(patience=60).call(failing(*[Displaced("dropped")] * 1000), repeatable=True)
    assert time.monotonic() - began < 5


def test_what_may_have_been_done_is_only_done_again_if_that_is_the_same() -> None:
    assert Retry(patience=5).call(failing(Unsure("?")), repeatable=True) == "done"
    with pytest.raises(Unsure):
        Retry(patience=5).call(failing(Unsure("?")), repeatable=False)


class Database:
    retry = Retry(patience=5)


class Store:
    """Begins a work of three steps, each of which fails once."""

    database = Database()

    def __init__(self) -> None:
        self.steps: list[int] = []
        self.works = 0

    def work(self) -> None:
        self.works += 1
        for number in range(3):
            self.step(number)

    def step(self, number: int) -> None:
        self.steps.append(number)
        if self.steps.count(number) == 1:
            raise Lost("gone")


def test_a_step_begins_again_by_itself_whatever_it_is_a_part_of() -> None:
    store = retried(Store, {"work"}, set(), {"step"})()
    store.work()
    assert (store.works, store.steps) == (1, [0, 0, 1, 1, 2, 2])
