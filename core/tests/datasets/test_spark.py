"""Tables of Spark: what is kept of them, and how they are loaded again."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

import dovetail as mlflow
from dovetail.data import get_dataset_source_from_json, get_source
from dovetail.data.spark_dataset import SparkDataset
from dovetail.data.spark_dataset_source import SparkDatasetSource
from dovetail.errors import InvalidInput, NotFound, StoreError, Untrusted

if TYPE_CHECKING:
    from pathlib import Path

COLUMNS = "size long, price double, name string, sold boolean, day date, tags array<string>, place struct<x:int,y:int>"
MORE = "codes map<string,int>, raw binary, cost decimal(10,2), when timestamp, grid array<array<float>>"
ROW = (
    1, 1.5, "x", True, dt.date(2020, 1, 1), ["a", None], (1, 2), {"k": 1, "l": 2}, b"\x00;", Decimal("1.20"),
    dt.datetime(2020, 1, 1, 12, 0, 0, 5, dt.timezone.utc), [[1.0], []],
)  # fmt: skip
EMPTY = (None,) * len(ROW)


def table(spark: Any, *rows: Any) -> Any:
    return spark.createDataFrame([*(rows or (ROW, EMPTY))], f"{COLUMNS}, {MORE}")


def changed(place: int, cell: Any) -> Any:
    return (*ROW[:place], cell, *ROW[place + 1 :])


def digest(df: Any) -> str:
    return mlflow.data.from_spark(df).digest


@pytest.fixture(scope="module")
def digest_of_row(spark_of_all_tests: Any) -> str:
    return digest(table(spark_of_all_tests, ROW))


class TestTables:
    def test_are_kept_with_schema_and_figures(self, spark: Any) -> None:
        given = table(spark)
        dataset = mlflow.data.from_spark(given, targets="price", predictions="size", name="houses")
        assert dataset.df is given
        assert (dataset.name, dataset.targets, dataset.predictions) == ("houses", "price", "size")
        assert dataset.profile == {"approx_count": 2}
        assert [str(column) for column in dataset.schema.inputs] == [
            "'size': long (optional)",
            "'price': double (optional)",
            "'name': string (optional)",
            "'sold': boolean (optional)",
            "'day': datetime (optional)",
            "'tags': Array(string) (optional)",
            "'place': {x: integer (optional), y: integer (optional)} (optional)",
            "'codes': Map(str -> integer) (optional)",
            "'raw': binary (optional)",
            "'cost': any (optional)",
            "'when': datetime (optional)",
            "'grid': Array(Array(float)) (optional)",
        ]
        assert dataset.value().source_type == "code"
        assert json.loads(dataset.value().profile or "") == {"approx_count": 2}

    def test_columns_that_must_be_there_are_required(self, spark: Any) -> None:
        assert str(mlflow.data.from_spark(spark.range(3)).schema) == "['id': long (required)]"

    def test_with_a_digest_are_not_read_before_they_are_counted(self, spark: Any) -> None:
        broken = spark.range(3).selectExpr("raise_error('read') AS x")
        assert mlflow.data.from_spark(broken, digest="mine").digest == "mine"
        assert mlflow.data.from_spark(spark.range(3), digest="mine").profile == {"approx_count": 3}

    def test_without_columns_have_no_schema(self, spark: Any) -> None:
        dataset = mlflow.data.from_spark(spark.range(3).select())
        assert (dataset.schema, dataset.profile) == (None, {"approx_count": 3})

    def test_must_have_the_columns_that_are_named(self, spark: Any) -> None:
        with pytest.raises(InvalidInput, match="no column 'cost' for the targets"):
            mlflow.data.from_spark(spark.range(1), targets="cost")

    @pytest.mark.parametrize("given", [None, 5, pd.DataFrame({"a": [1]})])
    def test_must_be_tables(self, given: Any) -> None:
        with pytest.raises(InvalidInput, match=r"is no DataFrame of Spark"):
            mlflow.data.from_spark(given)

    def test_that_flow_are_refused(self, spark: Any) -> None:
        with pytest.raises(InvalidInput, match="A stream of Spark has no end"):
            mlflow.data.from_spark(spark.readStream.format("rate").load())


class TestDigests:
    def test_are_the_same_in_whatever_order_and_pieces_rows_are(self, spark: Any) -> None:
        rows = [changed(0, number) for number in range(20)]
        whole = table(spark, *rows)
        assert digest(table(spark, *reversed(rows)).repartition(3)) == digest(whole)

    @pytest.mark.parametrize(
        ("place", "cell"),
        [
            (0, 2), (0, None), (1, 1.25), (1, float("nan")), (1, None), (2, "y"), (2, ""), (2, "x;"), (3, False),
            (4, dt.date(2020, 1, 2)), (5, ["a", ""]), (5, ["a"]), (5, []), (5, None), (5, [None, "a"]), (6, (2, 1)),
            (6, (None, 2)), (6, None), (7, {"k": 1}), (7, {"k": 2, "l": 1}), (7, {}), (8, b"\x00"),
            (9, Decimal("1.21")),
            (10, dt.datetime(2020, 1, 1, 12, 0, 0, 6, dt.timezone.utc)), (11, [[], [1.0]]), (11, [[1.0]]),
        ],
    )  # fmt: skip
    def test_of_other_cells_differ(self, spark: Any, digest_of_row: str, place: int, cell: Any) -> None:
        assert digest(table(spark, changed(place, cell))) != digest_of_row

    def test_of_other_names_types_columns_and_numbers_of_rows_differ(self, spark: Any) -> None:
        one = spark.range(2)
        others = [
            one.toDF("ID"), one.selectExpr("cast(id as int) AS id"), one.union(one), one.union(one).union(one),
            one.selectExpr("id", "id AS id"), one.selectExpr("id", "1 - id AS n"), one.limit(0), spark.range(1, 3),
        ]  # fmt: skip
        assert len({digest(each) for each in (one, *others)}) == 9
        assert digest(spark.range(2).selectExpr("id AS id")) == digest(one)

    def test_do_not_mix_up_the_cells_of_a_row(self, spark: Any) -> None:
        rows = [("a", None), (None, "a"), ("a;", ""), ("", "a")]
        assert len({digest(spark.createDataFrame([row], "x string, y string")) for row in rows}) == 4
        swapped = [[("a", "b"), ("c", "d")], [("a", "d"), ("c", "b")]]
        assert len({digest(spark.createDataFrame(rows, "x string, y string")) for rows in swapped}) == 2

    def test_do_not_depend_on_where_the_session_is(self, spark: Any) -> None:
        before = digest(table(spark))
        spark.conf.set("spark.sql.session.timeZone", "Asia/Tokyo")
        try:
            assert digest(table(spark)) == before
        finally:
            spark.conf.set("spark.sql.session.timeZone", "UTC")

    def test_of_maps_have_no_order(self, spark: Any) -> None:
        one, other = (changed(7, dict(pairs)) for pairs in ([("a", 1), ("b", 2)], [("b", 2), ("a", 1)]))
        assert digest(table(spark, one)) == digest(table(spark, other))

    def test_of_names_with_strange_characters_are_made(self, spark: Any) -> None:
        strange = spark.sql("SELECT named_struct('a`b', 1, 'a.b', 2) AS `c``.d`")
        assert digest(strange) != digest(spark.sql("SELECT named_struct('a`b', 2, 'a.b', 1) AS `c``.d`"))

    def test_of_rare_types_are_made(self, spark: Any) -> None:
        rare = (
            "interval 1 day AS a, interval '1-2' year to month AS b, timestamp_ntz'2020-01-01 00:00:00' AS c, null AS d"
        )
        assert digest(spark.sql(f"SELECT {rare}")) != digest(spark.sql(f"SELECT {rare.replace('1 day', '2 day')}"))
        one, other = (spark.sql(f"SELECT parse_json('[{number}]') AS v") for number in (1, 2))
        assert digest(one) != digest(other)

    @pytest.mark.filterwarnings("ignore:PySpark does not yet fully support")
    def test_of_vectors_are_made(self, spark: Any) -> None:
        linalg = pytest.importorskip("pyspark.ml.linalg")
        one, other = (spark.createDataFrame([(linalg.Vectors.dense([1.0, end]),)], ["v"]) for end in (1.0, 2.0))
        assert digest(one) != digest(other)
        assert str(mlflow.data.from_spark(one).schema) == "['v': sparkml_vector (optional)]"


class TestOrigins:
    def test_that_are_paths_are_loaded_again(self, spark: Any, tmp_path: Path) -> None:
        place = str(tmp_path / "houses.parquet")
        table(spark).write.parquet(place)
        dataset = mlflow.data.from_spark(spark.read.parquet(place), path=place)
        stored = dataset.value()
        assert (stored.source_type, json.loads(stored.source)) == ("spark", {"path": place})
        assert mlflow.data.from_spark(get_source(stored).load()).digest == dataset.digest

    def test_that_are_tables_are_loaded_again(self, spark: Any) -> None:
        table(spark).createOrReplaceTempView("houses")
        dataset = mlflow.data.from_spark(spark.table("houses"), table_name="houses")
        assert dataset.source.to_dict() == {"table_name": "houses"}
        assert mlflow.data.from_spark(get_source(dataset.value()).load()).digest == dataset.digest

    def test_that_are_queries_are_run_again_by_who_made_them(self, spark: Any) -> None:
        dataset = mlflow.data.from_spark(spark.sql("SELECT 1 AS one"), sql="SELECT 1 AS one")
        assert dataset.source.to_dict() == {"sql": "SELECT 1 AS one"}
        assert get_source(dataset).load().collect()[0]["one"] == 1

    def test_that_are_nothing_spark_knows_are_kept_all_the_same(self, spark: Any) -> None:
        df = spark.range(1)
        assert mlflow.data.from_spark(df, path="/nowhere/x").source.to_dict() == {"path": "/nowhere/x"}
        assert mlflow.data.from_spark(df, table_name="nowhere").source.to_dict() == {"table_name": "nowhere"}

    def test_where_spark_cannot_look_are_an_error(self, spark: Any) -> None:
        with pytest.raises(StoreError, match="No FileSystem for scheme"):
            mlflow.data.from_spark(spark.range(1), path="odd://host/x")
        assert SparkDataset(spark.range(1), SparkDatasetSource("odd://host/x")).source.to_dict() == {
            "path": "odd://host/x"
        }

    @pytest.mark.parametrize(
        ("given", "said"),
        [
            ({"path": "x", "sql": "SELECT 1"}, "path and sql"),
            ({"path": "x", "table_name": "t"}, "path and table_name"),
            ({"sql": "SELECT 1", "version": "1"}, "A version is one of a table"),
            ({"version": "1"}, "A version is one of a table"),
            ({"path": "/nowhere/x", "version": "1"}, "'/nowhere/x' is no table of Delta, and has no version 1"),
            ({"table_name": "nowhere", "version": 1}, "'nowhere' is no table of Delta"),
            ({"table_name": "a b; drop"}, "cannot be read: .*PARSE_SYNTAX_ERROR"),
        ],
    )
    def test_that_contradict_each_other_are_refused(self, spark: Any, given: dict[str, Any], said: str) -> None:
        with pytest.raises(InvalidInput, match=said):
            mlflow.data.from_spark(spark.range(1), **given)


class TestSources:
    @pytest.mark.parametrize("stored", ['{"path": "/x"}', '{"table_name": "a.b"}', '{"sql": "SELECT 1"}'])
    def test_are_written_as_mlflow_writes_them(self, stored: str) -> None:
        source = get_dataset_source_from_json(stored, "spark")
        assert (type(source), source.to_json()) == (SparkDatasetSource, stored)

    @pytest.mark.parametrize(
        "stored", ["{}", '{"path": 5}', '{"path": ""}', '{"path": "x", "sql": "y"}', '{"table_name": ["a"]}']
    )
    def test_that_are_wrong_are_refused(self, stored: str) -> None:
        with pytest.raises(InvalidInput):
            get_dataset_source_from_json(stored, "spark")

    def test_queries_out_of_a_store_run_only_for_those_who_trust_them(self, spark: Any) -> None:
        spark.range(1).createOrReplaceTempView("precious")
        source = get_dataset_source_from_json('{"sql": "DROP VIEW precious"}', "spark")
        with pytest.raises(Untrusted, match="DROP VIEW precious") as caught:
            source.load()
        assert "trust_sql=True" in str(caught.value)
        assert spark.catalog.tableExists("precious")
        source.load(trust_sql=True)  # type: ignore[call-arg] # of this class
        assert not spark.catalog.tableExists("precious")

    def test_of_nothing_say_so(self, spark: Any) -> None:
        for source in (SparkDatasetSource("/nowhere/x"), SparkDatasetSource(table_name="nowhere")):
            with pytest.raises(NotFound, match=r"nowhere.* is not there"):
                source.load()
        with pytest.raises(InvalidInput, match="PARSE_SYNTAX_ERROR"):
            SparkDatasetSource(sql="SELEC").load()

    def test_of_other_files_say_so(self, spark: Any, tmp_path: Path) -> None:
        (tmp_path / "x.csv").write_text("a\n1\n", encoding="utf-8")
        with pytest.raises(StoreError, match="cannot be read"):
            SparkDatasetSource(str(tmp_path / "x.csv")).load()

    def test_go_into_no_folder(self, tmp_path: Path) -> None:
        with pytest.raises(InvalidInput, match="is not copied into a folder"):
            SparkDatasetSource("/x").load(tmp_path)

    def test_without_pyspark_say_what_to_install(self, no_spark: None) -> None:
        with pytest.raises(InvalidInput, match="needs the library `pyspark`") as caught:
            SparkDatasetSource("/x").load()
        assert caught.value.hint == "pip install pyspark"
