"""Migrations are found by the numbers of their modules."""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING

import pytest

from dovetail_sql.migrations import found_in, released
from dovetail_sql.schema import VERSION

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A package of steps that would fail if they were imported before they run."""
    folder = tmp_path / "some_steps"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "m0002_add_note.py").write_text("def apply(transaction):\n    transaction.append('note')\n")
    (folder / "m0003_rebuild_keys.py").write_text("raise AssertionError('imported too early')\n")
    (folder / "helpers.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "some_steps", raising=False)
    return importlib.import_module("some_steps")


def test_the_released_ones_lead_to_the_version_of_this_release() -> None:
    assert [step.version for step in released()] == list(range(2, VERSION + 1))


def test_they_come_in_order_and_are_imported_when_they_run(package: ModuleType) -> None:
    steps = found_in(package)
    assert [step.version for step in steps] == [2, 3]
    done: list[str] = []
    steps[0].apply(done)  # type: ignore[arg-type]
    assert done == ["note"]


def test_a_gap_in_the_numbers_is_refused(package: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "some_steps" / "m0003_rebuild_keys.py").rename(tmp_path / "some_steps" / "m0004_rebuild_keys.py")
    importlib.invalidate_caches()
    with pytest.raises(ValueError, match="one by one"):
        found_in(package)
