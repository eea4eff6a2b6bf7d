"""Numbers in MLflow's JSON."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from dovetail.errors import InvalidInput
from dovetail.wire.numbers import dump_float, load_float, load_int

LARGEST = 2**63 - 1


class TestWholeNumbersThatAreSent:
    @pytest.mark.parametrize(
        ("sent", "number"),
        [
            (5, 5),
            ("5", 5),
            (0, 0),
            ("0", 0),
            ("-0", 0),
            (-7, -7),
            ("-7", -7),
            (1000.0, 1000),
            (LARGEST, LARGEST),
            (str(LARGEST), LARGEST),
            (-LARGEST - 1, -LARGEST - 1),
            (str(-LARGEST - 1), -LARGEST - 1),
            ("9007199254740993", 9007199254740993),
        ],
        ids=repr,
    )
    def test_may_be_numbers_or_text(self, sent: object, number: int) -> None:
        assert load_int(sent, "timestamp") == number
        assert type(load_int(sent, "timestamp")) is int

    @pytest.mark.parametrize(
        "sent",
        [
            True, False, None, "", "x", " 5 ", "+5", "1_0", "1.0", "1e3", "0x10", "\u0665", "5\n", 1.5, math.nan,
            math.inf, [], {}, 2.0**53 + 2, -9223372036854775809.0,
        ],
        ids=repr,
    )  # fmt: skip
    def test_anything_else_is_refused_by_the_fields_name(self, sent: object) -> None:
        with pytest.raises(InvalidInput, match=r"'timestamp' must be a whole number of 64 bits, not "):
            load_int(sent, "timestamp")

    @pytest.mark.parametrize(
        "sent", [2**63, -(2**63) - 1, str(2**63), 1e300, 10**400, "9" * 400], ids=lambda s: str(s)[:9]
    )
    def test_what_no_store_can_keep_is_refused_in_few_words(self, sent: object) -> None:
        with pytest.raises(InvalidInput) as caught:
            load_int(sent, "step")
        assert len(str(caught.value)) < 250

    def test_says_of_those_only_that_they_are_larger(self) -> None:
        with pytest.raises(InvalidInput, match=r"'step' must be a whole number of 64 bits, not one that is larger\.\Z"):
            load_int(10**400, "step")
        with pytest.raises(InvalidInput, match=r"not 'x'\.\Z"):
            load_int("x", "step")


class TestNumbersThatAreSent:
    @pytest.mark.parametrize(
        ("sent", "number"),
        [
            (0.5, 0.5),
            (1, 1.0),
            (-3, -3.0),
            (0, 0.0),
            (10**308, 1e308),
            ("1.5", 1.5),
            ("-2e-3", -0.002),
            ("Infinity", math.inf),
            ("-Infinity", -math.inf),
        ],
        ids=repr,
    )
    def test_come_back_as_floats(self, sent: object, number: float) -> None:
        assert load_float(sent, "value") == number
        assert type(load_float(sent, "value")) is float

    def test_nan_comes_as_text_and_as_pythons_json_writes_it(self) -> None:
        assert math.isnan(load_float("NaN", "value"))
        assert math.isnan(load_float(json.loads("NaN"), "value"))

    @pytest.mark.parametrize(
        "sent",
        [
            "1.5.2",
            " 1.5",
            "1,5",
            "0x1p3",
            "1e999",
            "9" * 500,
            "nan",
            "inf",
            "infinity",
            "",
            "x",
            True,
            False,
            None,
            [1],
            {},
            10**400,
        ],
        ids=str,
    )
    def test_anything_else_is_refused_by_the_fields_name(self, sent: object) -> None:
        with pytest.raises(
            InvalidInput, match="'value' must be a number or one of the texts NaN, Infinity, -Infinity, not"
        ):
            load_float(sent, "value")


class TestNumbersThatAreAnswered:
    @pytest.mark.parametrize(
        ("number", "shown"),
        [(0.5, 0.5), (0.0, 0.0), (1e300, 1e300), (math.nan, "NaN"), (math.inf, "Infinity"), (-math.inf, "-Infinity")],
        ids=repr,
    )
    def test_are_json_whatever_they_are(self, number: float, shown: Any) -> None:
        assert dump_float(number) == shown
        json.dumps(dump_float(number), allow_nan=False)

    @pytest.mark.parametrize("number", [0.1, -0.0, 5e-324, 1.7976931348623157e308, math.inf, -math.inf])
    def test_come_back_as_they_were(self, number: float) -> None:
        back = load_float(json.loads(json.dumps(dump_float(number))), "value")
        assert (back, math.copysign(1, back)) == (number, math.copysign(1, number))
