"""Stories about ids, keys and names that nothing can have."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dovetail.errors import NotFound
from dovetail.testing.tracking_store.base import Stories, batch_of, history, point, started

if TYPE_CHECKING:
    from dovetail.tracking.store import TrackingStore

__all__ = ["IMPOSSIBLE", "TextStories"]

IMPOSSIBLE = ("\x00", "a\x00b", "\ud800", "a\udfff", "größe\udc80")
"""Texts that no store can hold: with a NUL, or with a surrogate that has no other half."""


class TextStories(Stories):
    """Who asks for something by such a text finds nothing."""

    def test_no_run_has_an_id_that_cannot_be_stored(self, store: TrackingStore) -> None:
        """Every call about such a run raises NotFound, as for any unknown id."""
        for text in IMPOSSIBLE:
            for call in (store.get_run, store.delete_run, store.restore_run, store.get_logged_model):
                with pytest.raises(NotFound):
                    call(text)
            with pytest.raises(NotFound):
                store.log_batch(text, batch_of(point(0.5)))

    def test_nothing_is_found_by_a_name_that_cannot_be_stored(self, store: TrackingStore) -> None:
        """No experiment has such a name, no tag such a key, and no writer of a journal is called so."""
        run_id = started(store)
        for text in IMPOSSIBLE:
            assert store.get_experiment_by_name(text) is None
            assert store.applied(text) == 0
            with pytest.raises(NotFound):
                store.delete_tag(run_id, text)
            with pytest.raises(NotFound):
                store.delete_experiment_tag("0", text)

    def test_histories_that_cannot_be_stored_are_empty(self, store: TrackingStore) -> None:
        """Among several runs, those with such ids have no series, and the others have theirs."""
        run_id = started(store)
        store.log_batch(run_id, batch_of(point(0.5)))
        for text in IMPOSSIBLE:
            assert history(store, run_id, text) == []
            assert history(store, text) == []
            assert store.get_metric_series([run_id], text) == {}
            assert list(store.get_metric_series([text, run_id], "loss")) == [run_id]
