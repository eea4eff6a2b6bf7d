"""Tables as artifacts: written, grown, found again."""

from __future__ import annotations

import datetime as dt
import io
import json
import os
import threading
from contextlib import suppress
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import dovetail as mlflow
from dovetail.errors import InvalidInput, InvalidUri, NotFound, RunEnded, StoreFull
from dovetail.tracking.run_artifacts import tables_of
from dovetail.tracking.tables import Table, parse, table_of, written

np = pytest.importorskip("numpy")
pd = pytest.importorskip("pandas")

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def kept(artifacts: Callable[[str], dict[str, bytes]]) -> Iterator[dict[str, bytes]]:
    """The artifacts of the active run, by path."""
    with mlflow.start_run() as run:
        yield artifacts(run.info.run_id)


def content(kept: dict[str, bytes], path: str = "t.json") -> Any:
    return json.loads(kept[path])


class TestWriting:
    @pytest.mark.parametrize(
        ("data", "rows"),
        [
            ({"a": [1, 2], "b": ["x", None]}, [[1, "x"], [2, None]]),
            ({"a": 1, "b": "xyz"}, [[1, "xyz"]]),
            ({"a": np.array([1, 2]), "b": (True, False)}, [[1, True], [2, False]]),
            ({"a": [float("nan"), np.float32(0.5)], "b": [np.nan, float("inf")]}, [[None, None], [0.5, None]]),
            ({"a": [{"k": 1}], "b": [[1, 2]]}, [[{"k": 1}, [1, 2]]]),
            ({"a": [dt.date(2026, 3, 1)], "b": [dt.datetime(2026, 3, 1, 12)]}, [["2026-03-01", "2026-03-01T12:00:00"]]),  # noqa: DTZ001
            (pd.DataFrame({"a": [1.5, None], "b": pd.to_datetime(["2020-01-01", None])}),
             [[1.5, "2020-01-01T00:00:00"], [None, None]]),
            ({"a": [pd.NA], "b": [pd.NaT]}, [[None, None]]),
            ({"a": [], "b": []}, []),
        ],
    )  # fmt: skip
    def test_columns_and_rows(self, data: Any, rows: list[Any], kept: dict[str, bytes]) -> None:
        mlflow.log_table(data, "t.json")
        assert content(kept) == {"columns": ["a", "b"], "data": rows}

    def test_rows_are_added_and_missing_columns_are_empty(self, kept: dict[str, bytes]) -> None:
        mlflow.log_table({"a": [1]}, "t.json")
        mlflow.log_table({"b": ["x"], "a": [2]}, "t.json")
        assert content(kept) == {"columns": ["a", "b"], "data": [[1, None], [2, "x"]]}

    def test_parquet_too(self, kept: dict[str, bytes]) -> None:
        pytest.importorskip("pyarrow")
        for number in (1, 2):
            mlflow.log_table({"a": [number], "b": ["x"]}, "t.parquet")
        assert pd.read_parquet(io.BytesIO(kept["t.parquet"])).to_dict("list") == {"a": [1, 2], "b": ["x", "x"]}
        assert mlflow.load_table("t.parquet")["a"].tolist() == [1, 2]

    def test_images_in_cells_lie_beside_it(self, kept: dict[str, bytes]) -> None:
        pil = pytest.importorskip("PIL.Image")
        mlflow.log_table({"picture": [mlflow.Image([[0]]), pil.new("L", (2, 2)), None]}, "deep/t.json")
        first, second, third = (row[0] for row in content(kept, "deep/t.json")["data"])
        assert third is None
        for cell in (first, second):
            assert cell["type"] == "image"
            assert cell["filepath"].startswith("table_images/deep/t/")
            assert kept[cell["filepath"]].startswith(b"\x89PNG")
            assert kept[cell["compressed_filepath"]][8:12] == b"WEBP"

    def test_the_run_names_its_tables_once(self, kept: dict[str, bytes]) -> None:
        for name in ("t.json", "t.json", "u.json"):
            mlflow.log_table({"a": 1}, name)
        run = mlflow.active_run()
        assert run is not None
        named = json.loads(run.data.tags["mlflow.loggedArtifacts"])
        assert named == [{"path": "t.json", "type": "table"}, {"path": "u.json", "type": "table"}]
        assert len(kept) == 2

    def test_more_tables_than_the_tag_can_name_are_kept_all_the_same(self, kept: dict[str, bytes]) -> None:
        name = f"{'long' * 20}/{{}}.json"
        named = json.dumps([{"path": name.format(number), "type": "table"} for number in range(67)])
        mlflow.set_tag("mlflow.loggedArtifacts", named)
        with pytest.warns(UserWarning, match="only by run_ids"):
            mlflow.log_table({"a": 1}, name.format(67))
        run = mlflow.active_run()
        assert run is not None
        assert run.data.tags["mlflow.loggedArtifacts"] == named
        assert list(kept) == [name.format(67)]
        assert len(mlflow.load_table(name.format(67), run_ids=[run.info.run_id])) == 1

    def test_threads_lose_no_row(self, kept: dict[str, bytes]) -> None:
        run = mlflow.active_run()
        assert run is not None
        threads = [
            threading.Thread(target=mlflow.Client().log_table, args=(run.info.run_id, {"a": [number]}, "t.json"))
            for number in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(row[0] for row in content(kept)["data"]) == list(range(8))

    @pytest.mark.parametrize(
        ("cell", "json_cell"),
        [
            (np.datetime64("2026-01-02", "ns"), "2026-01-02T00:00:00.000000000"),
            (np.array(["2026-01-02", "NaT"], "datetime64[D]"), ["2026-01-02", None]),
            (pd.Timestamp("2026-01-02T03:04:05Z"), "2026-01-02T03:04:05+00:00"),
            (dt.timedelta(days=1, seconds=3661, microseconds=5), "P1DT1H1M1.000005S"),
            (np.timedelta64(90, "s"), "P0DT0H1M30S"),
            (pd.Timedelta(seconds=90), "P0DT0H1M30S"),
            (Decimal("0.10"), "0.10"),
            (Decimal("NaN"), None),
            (b"text", "text"),
            ({"b", "a"}, ["a", "b"]),
            ({1: {"x": float("inf")}}, {"1": {"x": None}}),
            (np.arange(4).reshape(2, 2), [[0, 1], [2, 3]]),
            (pd.NA, None),
            (pd.NaT, None),
        ],
        ids=lambda value: type(value).__name__,
    )
    def test_cells_of_every_kind(self, cell: Any, json_cell: Any, kept: dict[str, bytes]) -> None:
        mlflow.log_table({"a": [cell]}, "t.json")
        assert content(kept)["data"] == [[json_cell]]

    def test_a_single_value_stands_in_every_row(self, kept: dict[str, bytes]) -> None:
        mlflow.log_table({"model": "rf", "fold": [1, 2], "n": np.int64(3)}, "t.json")
        assert content(kept)["data"] == [["rf", 1, 3], ["rf", 2, 3]]

    @pytest.mark.parametrize("data", [pd.DataFrame([[1, 2]], columns=["a", "a"]), {1: [1], "1": [2]}], ids=repr)
    def test_columns_that_cannot_be_told_apart_are_refused(self, data: Any, kept: dict[str, bytes]) -> None:
        with pytest.raises(InvalidInput, match="several columns named"):
            mlflow.log_table(data, "t.json")
        assert kept == {}

    def test_a_table_in_itself_is_refused(self, kept: dict[str, bytes]) -> None:
        circle: list[Any] = []
        circle.append(circle)
        with pytest.raises(InvalidInput, match="cannot be written"):
            mlflow.log_table({"a": [circle]}, "t.json")
        assert kept == {}

    @pytest.mark.parametrize(
        ("data", "name"),
        [
            ([1, 2], "t.json"),
            ("text", "t.json"),
            (None, "t.json"),
            ({"a": [1], "b": [1, 2]}, "t.json"),
            ({"a": [object()]}, "t.json"),
            ({"a": ["\ud800"]}, "t.json"),
            ({"a": 1}, "t.csv"),
            ({"a": 1}, "t"),
            ({"a": 1}, "t.json/"),
            ({"a": [mlflow.Image([[0]]), object()]}, "t.json"),
        ],
    )
    def test_what_is_no_table_is_said_and_leaves_nothing(self, data: Any, name: str, kept: dict[str, bytes]) -> None:
        with pytest.raises(InvalidInput):
            mlflow.log_table(data, name)
        assert kept == {}

    def test_a_name_that_leads_elsewhere_is_refused(self, kept: dict[str, bytes]) -> None:
        with pytest.raises(InvalidUri):
            mlflow.log_table({"a": 1}, "../t.json")
        assert kept == {}

    @pytest.mark.parametrize("there", ["", "{", "[]", '{"columns": 3}', '{"columns": ["a"], "data": [[1, 2]]}', "null"])
    def test_a_file_that_is_no_table_stays_as_it_is(self, there: str, kept: dict[str, bytes]) -> None:
        mlflow.log_text(there, "t.json")
        with pytest.raises(InvalidInput, match=r"'t\.json' holds no table"):
            mlflow.log_table({"a": 1}, "t.json")
        assert kept == {"t.json": there.encode()}

    def test_threads_lose_no_table(self, kept: dict[str, bytes]) -> None:
        run = mlflow.active_run()
        assert run is not None
        names = [f"{number}.json" for number in range(8)]
        threads = [
            threading.Thread(target=mlflow.Client().log_table, args=(run.info.run_id, {"a": [1]}, name))
            for name in names
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(tables_of(mlflow.get_run(run.info.run_id).data.tags)) == names

    def test_so_does_a_broken_parquet_file(self, kept: dict[str, bytes]) -> None:
        pytest.importorskip("pyarrow")
        mlflow.log_text("PAR1", "t.parquet")
        with pytest.raises(InvalidInput, match="holds no table"):
            mlflow.log_table({"a": 1}, "t.parquet")
        assert kept == {"t.parquet": b"PAR1"}

    def test_a_deleted_run_takes_none(self, artifacts: Callable[[str], dict[str, bytes]]) -> None:
        with mlflow.start_run() as run:
            pass
        mlflow.delete_run(run.info.run_id)
        with pytest.raises(RunEnded):
            mlflow.log_table({"a": 1}, "t.json", run_id=run.info.run_id)
        assert artifacts(run.info.run_id) == {}


@pytest.mark.usefixtures("artifacts")
class TestLoading:
    def test_of_all_runs_of_the_experiment_with_facts_about_them(self) -> None:
        ids = []
        for number in (1, 2):
            with mlflow.start_run(run_name=f"run {number}") as run:
                mlflow.log_table({"a": [number, number]}, "t.json")
                mlflow.log_param("p", number)
                mlflow.log_metric("m", number / 2)
            ids.append(run.info.run_id)
        with mlflow.start_run():
            mlflow.log_table({"a": [9]}, "another.json")
        facts = ["run_id", "run_name", "params.p", "metrics.m", "tags.none"]
        # Runs that start within a millisecond come in any order.
        frame = mlflow.load_table("t.json", extra_columns=facts).sort_values("a", kind="stable")
        assert frame.columns.tolist() == ["a", *facts]
        assert frame.to_dict("list")["a"] == [1, 1, 2, 2]
        assert frame["run_id"].tolist() == [ids[0], ids[0], ids[1], ids[1]]
        assert frame.iloc[-1].tolist()[2:5] == ["run 2", "2", 1.0]
        assert mlflow.load_table("t.json", run_ids=[ids[1]])["a"].tolist() == [2, 2]
        assert mlflow.load_table("t.json", run_ids=ids[1])["a"].tolist() == [2, 2]

    def test_a_table_that_nobody_has_is_said(self) -> None:
        with mlflow.start_run() as run:
            pass
        for options in ({}, {"run_ids": [run.info.run_id]}):
            with pytest.raises(NotFound, match=r"t\.json"):
                mlflow.load_table("t.json", **options)
        with pytest.raises(NotFound):
            mlflow.load_table("t.json", run_ids=["f" * 32])

    def test_runs_without_it_that_were_asked_for_are_named(self) -> None:
        with mlflow.start_run() as has:
            mlflow.log_table({"a": [1]}, "t.json")
        with mlflow.start_run() as lacks:
            pass
        with pytest.warns(UserWarning, match=lacks.info.run_id):
            frame = mlflow.load_table("t.json", run_ids=[has.info.run_id, lacks.info.run_id])
        assert frame["a"].tolist() == [1]

    def test_times_of_runs_are_moments(self) -> None:
        with mlflow.start_run() as run:
            mlflow.log_table({"a": [1, 2]}, "t.json")
            frame = mlflow.load_table("t.json", extra_columns=["start_time", "end_time"])
        assert frame["start_time"].tolist() == [pd.Timestamp(run.info.start_time, unit="ms", tz="UTC")] * 2
        assert frame["end_time"].isna().all()

    @pytest.mark.parametrize("name", ["a", "nonsense", "metrics", "metrics.", "__class__"])
    def test_a_fact_that_runs_do_not_have_is_said(self, name: str) -> None:
        with mlflow.start_run():
            mlflow.log_table({"a": [1]}, "t.json")
        with pytest.raises(InvalidInput, match=name.rstrip(".")):
            mlflow.load_table("t.json", extra_columns=[name])

    @pytest.mark.parametrize("tag", ["", "nonsense", "{}", '[1, {"path": "t.json"}]'])
    def test_a_tag_that_somebody_else_wrote_does_no_harm(self, tag: str) -> None:
        with mlflow.start_run(tags={"mlflow.loggedArtifacts": tag}):
            mlflow.log_table({"a": [1]}, "t.json")
        assert mlflow.load_table("t.json")["a"].tolist() == [1]


CELLS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()


@given(st.lists(st.tuples(CELLS, CELLS)), st.lists(st.tuples(CELLS)))
def test_what_is_written_is_read_again(rows: list[Any], more: list[Any]) -> None:
    table = Table(("a", "b"), tuple(rows)).extended(Table(("b",), tuple(more)))
    try:
        assert parse(written(table, "t.json"), "t.json") == table
    except InvalidInput as error:
        assert "surrogates" in str(error)  # noqa: PT017 - half characters are the one thing that cannot be written
    assert len(table.rows) == len(rows) + len(more)


@given(st.dictionaries(st.text(), st.lists(CELLS, min_size=2, max_size=2)))
def test_tables_of_dicts_have_its_columns(data: dict[str, list[Any]]) -> None:
    table = table_of(data)
    assert table.columns == tuple(data)
    assert all(len(row) == len(data) for row in table.rows)


class TestOnDisk:
    """Artifacts in a folder of this machine."""

    @pytest.fixture
    def place(self, tmp_path: Path) -> str:
        pytest.importorskip("dovetail_fsspec")
        pytest.importorskip("dovetail_sqlite")
        mlflow.set_tracking_uri(f"sqlite:///{tmp_path}/runs.db")
        return mlflow.create_experiment("tables", artifact_location=str(tmp_path / "artifacts"))

    def test_on_a_full_disk_the_table_stays_as_it_was(self, place: str) -> None:
        resource = pytest.importorskip("resource")
        client = mlflow.Client()
        run_id = client.create_run(place).info.run_id
        client.log_table(run_id, {"a": ["old"]}, "t.json")
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, before[1]))
        try:
            for log in (
                lambda: client.log_table(run_id, {"a": ["x" * (1 << 21)]}, "t.json"),
                lambda: client.log_stream(run_id, io.BytesIO(bytes(1 << 21)), "raw.bin"),
                lambda: client.log_image(run_id, np.random.default_rng(0).random((800, 800, 3)), "a.png"),
            ):
                with pytest.raises(StoreFull):
                    log()
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        assert client.load_table(place, "t.json")["a"].tolist() == ["old"]
        assert [entry.path for entry in client.list_artifacts(run_id)] == ["t.json"]

    def test_processes_that_add_at_once_leave_a_whole_table(
        self, place: str, script: Callable[..., subprocess.CompletedProcess[str]]
    ) -> None:
        run_id = mlflow.Client().create_run(place).info.run_id
        source = f"""
            from dovetail import Client
            for number in range(10):
                Client({mlflow.get_tracking_uri()!r}).log_table({run_id!r}, {{"a": [number] * 50}}, "t.json")
        """
        threads = [threading.Thread(target=script, args=(source,)) for _ in range(3)]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            with suppress(NotFound):  # before the first was there
                assert len(mlflow.load_table("t.json", run_ids=[run_id])) % 50 == 0
        for thread in threads:
            thread.join()
        rows = mlflow.load_table("t.json", run_ids=[run_id])["a"].tolist()
        assert rows
        assert all(len(set(rows[start : start + 50])) == 1 for start in range(0, len(rows), 50))

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
    def test_a_child_that_was_forked_while_a_table_grew_can_log_tables(
        self, place: str, script: Callable[..., subprocess.CompletedProcess[str]]
    ) -> None:
        source = f"""
            import os, threading
            from dovetail import Client
            from dovetail.tracking import run_artifacts

            run = Client({mlflow.get_tracking_uri()!r}).create_run({place!r}).info.run_id
            with run_artifacts._growing:
                child = os.fork()
                if not child:
                    Client({mlflow.get_tracking_uri()!r}).log_table(run, {{"a": [1]}}, "t.json")
                    os._exit(0)
                assert os.waitpid(child, 0)[1] == 0
        """
        script(source)
        assert mlflow.Client().load_table(place, "t.json")["a"].tolist() == [1]
