"""Stories about batches: all or nothing, once each, and to whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dovetail.errors import NotFound, ParamConflict, RunEnded
from dovetail.testing.tracking_store.base import RUN_NAME, Stories, batch_of, history, point, snapshot, started
from dovetail.values import Batch, JournalMark, Param, RunStatus, Tag

if TYPE_CHECKING:
    from dovetail.tracking.store import TrackingStore

__all__ = ["BatchStories", "LateTagStories", "MarkStories"]


class BatchStories(Stories):
    """Metrics, params and tags stored together."""

    def test_a_batch_is_there_when_the_call_returns(self, store: TrackingStore) -> None:
        """Metrics, params and tags of one batch are all read back."""
        run_id = started(store)
        store.log_batch(run_id, batch_of(point(0.5), point(0.9, key="acc"), params={"lr": "0.1"}, tags={"a": "1"}))
        data = store.get_run(run_id).data
        assert (data.metrics, data.params, data.tags) == ({"loss": 0.5, "acc": 0.9}, {"lr": "0.1"}, {"a": "1"})

    def test_an_empty_batch_changes_nothing(self, store: TrackingStore) -> None:
        """A batch of nothing is fine, for a run that has ended too; an unknown run is still NotFound."""
        run_id = started(store)
        store.update_run(run_id, status="FINISHED", end_time=5000)
        before = snapshot(store.get_run(run_id))
        store.log_batch(run_id, Batch())
        assert snapshot(store.get_run(run_id)) == before
        with pytest.raises(NotFound):
            store.log_batch("nobody", Batch())

    def test_a_conflicting_param_keeps_the_whole_batch_out(self, store: TrackingStore) -> None:
        """One param with another value raises ParamConflict, and nothing of its batch is stored."""
        run_id = started(store, run_name="fox")
        store.log_batch(run_id, batch_of(point(0.5), params={"lr": "0.1"}, tags={"a": "1"}))
        before = snapshot(store.get_run(run_id))
        refused = batch_of(
            point(0.4, step=1),
            point(0.9, key="acc"),
            params={"aa": "new", "lr": "0.2", "zz": "new"},
            tags={"a": "2", "b": "new", "mlflow.runName": "hare"},
        )
        with pytest.raises(ParamConflict):
            store.log_batch(run_id, refused)
        assert snapshot(store.get_run(run_id)) == before
        assert (history(store, run_id), history(store, run_id, "acc")) == ([0.5], [])

    def test_a_param_may_be_logged_again_with_its_value(self, store: TrackingStore) -> None:
        """The same value again is fine, in a later batch and within one; other runs have values of their own."""
        run_id, other = started(store), started(store)
        store.log_batch(run_id, Batch(params=(Param("lr", "0.1"), Param("lr", "0.1"))))
        store.log_batch(run_id, batch_of(params={"lr": "0.1", "depth": "3"}))
        store.log_batch(other, batch_of(params={"lr": "0.2"}))
        assert store.get_run(run_id).data.params == {"lr": "0.1", "depth": "3"}
        assert store.get_run(other).data.params == {"lr": "0.2"}

    @pytest.mark.parametrize(("kept", "other"), [("0.1", "0.10"), ("a", "A"), ("a", "a "), ("", " "), ("é", "e")])
    def test_values_are_the_same_only_to_the_letter(self, store: TrackingStore, kept: str, other: str) -> None:
        """A param's value is compared character by character."""
        run_id = started(store)
        store.log_batch(run_id, batch_of(params={"lr": kept}))
        with pytest.raises(ParamConflict):
            store.log_batch(run_id, batch_of(params={"lr": other}))
        assert store.get_run(run_id).data.params == {"lr": kept}

    def test_keys_differ_by_case_accents_and_spaces(self, store: TrackingStore) -> None:
        """Keys of metrics, params and tags are the same only to the letter."""
        run_id = started(store)
        keys = ["loss", "Loss", "löss", "loss ", "lo ss", "val/loss", "loss:1", "loss.a", "loss-a", "日本"]
        metrics = [point(float(number), key=key) for number, key in enumerate(keys)]
        texts = {key: str(number) for number, key in enumerate(keys)}
        store.log_batch(run_id, batch_of(*metrics, params=texts, tags=texts))
        data = store.get_run(run_id).data
        assert data.metrics == {key: float(number) for number, key in enumerate(keys)}
        assert (data.params, data.tags) == (texts, texts)
        assert history(store, run_id, "Loss") == [1.0]

    @pytest.mark.parametrize("text", ["", " ", " a\r\n\tb ", "it's; --", '"%_\\', "Größe 🎉 日本", "\x7f\u200b\ufeff"])
    def test_texts_come_back_as_they_are(self, store: TrackingStore, text: str) -> None:
        """Any text that values allow is kept character by character as param and as tag."""
        run_id = started(store)
        store.log_batch(run_id, batch_of(params={"a": text}, tags={"a": text}))
        data = store.get_run(run_id).data
        assert (data.params, data.tags) == ({"a": text}, {"a": text})

    def test_the_longest_texts_are_kept_whole(self, store: TrackingStore) -> None:
        """The longest keys and values that are allowed come back uncut."""
        run_id = started(store)
        key = "ü" * 250
        store.log_batch(run_id, batch_of(point(0.5, key=key), params={key: "🎉" * 6000}, tags={key: "🎉" * 8000}))
        data = store.get_run(run_id).data
        assert (data.metrics, data.params) == ({key: 0.5}, {key: "🎉" * 6000})
        assert data.tags == {key: "🎉" * 8000}

    def test_tags_are_replaced(self, store: TrackingStore) -> None:
        """A tag takes its new value, of two in one batch the last; others stay."""
        run_id = started(store, tags=(Tag("a", "1"), Tag("b", "2")))
        store.log_batch(run_id, Batch(tags=(Tag("a", "3"), Tag("c", "4"), Tag("a", "5"))))
        assert store.get_run(run_id).data.tags == {"a": "5", "b": "2", "c": "4"}

    def test_a_large_batch_is_one_batch(self, store: TrackingStore) -> None:
        """Thousands of values are stored together, and kept out together."""
        run_id = started(store)
        params = {f"p{number}": str(number) for number in range(500)}
        metrics = [point(float(step), step=step) for step in range(5000)]
        store.log_batch(run_id, batch_of(*metrics, params=params, tags=params))
        with pytest.raises(ParamConflict):
            store.log_batch(run_id, batch_of(*(point(-1.0, step=step) for step in range(5000)), params={"p499": "x"}))
        data = store.get_run(run_id).data
        assert (data.metrics, data.params, data.tags) == ({"loss": 4999.0}, params, params)
        assert history(store, run_id) == [float(step) for step in range(5000)]

    # --- who takes batches -----------------------------------------------------------------------------------

    @pytest.mark.parametrize("status", sorted(RunStatus.ENDED))
    def test_an_ended_run_takes_tags_alone(self, store: TrackingStore, status: str) -> None:
        """After the end metrics and params raise RunEnded and nothing of their batch is stored; tags may be set."""
        run_id = started(store)
        store.log_batch(run_id, batch_of(params={"lr": "1"}))
        store.update_run(run_id, status=status)
        for refused in (batch_of(point(0.5), tags={"a": "1"}), batch_of(params={"p": "1"}, tags={"a": "1"})):
            with pytest.raises(RunEnded):
                store.log_batch(run_id, refused)
        store.log_batch(run_id, batch_of(tags={"b": "2"}))
        data = store.get_run(run_id).data
        assert (data.metrics, data.params, data.tags) == ({}, {"lr": "1"}, {"b": "2"})

    def test_an_ended_run_takes_what_arrives_late(self, store: TrackingStore) -> None:
        """With ``ended`` or with a mark, metrics and params are taken after the end, which stays as it is."""
        run_id = started(store)
        ended = store.update_run(run_id, status="FINISHED", end_time=5000)
        store.log_batch(run_id, batch_of(point(0.5), params={"a": "1"}), ended=True)
        store.log_batch(run_id, batch_of(point(0.4, step=1), params={"b": "2"}), mark=JournalMark("w", 1))
        run = store.get_run(run_id)
        assert (run.data.metrics, run.data.params) == ({"loss": 0.4}, {"a": "1", "b": "2"})
        assert run.info == ended

    def test_a_deleted_run_takes_nothing(self, store: TrackingStore) -> None:
        """A run in the bin raises RunEnded for metrics, params and tags, with ``ended`` and a mark too."""
        run_id = started(store)
        store.delete_run(run_id)
        before = snapshot(store.get_run(run_id))
        for refused in (batch_of(point(0.5)), batch_of(params={"a": "1"}), batch_of(tags={"a": "1"})):
            with pytest.raises(RunEnded):
                store.log_batch(run_id, refused)
            with pytest.raises(RunEnded):
                store.log_batch(run_id, refused, ended=True)
            with pytest.raises(RunEnded):
                store.log_batch(run_id, refused, mark=JournalMark("w", 1))
        assert snapshot(store.get_run(run_id)) == before
        assert store.applied("w") == 0


class LateTagStories(Stories):
    """Tags that reach the store late, with the time at which they were set."""

    def test_a_late_tag_takes_no_newer_ones_place(self, store: TrackingStore) -> None:
        """What a journal brings a day later was true a day ago."""
        run_id = started(store)
        store.log_batch(run_id, batch_of(tags={"stage": "evaluated"}))
        long_ago = Tag("stage", "training", set_at=1000), Tag("host", "a", set_at=1000)
        store.log_batch(run_id, Batch(tags=long_ago))
        tags = store.get_run(run_id).data.tags
        assert (tags["stage"], tags["host"]) == ("evaluated", "a")

    def test_late_tags_are_told_apart_by_their_times(self, store: TrackingStore) -> None:
        """Whichever comes first; and what is set now takes any one's place."""
        run_id = started(store)
        for set_at, expected in ((2000, "2000"), (1000, "2000"), (3000, "3000"), (3000, "3000")):
            store.log_batch(run_id, Batch(tags=(Tag("stage", str(set_at), set_at=set_at),)))
            assert store.get_run(run_id).data.tags["stage"] == expected
        store.log_batch(run_id, Batch(tags=(Tag("stage", "future", set_at=2**52),)))
        store.log_batch(run_id, batch_of(tags={"stage": "now"}))
        assert store.get_run(run_id).data.tags["stage"] == "now"

    def test_a_late_name_takes_no_newer_ones_place(self, store: TrackingStore) -> None:
        """The tag of the name and the name are one thing."""
        run_id = started(store, run_name="new")
        store.log_batch(run_id, Batch(tags=(Tag(RUN_NAME, "old", set_at=1000),)))
        run = store.get_run(run_id)
        assert (run.info.run_name, run.data.tags[RUN_NAME]) == ("new", "new")
        store.log_batch(run_id, Batch(tags=(Tag(RUN_NAME, "newest", set_at=2**52),)))
        assert store.get_run(run_id).info.run_name == "newest"


class MarkStories(Stories):
    """Journal records that may arrive more than once."""

    def test_an_unknown_writer_has_stored_nothing(self, store: TrackingStore) -> None:
        """Before its first record a writer's highest sequence is 0."""
        assert store.applied("nobody") == 0

    def test_a_record_that_arrives_twice_is_stored_once(self, store: TrackingStore) -> None:
        """A sequence that is not above the highest stored one changes nothing, whatever comes with it."""
        run_id = started(store, run_name="fox")
        store.log_batch(run_id, batch_of(point(0.5), params={"lr": "1"}, tags={"a": "1"}), mark=JournalMark("w", 5))
        before = snapshot(store.get_run(run_id))
        for sequence in (5, 4, 1):
            replayed = batch_of(point(0.1, step=9), params={"new": "2"}, tags={"a": "2", "mlflow.runName": "hare"})
            store.log_batch(run_id, replayed, mark=JournalMark("w", sequence))
        assert snapshot(store.get_run(run_id)) == before
        assert history(store, run_id) == [0.5]
        assert store.applied("w") == 5

    def test_a_replay_never_fails(self, store: TrackingStore) -> None:
        """A record that was stored before is passed over although its run was deleted or its param would conflict."""
        run_id = started(store)
        store.log_batch(run_id, batch_of(params={"lr": "1"}), mark=JournalMark("w", 1))
        store.log_batch(run_id, batch_of(params={"lr": "2"}), mark=JournalMark("w", 1))
        store.delete_run(run_id)
        store.log_batch(run_id, batch_of(params={"lr": "1"}), mark=JournalMark("w", 1))
        assert store.get_run(run_id).data.params == {"lr": "1"}

    def test_the_highest_sequence_counts_up_with_gaps(self, store: TrackingStore) -> None:
        """``applied`` gives the highest sequence, over all runs a writer wrote to."""
        first, second = started(store), started(store)
        for run_id, sequence in ((first, 1), (second, 2), (first, 7)):
            store.log_batch(run_id, batch_of(point(float(sequence), step=sequence)), mark=JournalMark("w", sequence))
            assert store.applied("w") == sequence
        assert (history(store, first), history(store, second)) == ([1.0, 7.0], [2.0])

    def test_writers_count_each_for_itself(self, store: TrackingStore) -> None:
        """One writer's sequence says nothing about another's, also where names differ in case alone."""
        run_id = started(store)
        for step, writer in enumerate(["w", "W", "v"]):
            store.log_batch(run_id, batch_of(point(0.5, step=step)), mark=JournalMark(writer, 3 - step))
        assert len(history(store, run_id)) == 3
        assert [store.applied(writer) for writer in ("w", "W", "v")] == [3, 2, 1]

    def test_a_refused_record_is_not_marked(self, store: TrackingStore) -> None:
        """A mark is stored with its batch or not at all: what was refused can be tried again."""
        run_id = started(store)
        store.log_batch(run_id, batch_of(params={"lr": "1"}), mark=JournalMark("w", 1))
        with pytest.raises(ParamConflict):
            store.log_batch(run_id, batch_of(point(0.5), params={"lr": "2"}), mark=JournalMark("w", 2))
        with pytest.raises(NotFound):
            store.log_batch("nobody", batch_of(point(0.5)), mark=JournalMark("w", 3))
        assert store.applied("w") == 1
        store.log_batch(run_id, batch_of(point(0.5)), mark=JournalMark("w", 2))
        assert (store.applied("w"), history(store, run_id)) == (2, [0.5])

    def test_an_empty_record_is_marked(self, store: TrackingStore) -> None:
        """The mark of a batch of nothing is stored too."""
        run_id = started(store)
        store.log_batch(run_id, Batch(), mark=JournalMark("w", 4))
        assert store.applied("w") == 4

    def test_batches_without_a_mark_leave_marks_alone(self, store: TrackingStore) -> None:
        """Batches that come from no journal are neither counted nor passed over."""
        run_id = started(store)
        store.log_batch(run_id, batch_of(point(0.5, step=1)), mark=JournalMark("w", 9))
        store.log_batch(run_id, batch_of(point(0.4, step=2)))
        assert (store.applied("w"), history(store, run_id)) == (9, [0.5, 0.4])
