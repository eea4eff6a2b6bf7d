from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dovetail.models.enforcement
from dovetail.errors import InvalidModel
from dovetail.models.schema import Array, ColSpec, DataType, Map, Object, Property, Schema, TensorSpec

MODELS = Path(dovetail.models.enforcement.__file__).parent
# What a worker in a model's own environment runs.
IN_WORKERS = (
    "columns",
    "datatypes",
    "enforcement",
    "fitting",
    "inference",
    "params",
    "recognition",
    "schema",
    "signature",
    "tensors",
)


@pytest.mark.parametrize("module", IN_WORKERS)
def test_what_workers_run_is_python_3_8_and_needs_nothing_else_of_dovetail(module: str) -> None:
    tree = ast.parse((MODELS / f"{module}.py").read_text(), feature_version=(3, 8))
    imported = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    ours = {name for name in imported if name.startswith("dovetail")}
    assert ours <= {"dovetail.errors", *(f"dovetail.models.{name}" for name in IN_WORKERS)}


def test_columns_tell_their_names_and_types() -> None:
    schema = Schema([ColSpec("long", "a"), ColSpec(DataType.string, "b", required=False)])
    assert schema.input_names() == ["a", "b"]
    assert schema.required_input_names() == ["a"]
    assert schema.optional_input_names() == ["b"]
    assert schema.input_types() == [DataType.long, DataType.string]
    assert schema.input_dict()["b"] == ColSpec("string", "b", required=False)
    assert schema.has_input_names()
    assert not schema.is_tensor_spec()
    assert len(schema) == 2
    assert str(schema) == "['a': long (required), 'b': string (optional)]"


def test_unnamed_inputs_go_by_position() -> None:
    schema = Schema([ColSpec("long"), ColSpec("long")])
    assert schema.input_names() == [0, 1]
    assert not schema.has_input_names()
    with pytest.raises(InvalidModel, match="have no names"):
        schema.input_dict()


@pytest.mark.parametrize(
    ("dtype", "name"),
    [
        (np.dtype("float32"), "float32"),
        (np.dtype("U7"), "str"),
        (np.dtype("S"), "bytes"),
        (np.dtype(">i4"), "int32"),
        (np.dtype("M8[ns]"), "datetime64[ns]"),
        (np.float16, "float16"),
        (np.str_, "str"),
        ("float", "float64"),
        ("object", "object"),
    ],
)
def test_a_tensor_keeps_the_name_of_its_dtype(dtype: Any, name: str) -> None:
    spec = TensorSpec(dtype, [-1, 2], "x")
    assert (spec.dtype, spec.shape, spec.type) == (name, (-1, 2), np.dtype(name))
    assert Schema([spec]).is_tensor_spec()


@pytest.mark.parametrize("shape", [(-2,), ("a",), (1.5,)])
def test_an_impossible_shape_is_refused(shape: Any) -> None:
    with pytest.raises(InvalidModel, match="is no shape"):
        TensorSpec("int8", shape)


@pytest.mark.parametrize(
    ("inputs", "reason"),
    [
        ([], "no inputs"),
        ([ColSpec("long", "a"), ColSpec("long")], "names for some inputs only"),
        ([ColSpec("long", "a"), TensorSpec("int8", (-1,), "b")], "only ColSpec or only TensorSpec"),
        ([ColSpec("long", required=False)], "optional columns without names"),
        ([TensorSpec("int8", (-1,)), TensorSpec("int8", (-1,))], "several tensors without names"),
        (["a"], "only ColSpec or only TensorSpec"),
    ],
)
def test_a_schema_that_could_not_be_enforced_is_refused(inputs: Any, reason: str) -> None:
    with pytest.raises(InvalidModel, match=reason):
        Schema(inputs)


@pytest.mark.parametrize("make", [ColSpec, Array, Map, lambda kind: Property("a", kind)])
def test_an_unknown_type_is_refused_and_the_known_ones_are_named(make: Any) -> None:
    with pytest.raises(InvalidModel, match="'wat' is no type") as caught:
        make("wat")
    assert "boolean, integer, long, float, double, string, binary, datetime, any" in str(caught.value)


def test_an_object_needs_properties_of_different_string_names() -> None:
    with pytest.raises(InvalidModel, match="no properties"):
        Object([])
    with pytest.raises(InvalidModel, match="two properties of one name"):
        Object([Property("a", "long"), Property("a", "string")])
    with pytest.raises(InvalidModel, match="1, which is no string"):
        Property(1, "long")  # type: ignore[arg-type]


def test_types_are_equal_by_what_they_say_and_print_readably() -> None:
    kind = Object([Property("b", Map("long"), required=False), Property("a", Array(DataType.long))])
    assert kind == Object([Property("a", Array("long")), Property("b", Map(DataType.long), required=False)])
    assert str(kind) == "{a: Array(long) (required), b: Map(str -> long) (optional)}"
    assert len({Array("long"), Array(DataType.long), Array("double")}) == 2


@pytest.mark.parametrize("kind", list(DataType))
def test_every_data_type_has_a_numpy_dtype(kind: DataType) -> None:
    assert kind.to_numpy() == np.dtype(kind.numpy_name)
