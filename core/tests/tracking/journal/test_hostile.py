"""Journals that somebody made up, damaged, or put where others find them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("dovetail_sqlite")

import dovetail
from dovetail.tracking import places
from dovetail.tracking.journal import records
from dovetail.tracking.journal.folder import orphans

if TYPE_CHECKING:
    from collections.abc import Callable

    Script = Callable[..., subprocess.CompletedProcess[str]]

DIES = """
import os
import dovetail
dovetail.start_run(run_name="a")
"""
JOURNALS = Path("dovetail.db.journals")


def left_by(script: Script, source: str) -> Path:
    """The journal of a process that was killed after it had logged."""
    script(f"{DIES}{source}\nos.kill(os.getpid(), 9)", check=False)
    [path] = orphans(JOURNALS)
    return path


def steps() -> list[int]:
    """The steps of the one run that there is."""
    [run] = dovetail.search_runs(output_format="list")
    return sorted(point.step for point in dovetail.Client().get_metric_history(run.info.run_id, "loss"))


class TestADamage:
    def test_in_a_large_record_throws_nothing_away_that_stands_behind_it(self, script: Script) -> None:
        path = left_by(
            script,
            """
from dovetail.tracking import places
from dovetail.tracking.runs import active_run_id
from dovetail.values import Batch, Metric
places.tracking_store().log_batch = None  # nothing reaches it
places.recorder().record(active_run_id(), Batch(tuple(Metric(f"m{n}", n, n, n) for n in range(40_000))))
for step in range(1000): dovetail.log_metric("loss", 1.0, step=step)
""",
        )
        content = bytearray(path.read_bytes())
        content[5000] ^= 1
        path.write_bytes(content)
        dovetail.search_runs()
        [kept] = JOURNALS.glob("*.damaged")
        assert kept.read_bytes() == bytes(content)

    def test_in_the_last_record_is_kept_as_well(self, script: Script) -> None:
        path = left_by(script, "for step in range(10): dovetail.log_metric('loss', 1.0, step=step)")
        content = path.read_bytes().rstrip(b"\0")
        changed = content[:-1] + bytes([content[-1] ^ 1])
        path.write_bytes(changed)
        assert steps() == list(range(9))
        [kept] = JOURNALS.glob("*.damaged")
        assert kept.read_bytes() == changed

    def test_that_a_kill_leaves_is_none(self, script: Script) -> None:
        path = left_by(script, "for step in range(10): dovetail.log_metric('loss', 1.0, step=step)")
        content = path.read_bytes().rstrip(b"\0")
        path.write_bytes(content[:-3] + bytes(4096))
        assert steps() == list(range(9))
        assert not JOURNALS.exists()


class TestALink:
    def test_instead_of_the_folder_leads_to_no_other_stores_journals(self, script: Script, tmp_path: Path) -> None:
        path = left_by(script, "for step in range(10): dovetail.log_metric('loss', 1.0, step=step)")
        Path("other.db.journals").symlink_to(JOURNALS.resolve())
        dovetail.set_tracking_uri("sqlite:///other.db")
        assert len(dovetail.search_runs(output_format="list")) == 0
        assert path.exists()
        dovetail.set_tracking_uri("sqlite:///dovetail.db")
        assert steps() == list(range(10))

    def test_to_a_database_finds_the_journals_beside_that(self, script: Script) -> None:
        dovetail.create_experiment("there is a database")
        Path("link.db").symlink_to(Path("dovetail.db").resolve())
        source = DIES.replace("dovetail.start", "dovetail.set_tracking_uri('sqlite:///link.db'); dovetail.start")
        script(f"{source}dovetail.log_metric('loss', 1.0, step=7)\nos.kill(os.getpid(), 9)", check=False)
        places.forget_places()
        assert steps() == [7]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
def test_a_pipe_is_not_waited_for(script: Script) -> None:
    left_by(script, "dovetail.log_metric('loss', 1.0, step=0)")
    os.mkfifo(JOURNALS / f"0-{'f' * 32}.journal")
    os.mkfifo(JOURNALS / "refused.jsonl")
    assert steps() == [0]
    argv = [sys.executable, "-c", "from dovetail.cli.main import main; main()", "sync", "--status"]
    assert subprocess.run(argv, check=False, capture_output=True, timeout=30).returncode == 0


@pytest.mark.parametrize(
    "body",
    [
        bytes([records.BATCH]) + b"\x01\0\0\0" + b"[" * 100_000,
        bytes([records.END]) + b"\x01\0\0\0" + b"[" * 100_000,
        bytes([records.BATCH]) + b"\x01\0\0\0" + json.dumps({"metrics": [[5, 1.0, 1, 1]]}).encode(),
        bytes([records.BATCH]) + b"\x01\0\0\0" + json.dumps({"metrics": [["a", 1.0, 1, 10**30]]}).encode(),
        bytes([records.BATCH]) + b"\x01\0\0\0" + json.dumps({"params": [[["a"], "b"]]}).encode(),
        bytes([records.BATCH]) + b"\x01\0\0\0" + json.dumps({"tags": [["a", "b", "late"]]}).encode(),
        bytes([records.KEY]) + b"\x01\0\0\0" + "a\ud800".encode("utf-8", "surrogatepass"),
        bytes([records.KEY]) + b"\x01\0\0\0a\0b",
    ],
)
def test_nonsense_with_checksums_keeps_nobody_from_using_the_store(
    body: bytes, script: Script, caplog: pytest.LogCaptureFixture
) -> None:
    path = left_by(script, "dovetail.log_metric('loss', 1.0, step=0)")
    content = path.read_bytes().rstrip(b"\0")
    point = records.POINT_BODY.pack(records.POINT, 1, 1, 1000, 3, 1.0)
    for each in (body, point):
        content += records.HEAD.pack(len(each), zlib.crc32(each)) + each
    path.write_bytes(content)
    runs: list[Any] = dovetail.search_runs(output_format="list")
    assert [run.info.run_name for run in runs] == ["a"]
    dovetail.log_metric("loss", 0.5, step=9)
    dovetail.end_run()
    assert 9 in [p.step for run in dovetail.search_runs(output_format="list") for p in run.data.latest]
