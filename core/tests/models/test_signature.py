from __future__ import annotations

import datetime as dt
import decimal
import json
import subprocess
import sys
import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from dovetail.errors import InvalidModel
from dovetail.models.schema import (
    AnyType,
    Array,
    ColSpec,
    DataType,
    Map,
    Object,
    ParamSchema,
    ParamSpec,
    Property,
    Schema,
    TensorSpec,
)
from dovetail.models.signature import ModelSignature, infer_signature

# Each pair was seen in an MLmodel file that another tool wrote for this example.
SEEN: list[tuple[Any, str]] = [
    (
        pd.DataFrame(
            {
                "a": [True],
                "b": np.array([1], dtype="int32"),
                "c": [1],
                "d": np.array([1], dtype="float32"),
                "e": [1.0],
                "f": ["x"],
                "g": [b"x"],
                "h": [pd.Timestamp("2020-01-01")],
            }
        ),
        (
            '[{"type": "boolean", "name": "a", "required": true}, {"type": "integer", "name": "b", "required": true}, '
            '{"type": "long", "name": "c", "required": true}, {"type": "float", "name": "d", "required": true}, '
            '{"type": "double", "name": "e", "required": true}, {"type": "string", "name": "f", "required": true}, '
            '{"type": "binary", "name": "g", "required": true}, {"type": "datetime", "name": "h", "required": true}]'
        ),
    ),
    (
        pd.DataFrame({kind: np.array([1], dtype=kind) for kind in ("int8", "uint16", "uint32", "float16")}),
        (
            '[{"type": "integer", "name": "int8", "required": true}, '
            '{"type": "integer", "name": "uint16", "required": true}, '
            '{"type": "long", "name": "uint32", "required": true}, '
            '{"type": "float", "name": "float16", "required": true}]'
        ),
    ),
    (pd.DataFrame({"x": ["a", None]}), '[{"type": "string", "name": "x", "required": false}]'),
    (pd.DataFrame({"x": [1.0, None]}), '[{"type": "double", "name": "x", "required": false}]'),
    (pd.DataFrame({"x": [None, None]}), '[{"type": "any", "name": "x", "required": false}]'),
    (pd.DataFrame({"x": pd.Categorical(["a", "b"])}), '[{"type": "string", "name": "x", "required": true}]'),
    (
        pd.DataFrame({"x": pd.array([1, None], dtype="Int64")}),
        '[{"type": "long", "name": "x", "required": false}]',
    ),
    (
        pd.DataFrame({"x": pd.Series([True, None], dtype=object)}),
        '[{"type": "boolean", "name": "x", "required": false}]',
    ),
    (
        pd.DataFrame({"x": pd.Series([1, None], dtype=object)}),
        '[{"type": "double", "name": "x", "required": false}]',
    ),
    (pd.DataFrame({"x": [dt.date(2020, 1, 1)]}), '[{"type": "datetime", "name": "x", "required": true}]'),
    (pd.DataFrame({"größe": [1.0]}), '[{"type": "double", "name": "gr\\u00f6\\u00dfe", "required": true}]'),
    (
        pd.DataFrame({"x": [[1, 2], [3]]}),
        '[{"type": "array", "items": {"type": "long"}, "name": "x", "required": true}]',
    ),
    (
        pd.DataFrame({"x": [np.array([1.0, 2.0])]}),
        '[{"type": "array", "items": {"type": "double"}, "name": "x", "required": true}]',
    ),
    (
        pd.DataFrame({"x": [{"a": 1, "b": "x"}, {"a": 1}]}),
        (
            '[{"type": "object", "properties": {"a": {"type": "long", "required": true}, '
            '"b": {"type": "string", "required": false}}, "name": "x", "required": true}]'
        ),
    ),
    (
        pd.DataFrame([[1, 2.0]]),
        '[{"type": "long", "name": 0, "required": true}, {"type": "double", "name": 1, "required": true}]',
    ),
    (
        pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([("a", "b"), ("a", "c")])),
        (
            '[{"type": "long", "name": ["a", "b"], "required": true}, '
            '{"type": "long", "name": ["a", "c"], "required": true}]'
        ),
    ),
    (pd.Series([1, 2], name="y"), '[{"type": "long", "name": "y", "required": true}]'),
    (pd.Series(["a"]), '[{"type": "string", "required": true}]'),
    (
        np.zeros((2, 3, 4, 5), dtype="float32"),
        '[{"type": "tensor", "tensor-spec": {"dtype": "float32", "shape": [-1, 3, 4, 5]}}]',
    ),
    (np.zeros(3), '[{"type": "tensor", "tensor-spec": {"dtype": "float64", "shape": [-1]}}]'),
    (np.zeros((2, 3), dtype="U5"), '[{"type": "tensor", "tensor-spec": {"dtype": "str", "shape": [-1, 3]}}]'),
    (np.zeros((2, 3), dtype="S5"), '[{"type": "tensor", "tensor-spec": {"dtype": "bytes", "shape": [-1, 3]}}]'),
    (
        np.zeros(2, dtype="datetime64[D]"),
        '[{"type": "tensor", "tensor-spec": {"dtype": "datetime64[D]", "shape": [-1]}}]',
    ),
    (
        {"a": np.zeros((2, 3)), "b": np.zeros((2,), dtype="int32")},
        (
            '[{"name": "a", "type": "tensor", "tensor-spec": {"dtype": "float64", "shape": [-1, 3]}}, '
            '{"name": "b", "type": "tensor", "tensor-spec": {"dtype": "int32", "shape": [-1]}}]'
        ),
    ),
    (
        {"a": 1, "b": "x", "c": 1.0, "d": True},
        (
            '[{"type": "long", "name": "a", "required": true}, {"type": "string", "name": "b", "required": true}, '
            '{"type": "double", "name": "c", "required": true}, {"type": "boolean", "name": "d", "required": true}]'
        ),
    ),
    (
        {"messages": [{"role": "user", "cost": 1.5}, {"role": "user"}]},
        (
            '[{"type": "array", "items": {"type": "object", "properties": {'
            '"cost": {"type": "double", "required": false}, '
            '"role": {"type": "string", "required": true}}}, "name": "messages", "required": true}]'
        ),
    ),
    ({"a": None}, '[{"type": "any", "name": "a", "required": false}]'),
    ({"a": np.float32(1)}, '[{"type": "float", "name": "a", "required": true}]'),
    (
        {"a": [[], [1]]},
        '[{"type": "array", "items": {"type": "array", "items": {"type": "long"}}, "name": "a", "required": true}]',
    ),
    (
        [{"a": 1, "b": "x"}, {"a": 2}],
        '[{"type": "long", "name": "a", "required": true}, {"type": "string", "name": "b", "required": false}]',
    ),
    (
        [{"b": 1}, {"a": 1}],
        ('[{"type": "long", "name": "b", "required": false}, {"type": "long", "name": "a", "required": false}]'),
    ),
    ([1, 2], '[{"type": "long", "required": true}]'),
    ([np.zeros(2), np.zeros(2)], '[{"type": "array", "items": {"type": "double"}, "required": true}]'),
    (["a", None], '[{"type": "string", "required": true}]'),
    ([["a"], ["b"]], '[{"type": "array", "items": {"type": "string"}, "required": true}]'),
    ("hi", '[{"type": "string", "required": true}]'),
    (b"x", '[{"type": "binary", "required": true}]'),
    (1.5, '[{"type": "double", "required": true}]'),
    (np.int32(1), '[{"type": "integer", "required": true}]'),
    (dt.date(2020, 1, 1), '[{"type": "datetime", "required": true}]'),
]

SEEN_PARAMS: list[tuple[dict[str, Any], str]] = [
    (
        {"k": 1, "stop": ["x"], "when": dt.datetime.fromisoformat("2020-01-01T02:03:00")},
        (
            '[{"name": "k", "default": 1, "shape": null, "type": "long"}, '
            '{"name": "stop", "default": ["x"], "shape": [-1], "type": "string"}, '
            '{"name": "when", "default": "2020-01-01T02:03:00", "shape": null, "type": "datetime"}]'
        ),
    ),
    (
        {"p": {"x": {"y": [1]}}},
        (
            '[{"name": "p", "default": {"x": {"y": [1]}}, "shape": null, "type": "object", "properties": '
            '{"x": {"type": "object", "properties": {'
            '"y": {"type": "array", "items": {"type": "long"}, "required": true}}, '
            '"required": true}}}]'
        ),
    ),
    ({"p": [1, 2.0]}, '[{"name": "p", "default": [1.0, 2.0], "shape": [-1], "type": "double"}]'),
    ({"p": np.zeros(2)}, '[{"name": "p", "default": [0.0, 0.0], "shape": [-1], "type": "double"}]'),
    ({"p": np.float32(1)}, '[{"name": "p", "default": 1.0, "shape": null, "type": "float"}]'),
    ({"p": dt.date(2020, 1, 1)}, '[{"name": "p", "default": "2020-01-01", "shape": null, "type": "datetime"}]'),
    ({"p": float("nan")}, '[{"name": "p", "default": NaN, "shape": null, "type": "double"}]'),
]


@pytest.mark.parametrize(("example", "text"), SEEN, ids=range(len(SEEN)))
def test_an_example_gives_the_text_that_other_tools_write_for_it(example: Any, text: str) -> None:
    assert infer_signature(example).to_dict() == {"inputs": text, "outputs": None, "params": None}


@pytest.mark.parametrize(("example", "text"), SEEN, ids=range(len(SEEN)))
def test_the_text_that_other_tools_write_is_read_and_written_back_unchanged(example: Any, text: str) -> None:
    signature = ModelSignature.from_dict({"inputs": text, "outputs": text})
    assert signature.to_dict() == {"inputs": text, "outputs": text, "params": None}
    assert signature.inputs == infer_signature(example).inputs


@pytest.mark.parametrize(("params", "text"), SEEN_PARAMS)
def test_params_give_the_text_that_other_tools_write_and_read(params: dict[str, Any], text: str) -> None:
    assert infer_signature(params=params).to_dict()["params"] == text
    assert ModelSignature.from_dict({"params": text}).to_dict()["params"] == text


@pytest.mark.parametrize(
    "text",
    [
        '[{"type": "array", "items": {"type": "map", "values": {"type": "double"}}, "name": "m", "required": false}]',
        '[{"type": "map", "values": {"type": "any"}, "name": "x", "required": true}]',
        '[{"type": "sparkml_vector", "name": "v", "required": true}]',
        '[{"type": "array", "items": {"type": "any"}, "name": "x", "required": true}]',
    ],
)
def test_types_that_are_never_inferred_are_read_and_written_too(text: str) -> None:
    assert Schema.from_json(text).to_json() == text


def test_a_signature_in_an_mlmodel_file_is_read_as_it_stands() -> None:
    file = """
signature:
  inputs: '[{"type": "double", "name": "gr\\u00f6\\u00dfe", "required": false}, {"type":
    "array", "items": {"type": "string"}, "name": "tags", "required": true}]'
  outputs: '[{"type": "tensor", "tensor-spec": {"dtype": "float32", "shape": [-1,
    3]}}]'
  params: '[{"name": "k", "default": 1, "shape": null, "type": "long"}]'
"""
    signature = ModelSignature.from_dict(yaml.safe_load(file)["signature"])
    assert signature == ModelSignature(
        inputs=Schema([ColSpec("double", "größe", required=False), ColSpec(Array("string"), "tags")]),
        outputs=Schema([TensorSpec(np.dtype("float32"), (-1, 3))]),
        params=ParamSchema([ParamSpec("k", DataType.long, 1)]),
    )


def test_files_of_early_versions_say_neither_required_nor_type_of_a_param() -> None:
    signature = ModelSignature.from_dict(
        {
            "inputs": '[{"name": "a", "type": "long"}]',
            "params": '[{"name": "p", "default": 1, "dtype": "long", "shape": null}]',
        }
    )
    assert signature.inputs == Schema([ColSpec("long", "a")])
    assert signature.params == ParamSchema([ParamSpec("p", "long", 1)])


def test_input_output_and_params_are_inferred_together_and_printed_one_to_a_line() -> None:
    signature = infer_signature(pd.DataFrame({"a": [1.0]}), np.zeros(3), {"x": 1})
    assert str(signature) == (
        "inputs: ['a': double (required)]\noutputs: [Tensor('float64', (-1,))]\nparams: ['x': long (default: 1)]"
    )


def test_a_sparse_matrix_is_a_tensor() -> None:
    sparse = pytest.importorskip("scipy.sparse")
    signature = infer_signature(sparse.csr_matrix(np.eye(3, dtype="float32")), sparse.coo_array(np.eye(3)))
    assert signature.inputs == Schema([TensorSpec("float32", (-1, 3))])
    assert signature.outputs == Schema([TensorSpec("float64", (-1, 3))])


@pytest.mark.parametrize(
    ("example", "schema", "reason"),
    [
        (pd.DataFrame({"x": ["a", 1], "y": [1, 2]}), [ColSpec("any", "x"), ColSpec("long", "y")], "'x'.*string.*long"),
        (pd.DataFrame({"x": np.array([1], dtype="uint64")}), [ColSpec("any", "x")], "uint64"),
        (pd.DataFrame({"x": [decimal.Decimal(1)]}), [ColSpec("any", "x")], "Decimal"),
        (pd.DataFrame(), [ColSpec("any")], "no columns"),
        (np.zeros(2, dtype=[("a", "int8")]), [ColSpec("any")], "no dtype of a tensor"),
        ([{"a": 1}, {"a": 1.5}], [ColSpec("any", "a")], "long.*double"),
        ({"a": np.zeros((2, 2), dtype="complex64"), "b": 1}, [ColSpec("any", "a"), ColSpec("long", "b")], "complex64"),
        ({"a": {1: 2}}, [ColSpec("any", "a")], "keys that are no strings: 1"),
        ((1, 2), [ColSpec("any")], "tuple"),
        ([{1: 2}], [ColSpec("any")], "keys that are no strings"),
        ({1: 2}, [ColSpec("any")], "keys that are no strings"),
        (object(), [ColSpec("any")], "object"),
    ],
)
def test_what_no_type_describes_is_any_and_a_warning_says_why(example: Any, schema: list[ColSpec], reason: str) -> None:
    with pytest.warns(UserWarning, match=reason):
        assert infer_signature(example).inputs == Schema(schema)


@pytest.mark.parametrize("example", [[], {}, [{}], {"a": []}, [None]])
def test_nothing_is_any_without_a_warning(example: Any) -> None:
    (column,) = infer_signature(example).inputs.inputs  # type: ignore[union-attr]
    assert column.type == AnyType()


def test_lists_and_dictionaries_are_inferred_and_kept_without_pandas_and_numpy() -> None:
    script = """
import sys
from dovetail.models.signature import ModelSignature, infer_signature
from dovetail.models.enforcement import enforce_params
s = infer_signature([{"a": 1, "b": [{"c": b"x"}]}], ["x"], {"p": [1], "q": 1.0})
s = ModelSignature.from_dict(s.to_dict())
ModelSignature.from_dict({"inputs": '[{"type": "tensor", "tensor-spec": {"dtype": "float32", "shape": [-1]}}]'})
assert enforce_params({"q": 2}, s.params) == {"p": [1], "q": 2.0}
print(sorted({"numpy", "pandas", "yaml"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_label_that_json_cannot_keep_is_refused_with_what_to_do() -> None:
    with pytest.raises(InvalidModel, match=r"1\.5 \(float\) cannot name an input") as caught:
        infer_signature(pd.DataFrame({1.5: [1]}))
    assert caught.value.hint == "Rename it to a string."


def test_numpy_labels_are_kept_as_plain_numbers() -> None:
    frame = pd.DataFrame([[1, 2]], columns=np.array([10, 20]))
    assert infer_signature(frame).inputs == Schema([ColSpec("long", 10), ColSpec("long", 20)])
    assert infer_signature(frame[10]).inputs == Schema([ColSpec("long", 10)])


@pytest.mark.parametrize(
    ("params", "reason"),
    [
        ({"g": None, "b": b"x", "fine": 1}, r"'g' \(None has no type\); 'b' .*cannot be of type binary"),
        ({"p": [[1]]}, "flat"),
        ({"p": [1, None]}, "without None"),
        ({"p": [1, "a"]}, "some values are long, others string"),
        ({"p": {}}, "cannot be of type any"),
        ({"p": object()}, "no type describes"),
        ([1], "The params are a list"),
    ],
)
def test_params_without_a_type_are_refused_all_at_once(params: Any, reason: str) -> None:
    with pytest.raises(InvalidModel, match=reason):
        infer_signature(params=params)


def test_a_signature_must_say_something() -> None:
    for make in (ModelSignature, infer_signature, lambda: ModelSignature.from_dict({"inputs": None})):
        with pytest.raises(InvalidModel, match="says nothing"):
            make()


def test_a_signature_is_made_of_schemas() -> None:
    with pytest.raises(InvalidModel, match="inputs of a signature are a list, not a Schema"):
        ModelSignature(inputs=[ColSpec("long")])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("nope", "schema of the signature cannot be read as JSON"),
        (["a"], "cannot be read as JSON"),
        ('{"a": 1}', "no JSON list of dictionaries"),
        ("[1]", "no JSON list of dictionaries"),
        ('[{"name": "a", "type": "wat"}]', "'wat' is no type of a signature"),
        ('[{"name": "a"}]', "None is no type of a signature"),
        ('[{"type": "array"}]', "None does not describe a type"),
        ('[{"type": "object", "properties": []}]', "no dictionary"),
        ('[{"type": "object", "properties": {}}]', "no properties"),
        ('[{"type": "tensor", "tensor-spec": {"dtype": "int8"}}]', "lacks dtype or shape"),
        ('[{"type": "tensor", "tensor-spec": {"dtype": "wat", "shape": [-1]}}]', "'wat' is no dtype"),
        ('[{"type": "tensor", "tensor-spec": {"dtype": "int8", "shape": ["x"]}}]', "no shape"),
        ("[]", "no inputs"),
    ],
)
def test_a_broken_text_is_refused_with_its_reason(text: Any, reason: str) -> None:
    with pytest.raises(InvalidModel, match=reason):
        ModelSignature.from_dict({"inputs": text})


@pytest.mark.parametrize("text", ['[{"name": "a", "type": "long"}]', '[{"default": 1, "type": "long"}]'])
def test_a_param_without_name_or_default_is_refused(text: str) -> None:
    with pytest.raises(InvalidModel, match="A param lacks"):
        ModelSignature.from_dict({"params": text})


names = st.text(min_size=1, max_size=5)
types = st.recursive(
    st.sampled_from([*DataType, AnyType()]),
    lambda inner: (
        inner.map(Array)
        | inner.map(Map)
        | st.dictionaries(names, st.tuples(inner, st.booleans()), min_size=1, max_size=3).map(
            lambda made: Object(Property(name, kind, required) for name, (kind, required) in made.items())
        )
    ),
    max_leaves=6,
)
columns = st.dictionaries(names, st.tuples(types, st.booleans()), min_size=1).map(
    lambda made: Schema([ColSpec(kind, name, required) for name, (kind, required) in made.items()])
)


@given(columns)
def test_every_schema_survives_being_written_and_read(schema: Schema) -> None:
    assert Schema.from_json(schema.to_json()) == schema


json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4),
    max_leaves=12,
)


@given(json_like.filter(lambda data: data is not None))
def test_whatever_json_holds_has_a_signature_that_can_be_kept(data: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        signature = infer_signature(data)
    assert ModelSignature.from_dict(json.loads(json.dumps(signature.to_dict()))) == signature
