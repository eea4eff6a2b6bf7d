"""Metrics, params and tags check themselves when they are made."""

from __future__ import annotations

import math
import posixpath
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dovetail.errors import InvalidInput, InvalidName
from dovetail.values import Metric, Param, Tag
from dovetail.values.measure import now_ms

NO_NUMBERS = ["0.5", b"0.5", bytearray(b"0.5"), memoryview(b"0.5"), None, [], [0.5], {}, object(), 1 + 2j]


class TestMetricValues:
    @pytest.mark.parametrize(
        ("value", "kept"), [(1, 1.0), (0.5, 0.5), (True, 1.0), (Decimal("0.1"), 0.1), (Fraction(1, 4), 0.25)]
    )
    def test_every_kind_of_number_is_kept_as_a_float(self, value: Any, kept: float) -> None:
        metric = Metric("loss", value)
        assert metric.value == kept
        assert type(metric.value) is float

    def test_what_is_not_finite_is_kept(self) -> None:
        assert math.isnan(Metric("loss", math.nan).value)
        assert Metric("loss", math.inf).value == math.inf
        assert Metric("loss", -math.inf).value == -math.inf
        assert math.isnan(Metric("loss", Decimal("NaN")).value)

    @pytest.mark.parametrize("value", NO_NUMBERS, ids=lambda value: type(value).__name__)
    def test_what_is_no_number_is_refused_with_key_and_value(self, value: Any) -> None:
        with pytest.raises(InvalidInput, match=r"'loss'.*must be a number"):
            Metric("loss", value)

    def test_a_number_beyond_floats_is_refused(self) -> None:
        with pytest.raises(InvalidInput):
            Metric("loss", 10**400)

    def test_the_message_about_something_huge_is_short(self) -> None:
        with pytest.raises(InvalidInput) as caught:
            Metric("loss", list(range(100_000)))  # type: ignore[arg-type]
        assert len(str(caught.value)) < 300

    @given(st.floats())
    def test_any_float_is_kept_to_the_bit(self, value: float) -> None:
        kept = Metric("loss", value).value
        assert kept == value or (math.isnan(kept) and math.isnan(value))


class TestMetricValuesOfNumpy:
    @pytest.mark.parametrize("kind", ["float16", "float32", "float64", "int8", "uint64", "bool_"])
    @pytest.mark.parametrize("shape", [(), (1,), (1, 1)], ids=str)
    def test_scalars_and_arrays_of_one_element(self, kind: str, shape: tuple[int, ...]) -> None:
        np = pytest.importorskip("numpy")
        assert Metric("loss", getattr(np, kind)(1)).value == 1.0
        metric = Metric("loss", np.ones(shape, dtype=kind))
        assert metric.value == 1.0
        assert type(metric.value) is float

    def test_arrays_of_several_elements_and_of_text_are_refused(self) -> None:
        np = pytest.importorskip("numpy")
        for value in (np.zeros(2), np.zeros(0), np.array("1.5"), np.array(["1.5"]), np.datetime64("2020-01-01")):
            with pytest.raises(InvalidInput):
                Metric("loss", value)

    def test_steps_may_be_whole_numbers_of_numpy(self) -> None:
        np = pytest.importorskip("numpy")
        metric = Metric("loss", 1, timestamp=np.int64(5), step=np.int32(3))  # type: ignore[arg-type]
        assert (metric.timestamp, metric.step) == (5, 3)
        assert type(metric.step) is int


class TestMetricTimesAndSteps:
    def test_without_a_time_it_is_now_and_without_a_step_0(self) -> None:
        before = now_ms()
        metric = Metric("loss", 1)
        assert before <= metric.timestamp <= now_ms()
        assert metric.step == 0
        assert Metric("loss", 1, None, None).step == 0  # type: ignore[arg-type]

    def test_steps_may_be_negative_and_whole_floats(self) -> None:
        assert Metric("loss", 1, step=-(2**63)).step == -(2**63)
        assert Metric("loss", 1, step=3.0).step == 3  # type: ignore[arg-type]

    @pytest.mark.parametrize("step", [0.5, math.nan, math.inf, "3", b"3", True, [], 2**63, -(2**63) - 1], ids=repr)
    def test_other_steps_are_refused(self, step: Any) -> None:
        with pytest.raises(InvalidInput, match="step"):
            Metric("loss", 1, step=step)

    @pytest.mark.parametrize("timestamp", [-1, 0.5, "now", 2**63], ids=repr)
    def test_times_are_whole_milliseconds_from_0_on(self, timestamp: Any) -> None:
        with pytest.raises(InvalidInput, match="timestamp"):
            Metric("loss", 1, timestamp=timestamp)


@pytest.mark.parametrize("make", [lambda key: Metric(key, 1), lambda key: Param(key, "x"), lambda key: Tag(key, "x")])
class TestKeys:
    @pytest.mark.parametrize(
        "key", ["loss", "val/loss", "a b:c.d-e_f", "précision", "損失", "x" * 250, ".hidden", "a..b"]
    )
    def test_letters_of_every_script_and_a_few_marks_are_allowed(self, make: Any, key: str) -> None:
        assert make(key).key == key

    @pytest.mark.parametrize(
        "key",
        [
            "",
            "x" * 251,
            "../x",
            "/x",
            "a//b",
            "a/../b",
            "a/",
            ".",
            "..",
            "a\\b",
            "a\nb",
            "a\n",
            "a\0b",
            "a%b",
            "\ud800",
        ],
        ids=ascii,
    )
    def test_others_are_refused(self, make: Any, key: str) -> None:
        with pytest.raises(InvalidName):
            make(key)

    @pytest.mark.parametrize("key", [None, 5, b"loss", ["loss"]], ids=repr)
    def test_what_is_no_text_is_refused(self, make: Any, key: Any) -> None:
        with pytest.raises(InvalidName, match="must be non-empty text"):
            make(key)


@given(st.text(st.sampled_from("ab/.\\\n \0é"), max_size=12) | st.text(max_size=300))
def test_a_key_that_is_allowed_is_a_path_below_any_folder(key: str) -> None:
    """Stores may keep one file a key."""
    try:
        Metric(key, 1)
    except InvalidName:
        return
    assert posixpath.normpath(posixpath.join("/root", key)) == f"/root/{key}"
    assert key.encode("utf-8").decode("utf-8") == key


class TestTexts:
    @pytest.mark.parametrize(("kind", "limit"), [(Param, 6000), (Tag, 8000)])
    def test_values_up_to_the_limit_are_kept_and_longer_ones_refused(self, kind: Any, limit: int) -> None:
        assert len(kind("key", "x" * limit).value) == limit
        with pytest.raises(InvalidInput, match=str(limit)):
            kind("key", "x" * (limit + 1))

    @pytest.mark.parametrize("value", ["a\0b", "\ud800"], ids=ascii)
    @pytest.mark.parametrize("kind", [Param, Tag])
    def test_what_no_store_can_keep_is_refused(self, kind: Any, value: str) -> None:
        with pytest.raises(InvalidInput, match="cannot be stored"):
            kind("key", value)

    @pytest.mark.parametrize(("kind", "limit"), [(Param, 6000), (Tag, 8000)])
    def test_they_may_be_made_from_anything_and_cut(self, kind: Any, limit: int) -> None:
        assert kind.of("key", 0.1).value == "0.1"
        with pytest.warns(UserWarning, match=f"'key' has {limit + 5} characters and was cut to {limit}") as told:
            assert kind.of("key", "x" * (limit + 5)).value == "x" * limit
        assert len(told) == 1
        with pytest.raises(InvalidInput):
            kind.of("key", "x" * (limit + 5), cut=False)


def test_values_do_not_change() -> None:
    with pytest.raises(AttributeError):
        Metric("loss", 1).value = 2  # type: ignore[misc]
