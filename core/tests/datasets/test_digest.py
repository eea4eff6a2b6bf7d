"""Digests tell data apart, and never the same data."""

from __future__ import annotations

import datetime as dt
import decimal
import subprocess
import sys
import time
import tracemalloc
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from dovetail.data import from_numpy
from dovetail.datasets.cells import encoded
from dovetail.datasets.digest import ROWS
from dovetail.datasets.pandas_dataset import frame_digest
from dovetail.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable

# Worked out once, on another day: whoever changes the way digests are made changes those of all data there is.
KNOWN_FRAME = "78a2ef989f93b74738161ac0595e02d1"
KNOWN_ARRAY = "e171dd8406c0a5b952ca30ee7bb50d14"

cells = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.binary(), st.dates(), st.datetimes()
)
columns = st.one_of(
    st.lists(st.floats(), min_size=3, max_size=3),
    st.lists(st.integers(-(2**63), 2**63 - 1), min_size=3, max_size=3),
    st.lists(st.text(), min_size=3, max_size=3),
    st.lists(st.booleans(), min_size=3, max_size=3),
    st.lists(cells, min_size=3, max_size=3).map(lambda column: pd.Series(column, dtype=object)),
)
frames = st.dictionaries(st.text(), columns, min_size=1, max_size=4).map(pd.DataFrame)


def wine() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "acid": [7.4, 7.8, None],
            "grade": [5, 6, 7],
            "name": ["rosé", "", None],
            "when": pd.to_datetime(["2020-01-01", "2020-01-02", None]),
            "kind": pd.Categorical(["red", "white", "red"]),
        }
    )


def array_digest(array: Any, **more: Any) -> str:
    return from_numpy(array, **more).digest


class TestTheSameData:
    def test_has_the_digest_it_always_had(self) -> None:
        assert frame_digest(pd.DataFrame({"a": [1.5, float("nan")], "b": [1, 2], "c": ["x", None]})) == KNOWN_FRAME
        assert array_digest(np.arange(6, dtype="int16").reshape(2, 3), targets=np.array([True])) == KNOWN_ARRAY

    def test_has_one_digest_in_every_process(self) -> None:
        code = "import sys; sys.path.insert(0, sys.argv[1]); import test_digest as t; print(t.frame_digest(t.odd()))"
        argv = [sys.executable, "-c", code, str(Path(__file__).parent)]
        seen = {
            subprocess.run(
                argv, env={"PATH": "", "PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
            ).stdout.strip()
            for seed in ("1", "2")
        }
        assert seen == {frame_digest(odd())}

    def test_may_lie_in_memory_in_any_way(self) -> None:
        values = np.random.default_rng(1).random((500, 7))
        names = [f"c{place}" for place in range(7)]
        apart = pd.DataFrame({name: values[:, place].copy() for place, name in enumerate(names)})
        assert frame_digest(pd.DataFrame(values, columns=names)) == frame_digest(apart)
        assert array_digest(np.asfortranarray(values)) == array_digest(values)
        assert array_digest(np.repeat(values, 2, axis=0)[::2]) == array_digest(values)
        assert array_digest(values.astype(">f8")) == array_digest(values)

    def test_may_have_any_nan(self) -> None:
        other = np.array([0xFFF8_0000_0000_0001], dtype="u8").view("f8")
        assert np.isnan(other).all()
        assert array_digest(other) == array_digest(np.array([np.nan]))
        assert array_digest(other.astype(complex)) == array_digest(np.array([complex("nan")]))

    def test_may_have_texts_however_pandas_keeps_them(self) -> None:
        names = ["a", None, "ä"]
        kinds = [pd.Series(names, dtype=kind) for kind in (object, "string", "string[python]")]
        assert len({frame_digest(pd.DataFrame({"name": kind})) for kind in kinds}) == 1

    def test_may_be_numbered_anew(self) -> None:
        table = wine()
        assert frame_digest(table[1:].reset_index(drop=True)) == frame_digest(table[1:])

    def test_is_not_changed_by_looking(self) -> None:
        table = wine()
        before = table.copy(deep=True)
        frame_digest(table)
        pd.testing.assert_frame_equal(table, before)

    @given(frames)
    @settings(max_examples=60, deadline=None)
    def test_has_the_same_digest_as_its_copy(self, table: pd.DataFrame) -> None:
        digest = frame_digest(table)
        assert frame_digest(table.copy(deep=True)) == digest
        assert len(digest) <= 36


class TestOtherData:
    @pytest.mark.parametrize(
        "change",
        [
            lambda t: t.assign(acid=[7.4, 7.8, 0.0]),
            lambda t: t.assign(acid=[7.4, 7.800000000000001, None]),
            lambda t: t.assign(grade=[5, 6, 8]),
            lambda t: t.assign(name=["rosé", "", ""]),
            lambda t: t.assign(name=["ros", "é", None]),
            lambda t: t.assign(when=pd.to_datetime(["2020-01-01", "2020-01-02", "2020-01-03"])),
            lambda t: t.assign(kind=pd.Categorical(["red", "white", "white"])),
            lambda t: t.assign(kind=pd.Categorical(["red", "white", "red"], categories=["white", "red"])),
            lambda t: t.assign(kind=["red", "white", "red"]),
            lambda t: t.astype({"grade": "int32"}),
            lambda t: t.astype({"grade": "float64"}),
            lambda t: t.astype({"grade": "uint64"}),
            lambda t: t.astype({"grade": "Int64"}),
            lambda t: t.assign(when=t["when"].dt.tz_localize("UTC")),
            lambda t: t.rename(columns={"acid": "Acid"}),
            lambda t: t[["grade", "acid", "name", "when", "kind"]],
            lambda t: t.iloc[::-1],
            lambda t: t.iloc[:2],
            lambda t: t.drop(columns="name"),
            lambda t: t.assign(more=1),
            lambda t: t.set_index("name"),
            lambda t: t.set_index(pd.Index(["a", "b", "c"])),
        ],
    )  # fmt: skip
    def test_has_another_digest(self, change: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
        assert frame_digest(change(wine())) != frame_digest(wine())

    @given(frames, st.data())
    @settings(max_examples=150, deadline=None)
    def test_of_one_cell_has_another_digest(self, table: pd.DataFrame, data: st.DataObject) -> None:
        place = data.draw(st.integers(0, table.shape[1] - 1))
        row = data.draw(st.integers(0, 2))
        column, old = list(table.iloc[:, place].astype(object)), table.iloc[row, place]
        new = data.draw(columns.map(list).map(lambda cells: cells[0]))
        column[row] = new
        changed = table.copy()
        changed.isetitem(place, pd.Series(column, dtype=object).infer_objects())
        assume(encoded(changed.iloc[row, place]) != encoded(old))  # pandas makes 0.0 of a 0 among doubles
        assert frame_digest(changed) != frame_digest(table)

    def test_of_empty_tables_is_told_apart(self) -> None:
        tables = [
            pd.DataFrame(), pd.DataFrame({"a": []}), pd.DataFrame({"b": []}), pd.DataFrame(index=range(3)),
            pd.DataFrame({"a": pd.Series([], dtype="int8")}),
        ]  # fmt: skip
        assert len({frame_digest(table) for table in tables}) == len(tables)

    def test_differs_in_every_block(self) -> None:
        values = np.zeros(3 * ROWS + 5)
        digests = {frame_digest(pd.DataFrame({"x": values}))}
        for place in (0, ROWS - 1, ROWS, 2 * ROWS, 3 * ROWS + 4):
            values[place] = 1
            digests |= {frame_digest(pd.DataFrame({"x": values})), array_digest(values)}
            values[place] = 0
        assert len(digests) == 11

    @pytest.mark.parametrize(
        "other",
        [
            np.arange(6.0).reshape(3, 2), np.arange(6.0), np.arange(6).reshape(2, 3),
            np.arange(6.0).reshape(2, 3)[::-1], np.arange(6.0, dtype="float32").reshape(2, 3),
            {"": np.arange(6.0).reshape(2, 3)}, {"a": np.arange(6.0).reshape(2, 3)},
        ],
        ids=["shape", "flat", "type", "order", "width", "named", "named otherwise"],
    )  # fmt: skip
    def test_of_arrays_has_another_digest(self, other: Any) -> None:
        assert array_digest(other) != array_digest(np.arange(6.0).reshape(2, 3))

    def test_of_targets_is_other_data(self) -> None:
        one, two = np.arange(3), np.arange(3, 6)
        digests = [
            array_digest(one), array_digest(one, targets=two), array_digest(two, targets=one),
            array_digest({"features": one}, targets=two), array_digest(one, targets={"": two}),
        ]  # fmt: skip
        assert len(set(digests)) == len(digests)

    def test_of_records_counts_every_field(self) -> None:
        record = np.zeros(3, dtype=[("a", "i1"), ("b", "f8")])
        aligned = np.zeros(3, dtype=np.dtype([("a", "i1"), ("b", "f8")], align=True))
        other = record.copy()
        other["b"][1] = 1
        assert array_digest(record) == array_digest(aligned)
        assert array_digest(record) != array_digest(other)

    def test_of_long_doubles_differs_by_their_last_bit(self) -> None:
        one = np.ones(2, dtype=np.longdouble)
        assert array_digest(one) == array_digest(one.copy())
        assert array_digest(one) != array_digest(np.nextafter(one, np.longdouble(2)))


class Point:
    def __init__(self, x: object) -> None:
        self.x = x


class TestCells:
    @given(st.lists(cells, max_size=4), st.lists(cells, max_size=4))
    def test_of_different_lists_differ(self, one: list[Any], other: list[Any]) -> None:
        same = len(one) == len(other) and all(encoded(a) == encoded(b) for a, b in zip(one, other, strict=True))
        assert (encoded(one) == encoded(other)) == same

    def test_of_any_kind_have_a_digest(self) -> None:
        odd_cells = [
            decimal.Decimal("1.50"), uuid.UUID(int=5), Path("a/b"), {1, 2}, {"b": 1, "a": [2, {"c": None}]}, (1, 2),
            np.float32(1.5), np.array([1, 2]), np.array([[object]], dtype=object), pd.Timestamp("2020-01-01", tz="UTC"),
            pd.Interval(0, 1), pd.Period("2020-01"), dt.time(1), dt.timedelta(1), 1j, 10**5000, "\ud800", Point(1), int,
        ]  # fmt: skip
        assert len({encoded(cell) for cell in odd_cells}) == len(odd_cells)
        assert frame_digest(pd.DataFrame({"x": odd_cells})) == frame_digest(pd.DataFrame({"x": odd_cells}))

    def test_of_own_classes_are_told_by_what_is_in_them(self) -> None:
        assert encoded(Point(1)) == encoded(Point(1))
        assert encoded(Point(1)) != encoded(Point(2))
        assert encoded(Point([1])) != encoded(Point((1, 2)))

    def test_that_are_equal_to_people_are_equal(self) -> None:
        assert encoded(np.int8(5)) == encoded(5)
        assert encoded([1, 2]) == encoded((1, 2))
        assert encoded({"a": 1, "b": 2}) == encoded({"b": 2, "a": 1})
        assert len({encoded(cell) for cell in (None, float("nan"), pd.NA, pd.NaT)}) == 1
        assert len({encoded(cell) for cell in (1, True, 1.0, "1", b"1", dt.date(1, 1, 1))}) == 6

    def test_whose_content_cannot_be_told_are_refused(self) -> None:
        with (
            Path(__file__).open() as file,
            pytest.raises(InvalidInput, match=r"TextIOWrapper.*cannot be told") as caught,
        ):
            frame_digest(pd.DataFrame({"x": [1, file]}))
        assert "digest yourself" in str(caught.value)

    def test_that_hold_themselves_are_refused(self) -> None:
        knot: list[Any] = []
        knot.append(knot)
        with pytest.raises(InvalidInput, match="contains itself"):
            encoded(knot)

    def test_with_a_mask_are_refused(self) -> None:
        with pytest.raises(InvalidInput, match="mask"):
            from_numpy(np.ma.masked_array([1, 2], mask=[True, False]))


class TestCost:
    def test_a_large_table_needs_little_time(self) -> None:
        table = pd.DataFrame(np.random.default_rng(1).random((250_000, 20)))
        started = time.process_time()
        frame_digest(table)
        assert time.process_time() - started < 2, "40 MB; a tenth of this on a quiet machine"

    def test_a_large_table_is_not_copied(self) -> None:
        values = np.zeros((1_000_000, 8))
        table = pd.DataFrame(values)
        digests: list[Callable[[], str]] = [
            lambda: frame_digest(table),
            lambda: array_digest(values),
            lambda: array_digest(values.T),
        ]
        for digest in digests:
            tracemalloc.start()
            try:
                digest()
                peak = tracemalloc.get_traced_memory()[1]
            finally:
                tracemalloc.stop()
            assert peak < values.nbytes / 8, peak


def odd() -> pd.DataFrame:
    """A table whose cells have no order of their own."""
    return wine().assign(
        sets=[{"a", "b", "c"}, frozenset("xyz"), {}], dicts=[{"a": 1, "b": 2}, decimal.Decimal(1), None]
    )
