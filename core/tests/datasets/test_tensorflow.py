"""Tensors and pipelines of TensorFlow."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import dovetail as mlflow
from dovetail.data import get_source
from dovetail.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable

X = np.arange(12, dtype="float32").reshape(3, 4)
Y = np.array([0, 1, 0])


@pytest.fixture
def tf(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "3")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    return pytest.importorskip("tensorflow")


@pytest.fixture
def slices(tf: Any) -> Callable[[Any], Any]:
    return tf.data.Dataset.from_tensor_slices  # type: ignore[no-any-return]


def digest(features: Any, targets: Any = None) -> str:
    return mlflow.data.from_tensorflow(features, targets=targets).digest


def schema(features: Any, targets: Any = None) -> Any:
    described = mlflow.data.from_tensorflow(features, targets=targets, digest="given").schema
    return described and (str(described.features), described.targets and str(described.targets))


class TestTensors:
    def test_are_kept_as_mlflow_keeps_them(self, tf: Any) -> None:
        dataset = mlflow.data.from_tensorflow(tf.constant(X), "x.npy", tf.constant(Y), "digits", "abc")
        features = r"[{\"type\": \"tensor\", \"tensor-spec\": {\"dtype\": \"float32\", \"shape\": [-1, 4]}}]"
        targets = r"[{\"type\": \"tensor\", \"tensor-spec\": {\"dtype\": \"int64\", \"shape\": [-1]}}]"
        assert dataset.to_dict() == {
            "name": "digits",
            "digest": "abc",
            "source": '{"uri": "x.npy"}',
            "source_type": "local",
            "schema": f'{{"mlflow_tensorspec": {{"features": "{features}", "targets": "{targets}"}}}}',
            "profile": '{"features_cardinality": 12, "targets_cardinality": 3}',
        }
        assert get_source(dataset.value()).to_dict() == {"uri": "x.npy"}

    def test_are_what_was_given(self, tf: Any) -> None:
        given = tf.constant(X)
        dataset = mlflow.data.from_tensorflow(given)
        assert dataset.data is dataset.features is given
        assert dataset.targets is None
        assert dataset.source_type == "code"

    def test_of_other_content_have_other_digests(self, tf: Any) -> None:
        one = tf.constant(X)
        others = [
            tf.constant(X + 1), tf.constant(X.T), tf.constant(X.reshape(4, 3)), tf.constant(X.astype("float64")),
            tf.constant(X[:2]), tf.cast(one, tf.bfloat16), tf.cast(one + 1, tf.bfloat16), tf.cast(one, tf.float16),
            tf.constant(5), tf.constant(6), tf.constant("5"), tf.constant(["5"]), tf.constant(["6", ""]),
        ]  # fmt: skip
        assert len({digest(each) for each in (one, *others)}) == 14
        assert digest(tf.constant(X)) == digest(tf.Variable(X)) == digest(one)
        assert len({digest(one), digest(one, tf.constant(Y)), digest(one, tf.constant(Y + 1))}) == 3

    def test_of_texts_and_single_values_have_schemas(self, tf: Any) -> None:
        assert schema(tf.constant(["a"])) == ("[Tensor('object', (-1,))]", None)
        assert schema(tf.constant(5)) == ("[Tensor('int32', ())]", None)

    def test_of_numbers_that_no_schema_knows_have_none_and_say_so(self, tf: Any) -> None:
        with pytest.warns(UserWarning, match="The dataset has no schema"):
            assert schema(tf.cast(X, tf.bfloat16)) is None


class TestPipelines:
    def test_are_kept_with_schema_and_figures(self, slices: Any) -> None:
        dataset = mlflow.data.from_tensorflow(slices(X).batch(2), targets=slices(Y).batch(2))
        assert dataset.profile == {"features_cardinality": 2, "targets_cardinality": 2}
        assert schema(dataset.features, dataset.targets) == ("[Tensor('float32', (-1, 4))]", "[Tensor('int64', (-1,))]")
        assert json.loads(dataset.value().profile or "") == dataset.profile

    def test_are_described_by_their_elements(self, tf: Any, slices: Any) -> None:
        named = "['x': Tensor('float32', (4,)), 'y': Tensor('int64', ())]"
        assert schema(slices(X)) == ("[Tensor('float32', (4,))]", None)
        assert schema(slices({"x": X, "y": Y})) == (named, None)
        assert schema(slices((X, Y))) == ("[Tensor('float32', (4,))]", "[Tensor('int64', ())]")
        assert schema(slices(({"x": X, "y": Y}, Y))) == (named, "[Tensor('int64', ())]")

    def test_that_no_tensors_describe_have_no_schema(self, tf: Any, slices: Any) -> None:
        nested = [slices((X, Y, Y)), slices({"a": {"b": X}}), slices(tf.ragged.constant([[1], [2, 3]]))]
        unknown = tf.data.Dataset.from_generator(lambda: iter([1]), output_types=tf.int32)
        assert [schema(each) for each in (*nested, unknown)] == [None] * 4

    def test_of_unknown_length_say_so(self, tf: Any) -> None:
        assert mlflow.data.from_tensorflow(tf.data.Dataset.range(9).filter(lambda value: value > 3)).profile == {
            "features_cardinality": -2
        }

    def test_have_the_digest_of_what_comes_out_of_them(self, tf: Any, slices: Any) -> None:
        one = slices(X)
        others = [
            slices(X[::-1].copy()), slices(X).batch(3), slices(X).take(2), slices((X, Y)), slices((Y, X)),
            slices({"x": X, "y": Y}), slices({"x": X, "z": Y}), slices({"a": {"x": X, "y": Y}}), slices(X).take(0),
            slices((X, Y)).map(lambda x, y: (x, y, None)),
            slices((X, Y)).map(lambda x, y: (x, y, ())), slices(["a", "b", ""]), slices(["a", "", "b"]),
        ]  # fmt: skip
        assert len({digest(each) for each in (one, *others)}) == 14
        assert digest(slices(X).map(lambda row: row + 0).prefetch(1)) == digest(slices(X).cache()) == digest(one)
        assert digest(one, slices(Y)) not in (digest(one), digest(slices((X, Y))))

    def test_have_one_digest_whatever_tensorflow_knows_of_shapes(self, tf: Any) -> None:
        def rows() -> Any:
            return ((number, [1.5, number], f"row {number}") for number in range(600))

        kinds = [
            (tf.TensorSpec((), "int64"), tf.TensorSpec((size,), "float32"), tf.TensorSpec((), "string"))
            for size in (2, None)
        ]
        known, unknown = (tf.data.Dataset.from_generator(rows, output_signature=kind) for kind in kinds)
        assert digest(known) == digest(unknown) != digest(known.take(599))

    def test_of_ragged_and_sparse_tensors_and_of_pipelines_have_digests(self, tf: Any, slices: Any) -> None:
        ragged = [slices(tf.ragged.constant(rows)) for rows in ([[1], [2, 3]], [[1, 2], [3]], [[1], [2, 4]])]
        sparse = [slices(tf.sparse.from_dense(rows)) for rows in ([[1, 0], [0, 2]], [[0, 1], [0, 2]], [[1, 0], [0, 3]])]
        windows = [tf.data.Dataset.range(4).window(size) for size in (2, 4)]
        assert len({digest(each) for each in (*ragged, *sparse, *windows)}) == 8
        assert digest(tf.data.Dataset.range(4).window(2)) == digest(windows[0])

    def test_without_an_end_are_refused_unless_the_digest_is_given(self, slices: Any) -> None:
        with pytest.raises(InvalidInput, match="has no end") as caught:
            mlflow.data.from_tensorflow(slices(X).repeat())
        assert "before .repeat()" in str(caught.value)
        assert mlflow.data.from_tensorflow(slices(X).repeat(), digest="given").profile == {"features_cardinality": -1}


@pytest.mark.parametrize("given", [None, X, [1], {"a": X}, "x"])
def test_only_tensors_and_pipelines_will_do(given: Any) -> None:
    with pytest.raises(InvalidInput, match=r"no tf\.Tensor and no tf\.data\.Dataset"):
        mlflow.data.from_tensorflow(given)


def test_features_and_targets_are_of_one_kind(tf: Any, slices: Any) -> None:
    for features, targets in ((slices(X), tf.constant(Y)), (tf.constant(X), slices(Y))):
        with pytest.raises(InvalidInput, match="must both be"):
            mlflow.data.from_tensorflow(features, targets=targets)
    with pytest.raises(InvalidInput, match="The targets are a int"):
        mlflow.data.from_tensorflow(tf.constant(X), targets=5)


def test_tensors_of_a_graph_have_no_values_yet(tf: Any) -> None:
    @tf.function  # type: ignore[untyped-decorator] # no stubs
    def traced(x: Any) -> Any:
        with pytest.raises(InvalidInput):
            mlflow.data.from_tensorflow(x)
        return x

    traced(tf.constant(X))
