"""Tables of Delta Lake, read by deltalake or by Spark."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import pytest

import dovetail as mlflow
from dovetail.data import get_dataset_source_from_json, get_source
from dovetail.data.delta_dataset_source import DeltaDatasetSource
from dovetail.data.pandas_dataset import PandasDataset
from dovetail.data.spark_dataset import SparkDataset
from dovetail.errors import InvalidInput, NotFound, StoreError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.usefixtures("no_spark")
class TestWithoutSpark:
    def test_tables_are_those_of_pandas(self, delta: Path) -> None:
        dataset = mlflow.data.load_delta(str(delta), targets="size", name="houses")
        assert isinstance(dataset, PandasDataset)
        assert (dataset.name, dataset.targets) == ("houses", "size")
        assert dataset.profile == {"num_rows": 3, "num_elements": 6}
        assert dataset.schema is not None
        assert dataset.schema.input_names() == ["size", "name"]

    def test_the_version_that_was_read_is_kept(self, delta: Path) -> None:
        stored = mlflow.data.load_delta(delta).value()
        assert stored.source_type == "delta_table"
        assert json.loads(stored.source) == {"path": str(delta), "delta_table_version": 1}

    @pytest.mark.parametrize("version", [0, "0"])
    def test_a_version_can_be_chosen(self, delta: Path, version: Any) -> None:
        dataset = mlflow.data.load_delta(str(delta), version=version)
        assert dataset.profile["num_rows"] == 2
        assert dataset.source.to_dict()["delta_table_version"] == 0

    def test_it_is_loaded_again_after_the_table_has_grown(self, delta: Path) -> None:
        import deltalake

        dataset = mlflow.data.load_delta(str(delta))
        assert isinstance(dataset, PandasDataset)
        deltalake.write_deltalake(str(delta), dataset.df, mode="append")
        assert mlflow.data.from_pandas(get_source(dataset.value()).load()).digest == dataset.digest
        assert len(DeltaDatasetSource(delta).load()) == 6

    def test_relative_paths_and_uris_will_do(self, delta: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(delta.parent)
        assert len(DeltaDatasetSource("houses").load()) == len(DeltaDatasetSource(delta.as_uri()).load()) == 3

    def test_what_is_not_there_is_said(self, delta: Path, tmp_path: Path) -> None:
        (tmp_path / "empty").mkdir()
        for place in ("/nowhere/x", tmp_path / "empty"):
            with pytest.raises(NotFound, match="no table of Delta"):
                mlflow.data.load_delta(place)
        with pytest.raises(NotFound, match="has no version 7"):
            mlflow.data.load_delta(delta, version="7")

    def test_what_cannot_be_read_is_said(self, delta: Path) -> None:
        (delta / "_delta_log" / f"{1:020}.json").write_text("no json", encoding="utf-8")
        with pytest.raises(StoreError, match="cannot be read"):
            mlflow.data.load_delta(delta)

    def test_names_need_a_session(self) -> None:
        pytest.importorskip("deltalake")
        with pytest.raises(InvalidInput, match="Only Spark knows where the table 'sales' is") as caught:
            mlflow.data.load_delta(table_name="sales")
        assert "name the table by its path" in str(caught.value)

    def test_without_deltalake_it_is_said_what_to_install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "deltalake", None)
        with pytest.raises(InvalidInput, match="a Spark session or the library `deltalake`") as caught:
            mlflow.data.load_delta("/x")
        assert "pip install deltalake" in str(caught.value)


class TestWithSpark:
    """Spark's connector comes from no Python index: a data source in Python takes its place where data is read."""

    @pytest.fixture
    def connector(self, spark: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
        datasource = pytest.importorskip("pyspark.sql.datasource")

        class Reader(datasource.DataSourceReader):  # type: ignore[misc,name-defined]
            def __init__(self, options: Any) -> None:
                self.options = options

            def read(self, partition: Any) -> Any:
                import deltalake

                version = self.options.get("versionAsOf")
                found = deltalake.DeltaTable(self.options["path"], None if version is None else int(version))
                yield from found.to_pandas().itertuples(index=False, name=None)

        class Delta(datasource.DataSource):  # type: ignore[misc,name-defined]
            @classmethod
            def name(cls) -> str:
                return "delta"

            def schema(self) -> str:
                return "size long, name string"

            def reader(self, schema: Any) -> Any:
                return Reader(self.options)

        # What a session has learned it never forgets: this one is the active one for as long as the test takes.
        session = spark.newSession()
        session.dataSource.register(Delta)
        monkeypatch.setattr(type(spark), "_activeSession", session)
        return session

    def test_sessions_without_a_connector_say_so(self, spark: Any, delta: Path) -> None:
        with pytest.raises(InvalidInput, match="has no connector for Delta") as caught:
            DeltaDatasetSource(delta, delta_table_version=0).load()
        assert "io.delta:delta-spark" in str(caught.value)

    def test_the_newest_version_is_found_and_read(self, connector: Any, delta: Path) -> None:
        dataset = mlflow.data.load_delta(str(delta), targets="size")
        assert isinstance(dataset, SparkDataset)
        assert dataset.profile == {"approx_count": 3}
        assert dataset.source.to_dict() == {"path": str(delta), "delta_table_version": 1}
        assert get_source(dataset.value()).load().count() == 3

    def test_a_version_can_be_chosen(self, connector: Any, delta: Path) -> None:
        dataset = mlflow.data.load_delta(str(delta), version="0")
        assert dataset.profile == {"approx_count": 2}

    def test_what_is_not_there_is_said(self, spark: Any, tmp_path: Path) -> None:
        (tmp_path / "empty" / "_delta_log").mkdir(parents=True)
        for place in ("/nowhere/x", tmp_path / "empty"):
            with pytest.raises(NotFound):
                mlflow.data.load_delta(place)

    def test_paths_that_are_tables_of_delta_are_kept_as_such(self, spark: Any, delta: Path) -> None:
        df = spark.range(1)
        assert mlflow.data.from_spark(df, path=str(delta)).value().source == json.dumps({"path": str(delta)})
        dataset = mlflow.data.from_spark(df, path=f"{delta}/", version="0")
        assert dataset.value().source_type == "delta_table"
        assert dataset.source.to_dict() == {"path": f"{delta}/", "delta_table_version": 0}


class TestSources:
    @pytest.mark.parametrize(
        ("stored", "written"),
        [
            ('{"path": "/x"}', '{"path": "/x"}'),
            ('{"path": "/x", "delta_table_version": 3}', '{"path": "/x", "delta_table_version": 3}'),
            ('{"path": "/x", "delta_table_version": "3"}', '{"path": "/x", "delta_table_version": 3}'),
            (
                '{"delta_table_name": "a.b.c", "is_databricks_uc_table": true, "delta_table_id": null}',
                '{"delta_table_name": "a.b.c"}',
            ),
            (
                '{"delta_table_name": "a.b.c", "delta_table_id": "5"}',
                '{"delta_table_name": "a.b.c", "delta_table_id": "5"}',
            ),
        ],
    )
    def test_of_mlflow_are_read(self, stored: str, written: str) -> None:
        source = get_dataset_source_from_json(stored, "delta_table")
        assert (type(source), source.to_json()) == (DeltaDatasetSource, written)

    @pytest.mark.parametrize(
        "stored",
        [
            "{}", '{"path": 5}', '{"path": "a", "delta_table_name": "b"}', '{"path": "a", "delta_table_version": true}',
            '{"path": "a", "delta_table_version": -1}', '{"path": "a", "delta_table_version": "1; drop"}',
            '{"path": "a", "delta_table_version": 1.5}', '{"path": "a", "delta_table_id": 5}',
            '{"path": "a", "delta_table_version": 99999999999999999999}',
        ],
    )  # fmt: skip
    def test_that_are_wrong_are_refused(self, stored: str) -> None:
        with pytest.raises(InvalidInput):
            get_dataset_source_from_json(stored, "delta_table")

    @pytest.mark.parametrize("given", [{}, {"path": "x", "table_name": "y"}, {"path": "x", "version": "newest"}])
    def test_need_exactly_one_table(self, given: Any) -> None:
        with pytest.raises(InvalidInput):
            mlflow.data.load_delta(**given)

    def test_go_into_no_folder(self, tmp_path: Path) -> None:
        with pytest.raises(InvalidInput, match="is not copied into a folder"):
            DeltaDatasetSource("/x").load(tmp_path)
