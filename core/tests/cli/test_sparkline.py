"""Histories as a few characters."""

from __future__ import annotations

import io
import math
import sys
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dovetail import Client
from dovetail.cli.sparkline import BLOCKS, NOT_FINITE, PLAIN_BLOCKS, WIDTH, Histories, sparkline
from dovetail.values import Metric


@pytest.mark.parametrize(
    ("values", "line"),
    [([], ""), ([5], "▅"), ([5, 5, 5], "▅▅▅"), ([0, 7], "▁█"), ([0, math.nan, 7], "▁!█"), ([math.inf, math.nan], "!!"),
     ([-1e308, 1e308], "▁█"), ([1.7e308] * 40, "▅" * WIDTH), (list(range(32)), "▁▁▂▂▃▃▄▄▅▅▆▆▇▇██")],
)  # fmt: skip
def test_lines(values: list[float], line: str) -> None:
    assert sparkline(values) == line


@given(st.lists(st.floats(), max_size=100), st.integers(1, 40))
def test_whatever_was_logged_fits(values: list[float], width: int) -> None:
    line = sparkline(values, width)
    assert len(line) == min(len(values), width)
    assert set(line) <= set(BLOCKS + NOT_FINITE)


def test_an_output_without_those_characters_gets_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding="ascii"))
    assert sparkline([0, 1, math.nan]) == PLAIN_BLOCKS[0] + PLAIN_BLOCKS[-1] + NOT_FINITE


def test_histories_go_by_step_and_are_given_up_in_time(drawer: Any) -> None:
    run = Client().create_run("0").info.run_id
    points = [Metric("loss", step, timestamp=100 - step, step=step) for step in range(5)]
    Client().log_batch(run, [*points, Metric("one", 1)])
    histories = Histories(Client())
    assert histories.values(run, "loss") == [0, 1, 2, 3, 4]
    assert (histories.line(run, "one"), histories.line(run, "none"), histories.left_out) == ("", "", False)
    late = Histories(Client(), seconds=0)
    time.sleep(0.01)
    assert (late.line(run, "loss"), late.left_out) == ("", True)
