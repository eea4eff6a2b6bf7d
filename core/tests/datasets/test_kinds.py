"""Tables and arrays as datasets: what scripts give, and what a store keeps of it."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

import dovetail as mlflow
from dovetail.data import Dataset, from_numpy, from_pandas, get_source
from dovetail.data.code_dataset_source import CodeDatasetSource
from dovetail.data.filesystem_dataset_source import FileSystemDatasetSource
from dovetail.data.http_dataset_source import HTTPDatasetSource
from dovetail.data.meta_dataset import MetaDataset
from dovetail.data.schema import TensorDatasetSchema
from dovetail.datasets.digest import Content
from dovetail.entities import Dataset as StoredDataset
from dovetail.errors import InvalidInput
from dovetail.models.schema import ColSpec, Schema, TensorSpec


def table() -> pd.DataFrame:
    return pd.DataFrame({"size": [1, 2], "price": [1.5, None], "name": ["x", "y"]})


class TestTables:
    def test_are_kept_as_mlflow_keeps_them(self) -> None:
        dataset = from_pandas(table(), source="train.csv", targets="price", name="houses", digest="abc")
        columns = (
            '[{"type": "long", "name": "size", "required": true}, '
            '{"type": "double", "name": "price", "required": false}, '
            '{"type": "string", "name": "name", "required": true}]'
        )
        assert dataset.to_dict() == {
            "name": "houses",
            "digest": "abc",
            "source": '{"uri": "train.csv"}',
            "source_type": "local",
            "schema": f'{{"mlflow_colspec": {columns}}}',
            "profile": '{"num_rows": 2, "num_elements": 6}',
        }
        assert json.loads(dataset.to_json()) == dataset.to_dict()
        assert dataset.value() == dataset._to_mlflow_entity() == StoredDataset(**dataset.to_dict())

    def test_tell_what_they_are(self) -> None:
        given = table()
        dataset = mlflow.data.from_pandas(given, targets="price", predictions="size")
        assert isinstance(dataset, Dataset)
        assert dataset.df is given
        assert (dataset.name, dataset.targets, dataset.predictions) == ("dataset", "price", "size")
        assert dataset.schema.input_names() == ["size", "price", "name"]
        assert dataset.profile == {"num_rows": 2, "num_elements": 6}
        assert dataset.digest in repr(dataset)

    def test_come_from_the_running_code_if_nothing_else_is_said(self) -> None:
        dataset = from_pandas(table())
        assert isinstance(dataset.source, CodeDatasetSource)
        assert dataset.source_type == "code"
        assert {"mlflow.user", "mlflow.source.name", "mlflow.source.type"} <= set(dataset.source.tags)

    def test_have_the_digest_of_the_moment_they_were_given(self) -> None:
        given = table()
        dataset = from_pandas(given)
        given.loc[0, "size"] = 5
        assert dataset.digest == from_pandas(table()).digest != from_pandas(given).digest

    @pytest.mark.parametrize("argument", ["targets", "predictions"])
    def test_must_have_the_columns_that_are_named(self, argument: str) -> None:
        with pytest.raises(InvalidInput, match=f"no column 'cost' for the {argument}") as caught:
            from_pandas(table(), **{argument: "cost"})  # type: ignore[arg-type]
        assert "'size', 'price', 'name'" in str(caught.value)

    @pytest.mark.parametrize("given", [[1, 2], None, {"a": [1]}, np.zeros(3), pd.Series([1])])
    def test_must_be_tables(self, given: Any) -> None:
        with pytest.raises(InvalidInput, match="is no pandas DataFrame"):
            from_pandas(given)

    @pytest.mark.parametrize(("name", "digest"), [("", None), (5, None), (None, ""), (None, "x" * 37), (None, 5)])
    def test_must_have_names_that_a_store_takes(self, name: Any, digest: Any) -> None:
        with pytest.raises(InvalidInput):
            from_pandas(table(), name=name, digest=digest)

    def test_may_have_columns_that_no_type_describes(self) -> None:
        dataset = from_pandas(pd.DataFrame({"odd": [1, "x", None]}))
        assert json.loads(dataset.value().schema or "") == {
            "mlflow_colspec": [{"type": "any", "name": "odd", "required": False}]
        }

    def test_without_columns_have_no_schema(self) -> None:
        assert from_pandas(pd.DataFrame()).value().schema is None

    def test_with_labels_that_no_schema_can_hold_say_so(self) -> None:
        with pytest.warns(UserWarning, match="The dataset has no schema"):
            assert from_pandas(pd.DataFrame({1.5: [1]})).value().schema is None

    def test_of_very_many_columns_lose_their_schema_and_say_so(self) -> None:
        dataset = from_pandas(pd.DataFrame(np.zeros((1, 20_000))))
        with pytest.warns(UserWarning, match="more than the 1,048,575 that stores keep: it is left out"):
            stored = dataset.value()
        assert stored.schema is None
        assert stored.profile == '{"num_rows": 1, "num_elements": 20000}'

    def test_with_a_source_too_long_for_a_store_are_refused(self) -> None:
        dataset = from_pandas(table(), source=f"s3://bucket/{'x' * 70_000}")
        with pytest.raises(InvalidInput, match="source of the dataset 'dataset'"):
            dataset.value()


class TestArrays:
    def test_are_kept_as_mlflow_keeps_them(self) -> None:
        dataset = from_numpy(np.zeros((3, 4), "float32"), "x.npy", np.array([1, 2, 3]), "digits", "abc")
        features = r"[{\"type\": \"tensor\", \"tensor-spec\": {\"dtype\": \"float32\", \"shape\": [-1, 4]}}]"
        targets = r"[{\"type\": \"tensor\", \"tensor-spec\": {\"dtype\": \"int64\", \"shape\": [-1]}}]"
        assert dataset.to_dict() == {
            "name": "digits",
            "digest": "abc",
            "source": '{"uri": "x.npy"}',
            "source_type": "local",
            "schema": f'{{"mlflow_tensorspec": {{"features": "{features}", "targets": "{targets}"}}}}',
            "profile": '{"features_shape": [3, 4], "features_size": 12, "features_nbytes": 48, '
            '"targets_shape": [3], "targets_size": 3, "targets_nbytes": 24}',
        }

    def test_may_have_names(self) -> None:
        dataset = from_numpy(
            {"x": np.zeros((3, 4)), "y": np.zeros(3, "int8")}, targets={"t": np.array(["a", "b", "c"])}
        )
        assert dataset.schema is not None
        assert dataset.schema.features.input_names() == ["x", "y"]
        assert dataset.profile["features_shape"] == {"x": (3, 4), "y": (3,)}
        assert dataset.profile["targets_nbytes"] == {"t": 12}
        assert TensorDatasetSchema.from_dict(json.loads(dataset.value().schema or "")) == dataset.schema

    def test_without_targets_say_nothing_about_them(self) -> None:
        dataset = from_numpy(np.zeros(3))
        assert dataset.targets is None
        assert set(dataset.profile) == {"features_shape", "features_size", "features_nbytes"}
        assert json.loads(dataset.value().schema or "")["mlflow_tensorspec"]["targets"] is None

    @pytest.mark.parametrize("array", [np.array(3), np.zeros(3, dtype=[("a", "i4")])], ids=["one value", "records"])
    def test_that_no_tensor_describes_have_no_schema(self, array: Any) -> None:
        assert from_numpy(array).value().schema is None

    @pytest.mark.parametrize("given", [[1, 2], None, {"a": [1]}, {1: np.zeros(3)}, pd.DataFrame({"a": [1]})])
    def test_must_be_arrays(self, given: Any) -> None:
        with pytest.raises(InvalidInput):
            from_numpy(given)
        with pytest.raises(InvalidInput):
            from_numpy(np.zeros(3), targets=5 if given is None else given)

    @pytest.mark.parametrize("stored", [{}, {"mlflow_tensorspec": 5}, {"mlflow_tensorspec": {"targets": None}}, None])
    def test_a_stored_schema_may_be_wrong(self, stored: Any) -> None:
        with pytest.raises(InvalidInput):
            TensorDatasetSchema.from_dict(stored)


class TestPolars:
    def frame(self, **more: Any) -> Any:
        pl = pytest.importorskip("polars")
        moment = dt.datetime(2020, 1, 1)  # noqa: DTZ001 - as tables have them
        return pl.DataFrame(
            {
                "size": [1, None],
                "price": [1.5, float("nan")],
                "name": ["x", None],
                "sold": [True, None],
                "when": [moment, None],
                "tags": [["a"], []],
                "place": [{"x": 1}, {"x": 2}],
                **more,
            }
        )

    def test_tables_are_kept_like_those_of_pandas(self) -> None:
        dataset = mlflow.data.from_polars(self.frame(), source="train.parquet", targets="price")
        assert dataset.profile == {"num_rows": 2, "num_elements": 14}
        assert [str(column) for column in dataset.schema.inputs] == [
            "'size': long (optional)",
            "'price': double (required)",
            "'name': string (optional)",
            "'sold': boolean (optional)",
            "'when': datetime (optional)",
            "'tags': Array(string) (required)",
            "'place': {x: long (required)} (required)",
        ]
        assert dataset.value().source == '{"uri": "train.parquet"}'

    @pytest.mark.parametrize(
        "change",
        [
            {"size": [1, 0]}, {"size": [2, None]}, {"size": [1.0, None]}, {"price": [1.5, 0.0]}, {"price": [1.5, None]},
            {"name": ["x", ""]}, {"sold": [True, False]}, {"when": [None, None]}, {"tags": [["a"], [""]]},
            {"place": [{"x": 1}, {"x": 3}]}, {"place": [{"y": 1}, {"y": 2}]}, {"more": [1, 2]},
        ],
    )  # fmt: skip
    def test_other_tables_have_other_digests(self, change: dict[str, Any]) -> None:
        same, other = (mlflow.data.from_polars(self.frame(**more)) for more in ({}, change))
        assert mlflow.data.from_polars(self.frame()).digest == same.digest != other.digest

    def test_pieces_of_tables_are_what_they_hold(self) -> None:
        pl = pytest.importorskip("polars")
        whole = pl.concat([self.frame()[:1], self.frame()[1:]], rechunk=False)
        assert mlflow.data.from_polars(whole).digest == mlflow.data.from_polars(self.frame()).digest

    def test_only_tables_will_do(self) -> None:
        for given in (self.frame().lazy(), table(), None):
            with pytest.raises(InvalidInput, match="is no polars DataFrame"):
                mlflow.data.from_polars(given)
        with pytest.raises(InvalidInput, match="no column 'cost'"):
            mlflow.data.from_polars(self.frame(), predictions="cost")


class TestDescriptions:
    def test_of_data_elsewhere_are_datasets(self) -> None:
        schema = Schema([ColSpec("long", "a")])
        dataset = MetaDataset(HTTPDatasetSource("https://host/x.csv"), name="far", schema=schema)
        assert dataset.to_dict() == {
            "name": "far",
            "digest": dataset.digest,
            "source": '{"url": "https://host/x.csv"}',
            "source_type": "http",
            "schema": '{"mlflow_colspec": [{"type": "long", "name": "a", "required": true}]}',
        }
        assert dataset.value().profile is None

    def test_differ_by_all_they_say(self) -> None:
        one, two = HTTPDatasetSource("https://host/1"), HTTPDatasetSource("https://host/2")
        tensors = Schema([TensorSpec("int8", (-1,))])
        made = [MetaDataset(one), MetaDataset(two), MetaDataset(one, name="n"), MetaDataset(one, schema=tensors)]
        assert len({each.digest for each in made}) == 4
        assert MetaDataset(one).digest == made[0].digest

    def test_need_a_source_and_a_schema(self) -> None:
        with pytest.raises(InvalidInput, match="must be a DatasetSource, not a str"):
            MetaDataset("https://host/x.csv")  # type: ignore[arg-type]
        with pytest.raises(InvalidInput, match="is no Schema"):
            MetaDataset(HTTPDatasetSource("https://host/x"), schema=[])  # type: ignore[arg-type]


class Clips(Dataset):
    """A kind of data that a script defines."""

    def __init__(self, clips: list[Any], source: Any) -> None:
        self.clips = clips
        super().__init__(source)

    def _compute_digest(self) -> str:
        content = Content("clips")
        for clip in self.clips:
            content.array(clip)
        return content.hexdigest()


def test_a_new_kind_of_data_is_one_class() -> None:
    dataset = Clips([np.zeros(3), np.ones(3)], FileSystemDatasetSource("clips"))
    assert dataset.value() == StoredDataset("dataset", dataset.digest, "local", '{"uri": "clips"}')
    assert get_source(dataset.value()).to_dict() == {"uri": "clips"}
    assert Clips([np.ones(3), np.zeros(3)], dataset.source).digest != dataset.digest
