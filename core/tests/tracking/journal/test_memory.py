"""What was appended a moment ago is brought to the store without being read again."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import dovetail
from dovetail.tracking.journal import records
from dovetail.tracking.journal.memory import Memory
from dovetail.tracking.journal.reader import JournalReader
from dovetail.values import Batch, Ending, Metric, Param, Tag
from dovetail.values.measure import MetricColumns

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

HELD = Batch(params=(Param("a", "b"),))


def filled(*places: tuple[int, int]) -> Memory:
    """A memory of records at these places."""
    memory = Memory()
    for start, end in places:
        memory.note(start, end, records.BATCH, 1, HELD)
    return memory


class TestMemory:
    def test_knows_what_it_was_told_without_a_gap(self) -> None:
        memory = filled((0, 10), (10, 25), (25, 30))
        assert [each.end for each in memory.between(0, 30)] == [10, 25, 30]
        assert [each.end for each in memory.between(10, 25)] == [25]

    def test_knows_nothing_where_something_is_missing(self) -> None:
        memory = filled((0, 10), (12, 25), (25, 30))
        assert memory.between(0, 30) == []
        assert memory.between(12, 31) == []
        assert memory.between(11, 25) == []
        assert memory.between(12, 29) == []
        assert Memory().between(0, 10) == []

    def test_forgets_what_has_arrived(self) -> None:
        memory = filled((0, 10), (10, 25), (25, 30))
        memory.forget(10)
        assert memory.between(0, 10) == []
        assert len(memory.between(10, 30)) == 2
        memory.forget(30)
        assert memory.between(25, 30) == []

    def test_is_short(self) -> None:
        memory = filled(*((10 * each, 10 * each + 10) for each in range(10_000)))
        assert memory.between(0, 100_000) == []
        assert len(memory.between(99_900, 100_000)) == 10

    def test_does_not_last(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Tags of long ago need the time that the journal has of them."""
        memory = filled((0, 10))
        now = time.monotonic()
        monkeypatch.setattr(time, "monotonic", lambda: now + 2)
        assert memory.between(0, 10) == []


class TestWhatIsRemembered:
    def test_is_what_would_have_been_read(self, tmp_path: Path) -> None:
        """Both ways lead to equal parts, whatever is in the batches."""
        from array import array

        from dovetail.tracking.journal.writer import begin

        columns = MetricColumns("acc", array("q", [1, 2]), array("q", [3, 4]), array("d", [0.5, 0.25]))
        writer = begin(tmp_path, "memory://")
        memory = Memory()

        def put(body: bytes, number: int, held: Batch | str) -> None:
            start = writer.end
            memory.note(start, writer.append(body), body[0], number, held)

        def batch(held: Batch) -> None:
            put(records.NUMBERED.pack(records.BATCH, 1) + records.batch_text(held), 1, held)

        begun = writer.end
        put(records.named(records.RUN, 1, "a-run"), 1, "a-run")
        put(records.named(records.KEY, 2, "loss"), 2, "loss")
        row = Batch(metrics=(Metric("loss", 0.5, 7, 1),))
        put(records.row_body(1, 7, 1, [(2, 0.5)]), 1, row)
        batch(Batch(metrics=(Metric("loss", 1.5, 8, 2, "m-1"), Metric("loss", 2.5, 9, 3))))
        batch(Batch(params=(Param("lr", "0.1"), Param("ä", "ö")), tags=(Tag("a", "b", 5),), columns=(columns,)))
        ended = Ending("FAILED", 9, writer.header.holder)
        put(records.end_body(1, ended), 1, Batch(end=ended))
        with writer.path.open("rb", buffering=0) as file:
            readers = JournalReader(file), JournalReader(file, memory)
            read, remembered = (reader.piece(writer.end, trusted=True) for reader in readers)
            assert memory.between(begun, writer.end)
            [(_, run_id, first)], [(_, other_id, second)] = read, remembered
            assert (run_id, Counter(first.metrics)) == (other_id, Counter(second.metrics))
            assert replace(first, metrics=()) == replace(second, metrics=())
            assert [reader.place for reader in readers] == [writer.end] * 2
        writer.close(writer.end)

    def test_is_stored_like_anything_else(self) -> None:
        with dovetail.start_run() as run:
            dovetail.log_params({"lr": 0.1, "layers": 3})
            dovetail.log_metrics({"loss": 0.5, "acc": float("nan")}, step=1)
            dovetail.log_metric("loss", 0.25, step=2)  # one that is not remembered
            dovetail.set_tags({"a": "b", "mlflow.runName": "mine"})
        found: Any = dovetail.get_run(run.info.run_id)
        assert found.data.params == {"lr": "0.1", "layers": "3"}
        assert (found.data.metrics["loss"], found.data.tags["a"], found.info.run_name) == (0.25, "b", "mine")
        assert found.info.status == "FINISHED"
