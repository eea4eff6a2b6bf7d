"""``dovetail db`` over a store whose schema is a number; that of real databases is told with their plugins."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from dovetail import hookimpl, plugins
from dovetail.errors import ForeignLayout, SchemaTooNew, StoreUnavailable
from dovetail.testing.memory import MemoryTrackingStore
from dovetail.tracking.schema import SchemaKeeper, SchemaReport, SchemaUpgrade

if TYPE_CHECKING:
    from collections.abc import Callable

NEWEST = 3


class Shelf(MemoryTrackingStore, SchemaKeeper):
    """Works with schema version 3."""

    version = NEWEST
    faults: tuple[str, ...] = ()
    trouble: Exception | None = None
    asked_quick: bool | None = None

    def check_schema(self, *, quick: bool = False) -> SchemaReport:
        type(self).asked_quick = quick
        self._complain()
        pending = tuple(f"schema version {each}" for each in range(self.version + 1, NEWEST + 1) if self.version)
        return SchemaReport(self.version, NEWEST, pending, self.faults)

    def upgrade_schema(self, progress: Callable[[str], None]) -> SchemaUpgrade:
        self._complain()
        before, kind = self.version, type(self)
        if before not in (0, NEWEST):
            progress("copying the shelf")
        kind.version = NEWEST
        return SchemaUpgrade(before, NEWEST, f"{self.uri}-backup" if before == 1 else None)

    def _complain(self) -> None:
        if self.trouble is not None:
            raise self.trouble


@pytest.fixture
def shelf(monkeypatch: pytest.MonkeyPatch, dovetail: Any) -> type[Shelf]:
    """A kind of store of this test's own, which is the one in force."""

    class Mine(Shelf):
        pass

    class Plugin:
        @hookimpl
        def dovetail_tracking_stores(self) -> Any:
            return {"shelf": Mine}

    plugins.register(Plugin(), "tracking_stores", "shelf")
    monkeypatch.setenv("DOVETAIL_TRACKING_URI", "shelf://ada:secret@library/top")
    return Mine


class TestCheck:
    def test_of_one_that_is_well(self, dovetail: Any, shelf: Any) -> None:
        done = dovetail("db", "check")
        assert done.exit_code == 0
        assert "shelf://ada:***@library/top" in done.out
        assert "version 3 (the newest)" in done.out
        assert "sound" in done.out

    def test_of_one_that_falls_behind(self, dovetail: Any, shelf: Any) -> None:
        shelf.version = 1
        done = dovetail("db", "check")
        assert done.exit_code == 1
        assert "version 1 (3 is the newest)" in done.out
        assert [line for line in done.out.splitlines() if line.startswith("pending")] == [
            "pending      schema version 2",
            "pending      schema version 3",
        ]
        assert "db upgrade" in done.out

    def test_of_one_that_is_damaged(self, dovetail: Any, shelf: Any) -> None:
        shelf.faults = ("the table runs is missing",)
        done = dovetail("db", "check")
        assert (done.exit_code, "the table runs is missing" in done.out, "sound" in done.out) == (1, True, False)
        assert "backup" in done.out

    def test_of_one_that_was_never_made(self, dovetail: Any, shelf: Any) -> None:
        shelf.version = 0
        done = dovetail("db", "check")
        assert (done.exit_code, done.out) == (3, "")
        assert "There is no database at shelf://ada:***@library/top yet." in done.err

    @pytest.mark.parametrize("kind", [ForeignLayout, SchemaTooNew, StoreUnavailable])
    def test_of_one_that_cannot_be_used(self, dovetail: Any, shelf: Any, kind: Any) -> None:
        shelf.trouble = kind("It is not for us.", hint="Leave it.")
        for command in ("check", "upgrade"):
            done = dovetail("db", command)
            assert (done.exit_code, done.out, done.err) == (7, "", "Error: It is not for us.\n  Leave it.\n")

    def test_as_json(self, dovetail: Any, shelf: Any) -> None:
        shelf.version = 2
        done = dovetail("db", "check", "--json", "--quick")
        assert shelf.asked_quick is True
        assert json.loads(done.out) == {
            "uri": "shelf://ada:***@library/top",
            "version": 2,
            "newest": 3,
            "pending": ["schema version 3"],
            "faults": [],
            "ok": False,
        }

    def test_looks_at_everything_unless_told(self, dovetail: Any, shelf: Any) -> None:
        dovetail("db", "check")
        assert shelf.asked_quick is False


class TestUpgrade:
    def test_says_from_where_to_where_and_where_the_copy_lies(self, dovetail: Any, shelf: Any) -> None:
        shelf.version = 1
        done = dovetail("db", "upgrade")
        assert (done.exit_code, done.err) == (0, "· copying the shelf\n")
        assert "from schema version 1 to 3" in done.out
        assert "-backup" in done.out

    def test_says_when_the_engine_makes_no_copy(self, dovetail: Any, shelf: Any) -> None:
        shelf.version = 2
        assert "No copy was made" in dovetail("db", "upgrade").out

    def test_with_nothing_to_do(self, dovetail: Any, shelf: Any) -> None:
        done = dovetail("db", "upgrade")
        assert (done.exit_code, done.out.startswith("Nothing to do: ")) == (0, True)

    def test_of_nothing_makes_one(self, dovetail: Any, shelf: Any) -> None:
        shelf.version = 0
        done = dovetail("db", "upgrade")
        assert (done.exit_code, "made one with schema version 3" in done.out) == (0, True)

    def test_as_json(self, dovetail: Any, shelf: Any) -> None:
        shelf.version = 2
        told = json.loads(dovetail("db", "upgrade", "--json").out)
        assert (told["before"], told["after"], told["backup"]) == (2, 3, None)

    def test_a_url_wins_over_the_one_in_force(self, dovetail: Any, shelf: Any) -> None:
        assert "shelf://other" in dovetail("db", "upgrade", "shelf://other").out


def test_a_store_without_a_schema_says_so(dovetail: Any, drawer: None) -> None:
    for command in ("check", "upgrade"):
        done = dovetail("db", command)
        assert done.exit_code == 2
        assert "is no database with a schema" in done.err
        assert "server" in done.err


def test_an_unknown_scheme_says_what_is_there(dovetail: Any) -> None:
    done = dovetail("db", "check", "attic://x")
    assert (done.exit_code, "No tracking store answers for 'attic'" in done.err) == (6, True)
