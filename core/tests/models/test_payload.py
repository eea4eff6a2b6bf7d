from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
from typing import Any

import pytest

from dovetail.errors import InvalidModel
from dovetail.models.payload import dump_predictions, read_payload

np = pytest.importorskip("numpy")
pd = pytest.importorskip("pandas")


class TestReading:
    def test_tables_come_split_or_as_records(self) -> None:
        split, _ = read_payload('{"dataframe_split": {"columns": ["a", "b"], "data": [[1, 2], [3, 4]]}}', "json")
        records, _ = read_payload('{"dataframe_records": [{"a": 1, "b": 2}, {"a": 3, "b": 4}]}', "json")
        pd.testing.assert_frame_equal(split, pd.DataFrame({"a": [1, 3], "b": [2, 4]}))
        pd.testing.assert_frame_equal(records, split)

    def test_other_data_comes_as_it_is(self) -> None:
        assert read_payload('{"inputs": {"a": [1]}}', "json") == ({"a": [1]}, {})
        assert read_payload('{"instances": [[1, 2]]}', "json") == ([[1, 2]], {})
        assert read_payload("[1, 2]", "json") == ([1, 2], {})

    def test_params_come_beside_it(self) -> None:
        assert read_payload('{"inputs": [1], "params": {"t": 0.5}}', "json") == ([1], {"t": 0.5})

    def test_csv_is_a_table(self) -> None:
        table, params = read_payload("a,b\n1,x\n2,y\n", "csv")
        pd.testing.assert_frame_equal(table, pd.DataFrame({"a": [1, 2], "b": ["x", "y"]}))
        assert params == {}

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("{", "no JSON"),
            ("[" * 100_000, "no JSON"),
            ("7", "none of"),
            ("{}", "none of"),
            ('{"inputs": 1, "instances": 2}', "instances and inputs"),
            ('{"inputs": 1, "params": [1]}', "params must be a mapping"),
            ('{"dataframe_split": [1]}', "columns and data"),
            ('{"dataframe_split": {"columns": ["a"], "data": [[1, 2]]}}', "do not make a table"),
            ('{"dataframe_split": {"columns": 7, "data": [[1]]}}', "do not make a table"),
            ('{"dataframe_records": [1]}', "list of mappings"),
        ],
    )
    def test_what_cannot_be_read_is_an_error(self, text: str, said: str) -> None:
        with pytest.raises(InvalidModel, match=said):
            read_payload(text, "json")

    def test_an_empty_csv_is_an_error(self) -> None:
        with pytest.raises(InvalidModel, match="CSV"):
            read_payload("", "csv")

    def test_other_content_types_are_named(self) -> None:
        with pytest.raises(InvalidModel, match="'xml'"):
            read_payload("<a/>", "xml")

    @pytest.mark.parametrize(
        ("text", "kind", "expected"),
        [
            ('{"dataframe_split": {"columns": ["a"], "data": [[1]]}}', "json", [{"a": 1}]),
            ('{"dataframe_split": {"columns": 7, "data": [[1]]}}', "json", "InvalidModel"),
            ('{"dataframe_split": {"columns": ["a"], "data": [[1, 2]]}}', "json", "InvalidModel"),
            ('{"dataframe_records": [{"a": 1}]}', "json", [{"a": 1}]),
            ("a,b\n1,x\n,y\n", "csv", [{"a": 1, "b": "x"}, {"a": None, "b": "y"}]),
            ("a,b\n9007199254740993,0.5\n", "csv", [{"a": 9007199254740993, "b": 0.5}]),
        ],
    )
    def test_without_pandas_tables_are_lists_of_mappings(self, text: str, kind: str, expected: Any) -> None:
        program = (
            "import json, sys; sys.modules['pandas'] = None\n"
            "from dovetail.models.payload import read_payload\n"
            f"try: print(json.dumps(read_payload({text!r}, {kind!r})[0]))\n"
            "except Exception as error: print(json.dumps(type(error).__name__))\n"
        )
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        assert json.loads(done.stdout) == expected


class TestAnswers:
    @pytest.mark.parametrize(
        ("predictions", "expected"),
        [
            ([1, 2.5, "x", None, True], [1, 2.5, "x", None, True]),
            (np.array([[1, 2]]), [[1, 2]]),
            (np.float32(0.5), 0.5),
            ((np.int64(1), [np.array([2])]), [1, [[2]]]),
            (pd.DataFrame({"a": [1], "b": ["x"]}), [{"a": 1, "b": "x"}]),
            (pd.Series([1, 2]), [1, 2]),
            ({"a": np.array([1]), 2: b"\x00\xff"}, {"a": [1], "2": "AP8="}),
            (np.array(["2026-01-31"], dtype="datetime64[ns]"), ["2026-01-31T00:00:00.000000000"]),
            (pd.DataFrame({"t": pd.to_datetime(["2026-01-31"])}), [{"t": "2026-01-31T00:00:00"}]),
            (dt.date(2026, 1, 31), "2026-01-31"),
            ((each for each in (1, 2)), [1, 2]),
            (np.array([b"\x00"], dtype=object), ["AA=="]),
        ],
    )
    def test_are_json(self, predictions: Any, expected: Any) -> None:
        assert json.loads(dump_predictions(predictions)) == {"predictions": expected}
