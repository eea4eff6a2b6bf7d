"""What a journal's records are made of: whatever may be logged comes back as it was."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dovetail.errors import StoreError
from dovetail.tracking.journal import records
from dovetail.tracking.journal.records import Header
from dovetail.values import Batch, Ending, Metric, Param, Tag
from dovetail.values.measure import MetricColumns
from dovetail.values.names import MAX_INT

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

KEYS = st.sampled_from(["loss", "a/b", "größe", "損失", "x y.z-1:2", "k" * 250, "ﬁ"])
# Checked values hold no half characters, but journals must not be what a log call breaks on.
TEXTS = st.text(st.characters(exclude_categories=()), max_size=50)
WHOLES = st.integers(-MAX_INT - 1, MAX_INT)
FLOATS = st.floats(allow_nan=True, allow_infinity=True)


def metrics() -> SearchStrategy[Metric]:
    plain = st.builds(Metric, KEYS, FLOATS, st.integers(0, MAX_INT), WHOLES)
    model = st.sampled_from(["m-1", "m-abc"])
    linked = st.builds(Metric, KEYS, FLOATS, st.integers(0, MAX_INT), WHOLES, model, st.just("wine"), st.just("d1"))
    return plain | linked


def params() -> SearchStrategy[Param]:
    return st.builds(lambda key, value: Param.stored(key=key, value=value), KEYS, TEXTS)


def tags() -> SearchStrategy[Tag]:
    return st.builds(lambda key, value: Tag.stored(key=key, value=value), KEYS, TEXTS)


BATCHES = st.builds(
    lambda metrics, params, tags: Batch.stored(metrics=tuple(metrics), params=tuple(params), tags=tuple(tags)),
    st.lists(metrics(), max_size=5),
    st.lists(params(), max_size=5),
    st.lists(tags(), max_size=5),
)


def alike(first: Metric, second: Metric) -> bool:
    """Equal, with NaN equal to NaN and a zero that keeps its sign."""
    signs = math.copysign(1, first.value) == math.copysign(1, second.value) or math.isnan(first.value)
    same = first.value == second.value or (math.isnan(first.value) and math.isnan(second.value))
    return same and signs and replace(first, value=0.0) == replace(second, value=0.0)


class TestBatches:
    @given(BATCHES)
    @example(Batch())
    @example(Batch((Metric("x", math.nan, 0), Metric("x", math.inf, 0), Metric("x", -math.inf, 0), Metric("x", -0.0))))
    @example(Batch.stored(metrics=(), params=(), tags=(Tag.stored(key="t", value="\ud800 half"),), columns=()))
    def test_any_batch_comes_back(self, batch: Batch) -> None:
        back = records.batch_of(records.batch_text(batch))
        assert (back.params, back.tags) == (batch.params, batch.tags)
        assert len(back.metrics) == len(batch.metrics)
        assert all(map(alike, back.metrics, batch.metrics))

    def test_points_in_columns_are_points_all_the_same(self) -> None:
        batch = Batch((Metric("a", 1, 5, 0),), columns=(MetricColumns("b", [6, 7], [1, 2], [0.5, 0.25]),))
        back = records.batch_of(records.batch_text(batch))
        assert [(each.key, each.timestamp, each.step, each.value) for each in back.metrics] == [
            ("a", 5, 0, 1),
            ("b", 6, 1, 0.5),
            ("b", 7, 2, 0.25),
        ]

    @pytest.mark.parametrize("text", [b"", b"{", b"[]", b"null", b'{"metrics": [1]}', b'{"params": [["a"]]}', b"\xff"])
    def test_what_nobody_wrote_is_said_to_be_that(self, text: bytes) -> None:
        with pytest.raises(StoreError, match="nobody wrote"):
            records.batch_of(text)


class TestRows:
    @given(
        st.integers(0, 2**32 - 1),
        WHOLES,
        WHOLES,
        st.lists(st.tuples(st.integers(0, 2**32 - 1), st.floats(allow_nan=False)), max_size=20),
    )
    def test_several_metrics_of_one_moment_come_back(
        self, run: int, timestamp: int, step: int, measured: list[tuple[int, float]]
    ) -> None:
        back = records.row_of(records.row_body(run, timestamp, step, measured))
        assert (*back[:3], list(back[3])) == (run, timestamp, step, measured)

    def test_a_point_takes_41_bytes(self) -> None:
        body = records.POINT_BODY.pack(records.POINT, 1, 1, 0, 0, 0.5)
        assert len(records.sealed(body)) == records.WHOLE_POINT.size == 41

    def test_how_a_run_ended_comes_back(self) -> None:
        for holder in ("me", None):
            end = Ending("FAILED", 1_700_000_000_000, holder)
            body = records.end_body(7, end)
            assert records.end_of(body[records.NUMBERED.size :], "me") == end
        earlier = b'["FAILED", 1700000000000]'  # without saying whether it had the lease
        assert records.end_of(earlier, "me") == Ending("FAILED", 1_700_000_000_000, "me")

    @pytest.mark.parametrize("text", [b"", b"[]", b'["RUNNING", 1]', b'["FAILED", "soon"]', b"[1, 2]", b"\xff"])
    def test_an_end_that_nobody_wrote_is_refused(self, text: bytes) -> None:
        with pytest.raises(StoreError, match="nobody wrote"):
            records.end_of(text, "me")


class TestBodies:
    @given(st.lists(st.binary(min_size=1, max_size=100), max_size=8), st.integers(0, 200))
    def test_records_come_back_in_order_whatever_room_is_left_behind_them(self, made: list[bytes], room: int) -> None:
        data = b"".join(map(records.sealed, made)) + bytes(room)
        assert [body for _, body in records.bodies(data)] == made

    @given(st.lists(st.binary(min_size=1, max_size=40), min_size=1, max_size=4), st.data())
    def test_a_record_that_is_cut_short_is_not_there(self, made: list[bytes], data: st.DataObject) -> None:
        whole = b"".join(map(records.sealed, made))
        kept = data.draw(st.integers(0, len(whole) - 1))
        found = [body for _, body in records.bodies(whole[:kept])]
        assert found == made[: len(found)]
        assert len(found) < len(made)

    @given(st.lists(st.binary(min_size=1, max_size=40), min_size=1, max_size=4), st.data())
    def test_a_bit_that_is_flipped_is_noticed(self, made: list[bytes], data: st.DataObject) -> None:
        whole = bytearray(b"".join(map(records.sealed, made)))
        place = data.draw(st.integers(0, len(whole) - 1))
        whole[place] ^= 1 << data.draw(st.integers(0, 7))
        found = [body for _, body in records.bodies(bytes(whole))]
        assert found == made[: len(found)]
        assert len(found) < len(made)


class TestHeaders:
    @given(st.text(st.characters(exclude_categories=("Cs",)), max_size=30))
    def test_come_back(self, host: str) -> None:
        header = Header("w1", f"postgresql://{host}/db", 4711, host, 1_700_000_000_000)
        assert Header.of(header.body()) == header

    def test_of_a_newer_release_may_say_more(self) -> None:
        body = b'h{"writer": "w1", "uri": "u", "pid": 1, "host": "h", "started": 5, "colour": "red"}'
        assert Header.of(body) == Header("w1", "u", 1, "h", 5)

    @pytest.mark.parametrize("text", [b"h", b"h[]", b"h{}", b"h\xff"])
    def test_that_are_none_are_said_to_be_none(self, text: bytes) -> None:
        with pytest.raises(StoreError, match="header"):
            Header.of(text)
