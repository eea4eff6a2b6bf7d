from __future__ import annotations

import datetime as dt
import decimal
import subprocess
import sys
import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dovetail.errors import InvalidModel
from dovetail.models.enforcement import enforce_schema
from dovetail.models.schema import AnyType, Array, ColSpec, DataType, Map, Object, Property, Schema, SparkMLVector
from dovetail.models.signature import infer_signature

NEW_YEAR = dt.datetime.fromisoformat("2020-01-01T00:00:00")  # signatures know no time zones
ABC = Schema([ColSpec("long", "a"), ColSpec("double", "b"), ColSpec("string", "c", required=False)])


def column(kind: Any, *, required: bool = True) -> Schema:
    return Schema([ColSpec(kind, "x", required)])


def unnamed(*kinds: Any) -> Schema:
    return Schema([ColSpec(kind) for kind in kinds])


def test_a_table_that_fits_is_handed_on_as_it_is() -> None:
    frame = pd.DataFrame({"a": [1], "b": [1.0], "c": ["x"]}, index=["row"])
    assert enforce_schema(frame, ABC) is frame


def test_columns_come_in_the_order_of_the_signature_without_others() -> None:
    frame = pd.DataFrame({"z": [1, 2], "b": [1.0, 2.0], "a": [1, 2]}, index=[7, 7])
    pd.testing.assert_frame_equal(enforce_schema(frame, ABC), frame[["a", "b"]])


def test_all_missing_columns_are_named_with_those_that_are_there() -> None:
    with pytest.raises(InvalidModel, match=r"The request lacks the columns 'a', 'b'; it has 'z'\."):
        enforce_schema(pd.DataFrame({"z": [1]}), ABC, what="request")


def test_optional_columns_may_all_be_missing() -> None:
    result = enforce_schema(pd.DataFrame({"z": [1, 2]}), column("long", required=False))
    assert result.shape == (2, 0)


def test_a_column_given_twice_is_refused() -> None:
    with pytest.raises(InvalidModel, match="more than one column named 'x'"):
        enforce_schema(pd.DataFrame([[1, 2]], columns=["x", "x"]), column("long"))


def test_labels_of_several_levels_are_found_after_reading_the_signature_back() -> None:
    frame = pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([("a", "b"), ("a", "c")]))
    schema = Schema.from_json(infer_signature(frame).inputs.to_json())  # type: ignore[union-attr]
    pd.testing.assert_frame_equal(enforce_schema(frame, schema), frame)


NARROW = ["int8", "uint8", "int16", "uint16", "int32"]
WIDENED = [
    *((each, "integer", "int32") for each in NARROW),
    *((each, "long", "int64") for each in [*NARROW, "uint32", "int64"]),
    *((each, "double", "float64") for each in [*NARROW, "uint32", "float16", "float32", "float64"]),
    ("float16", "float", "float32"),
    ("bool", "boolean", "bool"),
    ("Int32", "long", "int64"),
]
REFUSED = [
    *((each, "float") for each in NARROW),
    *((each, "boolean") for each in [*NARROW, "int64", "float64"]),
    *((each, "string") for each in [*NARROW, "int64", "float64", "bool", "datetime64[ns]"]),
    *((each, "datetime") for each in ["int64", "float64", "bool"]),
    *(("uint64", each) for each in ("integer", "long", "float", "double")),
    *(("bool", each) for each in ("integer", "long", "float", "double")),
    ("int64", "integer"),
    ("uint32", "integer"),
    ("int64", "double"),
    ("int64", "float"),
    ("float64", "float"),
    ("float64", "long"),
    ("float32", "integer"),
    ("complex64", "double"),
]


@pytest.mark.parametrize(("held", "kind", "result"), WIDENED)
def test_narrower_values_are_widened(held: str, kind: str, result: str) -> None:
    frame = pd.DataFrame({"x": np.array([0, 1, 1]), "y": 1}).astype({"x": held})
    enforced = enforce_schema(frame, column(kind))
    assert enforced["x"].dtype == result
    assert (enforced["x"] == frame["x"]).all()


@pytest.mark.parametrize(("held", "kind"), REFUSED)
def test_conversions_that_could_change_a_value_are_refused_by_column(held: str, kind: str) -> None:
    frame = pd.DataFrame({"x": pd.Series([2, 3]).astype(held)})
    with pytest.raises(InvalidModel, match=rf"column 'x' holds {held.partition('[')[0]}.*cannot be turned into {kind}"):
        enforce_schema(frame, column(kind))


@pytest.mark.parametrize("kind", [each for each in DataType if each is not DataType.string])
@pytest.mark.parametrize("dtype", [None, object, "string"])
def test_strings_become_nothing_else(kind: DataType, dtype: Any) -> None:
    frame = pd.DataFrame({"x": pd.Series(["1", "2020-01-01"], dtype=dtype)})
    with pytest.raises(InvalidModel, match=f"column 'x' holds string, which cannot be turned into {kind}"):
        enforce_schema(frame, column(kind))


def test_all_columns_that_do_not_fit_are_named_at_once() -> None:
    frame = pd.DataFrame({"a": ["x"], "b": [True], "c": ["fine"]})
    with pytest.raises(InvalidModel, match=r"column 'a' holds string.*; column 'b' holds bool"):
        enforce_schema(frame, ABC)


def test_flags_kept_as_integers_may_become_reals() -> None:
    frame = pd.DataFrame({"x": [0, 1, 1]})
    assert enforce_schema(frame, column("double"))["x"].dtype == "float64"
    assert enforce_schema(frame, column("float"))["x"].dtype == "float32"


def test_integers_that_became_floats_for_missing_values_are_explained() -> None:
    with pytest.raises(InvalidModel, match="integers with missing values became floats"):
        enforce_schema(pd.DataFrame({"x": [1.0, None]}), column("long"))
    with pytest.raises(InvalidModel) as caught:
        enforce_schema(pd.DataFrame({"x": [1.5, None]}), column("long"))
    assert "became floats" not in str(caught.value)


@pytest.mark.parametrize(
    ("dtype", "kind", "result"),
    [
        ("Int64", "long", "Int64"),
        ("Int32", "long", "Int64"),
        ("Int32", "double", "Float64"),
        ("boolean", "boolean", "boolean"),
    ],
)
def test_columns_that_can_miss_values_keep_them(dtype: str, kind: str, result: str) -> None:
    enforced = enforce_schema(pd.DataFrame({"x": pd.array([1, None], dtype=dtype)}), column(kind, required=False))
    assert enforced["x"].dtype == result
    assert enforced["x"].isna().tolist() == [False, True]


def test_a_categorical_column_of_the_right_type_stays_categorical() -> None:
    frame = pd.DataFrame({"x": pd.Categorical(["a", "b"])})
    assert enforce_schema(frame, infer_signature(frame).inputs) is frame  # type: ignore[arg-type]
    with pytest.raises(InvalidModel, match=r"column 'x' holds categorical.*long"):
        enforce_schema(frame, column("long"))


@pytest.mark.parametrize(
    ("values", "kind", "result"),
    [
        ([1, 2], "long", "int64"),
        ([True, False], "boolean", "bool"),
        ([1.5, 2], "double", "float64"),
        ([decimal.Decimal("1.5"), None], "double", "float64"),
        ([None, None], "double", "float64"),
        ([dt.date(2020, 1, 1)], "datetime", "datetime64[ns]"),
        ([NEW_YEAR, None], "datetime", "datetime64[ns]"),
        ([None], "datetime", "datetime64[ns]"),
        ([True, None], "boolean", "object"),
        (["a", None], "string", "object"),
        (["a", 1], "string", "object"),
        ([b"a", None], "binary", "object"),
        ([bytearray(b"a"), b"a"], "binary", "object"),
    ],
)
def test_columns_of_python_objects_are_taken_for_what_they_hold(values: list[Any], kind: str, result: str) -> None:
    enforced = enforce_schema(pd.DataFrame({"x": pd.Series(values, dtype=object)}), column(kind, required=False))
    assert enforced["x"].dtype == result


@pytest.mark.parametrize(
    ("values", "kind", "reason"),
    [
        ([1, "a"], "long", "mixed-integer"),
        ([1, 2], "string", "integer"),
        ([b"a"], "string", "bytes"),
        ([b"a", "a"], "binary", "row 1: 'a'"),
        ([None], "long", "holds no values"),
        ([[1]], "boolean", "cannot be turned into boolean"),
        ([NEW_YEAR], "long", "datetime"),
        ([dt.date(9999, 1, 1)], "datetime", "cannot be kept"),
    ],
)
def test_columns_of_other_python_objects_are_refused(values: list[Any], kind: str, reason: str) -> None:
    with pytest.raises(InvalidModel, match=f"column 'x' .*{reason}"):
        enforce_schema(pd.DataFrame({"x": pd.Series(values, dtype=object)}), column(kind))


def test_datetimes_of_any_precision_fit_but_time_zones_do_not() -> None:
    moments = pd.Series(pd.to_datetime(["2020-01-01"]))
    enforced = enforce_schema(pd.DataFrame({"x": moments.astype("datetime64[s]")}), column("datetime"))
    assert enforced["x"].dtype == "datetime64[ns]"
    with pytest.raises(InvalidModel, match=r"time zone.*tz_localize\(None\)"):
        enforce_schema(pd.DataFrame({"x": moments.dt.tz_localize("UTC")}), column("datetime"))


@pytest.mark.parametrize("kind", list(DataType))
@pytest.mark.parametrize("dtype", ["float64", "object", "int64", "datetime64[ns, UTC]"])
def test_a_column_without_rows_fits_everything(kind: DataType, dtype: Any) -> None:
    assert len(enforce_schema(pd.DataFrame({"x": pd.Series([], dtype=dtype)}), column(kind))) == 0


@pytest.mark.parametrize(
    ("cell", "kind", "result"),
    [
        ([1, 2], Array("long"), [1, 2]),
        ([1, 2.5], Array("double"), [1.0, 2.5]),
        ([], Array("long"), []),
        (["a", None], Array("string"), ["a", None]),
        ([[1], []], Array(Array("long")), [[1], []]),
        ([NEW_YEAR], Array("datetime"), [NEW_YEAR]),
        ([1, "a", None], Array(AnyType()), [1, "a", None]),
        ({"a": 1}, Map("double"), {"a": 1.0}),
        ({"a": 1}, Object([Property("a", "long"), Property("b", "string", required=False)]), {"a": 1}),
        ({"a": [{"b": b"x"}]}, Object([Property("a", Array(Map("binary")))]), {"a": [{"b": b"x"}]}),
        ("whatever", AnyType(), "whatever"),
        ([1.0, 2.0], SparkMLVector(), [1.0, 2.0]),
    ],
)
def test_nested_cells_are_checked_inside(cell: Any, kind: Any, result: Any) -> None:
    enforced = enforce_schema(pd.DataFrame({"x": pd.Series([cell], dtype=object)}), column(kind))
    assert enforced["x"].tolist() == [result]


@pytest.mark.parametrize(
    ("cell", "kind", "reason"),
    [
        (1, Array("long"), r"1 \(int\) is no list or numpy array"),
        ((1, 2), Array("long"), "tuple"),
        (None, Array("long"), "NoneType"),
        ([1, "a"], Array("long"), r"item 1: 'a' \(str\) is no long"),
        ([1, None], Array("long"), "item 1: None"),
        ([2**53 + 1], Array("double"), "cannot be held exactly"),
        (np.array([1.5]), Array("long"), r"an array of float64 is no Array\(long\)"),
        (np.array([2**53 + 1]), Array("double"), "an array of int64"),
        ({"b": "x"}, Object([Property("a", "long")]), "lacks the properties a"),
        ({"a": 1, "z": 2}, Object([Property("a", "long")]), "does not know: 'z'"),
        ({"a": [1, "b"]}, Object([Property("a", Array("long"))]), "property 'a': item 1: 'b'"),
        ([1], Object([Property("a", "long")]), "no dictionary"),
        ({"a": "x"}, Map("long"), "key 'a': 'x'"),
        ({1: 1}, Map("long"), "keys that are no strings: 1"),
        ("a", Map("long"), "no dictionary"),
    ],
)
def test_nested_cells_that_do_not_fit_are_refused_by_place(cell: Any, kind: Any, reason: str) -> None:
    frame = pd.DataFrame({"x": pd.Series([cell], dtype=object)})
    with pytest.raises(InvalidModel, match=f"column 'x' row 0: .*{reason}"):
        enforce_schema(frame, column(kind))


def test_arrays_in_cells_keep_to_their_type_or_are_widened() -> None:
    frame = pd.DataFrame({"x": [np.array([1], dtype="int32"), np.array([2, 3], dtype="int64")]})
    cells = enforce_schema(frame, column(Array("long")))["x"]
    assert [cell.dtype.name for cell in cells] == ["int64", "int64"]
    squares = pd.DataFrame({"x": pd.Series([np.eye(2)], dtype=object)})
    assert len(enforce_schema(squares, column(Array(Array("double"))))["x"][0]) == 2


def test_only_optional_columns_of_lists_may_have_gaps() -> None:
    frame = pd.DataFrame({"x": [None, [1]]})
    assert enforce_schema(frame, column(Array("long"), required=False))["x"].tolist() == [None, [1]]
    with pytest.raises(InvalidModel, match="row 0: None"):
        enforce_schema(frame, column(Array("long")))


@pytest.mark.parametrize(
    ("data", "rows"),
    [
        ([{"a": 1, "b": 2.0}, {"a": 3, "b": 4.0}], [[1, 2.0], [3, 4.0]]),
        ({"a": [1, 3], "b": [2.0, 4.0]}, [[1, 2.0], [3, 4.0]]),
        ({"a": np.array([1]), "b": np.array([2.0])}, [[1, 2.0]]),
        ({"a": 1, "b": 2.0}, [[1, 2.0]]),
        ({"a": np.array(1), "b": np.float64(2)}, [[1, 2.0]]),
        (pd.DataFrame({"a": [1], "b": [2.0]}), [[1, 2.0]]),
    ],
)
def test_plain_data_becomes_a_table(data: Any, rows: list[list[Any]]) -> None:
    pd.testing.assert_frame_equal(enforce_schema(data, ABC), pd.DataFrame(rows, columns=["a", "b"]))


def test_a_dictionary_with_nested_values_is_one_row() -> None:
    schema = Schema([ColSpec(Array("long"), "a"), ColSpec("string", "b")])
    enforced = enforce_schema({"a": [1, 2], "b": "x"}, schema)
    assert enforced.to_dict("records") == [{"a": [1, 2], "b": "x"}]


@pytest.mark.parametrize(
    ("data", "schema", "cells"),
    [
        ("hi", unnamed("string"), ["hi"]),
        (["hi", "ho"], unnamed("string"), ["hi", "ho"]),
        (b"x", unnamed("binary"), [b"x"]),
        (1, unnamed("long"), [1]),
        (np.array(1.5), unnamed("double"), [1.5]),
        (np.array([1.0, 2.0]), unnamed("double"), [1.0, 2.0]),
        (pd.Series([1.0, 2.0], name="any"), unnamed("double"), [1.0, 2.0]),
        ([[1, 2], [3]], unnamed(Array("long")), [[1, 2], [3]]),
        ({"a": 1}, unnamed(Map("long")), [{"a": 1}]),
    ],
)
def test_values_without_names_become_the_first_column(data: Any, schema: Schema, cells: list[Any]) -> None:
    enforced = enforce_schema(data, schema)
    assert enforced.shape == (len(cells), 1)
    assert enforced.iloc[:, 0].tolist() == cells


def test_columns_without_names_are_matched_by_position() -> None:
    schema = unnamed("double", "double")
    enforced = enforce_schema(pd.DataFrame([[1.0, 2.0, 3.0]], columns=["p", "q", "r"]), schema)
    assert enforced.to_dict("list") == {"p": [1.0], "q": [2.0]}
    assert enforce_schema(np.array([[1.0, 2.0]]), schema).shape == (1, 2)
    with pytest.raises(InvalidModel, match="has 1 columns, and the signature asks for 2"):
        enforce_schema(pd.DataFrame([[1.0]]), schema)


@pytest.mark.parametrize("data", [object, (1, 2), {"a": 1}, [1], np.zeros(2), None])
def test_a_single_unnamed_any_takes_everything_as_it_is(data: Any) -> None:
    assert enforce_schema(data, unnamed("any")) is data


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (None, "is a NoneType"),
        ((1, 2), "is a tuple"),
        ({"a": [1, 2], "b": [1.0]}, "cannot be read as a table"),
        (np.zeros((2, 2, 2)), "cannot be read as a table"),
        ("hi", "lacks the columns 'a', 'b'"),
        ([[1, 2.0]], "lacks the columns 'a', 'b'; it has 0, 1"),
    ],
)
def test_data_that_is_no_table_is_refused(data: Any, reason: str) -> None:
    with pytest.raises(InvalidModel, match=f"The model input {reason}"):
        enforce_schema(data, ABC)


def test_without_pandas_the_error_says_what_to_install() -> None:
    script = """
import sys
sys.modules["pandas"] = None  # what an environment without pandas looks like to import
from dovetail.errors import InvalidModel
from dovetail.models.enforcement import enforce_schema
from dovetail.models.schema import ColSpec, Schema
assert enforce_schema("hi", Schema([ColSpec("any")])) == "hi"
try:
    enforce_schema([{"a": 1}], Schema([ColSpec("long", "a")]))
except InvalidModel as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == (
        "Checking the model input against the columns of the signature needs pandas, which is not installed.\n"
        "pip install pandas\n"
    )


cells = st.one_of(
    st.integers(-(2**63), 2**63 - 1), st.floats(), st.booleans(), st.text(max_size=3), st.binary(max_size=3), st.none()
)


@given(st.lists(st.fixed_dictionaries({"a": cells, "b": cells}), min_size=1, max_size=4), st.sampled_from(DataType))
def test_enforcement_never_changes_a_value(rows: list[dict[str, Any]], kind: DataType) -> None:
    frame = pd.DataFrame({name: pd.Series([row[name] for row in rows], dtype=object) for name in ("a", "b")})
    try:
        enforced = enforce_schema(frame, Schema([ColSpec(kind, "b", required=False)]))
    except InvalidModel:
        return
    for before, after in zip(frame["b"], enforced["b"], strict=True):
        assert (pd.isna(before) and pd.isna(after)) or before == after


flat = st.sampled_from([st.integers(-9, 9), st.floats(allow_nan=False), st.booleans(), st.text(max_size=3)])


@given(
    st.lists(flat, min_size=1, max_size=4).flatmap(lambda kinds: st.lists(st.tuples(*kinds), min_size=1, max_size=4))
)
def test_data_always_fits_the_signature_inferred_from_it(rows: list[tuple[Any, ...]]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        frame = pd.DataFrame(rows, columns=[f"c{place}" for place in range(len(rows[0]))])
        schema = infer_signature(frame).inputs
        records = [dict(zip(frame.columns, row, strict=True)) for row in rows]
        assert infer_signature(records).inputs == schema
    pd.testing.assert_frame_equal(enforce_schema(frame, schema), frame)  # type: ignore[arg-type]
    pd.testing.assert_frame_equal(enforce_schema(records, schema), frame)  # type: ignore[arg-type]
