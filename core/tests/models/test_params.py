from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pytest

from dovetail.errors import InvalidModel
from dovetail.models.enforcement import enforce_params
from dovetail.models.schema import Array, Object, ParamSchema, ParamSpec, Property

MOMENT = dt.datetime.fromisoformat("2021-02-03T04:05:06")
NEW_YEAR = dt.datetime.fromisoformat("2021-01-01T00:00:00")
DEFAULTS = {"a": 1, "f": 1.0, "s": "x", "b": True, "l": [1], "d": dt.date(2020, 1, 1), "i": 1, "fl": 1.0}
SCHEMA = ParamSchema(
    [
        ParamSpec("a", "long", 1),
        ParamSpec("f", "double", 1),
        ParamSpec("s", "string", "x"),
        ParamSpec("b", "boolean", default=True),
        ParamSpec("l", "long", [1], (-1,)),
        ParamSpec("d", "datetime", "2020-01-01"),
        ParamSpec("i", "integer", 1),
        ParamSpec("fl", "float", 1.0),
    ]
)


@pytest.mark.parametrize("given", [None, {}])
def test_defaults_fill_in_what_the_caller_leaves_out(given: dict[str, Any] | None) -> None:
    assert enforce_params(given, SCHEMA) == DEFAULTS


@pytest.mark.parametrize(
    ("name", "value", "fitted"),
    [
        ("a", 2, 2),
        ("a", np.int32(2), 2),
        ("a", np.uint8(2), 2),
        ("a", None, None),
        ("f", 2, 2.0),
        ("f", 2**60, float(2**60)),
        ("f", np.float32(0.5), 0.5),
        ("f", np.int64(2), 2.0),
        ("fl", 1.5, 1.5),
        ("s", np.str_("y"), "y"),
        ("b", np.bool_(False), False),
        ("l", [1, 2], [1, 2]),
        ("l", (1, 2), [1, 2]),
        ("l", np.array([1, 2]), [1, 2]),
        ("l", [], []),
        ("d", "2021-02-03", dt.date(2021, 2, 3)),
        ("d", "2021-02-03T04:05:06", MOMENT),
        ("d", "2021-02-03T04:05:06Z", MOMENT),
        ("d", dt.datetime.fromisoformat("2021-01-01T01:00:00+01:00"), NEW_YEAR),
        ("d", np.datetime64("2021-01-01T00:00:00", "ns"), NEW_YEAR),
    ],
)
def test_a_value_arrives_as_plain_python_of_its_type(name: str, value: Any, fitted: Any) -> None:
    result = enforce_params({name: value}, SCHEMA)
    assert result == {**DEFAULTS, name: fitted}
    assert type(result[name]) is type(fitted)


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("a", 2.0, r"2\.0 \(float\) is no long"),
        ("a", "2", r"'2' \(str\) is no long"),
        ("a", True, r"True \(bool\) is no long"),
        ("a", 2**63, "does not fit into the 64 bits of long"),
        ("a", [1], "is no long"),
        ("i", 2**40, "does not fit into the 32 bits of integer"),
        ("i", np.int64(1), "int64.* is no integer"),
        ("fl", np.float64(1), "float64.* is no float"),
        ("f", 2**60 + 1, "cannot be held exactly by a double"),
        ("f", "x", "is no double"),
        ("s", 1, "is no string"),
        ("b", 1, "is no boolean"),
        ("l", 1, "is no list"),
        ("l", [1, "a"], r"'a' \(str\) is no long"),
        ("l", [1.0], "is no long"),
        ("l", [[1]], "is no long"),
        ("d", "garbage", "no datetime in ISO 8601"),
        ("d", 5, "is no datetime"),
    ],
)
def test_a_value_of_another_type_is_refused_by_name(name: str, value: Any, reason: str) -> None:
    with pytest.raises(InvalidModel, match=f"'{name}': .*{reason}"):
        enforce_params({name: value}, SCHEMA)


def test_all_misfits_are_named_at_once() -> None:
    with pytest.raises(InvalidModel, match=r"'a': .*; 's': "):
        enforce_params({"s": 1, "a": "x"}, SCHEMA)


def test_params_that_the_model_does_not_take_are_left_out_with_a_warning() -> None:
    with pytest.warns(UserWarning, match="does not take the params temperature; they are ignored. It takes a, f"):
        assert enforce_params({"temperature": 1}, SCHEMA) == DEFAULTS
    with pytest.warns(UserWarning, match="temperature; they are ignored. Its signature has no params"):
        assert enforce_params({"temperature": 1}, None) == {}
    assert enforce_params(None, None) == {}


def test_params_are_a_dictionary() -> None:
    with pytest.raises(InvalidModel, match="The params are a list"):
        enforce_params([1], SCHEMA)  # type: ignore[arg-type]


def test_an_object_is_checked_inside() -> None:
    kind = Object([Property("x", "long"), Property("y", "string", required=False)])
    schema = ParamSchema([ParamSpec("o", kind, {"x": 1}), ParamSpec("many", kind, [], (-1,))])
    assert enforce_params({"o": {"x": 2, "y": None}}, schema)["o"] == {"x": 2, "y": None}
    assert enforce_params({"many": [{"x": 3}]}, schema) == {"o": {"x": 1}, "many": [{"x": 3}]}
    for wrong, reason in (
        ({"x": "a"}, "property 'x'"),
        ({"z": 1}, "lacks the properties x"),
        ({"x": 1, "z": 1}, "does not know: 'z'"),
        (None, "no dictionary"),
    ):
        with pytest.raises(InvalidModel, match=f"'o': .*{reason}"):
            enforce_params({"o": wrong}, schema)


def test_a_default_of_none_means_that_there_is_none() -> None:
    schema = ParamSchema.from_json('[{"name": "n", "default": null, "shape": null, "type": "long"}]')
    assert enforce_params({}, schema) == {"n": None}
    assert schema.to_json() == '[{"name": "n", "default": null, "shape": null, "type": "long"}]'


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("long", "x"), "default of the param 'p' does not fit"),
        (("string", 1), "does not fit"),
        (("long", 1, (-1,)), "is no list"),
        (("long", [[1]], (-1, -1)), "has the shape"),
        (("binary", b"x"), "cannot be of type binary"),
        ((Array("long"), [1]), r"cannot be of type Array\(long\)"),
        (("wat", 1), "'wat' is no type"),
    ],
)
def test_a_param_that_could_not_be_given_is_refused(arguments: tuple[Any, ...], reason: str) -> None:
    with pytest.raises(InvalidModel, match=reason):
        ParamSpec("p", *arguments)


def test_two_params_of_one_name_are_refused() -> None:
    with pytest.raises(InvalidModel, match="several params named a"):
        ParamSchema([ParamSpec("a", "long", 1), ParamSpec("a", "long", 2)])
