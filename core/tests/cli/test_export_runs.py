"""``dovetail runs export``: runs as CSV, JSON and Parquet."""

from __future__ import annotations

import csv
import io
import json
import math
import os
import resource
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from dovetail import Client
from dovetail.values import Metric, Param, Tag

if TYPE_CHECKING:
    from pathlib import Path

FIXED = ["run_id", "experiment_id", "status", "artifact_uri", "start_time", "end_time"]
FILES = ("runs.csv", "runs.json", "runs.parquet")


@pytest.fixture
def wine(drawer: None) -> str:
    """An experiment with two runs, and one in another experiment."""
    made = Client().create_experiment("wine")
    first = Client().create_run(made, run_id="one", start_time=1_700_000_000_123).info.run_id
    metrics = [Metric("loss", 0.5), Metric("acc", math.nan), Metric("top", math.inf)]
    Client().log_batch(first, metrics, [Param("text", 'a,"b"\nc')], [Tag("t", "=1+1")])
    Client().set_terminated(first, "FINISHED", 1_700_000_001_000)
    Client().create_run(made, run_id="two", start_time=1_700_000_002_000)
    Client().create_run("0", run_id="elsewhere", start_time=1_600_000_000_000)
    return made


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


class TestWhich:
    def test_all_experiments_newest_first(self, dovetail: Any, wine: str) -> None:
        assert [row["run_id"] for row in rows(dovetail("runs", "export").out)] == ["two", "one", "elsewhere"]

    @pytest.mark.parametrize(
        ("arguments", "ids"),
        [
            (("-n", "wine"), ["two", "one"]),
            (("-x", "0"), ["elsewhere"]),
            (("--filter", "metrics.loss < 1"), ["one"]),
            (("--order-by", "start_time ASC"), ["elsewhere", "one", "two"]),
            (("-v", "deleted_only"), []),
        ],
    )
    def test_as_runs_list_does(self, dovetail: Any, wine: str, arguments: tuple[str, ...], ids: list[str]) -> None:
        assert [row["run_id"] for row in rows(dovetail("runs", "export", *arguments).out)] == ids
        found = json.loads(dovetail("runs", "export", "--format", "json", *arguments).out)
        assert [run["info"]["run_id"] for run in found] == ids

    @pytest.mark.parametrize(
        ("arguments", "code"),
        [
            (("-x", "0", "-n", "wine"), 2), (("-n", "nothing"), 3), (("--filter", "metrics.loss <"), 2),
            (("--format", "xml"), 2), (("-o", "runs.xlsx"), 2), (("--format", "parquet"), 2), (("--columns", ","), 2),
            (("--columns", "nonsense"), 2), (("--columns", "metrics.*,x.y"), 2), (("-v", "some"), 2),
        ],
    )  # fmt: skip
    def test_wrongly(self, dovetail: Any, wine: str, tmp_path: Path, arguments: tuple[str, ...], code: int) -> None:
        ended = dovetail("runs", "export", *arguments)
        assert (ended.exit_code, ended.out) == (code, "")
        assert list(tmp_path.iterdir()) == []


class TestForms:
    def test_csv_is_that_of_experiments(self, dovetail: Any, wine: str) -> None:
        assert dovetail("runs", "export", "-n", "wine").out == dovetail("experiments", "csv", "-n", "wine").out

    def test_no_character_in_a_name_breaks_a_row_of_csv(self, dovetail: Any, drawer: None, tmp_path: Path) -> None:
        names = [f"a{mark}b" for mark in ("\r", "\n", "\r\n", '"', ",", "\u2028", ";")]
        for name in names:
            Client().create_run("0", run_name=name)
        dovetail("runs", "export", "-o", str(tmp_path / "runs.csv"), "--columns", "run_id,run_name")
        with (tmp_path / "runs.csv").open(newline="", encoding="utf-8") as file:
            rows = list(csv.reader(file))[1:]
        assert sorted(name for _, name in rows) == sorted(names)

    def test_json_holds_the_whole_run(self, dovetail: Any, wine: str) -> None:
        two, one = json.loads(dovetail("runs", "export", "-n", "wine", "--format", "JSON").out)
        assert two["data"]["metrics"] == {}
        assert one["data"]["metrics"] == {"loss": 0.5, "acc": "NaN", "top": "Infinity"}
        assert one["info"]["start_time"] == 1_700_000_000_123
        assert one["data"]["params"] == {"text": 'a,"b"\nc'}
        assert json.loads(dovetail("runs", "export", "-v", "deleted_only", "--format", "json").out) == []

    def test_parquet_has_types(self, dovetail: Any, wine: str, tmp_path: Path) -> None:
        parquet = pytest.importorskip("pyarrow.parquet")
        said = dovetail("runs", "export", "-n", "wine", "-o", "runs.parquet")
        assert (said.exit_code, said.out) == (0, "Wrote 2 runs to runs.parquet.\n")
        table = parquet.read_table("runs.parquet")
        types = {field.name: str(field.type) for field in table.schema}
        assert list(types)[:6] == FIXED
        assert (types["metrics.loss"], types["params.text"], types["tags.t"]) == ("double", "string", "string")
        assert types["start_time"] == types["end_time"] == "timestamp[ms, tz=UTC]"
        two, one = table.to_pylist()
        assert (one["metrics.loss"], one["metrics.top"], math.isnan(one["metrics.acc"])) == (0.5, math.inf, True)
        assert (two["metrics.loss"], two["end_time"]) == (None, None)
        assert one["start_time"].isoformat() == "2023-11-14T22:13:20.123000+00:00"

    def test_parquet_without_runs(self, dovetail: Any) -> None:
        parquet = pytest.importorskip("pyarrow.parquet")
        dovetail("runs", "export", "-o", "runs.parquet")
        assert parquet.read_table("runs.parquet").column_names == FIXED

    def test_parquet_without_pyarrow_says_what_to_do(self, tmp_path: Path) -> None:
        program = (
            "import sys; sys.modules['pyarrow'] = None\n"
            "import os; os.environ['DOVETAIL_TRACKING_URI'] = 'memory://x'\n"
            "from dovetail.cli.main import main\nmain()"
        )
        command = [sys.executable, "-c", program, "runs", "export", "-o", "runs.parquet"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 6
        assert "pip install pyarrow" in done.stderr
        assert list(tmp_path.iterdir()) == []

    def test_the_format_wins_over_the_name(self, dovetail: Any, wine: str, tmp_path: Path) -> None:
        dovetail("runs", "export", "-o", "runs.txt", "--format", "json")
        assert len(json.loads((tmp_path / "runs.txt").read_text())) == 3


class TestColumns:
    def test_in_the_order_given(self, dovetail: Any, wine: str) -> None:
        wanted = "metrics.loss, run_id,params.text ,tags.*,metrics.none,run_id"
        out = dovetail("runs", "export", "-n", "wine", "--columns", wanted).out
        assert out.splitlines()[0] == ("metrics.loss,run_id,params.text,tags.mlflow.runName,tags.t,metrics.none")
        assert rows(out)[1]["metrics.loss"] == "0.5"

    def test_single_ones_need_no_second_look(self, dovetail: Any, wine: str) -> None:
        out = dovetail("runs", "export", "--columns", "run_id,start_time", "--order-by", "start_time").out
        assert rows(out)[0] == {"run_id": "elsewhere", "start_time": "2020-09-13 12:26:40.000+00:00"}

    def test_as_json(self, dovetail: Any, wine: str) -> None:
        arguments = ("-n", "wine", "--columns", "run_id,metrics.*", "--format", "json")
        two, one = json.loads(dovetail("runs", "export", *arguments).out)
        assert two == {"run_id": "two"}
        assert one == {"run_id": "one", "metrics.acc": "NaN", "metrics.loss": 0.5, "metrics.top": "Infinity"}

    def test_keys_with_any_characters(self, dovetail: Any) -> None:
        Client().create_run("0", run_id="odd")
        Client().log_batch("odd", [Metric("val/loss: 5", 1.0)])
        out = dovetail("runs", "export", "--columns", "metrics.val/loss: 5").out
        assert out == "metrics.val/loss: 5\n1.0\n"


class TestFiles:
    @pytest.mark.parametrize("name", FILES)
    def test_a_file_is_replaced_when_the_new_one_is_complete(
        self, dovetail: Any, wine: str, tmp_path: Path, name: str
    ) -> None:
        (tmp_path / name).write_text("before")
        (tmp_path / name).chmod(0o640)
        assert dovetail("runs", "export", "-o", name).exit_code == 0
        assert (tmp_path / name).read_bytes()[:6] != b"before"
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o640
        assert [path.name for path in tmp_path.iterdir()] == [name]

    @pytest.mark.parametrize("name", FILES)
    @pytest.mark.parametrize("place", ["missing", "/proc"])
    def test_a_place_that_cannot_be_written(
        self, dovetail: Any, wine: str, tmp_path: Path, place: str, name: str
    ) -> None:
        ended = dovetail("runs", "export", "-o", f"{place}/{name}")
        assert (ended.exit_code, ended.out) == (1, "")
        assert ended.err.startswith(f"Error: {place}/{name} cannot be written: ")
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("name", FILES)
    def test_what_keeps_it_from_being_written_is_said_before_runs_are_read(self, tmp_path: Path, name: str) -> None:
        program = (
            "import os, sys; os.environ['DOVETAIL_TRACKING_URI'] = 'memory://x'\n"
            "from dovetail.testing import MemoryTrackingStore\n"
            "from dovetail.cli.main import main\n"
            "def search(*arguments, **options): print('runs are read')\n"
            "MemoryTrackingStore.search_runs = search\n"
            "if sys.argv[-1].startswith('no-pyarrow'): sys.modules['pyarrow'] = None\n"
            "main()"
        )
        for place in [f"missing/{name}", *(["no-pyarrow.parquet"] if name.endswith(".parquet") else [])]:
            command = [sys.executable, "-c", program, "runs", "export", "-o", place]
            done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
            assert (done.returncode != 0, done.stdout) == (True, "")
            assert "cannot be" in done.stderr
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("name", FILES)
    def test_a_full_disk_leaves_the_old_file(self, dovetail: Any, wine: str, tmp_path: Path, name: str) -> None:
        (tmp_path / name).write_text("before")
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (60, before[1]))
        try:
            ended = dovetail("runs", "export", "-o", name)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        assert (ended.exit_code, "cannot be written" in ended.err) == (1, True)
        assert [path.name for path in tmp_path.iterdir()] == [name]
        assert (tmp_path / name).read_text() == "before"

    @pytest.mark.parametrize("name", FILES)
    def test_interrupted_it_leaves_the_old_file(self, tmp_path: Path, name: str) -> None:
        (tmp_path / name).write_text("before")
        program = (
            "import os, sys, time; os.environ['DOVETAIL_TRACKING_URI'] = 'memory://x'\n"
            "from dovetail import Client\nfrom dovetail.testing import MemoryTrackingStore\n"
            "from dovetail.cli.main import main\n"
            "for number in range(2500): Client().create_run('0', run_id=f'n{number}')\n"
            "search = MemoryTrackingStore.search_runs\n"
            "def slowly(*arguments, **options):\n"
            "    print('page', flush=True); time.sleep(0.5); return search(*arguments, **options)\n"
            "MemoryTrackingStore.search_runs = slowly\nmain()"
        )
        process = subprocess.Popen(
            [sys.executable, "-c", program, "runs", "export", "-o", name],
            cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert process.stdout is not None
        for _ in range(2):
            process.stdout.readline()
        time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=30)[1] == "Error: Interrupted.\n"
        assert process.returncode == 130
        assert [path.name for path in tmp_path.iterdir()] == [name]
        assert (tmp_path / name).read_text() == "before"

    def test_many_runs_are_read_page_by_page(self, dovetail: Any, tmp_path: Path) -> None:
        parquet = pytest.importorskip("pyarrow.parquet")
        for number in range(2001):
            Client().create_run("0", run_id=f"n{number}")
        for name in FILES:
            assert dovetail("runs", "export", "-o", name).out == f"Wrote 2001 runs to {name}.\n"
        assert len(rows((tmp_path / "runs.csv").read_text())) == 2001
        assert len(json.loads((tmp_path / "runs.json").read_text())) == 2001
        assert parquet.read_table(tmp_path / "runs.parquet").num_rows == 2001


class TestTerminals:
    def test_control_characters_do_not_reach_one(self, screen: Any) -> None:
        story = "client.set_tag(add('fox', 1), 't', chr(27) + '[31mred')"
        for form in ("csv", "json"):
            assert "\x1b[31m" not in screen("runs", "export", "--format", form, story=story, columns=200).out

    def test_in_a_file_they_stand_as_they_are(self, dovetail: Any, tmp_path: Path) -> None:
        Client().create_run("0", run_id="odd", tags={"t": "\x1b[31mred"})
        dovetail("runs", "export", "-o", "runs.csv")
        assert "\x1b[31mred" in (tmp_path / "runs.csv").read_text()


def test_exporting_loads_pyarrow_for_parquet_alone() -> None:
    program = (
        "import os, sys; os.environ['DOVETAIL_TRACKING_URI'] = 'memory://x'\n"
        "from dovetail.cli.main import main\n"
        "try: main()\nfinally: print('pyarrow' in sys.modules, 'pandas' in sys.modules, file=sys.stderr)"
    )
    command = [sys.executable, "-c", program, "runs", "export"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=dict(os.environ))
    assert (done.returncode, done.stderr) == (0, "False False\n")
