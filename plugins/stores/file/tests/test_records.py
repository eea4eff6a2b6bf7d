"""Records, and the state that is put together from them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from dovetail.tracking.journal.records import sealed
from dovetail.values import Batch, JournalMark, Metric, MetricColumns, NewRun, Param, Tag
from dovetail_file import records
from dovetail_file.packing import packed, unpacked
from dovetail_file.state import RunState, created_note

if TYPE_CHECKING:
    from pathlib import Path

keys = st.sampled_from(["loss", "acc", "größe/a b", "x" * 250])
numbers = st.floats(allow_nan=True, allow_infinity=True)
whole = st.integers(-(2**63), 2**63 - 1)
metrics = st.builds(
    Metric, keys, numbers, st.integers(0, 2**63 - 1), whole, st.sampled_from([None, "m-1", "m-2"]), st.none(), st.none()
)
texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
dates = st.integers(0, 3)
batches = st.builds(
    lambda points, params, tags: Batch(
        tuple(points),
        tuple(Param(*each) for each in params.items()),
        tuple(Tag(key, *each) for key, each in tags.items()),
    ),
    st.lists(metrics, max_size=8),
    st.dictionaries(keys, texts, max_size=3),
    st.dictionaries(keys | st.just("mlflow.runName"), st.tuples(texts, st.none() | dates), max_size=3),
)
labels = st.sampled_from(["a", "b"])
datasets = st.fixed_dictionaries(
    {
        "name": st.sampled_from(["wine", "beer"]),
        "digest": st.just("1"),
        "source_type": st.just("local"),
        "source": texts,
        "schema": st.none(),
        "profile": st.none(),
    }
)
changes = st.one_of(
    st.fixed_dictionaries({"status": st.sampled_from(["RUNNING", "FINISHED"]), "end": st.none() | st.integers(0, 9)}),
    st.fixed_dictionaries({"name": texts, "date": dates}),
    st.fixed_dictionaries({"experiment": st.sampled_from(["0", "1", "2"])}),
    st.fixed_dictionaries({"untag": keys | st.just("mlflow.runName"), "date": dates}),
    st.fixed_dictionaries({"used": st.lists(st.sampled_from(["m-1", "m-2"]), unique=True)}),
    st.fixed_dictionaries({"made": st.lists(st.tuples(st.sampled_from(["m-1", "m-2"]), whole), max_size=3)}),
    st.fixed_dictionaries(
        {"inputs": st.lists(st.tuples(datasets, st.dictionaries(labels, texts, max_size=2)), max_size=3)}
    ),
)


def ranks(points: list[tuple[int, int, float]]) -> list[tuple[object, ...]]:
    return [(timestamp, step, "nan" if math.isnan(value) else value) for timestamp, step, value in points]


class TestRecords:
    @given(batches, st.none() | st.builds(JournalMark, texts.filter(bool), st.integers(1, 2**63 - 1)))
    def test_a_batch_comes_back_as_it_was(self, batch: Batch, mark: JournalMark | None) -> None:
        body, told = records.batch_body(batch, 7, mark)
        read = records.logged_in(body)
        assert repr(read) == repr(told)
        assert (read.rest.params, read.rest.tags) == (batch.params, batch.tags)
        for key in {metric.key for metric in batch.metrics}:
            columns = records.columns_in(body, key)
            assert columns is not None
            logged = [(each.timestamp, each.step, each.value) for each in batch.metrics if each.key == key]
            assert ranks(list(zip(*columns, strict=True))) == ranks(logged)
        assert records.columns_in(body, "nobody") is None

    def test_columns_are_points_like_others(self) -> None:
        columns = MetricColumns("loss", [1, 2], [3, 4], [0.5, math.nan])
        both = Batch.stored(metrics=(Metric("loss", 1.0, 9, 2),), params=(), tags=(), columns=(columns,))
        body, told = records.batch_body(both, 1, None)
        found = records.columns_in(body, "loss")
        assert found is not None
        assert ranks(list(zip(*found, strict=True))) == [(9, 2, 1.0), (1, 3, 0.5), (2, 4, "nan")]
        assert told.latest["loss"][1][:2] == (4, 2)

    @given(st.data())
    def test_a_file_that_is_cut_short_anywhere_holds_whole_records(self, data: st.DataObject) -> None:
        import tempfile
        from pathlib import Path

        bodies = [records.change_body({"at": number, "name": "x" * number}) for number in range(1, 6)]
        content = b"".join(map(sealed, bodies))
        cut = data.draw(st.integers(0, len(content)))
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "a.log")
            path.write_bytes(content[:cut])
            read = [body for _, body in records.tail(path)]
        assert read == bodies[: len(read)]
        assert cut - sum(len(sealed(body)) for body in read) < len(sealed(bodies[min(len(read), 4)]))

    def test_a_record_larger_than_what_is_read_at_a_time_is_one_record(self, tmp_path: Path) -> None:
        bodies = [records.change_body({"at": 1, "name": "x" * size}) for size in (10, 9 << 20, 10)]
        (tmp_path / "a.log").write_bytes(b"".join(map(sealed, bodies)))
        assert [body for _, body in records.tail(tmp_path / "a.log")] == bodies

    def test_what_stands_behind_a_damaged_record_is_not_read(self, tmp_path: Path) -> None:
        content = bytearray(b"".join(sealed(records.change_body({"at": number})) for number in range(3)))
        content[12] ^= 1
        (tmp_path / "a.log").write_bytes(content)
        assert list(records.tail(tmp_path / "a.log")) == []


class TestState:
    @given(st.lists(batches | changes, max_size=8), st.randoms(use_true_random=False))
    def test_the_order_in_which_records_are_read_does_not_matter(self, logged: list[object], chance: object) -> None:
        read = list(enumerate(logged, 1))
        inorder = put_together(read)
        chance.shuffle(read)  # type: ignore[attr-defined]
        assert comparable(put_together(read)) == comparable(inorder)

    @given(st.lists(batches | changes, max_size=5))
    def test_a_state_comes_back_from_the_index(self, logged: list[object]) -> None:
        state = put_together(list(enumerate(logged, 1)))
        assert comparable(unpacked(packed(state))) == comparable(state)
        to_read = unpacked(packed(state), to_read=True)
        assert repr((to_read.data(), to_read.inputs(), to_read.outputs())) == repr(
            (state.data(), state.inputs(), state.outputs())
        )

    def test_identical_points_of_a_model_are_one_after_the_index_too(self) -> None:
        state = put_together([])
        nan = Batch((Metric("acc", math.nan, 1, 1, "m-1"),))
        state.log(records.batch_body(nan, 1, None)[1])
        again = unpacked(packed(state))
        again.log(records.batch_body(nan, 2, None)[1])
        assert len(again.points_of("m-1")) == 1


def put_together(logged: list[tuple[int, object]]) -> RunState:
    state = RunState.of(created_note(NewRun("0", run_id="r", run_name="fox", start_time=1), None, 0))
    for at, each in logged:
        if isinstance(each, Batch):
            state.log(records.batch_body(each, at, None)[1])
        else:
            state.change({"at": at, **each})  # type: ignore[dict-item]
    return state


def comparable(state: RunState) -> object:
    """Everything about a state in a form that compares, whatever order it came about in."""
    fields = state.__dict__
    simple = {name: fields[name] for name in ("at", "fields", "name", "params", "tags", "marks", "used", "made")}
    latest = {key: repr(value) for key, value in state.latest.items()}
    linked = {model: sorted(map(repr, points)) for model, points in state.linked.items()}
    return simple, latest, linked, state.datasets
