"""What the relay keeps of what it passes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dovetail.tracking import console_relay
from dovetail.tracking.console_relay import PARTS, Spool, kept

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


class TestSpools:
    def test_keep_the_beginning_and_the_end_of_what_is_too_much(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(console_relay, "PART", 1000)
        spool = Spool(str(tmp_path))
        for number in range(10_000):
            spool.write(b"line %d\n" % number)
        spool.close()
        lines = kept(str(tmp_path), 0).decode().splitlines()
        assert (lines[0], lines[-1]) == ("line 0", "line 9999")
        assert sum("bytes are not kept here" in line for line in lines) == 1
        assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= PARTS * 1000

    def test_a_line_without_end_is_kept_in_pieces(self, tmp_path: Path) -> None:
        spool = Spool(str(tmp_path))
        for _ in range(100):
            spool.write(b"x" * 10_000)
        assert spool.settle() == 1_000_000
        assert kept(str(tmp_path), 0) == b"x" * 1_000_000

    def test_a_bar_without_end_takes_no_room(self, tmp_path: Path) -> None:
        spool = Spool(str(tmp_path))
        for number in range(100_000):
            spool.write(b"\r%d" % number)
        spool.close()
        assert kept(str(tmp_path), 0) == b"99999"

    def test_a_folder_that_is_gone_is_no_trouble(self, tmp_path: Path) -> None:
        spool = Spool(str(tmp_path / "gone"))
        spool.write(b"line\n")
        assert spool.settle() == 5
