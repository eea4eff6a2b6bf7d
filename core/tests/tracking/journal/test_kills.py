"""Processes that are killed while they log: everything that a call returned for is there afterwards, and nothing twice.

A round kills four writers, two of which log to one run. ``DOVETAIL_TEST_KILLS`` says how many writers are killed in
all; a few by default, some hundreds where there is time. Tests of a few rounds each can run side by side.
"""

from __future__ import annotations

import os
import random
import struct
import subprocess
import sys
import textwrap
import time
from typing import TYPE_CHECKING, NamedTuple

import pytest

pytest.importorskip("dovetail_sqlite")

import dovetail
from dovetail.tracking import places

if TYPE_CHECKING:
    from pathlib import Path

WRITERS, ROUNDS = 4, 3
KILLS = int(os.environ.get("DOVETAIL_TEST_KILLS", "12"))
TESTS = -(-KILLS // (WRITERS * ROUNDS))
OFTEN = 50  # steps between two params

# What was acknowledged stands in a mapped file: it survives the writer as the journal does.
WRITER = textwrap.dedent(f"""
    import mmap, struct, sys
    import dovetail
    uri, run_id, first, stride, acknowledged = sys.argv[1:]
    dovetail.set_tracking_uri(uri)
    with open(acknowledged, "r+b") as file:
        counter = mmap.mmap(file.fileno(), 8)
    step = int(first)
    with dovetail.start_run(run_id=run_id):
        while True:
            dovetail.log_metric("loss", float(step), step=step)
            dovetail.log_metrics({{"a": step, "b": -step}}, step=step)
            if step % {OFTEN} == 0:
                dovetail.log_param(f"p{{step}}", step)
                dovetail.set_tag(f"t{{first}}", step)
            step += int(stride)
            counter[:8] = struct.pack("<q", step)
""")


class Job(NamedTuple):
    """What a writer does: log every ``stride``-th step of a run from ``first`` on."""

    run_id: str
    first: int
    stride: int
    acknowledged: Path

    def start(self, uri: str) -> subprocess.Popen[bytes]:
        self.acknowledged.write_bytes(struct.pack("<q", self.first))
        argv = [uri, self.run_id, str(self.first), str(self.stride), str(self.acknowledged)]
        return subprocess.Popen([sys.executable, "-c", WRITER, *argv], stderr=subprocess.PIPE)

    def steps(self) -> range:
        """Those that calls returned for."""
        return range(self.first, struct.unpack("<q", self.acknowledged.read_bytes())[0], self.stride)


def jobs(folder: Path) -> list[Job]:
    client = dovetail.Client()
    both, third, fourth = (client.create_run("0").info.run_id for _ in range(3))
    what = [(both, 0, 2), (both, 1, 2), (third, 0, 1), (fourth, 0, 1)]
    return [Job(*each, folder / f"acknowledged{number}") for number, each in enumerate(what)]


def kill_at_random(writers: list[subprocess.Popen[bytes]], working: list[Job], rng: random.Random) -> None:
    """Kill each when all have begun to log, some time later, one after the other."""
    deadline = time.monotonic() + 60
    while not all(len(job.steps()) for job in working):
        assert time.monotonic() < deadline
        assert all(writer.poll() is None for writer in writers)
        time.sleep(0.01)
    time.sleep(rng.random() * 1.2)
    for writer in rng.sample(writers, len(writers)):
        time.sleep(rng.random() * 0.2)
        writer.kill()
    said = [writer.communicate()[1].decode() for writer in writers]
    assert said == [""] * len(writers)


def assert_kept(job: Job) -> None:
    """All points, params and tags that calls returned for are there, none twice, and each as it was logged."""
    client = dovetail.Client()
    for key, value in {"loss": 1, "a": 1, "b": -1}.items():
        points = client.get_metric_history(job.run_id, key)
        found = {point.step: point.value for point in points}
        assert len(found) == len(points)
        assert set(job.steps()) <= set(found)
        assert {step: float(value * step) for step in found} == found
    data = client.get_run(job.run_id).data
    wanted = {f"p{step}": str(step) for step in job.steps() if step % OFTEN == 0}
    assert wanted.items() <= data.params.items()
    if wanted:
        assert int(data.tags[f"t{job.first}"]) >= max(map(int, wanted.values()))
    assert data.metrics["loss"] >= job.steps()[-1]


@pytest.mark.parametrize("seed", range(TESTS))
def test_nothing_acknowledged_is_lost_and_nothing_is_there_twice(seed: int, tmp_path: Path) -> None:
    rng, kept = random.Random(seed), 0
    dovetail.set_tracking_uri(tmp_path / "runs.db")
    uri = dovetail.get_tracking_uri()
    for _ in range(ROUNDS):
        working = jobs(tmp_path)
        assert len(working) == WRITERS
        places.forget_stores()  # nobody but the writers has the database open
        kill_at_random([job.start(uri) for job in working], working, rng)
        for job in working:
            assert_kept(job)
            kept += len(job.steps())
        assert not (tmp_path / "runs.db.journals").exists()
    assert kept > ROUNDS * 100


def test_whoever_is_killed_while_bringing_something_in_leaves_the_rest_to_the_next(tmp_path: Path) -> None:
    dovetail.set_tracking_uri(tmp_path / "runs.db")
    [*_, job] = jobs(tmp_path)
    places.forget_stores()
    writer = job.start(dovetail.get_tracking_uri())
    deadline = time.monotonic() + 60
    while len(job.steps()) < 30_000 and time.monotonic() < deadline:
        time.sleep(0.01)
    writer.kill()
    assert writer.communicate()[1] == b""
    rng, opening = random.Random(7), f"import dovetail; dovetail.Client({dovetail.get_tracking_uri()!r}).get_run('x')"
    for _ in range(4):
        with subprocess.Popen([sys.executable, "-c", opening], stderr=subprocess.DEVNULL) as opener:
            time.sleep(0.1 + rng.random() * 0.4)
            opener.kill()
    found = [point.step for point in dovetail.Client().get_metric_history(job.run_id, "loss")]
    assert len(found) == len(set(found))
    assert set(job.steps()) <= set(found)
    assert not (tmp_path / "runs.db.journals").exists()
