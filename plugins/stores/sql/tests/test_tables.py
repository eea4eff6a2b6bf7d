"""The tables and statements hold for every engine, not only for the one that is there today."""

from __future__ import annotations

import re
from typing import NamedTuple

import pytest
from sqlalchemy import String
from sqlalchemy.dialects import postgresql

from dovetail_sql import reading
from dovetail_sql.compiling import definitions, named, positional, statement
from dovetail_sql.statements import MANY, RUN_COLUMNS, fixed
from dovetail_sql.tables import INDEXED, metadata

ENGINES = ("sqlite://", "postgresql://", "mysql://", "mariadb://")
# How each compares by code point; MySQL's are those that count trailing spaces.
COLLATIONS = {
    "postgresql://": '"C"',
    "mysql://": "utf8mb4_0900_bin",
    "mariadb://": "utf8mb4_nopad_bin",
}
# Texts that any order will do for: words of dovetail's own, and places, which are compared with an id at their end.
ANY_ORDER = {"stage", "status", "kind", "holder", "source_type", "artifact_location", "artifact_uri"}
# What searches ask for by name and value.
SEARCHED = {"param", "tag", "model_param", "model_tag", "registered_model_tags", "model_version_tags"}

_TEXT = re.compile(r"[(,] [`\"]?(\w+)[`\"]? (VARCHAR|TEXT|LONGTEXT)(?:\(\d+\))?(?: COLLATE (\S+?))?(?=[ ,])")
_INDEX = re.compile(r"CREATE INDEX \w+ ON (\w+) \((.+?)\)(?: WHERE (.+))?$")


class TextColumn(NamedTuple):
    table: str
    name: str
    kind: str
    collation: str


class IndexMade(NamedTuple):
    table: str
    columns: str
    where: str


def texts(engine: str) -> list[TextColumn]:
    """The columns that hold text."""
    made = [text for text in definitions(engine) if text.startswith("CREATE TABLE")]
    return [TextColumn(text.split()[2].strip("`"), *found) for text in made for found in _TEXT.findall(text)]


def indexes(engine: str) -> list[IndexMade]:
    made = [_INDEX.match(text) for text in definitions(engine) if text.startswith("CREATE INDEX")]
    assert all(made)
    return [IndexMade(*match.groups(default="")) for match in made if match is not None]


class TestDefinitions:
    @pytest.mark.parametrize("engine", ENGINES)
    def test_make_every_table(self, engine: str) -> None:
        made = [text for text in definitions(engine) if text.startswith("CREATE TABLE")]
        assert len(made) == len(metadata.tables)

    @pytest.mark.parametrize("engine", ["mysql://", "mariadb://"])
    def test_index_beginnings_of_values_where_engines_take_no_more(self, engine: str) -> None:
        made = [index for index in indexes(engine) if index.table in SEARCHED]
        assert {index.table for index in made} == SEARCHED
        assert len(made) == len(SEARCHED)
        assert all(f" value({INDEXED}), " in index.columns for index in made)

    @pytest.mark.parametrize("engine", ["sqlite://", "postgresql://"])
    def test_index_short_values_whole_and_of_long_ones_the_keys(self, engine: str) -> None:
        made = [index for index in indexes(engine) if index.table in SEARCHED]
        short = [index for index in made if index.where == f"length(value) <= {INDEXED}"]
        long = [index for index in made if index.where == f"length(value) > {INDEXED}"]
        assert {index.table for index in short} == {index.table for index in long} == SEARCHED
        assert len(short) == len(long) == len(SEARCHED)
        assert len(made) == len(short) + len(long)
        assert all(" value, " in index.columns for index in short)
        assert not any("value" in index.columns for index in long)

    @pytest.mark.parametrize("engine", ENGINES)
    def test_index_no_text_of_any_length_whole(self, engine: str) -> None:
        unbounded = {(text.table, text.name) for text in texts(engine) if text.kind != "VARCHAR"}
        assert {(table, "value") for table in SEARCHED} < unbounded
        for table, columns, where in indexes(engine):
            whole = {(table, column) for column in re.findall(r"[`\"]?(\w+)[`\"]?(?: DESC)?(?:, |$)", columns)}
            assert whole & unbounded == set() or where == f"length(value) <= {INDEXED}"

    @pytest.mark.parametrize(("engine", "collation"), COLLATIONS.items())
    def test_compare_text_by_code_point(self, engine: str, collation: str) -> None:
        found = texts(engine)
        columns = [column for table in metadata.tables.values() for column in table.columns]
        assert {(text.table, text.name) for text in found} == {
            (column.table.name, column.name) for column in columns if isinstance(column.type, String)
        }
        assert {text.collation for text in found if text.name not in ANY_ORDER} == {collation}
        assert {text.collation for text in found if text.name in ANY_ORDER} == {""}

    def test_need_not_say_so_in_sqlite(self) -> None:
        assert {text.collation for text in texts("sqlite://")} == {""}

    @pytest.mark.parametrize("engine", ["mysql://", "mariadb://"])
    def test_keep_long_texts_whole_in_mysql(self, engine: str) -> None:
        # TEXT ends after 64 KiB there, which no place is as long as.
        cut = {text.name for text in texts(engine) if text.kind == "TEXT"}
        assert cut == {"artifact_location", "artifact_uri"}

    def test_keep_what_is_told_apart_by_other_than_numbers_of_its_own_in_the_order_of_its_keys_in_sqlite(self) -> None:
        clustered = {text.split()[2] for text in definitions("sqlite://") if text.endswith("WITHOUT ROWID")}
        keyed = {table.name for table in metadata.tables.values() if {*table.primary_key.columns.keys()} - {"id"}}
        assert clustered == keyed - {"leases"}  # few rows, and one text that makes it in every engine
        assert clustered >= SEARCHED | {"latest_metric", "experiment_tags", "input_tags", "registry_aliases"}
        assert clustered >= {"journal_writers", "deleted_models"}


class TestStatements:
    def test_are_fixed_texts_for_sqlite(self) -> None:
        for name, construct in fixed().items():
            text = positional(construct, MANY[name]) if name in MANY else named(construct)
            assert ":param_" not in text

    def test_compile_for_postgresql_too(self) -> None:
        for construct in fixed(postgresql.insert).values():
            assert statement(construct, postgresql.dialect())[0]  # type: ignore[no-untyped-call]

    def test_refuse_values_in_another_order(self) -> None:
        with pytest.raises(ValueError, match="order"):
            positional(fixed()["put_tag"], ("key", "run", "value"))

    def test_answer_with_the_columns_that_are_read(self) -> None:
        assert tuple(column.name for column in RUN_COLUMNS) == reading.RunRow._fields
        assert tuple(metadata.tables["experiments"].c.keys()) == reading.ExperimentRow._fields
