"""The tables and statements hold for every engine, not only for the one that is there today."""

from __future__ import annotations

import pytest
from sqlalchemy.dialects import postgresql

from dovetail_sql import reading
from dovetail_sql.compiling import definitions, named, positional, statement
from dovetail_sql.statements import MANY, RUN_COLUMNS, fixed
from dovetail_sql.tables import INDEXED, metadata

ENGINES = ("sqlite://", "postgresql://", "mysql://", "mariadb://")


class TestDefinitions:
    @pytest.mark.parametrize("engine", ENGINES)
    def test_make_every_table(self, engine: str) -> None:
        made = [text for text in definitions(engine) if text.startswith("CREATE TABLE")]
        assert len(made) == len(metadata.tables)

    @pytest.mark.parametrize("engine", ENGINES)
    def test_index_no_value_beyond_what_engines_take(self, engine: str) -> None:
        made = [text for text in definitions(engine) if " ix_param_" in text or " ix_tag_" in text]
        if engine.startswith("m"):
            assert len(made) == 2
            assert all(f"value({INDEXED})" in text for text in made)
        else:
            assert len([text for text in made if text.endswith(f"run) WHERE length(value) <= {INDEXED}")]) == 2
            assert len([text for text in made if "value" not in text.partition(" WHERE ")[0]]) == len(made) - 2

    def test_compare_text_by_code_point_in_every_engine(self) -> None:
        assert 'VARCHAR(250) COLLATE "C"' in " ".join(definitions("postgresql://"))
        assert "VARCHAR(250) COLLATE utf8mb4_bin" in " ".join(definitions("mysql://"))

    def test_keep_what_runs_show_in_the_order_of_their_keys_in_sqlite(self) -> None:
        clustered = [text.split()[2] for text in definitions("sqlite://") if text.endswith("WITHOUT ROWID")]
        assert clustered == ["journal_writers", "experiment_tags", "latest_metric", "param", "tag"]


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
