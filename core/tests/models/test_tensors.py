from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from dovetail.errors import InvalidModel
from dovetail.models.enforcement import enforce_schema
from dovetail.models.schema import Schema, TensorSpec

ONE = Schema([TensorSpec("float64", (-1, 3))])
FLAT = Schema([TensorSpec("float32", (-1,))])
NAMED = Schema([TensorSpec("float64", (-1, 3), "a"), TensorSpec("int64", (-1,), "b")])


def test_an_array_that_fits_is_handed_on_as_it_is() -> None:
    array = np.zeros((2, 3))
    assert enforce_schema(array, ONE) is array
    texts = np.array(["a", "bcd"])
    assert enforce_schema(texts, Schema([TensorSpec("str", (-1,))])) is texts


@pytest.mark.parametrize("dtype", ["float32", "int32", "int64", "bool", "U1", "V3"])
def test_arrays_are_never_converted(dtype: str) -> None:
    with pytest.raises(InvalidModel, match=r"has the dtype .*, and the signature asks for float64"):
        enforce_schema(np.zeros((2, 3), dtype=dtype), ONE)


@pytest.mark.parametrize("shape", [(2, 4), (3,), (2, 3, 1), ()])
def test_another_shape_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InvalidModel, match=r"shape|asks for a numpy array"):
        enforce_schema(np.zeros(shape), ONE)


def test_minus_one_stands_for_any_extent_on_every_axis() -> None:
    array = np.zeros((2, 9))
    assert enforce_schema(array, Schema([TensorSpec("float64", (-1, -1))])) is array


def test_sparse_matrices_are_checked_like_arrays() -> None:
    sparse = pytest.importorskip("scipy.sparse")
    matrix = sparse.csr_matrix(np.zeros((2, 3)))
    assert enforce_schema(matrix, ONE) is matrix
    with pytest.raises(InvalidModel, match=r"has the shape \(2, 4\)"):
        enforce_schema(sparse.csc_matrix(np.zeros((2, 4))), ONE)
    with pytest.raises(InvalidModel, match="has the dtype float32"):
        enforce_schema(sparse.coo_array(np.zeros((2, 3), dtype="float32")), ONE)


@pytest.mark.parametrize("data", [[[1.0, 2.0, 3.0]], {"a": np.zeros((2, 3))}, "a", None])
def test_what_is_no_array_is_refused_with_what_to_pass(data: Any) -> None:
    with pytest.raises(InvalidModel, match="asks for a numpy array") as caught:
        enforce_schema(data, ONE, what="request")
    assert caught.value.hint == "Pass numpy.array(..., dtype='float64')."


def test_named_tensors_come_as_a_dictionary_without_others() -> None:
    data = {"b": np.zeros(2, dtype="int64"), "a": np.zeros((2, 3)), "z": 1}
    enforced = enforce_schema(data, NAMED)
    assert list(enforced) == ["a", "b"]
    assert enforced["a"] is data["a"]


def test_a_single_named_tensor_needs_no_dictionary() -> None:
    array = np.zeros((2, 3))
    assert enforce_schema(array, Schema([TensorSpec("float64", (-1, 3), "a")])) == {"a": array}


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ({"z": np.zeros((2, 3))}, "lacks 'a', 'b'; it has 'z'"),
        (np.zeros((2, 3)), "asks for tensors by name"),
        ([{"a": 1}], "is a list, and the signature asks for tensors by name"),
        ({"a": [[1.0, 2.0, 3.0]], "b": np.zeros(1, dtype="int64")}, "The model input 'a' is a list"),
        ({"a": np.zeros((2, 3)), "b": np.zeros(2, dtype="int32")}, "The model input 'b' has the dtype int32"),
    ],
)
def test_named_tensors_that_do_not_fit_are_refused_by_name(data: Any, reason: str) -> None:
    with pytest.raises(InvalidModel, match=reason):
        enforce_schema(data, NAMED)


@pytest.mark.parametrize(
    ("frame", "schema", "expected"),
    [
        (pd.DataFrame([[1.0, 2.0, 3.0]]), ONE, np.array([[1.0, 2.0, 3.0]])),
        (pd.DataFrame({"a": [[1, 2, 3], [4, 5, 6]]}), ONE, np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])),
        (pd.DataFrame({"a": [np.zeros(3)]}), ONE, np.zeros((1, 3))),
        (pd.DataFrame({"a": [1.0, 2.0]}), FLAT, np.array([1.0, 2.0], dtype="float32")),
        (pd.Series([1, 2]), FLAT, np.array([1.0, 2.0], dtype="float32")),
        (pd.DataFrame({"a": pd.Series([], dtype=object)}), ONE, np.zeros((0, 3))),
        (pd.DataFrame({"a": [[1.0] * 4]}), Schema([TensorSpec("float64", (-1, 2, 2))]), np.ones((1, 2, 2))),
        (pd.DataFrame({"a": ["x"]}), Schema([TensorSpec("str", (-1,))]), np.array(["x"])),
    ],
)
def test_a_table_of_examples_becomes_an_array(frame: Any, schema: Schema, expected: np.ndarray[Any, Any]) -> None:
    enforced = enforce_schema(frame, schema)
    np.testing.assert_array_equal(enforced, expected)
    assert enforced.dtype.kind == expected.dtype.kind
    assert enforced.shape == expected.shape


def test_a_table_becomes_named_arrays() -> None:
    enforced = enforce_schema(pd.DataFrame({"b": [1], "a": [[1.0, 2.0, 3.0]], "z": [0]}), NAMED)
    np.testing.assert_array_equal(enforced["a"], [[1.0, 2.0, 3.0]])
    np.testing.assert_array_equal(enforced["b"], [1])


@pytest.mark.parametrize(
    ("frame", "schema", "reason"),
    [
        (pd.DataFrame(np.zeros((2, 4))), ONE, r"has the shape \(2, 4\)"),
        (pd.DataFrame(np.zeros((2, 3), dtype="int64")), ONE, "has the dtype int64"),
        (pd.DataFrame({"a": [[1.0, 2.0]]}), ONE, "cannot be brought to the shape"),
        (pd.DataFrame({"a": [[1.0, 2.0, 3.0], [1.0]]}), ONE, "cannot be brought to the shape"),
        (pd.DataFrame({"a": [["x", "y", "z"]]}), ONE, "holds .*U1, and the signature asks for float64"),
        (pd.DataFrame({"a": [np.zeros(3, dtype="float32")]}), ONE, "has the dtype float32"),
        (pd.DataFrame({"a": [1.5]}), Schema([TensorSpec("int64", (-1,))]), "holds float64"),
        (
            pd.DataFrame({"a": [300]}),
            Schema([TensorSpec("int8", (-1,))]),
            "holds int64, and the signature asks for int8",
        ),
        (pd.DataFrame({"a": [1.0]}), Schema([TensorSpec("float64", (1, 1))]), "only its first extent may vary"),
        (pd.DataFrame({"a": [1.0]}), Schema([TensorSpec("float64", (-1, -1))]), "only its first extent may vary"),
    ],
)
def test_a_table_that_holds_other_examples_is_refused(frame: Any, schema: Schema, reason: str) -> None:
    with pytest.raises(InvalidModel, match=reason):
        enforce_schema(frame, schema)
