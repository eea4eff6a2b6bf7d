"""What a call of the registry costs: how many statements, through which indexes, and which libraries."""

from __future__ import annotations

import subprocess
import sys
from collections import defaultdict
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from dovetail.values import NewModelVersion, RegistryTag
from dovetail_sql.registry import SqlRegistryStore
from dovetail_sqlite.opening import open_database

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

EVERYDAY = """
import sys
from dovetail.values import NewModelVersion, RegistryTag
from dovetail_sqlite import open_sqlite_registry
store = open_sqlite_registry(sys.argv[1])
store.create_registered_model("wine", tags=[RegistryTag("a", "b")])
store.create_model_version(NewModelVersion("wine", "models:/m-1", tags=(RegistryTag("a", "b"),)))
store.move_alias("wine", "champion", 1)
store.transition_stage("wine", 1, "Production", archive_existing=True)
assert store.get_registered_model("wine").aliases == {"champion": 1}
assert len(store.get_history("wine")) == 2
store.close()
print("sqlalchemy" in sys.modules)
"""
TAGS = (RegistryTag("a", "b"), RegistryTag("c", "d"))


def test_everyday_calls_do_without_sqlalchemy(tmp_path: Path) -> None:
    argv = [sys.executable, "-c", EVERYDAY, f"sqlite:///{tmp_path}/dovetail.db"]
    assert subprocess.run(argv, check=True, capture_output=True, text=True).stdout.strip() == "False"


class Counted:
    """A registry, and the statements it executes."""

    def __init__(self, path: Path) -> None:
        self.statements: list[str] = []
        self.store = SqlRegistryStore(open_database(path, self.statements.append))
        for number in range(20):
            name = f"model-{number:02}"
            self.store.create_registered_model(name, tags=TAGS)
            for _ in range(3):
                self.store.create_model_version(NewModelVersion(name, "models:/m-1", tags=TAGS))
            self.store.move_alias(name, "champion", 1)
            self.store.transition_stage(name, 1, "Production")

    def of(self, call: Callable[[], object]) -> list[str]:
        """What a call executes, without the ends of its transaction."""
        self.statements.clear()
        call()
        return self.statements[1:-1]

    def plan(self, text: str) -> str:
        """How sqlite answers a statement."""
        with self.store.database.read() as transaction:
            asked: defaultdict[str, int] = defaultdict(int)
            rows = transaction._raw.execute(f"EXPLAIN QUERY PLAN {text}", asked)  # type: ignore[attr-defined]
            return "; ".join(row[3] for row in rows)


@pytest.fixture
def counted(tmp_path: Path) -> Iterator[Counted]:
    counted = Counted(tmp_path / "dovetail.db")
    with closing(counted.store):
        yield counted


class TestStatements:
    def test_of_a_new_model(self, counted: Counted) -> None:
        spent = counted.of(lambda: counted.store.create_registered_model("wine", tags=TAGS))
        assert spent == ["add_registered_model", "unbury_name", "put_registered_model_tag"]

    def test_of_a_new_version(self, counted: Counted) -> None:
        new = NewModelVersion("model-01", "models:/m-1", tags=TAGS)
        spent = counted.of(lambda: counted.store.create_model_version(new))
        assert spent == ["registered_model", "count_version", "add_model_version", "put_model_version_tag"]

    def test_of_a_moved_alias(self, counted: Counted) -> None:
        spent = counted.of(lambda: counted.store.move_alias("model-01", "champion", 2, expected=1))
        read = ["registered_model", "model_version", "registry_alias"]
        assert spent == [*read, "put_registry_alias", "touch_aliased", "touch_registered_model", "add_move"]

    def test_of_an_alias_that_stays(self, counted: Counted) -> None:
        spent = counted.of(lambda: counted.store.move_alias("model-01", "champion", 1))
        assert spent == ["registered_model", "model_version", "registry_alias"]

    def test_of_archiving_many_are_as_many_as_of_one(self, counted: Counted) -> None:
        for version in (2, 3):
            counted.store.transition_stage("model-01", version, "Staging")
        spent = counted.of(lambda: counted.store.transition_stage("model-01", 1, "Staging", archive_existing=True))
        archived = ["others_in_stage", "stage_others", "add_moves", "touch_registered_model"]
        staged = ["stage_model_version", "touch_registered_model", "add_move"]
        shown = ["model_version_tags", "registry_aliases"]
        assert spent == ["registered_model", "model_version", *archived, *staged, *shown]

    def test_of_reading_a_model(self, counted: Counted) -> None:
        spent = counted.of(lambda: counted.store.get_registered_model("model-01"))
        assert spent == ["registered_model", "registered_model_tags", "registry_aliases", "latest_versions"]

    def test_of_a_page_of_models_are_four(self, counted: Counted) -> None:
        spent = counted.of(lambda: counted.store.search_registered_models(order_by=["name DESC"]))
        assert len(spent) == 4
        assert spent[1:] == ["registered_model_tags", "registry_aliases", "latest_versions"]

    def test_of_a_page_of_versions_are_three(self, counted: Counted) -> None:
        spent = counted.of(lambda: counted.store.search_model_versions(order_by=["name"]))
        assert len(spent) == 3
        assert spent[1:] == ["model_version_tags", "registry_aliases"]

    def test_of_what_a_filter_finds_are_as_many_for_all(self, counted: Counted) -> None:
        asked = "tags.a = 'b' AND name LIKE 'model%'"
        assert len(counted.store.search_registered_models(asked)) == 20
        spent = counted.of(lambda: counted.store.search_registered_models(asked))
        assert spent[-3:] == ["registered_model_tags", "registry_aliases", "latest_versions"]
        assert len(spent) <= 6

    def test_of_a_history(self, counted: Counted) -> None:
        assert counted.of(lambda: counted.store.get_history("model-01")) == ["history_of", "moves"]
        assert counted.of(lambda: counted.store.get_history("model-01", "champion")) == ["history_of", "moves_of"]


class TestIndexes:
    def test_give_the_order_of_plain_listings(self, counted: Counted) -> None:
        models = counted.of(counted.store.search_registered_models)[0]
        versions = counted.of(counted.store.search_model_versions)[0]
        assert "TEMP B-TREE" not in counted.plan(models)
        assert "ix_model_versions_listing" in counted.plan(versions)
        assert "TEMP B-TREE" not in counted.plan(versions)

    def test_lead_to_the_latest_versions(self, counted: Counted) -> None:
        from dovetail_sqlite.compiled import FIXED

        plan = counted.plan(FIXED["latest_versions"].replace(":ids", "'[1]'"))
        assert plan.count("ix_model_versions_stage (model=? AND stage=?)") == 4
        assert "SCAN registered_models" not in plan
