from __future__ import annotations

import json
from typing import Any

import pytest

from dovetail.errors import InvalidModel
from dovetail.models.datatypes import Array
from dovetail.models.enforcement import enforce_schema
from dovetail.models.json_input import as_signature
from dovetail.models.schema import ColSpec, Schema, TensorSpec

np = pytest.importorskip("numpy")
pd = pytest.importorskip("pandas")


def read(text: str, *specs: Any) -> Any:
    """What a model gets for a JSON text."""
    schema = Schema(specs)
    return enforce_schema(as_signature(json.loads(text), schema), schema)


class TestTensors:
    def test_lists_become_the_array_the_signature_asks_for(self) -> None:
        array = as_signature([[1, 2]], Schema([TensorSpec("float32", (-1, 2))]))
        assert array.dtype == np.float32
        assert array.tolist() == [[1.0, 2.0]]

    @pytest.mark.parametrize("data", [{"a": [1], "b": [2]}, [{"a": 1, "b": 2}]])
    def test_named_ones_come_as_columns_or_as_examples(self, data: Any) -> None:
        arrays = as_signature(data, Schema([TensorSpec("int64", (-1,), "a"), TensorSpec("float64", (-1,), "b")]))
        assert (arrays["a"].tolist(), arrays["b"].dtype) == ([1], np.float64)

    def test_what_is_no_array_is_an_error(self) -> None:
        for data in ([[1], [1, 2]], ["x"]):
            with pytest.raises(InvalidModel, match="float64"):
                as_signature(data, Schema([TensorSpec("float64", (-1, 1))]))

    def test_arrays_stay_as_they_are(self) -> None:
        array = np.array([[1]])
        assert as_signature(array, Schema([TensorSpec("float64", (-1, 1))])) is array

    @pytest.mark.parametrize(
        ("values", "dtype"),
        [
            ([2**53 + 1], "float64"),
            ([2**24 + 1], "float32"),
            ([1.5], "int64"),
            ([float("nan")], "int64"),
            ([300], "uint8"),
            ([-1], "uint64"),
            ([2], "bool"),
            (["1"], "float64"),
            ([1, "2"], "float64"),
            ([None, "2"], "float64"),
            ([1], "str"),
            (["a", float("nan")], "str"),
        ],
    )
    def test_values_that_would_change_are_an_error(self, values: list[Any], dtype: str) -> None:
        for data in (values, [{"a": value} for value in values], pd.DataFrame({"a": values})):
            with pytest.raises(InvalidModel, match=dtype):
                as_signature(data, Schema([TensorSpec(dtype, (-1,))]))

    @pytest.mark.parametrize(
        ("values", "dtype", "expected"),
        [
            ([1, 2**53], "float64", [1.0, 2.0**53]),
            ([1.0, 3.0], "int64", [1, 3]),
            ([0.1], "float32", [np.float32(0.1)]),
            ([True], "float64", [1.0]),
            (["a", "bc"], "str", ["a", "bc"]),
            (["2026-01-31"], "datetime64[ns]", [np.datetime64("2026-01-31", "ns").item()]),
        ],
    )
    def test_values_that_stay_the_same_are_turned(self, values: list[Any], dtype: str, expected: list[Any]) -> None:
        for data in (values, [{"a": value} for value in values], pd.DataFrame({"a": values})):
            array = as_signature(data, Schema([TensorSpec(dtype, (-1,))]))
            assert (array.tolist(), array.dtype.kind) == (expected, np.dtype(dtype).kind)

    def test_what_is_missing_is_a_nan(self) -> None:
        assert np.isnan(as_signature([None, 1.0], Schema([TensorSpec("float64", (-1,))]))[0])


TABLES = [pd.DataFrame({"b": [1, 2], "a": [0.5, 1.5]}), [{"b": 1, "a": 0.5}, {"b": 2, "a": 1.5}]]


@pytest.mark.parametrize("table", TABLES, ids=["pandas", "no pandas"])
class TestTablesForTensors:
    def test_become_an_array_in_the_order_of_their_columns(self, table: Any) -> None:
        schema = Schema([TensorSpec("float64", (-1, 2))])
        assert enforce_schema(as_signature(table, schema), schema).tolist() == [[1.0, 0.5], [2.0, 1.5]]

    def test_of_another_width_are_refused(self, table: Any) -> None:
        schema = Schema([TensorSpec("float64", (-1, 3))])
        with pytest.raises(InvalidModel, match=r"shape \(2, 2\)"):
            enforce_schema(as_signature(table, schema), schema)

    def test_name_the_column_that_would_change(self, table: Any) -> None:
        with pytest.raises(InvalidModel, match="column 'a' of the input holds float64"):
            as_signature(table, Schema([TensorSpec("int64", (-1, 2))]))

    def test_give_each_named_tensor_its_column(self, table: Any) -> None:
        schema = Schema([TensorSpec("float64", (-1, 1), "a"), TensorSpec("float32", (-1,), "b")])
        arrays = enforce_schema(as_signature(table, schema), schema)
        assert (arrays["a"].tolist(), arrays["b"].tolist()) == ([[0.5], [1.5]], [1.0, 2.0])

    def test_lack_a_tensor_that_is_no_column(self, table: Any) -> None:
        schema = Schema([TensorSpec("float64", (-1,), "c")])
        with pytest.raises(InvalidModel, match="lacks 'c'; it has 'b', 'a'"):
            enforce_schema(as_signature(table, schema), schema)


class TestTablesThatAreNone:
    def test_rows_of_different_columns_are_refused(self) -> None:
        with pytest.raises(InvalidModel, match="different columns"):
            as_signature([{"a": 1}, {"b": 1}], Schema([TensorSpec("float64", (-1, 1))]))

    def test_two_columns_of_one_name_are_refused(self) -> None:
        table = pd.DataFrame([[1, 2]], columns=["a", "a"])
        with pytest.raises(InvalidModel, match="more than one column"):
            as_signature(table, Schema([TensorSpec("float64", (-1, 2))]))

    def test_lists_in_the_cells_of_several_columns_are_refused(self) -> None:
        with pytest.raises(InvalidModel, match="do not make one array"):
            as_signature([{"a": [1, 2], "b": 1}], Schema([TensorSpec("float64", (-1, 2))]))

    def test_lists_in_the_cells_of_one_column_are_its_examples(self) -> None:
        array = as_signature(pd.DataFrame({"a": [[1, 2, 3, 4]]}), Schema([TensorSpec("float64", (-1, 2, 2))]))
        assert array.tolist() == [[[1.0, 2.0], [3.0, 4.0]]]


class TestColumns:
    def test_whole_numbers_are_doubles_where_the_signature_says_so(self) -> None:
        table = read("[[1, 2], [3, 4]]", ColSpec("double"), ColSpec("double"))
        assert table.to_numpy().tolist() == [[1.0, 2.0], [3.0, 4.0]]
        assert set(table.dtypes) == {np.dtype("float64")}

    @pytest.mark.parametrize("text", ['[{"a": 1}, {"a": 2}]', '{"a": [1, 2]}'])
    def test_tables_come_as_records_or_as_columns(self, text: str) -> None:
        assert read(text, ColSpec("double", "a"))["a"].tolist() == [1.0, 2.0]

    def test_a_mapping_of_values_is_one_row(self) -> None:
        assert read('{"a": 1, "b": "x"}', ColSpec("float", "a"), ColSpec("string", "b")).shape == (1, 2)

    @pytest.mark.parametrize(
        ("text", "kind", "expected"),
        [
            ("[1]", "integer", "int32"),
            ("[1]", "long", "int64"),
            ("[1, 2.5]", "float", "float32"),
            ("[true]", "boolean", "bool"),
        ],
    )
    def test_numbers_have_the_width_of_the_signature(self, text: str, kind: str, expected: str) -> None:
        assert read(text, ColSpec(kind)).iloc[:, 0].dtype == expected

    def test_moments_and_bytes_are_texts_in_json(self) -> None:
        table = read('[{"t": "2026-01-31T12:00:00", "b": "AP8="}]', ColSpec("datetime", "t"), ColSpec("binary", "b"))
        assert table["t"][0] == pd.Timestamp("2026-01-31 12:00")
        assert table["b"][0] == b"\x00\xff"

    @pytest.mark.parametrize(
        ("text", "kind"),
        [
            ("[1.5]", "long"),
            ("[9007199254740993]", "double"),
            ("[3000000000]", "integer"),
            ('["soon"]', "datetime"),
            ('["no base64!"]', "binary"),
            ('["1"]', "double"),
            ("[1]", "string"),
        ],
    )
    def test_nothing_is_changed_that_would_not_be_the_same(self, text: str, kind: str) -> None:
        with pytest.raises(InvalidModel, match="does not fit"):
            read(text, ColSpec(kind))

    def test_missing_columns_are_named_as_ever(self) -> None:
        with pytest.raises(InvalidModel, match="'b'"):
            read('[{"a": 1}]', ColSpec("double", "a"), ColSpec("double", "b"))

    def test_lists_within_cells_are_left_alone(self) -> None:
        assert read('[{"a": [1, 2]}]', ColSpec(Array("double"), "a"))["a"][0] == [1.0, 2.0]

    def test_the_callers_table_is_not_changed(self) -> None:
        table = pd.DataFrame({"a": [1]})
        assert as_signature(table, Schema([ColSpec("double", "a")]))["a"].dtype == np.float64
        assert table["a"].dtype == np.int64
